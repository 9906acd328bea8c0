"""The geometry around the objects: a ground, a shadow catcher and the walls of a room."""

from __future__ import annotations

import bpy
import numpy as np

from render.blender.materials.palette import Palette
from render.blender.meshes import upload
from scenes.mesh import Model, Part, corner_normals
from scenes.record.material import Material
from scenes.record.scene import Background, Scene

# Half the width of the ground in meters. From eye height, it ends less than 0.25 degrees below the horizon.
_REACH = 400.0

# Object index of the shadow catcher. Objects have indices from 1, other surroundings have 0.
CATCHER = 32767


class Surroundings:
    """Ground, shadow catcher and walls, set up as the background of the Scene describes."""

    def __init__(self, palette: Palette):
        self._palette = palette
        r = _REACH
        plane = _quads("ground", [[(-r, -r, 0), (r, -r, 0), (r, r, 0), (-r, r, 0)]])
        self._ground = bpy.data.objects.new("ground", upload("ground", Model((plane,))))
        patch = _quads("catcher", [[(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)]])
        self._catcher = bpy.data.objects.new("catcher", upload("catcher", Model((patch,))))
        self._catcher.is_shadow_catcher = True
        self._catcher.pass_index = CATCHER
        self._walls = bpy.data.objects.new("walls", bpy.data.meshes.new("walls"))
        # Light must enter the room: walls are visible, but cast no shadows and reflect no diffuse light.
        self._walls.visible_shadow = False
        self._walls.visible_diffuse = False

    def set(self, scene: Scene) -> list[bpy.types.Object]:
        """Arrange the background of a scene and return its objects."""
        background = scene.background
        used = []
        if background.shadow:
            self._spread_catcher(scene)
            used.append(self._catcher)
        if background.material is not None:
            self._dress(self._ground, background.material)
            used.append(self._ground)
        if background.walls is not None:
            self._build_walls(background)
            self._dress(self._walls, background.walls)
            used.append(self._walls)
        return used

    def _spread_catcher(self, scene: Scene) -> None:
        """Size the shadow catcher to most shadows, because it doubles the cost of every pixel that it covers."""
        at = np.array([item.location[:2] for item in scene.items] or [(0.0, 0.0)])
        reach = max((item.scale + item.location[2] for item in scene.items), default=1.0) * 2
        low, high = at.min(axis=0) - reach, at.max(axis=0) + reach
        self._catcher.location = (*((low + high) / 2), 0.0)
        self._catcher.scale = (*((high - low) / 2), 1.0)

    def _build_walls(self, background: Background) -> None:
        old = self._walls.data
        self._walls.data = upload("walls", Model((_room(background.size),)))
        self._walls.location = background.center
        bpy.data.meshes.remove(old, do_unlink=False)

    def _dress(self, surface: bpy.types.Object, material: Material) -> None:
        slot = surface.material_slots[0]
        slot.link = "OBJECT"
        slot.material = self._palette.checkout(material)


def _room(size: tuple[float, float, float]) -> Part:
    """Four walls and a ceiling around the origin, facing inward, without a floor. size: meters."""
    x, y, z = size[0] / 2, size[1] / 2, size[2]
    around = [(-x, -y), (x, -y), (x, y), (-x, y)]
    walls = [[(*a, 0.0), (*a, z), (*b, z), (*b, 0.0)] for a, b in zip(around, around[1:] + around[:1], strict=True)]
    return _quads("walls", [*walls, [(*corner, z) for corner in reversed(around)]])


def _quads(name: str, corners: list) -> Part:
    vertices = np.array(corners, dtype=np.float32).reshape(-1, 3)
    first = np.arange(0, len(vertices), 4)[:, None]
    faces = np.concatenate([first + (0, 1, 2), first + (0, 2, 3)]).astype(np.int32)
    return Part(name, vertices, faces, corner_normals(vertices, faces, 30.0))

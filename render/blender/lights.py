"""The lights of a Scene in Blender: the environment, and lamps from a pool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from render.blender.materials.dials import Dials
from render.blender.materials.images import ImageCache
from render.image.color import blackbody
from scenes.record.scene import Light, World

# The importance map must resolve the lights of the HDRI; each change of the HDRI rebuilds it. On rough surfaces that
# fill the picture, a coarse map lets rays hit a small sun by chance, which gives white pixels.
_IMPORTANCE_MAP = 256
_FINE_MAP = 1024
# Of environment maps that Blender holds decoded, 8 MB for 1024 x 512 pixels.
_HDRI_BYTES = 256 << 20
# The dials of the background and of the mapping by the names of their sockets.
_LIGHT = {"Color": "color", "Strength": "strength"}
_TURN = {"Rotation": "rotation"}
_KINDS = {"sun": "SUN", "area": "AREA", "point": "POINT"}


class Sky:
    """The environment: a rotated and scaled HDRI, or a uniform color."""

    def __init__(self, scene: bpy.types.Scene, path: Callable[[str], Path]):
        self._path = path
        self._images = ImageCache(_HDRI_BYTES)
        world = self._world = bpy.data.worlds.new("sky")
        scene.world = world
        world.use_nodes = True
        world.cycles.sampling_method = "MANUAL"
        nodes, links = world.node_tree.nodes, world.node_tree.links
        self._background = nodes["Background"]
        self._light = Dials(self._background.inputs, [_LIGHT.get(socket.name) for socket in self._background.inputs])
        coordinates = nodes.new("ShaderNodeTexCoord")
        mapping = nodes.new("ShaderNodeMapping")
        self._turn = Dials(mapping.inputs, [_TURN.get(socket.name) for socket in mapping.inputs])
        self._texture = nodes.new("ShaderNodeTexEnvironment")
        self._links = links
        links.new(coordinates.outputs["Generated"], mapping.inputs["Vector"])
        links.new(mapping.outputs["Vector"], self._texture.inputs["Vector"])

    def set(self, world: World, fine: bool = False) -> None:
        """Set the environment. fine: use the fine importance map, which costs 0.1 s and avoids white pixels."""
        self._world.cycles.sample_map_resolution = _FINE_MAP if fine else _IMPORTANCE_MAP
        self._light.turn({"color": (*world.color, 1.0), "strength": world.strength})
        color = self._background.inputs["Color"]
        if not world.hdri:
            for link in list(color.links):
                self._links.remove(link)
            return
        if not color.is_linked:
            self._links.new(self._texture.outputs["Color"], color)
        # The mapping rotates the lookup direction, so the sky rotates the other way.
        self._turn.turn({"rotation": (0.0, 0.0, -np.radians(world.rotation))})
        self._images.trim()
        image = self._images.environment(self._path(world.hdri))
        if self._texture.image is not image:
            self._texture.image = image


class Lamps:
    """Sun, area and point lamps, created once and set for each scene."""

    def __init__(self) -> None:
        self._pools: dict[str, list[bpy.types.Object]] = {kind: [] for kind in _KINDS}

    def set(self, lights: Sequence[Light]) -> list[bpy.types.Object]:
        """Set the lamps of a scene and return them, sorted by kind."""
        used = []
        for kind, pool in self._pools.items():
            wanted = [light for light in lights if light.kind == kind]
            while len(pool) < len(wanted):
                pool.append(_new_lamp(kind))
            for lamp, light in zip(pool, wanted, strict=False):
                _set_lamp(lamp, light)
                used.append(lamp)
        return used


def _new_lamp(kind: str) -> bpy.types.Object:
    lamp = bpy.data.objects.new(kind, bpy.data.lights.new(kind, _KINDS[kind]))
    lamp.visible_camera = False
    if kind == "area":
        lamp.data.shape = "DISK"
    return lamp


def _set_lamp(lamp: bpy.types.Object, light: Light) -> None:
    lamp.location = light.location
    way = Vector(light.target) - Vector(light.location)
    lamp.rotation_euler = way.to_track_quat("-Z", "Y").to_euler()
    lamp.data.energy = light.energy
    lamp.data.color = blackbody(light.temperature)
    if light.kind == "sun":
        lamp.data.angle = np.radians(light.size)
    elif light.kind == "area":
        lamp.data.size = light.size
    else:
        lamp.data.shadow_soft_size = light.size

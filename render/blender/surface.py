"""A cracked surface in Blender: its mesh, which is built for each picture, and the labels of its crack."""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np
import scipy
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from render.blender.materials.palette import Palette
from render.blender.meshes import triangles
from render.blender.meshes import upload as upload_model
from render.image.labels import mask_box
from render.object_label import ObjectLabel
from scenes.cracks.contour import OPEN, Contour
from scenes.cracks.raster import skeleton
from scenes.cracks.relief import Relief
from scenes.cracks.strips import Pixels
from scenes.mesh import Model
from scenes.record.camera import Camera
from scenes.record.material import Material
from scenes.record.record import CRACK
from scenes.record.scene import Scene, rotation_matrix
from scenes.record.surface import COVERS, Debris
from scenes.sampling.placement import project, yaw_quaternion
from scenes.sampling.surface import DEPOSIT
from scenes.sampling.surface_geometry import contour_of, filler_of, generator, on_surface, relief_of

# Material index of the faces between the lips. All other faces have 0.
CRACK_INDEX = 1

# Share of a pixel that a crack must be wide to be labeled.
_SEEN = 0.4

# The deposit of a surface without a crack is empty.
SOUND = Material("deposit", {**dict.fromkeys(DEPOSIT, 0.0), "width": 1.0, "seed": 0.0})
_OPAQUE = Material("own")
# Nearly black. Fully black pixels would disturb the exposure meter.
_HOLLOW = Material(
    "concrete", {"hue": 0.1, "saturation": 0.1, "value": 0.1, "stains": 0.5, "pores": 0.0, "scale": 4.0, "seed": 0.0}
)


class SurfacePatch:
    """The object that is the surface of the picture, and the contour of its crack."""

    contour: Contour

    def __init__(self, palette: Palette):
        self._palette = palette
        self._patch = bpy.data.objects.new("surface", bpy.data.meshes.new("surface"))
        self._distractors: list[bpy.types.Object] = []

    def set(self, scene: Scene) -> list[bpy.types.Object]:
        """Arrange the surface of a scene and return its objects."""
        if scene.surface is None:
            return []
        self.contour = contour_of(scene)
        old = self._patch.data
        left, top = scene.surface.corner
        shift = generator(scene, "surface.material.shift").uniform(0, 4, 2)
        relief = relief_of(scene, self.contour)
        crack = scene.surface.crack
        deposit = crack.deposit if crack else SOUND
        self._patch.data = upload(relief, left, top, shift)
        if crack and crack.deposit.parameters["moss"]:
            away = gaping(relief, crack.width)
            self._patch.data.attributes.new("gaping", "FLOAT", "POINT").data.foreach_set("value", away)
        bpy.data.meshes.remove(old, do_unlink=False)
        self._patch.matrix_world = Matrix(scene.surface.frame())
        fitted = filler_of(scene.surface)
        filler = (fitted,) if fitted and relief.filled.min() < 0 else ()
        for slot, inside in zip(self._patch.material_slots, (False, True), strict=True):
            slot.link = "OBJECT"
            slot.material = self._palette.checkout(
                scene.surface.material,
                pass_index=CRACK_INDEX * inside,
                foreground=inside,
                overlays=(*filler, *scene.surface.marks, deposit),
            )
        return [self._patch, *self._things(scene), *self._shadow_casters(scene)]

    def _things(self, scene: Scene) -> list[bpy.types.Object]:
        """The debris on the surface. It can hide the crack, and no label contains it."""
        from scenes.shapes.debris import debris  # it loads what only pictures of surfaces need

        assert scene.surface is not None
        frame, things = scene.surface.frame(), []
        for k, (thing, key) in enumerate(zip(scene.surface.debris, shape_keys(scene.surface.debris), strict=True)):
            rng = generator(scene, key)
            placed = np.diag([*[thing.size / 1000] * 3, 1.0])
            placed[:3, :3] = placed[:3, :3] @ rotation_matrix(yaw_quaternion(thing.angle))
            placed[:2, 3] = thing.x / 1000, -thing.y / 1000
            model = debris(thing.kind, rng)
            things.append(self._distractor(k, model, frame @ placed))
            for slot, part in zip(things[-1].material_slots, model.parts, strict=True):
                material = _HOLLOW if part.role == "hollow" else thing.material
                slot.link = "OBJECT"
                slot.material = self._palette.checkout(material)
        return things

    def _shadow_casters(self, scene: Scene) -> list[bpy.types.Object]:
        """Objects outside the picture that only cast shadows into it."""
        from scenes.shapes.debris import shadow_caster  # it loads what only pictures of surfaces need

        assert scene.surface is not None
        surface, first = scene.surface, len(scene.surface.debris)
        way = np.array(scene.lights[0].location) if scene.lights else surface.frame()[:3, 2]
        way = way / np.linalg.norm(way)
        casters = []
        for k, caster in enumerate(surface.shadow_casters):
            rng = generator(scene, f"surface.shadow_casters.{k}.shape")
            reach = max(surface.size) / 1000 + 0.3 * caster.distance
            model = shadow_caster(caster.kind, caster.size / 1000, reach, rng)
            turned = np.array(Vector(way.tolist()).to_track_quat("Z", "Y").to_matrix().to_4x4())
            turned = turned @ np.array(Matrix.Rotation(np.radians(caster.angle), 4, "Z"))
            turned[:3, 3] = way * caster.distance + turned[:3, 1] * (caster.offset / 1000)
            blocker = self._distractor(first + k, model, turned)
            blocker.visible_camera = False
            blocker.material_slots[0].link = "OBJECT"
            blocker.material_slots[0].material = self._palette.checkout(_OPAQUE)
            casters.append(blocker)
        return casters

    def _distractor(self, k: int, model: Model, matrix: NDArray[np.float64]) -> bpy.types.Object:
        """Give the k-th extra object a new shape and place it."""
        while len(self._distractors) <= k:
            self._distractors.append(bpy.data.objects.new(f"distractor.{k:02d}", bpy.data.meshes.new("distractor")))
        thing = self._distractors[k]
        old = thing.data
        thing.data = upload_model("distractor", model)
        bpy.data.meshes.remove(old, do_unlink=False)
        thing.matrix_world = Matrix(matrix)
        thing.visible_camera = True
        return thing


def shape_keys(things: tuple[Debris, ...]) -> list[str]:
    """The stream of each thing's shape: debris and covers count apart, so that neither changes with the other."""
    counts = {"debris": 0, "covers": 0}
    keys = []
    for thing in things:
        kind = "covers" if thing.kind in COVERS else "debris"
        keys.append(f"surface.{kind}.{counts[kind]}.shape")
        counts[kind] += 1
    return keys


def upload(relief: Relief, left: float, top: float, shift: NDArray[np.float64]) -> bpy.types.Mesh:
    """Build the mesh of a relief, in meters with y up. left, top: its corner in mm. Slot 1 is between the lips.

    The mesh has the attributes "lip" and "filled": the distances in mm to the crack and to filled cracks. Its UV layer
    "box" is in meters and moved by `shift` (2,), so that textures are not always centered.
    """
    x, y, z = relief.vertices.T.astype(np.float64)
    vertices = np.stack([x + left, -(y + top), z], axis=1).astype(np.float32) / 1000
    mesh = triangles("surface", vertices, relief.faces, relief.inside.astype(np.int32))
    # Faces are smaller than pixels. Normals smoothed over a lip would shade both sides wrongly.
    mesh.attributes.new("sharp_face", "BOOLEAN", "FACE").data.foreach_set("value", np.ones(len(relief.faces), bool))
    mesh.attributes.new("lip", "FLOAT", "POINT").data.foreach_set("value", relief.distance)
    mesh.attributes.new("filled", "FLOAT", "POINT").data.foreach_set("value", relief.filled)
    flat = (vertices[:, :2] + shift).astype(np.float32)
    mesh.uv_layers.new(name="box").uv.foreach_set("vector", flat[relief.faces.ravel()].ravel())
    mesh.materials.append(None)
    mesh.materials.append(None)
    return mesh


def gaping(relief: Relief, width: float) -> NDArray[np.float32]:
    """(n,) distance in mm from each vertex to the open part of a crack of `width` mm, at most 3 widths.

    The crack counts as open where it is wider than a fifth of `width`. Its ends are narrower than any label shows, so
    moss must not mark them.
    """
    inside = relief.distance < -0.1 * width
    limit = 3.0 * width
    away = np.full(len(relief.vertices), limit, np.float32)
    near = np.flatnonzero(relief.distance < limit)
    if inside.any():
        tree = scipy.spatial.cKDTree(relief.vertices[inside, :2])
        away[near] = np.minimum(tree.query(relief.vertices[near, :2], distance_upper_bound=limit)[0], limit)
    return away


def crack_labels(instance: NDArray[np.uint16]) -> tuple[ObjectLabel, ...]:
    """The visible crack as one object, or empty if no crack is visible."""
    mask = instance == 1
    box, pixels = mask_box(mask), int(mask.sum())
    if box is None:
        return ()
    label = ObjectLabel(
        instance=1, asset=CRACK, category=CRACK, purpose="main", box=box, amodal_box=box,
        pixels=pixels, share=pixels / mask.size, visibility=1.0, truncation=0.0, keypoints={}, parts=(CRACK,),
    )  # fmt: skip
    return (label,)


def lines(scene: Scene, contour: Contour, seen: NDArray[np.bool_]) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """(H, W) width of the crack in mm, 0 elsewhere, and its (H, W) center line, both only at pixels in `seen`.

    The center line runs between the lips, at the level of the surface.
    """
    strokes = [stroke for stroke in contour.strokes if stroke.kind in OPEN]
    width, middle = np.zeros(seen.shape, np.float16), np.zeros(seen.shape, np.uint8)
    if not strokes or not seen.any() or scene.surface is None:
        return width, middle
    row, column = np.nonzero(seen)
    at = on_surface(scene.camera, scene.surface, np.column_stack([column, row]) + 0.5) - scene.surface.corner
    points, widths = np.concatenate([s.points for s in strokes]), np.concatenate([s.widths for s in strokes])
    points, widths = points[widths > 0], widths[widths > 0]
    away, near = scipy.spatial.cKDTree(points).query(at, k=min(4, len(points)))
    away, near = away.reshape(len(at), -1), near.reshape(len(at), -1)
    best = (away - widths[near] / 2).argmin(axis=1)
    width[row, column] = widths[near[np.arange(len(at)), best]]
    drawn = tuple(replace(s, points=_pixels(scene, s.points), widths=s.widths / scene.surface.pixel) for s in strokes)
    height, across = seen.shape
    middle[skeleton(Contour(drawn, (), (across, height)), Pixels((height, across), 1.0)) & seen] = 1
    return width, middle


def hairlines(width: NDArray[np.float16], depth: NDArray[np.float32], camera: Camera) -> NDArray[np.bool_]:
    """(H, W) where the crack is too narrow to be seen: its width (H, W), in mm, is a small share of a pixel there."""
    pixel = 1000 * depth / np.float32(camera.intrinsics()[0, 0])
    return (width > 0) & (width < _SEEN * pixel)


def _pixels(scene: Scene, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Project (n, 2) points of the patch, in mm, to (n, 2) pixels."""
    assert scene.surface is not None
    flat = (points + scene.surface.corner) * (0.001, -0.001)
    frame = scene.surface.frame()[:3, :3]
    return project(scene.camera, flat @ frame[:, :2].T)[0]

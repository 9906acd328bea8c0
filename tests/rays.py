"""The truth of a scene's labels, without a renderer: embree casts rays through the pixel centers at the models.

A surface with an opacity is hit where the opacity is at least one half (mode "BLEND") or its cutoff (mode "MASK"). The
opacity is looked up in its picture between texels, as renderers do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import trimesh
from numpy.typing import NDArray
from PIL import Image

from scenes.mesh import Appearance, Model
from scenes.record.camera import Camera
from scenes.record.scene import Scene

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Hits:
    """What the rays through the pixel centers hit first: item (0 none), part, planar depth, unit camera normal."""

    instance: NDArray[np.int64]
    part: NDArray[np.int64]
    depth: NDArray[np.float64]
    normal: NDArray[np.float64]


def hits(scene: Scene, model: Callable[[str], Model], own: bool = True) -> Hits:
    """Cast a ray through each pixel center. own: whether the items have the materials of their files."""
    camera = scene.camera
    origins, ways = rays(camera)
    count = len(ways)
    found = Hits(np.zeros(count, int), np.zeros(count, int), np.full(count, np.inf), np.zeros((count, 3)))
    matrix = camera.world_to_camera()
    for number, item in enumerate(scene.items, start=1):
        for slot, piece in enumerate(model(item.asset).moved(item.matrix()).parts, start=1):
            mesh = trimesh.Trimesh(piece.vertices, piece.faces, process=False)
            points, which, faces = mesh.ray.intersects_location(origins, ways, multiple_hits=True)
            if not len(points):
                continue
            weights = trimesh.triangles.points_to_barycentric(mesh.triangles[faces], points)
            look = piece.appearance
            solid = np.ones(len(points), bool)
            if own and look is not None and look.mode != "OPAQUE":
                uvs = None if piece.uvs is None else np.einsum("ij,ijk->ik", weights, piece.uvs[faces])
                solid = opacity(look, uvs, len(points)) >= (look.cutoff if look.mode == "MASK" else 0.5)
            depth = (points - camera.location) @ matrix[2, :3]
            smooth = np.einsum("ij,ijk->ik", weights, piece.normals[faces])
            # Both sides of a surface are seen; the normal is the one toward the camera.
            smooth = np.where((mesh.face_normals[faces] * ways[which]).sum(axis=1, keepdims=True) > 0, -smooth, smooth)
            for k in np.argsort(-depth):
                if solid[k] and depth[k] < found.depth[which[k]]:
                    found.instance[which[k]], found.part[which[k]], found.depth[which[k]] = number, slot, depth[k]
                    found.normal[which[k]] = matrix[:3, :3] @ smooth[k] / np.linalg.norm(smooth[k])
    shape = (camera.height, camera.width)
    return Hits(*(values.reshape(*shape, *values.shape[1:]) for values in vars(found).values()))


def rays(camera: Camera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Origins and directions in the world, row by row."""
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    local = camera.rays(np.column_stack([x.ravel(), y.ravel()]))
    turn = camera.world_to_camera()[:3, :3]
    return np.broadcast_to(np.array(camera.location, dtype=float), local.shape), local @ turn


def opacity(look: Appearance, uvs: NDArray[np.float64] | None, count: int) -> NDArray[np.float64]:
    """The opacity of a material at texture coordinates (n, 2), between 0 and 1."""
    if look.opacity is None or uvs is None:
        return np.full(count, look.alpha)
    picture = np.asarray(Image.open(look.opacity).convert("L"), dtype=float)[::-1] / 255
    high, wide = picture.shape
    x, y = uvs[:, 0] * wide - 0.5, uvs[:, 1] * high - 0.5
    left, low = np.floor(x).astype(int), np.floor(y).astype(int)
    total = np.zeros(count)
    for dy in (0, 1):
        for dx in (0, 1):
            share = np.abs(1 - dx - (x - left)) * np.abs(1 - dy - (y - low))
            total += share * picture[(low + dy) % high, (left + dx) % wide]
    return total * look.alpha


def iou(a: Bools, b: Bools) -> float:
    return float((a & b).sum() / (a | b).sum())

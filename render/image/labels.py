"""Labels of single objects, computed from the masks, the models and the Scene: boxes, visibility, keypoints."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from render.frame import Box, Keypoint, ObjectLabel
from scenes.assets.info import AssetInfo
from scenes.mesh import Model
from scenes.projection import Triangles, first_depth, seen_triangles, silhouette
from scenes.record.scene import Camera, Item, Scene
from scenes.sampling.placement import project

# How far an object may reach before its own keypoint, in its diagonals: keypoints lie on or just below the surface.
_UNDER = 0.03


def object_labels(
    scene: Scene,
    instance: NDArray[np.uint16],
    info: Callable[[str], AssetInfo],
    model: Callable[[str], Model],
) -> tuple[ObjectLabel, ...]:
    """One label per item of the scene, in order. The instance id of an item is its position, from 1."""
    camera = scene.camera

    @cache
    def triangles(k: int) -> Triangles:
        return seen_triangles(camera, scene.items[k], model(scene.items[k].asset))

    boxes = [amodal_box(camera, item, info(item.asset), partial(triangles, k)) for k, item in enumerate(scene.items)]
    labels = []
    for k, item in enumerate(scene.items):
        mask = instance == k + 1
        pixels = int(mask.sum())
        beside = [j for j, other in enumerate(boxes) if j != k and _touch(boxes[k], other)]
        whole = pixels
        if beside:
            # Number of pixels that the item would show if nothing were in front of it.
            whole = max(pixels, int(silhouette(triangles(k), (camera.width, camera.height)).sum()))
        labels.append(
            ObjectLabel(
                instance=k + 1,
                asset=item.asset,
                category=item.category,
                purpose=item.purpose,
                box=mask_box(mask),
                amodal_box=boxes[k],
                pixels=pixels,
                visibility=pixels / whole if whole else 0.0,
                truncation=_truncation(boxes[k], camera),
                keypoints=_keypoints(camera, item, info(item.asset), k, beside, triangles),
                parts=info(item.asset).parts,
            )
        )
    return tuple(labels)


def mask_box(mask: NDArray[np.bool_]) -> Box | None:
    """x0, y0, x1, y1 around the true pixels of an (H, W) mask, upper ends exclusive; None if no pixel is true."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return None
    return (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))


def amodal_box(camera: Camera, item: Item, info: AssetInfo, triangles: Callable[[], Triangles]) -> Box | None:
    """Box in pixels around the projection of all of the item beyond the near plane; None if nothing is beyond it.

    triangles: what of the item is beyond the near plane. It is asked only for an item that crosses the plane.
    """
    return hull_box(camera, item, info) or _box_around(triangles()[..., :2].reshape(-1, 2))


def hull_box(camera: Camera, item: Item, info: AssetInfo) -> Box | None:
    """Box in pixels around the whole item; None if it reaches behind the camera's near plane."""
    matrix = item.matrix()
    # The convex hull is enough, because it has the same extremes.
    points, depth = project(camera, info.hull @ matrix[:3, :3].T + matrix[:3, 3])
    return _box_around(points) if depth.min() >= camera.near else None


def _box_around(points: NDArray[np.float64]) -> Box | None:
    if not len(points):
        return None
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return (float(x0), float(y0), float(x1), float(y1))


def _touch(a: Box | None, b: Box | None) -> bool:
    return a is not None and b is not None and a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _truncation(box: Box | None, camera: Camera) -> float:
    if box is None:
        return 1.0
    inside = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], camera.width), min(box[3], camera.height))
    if inside[0] > inside[2] or inside[1] > inside[3]:
        return 1.0
    area = _area(box)
    return 1.0 - _area(inside) / area if area > 0 else 0.0


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _keypoints(
    camera: Camera, item: Item, info: AssetInfo, k: int, beside: list[int], triangles: Callable[[int], Triangles]
) -> dict[str, Keypoint]:
    """The keypoints of item number k, seen where a ray from the camera meets nothing before them.

    triangles: of each item by its number; a place on them that one sees through must not be among them.
    """
    if not info.keypoints:
        return {}
    matrix = item.matrix()
    world = np.array(list(info.keypoints.values())) @ matrix[:3, :3].T + matrix[:3, 3]
    points, depth = project(camera, world)
    inside = ((points >= 0) & (points < [camera.width, camera.height])).all(axis=1) & (depth >= camera.near)
    seen = np.zeros(len(points), bool)
    if inside.any():
        at = points[inside]
        along = np.linalg.norm(world[inside] - camera.location, axis=1) / depth[inside]
        own = first_depth(triangles(k), at)
        before = np.min([first_depth(triangles(j), at) for j in beside], axis=0, initial=np.inf)
        hidden = (depth[inside] - own) * along > _UNDER * item.scale
        # A ray past a tip can miss the object by a hair, so the keypoint itself counts as its surface, too.
        seen[inside] = ~hidden & (before >= np.minimum(own, depth[inside]))
    return {
        name: Keypoint(float(x), float(y), bool(visible))
        for name, (x, y), z, visible in zip(info.keypoints, points, depth, seen, strict=True)
        if z >= camera.near
    }

"""Labels of single objects, computed from masks, depth and the Scene: boxes, visibility, keypoints."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from render.frame import Box, Keypoint, ObjectLabel
from scenes.assets.info import AssetInfo
from scenes.mesh import Model
from scenes.record.scene import Camera, Item, Scene
from scenes.sampling.placement import project
from scenes.sampling.rasterize import silhouette


def object_labels(
    scene: Scene,
    instance: NDArray[np.uint16],
    depth: NDArray[np.float32],
    info: Callable[[str], AssetInfo],
    model: Callable[[str], Model],
) -> tuple[ObjectLabel, ...]:
    """One label per item of the scene, in order. The instance id of an item is its position, from 1."""
    boxes = [amodal_box(scene.camera, item, info(item.asset)) for item in scene.items]
    labels = []
    for k, item in enumerate(scene.items):
        mask = instance == k + 1
        pixels = int(mask.sum())
        alone = not any(_touch(boxes[k], other) for j, other in enumerate(boxes) if j != k)
        whole = pixels if alone else max(pixels, _unoccluded(scene.camera, item, model(item.asset)))
        labels.append(
            ObjectLabel(
                instance=k + 1,
                asset=item.asset,
                category=item.category,
                purpose=item.purpose,
                box=mask_box(mask),
                amodal_box=boxes[k],
                pixels=pixels,
                share=pixels / mask.size,
                visibility=pixels / whole if whole else 0.0,
                truncation=_truncation(boxes[k], scene.camera),
                keypoints=_keypoints(scene.camera, item, info(item.asset), k + 1, instance, depth),
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


def amodal_box(camera: Camera, item: Item, info: AssetInfo) -> Box:
    """Box in pixels around the whole projection. The convex hull is enough, because it has the same extremes."""
    matrix = item.matrix()
    points, _ = project(camera, info.hull @ matrix[:3, :3].T + matrix[:3, 3])
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return (float(x0), float(y0), float(x1), float(y1))


def _touch(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _truncation(box: Box, camera: Camera) -> float:
    area = (box[2] - box[0]) * (box[3] - box[1])
    inside_x = min(box[2], camera.width) - max(box[0], 0.0)
    inside_y = min(box[3], camera.height) - max(box[1], 0.0)
    return 1.0 - max(inside_x, 0.0) * max(inside_y, 0.0) / area if area > 0 else 0.0


def _unoccluded(camera: Camera, item: Item, model: Model) -> int:
    """Number of pixels that the item would show if nothing were in front of it."""
    matrix = item.matrix()
    hit = np.zeros((camera.height, camera.width), dtype=bool)
    for part in model.parts:
        points, depth = project(camera, part.vertices.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3])
        hit |= silhouette(points, depth, part.faces, (camera.width, camera.height))
    return int(hit.sum())


def _keypoints(
    camera: Camera, item: Item, info: AssetInfo, number: int, instance: NDArray[np.uint16], depth: NDArray[np.float32]
) -> dict[str, Keypoint]:
    if not info.keypoints:
        return {}
    matrix = item.matrix()
    world = np.array(list(info.keypoints.values())) @ matrix[:3, :3].T + matrix[:3, 3]
    points, distance = project(camera, world)
    # A keypoint lies on or just below the surface. It is visible if its own object is at most this much nearer.
    slack = 0.03 * item.scale
    seen = {}
    for name, (x, y), z in zip(info.keypoints, points, distance, strict=True):
        column, row = int(np.floor(x)), int(np.floor(y))
        inside = 0 <= column < camera.width and 0 <= row < camera.height and z > 0
        visible = bool(inside and instance[row, column] == number and depth[row, column] > z - slack)
        seen[name] = Keypoint(float(x), float(y), visible)
    return seen

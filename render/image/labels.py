"""Labels of single objects, computed from the masks, the models and the Scene: boxes, visibility, keypoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from types import MappingProxyType
from typing import cast

import numpy as np
from numpy.typing import NDArray

from render.object_label import Box, Keypoint, ObjectLabel, Pose, Size
from scenes.assets.info import AssetInfo
from scenes.mesh import Geometry, Model
from scenes.projection import Triangles, first_depth, outline, seen_triangles, silhouette
from scenes.record.camera import Camera
from scenes.record.scene import Item, Scene
from scenes.sampling.placement import project

# How far an object may reach before its own keypoint, in its diagonals: keypoints lie on or just below the surface.
_UNDER = 0.03
# By how much of its size a box of an item may be too small, because the hull leaves out what is just outside it.
_SLACK = 0.01


def object_labels(
    scene: Scene,
    instance: NDArray[np.uint16],
    info: Callable[[str], AssetInfo],
    model: Callable[[str], Model | Geometry],
    cutouts: Mapping[int, Callable[[], NDArray[np.bool_]]] = MappingProxyType({}),
) -> tuple[ObjectLabel, ...]:
    """One label per item of the scene, in order. The instance id of an item is its position, from 1.

    cutouts: for each item that is cut out by its opacity, the function that draws its (H, W) mask without the other
    items. Of all other items, the triangles tell it.
    """
    camera = scene.camera

    @cache
    def triangles(k: int) -> Triangles:
        return seen_triangles(camera, scene.items[k], model(scene.items[k].asset))

    def before(k: int, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Depth of the first surface of item k at each point. A cut-out is there where the picture shows it."""
        depth = np.full(len(points), np.inf)
        # Its triangles are asked only for points that its box holds. Most points of other items are not in it.
        within = _within(boxes[k], points)
        if within.any():
            depth[within] = first_depth(triangles(k), points[within])
        if k + 1 in cutouts:
            columns, rows = points.astype(int).T
            depth[instance[rows, columns] != k + 1] = np.inf
        return depth

    boxes = [amodal_box(camera, item, info(item.asset), partial(triangles, k)) for k, item in enumerate(scene.items)]
    beside = [[j for j, box in enumerate(boxes) if j != k and _touch(boxes[k], box)] for k in range(len(boxes))]
    marked = [_projected(camera, item, info(item.asset)) for item in scene.items]
    first = _first_surfaces([marks.shown for marks in marked], beside, before)
    labels = []
    for k, item in enumerate(scene.items):
        mask = instance == k + 1
        pixels = int(mask.sum())
        box, whole = boxes[k], pixels
        if k + 1 in cutouts:
            shown = mask | cutouts[k + 1]() if beside[k] else mask
            box, whole = _cut_box(box, shown), int(shown.sum())
        elif beside[k]:
            # Number of pixels that the item would show if nothing were in front of it.
            whole = max(pixels, int(silhouette(triangles(k), (camera.width, camera.height)).sum()))
        labels.append(
            ObjectLabel(
                instance=k + 1,
                asset=item.asset,
                category=item.category,
                purpose=item.purpose,
                box=mask_box(mask),
                amodal_box=box,
                pixels=pixels,
                share=pixels / mask.size,
                visibility=pixels / whole if whole else 0.0,
                truncation=_truncation(box, camera),
                keypoints=marked[k].keypoints(*first[k], camera, item),
                parts=info(item.asset).parts,
                pose=_rows(camera.world_to_camera() @ item.pose()),
                extent=_extent(item, info(item.asset)),
            )
        )
    return tuple(labels)


def _rows(pose: NDArray[np.float64]) -> Pose:
    return cast(Pose, tuple(map(tuple, pose.tolist())))


def _extent(item: Item, info: AssetInfo) -> Size:
    return cast(Size, tuple((item.scale * (info.bounds[1] - info.bounds[0])).tolist()))


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
    return hull_box(camera, item, info) or _box_around(triangles().points[:2].T)


def hull_box(camera: Camera, item: Item, info: AssetInfo) -> Box | None:
    """Box in pixels around the whole item; None if it reaches behind the camera's near plane."""
    matrix = item.matrix()
    # The convex hull is enough, because it has the same extremes.
    points = info.hull @ matrix[:3, :3].T + matrix[:3, 3]
    if camera.distortion is not None:
        points = outline(camera, points)
    shown, depth = project(camera, points)
    return _box_around(shown) if depth.min() >= camera.near else None


def _box_around(points: NDArray[np.float64]) -> Box | None:
    if not len(points):
        return None
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return (float(x0), float(y0), float(x1), float(y1))


def _cut_box(whole: Box | None, shown: NDArray[np.bool_]) -> Box | None:
    """The box around a cut-out. whole: box around all of its surface. shown: (H, W) mask of it without other items.

    A side of `whole` remains where the mask goes on beyond the picture, or if nothing of it is in the picture.
    """
    box = mask_box(shown)
    if box is None or whole is None:
        return whole
    height, width = shown.shape
    x0, y0 = (min(side, far) if side == 0 else max(side, far) for side, far in zip(box[:2], whole[:2], strict=True))
    ends = zip(box[2:], whole[2:], (width, height), strict=True)
    x1, y1 = (max(side, far) if side == end else min(side, far) for side, far, end in ends)
    return (x0, y0, x1, y1)


def _touch(a: Box | None, b: Box | None) -> bool:
    return a is not None and b is not None and a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _within(box: Box | None, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) whether a box holds points (n, 2)."""
    if box is None:
        return np.zeros(len(points), bool)
    low, high = np.array(box[:2]), np.array(box[2:])
    slack = 1 + _SLACK * (high - low).max()
    return ((points >= low - slack) & (points <= high + slack)).all(axis=1)


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


@dataclass(frozen=True)
class _Marks:
    """The keypoints of an item in the picture.

    names: those of all. points: (n, 2) pixels. depth: (n,). along: (n,) length of a ray to depth 1 there. inside: (n,)
    whether they lie in the picture, beyond the near plane.
    """

    names: tuple[str, ...]
    points: NDArray[np.float64]
    depth: NDArray[np.float64]
    along: NDArray[np.float64]
    inside: NDArray[np.bool_]

    @property
    def shown(self) -> NDArray[np.float64]:
        """Those that lie in the picture."""
        return self.points[self.inside]

    def keypoints(
        self, own: NDArray[np.float64], before: NDArray[np.float64], camera: Camera, item: Item
    ) -> dict[str, Keypoint]:
        """Those beyond the near plane, seen where a ray from the camera meets nothing before them.

        own, before: depth of the first surface of the item, and of all others, at the points that are `shown`.
        """
        depth = self.depth[self.inside]
        hidden = (depth - own) * self.along[self.inside] > _UNDER * item.scale
        seen = np.zeros(len(self.points), bool)
        # A ray past a tip can miss the object by a hair, so the keypoint itself counts as its surface, too.
        seen[self.inside] = ~hidden & (before >= np.minimum(own, depth))
        return {
            name: Keypoint(float(x), float(y), bool(visible))
            for name, (x, y), z, visible in zip(self.names, self.points, self.depth, seen, strict=True)
            if z >= camera.near
        }


def _projected(camera: Camera, item: Item, info: AssetInfo) -> _Marks:
    if not info.keypoints:
        return _Marks((), np.empty((0, 2)), np.empty(0), np.empty(0), np.empty(0, bool))
    matrix = item.matrix()
    world = np.array(list(info.keypoints.values())) @ matrix[:3, :3].T + matrix[:3, 3]
    points, depth = project(camera, world)
    inside = ((points >= 0) & (points < [camera.width, camera.height])).all(axis=1) & (depth >= camera.near)
    along = np.linalg.norm(world - camera.location, axis=1) / np.where(inside, depth, 1.0)
    return _Marks(tuple(info.keypoints), points, depth, along, inside)


def _first_surfaces(
    points: list[NDArray[np.float64]],
    beside: list[list[int]],
    first: Callable[[int, NDArray[np.float64]], NDArray[np.float64]],
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """For the points (n, 2) of each item, the depth of its own first surface and that of those beside it, (n,) each.

    first: depth of the first surface of an item at points. Each item is asked once, for the points of all.
    """
    found = [(np.full(len(own), np.inf), np.full(len(own), np.inf)) for own in points]
    for j in range(len(points)):
        others = [k for k in (j, *beside[j]) if len(points[k])]
        if not others:
            continue
        depths = first(j, np.concatenate([points[k] for k in others]))
        for k, depth in zip(others, np.split(depths, np.cumsum([len(points[k]) for k in others])[:-1]), strict=True):
            target = found[k][int(k != j)]
            np.minimum(target, depth, out=target)
    return found

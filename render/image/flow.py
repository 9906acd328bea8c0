"""How pictures of one scene lie on each other: optical flow between views, and disparity between the two of a pair.

Both are calculated from the depth, the cameras, and the poses of the objects, which move in films of a fall.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from render.image.surroundings import pixel_rays
from scenes.record.camera import Camera
from scenes.record.scene import Pose, Scene, rotation_matrix

# How much farther than the surface that another view shows there a point may be, and still be that surface. Depth
# changes within a pixel: between two pixel centers, on a surface that leans away, by about as much.
_NEAR = 0.01

# Behind these, there is nothing but the sky, which is infinitely far. A photograph or a color is nowhere.
_SKIES = ("hdri", "ground")


Motion = tuple[NDArray[np.uint16], Sequence[Pose]]
"""(H, W) which item each pixel of a picture shows, from 1, and where all items are in another picture."""


def optical_flow(
    depth: NDArray[np.float32], scene: Scene, other: Camera | None, motion: Motion | None = None
) -> NDArray[np.float32]:
    """(H, W, 2) pixels, x right and y down, from each pixel to the place where another camera shows the same point.

    depth: (H, W) of the picture of the scene. motion: of the items; None if they stay. NaN where the point is not known
    or is behind the other camera, and everywhere if there is no other camera. The place may be outside of the other
    picture, or hidden there.
    """
    moved = np.full((*depth.shape, 2), np.nan)
    if other is not None:
        x, y = np.meshgrid(np.arange(depth.shape[1]) + 0.5, np.arange(depth.shape[0]) + 0.5)
        local = _from(depth, scene, other, motion)
        seen = local[..., 2] > 0
        moved[seen] = other.pixels(local[seen][:, :2] / local[seen][:, 2:]) - np.stack([x, y], axis=-1)[seen]
    return moved.astype(np.float32)


def seen_in(
    depth: NDArray[np.float32],
    scene: Scene,
    other: Camera,
    shown: NDArray[np.float32],
    motion: Motion | None = None,
) -> NDArray[np.bool_]:
    """(H, W) whether another view shows the point of each pixel, too.

    depth: of the picture. shown: depth of the other one. motion: of the items; None if they stay. A point counts as
    shown if it is inside of the other picture, and at most a hundredth farther than the farthest of the four pixels
    around it there.
    """
    height, width = shown.shape
    local = _from(depth, scene, other, motion)
    seen = local[..., 2] > 0
    place = np.full((*depth.shape, 2), -1.0)
    place[seen] = other.pixels(local[seen][:, :2] / local[seen][:, 2:])
    inside = seen & (place >= 0).all(axis=-1) & (place < (width, height)).all(axis=-1)
    column, row = (np.floor(place[inside] - 0.5).astype(int)).T
    corners = [
        shown[np.clip(row + down, 0, height - 1), np.clip(column + right, 0, width - 1)]
        for down in (0, 1)
        for right in (0, 1)
    ]
    away = np.where(np.isfinite(depth), local[..., 2], np.inf)[inside]
    inside[inside] = away <= np.max(corners, axis=0) * (1 + _NEAR)
    return inside


def disparity(depth: NDArray[np.float32], scene: Scene) -> NDArray[np.float32]:
    """(H, W) pixels by which a point lies farther left in the right picture of a pair than in the left one: f b / z.

    0 for the sky, and NaN where the point is not known. Raises ValueError for a scene that is not one of a pair.
    """
    if scene.baseline is None:
        raise ValueError("the picture is not one of a stereo pair")
    found = scene.camera.intrinsics()[0, 0] * scene.baseline / depth.astype(np.float64)
    return np.where(np.isfinite(depth) | _open(scene), found, np.nan).astype(np.float32)


def _open(scene: Scene) -> bool:
    """Whether what has no depth is the sky."""
    return scene.surface is not None or scene.background.kind in _SKIES


def _from(depth: NDArray[np.float32], scene: Scene, other: Camera, motion: Motion | None = None) -> NDArray[np.float64]:
    """(H, W, 3) points of a picture in another camera's axes; of the sky their directions; NaN where not known."""
    rays, matrix = pixel_rays(scene.camera), other.world_to_camera()
    finite = np.isfinite(depth)[..., None]
    away = np.where(finite, depth[..., None].astype(np.float64), 1.0)
    world = rays * away + np.where(finite, np.subtract(scene.camera.location, other.location), 0.0)
    if motion is not None:
        instance, poses = motion
        for number, (item, (location, rotation)) in enumerate(zip(scene.items, poses, strict=True), 1):
            there = (instance == number) & finite[..., 0]
            local = (world[there] - np.subtract(item.location, other.location)) @ rotation_matrix(item.rotation)
            world[there] = local @ rotation_matrix(rotation).T + np.subtract(location, other.location)
    known = finite if not _open(scene) else np.ones_like(finite)
    return np.where(known, world @ matrix[:3, :3].T, np.nan)

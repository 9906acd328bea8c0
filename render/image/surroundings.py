"""The depth of the ground and of rooms, calculated, because a renderer's own gets inexact at grazing angles.

Renderers trace rays in single precision. Where a ray meets a plane at a small angle, its rounding is a large step along
the plane: from eye height, several thousandths of the depth near the horizon.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.record.camera import Camera
from scenes.record.scene import Scene


def with_surroundings(depth: NDArray[np.float32], instance: NDArray[np.uint16], scene: Scene) -> NDArray[np.float32]:
    """The depth (H, W) of a picture, calculated anew where it shows the ground or a room and no object."""
    background = scene.background
    if background.kind not in ("ground", "room"):
        return depth
    rays, eye = pixel_rays(scene.camera), np.array(scene.camera.location)
    with np.errstate(divide="ignore"):
        if background.kind == "ground":
            away = -eye[2] / rays[..., 2]
        else:
            low = np.array(background.center) - [background.size[0] / 2, background.size[1] / 2, 0]
            # The camera is inside: a ray leaves the room through the first of the planes that it reaches.
            away = np.maximum((low - eye) / rays, (low + background.size - eye) / rays).min(axis=-1)
    shown = (instance == 0) & np.isfinite(depth)
    return np.where(shown, away, depth).astype(np.float32)


def pixel_rays(camera: Camera) -> NDArray[np.float64]:
    """(H, W, 3) directions in the world through the pixel centers, as long as the way to depth 1."""
    k = camera.intrinsics()
    x = (np.arange(camera.width) + 0.5 - k[0, 2]) / k[0, 0]
    y = (np.arange(camera.height) + 0.5 - k[1, 2]) / k[1, 1]
    local = np.stack([*np.meshgrid(x, y), np.ones((camera.height, camera.width))], axis=-1)
    if camera.distortion is not None:
        local[..., :2] = camera.distortion.undistorted(local[..., :2].reshape(-1, 2)).reshape(*local.shape[:2], 2)
    return local @ camera.world_to_camera()[:3, :3]

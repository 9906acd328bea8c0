"""The part of a picture that must be rendered: the window around the objects."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from render.image.labels import hull_box
from scenes.assets.info import AssetInfo
from scenes.record.scene import Scene

Window = tuple[int, int, int, int]

# The pixel filter reaches 1.5 pixels. Hulls are smaller than their models by less than a pixel.
_MARGIN = 4
_SMALLEST = 16


def window(scene: Scene, info: Callable[[str], AssetInfo]) -> Window | None:
    """(x0, y0, x1, y1) in pixels around everything that Blender draws, x1 and y1 exclusive; None for the whole picture.

    In front of a sky, a photograph or a color, Blender draws only the objects; `render.image.clean_plate` computes the
    background. A ground, a room, a surface, a shadow or defocus blur can fill the whole picture.
    """
    behind = scene.background
    camera = scene.camera
    if behind.kind in ("ground", "room") or behind.shadow or scene.surface is not None or camera.fstop > 0:
        return None
    size = np.array([camera.width, camera.height])
    if not scene.items or (size < 2 * _SMALLEST).any():
        return None
    around = [hull_box(camera, item, info(item.asset)) for item in scene.items]
    if None in around:
        return None  # an object reaches behind the camera
    boxes = np.array(around)
    low = np.clip(np.floor(boxes[:, :2].min(axis=0)).astype(int) - _MARGIN, 0, size - _SMALLEST)
    high = np.clip(np.ceil(boxes[:, 2:].max(axis=0)).astype(int) + _MARGIN, low + _SMALLEST, size)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])

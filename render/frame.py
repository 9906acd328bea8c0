"""The Frame: one drawn picture with all its labels, as arrays. Field for field what a shard stacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from scenes.record.composite import Composition
from scenes.record.scene import Scene

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Keypoint:
    """A named point in the picture: x, y in pixels (pixel centres at +0.5), and whether it is seen."""

    x: float
    y: float
    visible: bool


@dataclass(frozen=True)
class ObjectLabel:
    """What is known of one object in one picture.

    instance: its 1-based id in the instance mask. box: x0, y0, x1, y1 in pixels around its visible pixels, x1 and y1
    exclusive, or None when nothing of it is seen. amodal_box: around its whole projection, seen or not, not clipped
    to the picture. pixels: visible ones. visibility: visible share of its pixels inside the picture's frame, in
    [0, 1]. truncation: share of its amodal box's area outside the frame. parts: names by 1-based id in the part mask.
    """

    instance: int
    asset: str
    category: str
    purpose: str
    box: Box | None
    amodal_box: Box
    pixels: int
    visibility: float
    truncation: float
    keypoints: Mapping[str, Keypoint]
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Frame:
    """One picture of (H, W) pixels and its labels.

    rgb: (H, W, 3) uint8 sRGB. depth: (H, W) float32 planar z in metres, inf where nothing is hit. instance: (H, W)
    uint16, 0 background. category: (H, W) uint8, 0 background, else 1 + class index. part: (H, W) uint8, 0
    background, else 1-based part of the object there. normals: (H, W, 3) float16 unit, OpenCV camera axes, 0 where
    nothing is hit. alpha: (H, W) uint8 anti-aliased coverage of the foreground. background: (H, W, 3) uint8, the
    same picture without the foreground, or None. intrinsics: (3, 3), world_to_camera: (4, 4), float64, OpenCV.
    label: class index of the main object, -1 if none. Of cracks also, else None: width: (H, W) float16 mm from lip to
    lip, 0 off the crack. skeleton: (H, W) uint8, 1 on the crack's middle line, one pixel wide.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    instance: NDArray[np.uint16]
    category: NDArray[np.uint8]
    part: NDArray[np.uint8]
    normals: NDArray[np.float16]
    alpha: NDArray[np.uint8]
    background: NDArray[np.uint8] | None
    intrinsics: NDArray[np.float64]
    world_to_camera: NDArray[np.float64]
    index: int
    label: int
    objects: tuple[ObjectLabel, ...]
    scene: Scene | Composition
    width: NDArray[np.float16] | None = None
    skeleton: NDArray[np.uint8] | None = None


@lru_cache(maxsize=1)
def _scenes() -> TypeAdapter[Scene | Composition]:
    return TypeAdapter(Scene | Composition)


def scene_from_json(text: str | bytes) -> Scene | Composition:
    """What a frame was drawn from, of either kind, from its JSON."""
    return _scenes().validate_json(text)

"""The piece of photographed surface behind the crack."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from render.composite.noise import Image, Shape, dimmed

# Rec. 601 luma.
_GRAY = np.array([0.299, 0.587, 0.114])
# Range of the mean gray value of a surface, the value that a camera meter aims at, and how far it gets there (0 to 1).
_MEANS, _MIDDLE, _METERED = (40.0, 200.0), 140.0, 0.4
# Side in pixels of the small picture in which broad changes of light are measured.
_COARSE = 48


def fits(photograph: NDArray[np.uint8], shape: Shape, *, zoom: float, angle: float) -> bool:
    """Whether a piece for an (H, W) picture fits inside the photograph at the scale `zoom`."""
    rows, columns = photograph.shape[:2]
    return bool((2 * np.abs(_turned(angle)) @ _half(shape) / zoom <= (columns, rows)).all())


def cut(
    photograph: NDArray[np.uint8],
    shape: Shape,
    *,
    x: float,
    y: float,
    zoom: float,
    angle: float,
    mirrored: bool,
) -> NDArray[np.uint8]:
    """Cut a rotated and scaled (H, W, 3) uint8 piece from a photograph; enlarge small photographs."""
    height, width = shape
    rows, columns = photograph.shape[:2]
    matrix = _turned(angle)
    reach = np.abs(matrix) @ _half(shape)
    scale = max(zoom, *(2 * reach / (columns, rows)))
    # The center is moved so that the whole piece stays inside the photograph.
    room = np.maximum(np.array([columns, rows]) / 2 - reach / scale, 0)
    middle = np.array([columns, rows]) / 2 + room * (2 * x - 1, 2 * y - 1)
    around, middle = _around(photograph, middle, reach / scale + 2)
    if scale > 1 or scale < 0.5:
        # The rotation interpolates linearly, which blurs enlarged pictures and skips pixels of reduced ones.
        around, middle, scale = _resized(around, middle, scale)
    matrix = matrix / scale
    if mirrored:
        matrix[:, 0] *= -1
    offset = middle - matrix @ (width / 2 - 0.5, height / 2 - 0.5) - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    piece = cv2.warpAffine(
        around, np.column_stack([matrix, offset]), (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(piece)


def _turned(angle: float) -> NDArray[np.float64]:
    turn = np.radians(angle)
    return np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])


def _half(shape: Shape) -> NDArray[np.float64]:
    return np.array([shape[1] / 2, shape[0] / 2])


def _around(
    photograph: NDArray[np.uint8], middle: NDArray[np.float64], reach: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of the photograph within reach of a point, and the position of the point in this part."""
    rows, columns = photograph.shape[:2]
    left, top = np.maximum(np.floor(middle - reach), 0).astype(int)
    right, bottom = np.minimum(np.ceil(middle + reach), (columns, rows)).astype(int)
    return photograph[top:bottom, left:right], middle - (left, top)


def _resized(
    picture: NDArray[np.uint8], middle: NDArray[np.float64], scale: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64], float]:
    """The picture and a point in it, scaled by `scale`, and the scale that remains to be applied (1)."""
    rows, columns = picture.shape[:2]
    size = (max(round(columns * scale), 1), max(round(rows * scale), 1))
    resized = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    return np.asarray(resized), middle * (np.array(size) / (columns, rows)), 1.0


def relit(
    picture: NDArray[np.uint8],
    *,
    brightness: float,
    contrast: float,
    evening: float,
    chroma: float,
    slope: float,
    slope_angle: float,
) -> Image:
    """Change brightness, contrast, saturation and light of a picture; returns (H, W, 3) float32, 0 to 255.

    See `scenes.config.composite.PhotographConfig`.
    """
    height, width = picture.shape[:2]
    small = _shrunk(picture, _COARSE).astype(np.float32)
    mean = float(small.mean(axis=(0, 1)) @ _GRAY)
    # The mean is clipped to the range before the contrast is applied.
    metered = max(mean, 1.0) ** (1 - _METERED) * _MIDDLE**_METERED
    target = float(np.clip(metered * brightness, *_MEANS))
    saturation = min(chroma / max(_chroma(small), 1e-3), 1.0)
    colors = contrast * (saturation * np.eye(3) + (1 - saturation) * _GRAY[None])
    change = np.column_stack([colors, np.full(3, target - contrast * mean)])
    light = _evening(cv2.transform(small, change), evening)
    place = (np.arange(_COARSE, dtype=np.float32) + np.float32(0.5)) * np.float32(2 / _COARSE) - 1
    across, down = (place * np.float32(part(np.radians(slope_angle))) for part in (np.cos, np.sin))
    light *= 1 + np.float32(slope / 2) * (across[None] + down[:, None])
    light = cv2.resize(light, (width, height), interpolation=cv2.INTER_CUBIC)
    return dimmed(np.asarray(cv2.transform(picture.astype(np.float32), change)), light)


def _shrunk(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Reduce a picture to (side, side, 3) means. Halving first is fastest."""
    while min(picture.shape[:2]) >= 4 * side:
        picture = np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA))


def _evening(small: Image, share: float) -> Image:
    """(h, w) factors that remove a share of the broad changes of light in an (h, w, 3) picture."""
    broad = cv2.GaussianBlur(
        cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (0, 0), len(small) / 16, borderType=cv2.BORDER_REFLECT_101
    )
    return np.asarray(np.clip(broad.mean() / np.maximum(broad, 1), 0.4, 2.5) ** np.float32(share))


def _chroma(picture: Image) -> float:
    """Mean distance from gray in CIE Lab."""
    lab = cv2.cvtColor(picture * np.float32(1 / 255), cv2.COLOR_RGB2LAB)
    return float(np.hypot(lab[..., 1], lab[..., 2]).mean())

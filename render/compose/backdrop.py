"""The piece of photographed surface behind the crack."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from render.compose.noise import Image, Shape, dimmed

# Rec. 601 luma.
_GREY = np.array([0.299, 0.587, 0.114])


def cut(
    photograph: NDArray[np.uint8],
    shape: Shape,
    *,
    x: float,
    y: float,
    zoom: float,
    fill: float,
    angle: float,
    mirrored: bool,
) -> Image:
    """(H, W, 3) float32: a turned and scaled piece of a photograph, mirrored at its borders where it is too small."""
    height, width = shape
    rows, columns = photograph.shape[:2]
    turn = np.radians(angle)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    reach = np.abs(matrix) @ (width / 2, height / 2)
    # A photograph too small for the piece is enlarged so far, at most, that it fills it.
    scale = zoom * max(1.0, *(2 * reach / (columns, rows) / zoom)) ** fill
    # The piece's middle goes where the whole piece stays inside the photograph, if that is possible.
    room = np.maximum(np.array([columns, rows]) / 2 - reach / scale, 0)
    middle = np.array([columns, rows]) / 2 + room * (2 * x - 1, 2 * y - 1)
    around, middle = _around(photograph, middle, reach / scale + 2)
    if scale > 1 or scale < 0.5:
        # Turning interpolates linearly: it would blur what is enlarged and skip pixels of what is shrunk.
        around, middle, scale = _resized(around, middle, scale)
    matrix = matrix / scale
    if mirrored:
        matrix[:, 0] *= -1
    offset = middle - matrix @ (width / 2 - 0.5, height / 2 - 0.5) - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    piece = cv2.warpAffine(
        around, np.column_stack([matrix, offset]), (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(piece).astype(np.float32)


def _around(
    photograph: NDArray[np.uint8], middle: NDArray[np.float64], reach: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """What lies within reach of the middle, and where the middle is in it."""
    rows, columns = photograph.shape[:2]
    left, top = np.maximum(np.floor(middle - reach), 0).astype(int)
    right, bottom = np.minimum(np.ceil(middle + reach), (columns, rows)).astype(int)
    return photograph[top:bottom, left:right], middle - (left, top)


def _resized(
    picture: NDArray[np.uint8], middle: NDArray[np.float64], scale: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64], float]:
    """The picture and a place in it, `scale` times as large, and what scale is left to do."""
    rows, columns = picture.shape[:2]
    size = (max(round(columns * scale), 1), max(round(rows * scale), 1))
    resized = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    return np.asarray(resized), middle * (np.array(size) / (columns, rows)), 1.0


def relit(
    picture: Image, *, brightness: float, contrast: float, saturation: float, slope: float, slope_angle: float
) -> Image:
    """(H, W, 3) float32, 0 to 255: of other brightness, contrast, saturation, and with light from one side."""
    height, width = picture.shape[:2]
    mean = float(np.array(cv2.mean(picture)[:3]) @ _GREY)
    # A mean that would leave the range takes the contrast with it.
    target = float(np.clip(mean * brightness, 25, 215))
    colours = contrast * (saturation * np.eye(3) + (1 - saturation) * _GREY[None])
    out = np.asarray(cv2.transform(picture, np.column_stack([colours, np.full(3, target - contrast * mean)])))
    across = np.linspace(-1, 1, width, dtype=np.float32) * np.float32(np.cos(np.radians(slope_angle)))
    down = np.linspace(-1, 1, height, dtype=np.float32) * np.float32(np.sin(np.radians(slope_angle)))
    return dimmed(out, 1 + np.float32(slope / 2) * (across[None] + down[:, None]))

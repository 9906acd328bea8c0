"""Draws what annotation tools outline. A polygon has the pixels that COCO's tools give it, as in CVAT's exports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as rle

from scenes.assets.image_files import opened
from scenes.errors import LoadError
from segment.annotations.objects import Mask

Size = tuple[int, int]

_CORNERS = 128


def polygon(points: Any, size: Size) -> Mask:
    """(h, w) True inside a polygon of (n, 2) x and y in pixels. Where it covers itself twice is a hole. Nothing for
    fewer than three corners. Raises ValueError for what are no points."""
    corners = np.array(points, np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2 or not np.isfinite(corners).all():
        raise ValueError("points are pairs of x and y")
    if len(corners) < 3:
        return np.zeros(size, bool)
    return np.asarray(rle.decode(rle.merge(rle.frPyObjects([corners.ravel().tolist()], *size)))).astype(bool)


def line(points: Any, size: Size) -> Mask:
    """(h, w) True on a line of one pixel through points (n, 2)."""
    corners = np.round(np.array(points, np.float64)).astype(np.int32)
    return np.asarray(cv2.polylines(np.zeros(size, np.uint8), [corners], isClosed=False, color=1)) > 0


def box(size: Size, left: float, top: float, width: float, height: float, turn: float = 0.0) -> Mask:
    """(h, w) True inside a box. turn: degrees clockwise, about its upper left corner."""
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    return polygon(corners @ _turned(turn) + (left, top), size)


def ellipse(size: Size, x: float, y: float, across: float, down: float, turn: float = 0.0) -> Mask:
    """(h, w) True inside an ellipse about (x, y) with two radii. turn: degrees clockwise."""
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    return polygon(np.stack([across * np.cos(angle), down * np.sin(angle)], axis=1) @ _turned(turn) + (x, y), size)


def from_file(path: Path, size: Size, scaled: bool = False) -> Mask:
    """(h, w) True where a picture of a mask is not black. scaled: it may be of another size. Raises ValueError."""
    try:
        with opened(path) as image:
            inside = np.asarray(image.convert("L")) > 0
    except LoadError as error:
        raise ValueError(f"{path}: {error}") from error
    if inside.shape != size and not scaled:
        height, width = inside.shape
        raise ValueError(f"{path} has {width} x {height} pixels, its picture {size[1]} x {size[0]}")
    return np.asarray(cv2.resize(inside.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST)) > 0


def placed(part: Mask, left: int, top: int, size: Size) -> Mask:
    """(h, w) a mask at a place in the picture. What lies outside is cut off."""
    mask = np.zeros(size, bool)
    height, width = part.shape
    inside = mask[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
    inside |= part[max(0, -top) :, max(0, -left) :][: inside.shape[0], : inside.shape[1]]
    return mask


def runs(counts: Sequence[int], size: Size) -> Mask:
    """(h, w) the mask of run lengths, row by row, outside first. Raises ValueError for more pixels than there are."""
    lengths = np.array(counts, np.int64)
    if (lengths < 0).any() or lengths.sum() > size[0] * size[1]:
        raise ValueError(f"run lengths of {lengths.sum()} pixels, there are {size[0] * size[1]}")
    values = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    return np.concatenate([values, np.zeros(size[0] * size[1] - len(values), bool)]).reshape(size)


def _turned(degrees: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    turn = np.radians(degrees)
    return np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])

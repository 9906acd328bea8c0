"""Finds the class of each color of a mask.

Masks that were compressed with loss, scaled, or drawn with soft edges have colors beside those of their classes. A
color is taken for the nearest one of the legend if it lies within `NEAR` of it, and is half as far away from it as from
any other at most. All else counts nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from segment.classes.legend import Color
from segment.ignored import IGNORED

NEAR = 32
"""Distance of two colors in sRGB, levels of 255. In JPEG of quality 75, half of all pixels are within 6 of theirs."""

# So many colors are compared at once.
_AT_ONCE = 1 << 12
# A soft edge is at most so many pixels wide on each side; JPEG spreads colors over more than two.
_EDGE = 4


# Red, green and blue in one number, 0xrrggbb.
_PLACES = np.array([1 << 16, 1 << 8, 1], np.int32)


def packed(rgb: NDArray[np.integer]) -> NDArray[np.int32]:
    """Colors (…, 3) as numbers (…), 0xrrggbb."""
    return np.asarray(rgb.astype(np.int32) @ _PLACES)


class Classified(NamedTuple):
    """ids: (h, w) uint8, or IGNORED. near: share of the pixels whose color was rounded. lost: share of those whose
    color is none of the legend. solid: share of those that lie within areas of such colors, not at edges. most: the
    color that most of the lost have."""

    ids: NDArray[np.uint8]
    near: float = 0.0
    lost: float = 0.0
    solid: float = 0.0
    most: Color | None = None


def classified(rgb: NDArray[np.uint8], colors: Mapping[Color, int]) -> Classified:
    """The classes of a mask (h, w, 3) in colors. colors: the id of each, or IGNORED."""
    shown, codes, numbers = packed(rgb), packed(np.array(list(colors))), np.array(list(colors.values()), np.uint8)
    order = codes.argsort()
    codes, numbers = codes[order], numbers[order]
    place = np.searchsorted(codes, shown).clip(max=len(codes) - 1)
    other = codes[place] != shown
    ids = numbers[place]
    if not other.any():
        return Classified(ids)
    found, inverse, counts = np.unique(shown[other], return_inverse=True, return_counts=True)
    nearest = np.concatenate([_nearest(part, codes) for part in np.split(found, range(_AT_ONCE, len(found), _AT_ONCE))])
    ids[other] = np.where(nearest < 0, IGNORED, numbers[nearest])[inverse]
    far = nearest < 0
    most = int(found[np.where(far, counts, 0).argmax()]) if far.any() else None
    lost = np.zeros(ids.shape, np.uint8)
    lost[other] = far[inverse]
    # Without rounded colors all edges are hard.
    if not far.all():
        ids[_mixed(ids, colors)] = IGNORED
    return Classified(
        ids,
        near=float(counts[~far].sum() / shown.size),
        lost=float(lost.mean()),
        solid=float(cv2.erode(lost, np.ones((_EDGE + 1, _EDGE + 1), np.uint8)).mean()),
        most=None if most is None else (most >> 16, most >> 8 & 255, most & 255),
    )


def _nearest(shown: NDArray[np.int32], codes: NDArray[np.int32]) -> NDArray[np.int64]:
    """(n,) the place of the nearest of `codes`; -1 where none is near enough or another is nearly as near."""
    far = ((_channels(shown)[:, None] - _channels(codes)[None]) ** 2).sum(axis=-1)
    place = far.argmin(axis=1)
    least = np.take_along_axis(far, place[:, None], 1)[:, 0]
    np.put_along_axis(far, place[:, None], np.iinfo(far.dtype).max, 1)
    return np.where((least <= NEAR**2) & (4 * least <= far.min(axis=1)), place, -1)


def _channels(codes: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1)


def _mixed(ids: NDArray[np.uint8], colors: Mapping[Color, int]) -> NDArray[np.bool_]:
    """(h, w) True where the color of a class may be a blend of two others that lie at both sides of a soft edge."""
    mixed = np.zeros(ids.shape, bool)
    there = set(np.unique(ids).tolist())
    shown = [(np.array(color, float), number) for color, number in colors.items() if number in there]
    reach = np.ones((2 * _EDGE + 1,) * 2, np.uint8)
    for (one, a), (other, b) in combinations(shown, 2):
        between = [number for color, number in shown if number not in (a, b, IGNORED) and _blends(color, one, other)]
        if a != b and between:
            edge = cv2.dilate((ids == a).astype(np.uint8), reach) & cv2.dilate((ids == b).astype(np.uint8), reach)
            mixed |= (edge > 0) & np.isin(ids, between)
    return mixed


def _blends(color: NDArray[np.float64], one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether a color is near a mix of two others."""
    way = other - one
    at = float(np.clip((color - one) @ way / (way @ way), 0, 1))
    return bool(np.linalg.norm(one + at * way - color) <= NEAR)

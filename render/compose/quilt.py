"""A photograph continued: patches of it laid side by side, joined where they differ least.

Efros and Freeman 2001, "Image quilting for texture synthesis and transfer".
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from render.compose.noise import Image, Shape

Picture = NDArray[np.uint8]

# Patches are this share of the photograph's shorter side, at least _FINEST pixels and at most _BROADEST.
_SHARE, _FINEST, _BROADEST = 0.45, 8, 160
_LARGEST = 8
# Share of a patch that lies on those before it.
_OVERLAP = 0.3
# Places and seams are looked for in pictures this much smaller.
_SHRINK = 2
# One of so many patches that fit best is taken: the very best one would lay the photograph beside itself.
_CHOICE = 150
# Unevenness up to which patches hold all of a surface but its light, and from which on its finest alone.
_EVEN, _UNEVEN = 0.2, 0.45
# Share of the finest that is too strong to be laid where the rest is enlarged.
_RARE = 0.1
# What is broader than this share of the side is never of patches.
_BROAD = 0.06


def continued(photograph: Picture, side: int, rng: np.random.Generator) -> Picture:
    """A photograph (h, w, 3), h and w from 16 on, enlarged to a shorter side of `side` pixels, as sharp as it was.

    What is broad in it is enlarged, what is fine is laid anew from its patches. How broad the patches' part is depends
    on how even the photograph is: gravel is laid, the line painted on it is enlarged. Of a long strip the middle is
    taken. It becomes at most eight times as large.
    """
    whole = _stout(photograph).astype(np.float32)
    rows, columns = whole.shape[:2]
    larger = min(side / min(rows, columns), _LARGEST)
    share = np.clip((unevenness(whole) - _EVEN) / (_UNEVEN - _EVEN), 0, 1)
    sigma = float((0.7 * larger) ** share * (_BROAD * larger * min(rows, columns)) ** (1 - share))
    size = round(columns * larger), round(rows * larger)
    broad = cv2.GaussianBlur(whole, (0, 0), sigma / larger, borderType=cv2.BORDER_REFLECT_101)
    broad = np.asarray(cv2.resize(broad, size, interpolation=cv2.INTER_CUBIC))
    fine = whole - cv2.GaussianBlur(whole, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
    # Edges of what is enlarged would come again as ghosts of edges.
    most = float(np.quantile(np.abs(fine), 1 - _RARE * share))
    fine = np.clip(fine, -most, most)
    return np.clip(broad + quilted(fine, (size[1], size[0]), rng) + 0.5, 0, 255).astype(np.uint8)


def _stout(photograph: Picture) -> Picture:
    """Its middle, no side longer than twice the other."""
    rows, columns = photograph.shape[:2]
    longest = 2 * min(rows, columns)
    top, left = (max(length - longest, 0) // 2 for length in (rows, columns))
    return photograph[top : top + longest, left : left + longest]


def unevenness(photograph: Image) -> float:
    """0 to 1: how much of the contrast of (h, w, 3) is broader than a tenth of its side."""
    grey = cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
    broad = cv2.GaussianBlur(grey, (0, 0), min(grey.shape) / 10, borderType=cv2.BORDER_REFLECT_101)
    return float(broad.std() / max(float(grey.std()), 1e-3))


def quilted(whole: Image, shape: Shape, rng: np.random.Generator) -> Image:
    """`shape` and 3 channels of patches of (h, w, 3), in rows from the top left."""
    size = _even(np.clip(_SHARE * min(whole.shape[:2]), _FINEST, _BROADEST))
    overlap = _even(size * _OVERLAP)
    step = size - overlap
    down, across = (range(0, max(side - overlap, 1), step) for side in shape)
    canvas = np.zeros((down[-1] + size, across[-1] + size, 3), np.float32)
    small = _shrunk(whole)
    for top in down:
        for left in across:
            under = canvas[top : top + size, left : left + size]
            taken = _taken(size, overlap, above=top > 0, before=left > 0)
            y, x = _place(small, _shrunk(under), taken[::_SHRINK, ::_SHRINK], rng)
            patch = whole[_SHRINK * y :, _SHRINK * x :][:size, :size]
            share = _share(_shrunk(patch - under), overlap // _SHRINK, above=top > 0, before=left > 0)
            share = np.asarray(cv2.resize(share, (size, size), interpolation=cv2.INTER_LINEAR))
            under += share[..., None] * (patch - under)
    return canvas[: shape[0], : shape[1]]


def _even(length: float) -> int:
    return _SHRINK * max(round(float(length) / _SHRINK), 1)


def _shrunk(image: Image) -> Image:
    size = (image.shape[1] // _SHRINK, image.shape[0] // _SHRINK)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _taken(size: int, overlap: int, above: bool, before: bool) -> Image:
    """(size, size) 1 where a patch lies on earlier ones."""
    taken = np.zeros((size, size), np.float32)
    if above:
        taken[:overlap] = 1
    if before:
        taken[:, :overlap] = 1
    return taken


def _place(photograph: Image, under: Image, taken: Image, rng: np.random.Generator) -> tuple[int, int]:
    """Row and column of one of the patches that differ little from what is there already."""
    room = photograph.shape[0] - under.shape[0] + 1, photograph.shape[1] - under.shape[1] + 1
    if not taken.any():
        return int(rng.integers(room[0])), int(rng.integers(room[1]))
    mask = cv2.merge([taken, taken, taken])
    difference = cv2.matchTemplate(photograph, under, cv2.TM_SQDIFF, mask=mask) / np.float32(mask.sum())
    good = np.argpartition(difference.ravel(), min(_CHOICE, difference.size - 1))[:_CHOICE]
    y, x = divmod(int(good[rng.integers(len(good))]), room[1])
    return y, x


def _share(difference: Image, overlap: int, above: bool, before: bool) -> Image:
    """(h, w) how much of a new patch is seen: all of it beyond the seams, where it differs least from those below."""
    cost = (difference**2).sum(axis=2)
    share = np.ones(cost.shape, np.float32)
    columns = np.arange(overlap)
    if before:
        share[:, :overlap] *= columns[None] >= _seam(cost[:, :overlap])[:, None]
    if above:
        share[:overlap] *= columns[:, None] >= _seam(cost[:overlap].T)[None]
    return share


def _seam(cost: Image) -> NDArray[np.intp]:
    """(n,) for each row of (n, m) the column of the cheapest way from the first row to the last, straight or slant."""
    total = cost.copy()
    edge = np.float32(np.inf)
    for row in range(1, len(total)):
        before = total[row - 1]
        padded = np.concatenate([[edge], before, [edge]])
        total[row] += np.minimum(np.minimum(padded[:-2], before), padded[2:])
    way = np.empty(len(total), np.intp)
    way[-1] = int(total[-1].argmin())
    for row in range(len(total) - 2, -1, -1):
        low = max(way[row + 1] - 1, 0)
        way[row] = low + int(total[row, low : way[row + 1] + 2].argmin())
    return way

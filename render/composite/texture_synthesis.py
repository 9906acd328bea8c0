"""A photograph continued: patches of it laid side by side, joined where they differ least.

Efros and Freeman 2001, "Image quilting for texture synthesis and transfer".
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from render.composite.noise import Image, Shape, dimmed

Picture = NDArray[np.uint8]
Places = NDArray[np.intp]
# Whether a patch lies on one above, and on one before it.
Joints = tuple[bool, bool]

# Patches are such a share of the photograph's shorter side, and of so many pixels where it has as many.
_SHARES, _FINEST, _BROADEST = (0.28, 0.42), 40, 160
_LARGEST = 8
# Share of a patch that lies on those before it.
_OVERLAP = 0.3
# Places and seams are looked for in pictures this much smaller.
_SHRINK = 2
# Of so many patches, by chance from the share of them that is seen least near by, the one that fits best is laid: of
# all it would be a plain one, again and again.
_SELDOM, _CHOICE = 0.2, 16
_BESIDE = np.ones((1, 3), np.uint8)
# How much a photograph's lie may change where patches of it are turned or mirrored.
_ALIKE = 0.35
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
    gray = cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
    broad = cv2.GaussianBlur(gray, (0, 0), min(gray.shape) / 10, borderType=cv2.BORDER_REFLECT_101)
    return float(broad.std() / max(float(gray.std()), 1e-3))


@dataclass(frozen=True)
class _View:
    """A photograph, perhaps turned and mirrored: (h, w, 3), the same smaller, and how much of that is seen near by.

    `seen` is one array for all views, turned and mirrored as they are.
    """

    whole: Image
    small: Image
    seen: Image


def quilted(whole: Image, shape: Shape, rng: np.random.Generator) -> Image:
    """`shape` and 3 channels of patches of (h, w, 3), in rows from the top left, turned where that does not show."""
    shorter = min(whole.shape[:2])
    size = _even(np.clip(rng.uniform(*_SHARES) * shorter, min(_FINEST, 0.6 * shorter), _BROADEST))
    overlap = _even(size * _OVERLAP)
    step = size - overlap
    canvas = np.zeros((shape[0] + size, shape[1] + size, 3), np.float32)
    views = _views(whole)
    rows: list[list[tuple[int, int, Image]]] = []
    for top in range(0, max(shape[0] - overlap, 1), step):
        rows = [*rows[-2:], []]
        # The first of a row is narrower by chance, or all would stand in columns.
        for left in (0, *range(int(rng.integers(1, step + 1)), shape[1] - overlap, step)):
            views[0].seen[:] = 0
            for above, before, seen in chain(*rows):
                distance = max(top - above, abs(left - before))
                if distance < 3 * size:
                    seen += size / distance
            under = canvas[top : top + size, left : left + size]
            view, below, joints = views[rng.integers(len(views))], _shrunk(under), (top > 0, left > 0)
            y, x = _place(view, below, overlap // _SHRINK, joints, rng)
            here = np.s_[y : y + len(below), x : x + len(below)]
            rows[-1].append((top, left, view.seen[here]))
            share = _share(view.small[here] - below, overlap // _SHRINK, joints)
            share = np.asarray(cv2.resize(share, (size, size), interpolation=cv2.INTER_LINEAR))
            patch = view.whole[_SHRINK * y :, _SHRINK * x :][:size, :size]
            under += dimmed(patch - under, share)
    return canvas[: shape[0], : shape[1]]


def _views(whole: Image) -> list[_View]:
    """A photograph, and it turned by quarters and mirrored, as far as light and grain lie in it as they did."""
    small = _shrunk(whole)
    seen = np.zeros(small.shape[:2], np.float32)
    upright, views = _lie(small), []
    for mirrored in (False, True):
        for quarters in range(4):
            turned = [np.rot90(one[:, ::-1] if mirrored else one, quarters) for one in (whole, small, seen)]
            view = _View(turned[0], np.ascontiguousarray(turned[1]), turned[2])
            if np.linalg.norm(_lie(view.small) - upright) < _ALIKE:
                views.append(view)
    return views


def _lie(photograph: Image) -> NDArray[np.float64]:
    """(4,) along which way a photograph has more contrast, and towards which side its light falls off more steeply."""
    gray = cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
    x, y = cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)
    usual = np.sqrt((x**2 + y**2).mean() / 2) + 1e-6
    x, y = (np.clip(slope / usual, -4, 4) for slope in (x, y))
    return np.array([(x**2 - y**2).mean() / 2, (x * y).mean(), (x * x * x).mean(), (y * y * y).mean()])


def _even(length: float) -> int:
    return _SHRINK * max(round(float(length) / _SHRINK), 1)


def _shrunk(image: Image) -> Image:
    size = (image.shape[1] // _SHRINK, image.shape[0] // _SHRINK)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _place(view: _View, under: Image, overlap: int, joints: Joints, rng: np.random.Generator) -> tuple[int, int]:
    """Row and column of a patch that is seldom seen near by and differs little from what is there already."""
    size, (above, before) = len(under), joints
    seen = cv2.boxFilter(np.ascontiguousarray(view.seen), -1, (size, size), anchor=(0, 0))
    seen = seen[: seen.shape[0] - size + 1, : seen.shape[1] - size + 1]
    rare = int(_SELDOM * (seen.size - 1))
    seldom = np.flatnonzero(seen <= np.partition(seen.ravel(), rare)[rare])
    y, x = np.divmod(seldom[rng.integers(len(seldom), size=_CHOICE)], seen.shape[1])
    difference = np.zeros(_CHOICE)
    if above:
        difference += _differences(view.small, y, x, under[:overlap])
    if before:
        difference += _differences(view.small, y, x, under[:, :overlap])
    best = int(difference.argmin())
    return int(y[best]), int(x[best])


def _differences(photograph: Image, y: Places, x: Places, strip: Image) -> NDArray[np.float32]:
    """(n,) the squared difference of a strip (h, w, 3) from those in the photograph at n places."""
    there = np.lib.stride_tricks.sliding_window_view(photograph, strip.shape)[y, x, 0]
    there -= strip
    return np.asarray(np.einsum("nhwc,nhwc->n", there, there))


def _share(difference: Image, overlap: int, joints: Joints) -> Image:
    """(h, w) how much of a new patch is seen: all of it beyond the seams, where it differs least from those below."""
    cost = np.einsum("hwc,hwc->hw", difference, difference)
    share = np.ones(cost.shape, np.float32)
    columns = np.arange(overlap)
    above, before = joints
    if before:
        share[:, :overlap] *= columns[None] >= _seam(cost[:, :overlap])[:, None]
    if above:
        share[:overlap] *= columns[:, None] >= _seam(cost[:overlap].T)[None]
    return share


def _seam(cost: Image) -> NDArray[np.intp]:
    """(n,) for each row of (n, m) the column of the cheapest way from the first row to the last, straight or slant."""
    total = cost.copy()
    for before, row in pairwise(total):
        row += cv2.erode(before[None], _BESIDE)[0]
    way = [int(total[-1].argmin())]
    for row in total[-2::-1]:
        low = max(way[-1] - 1, 0)
        way.append(low + int(row[low : way[-1] + 2].argmin()))
    return np.array(way[::-1])

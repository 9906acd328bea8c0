"""Texture synthesis by image quilting: patches of a photograph, joined along seams where they differ least.

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
# Whether a patch overlaps one above, and one to the left.
Joints = tuple[bool, bool]

WAY = 1
"""The way in which photographs are continued. Results of another way are not taken from the cache."""

# Size of patches: range as a share of the photograph's shorter side, and limits in pixels.
_SHARES, _FINEST, _BROADEST = (0.28, 0.42), 40, 160
_LARGEST = 8
# Share of the side of a patch that overlaps its neighbors.
_OVERLAP = 0.3
# Positions and seams are searched at a size reduced by this factor.
_SHRINK = 2
# Candidates are drawn from this share of the patches, those least used nearby, and the best of so many is placed. The
# best of all patches would be the same plain one again and again.
_SELDOM, _CHOICE = 0.2, 16
_BESIDE = np.ones((1, 3), np.uint8)
# Largest change of orientation (see `_lie`) for which patches may be rotated or mirrored.
_ALIKE = 0.35
# Up to the first unevenness, patches hold all but the light. From the second on, they hold only the finest detail.
_EVEN, _UNEVEN = 0.2, 0.45
# Share of the strongest fine detail that is clipped in uneven photographs.
_RARE = 0.1
# Structures broader than this share of the side are always enlarged.
_BROAD = 0.06


def continued(photograph: Picture, side: int, rng: np.random.Generator) -> Picture:
    """Enlarge an (h, w, 3) photograph, both sides at least 16, to a shorter side of `side` pixels, without blur.

    Broad structures are enlarged, and fine detail is synthesized from patches. The limit between both depends on how
    even the photograph is: gravel is synthesized, and a line painted on it is enlarged. Long strips are cropped to
    their center. The result is at most eight times as large.
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
    # Strong edges are enlarged already. Here they would appear again as ghosts.
    most = float(np.quantile(np.abs(fine), 1 - _RARE * share))
    fine = np.clip(fine, -most, most)
    return np.clip(broad + quilted(fine, (size[1], size[0]), rng) + 0.5, 0, 255).astype(np.uint8)


def _stout(photograph: Picture) -> Picture:
    """Crop to the center, so that no side is longer than twice the other."""
    rows, columns = photograph.shape[:2]
    longest = 2 * min(rows, columns)
    top, left = (max(length - longest, 0) // 2 for length in (rows, columns))
    return photograph[top : top + longest, left : left + longest]


def unevenness(photograph: Image) -> float:
    """Share of the contrast of an (h, w, 3) photograph that is broader than a tenth of its side, 0 to 1."""
    gray = cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
    broad = cv2.GaussianBlur(gray, (0, 0), min(gray.shape) / 10, borderType=cv2.BORDER_REFLECT_101)
    return float(broad.std() / max(float(gray.std()), 1e-3))


@dataclass(frozen=True)
class _View:
    """A photograph, possibly rotated and mirrored: (h, w, 3), a reduced copy, and the use of its pixels nearby.

    All views share one array `seen`, rotated and mirrored in the same way.
    """

    whole: Image
    small: Image
    seen: Image


def quilted(whole: Image, shape: Shape, rng: np.random.Generator) -> Image:
    """Fill `shape` with 3 channels by patches of an (h, w, 3) picture, row by row. Some are rotated or mirrored."""
    shorter = min(whole.shape[:2])
    size = _even(np.clip(rng.uniform(*_SHARES) * shorter, min(_FINEST, 0.6 * shorter), _BROADEST))
    overlap = _even(size * _OVERLAP)
    step = size - overlap
    canvas = np.zeros((shape[0] + size, shape[1] + size, 3), np.float32)
    views = _views(whole)
    rows: list[list[tuple[int, int, Image]]] = []
    for top in range(0, max(shape[0] - overlap, 1), step):
        rows = [*rows[-2:], []]
        # The first patch of a row has a random width, so that patches do not form columns.
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
    """The photograph, and its rotations by 90 degrees and mirror images that keep the direction of light and grain."""
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
    """(4,) orientation: direction of more contrast (2), and side toward which light falls off more steeply (2)."""
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
    """Row and column of a patch that is rarely used nearby and fits the patches that it overlaps."""
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
    """(n,) squared differences between an (h, w, 3) strip and the photograph at n positions."""
    there = np.lib.stride_tricks.sliding_window_view(photograph, strip.shape)[y, x, 0]
    there -= strip
    return np.asarray(np.einsum("nhwc,nhwc->n", there, there))


def _share(difference: Image, overlap: int, joints: Joints) -> Image:
    """(h, w) opacity of a new patch: 1 beyond the seams, which run where it differs least from the old patches."""
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
    """(n,) column of the cheapest path through an (n, m) cost, row by row; a step moves at most one column."""
    total = cost.copy()
    for before, row in pairwise(total):
        row += cv2.erode(before[None], _BESIDE)[0]
    way = [int(total[-1].argmin())]
    for row in total[-2::-1]:
        low = max(way[-1] - 1, 0)
        way.append(low + int(row[low : way[-1] + 2].argmin()))
    return np.array(way[::-1])

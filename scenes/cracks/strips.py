"""Strokes as short tapered strips in pixels: which are near, how far their lips are, how much they cover.

Pixel units throughout: the centre of column i, row j is at (i + 0.5, j + 0.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.cracks.contour import Contour
from scenes.errors import InputError

Image = NDArray[np.float32]
Floats = NDArray[np.float32]
Shape = tuple[int, int]
Point = tuple[float, float]

# How far a pixel reaches from its centre along any direction.
HALF_DIAGONAL = 0.7072
# Numbers in one block of work: small enough to stay in the cache.
_BLOCK = 1 << 17


@dataclass(frozen=True)
class Segments:
    """Short tapered pieces in pixel units, float32 (n,): start, step to the end, half widths at both."""

    ax: Floats
    ay: Floats
    dx: Floats
    dy: Floats
    ha: Floats
    hb: Floats

    def __getitem__(self, which: NDArray) -> Segments:
        return Segments(*(getattr(self, name)[which] for name in ("ax", "ay", "dx", "dy", "ha", "hb")))


@dataclass(frozen=True)
class Pixels:
    """The pixels of a picture on a patch: `shape` (H, W) of `mm_per_pixel`. Raises InputError for none, or a scale that
    is not positive.

    origin: position on the patch, mm, of the upper left corner, so that the centre of column i, row j lies at
    origin + (i + 0.5, j + 0.5) * mm_per_pixel.
    """

    shape: Shape
    mm_per_pixel: float
    origin: Point = (0.0, 0.0)

    def __post_init__(self) -> None:
        if min(self.shape) < 1:
            raise InputError(f"crack picture: shape {tuple(self.shape)} must be at least 1 x 1 pixels")
        if not (np.isfinite(self.mm_per_pixel) and self.mm_per_pixel > 0):
            raise InputError(f"crack picture: {self.mm_per_pixel:g} mm per pixel must be a positive number")


def segments_of(contour: Contour, pixels: Pixels, kinds: tuple[str, ...]) -> Segments:
    """All pieces of strokes of these kinds that can touch the picture."""
    shape, scale = pixels.shape, pixels.mm_per_pixel
    strokes = [stroke for stroke in contour.strokes if stroke.kind in kinds]
    points = np.concatenate([np.zeros((0, 2)), *(stroke.points for stroke in strokes)])
    widths = np.concatenate([np.zeros(0), *(stroke.widths for stroke in strokes)])
    rows = np.column_stack([(points - pixels.origin) / scale, widths / (2 * scale)])
    # From the last point of a stroke to the next one's first there is nothing.
    ends = np.cumsum([len(stroke.points) for stroke in strokes], dtype=np.int64)
    joined = np.ones(max(len(rows) - 1, 0), bool)
    joined[ends[:-1] - 1] = False
    a, b = rows[:-1][joined], rows[1:][joined]
    half = np.maximum(a[:, 2], b[:, 2])
    low = np.minimum(a, b)[:, :2] - half[:, None] - 1
    high = np.maximum(a, b)[:, :2] + half[:, None] + 1
    keep = (half > 0) & (high[:, 0] > 0) & (high[:, 1] > 0) & (low[:, 0] < shape[1]) & (low[:, 1] < shape[0])
    a, step, half = a[keep], (b - a)[keep], half[keep]
    # Long pieces would have large windows of mostly nothing.
    count = np.ceil(np.hypot(step[:, 0], step[:, 1]) / np.maximum(3.0, half)).astype(int).clip(1)
    step = np.repeat(step / count[:, None], count, axis=0)
    within = np.arange(len(step)) - np.repeat(np.cumsum(count) - count, count)
    a = np.repeat(a, count, axis=0) + within[:, None] * step
    columns = [a[:, 0], a[:, 1], step[:, 0], step[:, 1], a[:, 2], a[:, 2] + step[:, 2]]
    return Segments(*(column.astype(np.float32) for column in columns))


@dataclass(frozen=True)
class _Window:
    """Square windows of pixels about some segments: which, the middle line's distance, the half width, the places."""

    which: NDArray[np.int64]
    middle: Floats
    half: Floats
    flat: NDArray[np.int64]


def _windows(segments: Segments, shape: Shape, margin: float) -> Iterator[_Window]:
    """Windows that hold every pixel centre within `margin` of a lip, grouped by size and in blocks of bounded work.

    `flat` indexes a picture padded by `_padding` on every side.
    """
    pad = _padding(segments, margin)
    half = np.maximum(segments.ha, segments.hb) + margin
    x0 = np.floor(np.minimum(segments.ax, segments.ax + segments.dx) - half).astype(np.int64)
    y0 = np.floor(np.minimum(segments.ay, segments.ay + segments.dy) - half).astype(np.int64)
    side = _side(segments, margin)
    touches = (x0 < shape[1]) & (y0 < shape[0]) & (x0 + side > 0) & (y0 + side > 0)
    for k in np.unique(side[touches]).tolist():
        group = np.flatnonzero(touches & (side == k))
        for which in np.array_split(group, -(-len(group) * k * k // _BLOCK)):
            some = segments[which]
            offset = np.arange(k, dtype=np.float32) + np.float32(0.5)
            px = (x0[which] - some.ax)[:, None].astype(np.float32) + offset
            py = (y0[which] - some.ay)[:, None].astype(np.float32) + offset
            middle, wide = _middle(px[:, None, :], py[:, :, None], some, (slice(None), None, None))
            rows = (y0[which] + pad)[:, None] + np.arange(k)
            columns = (x0[which] + pad)[:, None] + np.arange(k)
            yield _Window(which, middle, wide, rows[:, :, None] * (shape[1] + 2 * pad) + columns[:, None, :])


def _side(segments: Segments, margin: float) -> NDArray[np.int64]:
    """(n,) sides of the windows, rounded up to a few sizes."""
    half = np.maximum(segments.ha, segments.hb) + margin
    extent = np.maximum(np.abs(segments.dx), np.abs(segments.dy)) + 2 * half
    need = np.ceil(extent).astype(np.int64) + 1
    coarse = np.maximum(need // 8, 1)
    return -(-need // coarse) * coarse


def _padding(segments: Segments, margin: float) -> int:
    return int(_side(segments, margin).max(initial=0)) + 1


def _middle(px: Floats, py: Floats, some: Segments, at: tuple) -> tuple[Floats, Floats]:
    """Distance to the middle line and half width there, for positions relative to the segments' starts."""
    dx, dy = some.dx[at], some.dy[at]
    square = np.maximum(dx * dx + dy * dy, np.float32(1e-12))
    u = px * (dx / square) + py * (dy / square)
    np.minimum(np.maximum(u, np.float32(0), out=u), np.float32(1), out=u)
    x, y = px - u * dx, py - u * dy
    # Nothing here is so large or so small that it needs the care of hypot, which takes five times as long.
    return np.sqrt(x * x + y * y), some.ha[at] + u * (some.hb - some.ha)[at]


def to_segment(segments: Segments, which: NDArray, rows: NDArray, columns: NDArray) -> tuple[Floats, Floats]:
    """Distance to the middle line of a given segment, and half width there, for pixels."""
    some = segments[which]
    px = columns.astype(np.float32) + np.float32(0.5) - some.ax
    py = rows.astype(np.float32) + np.float32(0.5) - some.ay
    return _middle(px, py, some, (slice(None),))


def _unpadded(flat: NDArray, shape: Shape, pad: int) -> NDArray:
    return flat.reshape(shape[0] + 2 * pad, shape[1] + 2 * pad)[pad : pad + shape[0], pad : pad + shape[1]].copy()


def nearest(segments: Segments, shape: Shape, margin: float) -> tuple[Image, NDArray[np.int64]]:
    """Signed distance in pixels and the segment it is to, within `margin` of the lips and inside; inf and -1 beyond."""
    pad = _padding(segments, margin)
    total = (shape[0] + 2 * pad) * (shape[1] + 2 * pad)
    best, owner = np.full(total, np.inf, dtype=np.float32), np.full(total, -1)
    for window in _windows(segments, shape, margin):
        signed = window.middle - window.half
        close = signed <= margin
        flat, values = window.flat[close], signed[close]
        np.minimum.at(best, flat, values)
        won = values == best[flat]
        owner[flat[won]] = np.broadcast_to(window.which[:, None, None], close.shape)[close][won]
    return _unpadded(best, shape, pad), _unpadded(owner, shape, pad)


def drawn(segments: Segments, shape: Shape) -> tuple[Image, Image]:
    """Coverage, and the width in pixels at the nearest place of a middle line, 0 where coverage is."""
    pad = _padding(segments, HALF_DIAGONAL)
    total = (shape[0] + 2 * pad) * (shape[1] + 2 * pad)
    image, width = np.zeros(total, np.float32), np.zeros(total, np.float32)
    best = np.full(total, np.inf, np.float32)
    length = np.maximum(np.hypot(segments.dx, segments.dy), np.float32(1e-9))
    # A pixel seen along the strip is a trapezoid, as wide as the sum of two uniform numbers.
    a = np.maximum(np.abs(segments.dx / length), np.float32(2e-3))
    b = np.maximum(np.abs(segments.dy / length), np.float32(2e-3))
    for window in _windows(segments, shape, HALF_DIAGONAL):
        signed = window.middle - window.half
        close = np.flatnonzero(signed < HALF_DIAGONAL)
        flat, away = window.flat.reshape(-1)[close], signed.reshape(-1)[close]
        middle, half = window.middle.reshape(-1)[close], window.half.reshape(-1)[close]
        which = window.which[close // signed[0].size]
        covered = _trapezoid(middle + half, a[which], b[which]) - _trapezoid(middle - half, a[which], b[which])
        # Differences of nearly equal numbers leave dust.
        covered[covered < 1e-5] = 0
        np.maximum.at(image, flat, covered)
        np.minimum.at(best, flat, away)
        won = away == best[flat]
        width[flat[won]] = 2 * half[won]
    image, width = _unpadded(image, shape, pad), _unpadded(width, shape, pad)
    width[image == 0] = 0
    return np.minimum(image, np.float32(1), out=image), width


def _trapezoid(t: Floats, a: Floats, b: Floats) -> Floats:
    """Share of a unit square below t, where its sides project to lengths a and b on the axis of t."""
    q, r = (a + b) / 2, np.abs(a - b) / 2
    t = np.minimum(np.maximum(t, -q), q)
    upper, lower, whole = np.maximum(t + r, 0), np.maximum(t - r, 0), t + q
    return (whole * whole - upper * upper - lower * lower) / (2 * a * b)

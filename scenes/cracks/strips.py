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


def check(shape: Shape, mm_per_pixel: float) -> None:
    if min(shape) < 1:
        raise InputError(f"crack picture: shape {tuple(shape)} must be at least 1 x 1 pixels")
    if not (np.isfinite(mm_per_pixel) and mm_per_pixel > 0):
        raise InputError(f"crack picture: {mm_per_pixel:g} mm per pixel must be a positive number")


def segments_of(
    contour: Contour,
    shape: Shape,
    mm_per_pixel: float,
    origin: Point,
    kinds: tuple[str, ...],
) -> Segments:
    """All pieces of strokes of these kinds that can touch the picture."""
    check(shape, mm_per_pixel)
    starts, ends = [np.zeros((0, 3))], [np.zeros((0, 3))]
    for stroke in contour.strokes:
        if stroke.kind in kinds:
            rows = np.column_stack([(stroke.points - origin) / mm_per_pixel, stroke.widths / (2 * mm_per_pixel)])
            starts.append(rows[:-1])
            ends.append(rows[1:])
    a, b = np.concatenate(starts), np.concatenate(ends)
    half = np.maximum(a[:, 2], b[:, 2])
    low = np.minimum(a, b)[:, :2] - half[:, None] - 1
    high = np.maximum(a, b)[:, :2] + half[:, None] + 1
    keep = (half > 0) & np.all((high > 0) & (low < (shape[1], shape[0])), axis=1)
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
    u = np.clip(px * (dx / square) + py * (dy / square), 0.0, 1.0)
    middle = np.hypot(px - u * dx, py - u * dy)
    return middle, some.ha[at] + u * (some.hb - some.ha)[at]


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


def coverage(segments: Segments, shape: Shape) -> Image:
    pad = _padding(segments, HALF_DIAGONAL)
    image = np.zeros((shape[0] + 2 * pad) * (shape[1] + 2 * pad), dtype=np.float32)
    length = np.maximum(np.hypot(segments.dx, segments.dy), np.float32(1e-9))
    # A pixel seen along the strip is a trapezoid, as wide as the sum of two uniform numbers.
    a = np.maximum(np.abs(segments.dx / length), np.float32(2e-3))
    b = np.maximum(np.abs(segments.dy / length), np.float32(2e-3))
    for window in _windows(segments, shape, HALF_DIAGONAL):
        close = window.middle - window.half < HALF_DIAGONAL
        count = close.reshape(len(close), -1).sum(axis=1)
        sides = tuple(np.repeat(edge[window.which], count) for edge in (a, b))
        middle, half = window.middle[close], window.half[close]
        covered = _trapezoid(middle + half, *sides) - _trapezoid(middle - half, *sides)
        np.maximum.at(image, window.flat[close], covered)
    image = _unpadded(image, shape, pad)
    # Differences of nearly equal numbers leave dust.
    return np.where(image < 1e-5, np.float32(0.0), np.minimum(image, np.float32(1.0)))


def _trapezoid(t: Floats, a: Floats, b: Floats) -> Floats:
    """Share of a unit square below t, where its sides project to lengths a and b on the axis of t."""
    q, r = (a + b) / 2, np.abs(a - b) / 2
    t = np.clip(t, -q, q)
    upper, lower = np.maximum(t + r, 0), np.maximum(t - r, 0)
    return ((t + q) ** 2 - upper * upper - lower * lower) / (2 * a * b)

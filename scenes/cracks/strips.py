"""Strokes as short tapered strips: the distance from pixels to their lips, and how much of a pixel they cover.

All lengths are in pixels: the center of column i, row j is at (i + 0.5, j + 0.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scenes.cracks.contour import Contour
from scenes.errors import InputError

Image = NDArray[np.float32]
Floats = NDArray[np.float32]
Shape = tuple[int, int]
Point = tuple[float, float]

# How far a pixel reaches from its center along any direction.
HALF_DIAGONAL = 0.7072
# A crack with at most this half width, in pixels, counts as closed.
_CLOSED = 1e-4
# Largest factor by which uneven lips make a crack wider.
WIDEST = 1.6
# Numbers in one block of work, few enough to stay in the cache.
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Segments:
    """Short tapered pieces in pixels, each field (n,) float32: start, step to the end, half widths at start and end."""

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
    """The pixels of an image on a patch: `shape` (H, W) and the scale `mm_per_pixel`.

    origin: position of the upper left corner on the patch in mm. The center of column i, row j lies at
    origin + (i + 0.5, j + 0.5) * mm_per_pixel. Raises InputError for an empty shape or a scale that is not positive.
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
    """All pieces of strokes of these kinds that can touch the image."""
    shape, scale = pixels.shape, pixels.mm_per_pixel
    strokes = [stroke for stroke in contour.strokes if stroke.kind in kinds]
    points = np.concatenate([np.zeros((0, 2)), *(stroke.points for stroke in strokes)])
    widths = np.concatenate([np.zeros(0), *(stroke.widths for stroke in strokes)])
    rows = np.column_stack([(points - pixels.origin) / scale, widths / (2 * scale)])
    # No piece joins the last point of a stroke to the first point of the next.
    ends = np.cumsum([len(stroke.points) for stroke in strokes], dtype=np.int64)
    joined = np.ones(max(len(rows) - 1, 0), bool)
    joined[ends[:-1] - 1] = False
    a, b = rows[:-1][joined], rows[1:][joined]
    half = np.maximum(a[:, 2], b[:, 2])
    low = np.minimum(a, b)[:, :2] - half[:, None] - 1
    high = np.maximum(a, b)[:, :2] + half[:, None] + 1
    keep = (half > 0) & (high[:, 0] > 0) & (high[:, 1] > 0) & (low[:, 0] < shape[1]) & (low[:, 1] < shape[0])
    a, step, half = a[keep], (b - a)[keep], half[keep]
    # Long pieces are split, because their windows would be large and mostly empty.
    count = np.ceil(np.hypot(step[:, 0], step[:, 1]) / np.maximum(3.0, half)).astype(int).clip(1)
    step = np.repeat(step / count[:, None], count, axis=0)
    within = np.arange(len(step)) - np.repeat(np.cumsum(count) - count, count)
    a = np.repeat(a, count, axis=0) + within[:, None] * step
    columns = [a[:, 0], a[:, 1], step[:, 0], step[:, 1], a[:, 2], a[:, 2] + step[:, 2]]
    return Segments(*(column.astype(np.float32) for column in columns))


@dataclass(frozen=True)
class _Near:
    """Pixels near segments, (n,) each: segment index, distance to its middle line, half width, flat pixel index."""

    which: NDArray[np.int64]
    middle: Floats
    half: Floats
    flat: NDArray[np.int64]


_NEAR = ("which", "middle", "half", "flat")


def _near(segments: Segments, shape: Shape, margin: float) -> Iterator[_Near]:
    """Yields every pixel center within `margin` of a lip, in blocks of bounded size. Tapered segments yield some more.

    `flat` indexes an image padded by `_padding` on every side.
    """
    pad = _padding(segments, margin)
    reach = np.maximum(segments.ha, segments.hb) + np.float32(margin)
    x0 = np.floor(np.minimum(segments.ax, segments.ax + segments.dx) - reach).astype(np.int64)
    y0 = np.floor(np.minimum(segments.ay, segments.ay + segments.dy) - reach).astype(np.int64)
    side, stride = _side(segments, margin), shape[1] + 2 * pad
    touches = (x0 < shape[1]) & (y0 < shape[0]) & (x0 + side > 0) & (y0 + side > 0)
    for k in np.unique(side[touches]).tolist():
        group = np.flatnonzero(touches & (side == k))
        offset = np.arange(k, dtype=np.float32) + np.float32(0.5)
        place = (np.arange(k)[:, None] * stride + np.arange(k)).ravel()
        # The window of a single wide segment can be larger than a block.
        for which in np.array_split(group, min(-(-len(group) * k * k // _BLOCK), len(group))):
            some = segments[which]
            px = (x0[which] - some.ax).astype(np.float32)[:, None] + offset
            py = (y0[which] - some.ay).astype(np.float32)[:, None] + offset
            along, across, length = _turned(px, py, some)
            beyond = np.abs(along)
            beyond -= (length / 2)[:, None, None]
            np.maximum(beyond, 0, out=beyond)
            square = np.multiply(across, across, out=across)
            square += np.multiply(beyond, beyond, out=beyond)
            close = (square <= np.square(reach[which])[:, None, None]).reshape(len(which), -1)
            row = np.repeat(np.arange(len(which)), np.count_nonzero(close, axis=1))
            spot = np.flatnonzero(close)
            share = along.reshape(-1)[spot] / length[row] + np.float32(0.5)
            half = some.ha[row] + np.clip(share, 0, 1) * (some.hb - some.ha)[row]
            flat = ((y0[which] + pad) * stride + x0[which] + pad)[row] + place[spot - row * (k * k)]
            yield _Near(which[row], np.sqrt(square.reshape(-1)[spot]), half, flat)


def _turned(px: Floats, py: Floats, some: Segments) -> tuple[Floats, Floats, Floats]:
    """Window coordinates (n, k, k) along the segments, from their middles, and across them; and the lengths (n,).

    px, py: (n, k) columns and rows from the segments' starts.
    """
    length = np.maximum(np.sqrt(some.dx * some.dx + some.dy * some.dy), np.float32(1e-6))
    tx, ty = (some.dx / length)[:, None], (some.dy / length)[:, None]
    along = (px * tx - length[:, None] / 2)[:, None, :] + (py * ty)[:, :, None]
    return along, (px * ty)[:, None, :] - (py * tx)[:, :, None], length


def _side(segments: Segments, margin: float) -> NDArray[np.int64]:
    """(n,) sides of the windows, rounded up to a few sizes. Windows of one size are processed together."""
    half = np.maximum(segments.ha, segments.hb) + margin
    need = np.ceil(np.maximum(np.abs(segments.dx), np.abs(segments.dy)) + 2 * half).astype(np.int64) + 1
    sizes = np.cumsum(2 ** (np.arange(24) // 2)) + 5
    return sizes[np.searchsorted(sizes, need)]


def _padding(segments: Segments, margin: float) -> int:
    return int(_side(segments, margin).max(initial=0)) + 1


def to_segment(segments: Segments, which: NDArray, rows: NDArray, columns: NDArray) -> tuple[Floats, Floats]:
    """Distance from pixels to the middle line of their given segments, and the half width there."""
    some = segments[which]
    px = columns.astype(np.float32) + np.float32(0.5) - some.ax
    py = rows.astype(np.float32) + np.float32(0.5) - some.ay
    square = np.maximum(some.dx * some.dx + some.dy * some.dy, np.float32(1e-12))
    u = np.clip((px * some.dx + py * some.dy) / square, 0, 1)
    x, y = px - u * some.dx, py - u * some.dy
    # The numbers are neither so large nor so small that they need hypot, which takes five times as long.
    return np.sqrt(x * x + y * y), some.ha + u * (some.hb - some.ha)


def _unpadded(flat: NDArray, shape: Shape, pad: int) -> NDArray:
    return flat.reshape(shape[0] + 2 * pad, shape[1] + 2 * pad)[pad : pad + shape[0], pad : pad + shape[1]].copy()


def nearest(segments: Segments, shape: Shape, margin: float) -> tuple[Image, NDArray[np.int64]]:
    """Signed distance in pixels to the nearest lip, and its segment. Beyond `margin` these are inf and -1."""
    pad = _padding(segments, margin)
    total = (shape[0] + 2 * pad) * (shape[1] + 2 * pad)
    best, owner = np.full(total, np.inf, dtype=np.float32), np.full(total, -1)
    for near in _near(segments, shape, margin):
        signed = near.middle - near.half
        close = signed <= margin
        flat, values = near.flat[close], signed[close]
        np.minimum.at(best, flat, values)
        won = values == best[flat]
        owner[flat[won]] = near.which[close][won]
    return _unpadded(best, shape, pad), _unpadded(owner, shape, pad)


def drawn(segments: Segments, shape: Shape, margin: float, rough: Image | None = None) -> tuple[Image, Image, Image]:
    """Coverage, coverage with edges `margin` pixels farther out, and width in pixels.

    The width is that at the nearest point of an open middle line, and 0 where both coverages are 0. rough: (H, W)
    unevenness of the lips; the half width of a crack counts 1 + rough times at a pixel, at most `WIDEST` times.
    """
    if rough is not None:
        # So that pixels are looked at as far as the lips can move.
        segments = replace(segments, ha=segments.ha * np.float32(WIDEST), hb=segments.hb * np.float32(WIDEST))
    pad = _padding(segments, HALF_DIAGONAL + margin)
    total = (shape[0] + 2 * pad) * (shape[1] + 2 * pad)
    image, width = np.zeros(total, np.float32), np.zeros(total, np.float32)
    wider = np.zeros(total, np.float32) if margin else image
    best = np.full(total, np.inf, np.float32)
    blocks = list(_near(segments, shape, HALF_DIAGONAL + margin))
    if blocks:
        which, middle, half, flat = (np.concatenate([getattr(near, name) for near in blocks]) for name in _NEAR)
        if rough is not None:
            half = half * ((1 + np.pad(rough, pad, mode="edge").ravel()[flat]) / np.float32(WIDEST))
        # A margin does not open closed cracks.
        which, middle, half, flat = (values[half > _CLOSED] for values in (which, middle, half, flat))
        length = np.maximum(np.hypot(segments.dx, segments.dy), np.float32(1e-9))
        # The profile of a pixel along the strip is a trapezoid, like the density of the sum of two uniform numbers.
        a, b = (np.maximum(np.abs(step / length), np.float32(2e-3))[which] for step in (segments.dx, segments.dy))
        np.maximum.at(image, flat, _covered(middle, half, a, b))
        if margin:
            np.maximum.at(wider, flat, _covered(middle, half + np.float32(margin), a, b))
        away = middle - half
        np.minimum.at(best, flat, away)
        won = (away == best[flat]) & (wider[flat] > 0)
        width[flat[won]] = 2 * half[won]
    return _unpadded(image, shape, pad), _unpadded(wider, shape, pad), _unpadded(width, shape, pad)


def _covered(middle: Floats, half: Floats, a: Floats, b: Floats) -> Floats:
    covered = np.minimum(_trapezoid(middle + half, a, b) - _trapezoid(middle - half, a, b), np.float32(1))
    # Differences of nearly equal numbers leave tiny remainders.
    covered[covered < 1e-5] = 0
    return covered


def _trapezoid(t: Floats, a: Floats, b: Floats) -> Floats:
    """Share of a unit square below t. The square's sides project to lengths a and b on the axis of t."""
    q, r = (a + b) / 2, np.abs(a - b) / 2
    t = np.minimum(np.maximum(t, -q), q)
    upper, lower, whole = np.maximum(t + r, 0), np.maximum(t - r, 0), t + q
    return (whole * whole - upper * upper - lower * lower) / (2 * a * b)

"""The parts that all crack generators share: fractal fields, profiles, paths, and how a path opens into a stroke.

A generator plans `Path`s: coarse polylines with a nominal width. `opened` turns them into strokes whose roughness is
given by the `Grain` of the material. All lengths are in millimeters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from scenes.cracks.contour import Array, Contour, Size, Stroke, check_size, check_width

Ints = NDArray[np.integer]

# Default number of points along the shorter side of a patch.
POINTS = 400


@dataclass(frozen=True)
class Grain:
    """How a material tears. Lengths in mm.

    amplitude: rms deviation of the crack to either side, at wavelengths near `longest`. Shorter wavelengths follow the
    power law of the Hurst exponent `hurst` (0.5 very rough, 1.2 smooth), down to `detail`, the spacing of the points.
    corners: 0 for smooth bends, 1 for straight pieces with sharp corners, as around stones.
    spread: standard deviation of the logarithm of the width along the crack, over `longest`.
    chipping: rms roughness of each lip, as a share of the width.
    opening: direction in degrees in which the two sides moved apart. slip: 0 if the crack opens equally in all
    directions, 1 if pieces along the opening direction stay closed.
    """

    amplitude: float
    longest: float
    hurst: float
    detail: float
    corners: float
    spread: float
    chipping: float
    opening: float
    slip: float


def grain_rand(rng: np.random.Generator, size: Size, detail: float | None = None) -> Grain:
    """A random material, with a roughness in proportion to the patch. detail: mm, by default 1/400 of the patch."""
    check_size(size)
    span = min(size)
    longest = span * float(np.exp(rng.uniform(np.log(0.12), np.log(0.5))))
    return Grain(
        amplitude=longest * float(np.exp(rng.uniform(np.log(0.011), np.log(0.05)))),
        longest=longest,
        hurst=float(rng.uniform(0.7, 1.05)),
        detail=detail or span / POINTS,
        corners=float(rng.uniform(0.0, 0.8)),
        spread=float(rng.uniform(0.08, 0.3)),
        chipping=float(np.exp(rng.uniform(np.log(0.02), np.log(0.14)))),
        opening=float(rng.uniform(0.0, 180.0)),
        slip=float(rng.uniform(0.0, 0.4)),
    )


def width_rand(rng: np.random.Generator, size: Size) -> float:
    """A crack's width in mm, drawn as a share of the patch: median 1.1 %, 90 % lie between 0.5 and 2.5 %."""
    check_size(size)
    return min(size) * float(np.clip(np.exp(rng.normal(np.log(0.0112), 0.48)), 0.0025, 0.05))


@dataclass(frozen=True)
class Path:
    """A planned piece of crack.

    points: (n, 2) mm, n >= 2, still smooth. width: mm, one number or (n,) at the points.
    fade: mm over which the width tapers to 0 at the first and at the last point; 0 for no taper.
    kind, parent: as in a Stroke. stiff: factor on the grain's deviations, one number or (n,) at the points. It is
    below 1 where something else, such as a joint, keeps the crack on its course.
    """

    points: Array
    width: float | Array
    fade: tuple[float, float] = (0.0, 0.0)
    kind: str = "crack"
    parent: int = -1
    stiff: float | Array = 1.0


def opened(rng: np.random.Generator, paths: Sequence[Path], size: Size, grain: Grain) -> Contour:
    """Turns planned paths into a contour: rough, with a changing width, tapered, each lip with its own roughness.

    Points that coincide in the plan also coincide in the contour, so forks and junctions stay joined.
    Raises InputError if a path is as wide as the patch.
    """
    wander = Warp(rng, grain)
    if not paths:
        return Contour((), (), size)
    for path in paths:
        check_width(float(np.max(path.width)), size)
    planned = [_resampled(path, grain.detail) for path in paths]
    table = np.concatenate(planned)
    counts = np.array([len(rows) for rows in planned])
    ends = np.cumsum(counts)
    first, last = np.repeat(ends - counts, counts), np.repeat(ends - 1, counts)
    points, width, stiff = table[:, :2], table[:, 2], table[:, 3:4]
    points = points + stiff * (wander(points) - points)
    total = arc(points)
    along, left = total - total[first], total[last] - total
    mean = float(width.mean())
    (long,) = profiles(rng, np.array([grain.longest]) / grain.detail, len(points), 1.1)
    short, lip = profiles(rng, np.array([5 * mean, 5 * mean]) / grain.detail, len(points), 0.6)
    # Each side moved as a whole, so the direction of a longer piece of the crack counts, not that of a single tooth.
    reach = round((2 * mean + 0.1 * grain.longest) / grain.detail) + 4
    facing = np.abs(normals(points, reach, first, last) @ direction(grain.opening))
    width = width * np.exp(np.clip(grain.spread * long, -1.2, 0.5)) * (1 - grain.slip + grain.slip * 1.35 * facing)
    fades = np.repeat(np.array([path.fade for path in paths]), counts, axis=0)
    width = width * _taper(along, fades[:, 0], left + along) * _taper(left, fades[:, 1], left + along)
    # The lips' own roughness moves the middle by half of its sum, and changes the width by its difference.
    across = normals(points, round(0.6 * mean / grain.detail) + 2, first, last)
    points = points + across * (grain.chipping * width * (short + lip) / 2)[:, None]
    width = np.maximum(width * (1 + grain.chipping * (short - lip)), 0.0)
    strokes = []
    for path, end, count in zip(paths, ends.tolist(), counts.tolist(), strict=True):
        own = slice(end - count, end)
        strokes.append(Stroke(points[own], eased(width[own], along[own]), path.kind, path.parent))
    return Contour(tuple(strokes), (), size)


def _resampled(path: Path, step: float) -> Array:
    """(n, 4) x, y, width and stiffness at equal distances of about `step` mm."""
    p = np.asarray(path.points, dtype=float)
    along = arc(p)
    at = np.linspace(0.0, along[-1], max(int(along[-1] / step), 2) + 1)
    rows = np.empty((len(at), 4))
    rows[:, 0], rows[:, 1] = np.interp(at, along, p[:, 0]), np.interp(at, along, p[:, 1])
    for column, value in ((2, path.width), (3, path.stiff)):
        rows[:, column] = np.interp(at, along, value) if isinstance(value, np.ndarray) else value
    return rows


def _taper(away: Array, fade: Array, whole: Array) -> Array:
    """(n,) factors in [0, 1] for distances from a tip: 0 at a fading tip, 1 beyond its fade."""
    reach = np.clip(fade, 1e-12, np.maximum(whole, 1e-12))
    return np.where(fade > 0, np.clip(away / reach, 0.0, 1.0) ** 0.7, 1.0)


def eased(width: Array, along: Array, steepest: float = 0.5) -> Array:
    """(n,) the largest widths that are at most those given and change by at most `steepest` mm per mm.

    Steeper changes would look like beads on a string.
    """
    slope = steepest * along
    ahead = np.minimum.accumulate(width - slope) + slope
    back = np.minimum.accumulate((width + slope)[::-1])[::-1] - slope
    return np.minimum(ahead, back)


# Polylines -----------------------------------------------------------------------------------------------------


def arc(points: Array) -> Array:
    """(n,) arc length up to each point of (n, 2)."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])


def normals(points: Array, reach: int, first: Ints | None = None, last: Ints | None = None) -> Array:
    """(n, 2) unit normals, to the left of the course on a screen, measured over `reach` points to either side.

    first, last: (n,) indices of both ends of each point's polyline, if the array holds several.
    """
    index = np.arange(len(points))
    low = np.maximum(index - reach, 0 if first is None else first)
    high = np.minimum(index + reach, len(points) - 1 if last is None else last)
    ahead = points[high] - points[low]
    length = np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-12)
    return np.column_stack([ahead[:, 1], -ahead[:, 0]]) / length[:, None]


def curved(rows: ArrayLike, times: int = 5) -> Array:
    """((n - 1) * times + 1, k) a smooth curve through all rows (n, k): x, y and other values of a point.

    A Catmull-Rom spline: it passes through the rows, so a branch that starts at a row still does.
    """
    p = np.asarray(rows, dtype=float)
    rim = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    a, b, c, d = rim[:-3, None], rim[1:-2, None], rim[2:-1, None], rim[3:, None]
    t = (np.arange(times) / times)[:, None]
    pieces = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return np.concatenate([pieces.reshape(-1, p.shape[1]), p[-1:]])


def direction(degrees: ArrayLike) -> Array:
    """(..., 2) unit vectors; the angle turns from x towards y."""
    angle = np.radians(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def side(rng: np.random.Generator) -> float:
    """1 or -1."""
    return 1.0 if rng.random() < 0.5 else -1.0


def across_patch(rng: np.random.Generator, size: Size, heading: float) -> tuple[Array, Array]:
    """Two points outside the patch. Their line runs at about `heading` degrees and crosses its inner half."""
    middle = np.asarray(size) * rng.uniform(0.25, 0.75, 2)
    reach = direction(heading) * 0.75 * float(np.hypot(*size))
    ends = []
    for sign in (-1.0, 1.0):
        # A little beyond the border, so that the border cuts the crack at its full width.
        room = np.where(sign * reach > 0, np.asarray(size) - middle, middle) / np.maximum(np.abs(reach), 1e-9)
        ends.append(middle + sign * reach * (float(room.min()) + 0.12))
    return ends[0], ends[1]


def heading_rand(rng: np.random.Generator) -> float:
    """A crack's direction in degrees. Vertical and horizontal ones are the most frequent on walls and floors."""
    base = rng.choice((90.0, 0.0, rng.uniform(0.0, 180.0)), p=(0.55, 0.2, 0.25))
    return float(base + rng.normal(0.0, 12.0) + 180.0 * (rng.random() < 0.5))


# Fractals ------------------------------------------------------------------------------------------------------


def profiles(rng: np.random.Generator, longest: ArrayLike, n: int, hurst: float) -> Array:
    """(k, n) float64 fractional noise of unit variance. longest: (k,) the longest wavelength of each row, in points.

    The power falls with frequency f as f^-(2 hurst + 1). It is flat at wavelengths above the longest.
    """
    size = scipy.fft.next_fast_len(n + n // 8 + 16, real=True)
    f = np.arange(size // 2 + 1) / size * np.asarray(longest, dtype=float)[:, None]
    power = np.maximum(f, 1.0) ** (-2 * hurst - 1)
    power[:, 0] = 0.0
    power /= power.sum(axis=1, keepdims=True)
    waves = _complex(rng, *f.shape) * np.sqrt(power / 4)
    return scipy.fft.irfft(waves, size, axis=1, norm="forward")[:, :n]


def _complex(rng: np.random.Generator, *shape: int) -> NDArray[np.complex128]:
    """Complex normal numbers; real and imaginary parts have unit variance each."""
    return rng.standard_normal((*shape, 2)).view(np.complex128)[..., 0]


@lru_cache(maxsize=1)
def _frequencies(side: int, octaves: float) -> Array:
    """(side, side // 2 + 1) frequencies of a tile's waves, infinite outside the band."""
    f = np.abs(np.fft.fftfreq(side)) * side
    f = np.hypot(f[:, None], f[None, : side // 2 + 1])
    return np.where((f >= 4) & (f < 4 * octaves), f, np.inf)


class Warp:
    """A random displacement field over the plane, self-affine between `longest` and `detail`.

    It is the sum of tiles of periodic noise. Each tile covers three octaves of wavelengths and is only as large as they
    need. The tiles are rotated against each other, so that no repetition is visible.
    """

    _TILE, _OCTAVES = 64, 8.0

    def __init__(self, rng: np.random.Generator, grain: Grain):
        self._layers: list[tuple[Array, float]] = []
        longest, amplitude = grain.longest, grain.amplitude
        while longest > 2 * grain.detail and amplitude > 0:
            period = 4.0 * longest
            turn = rng.uniform(0, 2 * np.pi)
            matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * (self._TILE / period)
            self._layers.append((matrix, amplitude))
            longest, amplitude = longest / self._OCTAVES, amplitude * self._OCTAVES**-grain.hurst
        self._tiles = self._noise(rng, len(self._layers), grain.hurst, grain.corners)

    def _noise(self, rng: np.random.Generator, count: int, hurst: float, corners: float) -> NDArray[np.float32]:
        """(count, 2, 64, 64) noise of unit variance, with wavelengths from 1/4 to 1/32 of the tile."""
        steep = _frequencies(self._TILE, self._OCTAVES) ** (-hurst - 1)
        waves = rng.standard_normal((count, 2, *steep.shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
        tiles = scipy.fft.irfft2(waves * steep.astype(np.float32), (self._TILE, self._TILE))
        tiles /= tiles.std(axis=(2, 3), keepdims=True)
        # Folded noise has straight flanks and sharp crests.
        folded = np.abs(tiles + np.float32(0.3)) * np.float32(1.5)
        tiles = tiles * (1 - corners) + (folded - folded.mean(axis=(2, 3), keepdims=True)) * corners
        return tiles / tiles.std(axis=(2, 3), keepdims=True)

    def __call__(self, points: Array) -> Array:
        """The displaced points, (n, 2) mm."""
        moved = points.copy()
        for (matrix, amplitude), tile in zip(self._layers, self._tiles, strict=True):
            at = points @ matrix.T
            cell = np.floor(at).astype(np.int64)
            u, v = (at - cell).T
            x, y = cell.T % self._TILE
            x1, y1 = (x + 1) % self._TILE, (y + 1) % self._TILE
            for axis, flat in enumerate(tile.reshape(2, -1)):
                near, far = (flat[row + x] * (1 - u) + flat[row + x1] * u for row in (y * self._TILE, y1 * self._TILE))
                moved[:, axis] += amplitude * (near * (1 - v) + far * v)
        return moved

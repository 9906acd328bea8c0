"""The painted shell of a car and the glazed cabin on top of it, as functions of a few lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

from scenes.shapes.primitives import Array, Geometry, box, merge, sheet, tube


@dataclass(frozen=True)
class Shell:
    """The lower body, front at y = -length / 2.

    top: (k, 2) of (y, z), the shoulder line from nose to tail. axles: the wheels' y. arch: radius of the wheel
    arches about `axle_height`. cavities: (front y, rear y, floor z) of the openings in the top (cabin, load bed).
    roundness: 0 for a folded-paper car, 1 for a soap bar. tail_radius: how far the rear end rounds, from 0 to 1.
    """

    length: float
    width: float
    sill: float
    top: ArrayLike
    axles: tuple[float, float]
    axle_height: float
    arch: float
    roundness: float
    tail_radius: float
    cavities: Sequence[tuple[float, float, float]]
    _shoulder: PchipInterpolator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_shoulder", PchipInterpolator(*np.asarray(self.top, dtype=float).T))

    def _rounding(self, y: Array) -> tuple[Array, Array]:
        """How far into the round front end and the round rear end: 0 inside to 1 at the very end, as circle drops."""
        drops = []
        for end, reach in ((-1, 0.14 + 0.42 * self.roundness), (1, 0.12 + 0.30 * self.roundness * self.tail_radius)):
            q = np.clip(1 - (self.length / 2 - end * y) / reach, 0, 1)
            drops.append(1 - np.sqrt(np.maximum(1 - q**2, 0)))
        return drops[0], drops[1]

    def half(self, y: ArrayLike) -> Array:
        """Widest half width at y."""
        y = np.asarray(y, dtype=float)
        front, rear = self._rounding(y)
        taper = 0.035 * np.abs(2 * y / self.length) ** 3
        inset = (0.07 + 0.22 * self.roundness) * front + (0.05 + 0.14 * self.roundness * self.tail_radius) * rear
        return self.width / 2 - taper - inset

    def shoulder(self, y: ArrayLike) -> Array:
        """Height of the shoulder line at y."""
        y = np.asarray(y, dtype=float)
        front, rear = self._rounding(y)
        return (
            self._shoulder(y)
            - (0.03 + 0.10 * self.roundness) * front
            - (0.01 + 0.09 * self.roundness) * self.tail_radius * rear
        )

    def side(self, y: ArrayLike, z: ArrayLike, out: float = 0.0) -> Array:
        """(…, 3) points on the left flank, `out` proud of it."""
        y, z = np.broadcast_arrays(np.asarray(y, dtype=float), np.asarray(z, dtype=float))
        v = np.clip((z - self.sill) / (self.shoulder(y) - self.sill), 0, 1)
        tuck = 0.075 * np.maximum(1 - v / 0.5, 0) ** 2 + 0.05 * np.maximum((v - 0.55) / 0.45, 0) ** 2
        return np.stack([self.half(y) * (1 - tuck) + out, y, z], axis=-1)

    def nose(self, share: ArrayLike, z: float, end: int = -1) -> Array:
        """(k, 3) points along the left half of the front (or rear, end = 1) at height z.

        share: 0 at the middle of the end face, 1 at its corner, more around the corner and along the flank, meters.
        """
        a = np.asarray(share, dtype=float)
        arc = np.linspace(0, 1, 60) ** 2 * 0.9
        edge = self.side(end * (self.length / 2 - arc), np.full(60, z))
        run = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(edge, axis=0), axis=1))])
        along = np.column_stack([np.interp(np.maximum(a - 1, 0), run, edge[:, k]) for k in range(3)])
        along[:, 0] *= np.minimum(a, 1)
        return along

    def low(self, y: Array, wheel: Array) -> Array:
        """Lower edge at y; `wheel` is the arch's y center for stations inside an arch, nan elsewhere."""
        rise = 0.05 * np.clip(np.abs(2 * y / self.length) * 5 - 4, 0, 1)
        inside = np.sqrt(np.maximum(self.arch**2 - (y - wheel) ** 2, 0)) + self.axle_height
        return np.where(np.isnan(wheel), self.sill + rise, inside)

    def _stations(self) -> tuple[Array, Array, Array]:
        """y, arch center or nan, cavity floor or nan for every station, front to rear."""
        ends = self.length / 2 * np.cos(np.linspace(0, np.pi, 49))
        close = self.length / 2 - np.array([0, 0.003, 0.012, 0.03, 0.055, 0.085, 0.13, 0.18, 0.25])
        arch = -np.cos(np.linspace(0, np.pi, 25)) * self.arch
        free = np.concatenate([-close, ends, close])
        rows = [(y, np.nan) for y in free if min(abs(y - a) for a in self.axles) > self.arch + 0.004]
        for axle in self.axles:
            rows += [(axle - self.arch - 1e-3, np.nan), (axle + self.arch + 1e-3, np.nan)]
            rows += [(axle + y, axle) for y in arch]
        for front, rear, _ in self.cavities:
            for y in (front - 5e-4, front + 5e-4, rear - 5e-4, rear + 5e-4):
                axle = min(self.axles, key=lambda a: abs(y - a))
                rows.append((y, axle if abs(y - axle) < self.arch else np.nan))
        y, wheel = np.array(sorted(rows)).T
        keep = np.concatenate([[True], np.diff(y) > 2e-4])
        y, wheel = y[keep], wheel[keep]
        floor = np.full(len(y), np.nan)
        for front, rear, level in self.cavities:
            floor[(y > front) & (y < rear)] = level
        return y, wheel, floor

    def build(self) -> tuple[Geometry, Geometry]:
        """The painted skin with its end faces, and the insides of the cavities."""
        y, wheel, floor = self._stations()
        low, high = self.low(y, wheel), self.shoulder(y)
        radius = 0.02 + 0.05 * self.roundness
        z = low[:, None] + (high - radius - low)[:, None] * np.linspace(0, 1, 14)
        flank = self.side(y[:, None], z)
        edge = flank[:, -1, 0] - radius
        lip = flank[:, :1] - (0.03, 0, 0)
        turn = np.radians([30, 60, 90])
        arc = self._across(edge[:, None] + radius * np.cos(turn), y, (high - radius)[:, None] + radius * np.sin(turn))
        share = np.array([0.975, 0.97, 0.9, 0.75, 0.5, 0.25, 0.0])
        crown = 0.015 + 0.03 * self.roundness
        hood = high[:, None] + crown * (1 - share**2) * np.minimum(1, 0.2 + (self.length / 2 - abs(y)) / 0.5)[:, None]
        hood[:, 0] = np.where(np.isnan(floor), hood[:, 0], high)
        pit = np.where(np.isnan(floor)[:, None] | (share > 0.972), hood, floor[:, None])
        half = np.concatenate([lip, flank, arc, self._across(edge[:, None] * share, y, pit)], axis=1)
        grid = np.concatenate([half, half[:, -2::-1] * (-1, 1, 1)], axis=1)
        inner = np.zeros((len(y) - 1, grid.shape[1] - 1), dtype=bool)
        rim = half.shape[1] - len(share)
        inner[:, rim : grid.shape[1] - 1 - rim] = (~np.isnan(floor[:-1]) | ~np.isnan(floor[1:]))[:, None]
        skin = sheet(grid).flipped()
        ends = [self._end(half[0], 1), self._end(half[-1], -1)]
        return merge([picked(skin, ~inner), *ends]), picked(skin, inner)

    @staticmethod
    def _across(x: Array, y: Array, z: Array) -> Array:
        return np.stack([x, np.broadcast_to(y[:, None], x.shape), np.broadcast_to(z, x.shape)], axis=-1)

    @staticmethod
    def _end(half: Array, turn: int) -> Geometry:
        """A flat face across the last section."""
        side = np.linspace(-1, 1, 9) * turn
        return sheet(np.stack([half * (s, 1, 1) for s in side], axis=1))

    def well(self, axle: float, inner: float) -> Geometry:
        """The inside of the left wheel arch, facing the wheel."""
        t = np.linspace(np.pi, 0, 25)
        y = np.concatenate([[axle - self.arch], axle + self.arch * np.cos(t), [axle + self.arch]])
        z = np.concatenate([[self.sill], self.axle_height + self.arch * np.sin(t), [self.sill]])
        outer = self.side(y, z, -0.025) + np.column_stack([0 * y, 0 * y, 0 * y + 0.004])
        back = np.column_stack([np.full(len(y), inner), y, z])
        wall = np.column_stack([np.full(len(y), inner), y, np.full(len(y), self.sill)])
        return merge([sheet(np.stack([outer, back])), sheet(np.stack([back, wall]))]).flipped()


def picked(geometry: Geometry, cells: NDArray[np.bool_]) -> Geometry:
    """The cells (r, c) of a sheet that are True."""
    chosen = np.tile(cells.ravel(), 2)
    faces, uvs = geometry.faces[chosen], geometry.uvs[chosen]
    used, index = np.unique(faces, return_inverse=True)
    return Geometry(geometry.vertices[used], index.reshape(faces.shape), uvs)


@dataclass(frozen=True)
class Cabin:
    """What stands above the shoulder: pillars, glass and roof.

    base: y of the windscreen's and the rear window's foot; roof: y of their tops. height: of the roof, from the
    ground. windows: (front, rear) shares of the side's length that are glass. glazed_rear: with a window behind.
    """

    shell: Shell
    base: tuple[float, float]
    roof: tuple[float, float]
    height: float
    tumblehome: float
    windows: Sequence[tuple[float, float]]
    glazed_front: bool = True
    glazed_rear: bool = True
    sill: float = 0.10
    header: float = 0.9

    def point(self, s: ArrayLike, t: ArrayLike) -> Array:
        """(…, 3) points of the left side: s from front to rear, t from shoulder to roof."""
        s, t = np.broadcast_arrays(np.asarray(s, dtype=float), np.asarray(t, dtype=float))
        foot = self.base[0] + (self.base[1] - self.base[0]) * s
        head = self.roof[0] + (self.roof[1] - self.roof[0]) * s
        y = foot + (head - foot) * t
        bow = 0.035 * (2 * s - 1) ** 2 * t
        x = self.shell.side(foot, self.shell.shoulder(foot))[..., 0] - 0.025 - bow
        x = x - self.tumblehome * t - 0.035 * t**6
        low = self.shell.shoulder(foot) - 0.03
        roof = self.height - 0.05 - 0.05 * (2 * s - 1) ** 2
        return np.stack([x, y, low + (roof - low) * t], axis=-1)

    def _columns(self) -> tuple[Array, list[str]]:
        """Shares of (end, side) per column of the left half, front to rear, and what lies after each column."""
        cuts = sorted({0.0, 1.0, *np.ravel(self.windows)})
        runs = [np.linspace(a, b, max(2, int((b - a) * 20))) for a, b in pairwise(cuts)]
        s = np.unique(np.concatenate(runs))
        middle = (s[:-1] + s[1:]) / 2
        sides = ["side" if any(a < m < b for a, b in self.windows) else "" for m in middle]
        return s, sides

    def _outline(self, t: Array) -> tuple[Array, list[str]]:
        """(rows, columns, 3) of the left half from the middle of the windscreen to the middle of the rear window."""
        s, tags = self._columns()
        flank = self.point(s[None, :], t[:, None])
        share = np.array([0, 0.2, 0.4, 0.6, 0.78, 0.91, 0.97])
        ends = []
        for k, sign in ((0, -1), (-1, 1)):
            corner = flank[:, k]
            bulge = np.array([0.13, 0.07])[k] * (1 - share**2) + 0.03
            rows = np.repeat(corner[:, None], len(share), axis=1)
            rows[..., 0] *= share
            rows[..., 1] += sign * bulge
            ends.append(rows)
        front = ["front" if self.glazed_front and b <= 0.92 else "" for b in share[1:]] + [""]
        rear = ["rear" if self.glazed_rear and b <= 0.92 else "" for b in share[1:]] + [""]
        return np.concatenate([ends[0], flank, ends[1][:, ::-1]], axis=1), front + tags + rear[::-1]

    def build(self) -> tuple[Geometry, dict[str, Geometry], Geometry]:
        """Painted pillars and roof, glass by name (windscreen, side_windows, rear_window), and the window seals."""
        t = np.concatenate([[0.0], np.linspace(self.sill, self.header, 7), [0.95, 0.98, 1.0]])
        half, tags = self._outline(t)
        q = np.array([0.02, 0.06, 0.14, 0.3, 0.55, 0.8, 1.0])[:, None]
        middle = half[-1, :, 1].mean()
        rim = half[-1]
        dome = np.stack(
            [rim[:, 0] * (1 - q), middle + (rim[:, 1] - middle) * (1 - 0.3 * q), rim[:, 2] + 0.05 * (1 - (1 - q) ** 4)],
            axis=-1,
        )
        half = np.concatenate([half, dome])
        whole = np.concatenate([half, half[:, -2:0:-1] * (-1, 1, 1)], axis=1)
        names = np.array(tags + tags[::-1])
        rows = np.zeros(len(whole) - 1, dtype=bool)
        rows[1:7] = True
        skin = sheet(whole, close_columns=True)
        glass: dict[str, Geometry] = {
            tag: picked(skin, rows[:, None] & (names == tag)[None, :])
            for tag in ("front", "side", "rear")
            if tag in tags
        }
        return picked(skin, ~(rows[:, None] & (names != "")[None, :])), glass, self._seals(whole, names)

    def _seals(self, whole: Array, names: Array) -> Geometry:
        """A thin rubber seal around every pane."""
        glassy = names != ""
        count = len(names)
        starts = [c for c in range(count) if glassy[c] and not (glassy[c - 1] and names[c - 1] == names[c])]
        seals = []
        for start in starts:
            width = next(n for n in range(1, count) if names[(start + n) % count] != names[start])
            columns = (start + np.arange(width + 1)) % count
            pane = whole[1:8][:, columns]
            loop = np.concatenate([pane[0], pane[1:, -1], pane[-1, -2::-1], pane[-2:0:-1, 0]])
            seals.append(tube(loop, 0.009, 6, closed=True))
        return merge(seals)


def seats(cabin: Cabin, rows: int) -> Geometry:
    """Seat backs with head rests, as much of them as windows show."""
    pieces = []
    x, _, z = cabin.point(0.5, 0.0)
    floor = cabin.shell.cavities[0][2] - 0.01
    tall = z + 0.15 - floor
    for row in range(rows):
        foot = min(cabin.roof[0] + 0.55 + 0.85 * row, cabin.roof[1] - 0.2 + 0.1 * row)
        back = box(0.46, 0.14, tall, 0.05).moved(y=foot, z=floor + tall / 2).rotated("x", -12, (0, foot, floor + 0.1))
        rest = box(0.26, 0.09, 0.15, 0.04).moved(y=foot + 0.2 * (tall - 0.1), z=z + 0.2)
        pieces += [piece.moved(x=side * 0.5 * x) for piece in (back, rest) for side in (-1, 1)]
    return merge(pieces)

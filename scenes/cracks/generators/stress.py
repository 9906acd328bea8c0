"""Stress-driven growth: tips run across the largest tension, fork, and end at free edges and at other cracks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import atan2, cos, hypot, pi, radians, sin

import numpy as np

from scenes.cracks.contour import Array, Contour, Size
from scenes.cracks.paths import Grain, Path, curved, grain_rand, heading_rand, opened, side, width_rand

Point = tuple[float, float]


@dataclass(frozen=True)
class Tension:
    """A field of plane stress on a grid over the patch: where a crack would run at each place.

    angles: (k, k) radians, the direction across the largest tension, modulo pi; rows along y.
    """

    angles: Array
    size: Size

    def along(self, x: float, y: float, heading: float) -> float:
        """The direction perpendicular to the tension, in radians, that is nearer to `heading`."""
        k = len(self.angles)
        row = min(max(int(y / self.size[1] * k), 0), k - 1)
        column = min(max(int(x / self.size[0] * k), 0), k - 1)
        angle = float(self.angles[row, column])
        return heading + (angle - heading + pi / 2) % pi - pi / 2


def tension(rng: np.random.Generator, size: Size, *, pull: float, unrest: float, reach: float) -> Tension:
    """A tension of strength 1 in the direction `pull` (degrees), plus random stresses.

    unrest: rms of the random stresses. reach: mm over which they change.
    """
    k = 48
    y, x = np.mgrid[:k, :k] / k
    xx, yy, xy = np.cos(2 * np.radians(pull)), -np.cos(2 * np.radians(pull)), np.sin(2 * np.radians(pull))
    waves = rng.normal(0.0, 1.0, (3, 6, 2)) / reach * np.asarray(size)
    phases = rng.uniform(0.0, 2 * np.pi, (3, 6, 1, 1))
    noise = np.cos(waves[..., :1, None] * x + waves[..., 1:, None] * y + phases).sum(axis=1) * unrest / np.sqrt(3.0)
    largest = 0.5 * np.arctan2(2 * (xy + noise[2]), (xx + noise[0]) - (yy + noise[1]))
    return Tension(largest + np.pi / 2, size)


def stress(
    *,
    size: Size,
    forces: Tension,
    starts: Array,
    energy: float,
    step: float,
    inertia: float,
    scatter: float,
    fork: float,
    fork_angle: float,
    shield: float,
    width: float,
    thinning: float,
    grain: Grain,
    rng: np.random.Generator,
) -> Contour:
    """Cracks that open at `starts` ((k, 2) mm, in order of age) and grow through the tension field.

    Each grows both ways at once for `energy` mm a side, less as `thinning` says with every later one and every fork.
    step: mm. inertia: share of its course that a tip keeps against the field. scatter: degrees, standard deviation of a
    step's deflection by grains. fork: forks a mm; fork_angle: degrees between a fork's arms. shield: mm around a crack
    where tension is spent: others lose their energy there three times as fast, and bend to meet it squarely.
    width: mm of the first; a later one's share of it is its share of the energy. Tips end beyond the patch, on other
    cracks, or as hairlines. Raises InputError where it is as wide as the patch.
    """
    growth = _Growth(size, forces, step, inertia, radians(scatter), shield, rng)
    for age, (x, y) in enumerate(np.asarray(starts, dtype=float).tolist()):
        if growth.shielded(x, y):
            continue
        ahead = forces.along(x, y, 0.0)
        alive = growth.open(x, y, (ahead, ahead + pi), energy * thinning**age, -1)
        while alive:
            tip = alive.pop(0)
            if not growth.advance(tip):
                continue
            alive.append(tip)
            if tip.energy > 6 * step and rng.random() < fork * step:
                away = side(rng) * radians(fork_angle)
                alive += growth.open(tip.x, tip.y, (tip.heading + 0.75 * away,), thinning * tip.energy, tip.crack)
                # The other arm continues and turns away a little.
                tip.heading -= 0.25 * away
    return opened(rng, [_path(crack, width, energy, step) for crack in growth.cracks], size, grain)


@dataclass
class _Tip:
    """A growing tip: position, direction (radians), how far it can still grow (mm), and its crack."""

    x: float
    y: float
    heading: float
    energy: float
    crack: int
    trail: list[Point] = field(default_factory=list)
    joined: bool = False


@dataclass(frozen=True)
class _Crack:
    """One or two arms that grow from a root."""

    root: Point
    arms: list[_Tip]
    energy: float
    parent: int


@dataclass
class _Growth:
    size: Size
    forces: Tension
    step: float
    inertia: float
    scatter: float
    shield: float
    rng: np.random.Generator
    cracks: list[_Crack] = field(default_factory=list)
    # Points of all cracks with their crack's index, in cells as large as the shield.
    cells: dict[tuple[int, int], list[tuple[int, float, float]]] = field(default_factory=dict)

    def open(self, x: float, y: float, headings: tuple[float, ...], energy: float, parent: int) -> list[_Tip]:
        arms = [_Tip(x, y, heading, energy, len(self.cracks)) for heading in headings]
        self.cracks.append(_Crack((x, y), arms, energy, parent))
        return list(arms)

    def near(self, x: float, y: float) -> Iterator[tuple[int, float, float]]:
        cx, cy = int(x // self.shield), int(y // self.shield)
        for i in (cx - 1, cx, cx + 1):
            for j in (cy - 1, cy, cy + 1):
                yield from self.cells.get((i, j), ())

    def shielded(self, x: float, y: float) -> bool:
        return any(hypot(px - x, py - y) < self.shield for _, px, py in self.near(x, y))

    def obstacle(self, tip: _Tip) -> tuple[float, float, float] | None:
        """Distance and position of the nearest point of another crack ahead. None if the shield holds none."""
        best = None
        c, s = cos(tip.heading), sin(tip.heading)
        kin = self.cracks[tip.crack].parent if len(tip.trail) * self.step < self.shield else -1
        for owner, px, py in self.near(tip.x, tip.y):
            if owner == tip.crack or owner == kin or self.cracks[owner].parent == tip.crack:
                continue
            dx, dy = px - tip.x, py - tip.y
            away = hypot(dx, dy)
            if away < self.shield and dx * c + dy * s > -0.3 * away and (best is None or away < best[0]):
                best = (away, px, py)
        return best

    def advance(self, tip: _Tip) -> bool:
        """Grows the tip by one step. Returns whether it can grow on."""
        wall = self.obstacle(tip)
        if wall is not None and wall[0] <= 1.5 * self.step:
            tip.trail.append(wall[1:])
            tip.joined = True
            return False
        wanted = self.forces.along(tip.x, tip.y, tip.heading)
        if wall is not None:
            toward = atan2(wall[2] - tip.y, wall[1] - tip.x)
            wanted += 0.7 * (1 - wall[0] / self.shield) * ((toward - wanted + pi) % (2 * pi) - pi)
        tip.heading += (1 - self.inertia) * (wanted - tip.heading) + self.scatter * float(self.rng.standard_normal())
        tip.x += self.step * cos(tip.heading)
        tip.y += self.step * sin(tip.heading)
        tip.trail.append((tip.x, tip.y))
        cell = (int(tip.x // self.shield), int(tip.y // self.shield))
        self.cells.setdefault(cell, []).append((tip.crack, tip.x, tip.y))
        tip.energy -= self.step * (1.0 if wall is None else 3.0)
        rim = 0.12 * min(self.size)
        inside = -rim < tip.x < self.size[0] + rim and -rim < tip.y < self.size[1] + rim
        return tip.energy > 0 and inside


def _path(crack: _Crack, width: float, energy: float, step: float) -> Path:
    """A crack's arms as one path, the second arm, if any, reversed."""
    ahead, back = crack.arms[0], crack.arms[1] if len(crack.arms) > 1 else None
    behind = back.trail[::-1] if back is not None else []
    first = 0.0 if back is None or back.joined else 0.8 * step * len(behind)
    last = 0.0 if ahead.joined else 0.8 * step * len(ahead.trail)
    points = curved([*behind, crack.root, *ahead.trail], 3)
    return Path(points, width * max(crack.energy / energy, 0.15), (first, last), parent=crack.parent)


def stress_rand(
    rng: np.random.Generator, size: Size, width: float | None = None, detail: float | None = None
) -> Contour:
    """One crack, or a few in order of age, in a random tension field. width: mm; detail: mm between points."""
    grain = grain_rand(rng, size, detail)
    span = min(size)
    unrest = float(rng.choice((rng.uniform(0.2, 0.6), rng.uniform(0.6, 1.5)), p=(0.65, 0.35)))
    forces = tension(rng, size, pull=heading_rand(rng) + 90.0, unrest=unrest, reach=span * rng.uniform(0.3, 0.9))
    count = int(rng.choice((1, 2, 3, 5), p=(0.45, 0.25, 0.15, 0.15)))
    return stress(
        size=size,
        forces=forces,
        starts=rng.uniform(0.12, 0.88, (count, 2)) * size,
        energy=max(size) * rng.uniform(0.5, 1.3),
        step=span / 64,
        inertia=rng.uniform(0.6, 0.85),
        scatter=rng.uniform(3.0, 9.0),
        fork=float(rng.choice((0.0, rng.uniform(0.4, 2.5)), p=(0.25, 0.75))) / span,
        fork_angle=rng.uniform(30.0, 75.0),
        shield=span * rng.uniform(0.06, 0.14),
        width=width or width_rand(rng, size),
        thinning=rng.uniform(0.5, 0.8),
        grain=grain,
        rng=rng,
    )

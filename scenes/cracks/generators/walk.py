"""Random walk: random turns around a course, a width that changes gradually, and side branches."""

from __future__ import annotations

import numpy as np

from scenes.cracks.contour import Array, Contour, Size
from scenes.cracks.paths import (
    Grain,
    Path,
    across_patch,
    arc,
    curved,
    direction,
    grain_rand,
    heading_rand,
    opened,
    side,
    width_rand,
)


def walk(
    *,
    size: Size,
    start: tuple[float, float],
    heading: float,
    length: float,
    step: float,
    turn: float,
    persistence: float,
    width: float,
    drift: float,
    branch: float,
    branch_angle: float,
    branch_length: float,
    generations: int,
    fade: tuple[float, float],
    grain: Grain,
    rng: np.random.Generator,
) -> Contour:
    """A crack that walks from `start` for `length` mm in about the direction `heading` (degrees, x towards y).

    step: mm between turns. turn: degrees, standard deviation of a turn; persistence: in [0, 1), share of the deviation
    from the course that remains after a step. width: mm at the start; drift: standard deviation of the logarithm of its
    change over 100 steps. branch: probability of a side branch at a step; branch_angle: degrees off the course, to
    either side; branch_length: mean share of the remaining length. generations: how often branches branch.
    fade: mm of taper at the start and the end. Raises InputError if the crack is as wide as the patch.
    """
    paths: list[Path] = []
    # Planned branches: start, direction, length, width, generation, parent path.
    pending = [(np.asarray(start, dtype=float), heading, length, width, 0, -1)]
    while pending:
        at, course, distance, wide, generation, parent = pending.pop(0)
        count = max(round(distance / step), 2)
        headings = course + _deviations(rng, count, turn, persistence)
        points = np.concatenate([[at], at + np.cumsum(step * direction(headings), axis=0)])
        widths = wide * np.exp(np.clip(np.cumsum(rng.normal(0.0, drift / 10.0, count + 1)), -1.0, 0.7))
        rows = curved(np.column_stack([points, widths]))
        taper = fade if parent < 0 else (0.0, 0.8 * distance)
        paths.append(Path(rows[:, :2], np.maximum(rows[:, 2], 0.0), taper, parent=parent))
        for i in np.flatnonzero(rng.random(count) < branch) if generation < generations else ():
            reach = (count - i) * step * branch_length * rng.uniform(0.4, 1.6)
            if reach > 3 * step:
                away = headings[i] + side(rng) * branch_angle * rng.uniform(0.6, 1.4)
                pending.append(
                    (points[i], away, reach, widths[i] * rng.uniform(0.3, 0.75), generation + 1, len(paths) - 1)
                )
    return opened(rng, paths, size, grain)


def _deviations(rng: np.random.Generator, count: int, turn: float, persistence: float) -> Array:
    """(count,) deviations from the course in degrees. Each keeps a share of the previous one."""
    turns = rng.normal(0.0, turn, count)
    for i in range(1, count):
        turns[i] += persistence * turns[i - 1]
    return turns


def walk_rand(rng: np.random.Generator, size: Size, width: float | None = None, detail: float | None = None) -> Contour:
    """A random walk across the patch, or ending in it. width: mm, drawn where None; detail: mm between points."""
    grain = grain_rand(rng, size, detail)
    wide = width or width_rand(rng, size)
    heading = heading_rand(rng)
    start, end = across_patch(rng, size, heading)
    whole = float(arc(np.stack([start, end]))[-1])
    length = whole * (1.15 if rng.random() < 0.7 else rng.uniform(0.4, 0.9))
    return walk(
        size=size,
        start=(float(start[0]), float(start[1])),
        heading=float(np.degrees(np.arctan2(*(end - start)[::-1]))),
        length=length,
        step=min(size) / 30 * rng.uniform(0.6, 1.8),
        turn=rng.uniform(5.0, 16.0),
        persistence=rng.uniform(0.3, 0.8),
        width=wide,
        drift=rng.uniform(0.3, 0.9),
        branch=rng.choice((0.0, rng.uniform(0.01, 0.09)), p=(0.4, 0.6)),
        branch_angle=rng.uniform(25.0, 60.0),
        branch_length=rng.uniform(0.25, 0.8),
        generations=2,
        fade=(0.0, length * rng.uniform(0.2, 0.8)),
        grain=grain,
        rng=rng,
    )

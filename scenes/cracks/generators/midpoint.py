"""Fractal midpoint profile: a line is halved again and again, and each middle is moved aside."""

from __future__ import annotations

import numpy as np

from scenes.cracks.contour import Array, Contour, Size
from scenes.cracks.paths import (
    Grain,
    Path,
    across_patch,
    arc,
    curved,
    grain_rand,
    heading_rand,
    opened,
    side,
    width_rand,
)


def midpoint(
    *,
    size: Size,
    start: tuple[float, float],
    end: tuple[float, float],
    angle: float,
    decay: float,
    depth: int,
    width: float,
    forks: int,
    fork_angle: float,
    fade: tuple[float, float],
    grain: Grain,
    rng: np.random.Generator,
) -> Contour:
    """A crack from `start` to `end` whose middle, and the middles of its halves, `depth` times, are moved aside.

    angle: degrees, standard deviation of the bend at the first halving, cut off at twice that; decay: its factor at
    each further halving (1 is as rough at every scale). width: mm. forks: side cracks at its sharpest corners, leaving
    to the outside at about `fork_angle` degrees. fade: mm of taper at both ends.
    Raises InputError where it is as wide as the patch.
    """
    line = _halved(rng, np.array([start, end], dtype=float), angle, decay, depth)
    paths = [Path(curved(line), width, fade)]
    steps = np.diff(line, axis=0)
    bend = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
    bend /= np.maximum(np.hypot(*steps[:-1].T) * np.hypot(*steps[1:].T), 1e-12)
    whole = float(arc(line)[-1])
    for i in np.argsort(-np.abs(bend), kind="stable")[:forks]:
        turn = -np.sign(bend[i]) * np.radians(fork_angle * rng.uniform(0.6, 1.4))
        ahead = steps[i] / np.hypot(*steps[i]) * (side(rng) if fork_angle > 60 else 1.0)
        c, s = np.cos(turn), np.sin(turn)
        reach = whole * rng.uniform(0.1, 0.4)
        tip = line[i + 1] + reach * np.array([c * ahead[0] - s * ahead[1], s * ahead[0] + c * ahead[1]])
        branch = _halved(rng, np.stack([line[i + 1], tip]), angle, decay, max(depth - 2, 1))
        paths.append(Path(curved(branch), width * rng.uniform(0.25, 0.7), (0.0, 0.9 * reach), parent=0))
    return opened(rng, paths, size, grain)


def _halved(rng: np.random.Generator, points: Array, angle: float, decay: float, depth: int) -> Array:
    """(2**depth + 1, 2): the line between two points, its middles moved aside."""
    for level in range(depth):
        step = np.diff(points, axis=0)
        spread = np.tan(np.radians(angle * decay**level)) / 2
        aside = np.clip(rng.normal(0.0, 1.0, len(step)), -2.0, 2.0) * spread
        # The point is not always exactly in the middle, because exact halves would show as a regular pattern.
        where = rng.uniform(0.35, 0.65, len(step))[:, None]
        middle = points[:-1] + where * step + aside[:, None] * np.column_stack([-step[:, 1], step[:, 0]])
        merged = np.empty((2 * len(points) - 1, 2))
        merged[0::2], merged[1::2] = points, middle
        points = merged
    return points


def midpoint_rand(
    rng: np.random.Generator, size: Size, width: float | None = None, detail: float | None = None
) -> Contour:
    """A random fractal profile across the patch, or from its border into it. width: mm; detail: mm between points."""
    grain = grain_rand(rng, size, detail)
    start, end = across_patch(rng, size, heading_rand(rng))
    length = float(np.hypot(*(end - start)))
    fade = (0.0, 0.0)
    if rng.random() < 0.35:
        end = start + (end - start) * rng.uniform(0.4, 0.95)
        fade = (0.0, length * rng.uniform(0.2, 0.8))
    return midpoint(
        size=size,
        start=(float(start[0]), float(start[1])),
        end=(float(end[0]), float(end[1])),
        angle=rng.uniform(7.0, 26.0),
        decay=rng.uniform(0.6, 0.95),
        depth=int(rng.integers(3, 6)),
        width=width or width_rand(rng, size),
        forks=int(rng.choice((0, 1, 2, 3), p=(0.5, 0.25, 0.15, 0.1))),
        fork_angle=rng.choice((rng.uniform(25.0, 50.0), rng.uniform(70.0, 100.0))),
        fade=fade,
        grain=grain,
        rng=rng,
    )

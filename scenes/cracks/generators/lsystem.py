"""Stochastic L-system: F -> FF | F[+F]F | F[-F]F, drawn by a turtle with random errors in its turns."""

from __future__ import annotations

import numpy as np

from scenes.cracks.contour import Contour, Size
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
    width_rand,
)


def lsystem(
    *,
    size: Size,
    start: tuple[float, float],
    heading: float,
    length: float,
    rounds: int,
    straight: float,
    angle: float,
    jitter: float,
    width: float,
    thinning: float,
    fade: float,
    grain: Grain,
    rng: np.random.Generator,
) -> Contour:
    """A crack of `length` mm from `start` in the direction `heading` (degrees), branched by `rounds` of rewriting.

    straight: probability of FF; the two branching rules share the rest equally. angle: degrees between a branch and its
    parent. jitter: standard deviation of that angle; that of each step is half of it. width: mm of the trunk.
    thinning: a branch's share of its parent's width. fade: mm of taper at the trunk's end.
    Raises InputError if the crack is as wide as the patch.
    """
    word = "F"
    for _ in range(rounds):
        draws = iter(rng.random(word.count("F")).tolist())
        word = "".join(_rewritten(next(draws), straight) if symbol == "F" else symbol for symbol in word)
    # Each round doubles the number of steps in the trunk.
    step = length / 2**rounds
    lines = [[np.asarray(start, dtype=float)]]
    parents, widths = [-1], [width]
    course, current = heading, 0
    saved: list[tuple[int, float]] = []
    noise = iter(rng.normal(0.0, jitter, len(word)).tolist())
    for symbol in word:
        if symbol == "F":
            course += next(noise) / 2
            lines[current].append(lines[current][-1] + step * direction(course))
            if not saved:
                # The trunk returns to its course, so that its deviations do not add up to loops.
                course += 0.3 * (heading - course)
        elif symbol == "[":
            saved.append((current, course))
            lines.append([lines[current][-1]])
            parents.append(current)
            widths.append(widths[current] * thinning)
            current = len(lines) - 1
        elif symbol == "]":
            current, course = saved.pop()
        else:
            course += (angle if symbol == "+" else -angle) + next(noise)
    fades = [(0.0, fade)] + [(0.0, 0.9 * float(arc(np.array(line))[-1])) for line in lines[1:]]
    paths = [
        Path(curved(line), wide, taper, parent=parent)
        for line, wide, taper, parent in zip(lines, widths, fades, parents, strict=True)
    ]
    return opened(rng, paths, size, grain)


def _rewritten(draw: float, straight: float) -> str:
    if draw < straight:
        return "FF"
    return "F[+F]F" if draw < (1 + straight) / 2 else "F[-F]F"


def lsystem_rand(
    rng: np.random.Generator, size: Size, width: float | None = None, detail: float | None = None
) -> Contour:
    """A random branched crack across the patch. width: mm, drawn where None; detail: mm between points."""
    grain = grain_rand(rng, size, detail)
    start, end = across_patch(rng, size, heading_rand(rng))
    length = float(np.hypot(*(end - start))) * rng.uniform(0.7, 1.2)
    rounds = int(rng.integers(3, 6))
    return lsystem(
        size=size,
        start=(float(start[0]), float(start[1])),
        heading=float(np.degrees(np.arctan2(*(end - start)[::-1]))),
        length=length,
        rounds=rounds,
        # The number of branches does not depend on the number of rounds.
        straight=float(np.clip(1 - rng.uniform(1.5, 6.0) / 2**rounds, 0.1, 0.92)),
        angle=rng.uniform(18.0, 50.0),
        jitter=rng.uniform(5.0, 15.0),
        width=width or width_rand(rng, size),
        thinning=rng.uniform(0.35, 0.75),
        fade=length * rng.uniform(0.1, 0.6),
        grain=grain,
        rng=rng,
    )

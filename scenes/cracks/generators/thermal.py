"""Thermal cracks: parallel, evenly spaced, because each one relieves the tension next to it."""

from __future__ import annotations

import numpy as np

from scenes.cracks.contour import Contour, Size
from scenes.cracks.paths import Grain, Path, curved, direction, grain_rand, heading_rand, opened, side, width_rand


def thermal(
    *,
    size: Size,
    heading: float,
    spacing: float,
    irregularity: float,
    spread: float,
    whole: float,
    bend: float,
    links: int,
    width: float,
    unevenness: float,
    grain: Grain,
    rng: np.random.Generator,
) -> Contour:
    """Cracks across the patch in the direction `heading` (degrees), `spacing` mm apart.

    irregularity: standard deviation of the gaps, as a share of them. spread: degrees, standard deviation of each one's
    own direction. whole: probability that one runs from border to border; others end inside as hairlines. bend: mm,
    standard deviation of the middle's sideways shift. links: number of thin cracks that join neighbors, about
    at right angles. width: mm. unevenness: standard deviation of the logarithm of each one's width.
    Raises InputError if the crack is as wide as the patch.
    """
    along, aside = direction(heading), direction(heading + 90.0)
    middle, reach = np.asarray(size) / 2, float(np.hypot(*size)) / 2 * 1.1
    paths: list[Path] = []
    offset = -reach + spacing * rng.uniform(0.0, 1.0)
    while offset < reach:
        own = along + aside * np.tan(np.radians(np.clip(rng.normal(0.0, spread), -60, 60)))
        at = np.sort(rng.uniform(-1.0, 1.0, 3)) * 0.4 * reach
        points = middle + aside * offset + np.array([-reach, *at, reach])[:, None] * own
        points[1:-1] += aside * rng.normal(0.0, bend, (3, 1))
        fade = (0.0, 0.0)
        if rng.random() > whole:
            points = points[:4] if rng.random() < 0.5 else points[:0:-1]
            fade = (0.0, float(np.hypot(*(points[-1] - points[0]))) * rng.uniform(0.3, 0.9))
        paths.append(Path(curved(points), width * float(np.exp(np.clip(rng.normal(0.0, unevenness), -1.5, 0.7))), fade))
        offset += spacing * float(np.clip(rng.normal(1.0, irregularity), 0.4, 1.8))
    count = len(paths)
    for _ in range(links if count > 1 else 0):
        i = int(rng.integers(0, count))
        neighbor = paths[i + 1 if i + 1 < count else i - 1]
        # The curve has five points for each point of the course. This takes one between the second and the third.
        k = int(rng.integers(6, 10))
        ends = np.stack([paths[i].points[k], neighbor.points[k + int(side(rng))]])
        paths.append(Path(ends, 0.4 * width, parent=i))
    return opened(rng, paths, size, grain)


def thermal_rand(
    rng: np.random.Generator, size: Size, width: float | None = None, detail: float | None = None
) -> Contour:
    """Two to a dozen parallel cracks. width: mm, drawn where None; detail: mm between points."""
    grain = grain_rand(rng, size, detail)
    span = min(size)
    spacing = span * float(np.exp(rng.uniform(np.log(0.18), np.log(0.6))))
    return thermal(
        size=size,
        heading=heading_rand(rng),
        spacing=spacing,
        irregularity=rng.uniform(0.1, 0.35),
        spread=rng.uniform(1.0, 5.0),
        whole=rng.uniform(0.4, 1.0),
        bend=spacing * rng.uniform(0.03, 0.12),
        links=int(rng.integers(0, 4)),
        width=width or 0.8 * width_rand(rng, size),
        unevenness=rng.uniform(0.15, 0.5),
        grain=grain,
        rng=rng,
    )

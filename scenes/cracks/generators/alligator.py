"""Alligator and map cracking: Voronoi polygons, split again and again by finer, younger cracks."""

from __future__ import annotations

from dataclasses import replace
from math import atan2, cos, sin

import numpy as np
import scipy
from numpy.typing import NDArray

from scenes.cracks.contour import Array, Contour, Size
from scenes.cracks.paths import Grain, Path, direction, grain_rand, opened, width_rand


def alligator(
    *,
    size: Size,
    spacing: float,
    regularity: float,
    stretch: float,
    heading: float,
    generations: int,
    finest: float,
    idle: float,
    width: float,
    ageing: float,
    unevenness: float,
    band: tuple[float, float, float] | None,
    grain: Grain,
    rng: np.random.Generator,
) -> Contour:
    """A network of polygons that grew in generations.

    spacing: mm between the centers of the first polygons. regularity: from 0, anywhere, to 1, a lattice. stretch: how
    much longer the polygons are along `heading` (degrees). generations: how often they split across their longer axis
    while that is longer than `finest` mm. idle: probability that a polygon does not split. width: mm of the first
    cracks. ageing: width of a generation as a share of the one before. unevenness: standard deviation of the logarithm
    of the width. band: cracks fade out beyond this strip (degrees, offset from the patch's center in mm, half width in
    mm); None for the whole patch. Raises InputError if a crack is as wide as the patch.
    """
    cells, ridges = _voronoi(rng, size, spacing, regularity, stretch, heading)
    paths = [Path(ridge, _aged(rng, width, unevenness)) for ridge in ridges]
    for generation in range(1, generations + 1):
        halves = []
        for corners, owners in cells:
            if _short_side(corners) < finest or rng.random() < idle or not _shown(corners[None], size, 0.0)[0]:
                halves.append((corners, owners))
                continue
            ends, (i, j) = _chord(rng, corners)
            joined = rng.random() < 0.8
            fade = (0.0, 0.0 if joined else 0.8 * float(np.hypot(*(ends[1] - ends[0]))))
            points = ends if joined else np.stack([ends[0], ends[0] + rng.uniform(0.4, 0.8) * (ends[1] - ends[0])])
            paths.append(Path(points, _aged(rng, width * ageing**generation, unevenness), fade, parent=int(owners[i])))
            halves += _halves(corners, owners, ends, i, j, len(paths) - 1)
        cells = halves
    if band is not None:
        paths = [_faded(path, size, spacing / 12, band) for path in paths]
    return opened(rng, paths, size, grain)


Cell = tuple[Array, NDArray[np.int64]]


def _aged(rng: np.random.Generator, width: float, unevenness: float) -> float:
    return width * float(np.exp(np.clip(rng.normal(0.0, unevenness), -1.5, 0.5)))


def _voronoi(
    rng: np.random.Generator, size: Size, spacing: float, regularity: float, stretch: float, heading: float
) -> tuple[list[Cell], list[Array]]:
    """Convex polygons with their (k, 2) corners and the ridge index of each side; and the ridges, (2, 2) each."""
    half = float(np.hypot(*size)) / 2 + 2 * spacing
    count = int(np.ceil(2 * half / spacing))
    lattice = (np.mgrid[:count, :count].reshape(2, -1).T + rng.uniform(0, 1, 2)) * spacing - half
    # Every other row is shifted by half a step, which gives hexagons rather than squares.
    lattice[:, 1] += spacing / 2 * (np.arange(count * count) // count % 2)
    seeds = lattice + (1 - regularity) * spacing * rng.uniform(-0.75, 0.75, lattice.shape)
    axes = np.stack([direction(heading), direction(heading + 90)])
    seeds = (seeds * (np.sqrt(stretch), 1 / np.sqrt(stretch))) @ axes + np.asarray(size) / 2
    near = np.all((seeds > -2 * spacing) & (seeds < np.asarray(size) + 2 * spacing), axis=1)
    diagram = scipy.spatial.Voronoi(seeds[near])
    ends = np.array(diagram.ridge_vertices)
    # The outermost cells reach far away. Only ridges that can be visible are drawn.
    shown = (ends >= 0).all(axis=1) & _shown(diagram.vertices[ends], size, spacing / 4)
    number = {frozenset(pair): k for k, pair in enumerate(ends[shown].tolist())}
    cells: list[Cell] = []
    for region in diagram.regions:
        if len(region) > 2 and -1 not in region:
            sides = [number.get(frozenset(pair), -1) for pair in zip(region, region[1:] + region[:1], strict=True)]
            cells.append((diagram.vertices[region], np.array(sides)))
    return cells, list(diagram.vertices[ends[shown]])


def _shown(points: Array, size: Size, rim: float) -> NDArray[np.bool_]:
    """(n,) whether the boxes of point sets (n, k, 2) meet the patch, grown by `rim` mm."""
    return np.all((points.max(axis=1) > -rim) & (points.min(axis=1) < np.asarray(size) + rim), axis=1)


def _long_axis(corners: Array) -> Array:
    x, y = corners.T - corners.mean(axis=0)[:, None]
    turn = 0.5 * atan2(2 * (x @ y), x @ x - y @ y)
    return np.array([cos(turn), sin(turn)])


def _short_side(corners: Array) -> float:
    """Extent in mm along the longer axis, which a split would halve."""
    return float(np.ptp(corners @ _long_axis(corners)))


def _chord(rng: np.random.Generator, corners: Array) -> tuple[Array, tuple[int, int]]:
    """Both ends (2, 2) of a split across the longer axis near the middle, and the sides they lie on."""
    along = _long_axis(corners)
    across = np.array([-along[1], along[0]]) + along * rng.normal(0.0, 0.2)
    middle = corners.mean(axis=0) + along * np.ptp(corners @ along) * rng.uniform(-0.16, 0.16)
    # Signed distance of the corners from the line; it changes sign on two sides of a convex polygon.
    away = (corners - middle) @ (-across[1], across[0])
    after = np.roll(away, -1)
    i, j = np.flatnonzero((away < 0) != (after < 0))[:2].tolist()
    t = away / np.where(away == after, 1.0, away - after)
    points = corners + t[:, None] * (np.roll(corners, -1, axis=0) - corners)
    return points[[i, j]], (i, j)


def _halves(corners: Array, owners: NDArray[np.int64], ends: Array, i: int, j: int, chord: int) -> list[Cell]:
    first = np.concatenate([ends[:1], corners[i + 1 : j + 1], ends[1:]])
    second = np.concatenate([ends[1:], corners[j + 1 :], corners[: i + 1], ends[:1]])
    return [
        (first, np.concatenate([owners[i : j + 1], [chord]])),
        (second, np.concatenate([owners[j:], owners[: i + 1], [chord]])),
    ]


def _faded(path: Path, size: Size, step: float, band: tuple[float, float, float]) -> Path:
    """The path, narrower the farther it lies beyond the band."""
    start, end = path.points
    count = max(int(np.hypot(*(end - start)) / step), 2) + 1
    points = start + np.linspace(0, 1, count)[:, None] * (end - start)
    away = np.abs((points - np.asarray(size) / 2) @ direction(band[0] + 90.0) - band[1]) / band[2]
    return Path(points, path.width * np.clip(2.0 - away, 0.0, 1.0), path.fade, path.kind, path.parent)


def alligator_rand(
    rng: np.random.Generator, size: Size, width: float | None = None, detail: float | None = None
) -> Contour:
    """A random network, coarse or fine, over the whole patch or a band.

    width: mm of a single crack; the first cracks of the network are 0.7 times as wide. detail: mm between points.
    """
    # Real polygons have no straight sides.
    grain = grain_rand(rng, size, detail)
    grain = replace(grain, amplitude=grain.amplitude * rng.uniform(1.0, 2.0))
    span = min(size)
    spacing = span * float(np.exp(rng.uniform(np.log(0.25), np.log(0.7))))
    generations = int(rng.integers(0, 3))
    band = None
    if rng.random() < 0.5:
        band = (rng.uniform(0.0, 180.0), span * rng.normal(0.0, 0.2), span * rng.uniform(0.12, 0.4))
    return alligator(
        size=size,
        spacing=spacing,
        regularity=rng.uniform(0.2, 0.75),
        stretch=rng.uniform(1.0, 1.7),
        heading=rng.uniform(0.0, 180.0),
        generations=generations,
        finest=max(0.35 * spacing, 0.12 * span),
        idle=rng.uniform(0.1, 0.5),
        width=0.7 * (width or width_rand(rng, size)),
        ageing=rng.uniform(0.4, 0.8),
        unevenness=rng.uniform(0.2, 0.55),
        band=band,
        grain=grain,
        rng=rng,
    )

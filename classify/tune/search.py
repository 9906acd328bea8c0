"""Searches for the shares of pieces with which pictures are nearest to photographs, all places at once.

Matching (`matching.py`) goes from place to place, and what it asks is linear in the shares of one. Here the distance
itself is minimized, as it is with all places moved and with the part of each that stays. It has several minima and no
cheap slope, so the covariance matrix adaptation evolution strategy does it (Hansen, The CMA Evolution Strategy: A
Tutorial, arXiv:1604.00772), in the package cmaes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from classify.tune.domains import Array
from classify.tune.matching import Match, precision, ridge_of, tilted
from classify.tune.pool import Pool
from scenes.errors import InputError
from training.progress import counted

GENERATIONS = 200
_STEP = 0.3
"""How far the first generation lies apart, in logarithms of ratios."""

_LOWEST = 0.02
"""The least ratio that a search starts from."""

_REFUSED = 10.0
"""More than any distance."""


def optimizer() -> Any:
    """The class of the optimizer. Raises InputError where its package is missing."""
    try:
        from cmaes import CMA
    except ModuleNotFoundError:
        remedy = "in blendmill's checkout: pip install -e '.[tune]'; or give --rounds 0"
        raise InputError(f"--rounds: the package cmaes is missing; {remedy}") from None
    return CMA


def search(pool: Pool, start: Match, least: float, seed: int) -> Match:
    """The match with the smallest distance of the pool's pictures from its photographs; never a worse one than `start`.

    To the distance comes the prior of `ratio_of`, so that chance moves nothing far. Where a class would keep fewer
    effective renders than the share `least` of its renders in the first draw, the distance is not known well enough,
    and the search turns back.

    seed: of the search. Raises InputError where the optimizer's package is missing.
    """
    aim = _Aim(pool, start, least)
    best = aim.start
    lowest = float(aim.values(best[None])[0])
    found = optimizer()(mean=best, sigma=_STEP, seed=seed)
    with counted("generations searched", GENERATIONS) as advance:
        for _ in range(GENERATIONS):
            points = np.stack([found.ask() for _ in range(found.population_size)])
            values = aim.values(points)
            first = int(values.argmin())
            if values[first] < lowest:
                best, lowest = points[first], float(values[first])
            found.tell(list(zip(points, values.tolist(), strict=True)))
            advance(1)
            if found.should_stop():
                break
    return aim.match(best)


class _Aim:
    """What is minimized. A point (d,) has a number for each piece of each place, the logarithm of its ratio up to a
    constant for the place."""

    def __init__(self, pool: Pool, start: Match, least: float):
        self._pool, self._floor, self._least = pool, start.floor, least
        self._pieces = [place.pieces for place in pool.table.places]
        self._ends = np.cumsum([len(pieces) for pieces in self._pieces])[:-1]
        reached = np.concatenate([start.reached(ratio) for ratio in start.ratios])
        self.start: Array = np.log(np.maximum(reached, _LOWEST))
        weights, rows = pool.weights(start), pool.table.pieces
        ridges = [
            ridge_of(pool.domains, weights / tilted(rows[k], tilt), rows[k], self._pieces[k])
            for k, tilt in enumerate(start.tilts())
        ]
        self._priors = [
            ridge / len(pool.domains.groups) * precision(pieces)
            for ridge, pieces in zip(ridges, self._pieces, strict=True)
        ]

    def match(self, point: Array) -> Match:
        ratios = []
        for pieces, logarithms in zip(self._pieces, np.split(point, self._ends), strict=True):
            raw = np.exp(logarithms - logarithms.max())
            ratios.append(raw / (pieces.shares @ raw))
        return Match(tuple(range(len(ratios))), tuple(ratios), self._floor)

    def values(self, points: Array) -> Array:
        """(w,) of points (w, d)."""
        matches = [self.match(point) for point in points]
        weights = np.stack([self._pool.weights(match) for match in matches])
        found = self._pool.domains.distances(weights) + [self._prior(match) for match in matches]
        missing = self._least - self._pool.effective(weights).min(axis=1)
        return np.where(missing > 0, _REFUSED + missing, found)

    def _prior(self, match: Match) -> float:
        offs = [ratio - 1 for ratio in match.ratios]
        return float(sum(off @ prior @ off for off, prior in zip(offs, self._priors, strict=True)))

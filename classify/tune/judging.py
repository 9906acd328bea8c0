"""What tuned distributions are worth, on photographs that had no part in learning them; and how sure they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from classify.tune.domains import Array, Domains
from classify.tune.factors import Table
from classify.tune.matching import Gain, Match, bounded, gains, ratio_of, tilted, together
from classify.tune.measures import DISTANCE, Measure

LEVEL, DRAWS, REFITS = 0.95, 500, 100
_SPLIT = 2

SIGNIFICANT = 0.05
"""Below this p, after Holm's correction, the photographs held back confirm something."""


@dataclass(frozen=True)
class Verdict:
    """What `measure` says of the photographs that were held back, without and with tuning.

    low, high: bootstrap interval of their difference, over renders and photographs. p: one-sided probability that
    tuning makes it no less, by the bootstrap's standard deviation.
    """

    untuned: float
    tuned: float
    low: float
    high: float
    p: float
    measure: Measure = DISTANCE

    @property
    def change(self) -> float:
        return self.tuned - self.untuned

    @property
    def sure(self) -> bool:
        """Whether the whole interval says that it got less."""
        return self.high < 0


def compared(domains: Domains, before: Array, after: Array) -> Verdict:
    """The distances with the weights (n,) of `before`, and with those of `after`."""
    without, tuned = domains.resampled(np.stack([before, after]), DRAWS)
    changes = tuned - without
    low, high = np.quantile(changes, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    there, here = domains.distance(before), domains.distance(after)
    error = float(changes.std())
    p = float(norm.cdf((here - there) / error)) if error > 0 else 1.0
    return Verdict(there, here, float(low), float(high), p)


@dataclass(frozen=True)
class Judge:
    """The criterion of the kernel distance, see `classify.tune.outcome.Criterion`.

    It holds photographs back, and renders, too: each half of the renders gets the weights that the other half and the
    photographs of `learned` say, and is compared with those of `held`. Otherwise the tuned renders would be nearer by
    chance. learned, held: the same renders, with the two halves of the photographs.
    """

    learned: Domains
    held: Domains
    table: Table
    floor: float
    least: float
    measure: Measure = DISTANCE

    def gains(self, advance: Callable[[int], object]) -> list[Gain]:
        return gains(self.learned, self.table, self.floor, advance)

    def alone(self, rows: Sequence[int], advance: Callable[[int], object]) -> list[Verdict]:
        halves, found = self.matches(rows), []
        for row in rows:
            found.append(self.verdict([half.alone(row) for half in halves], self.touched(row)))
            advance(1)
        return found

    def together(self, rows: Sequence[int]) -> Verdict:
        return self.verdict(self.matches(rows))

    def match(self, rows: Sequence[int]) -> Match:
        found = together(self.learned, self.table, rows, self.floor)
        return bounded(found, self.table, self.learned.labels, self.least)

    def intervals(self, match: Match, advance: Callable[[int], object]) -> list[tuple[Array, Array]]:
        return intervals(self.learned, self.table, match, np.ones(len(self.learned.labels)), advance)

    def matches(self, rows: Sequence[int]) -> list[Match]:
        """What each half of the renders says of some places of the table, for the other half."""
        found = []
        for fold in range(_SPLIT):
            others = self._folds != fold
            part = self.learned.part(others, np.ones(len(self.learned.photos), bool))
            table = self.table.of(others)
            found.append(bounded(together(part, table, rows, self.floor), table, part.labels, self.least))
        return found

    def verdict(self, matches: Sequence[Match], touched: NDArray[np.bool_] | None = None) -> Verdict:
        """The distances without and with the matches of the two halves.

        touched: (n,) the renders of the classes to judge by; by default all.
        """
        weights = np.ones(len(self._folds))
        for fold, match in enumerate(matches):
            weights = np.where(self._folds == fold, match.weights(self.table), weights)
        folded = self.held.folded(self._folds, _SPLIT)
        if touched is not None:
            every = np.ones(len(self.held.photos), bool)
            folded, weights = folded.part(touched, every), weights[touched]
        return compared(folded, np.ones(len(weights)), weights)

    def touched(self, row: int) -> NDArray[np.bool_]:
        """(n,) the renders of the classes that a place touches."""
        labels = self.learned.labels
        return np.isin(labels, np.unique(labels[self.table.pieces[row] >= 0]))

    @property
    def _folds(self) -> NDArray[np.int64]:
        """(n,) the half of each render; the halves have the same classes."""
        labels, folds = self.learned.labels, np.zeros(len(self.learned.labels), np.int64)
        for label in np.unique(labels):
            members = np.flatnonzero(labels == label)
            folds[members[1::2]] = 1
        return folds


def intervals(
    domains: Domains, table: Table, match: Match, untuned: Array, advance: Callable[[int], object] = lambda count: None
) -> list[tuple[Array, Array]]:
    """The interval of each place's ratios: low (b,) and high (b,), from their deviation when each is learned anew.

    untuned: (n,) the weights with which the renders stand for the untuned config. Renders and photographs are
    resampled. The other places keep their weights. The interval is that of a normal distribution around the ratio,
    because resampled pictures are noisier, so that their ratios lie nearer to 1. advance: is called with 1 for each
    place.
    """
    found = []
    for k, row in enumerate(match.rows):
        rows, pieces = table.pieces[row], table.places[row].pieces
        others = untuned * match.weights(table) / tilted(rows, match.tilts()[k])
        near = np.flatnonzero(np.isin(domains.labels, np.unique(domains.labels[rows >= 0])))
        rng, ratios = np.random.default_rng(0), []
        for _ in range(REFITS):
            drawn = near[_resampled(rng, domains.labels[near])]
            photos = rng.integers(len(domains.photos), size=len(domains.photos))
            part = Domains(
                domains.renders[drawn], domains.labels[drawn], domains.photos[photos], domains.beliefs[photos]
            )
            ratios.append(ratio_of(part, others[drawn], rows[drawn], pieces))
        off = norm.ppf((1 + LEVEL) / 2) * np.std(ratios, axis=0)
        found.append((np.maximum(match.ratios[k] - off, 0), match.ratios[k] + off))
        advance(1)
    return found


def _resampled(rng: np.random.Generator, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places of pictures drawn with replacement, within each class."""
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return np.concatenate([rng.choice(each, len(each)) for each in members])

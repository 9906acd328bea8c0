"""Which distributions move so that a classifier that learns from the renders can tell more of the photographs.

To first order, a place changes what predictions on photographs lack by the sum of the influences of its renders, times
what it adds to their weights. So its candidates, ratios and errors come from one matrix of influences (renders,
photographs). What is confirmed is then measured: a classifier learns from the tuned weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from classify.tune.domains import Array
from classify.tune.factors import Table
from classify.tune.judging import LEVEL, REFITS, Verdict
from classify.tune.lesson import Lesson
from classify.tune.matching import FOLDS, Gain, Match, bounded, folds_of, precision, tilted
from classify.tune.measures import INFORMATION, Measure
from classify.tune.outcome import Outcome, outcome_of
from scenes.pieces import Pieces

MOST_PHOTOS = 2000
"""Photographs to learn from, and to judge by. More of them would take memory for each render, and tell little more."""

_HALVES = 2


def decide(lesson: Lesson, held: NDArray[np.bool_], table: Table, floor: float, least: float) -> Outcome:
    """Tune the places of a table, as `classify.tune.outcome.decide` does, by what a classifier tells of photographs.

    held: (m,) the photographs that judge. The other arguments are those of that function.
    """
    head = lesson.learned(np.ones(len(lesson.labels)))
    seen, judged = lesson.watched(_few(~held)), lesson.watched(_few(held))
    learned, judging = Influence.of(seen, head), Influence.of(judged, head)
    telling = _Telling(judged, learned, judging, judged.missing(head), table, floor, least)
    return outcome_of(telling, table, lesson.labels)


def _few(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The places of what is chosen; of more than `MOST_PHOTOS` as many, evenly over their order."""
    places = np.flatnonzero(chosen)
    return places[np.linspace(0, len(places) - 1, min(len(places), MOST_PHOTOS)).astype(np.int64)]


@dataclass(frozen=True)
class Influence:
    """effects: (n, m) float64, by how much the weight of each render changes what is lacking of each photograph.
    labels: (n,) the classes of the renders. weights: (n,) with which they count, all classes alike."""

    effects: Array
    labels: NDArray[np.int64]
    weights: Array

    @classmethod
    def of(cls, lesson: Lesson, head: Array) -> Influence:
        """That of the untuned renders, from which a classifier learned `head`."""
        ones = np.ones(len(lesson.labels))
        return cls(lesson.influence(head, ones), lesson.labels, lesson.balanced(ones))

    @cached_property
    def by_render(self) -> Array:
        """(n,) the mean effect of each render on the photographs."""
        return np.asarray(self.effects.mean(axis=1))

    def part(self, renders: NDArray[np.bool_] | NDArray[np.int64], photos: NDArray[np.bool_] | slice) -> Influence:
        """That of some renders on some photographs."""
        return Influence(self.effects[renders][:, photos], self.labels[renders], self.weights[renders])

    def centered(self, values: Array, rows: NDArray[np.int16]) -> Array:
        """(n,) values of renders beside the mean of their class, where a place touches them; 0 elsewhere.

        A place moves weight between its pieces, and takes none from elsewhere.
        """
        found = np.where(rows >= 0, values, 0.0)
        for label in np.unique(self.labels):
            members = np.flatnonzero((self.labels == label) & (rows >= 0))
            if len(members):
                found[members] -= found[members].mean()
        return found

    def ratio(self, rows: NDArray[np.int16], pieces: Pieces) -> Array:
        """The ratio (b,) of the shares that pieces should have to those that they have: at least 0, the mean is 1.

        Ratios are in proportion to the mean effects of the pieces, smooth over neighbors. Their deviation is 1 where
        the effects are sure, and less by the share of them that is noise (James and Stein, 1961).
        """
        each, shares = self.centered(self.by_render, rows), pieces.shares
        members = [np.flatnonzero(rows == piece) for piece in range(len(pieces))]
        if min(map(len, members)) < 2:
            return np.ones(len(pieces))
        means = np.array([each[member].mean() for member in members])
        noise = float(shares @ [each[member].var(ddof=1) / len(member) for member in members])
        signal = float(shares @ means**2)
        if signal <= noise:
            return np.ones(len(pieces))
        smooth = np.linalg.solve(precision(pieces), means)
        smooth -= shares @ smooth
        found = np.maximum(1 - (1 - noise / signal) * smooth / np.sqrt(shares @ smooth**2), 0)
        return np.asarray(found / (shares @ found))

    def changes(self, rows: NDArray[np.int16], tilt: Array) -> tuple[float, float]:
        """The change of the mean of what is lacking when a place tilts its pieces, to first order; and its variance."""
        off = self.weights * (tilted(rows, tilt) - 1)
        by_render = off * self.centered(self.by_render, rows)
        by_photo = self.centered(off, rows) @ self.effects
        return float(by_render.sum()), float(len(off) * by_render.var() + by_photo.var() / len(by_photo))

    def match(self, table: Table, rows: Sequence[int], floor: float) -> Match:
        """The ratios of some places."""
        return Match(tuple(rows), tuple(self.ratio(table.pieces[r], table.places[r].pieces) for r in rows), floor)

    def interval(self, rows: NDArray[np.int16], pieces: Pieces, ratio: Array) -> tuple[Array, Array]:
        """The interval of a place's ratios: low (b,) and high (b,), from their deviation in resampled pictures."""
        rng, ratios = np.random.default_rng(0), []
        count, photos = self.effects.shape
        for _ in range(REFITS):
            drawn = rng.integers(count, size=count)
            times = rng.multinomial(photos, np.full(photos, 1 / photos)) / photos
            part = replace(self.part(drawn, slice(None)), effects=(self.effects[drawn] @ times)[:, None])
            ratios.append(part.ratio(rows[drawn], pieces))
        off = norm.ppf((1 + LEVEL) / 2) * np.std(ratios, axis=0)
        return np.maximum(ratio - off, 0), ratio + off


def gains(
    influence: Influence, table: Table, floor: float, advance: Callable[[int], object] = lambda count: None
) -> Iterator[Gain]:
    """What each place gains alone, with ratios learned from some renders and photographs and measured on others."""
    rng = np.random.default_rng(0)
    renders = folds_of(rng, influence.labels)
    photos = folds_of(rng, np.zeros(influence.effects.shape[1], np.int64))
    learned = [influence.part(renders != fold, photos != fold) for fold in range(FOLDS)]
    judged = [influence.part(renders == fold, photos == fold) for fold in range(FOLDS)]
    for place, rows in zip(table.places, table.pieces, strict=True):
        found = []
        for fold in range(FOLDS):
            ratio = learned[fold].ratio(rows[renders != fold], place.pieces)
            found.append(judged[fold].changes(rows[renders == fold], 1 + (1 - floor) * (ratio - 1)))
        # Each fold has its share of the renders, so the changes of all folds add up.
        mean, error = sum(change for change, _ in found), float(np.sqrt(sum(variance for _, variance in found)))
        yield Gain(mean, error, float(norm.cdf(mean / error)) if error > 0 else 1.0)
        advance(1)


@dataclass(frozen=True)
class _Telling:
    """The criterion of what is missing, see `classify.tune.outcome.Criterion`.

    Each half of the renders gets the weights that the other half says. lesson: with the photographs held back. learned,
    judging: influences on the others, and on these. before: (m,) what is missing of these without tuning.
    """

    lesson: Lesson
    learned: Influence
    judging: Influence
    before: Array
    table: Table
    floor: float
    least: float
    measure: Measure = INFORMATION

    def gains(self, advance: Callable[[int], object]) -> list[Gain]:
        return list(gains(self.learned, self.table, self.floor, advance))

    def alone(self, rows: Sequence[int], advance: Callable[[int], object]) -> list[Verdict]:
        found = []
        for row in rows:
            found.append(self.together([row]))
            advance(1)
        return found

    def match(self, rows: Sequence[int]) -> Match:
        return bounded(self.learned.match(self.table, rows, self.floor), self.table, self.lesson.labels, self.least)

    def intervals(self, match: Match, advance: Callable[[int], object]) -> list[tuple[Array, Array]]:
        found = []
        for row, ratio in zip(match.rows, match.ratios, strict=True):
            found.append(self.learned.interval(self.table.pieces[row], self.table.places[row].pieces, ratio))
            advance(1)
        return found

    def together(self, rows: Sequence[int]) -> Verdict:
        labels, weights = self.lesson.labels, np.ones(len(self.lesson.labels))
        halves = folds_of(np.random.default_rng(0), labels, _HALVES)
        for half in range(_HALVES):
            others = halves != half
            table = self.table.of(others)
            match = self.learned.part(others, slice(None)).match(table, rows, self.floor)
            found = bounded(match, table, labels[others], self.least).weights(self.table)
            weights = np.where(halves == half, found, weights)
        changes = self.lesson.missing(self.lesson.learned(weights)) - self.before
        by_render = (self.lesson.balanced(weights) - self.judging.weights) * self.judging.by_render
        error = float(np.sqrt(changes.var() / len(changes) + len(by_render) * by_render.var()))
        there, change = float(self.before.mean()), float(changes.mean())
        p = float(norm.cdf(change / error)) if error > 0 else 1.0
        reach = float(norm.ppf((1 + LEVEL) / 2)) * error
        return Verdict(there, there + change, change - reach, change + reach, p, self.measure)

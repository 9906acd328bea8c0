"""Which distributions move so that a classifier that learns from the renders can tell more of the photographs.

To first order, a place changes what predictions on photographs lack by the sum of the influences of its renders, times
what it adds to their weights. So its candidates, ratios and errors come from one matrix of influences (renders,
photographs). What is confirmed is then measured: a classifier learns from the tuned weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from classify.ablation.statistics import holm
from classify.tune.domains import Array
from classify.tune.factors import Table
from classify.tune.judging import LEVEL, REFITS, SIGNIFICANT, Verdict
from classify.tune.lesson import Lesson
from classify.tune.matching import FOLDS, Gain, Match, bounded, effective, folds_of, precision, tilted
from classify.tune.measures import INFORMATION
from classify.tune.outcome import SCREENED, Moved, Outcome, Refused, shares_of
from scenes.pieces import Pieces
from training.progress import counted

MOST_PHOTOS = 2000
"""Photographs to learn from, and to judge by. More of them would take memory for each render, and tell little more."""

_HALVES = 2


def decide(lesson: Lesson, held: NDArray[np.bool_], table: Table, floor: float, least: float) -> Outcome:
    """Tune the places of a table, as `classify.tune.outcome.decide` does, by what a classifier tells of photographs.

    held: (m,) the photographs that judge. The other arguments are those of that function.
    """
    seen, judged = lesson.watched(_few(~held)), lesson.watched(_few(held))
    learned, judging = Influence.of(seen), Influence.of(judged)
    with counted("effects of factors", len(table.places)) as advance:
        found = list(gains(learned, table, floor, advance))
    rows = [row for row, gain in enumerate(found) if gain.p < SCREENED]
    judge = _Judge(judged, learned, judging, table, floor, least)
    worth = [judge.verdict([row]) for row in rows]
    corrected = holm([one.p for one in worth])
    confirmed = [row for row, p in zip(rows, corrected, strict=True) if p < SIGNIFICANT]
    total = judge.verdict(confirmed) if confirmed else None
    moving = confirmed if total is not None and total.change < 0 else []
    match = bounded(learned.match(table, moving, floor), table, lesson.labels, least)
    known = {row: (table.places[row], found[row], p, one) for row, p, one in zip(rows, corrected, worth, strict=True)}
    moved = []
    for row, ratio in zip(match.rows, match.ratios, strict=True):
        place, gain, p, one = known[row]
        span = learned.interval(table.pieces[row], place.pieces, ratio)
        moved.append(Moved(place, gain, p, *shares_of(place, match, ratio, span), one))
    weights = match.weights(table)
    return Outcome(
        tuple(moved),
        tuple(Refused(*known[row]) for row in rows if row not in moving),
        tuple((place, gain) for place, gain in zip(table.places, found, strict=True) if gain.p >= SCREENED),
        total,
        match,
        weights,
        effective(weights, lesson.labels),
        measure=INFORMATION,
    )


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
    def of(cls, lesson: Lesson) -> Influence:
        ones = np.ones(len(lesson.labels))
        return cls(lesson.influence(ones), lesson.labels, lesson.balanced(ones))

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
        each, shares = self.centered(self.effects.mean(axis=1), rows), pieces.shares
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
        by_render = off * self.centered(self.effects.mean(axis=1), rows)
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
class _Judge:
    """Measures places on the photographs held back. Each half of the renders gets the weights that the other half says.

    lesson: with the photographs held back. learned, judging: influences on the others, and on these.
    """

    lesson: Lesson
    learned: Influence
    judging: Influence
    table: Table
    floor: float
    least: float

    def verdict(self, rows: Sequence[int]) -> Verdict:
        """What is lacking without and with the tuned weights of some places."""
        labels, weights = self.lesson.labels, np.ones(len(self.lesson.labels))
        halves = folds_of(np.random.default_rng(0), labels, _HALVES)
        for half in range(_HALVES):
            others = halves != half
            table = self.table.of(others)
            match = self.learned.part(others, slice(None)).match(table, rows, self.floor)
            found = bounded(match, table, labels[others], self.least).weights(self.table)
            weights = np.where(halves == half, found, weights)
        before = self.lesson.missing(self.lesson.learned(np.ones(len(labels))))
        after = self.lesson.missing(self.lesson.learned(weights))
        change = float((after - before).mean())
        off = self.lesson.balanced(weights) - self.judging.weights
        by_render = off * self.judging.effects.mean(axis=1)
        error = float(np.sqrt((after - before).var() / len(before) + len(off) * by_render.var()))
        p = float(norm.cdf(change / error)) if error > 0 else 1.0
        reach = float(norm.ppf((1 + LEVEL) / 2)) * error
        there = float(before.mean())
        return Verdict(there, there + change, change - reach, change + reach, p, INFORMATION)

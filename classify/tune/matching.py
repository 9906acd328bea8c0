"""Kernel mean matching over factors: the shares of pieces with which renders are nearest to photographs.

Kernel mean matching (Huang et al., NIPS 2006) gives each picture of one domain a weight, such that its mean in feature
space is that of the other. Only factors can be tuned. So here the weight of a picture is the product of a ratio for
each factor, and a ratio depends on the piece of the factor's distribution alone. For one factor this is the estimate of
shares of Iyer et al. (ICML 2014), with pieces in place of classes. Weights that are free would explain a gap between
renders and photographs that no factor explains, and then move each factor too little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import nnls
from scipy.stats import norm

from classify.tune.domains import Array, Domains, Group
from classify.tune.factors import Table
from scenes.pieces import Pieces

FOLDS = 4
_SWEEPS = 4
_SMOOTH = 4.0
"""1 / deviation^2 of the difference of the ratios of neighboring ranges."""

_EXACT = 1e3
"""How much more than a kernel value it counts that probabilities sum to 1."""


@dataclass(frozen=True)
class Gain:
    """What moving one place gains. mean: the change of the distance, negative where it gets smaller. error: its
    standard error. p: one-sided probability that it gets no smaller."""

    mean: float
    error: float
    p: float


def ratio_of(domains: Domains, weights: Array, rows: NDArray[np.int16], pieces: Pieces) -> Array:
    """The ratio (b,) of the shares that pieces should have to those that they have: at least 0, the mean is 1.

    Minimizes the sum over the classes of |mean of the weighted renders - mean of the photographs|^2, plus a ridge. The
    ridge is the variance of both means along the directions in which the pieces differ. This is what a normal prior
    gives, by which ratios are 1 with a deviation of 1, and those of neighboring ranges differ by half of that.

    weights: (n,) from other places. rows: (n,) the piece of each render, -1 for those that the place does not touch. In
    the classes that it touches these stay as they are.
    """
    fit = _fit(domains, weights, rows, pieces)
    if fit is None:
        return np.ones(len(pieces))
    square, product, ridge = fit
    prior, around, shares = precision(pieces), np.ones(len(pieces)), pieces.shares
    factor = np.linalg.cholesky(square + ridge * prior)
    aim = solve_triangular(factor, product + ridge * prior @ around, lower=True)
    scale = _EXACT * np.sqrt(np.trace(square) + ridge)
    found, _ = nnls(np.vstack([factor.T, scale * shares]), np.append(aim, scale))
    return np.asarray(found / (shares @ found))


def ridge_of(domains: Domains, weights: Array, rows: NDArray[np.int16], pieces: Pieces) -> float:
    """The ridge of `ratio_of`: how much the prior of the ratios counts; 0 where the place touches no render."""
    fit = _fit(domains, weights, rows, pieces)
    return 0.0 if fit is None else fit[2]


def _fit(
    domains: Domains, weights: Array, rows: NDArray[np.int16], pieces: Pieces
) -> tuple[Array, Array, float] | None:
    """The quadratic form (b, b) and the linear one (b,) that `ratio_of` minimizes, and its ridge."""
    count, shares = len(pieces), pieces.shares
    square, product, noise, signal = np.zeros((count, count)), np.zeros(count), 0.0, 0.0
    for group in _touched(domains, rows):
        ours, inside = rows[group.renders], rows[group.renders] >= 0
        each = weights[group.renders] / weights[group.renders].sum()
        member = np.where(inside, each, 0)[:, None] * (ours[:, None] == np.arange(count))
        vectors, goal = domains.renders[group.renders], group.photos @ domains.photos
        means, mean = member.T @ vectors, each @ vectors
        square += means @ means.T
        product += means @ (goal - np.where(inside, 0, each) @ vectors)
        apart = means - shares[:, None] * means.sum(axis=0)
        noise += float((group.photos[:, None] ** 2 * ((domains.photos - goal) @ apart.T) ** 2).sum())
        noise += float((each[:, None] ** 2 * ((vectors - mean) @ apart.T) ** 2).sum())
        signal += float((apart**2).sum())
    return (square, product, noise / signal + 1e-9) if signal else None


def precision(pieces: Pieces) -> Array:
    """The inverse covariance (b, b) of the prior of the ratios."""
    found = np.eye(len(pieces))
    for i, j in pieces.neighbors:
        step = np.zeros(len(pieces))
        step[[i, j]] = 1, -1
        found += _SMOOTH * np.outer(step, step)
    return found


def _touched(domains: Domains, rows: NDArray[np.int16]) -> Iterator[Group]:
    """The classes that a place touches."""
    return (group for group in domains.groups.values() if (rows[group.renders] >= 0).any())


def gains(
    domains: Domains, table: Table, floor: float, advance: Callable[[int], object] = lambda count: None
) -> list[Gain]:
    """What each place gains alone, learned from some renders and photographs and measured on others.

    Both are divided into four folds. The shares are learned from three of them and measured on the fourth, with the
    part `floor` of the distribution as it was. The standard error comes from the influence of each render and
    photograph (Efron and Tibshirani, An Introduction to the Bootstrap, chapter 22). advance: is called with 1 for each
    place.
    """
    rng = np.random.default_rng(0)
    folds = folds_of(rng, domains.labels), folds_of(rng, np.zeros(len(domains.photos), np.int64))
    parts = [tuple(fold == k for fold in folds) for k in range(FOLDS)]
    learned = [domains.part(~renders, ~photos) for renders, photos in parts]
    judged = [domains.part(renders, photos) for renders, photos in parts]
    found = []
    for place, rows in zip(table.places, table.pieces, strict=True):
        changes = []
        for k, (renders, _) in enumerate(parts):
            ratio = ratio_of(learned[k], np.ones(len(learned[k].renders)), rows[~renders], place.pieces)
            changes.append(_change(judged[k], rows[renders], 1 + (1 - floor) * (ratio - 1)))
        means, variances = np.array([change for change in changes if change is not None]).reshape(-1, 2).T
        error = float(np.sqrt(variances.sum()) / max(len(means), 1))
        mean = float(means.mean()) if len(means) else 0.0
        p = float(norm.cdf(mean / error)) if error > 0 else 1.0
        found.append(Gain(mean, error, p))
        advance(1)
    return found


def folds_of(rng: np.random.Generator, labels: NDArray[np.int64], count: int = FOLDS) -> NDArray[np.int64]:
    """(n,) folds, in which the classes have the same shares."""
    folds = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        folds[members] = np.arange(len(members)) % count
    return folds


def _change(domains: Domains, rows: NDArray[np.int16], tilt: Array) -> tuple[float, float] | None:
    """The change of the unbiased distance of the classes that a place touches, and its variance; None without any."""
    off = tilted(rows, tilt) - 1
    changes, variances = [], []
    for group in _touched(domains, rows):
        vectors, ours = domains.renders[group.renders], off[group.renders]
        count, moved, goal = len(ours), ours @ vectors, group.photos @ domains.photos
        there = vectors.sum(axis=0)
        pairs = count * (count - 1)
        change = (2 * (moved @ there - ours.sum()) + moved @ moved - (ours**2).sum()) / pairs - 2 * moved @ goal / count
        mean = moved / count
        influence = 2 * (ours * (vectors @ (there / count - goal + mean)) + vectors @ mean)
        scores = 2 * (domains.photos - goal) @ mean
        changes.append(change)
        variances.append(influence.var() / count + (group.photos**2 * scores**2).sum())
    if not changes:
        return None
    return float(np.mean(changes)), float(np.sum(variances) / len(changes) ** 2)


@dataclass(frozen=True)
class Match:
    """Ratios of places that move together. rows: of the table. ratios: what the photographs say of each, (b,) float64.
    strength: how far the places go, 0 to 1. floor: the share of each distribution that stays as it was."""

    rows: tuple[int, ...]
    ratios: tuple[Array, ...]
    floor: float
    strength: float = 1.0

    def tilt(self, ratio: Array) -> Array:
        """The ratios (b,) that a place gets, of which the photographs say `ratio`: at least `floor`, the mean is 1."""
        return 1 + (1 - self.floor) * (self.reached(ratio) - 1)

    def reached(self, ratio: Array) -> Array:
        """The ratios (b,) beside the part that stays as it was."""
        return 1 + self.strength * (ratio - 1)

    def tilts(self) -> list[Array]:
        """What each place gets."""
        return [self.tilt(ratio) for ratio in self.ratios]

    def weights(self, table: Table) -> Array:
        """(n,) the weight of each render."""
        found = np.ones(table.pieces.shape[1])
        for row, tilt in zip(self.rows, self.tilts(), strict=True):
            found *= tilted(table.pieces[row], tilt)
        return found

    def alone(self, row: int) -> Match:
        """The same with one place only."""
        k = self.rows.index(row)
        return Match((row,), (self.ratios[k],), self.floor, self.strength)


def tilted(rows: NDArray[np.int16], tilt: Array) -> Array:
    """(n,) the factor that a place gives the weight of each render; 1 where it does not touch it."""
    return np.where(rows >= 0, tilt[rows], 1.0)


def together(domains: Domains, table: Table, rows: Sequence[int], floor: float) -> Match:
    """The ratios of some places, each matched while the others are as they will be.

    So two places that explain the same are not both moved all the way.
    """
    match = Match(tuple(rows), tuple(np.ones(len(table.places[row].pieces)) for row in rows), floor)
    for _ in range(_SWEEPS):
        for k, row in enumerate(rows):
            tilts = match.tilts()
            others = match.weights(table) / tilted(table.pieces[row], tilts[k])
            ratio = ratio_of(domains, others, table.pieces[row], table.places[row].pieces)
            match = Match(match.rows, (*match.ratios[:k], ratio, *match.ratios[k + 1 :]), floor)
    return match


def effective(weights: Array, labels: NDArray[np.int64]) -> dict[int, float]:
    """The effective number of renders of each class, as a share of its renders: (sum w)^2 / (n sum w^2)."""
    found = {}
    for label in np.unique(labels).tolist():
        ours = weights[labels == label]
        found[label] = float(ours.sum() ** 2 / (len(ours) * (ours**2).sum()))
    return found


def bounded(match: Match, table: Table, labels: NDArray[np.int64], least: float) -> Match:
    """The match with the largest strength at which each class keeps so many effective renders, as a share."""

    def holds(strength: float) -> bool:
        weights = Match(match.rows, match.ratios, match.floor, strength).weights(table)
        return min(effective(weights, labels).values()) >= least

    if holds(1.0):
        return match
    low, high = 0.0, 1.0
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return Match(match.rows, match.ratios, match.floor, low)

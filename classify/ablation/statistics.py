"""Paired differences between combinations, with bootstrap intervals and a correction for many comparisons."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classify.ablation.designs import Arm, Comparison
from training.studies import Tested

LEVEL, DRAWS = 0.95, 2000
_CHUNK = 100


@dataclass(frozen=True)
class Answers:
    """A `training.studies.Tested`: which pictures were classified correctly.

    labels: (n,) int64. right: by combination and seed, whether each picture was classified correctly, (n,) bool.
    """

    labels: NDArray[np.int64]
    right: Mapping[Arm, Mapping[int, NDArray[np.bool_]]]

    def seeds(self, arm: Hashable) -> list[int]:
        return list(self.right.get(arm, {}))  # type: ignore[call-overload]

    def weights(self, figure: str) -> NDArray[np.float64]:
        """(n,) float64, what each picture adds to a figure where it is right: to accuracy or mean_recall."""
        if figure == "accuracy":
            return np.full(len(self.labels), 1 / len(self.labels))
        classes, counts = np.unique(self.labels, return_counts=True)
        of = dict(zip(classes.tolist(), counts.tolist(), strict=True))
        return np.array([1 / (len(classes) * of[label]) for label in self.labels.tolist()])

    def figure(self, arm: Hashable, figure: str) -> dict[int, float]:
        """A combination's figure, a share of 1, by seed."""
        weights = self.weights(figure)
        found = self.right.get(arm, {})  # type: ignore[call-overload]
        return {seed: float(weights @ right) for seed, right in found.items()}

    def resampled(
        self, names: Sequence[tuple[Arm, int]], figure: str, draws: int, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Figures in resamples of the pictures within each class, (len(names), draws)."""
        right = np.array([self.right[arm][seed] for arm, seed in names], np.float64)
        weights = self.weights(figure)
        members = [np.flatnonzero(self.labels == label) for label in np.unique(self.labels)]
        parts = []
        for begin in range(0, draws, _CHUNK):
            count = min(_CHUNK, draws - begin)
            times = np.empty((count, len(weights)))
            for places in members:
                times[:, places] = rng.multinomial(len(places), np.full(len(places), 1 / len(places)), count)
            parts.append(right @ (times * weights).T)
        return np.concatenate(parts, axis=1)


@dataclass(frozen=True)
class Effect:
    """What a comparison gives on a test set, in shares of 1.

    seeds: the difference by seed. low, high: bootstrap interval of the mean. p: two-sided bootstrap probability of no
    difference; holm: the same, corrected for all comparisons on the test set.
    """

    comparison: Comparison
    seeds: Mapping[int, float]
    low: float
    high: float
    p: float
    holm: float

    @property
    def mean(self) -> float:
        """The mean difference over the seeds."""
        return float(np.mean(list(self.seeds.values())))


def effects(tested: Tested, comparisons: Sequence[Comparison], figure: str, seed: int = 0) -> list[Effect]:
    """The effect of each comparison that has a seed with which all its combinations were tested.

    Pictures are resampled (of classification, within each class; Efron and Tibshirani, An Introduction to the
    Bootstrap, chapter 8), the same for all combinations, because they saw the same pictures. Seeds are resampled, too:
    their deviations from the mean are scaled by the root of n / (n - 1), which few seeds need to have the right
    variance. With a single seed the interval does not contain the variation between seeds.
    """
    arms = sorted({arm for comparison in comparisons for arm in comparison.weights if tested.seeds(arm)})
    if not arms:
        return []
    names = [(arm, one) for arm in arms for one in tested.seeds(arm)]
    drawn = dict(zip(names, tested.resampled(names, figure, DRAWS, np.random.default_rng(seed)), strict=True))
    exact = {arm: tested.figure(arm, figure) for arm in arms}
    rng = np.random.default_rng(seed + 1)
    found = []
    for comparison in comparisons:
        known = [set(exact[arm]) if arm in exact else set() for arm in comparison.weights]
        seeds = sorted(set.intersection(*known))
        if not seeds:
            continue
        differences = {s: sum(w * exact[arm][s] for arm, w in comparison.weights.items()) for s in seeds}
        values = np.array([sum(w * drawn[arm, s] for arm, w in comparison.weights.items()) for s in seeds])
        means = _with_seeds(values, rng)
        low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        below, above = (means <= 0).mean(), (means >= 0).mean()
        p = min(1.0, 2 * max(float(min(below, above)), 1 / (len(means) + 1)))
        found.append(Effect(comparison, differences, float(low), float(high), p, p))
    corrected = holm([effect.p for effect in found])
    return [replace(effect, holm=p) for effect, p in zip(found, corrected, strict=True)]


def _with_seeds(values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Means over resampled seeds, (DRAWS,), of differences (seeds, DRAWS)."""
    count, draws = values.shape
    mean = values.mean(axis=0)
    if count == 1:
        return mean
    chosen = rng.integers(count, size=(count, draws))
    off = np.take_along_axis(values, chosen, axis=0).mean(axis=0) - mean
    return np.asarray(mean + off * np.sqrt(count / (count - 1)))


def holm(p: Sequence[float]) -> list[float]:
    """Probabilities corrected for their number by Holm's method (Scandinavian Journal of Statistics, 1979)."""
    corrected, highest = [0.0] * len(p), 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        highest = max(highest, min(1.0, (len(p) - rank) * p[place]))
        corrected[place] = highest
    return corrected

"""Paired differences between combinations, with bootstrap intervals and a correction for many comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classify.ablation.designs import Arm, Comparison

LEVEL, DRAWS = 0.95, 2000
_CHUNK = 100


@dataclass(frozen=True)
class Answers:
    """What the networks of a study said of one test set, all of the same pictures.

    labels: (n,) int64. right: by combination and seed, whether each picture was classified correctly, (n,) bool.
    """

    labels: NDArray[np.int64]
    right: Mapping[Arm, Mapping[int, NDArray[np.bool_]]]

    def weights(self, figure: str) -> NDArray[np.float64]:
        """(n,) float64, what each picture adds to a figure where it is right: to accuracy or mean_recall."""
        if figure == "accuracy":
            return np.full(len(self.labels), 1 / len(self.labels))
        classes, counts = np.unique(self.labels, return_counts=True)
        of = dict(zip(classes.tolist(), counts.tolist(), strict=True))
        return np.array([1 / (len(classes) * of[label]) for label in self.labels.tolist()])

    def figure(self, arm: Arm, figure: str) -> dict[int, float]:
        """A combination's figure, a share of 1, by seed."""
        weights = self.weights(figure)
        return {seed: float(weights @ right) for seed, right in self.right.get(arm, {}).items()}


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


def effects(tested: Answers, comparisons: Sequence[Comparison], figure: str, seed: int = 0) -> list[Effect]:
    """The effect of each comparison that has a seed with which all its combinations were tested.

    Pictures are resampled within each class (Efron and Tibshirani, An Introduction to the Bootstrap, chapter 8), the
    same for all combinations, because they saw the same pictures. Seeds are resampled, too: their deviations from the
    mean are scaled by the root of n / (n - 1), which few seeds need to have the right variance. With a single seed the
    interval does not contain the variation between seeds.
    """
    arms = sorted({arm for comparison in comparisons for arm in comparison.weights if tested.right.get(arm)})
    if not arms:
        return []
    drawn = _resampled(tested, arms, figure, np.random.default_rng(seed))
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


def _resampled(
    tested: Answers, arms: Sequence[Arm], figure: str, rng: np.random.Generator
) -> dict[tuple[Arm, int], NDArray[np.float64]]:
    """Figures of all combinations and seeds in each resample of the pictures, (DRAWS,) float64 each."""
    names = [(arm, seed) for arm in arms for seed in tested.right[arm]]
    right = np.array([tested.right[arm][seed] for arm, seed in names], np.float64)
    weights = tested.weights(figure)
    members = [np.flatnonzero(tested.labels == label) for label in np.unique(tested.labels)]
    parts = []
    for begin in range(0, DRAWS, _CHUNK):
        count = min(_CHUNK, DRAWS - begin)
        times = np.empty((count, len(weights)))
        for places in members:
            times[:, places] = rng.multinomial(len(places), np.full(len(places), 1 / len(places)), count)
        parts.append(right @ (times * weights).T)
    return dict(zip(names, np.concatenate(parts, axis=1), strict=True))


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

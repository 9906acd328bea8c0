"""Renders and photographs in feature space, class by class, and the kernel distance between them.

The kernel is the mean of Gaussian kernels of several widths, as in `classify.domain_distance.mmd`, of which random
Fourier features give an unbiased estimate (Rahimi and Recht, NIPS 2007). So a domain is a mean of vectors, and all that
is asked of weights of pictures is linear algebra whose cost grows with the number of pictures, not with its square.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from classify.domain_distance import SCALES

FREQUENCIES = 256
"""Random frequencies, together for all widths. A picture has a cosine and a sine for each."""

FEWEST_PHOTOS, FEWEST_RENDERS = 5, 5
"""Of a class that is matched: photographs that count, and renders."""

_SAMPLED = 1000
_TINY = 1e-12
_CHUNK = 100

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Kernel:
    """The kernel mean_s exp(-|x - y|^2 / (s median)), over the scales s, as frequencies (d, `FREQUENCIES`)."""

    frequencies: Array

    @classmethod
    def between(cls, renders: NDArray[np.floating], photos: NDArray[np.floating], seed: int = 0) -> Kernel:
        """That for the features (n, d) and (m, d) of renders and photographs.

        The median is that of the squared distances of all pictures, or of a sample of 1,000.
        """
        rng = np.random.default_rng(seed)
        both = np.concatenate([renders, photos]).astype(np.float64)
        sample = both[rng.permutation(len(both))[:_SAMPLED]]
        width = float(np.median(pdist(sample, "sqeuclidean"))) or 1.0
        scales = np.resize(SCALES, FREQUENCIES)
        return cls(rng.standard_normal((both.shape[1], FREQUENCIES)) * np.sqrt(2 / (scales * width)))

    def vectors(self, features: NDArray[np.floating]) -> Array:
        """Vectors (n, 2 `FREQUENCIES`) of length 1 of features (n, d). Products of them are values of the kernel."""
        angles = features.astype(np.float64) @ self.frequencies
        return np.concatenate([np.cos(angles), np.sin(angles)], axis=1) / np.sqrt(FREQUENCIES)


@dataclass(frozen=True)
class Group:
    """The renders of a class, as their numbers, and the weight of each photograph for it, (m,), their sum is 1."""

    renders: NDArray[np.int64]
    photos: Array


@dataclass(frozen=True)
class Domains:
    """Two domains. renders: (n, d) vectors of length 1. labels: (n,) their classes. photos: (m, d), of length 1.
    beliefs: (m, k) the probability of each class for each photograph."""

    renders: Array
    labels: NDArray[np.int64]
    photos: Array
    beliefs: Array

    @cached_property
    def groups(self) -> dict[int, Group]:
        """The classes that are matched: all that have renders and photographs enough. Each counts alike.

        The number of photographs of a class is its effective one, (sum b)^2 / sum b^2, and at most the sum of b.
        """
        found = {}
        for label in range(self.beliefs.shape[1]):
            members, belief = np.flatnonzero(self.labels == label), self.beliefs[:, label]
            total = belief.sum()
            count = min(total, total**2 / max(float((belief**2).sum()), _TINY))
            if len(members) >= FEWEST_RENDERS and count >= FEWEST_PHOTOS:
                found[label] = Group(members, belief / total)
        return found

    def part(self, renders: NDArray[np.bool_], photos: NDArray[np.bool_]) -> Domains:
        """Some renders and some photographs."""
        return Domains(self.renders[renders], self.labels[renders], self.photos[photos], self.beliefs[photos])

    def folded(self, folds: NDArray[np.int64], count: int) -> Domains:
        """The same with a class for each class and fold (n,) of the renders, so that folds are judged apart."""
        labels = folds * self.beliefs.shape[1] + self.labels
        return replace(self, labels=labels, beliefs=np.tile(self.beliefs, (1, count)))

    def distance(self, weights: Array) -> float:
        """Squared kernel distance of renders with weights (n,) from the photographs, unbiased, the mean of the classes.

        As `classify.domain_distance.mmd` (Gretton et al., JMLR 2012, eq. 3), with weights. By chance it may be slightly
        negative.
        """
        return float(self.distances(weights[None])[0])

    def distances(self, weights: Array) -> Array:
        """(w,) the same for each of several weights (w, n)."""
        once = np.ones((1, len(self.renders))), np.ones((1, len(self.photos)))
        return self._distances(weights, *once)[:, 0]

    def resampled(self, weights: Array, draws: int, seed: int = 0) -> Array:
        """(w, draws) the same distances with renders and photographs drawn anew, with replacement.

        weights: (w, n). Renders are drawn within their class. The draws are the same for all weights, so differences
        are paired.
        """
        rng, parts = np.random.default_rng(seed), []
        for begin in range(0, draws, _CHUNK):
            count = min(_CHUNK, draws - begin)
            times = np.ones((count, len(self.renders)))
            for group in self.groups.values():
                size = len(group.renders)
                times[:, group.renders] = rng.multinomial(size, np.full(size, 1 / size), count)
            size = len(self.photos)
            parts.append(self._distances(weights, times, rng.multinomial(size, np.full(size, 1 / size), count)))
        return np.concatenate(parts, axis=1)

    def _distances(self, weights: Array, times: Array, photo_times: NDArray[Any]) -> Array:
        """(w, r) distances with each of the weights, of r sets in which each picture stands so many times."""
        return np.mean([self._of_group(one, weights, times, photo_times) for one in self.groups.values()], axis=0)

    def _of_group(self, group: Group, weights: Array, times: Array, photo_times: NDArray[Any]) -> Array:
        theirs = photo_times * group.photos
        theirs /= np.maximum(theirs.sum(axis=1, keepdims=True), _TINY)
        mean, own = theirs @ self.photos, (theirs**2).sum(axis=1)
        there = ((mean**2).sum(axis=1) - own) / np.maximum(1 - own, _TINY)
        ours = weights[:, None, group.renders] * times[:, group.renders]
        total, own = ours.sum(axis=2), (ours**2).sum(axis=2)
        sums = (ours.reshape(-1, ours.shape[2]) @ self.renders[group.renders]).reshape(*total.shape, -1)
        within = ((sums**2).sum(axis=2) - own) / np.maximum(total**2 - own, _TINY)
        return np.asarray(within + there - 2 * (sums * mean).sum(axis=2) / np.maximum(total, _TINY))

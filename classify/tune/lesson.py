"""What renders teach a linear classifier about photographs, and the part that each render has in it.

The photographs have no labels. What a classifier tells of them is the mutual information of photographs and predictions
(Krause et al., NIPS 2010; `classify.validators.information`): much where it is sure of each and names all classes. The
influence of a render is the derivative of this by the render's weight (Koh and Liang, ICML 2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from classify.logistic import rows_of
from classify.tune.domains import Array

DIMENSIONS = 64
"""Principal components of the features that the classifier sees."""

_STRENGTH = 0.05
"""C of the regression."""

_FREE = 1e-6
"""1 / C of the biases, which are as good as free."""

_TINY = 1e-12


@dataclass(frozen=True)
class Lesson:
    """renders: (n, d) features, with a last column of 1. labels: (n,) their classes, of `classes`. photos: (m, d)."""

    renders: Array
    labels: NDArray[np.int64]
    photos: Array
    classes: int

    @classmethod
    def of(
        cls, renders: NDArray[np.floating], labels: NDArray[np.int64], photos: NDArray[np.floating], classes: int
    ) -> Lesson:
        """That of features (n, f) and (m, f): their principal components, of which the first has a deviation of 1."""
        from sklearn.decomposition import PCA  # it takes a second
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler().fit(renders)
        ours, theirs = scaler.transform(renders), scaler.transform(photos)
        both = np.concatenate([ours, theirs])
        basis = PCA(min(DIMENSIONS, *both.shape), random_state=0).fit(both)
        scale = np.sqrt(basis.explained_variance_.mean()) + _TINY
        seen = (np.c_[basis.transform(each) / scale, np.ones(len(each))].astype(np.float64) for each in (ours, theirs))
        return cls(next(seen), labels, next(seen), classes)

    def watched(self, photos: NDArray[np.int64]) -> Lesson:
        """The same with some of the photographs, by their places."""
        return Lesson(self.renders, self.labels, self.photos[photos], self.classes)

    def balanced(self, weights: Array) -> Array:
        """(n,) the weights, scaled so that the classes count alike, and n together."""
        totals = np.bincount(self.labels, weights, self.classes)
        return weights * len(weights) / ((totals > 0).sum() * totals[self.labels])

    def learned(self, weights: Array) -> Array:
        """(classes, d) of the logistic regression on the renders with weights (n,). Classes without renders have 0."""
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=_STRENGTH, max_iter=1000, tol=1e-6)
        model.fit(self.renders[:, :-1], self.labels, sample_weight=self.balanced(weights))
        found = np.zeros((self.classes, self.renders.shape[1]))
        found[model.classes_] = np.column_stack(rows_of(model))
        return found

    def missing(self, head: Array) -> Array:
        """(m,) what the predictions on each photograph lack to say all, in nats: log(classes) - KL(p, mean of p)."""
        chances = self._predicted(head, self.photos)
        return np.log(len(self._there)) - (chances * (np.log(chances) - np.log(chances.mean(axis=0)))).sum(axis=1)

    def influence(self, head: Array, weights: Array) -> Array:
        """(n, m) by how much `missing` of each photograph changes with the weight of each render.

        head: what was learned with weights (n,).
        The mean of the predictions is taken as given for a single photograph; the mean over photographs is exact.
        """
        chances, there = self._predicted(head, self.renders), self._there
        errors = chances - (self.labels[:, None] == there)
        ours_by = (errors[:, :, None] * self.renders[:, None, :]).reshape(len(errors), -1)
        seen = self._predicted(head, self.photos)
        gains = np.log(seen) - np.log(seen.mean(axis=0))
        toward = seen * (gains - (seen * gains).sum(axis=1, keepdims=True))
        theirs_by = (toward[:, :, None] * self.photos[:, None, :]).reshape(len(toward), -1)
        return np.asarray(ours_by @ np.linalg.solve(self._curvature(chances, self.balanced(weights)), theirs_by.T))

    @cached_property
    def _there(self) -> NDArray[np.int64]:
        """The classes that have renders."""
        return np.unique(self.labels)

    def _predicted(self, head: Array, features: Array) -> Array:
        logits = features @ head[self._there].T
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.maximum(chances / chances.sum(axis=1, keepdims=True), _TINY)

    def _curvature(self, chances: Array, weights: Array) -> Array:
        """The Hessian of the regression's loss, over the classes that are there and the features."""
        count, size = chances.shape[1], self.renders.shape[1]
        found = np.zeros((count, size, count, size))
        for a in range(count):
            for b in range(a, count):
                each = weights * chances[:, a] * ((a == b) - chances[:, b])
                found[a, :, b] = found[b, :, a] = (self.renders * each[:, None]).T @ self.renders
        ridge = np.full((count, size), 1 / _STRENGTH)
        ridge[:, -1] = _FREE
        return found.reshape(count * size, -1) + np.diag(ridge.ravel())

"""The power law of learning curves, error = a N^-b, and how far its exponent is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

LEVEL, DRAWS = 0.95, 2000


@dataclass(frozen=True)
class Law:
    """error = a * N^-b for N pictures.

    low, high: the bootstrap interval of b.
    """

    a: float
    b: float
    low: float
    high: float

    def error(self, pictures: float) -> float:
        """The error with so many pictures, a share of 1. It is only known between the sizes that were fitted."""
        return float(self.a * pictures**-self.b)


def fit(sizes: ArrayLike, errors: ArrayLike, seed: int = 0) -> Law:
    """The law of some learning curves, by least squares in the logarithms of size and error.

    sizes: (k,) pictures, at least two different sizes. errors: (seeds, k), shares of 1 above 0. At each size, the
    bootstrap draws as many seeds as there are, with replacement. What they deviate from the fitted curve is scaled by
    the root of n / (n - 1), which few seeds need to have the right variance. With one seed, the interval is that one
    exponent. seed: of the bootstrap.
    """
    x = np.log(np.asarray(sizes, np.float64))
    y = np.log(np.asarray(errors, np.float64))
    count = len(y)
    slope, offset = np.polyfit(x, y.mean(axis=0), 1)
    chosen = np.random.default_rng(seed).integers(count, size=(DRAWS, count, len(x)))
    drawn = np.take_along_axis(y[None], chosen, axis=1).mean(axis=1)  # (DRAWS, k)
    slopes = np.polyfit(x, drawn.T, 1)[0]
    slopes = slope + (slopes - slope) * np.sqrt(count / max(1, count - 1))
    low, high = np.quantile(-slopes, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Law(float(np.exp(offset)), float(-slope), float(low), float(high))

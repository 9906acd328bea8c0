"""Distances of domains: values of other implementations, and normal distributions whose distance is known."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from scipy import linalg

from classify.domain_distance import a_distance, distances, frechet, mmd


def fixed() -> tuple[np.ndarray, np.ndarray]:
    return np.sin(np.arange(60) * 1.1).reshape(20, 3), 0.4 + np.cos(np.arange(45) * 0.7).reshape(15, 3)


def normal(shift: float, count: int = 400, seed: int = 0) -> np.ndarray:
    return np.random.default_rng((seed, int(10 * shift))).normal(shift, 1, (count, 6))


def test_mmd_is_that_of_pytorch_adapt() -> None:
    """MMDLoss(kernel_scales=1/(.125, .25, .5, 1, 2), mmd_type="quadratic", bandwidth=1.5) at 1366df7c."""
    assert mmd(*fixed(), bandwidth=1.5) == pytest.approx(0.1584117540383353, rel=1e-9)


def test_mmd_is_unbiased() -> None:
    """Of one distribution it is 0 on the average, and falls below 0 about as often as not."""
    found = [mmd(normal(0, 30, seed), normal(0, 40, seed + 1000)) for seed in range(200)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(200) and 40 < sum(f < 0 for f in found) < 170


def test_frechet_is_the_formula() -> None:
    a, b = fixed()
    first, second = np.cov(a.T), np.cov(b.T)
    means = a.mean(0) - b.mean(0)
    wanted = means @ means + np.trace(first + second - 2 * linalg.sqrtm(first @ second).real)
    assert frechet(a, b) == pytest.approx(wanted)


def test_frechet_of_normal_distributions() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (4000, 4)), rng.normal(1, 3, (4000, 4))
    # |m|^2 is 4 and (3 - 1)^2 a dimension, four of them.
    assert frechet(a, b) == pytest.approx(4 + 16, rel=0.05)
    assert frechet(a, a) == pytest.approx(0, abs=1e-9)


def test_a_distance_from_one_domain_to_two() -> None:
    assert abs(a_distance(normal(0), normal(0, seed=1))) < 0.25
    assert a_distance(normal(0), normal(9)) == pytest.approx(2)
    assert abs(a_distance(normal(0, 1000), normal(0, 50, seed=1))) < 0.6, "the larger domain must not count more"


def test_all_grow_with_the_shift_and_are_repeatable() -> None:
    found = [distances(normal(0), normal(shift, 900)) for shift in (0.1, 0.5, 1.5)]
    for name in ("a_distance", "mmd", "frechet"):
        values = [each[name] for each in found]
        assert values == sorted(values) and values[2] > values[0] + 0.05, name
    assert found[0]["pictures"] == 400 and distances(normal(0), normal(1), most=50)["pictures"] == 50
    assert distances(normal(0), normal(0.5, 900)) == found[1]


def test_features_that_are_all_the_same() -> None:
    found = distances(np.ones((10, 3)), np.ones((8, 3)))
    assert found["mmd"] == found["frechet"] == 0 and np.isfinite(found["a_distance"])

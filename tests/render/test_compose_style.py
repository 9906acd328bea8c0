"""Transfer of the look of one picture to another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from render.composite import style
from render.composite.noise import noise
from tests.walls import surface


def pair() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    ours, theirs = surface(0, (64, 64), 170).astype(np.float32), surface(5, (90, 70), 80).astype(np.float32)
    theirs[::3] *= 0.5
    return ours, theirs


def test_color_statistics_are_taken_over() -> None:
    ours, theirs = pair()
    colors = style.covariance(ours, theirs).reshape(-1, 3)
    assert np.allclose(colors.mean(axis=0), theirs.reshape(-1, 3).mean(axis=0), atol=0.5)
    assert np.allclose(np.cov(colors.T), np.cov(theirs.reshape(-1, 3).T), rtol=0.1, atol=20)
    matched = style.histogram(ours, theirs)
    for channel in range(3):
        quantiles = [np.quantile(image[..., channel], (0.1, 0.5, 0.9)) for image in (matched, theirs)]
        assert np.allclose(*quantiles, atol=3)
    lab = style.reinhard(ours, theirs)
    assert np.allclose(lab.mean(axis=(0, 1)), theirs.mean(axis=(0, 1)), atol=8)


def test_fourier_takes_low_frequencies_alone() -> None:
    ours, theirs = pair()
    same = style.fourier(ours, ours, 0.05)
    assert np.allclose(same, ours, atol=0.01)
    mean = style.fourier(ours, theirs, 0.0)
    assert np.allclose(mean - ours, (mean - ours)[0, 0], atol=0.01)
    assert np.allclose(mean.mean(axis=(0, 1)), theirs.mean(axis=(0, 1)), rtol=0.02)


def test_transport_takes_over_texture() -> None:
    rng = np.random.default_rng(0)
    ours = rng.normal(128, 30, (128, 128, 3)).astype(np.float32)
    theirs = np.repeat(128 + 60 * noise(rng, (160, 160), 6.0)[..., None], 3, axis=2)
    colored = np.clip(style.covariance(ours, theirs), 0, 255)
    moved = style.transport(ours, theirs, rng)

    def steps(image: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.quantile(np.diff(image.mean(axis=2), axis=0), np.linspace(0, 1, 21))

    before, after = (np.abs(steps(image) - steps(theirs)).mean() for image in (colored, moved))
    assert after < 0.7 * before

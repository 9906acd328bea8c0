"""Style transfer from a reference picture, without a network. The geometry of the picture does not change.

All functions take and return (H, W, 3) float32, 0 to 255. The reference may have any size.
"""

from __future__ import annotations

import cv2
import numpy as np
import scipy
from numpy.typing import NDArray

from render.composite.noise import Image

_LEVELS = np.linspace(0, 1, 257)
_LARGEST = 1024


def reference(photograph: NDArray[np.uint8]) -> Image:
    """Convert a photograph to a reference, reduced to at most 1024 pixels per side."""
    shrink = max(photograph.shape[:2]) / _LARGEST
    if shrink > 1:
        size = (max(int(photograph.shape[1] / shrink), 1), max(int(photograph.shape[0] / shrink), 1))
        photograph = np.asarray(cv2.resize(photograph, size, interpolation=cv2.INTER_AREA))
    return photograph.astype(np.float32)


def fourier(picture: Image, reference: Image, beta: float) -> Image:
    """Replace the amplitudes of the lowest frequencies by those of the reference; the phases stay.

    beta: half the side of the swapped square, as a share of the picture. Yang and Soatto 2020, "FDA: Fourier domain
    adaptation for semantic segmentation".
    """
    height, width = picture.shape[:2]
    reach = int(beta * min(height, width))
    spectrum = scipy.fft.rfft2(picture, axes=(0, 1))
    other = scipy.fft.rfft2(cv2.resize(reference, (width, height), interpolation=cv2.INTER_AREA), axes=(0, 1))
    rows = np.arange(-reach, reach + 1)[:, None] % height
    columns = np.arange(reach + 1)[None]
    low = spectrum[rows, columns]
    spectrum[rows, columns] = np.abs(other[rows, columns]) * low / np.maximum(np.abs(low), 1e-6)
    return np.asarray(scipy.fft.irfft2(spectrum, (height, width), axes=(0, 1)), np.float32)


def histogram(picture: Image, reference: Image) -> Image:
    """Match the histogram of each channel to the reference."""
    out = np.empty_like(picture)
    for channel in range(3):
        out[..., channel] = _matched(picture[..., channel], _quantiles(reference[..., channel]))
    return out


def covariance(picture: Image, reference: Image) -> Image:
    """Match the mean and covariance of the colors, by the linear map that changes colors least.

    Pitié and Kokaram 2007, "The linear Monge-Kantorovitch linear colour mapping for example-based colour transfer".
    """
    mean, spread = _moments(picture)
    wanted_mean, wanted = _moments(reference)
    root, inverse = _power(spread, 0.5), _power(spread, -0.5)
    change = inverse @ _power(root @ wanted @ root, 0.5) @ inverse
    # The gains are limited. Otherwise the noise of a nearly gray picture would become color.
    u, gains, v = np.linalg.svd(change)
    change = (u * np.clip(gains, 0.2, 4.0)) @ v
    return ((picture - mean) @ change.T + wanted_mean).astype(np.float32)


def reinhard(picture: Image, reference: Image) -> Image:
    """Match the mean and standard deviation of lightness and both opponent colors, each channel separately.

    Reinhard et al. 2001, "Color transfer between images", in CIE Lab.
    """
    ours, theirs = (cv2.cvtColor(image / np.float32(255), cv2.COLOR_RGB2LAB) for image in (picture, reference))
    mean, std = ours.mean(axis=(0, 1)), ours.std(axis=(0, 1))
    gain = np.clip(theirs.std(axis=(0, 1)) / np.maximum(std, 1e-3), 0.2, 4.0)
    moved = (ours - mean) * gain + theirs.mean(axis=(0, 1))
    return np.asarray(cv2.cvtColor(moved.astype(np.float32), cv2.COLOR_LAB2RGB)) * np.float32(255)


def transport(picture: Image, reference: Image, rng: np.random.Generator) -> Image:
    """Match the colors by `covariance`, then the distribution of brightness patches, from coarse to fine.

    Each step reduces the sliced Wasserstein distance between the patches of both pictures. A random filter gives each
    patch a number, the sorted numbers are moved to those of the reference, and the filter maps the changes back to
    pixels. Rabin et al. 2011, "Wasserstein barycenter and its
    application to texture mixing"; for patches Elnekave and Weiss 2022, "Generating natural images with direct patch
    distributions matching".
    """
    out = np.clip(covariance(picture, reference), 0, 255)
    for shrink, rounds in _SCALES:
        small, pattern = (_shrunk(image, shrink) for image in (out, reference))
        if min(*small.shape[:2], *pattern.shape[:2]) < 2 * _PATCH:
            continue
        small, pattern = small.mean(axis=2), pattern.mean(axis=2)
        moved = small.copy()
        for _ in range(rounds):
            _step(moved, pattern, rng)
        height, width = picture.shape[:2]
        change = cv2.resize(moved - small, (width, height), interpolation=cv2.INTER_CUBIC)
        out = out + change[..., None]
    return np.asarray(out, np.float32)


_PATCH = 5
# Reduction in size, and number of filters at this size.
_SCALES = ((8, 40), (4, 30), (2, 25), (1, 15))


def _step(moved: Image, pattern: Image, rng: np.random.Generator) -> None:
    """Transport (h, w) brightness by one random filter, in place."""
    kernel = rng.standard_normal((_PATCH, _PATCH), dtype=np.float32)
    # Divided by its largest gain, so that a step never overshoots.
    kernel /= np.abs(np.fft.fft2(kernel, (32, 32))).max()
    ours = cv2.filter2D(moved, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    theirs = cv2.filter2D(pattern, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    change = _matched(ours, _quantiles(theirs)) - ours
    moved += cv2.filter2D(change, -1, np.ascontiguousarray(kernel[::-1, ::-1]), borderType=cv2.BORDER_REFLECT_101)


def _matched(values: NDArray[np.float32], wanted: NDArray[np.float64]) -> Image:
    """Map the values to the wanted quantiles; their order stays."""
    have = _quantiles(values)
    # Equal quantiles, as from clipped light, would make the map ambiguous.
    have = have + np.arange(len(have)) * 1e-6
    return np.interp(values, have, wanted).astype(np.float32)


def _quantiles(values: NDArray[np.float32]) -> NDArray[np.float64]:
    flat = values.ravel()
    return np.quantile(flat[:: max(len(flat) // 16384, 1)].astype(np.float64), _LEVELS)


def _shrunk(image: Image, by: int) -> Image:
    size = (max(image.shape[1] // by, 1), max(image.shape[0] // by, 1))
    return image if by == 1 else np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _moments(image: Image) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    colors = image.reshape(-1, 3).astype(np.float64)
    return colors.mean(axis=0), np.cov(colors.T) + np.eye(3) * 0.1


def _power(matrix: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """A power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, 1e-9) ** exponent) @ vectors.T

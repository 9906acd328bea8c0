"""Tools for the steps: noise, soft steps, blur, factors on light."""

from __future__ import annotations

from math import prod
from statistics import NormalDist

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Shape = tuple[int, int]

# The medians of 256 equally likely parts of the normal distribution, scaled to unit variance.
_LEVELS = np.array([NormalDist().inv_cdf((level + 0.5) / 256) for level in range(256)])
_LEVELS = (_LEVELS / _LEVELS.std()).astype(np.float32)
# Larger blots (pixels) are drawn at a quarter of the size, because cubic interpolation is slow.
_BROAD = 12.0


def normals(rng: np.random.Generator, *shape: int, rms: float = 1.0) -> Image:
    """Normal noise in 256 levels, in a fifth of the time of exact noise."""
    count = prod(shape)
    # Eight levels to a number of 64 bit, which is faster than the generator's `bytes`.
    levels = rng.integers(0, 2**64, -(-count // 8), np.uint64).astype("<u8", copy=False).view(np.uint8)[:count]
    return np.asarray(cv2.LUT(levels[None], _LEVELS * np.float32(rms))).reshape(shape)


def noise(rng: np.random.Generator, shape: Shape, scale: float) -> Image:
    """(H, W) float32 noise with mean 0, a variance of about 1, and blots about `scale` pixels wide."""
    if scale <= 1:
        return normals(rng, *shape)
    if scale > _BROAD:
        height, width = shape
        small = noise(rng, (-(-height // 4), -(-width // 4)), scale / 4)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))
    # Two extra cells, so that blots are not aligned with the corner of the picture.
    rows, columns = (int(side / scale) + 3 for side in shape)
    # Interpolation reduces the variance, so it starts higher.
    coarse = normals(rng, rows, columns, rms=1.25)
    fine = cv2.resize(coarse, (round(columns * scale), round(rows * scale)), interpolation=cv2.INTER_CUBIC)
    top, left = (int(shift * (have - need)) for shift, have, need in zip(rng.random(2), fine.shape, shape, strict=True))
    return np.asarray(fine[top : top + shape[0], left : left + shape[1]])


def ramp(values: Image, low: float, high: float) -> Image:
    """0 up to `low`, 1 from `high` on, smooth in between."""
    t = np.clip((values - np.float32(low)) * np.float32(1 / max(high - low, 1e-6)), 0, 1)
    return t * t * (3 - 2 * t)


def blurred(image: Image, sigma: float) -> Image:
    """Blur an (H, W) image by about `sigma` pixels, at least 1.5, at half the size."""
    half = cv2.resize(image, tuple(max(side // 2, 1) for side in image.shape[::-1]), interpolation=cv2.INTER_AREA)
    # Halving and doubling the size blur too.
    soft = cv2.GaussianBlur(half, (0, 0), (sigma * sigma / 4 - 0.2) ** 0.5, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(soft, image.shape[::-1], interpolation=cv2.INTER_LINEAR))


def dimmed(picture: Image, factor: Image) -> Image:
    """Multiply an (H, W, 3) picture by (H, W) factors."""
    # OpenCV is several times as fast as numpy here.
    return np.asarray(cv2.multiply(picture, cv2.merge([factor, factor, factor])))

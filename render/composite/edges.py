"""Softens and dissolves the opacity of the crack. Labels do not change."""

from __future__ import annotations

from statistics import NormalDist

import cv2
import numpy as np

from render.composite.noise import Image, blurred, noise, ramp

_NORMAL = NormalDist()
# Sigma in pixels of the blur that separates the edges of a crack from its core.
_CORE = 2.0


def smoothed(opacity: Image, *, gaussian: float, motion: float, motion_angle: float) -> Image:
    """Blur (H, W) opacity by a Gaussian, and along a line of `motion` pixels."""
    if gaussian > 0.05:
        opacity = np.asarray(cv2.GaussianBlur(opacity, (0, 0), gaussian, borderType=cv2.BORDER_REPLICATE))
    if motion > 1:
        opacity = np.asarray(cv2.filter2D(opacity, -1, _streak(motion, motion_angle), borderType=cv2.BORDER_REPLICATE))
    return opacity


def _streak(length: float, angle: float) -> Image:
    """A kernel with sum 1: a line of `length` pixels through its center. angle: degrees."""
    side = 2 * int(np.ceil(length / 2)) + 1
    middle = side // 2
    t = np.linspace(-length / 2, length / 2, 4 * side)
    x, y = middle + t * np.cos(np.radians(angle)), middle + t * np.sin(np.radians(angle))
    kernel = np.zeros((side, side), np.float32)
    np.add.at(kernel, (np.round(y).astype(int), np.round(x).astype(int)), 1.0)
    return kernel / kernel.sum()


def dissolved(opacity: Image, rng: np.random.Generator, *, amount: float, depth: float, scale: float) -> Image:
    """Make the share `amount` of (H, W) opacity paler by up to `depth`, in blots of `scale` pixels.

    Hairlines break up. Wide cracks change only at their edges.
    """
    level = _NORMAL.inv_cdf(min(max(amount, 1e-4), 1 - 1e-4))
    there = np.flatnonzero(opacity > 0)
    pale = ramp(noise(rng, (opacity.shape[0], opacity.shape[1]), scale).ravel()[there], -level - 0.4, -level + 0.4)
    core = ramp(blurred(opacity, _CORE).ravel()[there], 0.25, 0.75)
    out = opacity.copy()
    out.ravel()[there] *= 1 - np.float32(depth) * pale * (1 - core)
    return out

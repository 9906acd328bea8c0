"""Colors of light: black body, sRGB curve, tone curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

# CIE XYZ to linear sRGB, D65 (IEC 61966-2-1).
_TO_SRGB = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])


def blackbody(kelvin: float) -> NDArray[np.float64]:
    """(3,) linear sRGB of a black body, scaled to luminance one, clipped at zero.

    Chromaticity by the cubic fits of Kang et al. 2002, "Design of advanced color temperature control system for HDTV
    applications". They hold from 1,667 K to 25,000 K; other temperatures are clipped to this range.
    """
    t = 1e3 / min(max(kelvin, 1667.0), 25000.0)
    if t > 0.25:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if t > 1 / 2.222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif t > 0.25:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    return np.asarray(np.maximum(_TO_SRGB @ np.array([x / y, 1.0, (1 - x - y) / y]), 0.0))


def luminance(linear: Floats) -> Floats:
    """Rec. 709 luminance of (..., 3) linear RGB."""
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722], dtype=linear.dtype))


def to_srgb(linear: Floats) -> Floats:
    """The sRGB transfer curve over [0, 1] (IEC 61966-2-1); values outside are clipped."""
    x = np.clip(linear, 0.0, 1.0)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.power(x, 1 / 2.4, where=x > 0, out=np.zeros_like(x)) - 0.055)


def from_srgb(display: Floats) -> Floats:
    """The inverse of `to_srgb`."""
    x = np.asarray(display)
    return np.where(x <= 0.04045, x / 12.92, np.power((x + 0.055) / 1.055, 2.4))


def filmic(linear: Floats) -> Floats:
    """The ACES tone curve by the rational fit of Narkowicz 2015, display-linear in [0, 1]."""
    x = np.maximum(linear, 0.0) * 0.6
    return np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0)


def white_gain(temperature: float) -> NDArray[np.float64]:
    """(3,) factors on linear RGB light that turn light of `temperature` kelvin into light of 6500 kelvin."""
    return np.asarray(blackbody(6500.0) / np.maximum(blackbody(temperature), 1e-3))

"""The distortion of lenses: OpenCV's two models, and their inverses.

Points here are in normalized coordinates: x / z and y / z in camera axes. An ideal lens leaves them as they are.

The formulas are those of OpenCV 4.11, "Camera Calibration and 3D Reconstruction" and "Fisheye camera model". The first
is Brown's ("Decentering distortion of lenses", 1966) with a rational radial part; the second is that of Kannala and
Brandt ("A generic camera model and calibration method", 2006).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
LensModel = Literal["brown", "fisheye"]

NAMES: dict[LensModel, tuple[str, ...]] = {
    "brown": ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6"),
    "fisheye": ("k1", "k2", "k3", "k4"),
}
"""The coefficients of each model, in OpenCV's order."""

WIDEST = 85.0
"""How far from its axis a lens may see, in degrees. At 90, depth along the axis is 0."""

# Radii at which the radial part is tabled, evenly in the angle from the axis.
_RADII = np.tan(np.radians(np.linspace(0, WIDEST, 2049)))
# How much farther than the corners of the picture the model must hold, because it is extended from there.
_SPARE = 1.02
_STEP = 1e-6


class Folded(ValueError):
    """A model that shows two directions at one place of the picture, or one that is too far from its axis."""


@dataclass(frozen=True)
class Distortion:
    """The distortion of a lens, as OpenCV has it.

    Parameters
    ----------
    model : "brown" or "fisheye"
        The model of `cv2.projectPoints`, or that of `cv2.fisheye.projectPoints`.
    coefficients : tuple of floats
        Of "brown" 8: k1, k2, p1, p2, k3, k4, k5, k6. Of "fisheye" 4: k1, k2, k3, k4.
    reach : float
        Distance from the axis, in normalized coordinates, up to which the model holds. `fitted` finds it. From there
        on it goes on straight, so that what is outside the picture is never shown inside it.

    Examples
    --------
    >>> import numpy as np
    >>> from blendmill import Distortion
    >>> barrel = Distortion("brown", (-0.1, 0, 0, 0, 0, 0, 0, 0), reach=1.0)
    >>> barrel.distorted(np.array([[0.5, 0.0]])).round(4).tolist()
    [[0.4875, 0.0]]
    >>> barrel.undistorted(np.array([[0.4875, 0.0]])).round(4).tolist()
    [[0.5, 0.0]]
    """

    model: LensModel
    coefficients: tuple[float, ...]
    reach: float

    def distorted(self, points: Points) -> Points:
        """(n, 2) where an ideal lens' points (n, 2) are shown."""
        radius = np.hypot(points[:, 0], points[:, 1])
        beyond = radius > self.reach
        if not beyond.any():
            return self._shown(points)
        rim = points * np.where(beyond, self.reach / np.maximum(radius, 1e-12), 1.0)[:, None]
        outward = points / np.maximum(radius, 1e-12)[:, None]
        slope = (self._shown(rim) - self._shown(rim - _STEP * outward)) / _STEP
        return self._shown(rim) + np.maximum(radius - self.reach, 0.0)[:, None] * slope

    def undistorted(self, points: Points) -> Points:
        """(n, 2) the points of an ideal lens that are shown at points (n, 2). Newton's method, to 1e-12."""
        found = points.copy()
        far = np.hypot(points[:, 0], points[:, 1])
        radii = np.linspace(0, self.reach, 513)
        shown = self._radial(radii) * radii
        ideal = np.interp(far, shown, radii) + np.maximum(far - shown[-1], 0)
        found *= np.divide(ideal, far, out=np.ones_like(far), where=far > 1e-12)[:, None]
        for _ in range(30):
            off = self.distorted(found) - points
            if np.abs(off).max(initial=0.0) < 1e-12:
                break
            (a, b), (c, d) = self._slopes(found)
            found -= (
                np.stack([d * off[:, 0] - b * off[:, 1], a * off[:, 1] - c * off[:, 0]], axis=1)
                / (a * d - b * c)[:, None]
            )
        return found

    def _slopes(self, points: Points) -> tuple[tuple[NDArray, NDArray], tuple[NDArray, NDArray]]:
        """The matrix of derivatives at each point: of x, and of y, along x and along y."""
        along = [
            (self.distorted(points + step) - self.distorted(points - step)) / (2 * _STEP)
            for step in (np.array([_STEP, 0.0]), np.array([0.0, _STEP]))
        ]
        return (along[0][:, 0], along[1][:, 0]), (along[0][:, 1], along[1][:, 1])

    def _radial(self, radius: NDArray[np.float64]) -> NDArray[np.float64]:
        """By which factor the radial part moves points at a distance from the axis."""
        if self.model == "fisheye":
            angle = np.arctan(radius)
            grown = angle * _polynomial(angle * angle, self.coefficients)
            return np.divide(grown, radius, out=np.ones_like(radius), where=radius > 1e-12)
        k1, k2, _, _, k3, k4, k5, k6 = self.coefficients
        square = radius * radius
        return _polynomial(square, (k1, k2, k3)) / _polynomial(square, (k4, k5, k6))

    def _shown(self, points: Points) -> Points:
        """The model's own formula."""
        x, y = points[:, 0], points[:, 1]
        square = x * x + y * y
        shown = points * self._radial(np.sqrt(square))[:, None]
        if self.model == "fisheye":
            return shown
        _, _, p1, p2, *_ = self.coefficients
        shown[:, 0] += 2 * p1 * x * y + p2 * (square + 2 * x * x)
        shown[:, 1] += p1 * (square + 2 * y * y) + 2 * p2 * x * y
        return shown


def _polynomial(square: NDArray[np.float64], factors: tuple[float, ...]) -> NDArray[np.float64]:
    """1 + f1 s + f2 s^2 + …"""
    total = np.zeros_like(square)
    for factor in reversed(factors):
        total = (total + factor) * square
    return total + 1.0


@lru_cache(maxsize=64)
def fitted(
    model: LensModel,
    coefficients: tuple[float, ...],
    intrinsics: tuple[float, float, float, float],
    size: tuple[int, int],
) -> Distortion:
    """The distortion that holds in a whole picture. intrinsics: fx, fy, cx, cy in pixels. size: width, height.

    Raises Folded for a model that has no inverse inside the picture, or sees more than `WIDEST` from its axis there.
    """
    fx, fy, cx, cy = intrinsics
    width, height = size
    # The pixel filter looks two pixels beyond the border.
    across, down = np.linspace(-2, width + 2, 65), np.linspace(-2, height + 2, 65)
    sides = [(x, y) for x in across for y in (down[0], down[-1])] + [
        (x, y) for y in down for x in (across[0], across[-1])
    ]
    border = (np.array(sides) - (cx, cy)) / (fx, fy)
    far = float(np.hypot(*border.T).max())
    whole = Distortion(model, coefficients, float(_RADII[-1]))
    with np.errstate(all="ignore"):
        shown = whole._radial(_RADII) * _RADII
    grows = np.isfinite(shown[1:]) & (np.diff(shown) > 0)
    last = int(grows.argmin()) if not grows.all() else len(grows)
    if shown[last] < far * _SPARE:
        raise Folded(_why(shown[last], last == len(grows), fx))
    reach = float(np.interp(far * _SPARE, shown[: last + 1], _RADII[: last + 1]))
    found = Distortion(model, coefficients, reach)
    # The tangential part can shift the corners beyond the reach, or fold what the radial part does not.
    turns = np.linspace(0, 2 * math.pi, 64, endpoint=False)
    disc = np.concatenate(
        [r * np.column_stack([np.cos(turns), np.sin(turns)]) for r in np.linspace(0.01, 0.999, 32) * reach]
    )
    (a, b), (c, d) = found._slopes(disc)
    if (a * d - b * c).min() <= 0:
        raise Folded(_why(far, False, fx))
    outside = np.hypot(*found.undistorted(border).T).max() / reach
    if outside > 1:
        wider = min(reach * outside * _SPARE, float(_RADII[last]))
        found = Distortion(model, coefficients, wider)
        if np.hypot(*found.undistorted(border).T).max() > wider:
            raise Folded(_why(far, last == len(grows), fx))
    return found


def _why(radius: float, wide: bool, focal: float) -> str:
    at = f"{radius * focal:.0f} pixels from the principal point, inside the picture"
    if wide:
        return f"the lens sees {WIDEST:g} degrees from its axis {at}; blendmill draws no wider ones: crop the picture"
    return f"the model folds back {at}; calibrate with fewer coefficients, or crop the picture"

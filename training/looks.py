"""What a picture looks like: measures that need no labels, and are taken alike from renders and from photographs.

All are taken from the picture at 48 pixels of its longest side, so that sets of different resolutions can be compared.
Colors are those of CIELAB. The object is guessed: what differs most from the border of the picture. The guess is rough
before a busy ground; it errs alike in both domains.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Look:
    """meaning: of the measure. words: what a picture is that has less of it than another, and one that has more."""

    meaning: str
    words: tuple[str, str]


LOOKS: Mapping[str, Look] = {
    "light": Look("mean lightness, 0 is black, 100 is white", ("darker", "lighter")),
    "contrast": Look("standard deviation of the lightness", ("flatter", "of more contrast")),
    "color": Look("mean chroma, 0 is gray", ("grayer", "more colorful")),
    "sharpness": Look("detail of one pixel over contrast", ("less sharp", "sharper")),
    "white ground": Look("share of the border that is white", ("on less white grounds", "on whiter grounds")),
    "busy ground": Look(
        "standard deviation of the lightness of the border", ("on plainer grounds", "on busier grounds")
    ),
    "size": Look("share of the frame that the object fills, guessed", ("smaller in frame", "larger in frame")),
    "rotation": Look(
        "degrees between the long axis of the object and the vertical, guessed", ("more upright", "lying more")
    ),
}
"""The measures by name."""

_SIDE, _BORDER = 48, 3
_WHITE, _GRAY = 90.0, 10.0
_LEAST = 9.0
"""Variance that is added to that of the border's colors, so that a plain ground does not make each shade an object."""
_ONES = np.eye(3)
_ROUND = 1.3
"""An object whose long axis is less than so many times its short one has no rotation."""


def looks(picture: NDArray[np.uint8]) -> dict[str, float]:
    """The measures of a picture (h, w, 3) uint8 sRGB by their names in `LOOKS`.

    A measure that the picture does not have is left out, such as the rotation of a disc.
    """
    lab = cv2.cvtColor(_small(picture).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    light, chroma = lab[..., 0], cv2.magnitude(lab[..., 1], lab[..., 2])
    ground = lab.reshape(-1, 3)[_border(*light.shape)]
    white = (ground[:, 0] > _WHITE) & (np.hypot(ground[:, 1], ground[:, 2]) < _GRAY)
    (mean,), (spread,) = _mean_and_spread(light)
    found = {
        "light": mean,
        "contrast": spread,
        "color": cv2.mean(chroma)[0],
        "white ground": float(np.count_nonzero(white)) / len(white),
        "busy ground": _mean_and_spread(ground[:, 0])[1][0],
    }
    if spread > 1:
        found["sharpness"] = _mean_and_spread(cv2.Laplacian(light, cv2.CV_32F))[1][0] / spread
    return found | _object(lab, ground)


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    scale = _SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


@lru_cache(maxsize=64)
def _border(height: int, width: int) -> NDArray[np.int64]:
    """The places of the pixels of the border, row by row."""
    inside = np.zeros((height, width), bool)
    inside[_BORDER:-_BORDER, _BORDER:-_BORDER] = True
    return np.flatnonzero(~inside)


def _mean_and_spread(values: NDArray[np.float32]) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel."""
    mean, spread = cv2.meanStdDev(values)
    return mean.ravel().tolist(), spread.ravel().tolist()


def _object(lab: NDArray[np.float32], ground: NDArray[np.float32]) -> dict[str, float]:
    """Size and rotation of what is least like the border: Mahalanobis distance of colors, Otsu's threshold."""
    # NumPy's products and inverse would wake the threads of BLAS, which then spin until the next picture.
    covariance, mean = cv2.calcCovarMatrix(ground, None, cv2.COVAR_NORMAL | cv2.COVAR_ROWS | cv2.COVAR_SCALE)
    whiten = cv2.invert(np.linalg.cholesky(covariance + _LEAST * _ONES))[1]
    white = cv2.transform(cv2.subtract(lab, (*mean[0].tolist(), 0.0)), whiten)
    distance = cv2.magnitude(cv2.magnitude(white[..., 0], white[..., 1]), white[..., 2])
    levels = cv2.convertScaleAbs(distance, alpha=255 / max(cv2.minMaxLoc(distance)[1], 1.0))
    _, mask = cv2.threshold(levels, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    moments = cv2.moments(mask, binaryImage=True)
    if not moments["m00"]:
        return {}
    found = {"size": moments["m00"] / mask.size}
    over, across, down = (moments[name] / moments["m00"] for name in ("mu11", "mu20", "mu02"))
    middle, half = (across + down) / 2, math.hypot((across - down) / 2, over)  # the variances are middle ± half
    if middle + half > _ROUND**2 * (middle - half):
        angle = 0.5 * math.atan2(2 * over, across - down)  # of the long axis from the horizontal
        found["rotation"] = 90 - abs(math.degrees(angle))
    return found

"""What can be measured of one crack picture: its cracks by their mask, its dark lines without one, its background."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segment.statistics.lines import Lines, Mask, middle_lines

Gray = NDArray[np.float32]

_RING = (2.0, 8.0)
_STRETCH = 32.0
# Cycles a pixel. What is broader is light, not surface.
_BROADEST, _FINE, _FINEST = 1 / 64, 1 / 8, 1 / 2
_BANDS = 12
_RIDGES = (1.5, 3.0)
# Multiples of the response that is usual in the picture: what a dark line has at least, and in parts.
_WEAK, _STRONG, _STRONG_PART = 5.0, 10.0, 0.3
# Pixels from end to end; share of the square around it that a line fills at most.
_SHORTEST, _FULLEST = 32.0, 0.35


@dataclass(frozen=True)
class Quantity:
    """One number a picture. key: `group.name`; digits: how many to show behind the point."""

    key: str
    unit: str
    digits: int
    meaning: str

    @property
    def group(self) -> str:
        return self.key.split(".")[0]

    @property
    def name(self) -> str:
        return self.key.split(".")[1]


_OF_LINES: tuple[tuple[str, str, int, str], ...] = (
    ("fraction", "%", 2, "share of the picture's pixels"),
    ("width", "px", 1, "twice the distance to the nearest pixel outside, mean over the middle lines"),
    ("contrast", "gray", 1, "median of the ring more than 2 and up to 8 px around less the mean inside"),
    ("length", "diagonals", 2, "of all middle lines, in diagonals of the picture"),
    ("branching", "/100 px", 2, "branch points on 100 px of middle line"),
    ("tortuosity", "", 3, "way along the middle line over the straight one, in stretches of 32 px"),
    ("orientation", "deg", 1, "angular deviation of the directions: 0 is parallel, 40.5 every way alike"),
)
GROUPS = {
    "crack": "cracks, by their masks; without the pictures that have none, but for the fraction",
    "lines": "dark lines, found without masks: a stand-in for cracks, the same for every set",
    "picture": "whole pictures, cracks and all",
}
QUANTITIES = (
    *(
        Quantity(f"{group}.{name}", unit, digits, meaning)
        for group in ("crack", "lines")
        for name, unit, digits, meaning in _OF_LINES
    ),
    Quantity("lines.strength", "gray", 1, "99th percentile of the response to dark lines 3 to 6 px wide"),
    Quantity("picture.gray", "", 0, "mean of 0 to 255"),
    Quantity("picture.spread", "gray", 1, "standard deviation"),
    Quantity("picture.slope", "", 2, "of the power spectrum from 64 to 2 px, in double logarithms"),
    Quantity("picture.fine", "%", 1, "share of the power from 64 px on that is finer than 8 px"),
)
"""All there is to measure, in the order of tables."""


def measure(rgb: NDArray[np.uint8], mask: Mask | None) -> dict[str, float]:
    """Values by `Quantity.key` of a picture (H, W, 3) sRGB and its mask (H, W); what is not defined is left out.

    Without a mask there are none of group "crack"; with an empty one the fraction is 0 and the others are left out.
    A flat picture has no spectrum.
    """
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    response = ridges(gray)
    values = {f"lines.{name}": value for name, value in of_lines(gray, dark_lines(response)).items()}
    values["lines.strength"] = float(np.percentile(response, 99))
    if mask is not None:
        values |= {f"crack.{name}": value for name, value in of_lines(gray, mask).items()}
    values |= {f"picture.{name}": value for name, value in of_background(gray).items()}
    return values


def of_lines(gray: Gray, mask: Mask) -> dict[str, float]:
    """The quantities of group "crack" by name, of the lines that a mask (H, W) sets; those not defined left out."""
    values = {"fraction": 100 * float(mask.mean())}
    if not mask.any():
        return values
    lines = middle_lines(mask)
    values["width"] = 2 * float(lines.radius[lines.skeleton].mean())
    around = ring(mask)
    if around.any():
        values["contrast"] = float(np.median(gray[around]) - gray[mask].mean())
    return values | _courses(lines, float(np.hypot(mask.shape[0], mask.shape[1])))


def ring(mask: Mask) -> Mask:
    """(H, W) the pixels more than 2 and up to 8 px from the nearest of a mask."""
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return (away > _RING[0]) & (away <= _RING[1])


def _courses(lines: Lines, diagonal: float) -> dict[str, float]:
    steps = [np.diff(path, axis=0) for path in lines.paths]
    along = np.concatenate([np.zeros((0, 2)), *steps])
    lengths = np.hypot(*along.T)
    length = float(lengths.sum())
    values = {"length": length / diagonal}
    if length == 0:
        return values
    values["branching"] = 100 * lines.branches / length
    chords = np.concatenate([np.zeros(0), *(_chords(path) for path in lines.paths if len(path) > _STRETCH / 2**0.5)])
    if len(chords):
        values["tortuosity"] = _STRETCH * len(chords) / float(chords.sum())
    # Directions without sense: the doubled angle takes those that differ by 180 degrees together.
    doubled = np.exp(2j * np.arctan2(along[:, 1], along[:, 0]))
    agreement = min(abs((lengths * doubled).sum()) / length, 1.0)
    values["orientation"] = float(np.degrees(np.sqrt(2 * (1 - agreement)) / 2))
    return values


def _chords(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) pixels straight from end to end of each whole stretch of a path (n, 2)."""
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    at = np.arange(0.0, way[-1] + 1e-9, _STRETCH)
    x, y = (np.interp(at, way, values) for values in path.T)
    return np.maximum(np.hypot(np.diff(x), np.diff(y)), 1.0)


def of_background(gray: Gray) -> dict[str, float]:
    """The quantities of group "picture" by name; no spectrum where the picture is flat."""
    values = {"gray": float(gray.mean()), "spread": float(gray.std())}
    frequency, power = spectrum(gray)
    if power.sum() <= 1e-6 * gray.size:
        return values
    band = (np.log(frequency / _BROADEST) / np.log(_FINEST / _BROADEST) * _BANDS).astype(int)
    inside = frequency < _FINEST
    count, total, logs = (
        np.bincount(band[inside], weights=weights, minlength=_BANDS)
        for weights in (None, power[inside], np.log(frequency[inside]))
    )
    filled = (count > 0) & (total > 0)
    if filled.sum() > 2:
        density = np.log(total[filled] / count[filled])
        values["slope"] = float(np.polyfit(logs[filled] / count[filled], density, 1)[0])
    values["fine"] = 100 * float(power[frequency > _FINE].sum() / power.sum())
    return values


def spectrum(gray: Gray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n,) frequencies in cycles a pixel from 1/64 on, and the power at each, under a Hann window, in any order."""
    height, width = gray.shape
    window = np.hanning(height)[:, None] * np.hanning(width)[None]
    power = np.abs(np.fft.rfft2((gray - gray.mean()) * window)) ** 2 / gray.size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    kept = frequency >= _BROADEST
    return frequency[kept], power[kept]


def ridges(gray: Gray) -> Gray:
    """(H, W) gray levels: how much darker than both sides a pixel is, as lines are and spots are not.

    At two scales, the larger of them: second derivative of the blurred picture across the line, less that along it,
    times the scale's square.
    """
    return np.asarray(np.maximum(*(_ridge(gray, sigma) for sigma in _RIDGES)))


def _ridge(gray: Gray, sigma: float) -> Gray:
    blurred = cv2.GaussianBlur(gray, (0, 0), sigma)
    xx, yy, xy = (
        cv2.Sobel(blurred, cv2.CV_32F, across, down, ksize=3, scale=sigma**2 / 4)
        for across, down in ((2, 0), (0, 2), (1, 1))
    )
    mean = (xx + yy) / 2
    apart = np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return np.maximum(mean + apart - np.abs(mean - apart), 0)


def dark_lines(response: Gray) -> Mask:
    """(H, W) the long dark lines, by the response of `ridges`; no labels needed, and not as good.

    A line is a connected piece of pixels with 5 times the picture's median response (and 1.5 gray levels), three in
    ten of them with twice that, at least 32 px from end to end and no blot. Joints, shadows and scratches are lines
    too, and a crack fainter than its surface's texture is none: to compare sets by, not to label pictures with.
    How it orders drawn pictures, against their masks (rank correlation): contrast and orientation
    0.4 to 0.7, tortuosity 0.3 to 0.5, length 0.3, branching and width 0.1 to 0.6, fraction 0 to 0.3.
    """
    usual = float(np.median(response)) + 0.3
    there = (response > _WEAK * usual).astype(np.uint8)
    count, numbers, boxes, _ = cv2.connectedComponentsWithStats(there, connectivity=8)
    strong = np.bincount(numbers.ravel(), weights=(response > _STRONG * usual).ravel(), minlength=count)
    extent = np.hypot(boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT])
    area = boxes[:, cv2.CC_STAT_AREA]
    kept = (extent >= _SHORTEST) & (area <= _FULLEST * extent**2) & (strong >= _STRONG_PART * area)
    kept[0] = False
    return np.asarray(kept[numbers])

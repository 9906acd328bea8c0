"""Measure one crack picture: its cracks by their mask, its dark lines without a mask, and its background."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segment.statistics.lines import Lines, Mask, middle_lines

Gray = NDArray[np.float32]

_RING = (2.0, 8.0)
_STRETCH = 32.0
# Cycles per pixel. Broader structure belongs to the lighting, not to the surface.
_BROADEST, _FINE, _FINEST = 1 / 64, 1 / 8, 1 / 2
_BANDS = 12
_RIDGES = (1.5, 3.0)
# Least response of a dark line, in its whole and in its strong part, as multiples of the median response.
_WEAK, _STRONG, _STRONG_PART = 5.0, 10.0, 0.3
# Least length of a line, pixels. Largest share of its bounding square that a line fills.
_SHORTEST, _FULLEST = 32.0, 0.35


@dataclass(frozen=True)
class Quantity:
    """A quantity with one value for each picture. key: `group.name`. digits: number of decimals to show."""

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
    ("width", "px", 1, "twice the distance to the edge, averaged over the middle lines without their tips"),
    ("contrast", "gray", 1, "median of the ring 2 to 8 px around the line, minus the mean inside"),
    ("length", "diagonals", 2, "length of all middle lines, in diagonals of the picture"),
    ("branching", "/100 px", 2, "branch points per 100 px of middle line"),
    ("tortuosity", "", 3, "length along the middle line over straight length, in pieces of 32 px"),
    ("orientation", "deg", 1, "angular deviation of the directions: 0 is parallel, 40.5 is uniform"),
)
GROUPS = {
    "crack": "cracks, by their masks; pictures without cracks count only for the fraction",
    "lines": "dark lines, found without masks: a substitute for cracks, the same for every set",
    "picture": "whole pictures, including cracks",
}
QUANTITIES = (
    *(
        Quantity(f"{group}.{name}", unit, digits, meaning)
        for group in ("crack", "lines")
        for name, unit, digits, meaning in _OF_LINES
    ),
    Quantity("lines.strength", "gray", 1, "99th percentile of the response to dark lines 3 to 6 px wide"),
    Quantity("picture.gray", "", 0, "mean gray value, 0 to 255"),
    Quantity("picture.spread", "gray", 1, "standard deviation of the gray values"),
    Quantity("picture.slope", "", 2, "slope of the power spectrum from 64 to 2 px, in log-log scale"),
    Quantity("picture.fine", "%", 1, "share of the power below 64 px that is finer than 8 px"),
)
"""All quantities, in the order of tables."""


def measure(rgb: NDArray[np.uint8], mask: Mask | None) -> dict[str, float]:
    """Measure a picture (H, W, 3) sRGB and its mask (H, W). Returns the defined values by `Quantity.key`.

    Without a mask there are no values of group "crack". With an empty mask, only the fraction is defined, and it is 0.
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
    """The defined quantities of group "crack" by name, for the lines of a mask (H, W)."""
    values = {"fraction": 100 * float(mask.mean())}
    if not mask.any():
        return values
    lines = middle_lines(mask)
    values["width"] = 2 * float(lines.radius[lines.body].mean())
    around = ring(mask)
    if around.any():
        values["contrast"] = float(np.median(gray[around]) - gray[mask].mean())
    return values | _courses(lines, float(np.hypot(mask.shape[0], mask.shape[1])))


def ring(mask: Mask) -> Mask:
    """(H, W) True for pixels more than 2 px and up to 8 px away from a mask."""
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
    # Lines have no sign of direction. Doubling the angle makes directions equal that differ by 180 degrees.
    doubled = np.exp(2j * np.arctan2(along[:, 1], along[:, 0]))
    agreement = min(abs((lengths * doubled).sum()) / length, 1.0)
    values["orientation"] = float(np.degrees(np.sqrt(2 * (1 - agreement)) / 2))
    return values


def _chords(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) straight length in pixels of each complete piece of 32 px of a path (n, 2)."""
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    at = np.arange(0.0, way[-1] + 1e-9, _STRETCH)
    x, y = (np.interp(at, way, values) for values in path.T)
    return np.maximum(np.hypot(np.diff(x), np.diff(y)), 1.0)


def of_background(gray: Gray) -> dict[str, float]:
    """The quantities of group "picture" by name. A flat picture has no spectrum."""
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
    """(n,) frequencies from 1/64 cycles per pixel on, and the power at each, with a Hann window. Not sorted."""
    height, width = gray.shape
    window = np.hanning(height)[:, None] * np.hanning(width)[None]
    power = np.abs(np.fft.rfft2((gray - gray.mean()) * window)) ** 2 / gray.size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    kept = frequency >= _BROADEST
    return frequency[kept], power[kept]


def ridges(gray: Gray) -> Gray:
    """(H, W) response to dark lines, in gray levels: how much darker a pixel is than both sides. Spots give none.

    The response at one scale is the second derivative of the blurred picture across the line, minus that along the
    line, times the square of the scale. The larger response of two scales is taken.
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
    """(H, W) True on long dark lines, found by the response of `ridges`. Needs no labels, but is less exact.

    A line is a connected region of pixels with at least 5 times the median response of the picture (plus 1.5 gray
    levels). 30 % of its pixels have twice that. It is at least 32 px long and not a blob. Joints, shadows and scratches
    are found too, and cracks fainter than the texture of the surface are not. So it serves to compare sets, not to
    label pictures. Rank correlation with the values from the masks, on composed pictures: contrast and orientation 0.4
    to 0.7, tortuosity 0.3 to 0.5, length 0.3, branching and width 0.1 to 0.6, fraction 0 to 0.3.
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

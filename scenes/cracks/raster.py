"""Contours as pictures: coverage, width, skeleton, distance, and the chips' depth.

A picture is (H, W), one value to each of the Pixels. `kinds` chooses the strokes; by default those that gape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from scenes.cracks import strips
from scenes.cracks.contour import OPEN, Array, Contour
from scenes.cracks.strips import Image, Pixels, Segments, Shape, nearest, segments_of, to_segment
from scenes.cracks.thinning import thinned


@dataclass(frozen=True)
class Drawn:
    """`coverage`, `width_map` and `skeleton` of one picture, and reach: the coverage as if the edges lay some way
    farther out, each (H, W). There is a width wherever the reach is not 0."""

    coverage: Image
    reach: Image
    width: Image
    skeleton: NDArray[np.bool_]


def drawn(contour: Contour, pixels: Pixels, kinds: tuple[str, ...] = OPEN, margin: float = 0.0) -> Drawn:
    """All of them at the price of a little more than one. margin: of the reach, in pixels."""
    segments = segments_of(contour, pixels, kinds)
    covered, reach, width = strips.drawn(segments, pixels.shape, margin)
    width *= np.float32(pixels.mm_per_pixel)
    return Drawn(covered, reach, width, thinned(_crossed(segments, covered)))


def coverage(contour: Contour, pixels: Pixels, kinds: tuple[str, ...] = OPEN) -> Image:
    """(H, W) float32 in [0, 1]: the share of each pixel's area that the crack covers.

    Exact for straight strips of any direction and width, also far below a pixel; where strokes overlap, the larger
    coverage counts.
    """
    return strips.drawn(segments_of(contour, pixels, kinds), pixels.shape, 0.0)[0]


def width_map(contour: Contour, pixels: Pixels, kinds: tuple[str, ...] = OPEN) -> Image:
    """(H, W) float32 mm: the crack's width at the nearest place of its middle line, 0 where coverage is 0."""
    return strips.drawn(segments_of(contour, pixels, kinds), pixels.shape, 0.0)[2] * np.float32(pixels.mm_per_pixel)


def distance(contour: Contour, pixels: Pixels, kinds: tuple[str, ...] = OPEN, reach: float | None = None) -> Image:
    """(H, W) float32 mm from pixel centers to the nearest lip, negative inside the crack, at most `reach` mm.

    reach: by default 16 pixels. More than a pixel off the crack, the nearest piece of it is taken to be that of the
    nearest pixel by the crack: 0.02 pixels too far on average, never a whole one.
    """
    mm_per_pixel = pixels.mm_per_pixel
    limit = 16.0 if reach is None else reach / mm_per_pixel
    # Cracks just outside the picture are near, too.
    rim = int(np.ceil(limit)) + 1
    wide = (pixels.shape[0] + 2 * rim, pixels.shape[1] + 2 * rim)
    corner = (pixels.origin[0] - rim * mm_per_pixel, pixels.origin[1] - rim * mm_per_pixel)
    segments = segments_of(contour, Pixels(wide, mm_per_pixel, corner), kinds)
    signed, owner = nearest(segments, wide, 1.5)
    if np.any(owner >= 0):
        away, (near_rows, near_columns) = distance_transform_edt(owner < 0, return_indices=True)
        rows, columns = np.nonzero((away > 0) & (away <= limit + 1))
        middle, half = to_segment(segments, owner[near_rows[rows, columns], near_columns[rows, columns]], rows, columns)
        signed[rows, columns] = middle - half
    signed = np.minimum(signed[rim:-rim, rim:-rim], np.float32(limit))
    return signed * np.float32(mm_per_pixel)


def lips(contour: Contour, pixels: Pixels, kinds: tuple[str, ...] = OPEN, *, reach: float) -> tuple[Image, Image]:
    """(H, W) float32 mm from pixel centers to the nearest lip, negative inside, exact, inf beyond `reach` mm; and half
    the width of the crack at that place, 0 beyond."""
    segments, mm_per_pixel = segments_of(contour, pixels, kinds), pixels.mm_per_pixel
    signed, owner = nearest(segments, pixels.shape, reach / mm_per_pixel)
    half = np.zeros(pixels.shape, dtype=np.float32)
    row, column = np.nonzero(owner >= 0)
    half[row, column] = to_segment(segments, owner[row, column], row, column)[1]
    return signed * np.float32(mm_per_pixel), half * np.float32(mm_per_pixel)


def skeleton(contour: Contour, pixels: Pixels, kinds: tuple[str, ...] = OPEN) -> NDArray[np.bool_]:
    """(H, W) bool: the pixels the middle lines run through, thinned to one pixel, 8-connected along every stroke."""
    return drawn(contour, pixels, kinds).skeleton


def _crossed(segments: Segments, covered: Image) -> NDArray[np.bool_]:
    """(H, W) the covered pixels that the middle lines run through."""
    height, width = covered.shape
    t = ((np.arange(16, dtype=np.float32) + np.float32(0.5)) / np.float32(16))[:, None]
    x, y = segments.ax + t * segments.dx, segments.ay + t * segments.dy
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    flat = y[inside].astype(np.int64) * width + x[inside].astype(np.int64)
    mask = np.zeros(covered.shape, dtype=bool)
    mask.ravel()[flat[covered.ravel()[flat] > 0]] = True
    return mask


def spall_depth(contour: Contour, pixels: Pixels) -> Image:
    """(H, W) float32 mm: depth of the chips, times the share of the pixel they cover; 0 elsewhere."""
    image = np.zeros(pixels.shape, dtype=np.float32)
    for spall in contour.spalls:
        outline = (spall.outline - pixels.origin) / pixels.mm_per_pixel
        low = np.maximum(np.floor(outline.min(axis=0)).astype(int) - 1, 0)
        high = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 1, pixels.shape[::-1])
        if np.all(high > low):
            box = image[low[1] : high[1], low[0] : high[0]]
            np.maximum(box, spall.depth * _polygon_coverage(outline - low, (box.shape[0], box.shape[1])), out=box)
    return image


def _polygon_coverage(outline: Array, shape: Shape) -> Image:
    """Coverage of a polygon in pixel units: signed distance to its nearest edge, one pixel wide."""
    step = np.roll(outline, -1, axis=0) - outline
    x, y = np.arange(shape[1]) + 0.5, np.arange(shape[0])[:, None] + 0.5
    nearest = np.full(shape, np.inf)
    inside = np.zeros(shape, dtype=bool)
    for (ax, ay), (dx, dy) in zip(outline, step, strict=True):
        px, py = x - ax, y - ay
        u = np.clip((px * dx + py * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
        nearest = np.minimum(nearest, np.hypot(px - u * dx, py - u * dy))
        if dy != 0:
            inside ^= ((ay > y) != (ay + dy > y)) & (px < py * dx / dy)
    return np.clip(0.5 + np.where(inside, nearest, -nearest), 0, 1).astype(np.float32)

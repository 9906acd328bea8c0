"""Contours as images: coverage, width, skeleton, distance, and the depth of the chips.

An image is (H, W), with one value for each pixel. `kinds` selects the strokes; by default the open ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from scenes.cracks import strips
from scenes.cracks.contour import OPEN, Array, Contour
from scenes.cracks.strips import Image, Pixels, Segments, Shape, nearest, segments_of, to_segment
from scenes.cracks.thinning import thinned


@dataclass(frozen=True)
class Drawn:
    """`coverage`, `width_map` and `skeleton` of one image, each (H, W).

    reach: the coverage if the edges lay farther out. The width is positive wherever the reach is not 0.
    """

    coverage: Image
    reach: Image
    width: Image
    skeleton: NDArray[np.bool_]


def drawn(
    contour: Contour,
    pixels: Pixels,
    kinds: tuple[str, ...] = OPEN,
    margin: float = 0.0,
    rough: Image | None = None,
) -> Drawn:
    """All of them together; this takes little more time than one of them.

    margin: how far the edges lie farther out for `reach`, in pixels. rough: unevenness of the lips, as in
    `scenes.cracks.strips.drawn`.
    """
    segments = segments_of(contour, pixels, kinds)
    covered, reach, width = strips.drawn(segments, pixels.shape, margin, rough)
    width *= np.float32(pixels.mm_per_pixel)
    return Drawn(covered, reach, width, thinned(_crossed(segments, covered)))


def coverage(contour: Contour, pixels: Pixels, kinds: tuple[str, ...] = OPEN) -> Image:
    """The share of each pixel's area that the crack covers.

    It is exact for straight strips of any direction and width, also for widths far below a pixel. Where strokes
    overlap, the larger coverage counts.

    Parameters
    ----------
    contour : Contour
        The cracks, in mm.
    pixels : scenes.cracks.strips.Pixels
        Shape (H, W) of the image, its scale in mm per pixel, and its position on the patch.
    kinds : tuple of str
        The kinds of strokes to draw. By default these are the open ones, "crack" and "satellite".

    Returns
    -------
    (H, W) float32 array
        Shares from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from blendmill import Contour, Stroke, coverage
    >>> from scenes.cracks.strips import Pixels
    >>> stroke = Stroke(points=np.array([[-1.0, 1.5], [5.0, 1.5]]), widths=np.array([0.5, 0.5]))
    >>> contour = Contour(strokes=(stroke,), spalls=(), size=(4.0, 3.0))
    >>> coverage(contour, Pixels((3, 4), mm_per_pixel=1.0)).round(3).tolist()
    [[0.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.5, 0.5], [0.0, 0.0, 0.0, 0.0]]
    """
    return strips.drawn(segments_of(contour, pixels, kinds), pixels.shape, 0.0)[0]


def width_map(contour: Contour, pixels: Pixels, kinds: tuple[str, ...] = OPEN) -> Image:
    """The width of the crack at each pixel, taken at the nearest point of its middle line.

    Parameters
    ----------
    contour : Contour
        The cracks, in mm.
    pixels : scenes.cracks.strips.Pixels
        Shape (H, W) of the image, its scale in mm per pixel, and its position on the patch.
    kinds : tuple of str
        The kinds of strokes to draw. By default these are the open ones, "crack" and "satellite".

    Returns
    -------
    (H, W) float32 array
        Widths in mm, 0 where the coverage is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from blendmill import Contour, Stroke, width_map
    >>> from scenes.cracks.strips import Pixels
    >>> stroke = Stroke(points=np.array([[-1.0, 1.5], [5.0, 1.5]]), widths=np.array([0.5, 0.5]))
    >>> contour = Contour(strokes=(stroke,), spalls=(), size=(4.0, 3.0))
    >>> width_map(contour, Pixels((3, 4), mm_per_pixel=1.0)).round(3).tolist()
    [[0.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.5, 0.5], [0.0, 0.0, 0.0, 0.0]]
    """
    return strips.drawn(segments_of(contour, pixels, kinds), pixels.shape, 0.0)[2] * np.float32(pixels.mm_per_pixel)


def distance(contour: Contour, pixels: Pixels, kinds: tuple[str, ...] = OPEN, reach: float | None = None) -> Image:
    """(H, W) float32 mm from pixel centers to the nearest lip, negative inside the crack, at most `reach` mm.

    reach: by default 16 pixels. Farther than a pixel from the crack, the distance is taken to the piece that is nearest
    to the nearest pixel at the crack. It is 0.02 pixels too large on average, and always less than one pixel.
    """
    mm_per_pixel = pixels.mm_per_pixel
    limit = 16.0 if reach is None else reach / mm_per_pixel
    # Cracks just outside the image count too.
    rim = int(np.ceil(limit)) + 1
    wide = (pixels.shape[0] + 2 * rim, pixels.shape[1] + 2 * rim)
    corner = (pixels.origin[0] - rim * mm_per_pixel, pixels.origin[1] - rim * mm_per_pixel)
    segments = segments_of(contour, Pixels(wide, mm_per_pixel, corner), kinds)
    signed, owner = nearest(segments, wide, 1.5)
    if np.any(owner >= 0):
        away, (near_rows, near_columns) = scipy.ndimage.distance_transform_edt(owner < 0, return_indices=True)
        rows, columns = np.nonzero((away > 0) & (away <= limit + 1))
        middle, half = to_segment(segments, owner[near_rows[rows, columns], near_columns[rows, columns]], rows, columns)
        signed[rows, columns] = middle - half
    signed = np.minimum(signed[rim:-rim, rim:-rim], np.float32(limit))
    return signed * np.float32(mm_per_pixel)


def lips(contour: Contour, pixels: Pixels, kinds: tuple[str, ...] = OPEN, *, reach: float) -> tuple[Image, Image]:
    """Exact distance from the pixel centers to the nearest lip, and half the crack's width there, (H, W) float32 mm.

    The distance is negative inside the crack. Beyond `reach` mm the distance is inf and the half width is 0.
    """
    segments, mm_per_pixel = segments_of(contour, pixels, kinds), pixels.mm_per_pixel
    signed, owner = nearest(segments, pixels.shape, reach / mm_per_pixel)
    half = np.zeros(pixels.shape, dtype=np.float32)
    row, column = np.nonzero(owner >= 0)
    half[row, column] = to_segment(segments, owner[row, column], row, column)[1]
    return signed * np.float32(mm_per_pixel), half * np.float32(mm_per_pixel)


def skeleton(contour: Contour, pixels: Pixels, kinds: tuple[str, ...] = OPEN) -> NDArray[np.bool_]:
    """The pixels through which the middle lines run, thinned to lines one pixel wide.

    The lines are 8-connected along each stroke.

    Parameters
    ----------
    contour : Contour
        The cracks, in mm.
    pixels : scenes.cracks.strips.Pixels
        Shape (H, W) of the image, its scale in mm per pixel, and its position on the patch.
    kinds : tuple of str
        The kinds of strokes to draw. By default these are the open ones, "crack" and "satellite".

    Returns
    -------
    (H, W) bool array
        True on the middle lines.

    Examples
    --------
    >>> import numpy as np
    >>> from blendmill import Contour, Stroke, skeleton
    >>> from scenes.cracks.strips import Pixels
    >>> stroke = Stroke(points=np.array([[-1.0, 1.5], [5.0, 1.5]]), widths=np.array([0.5, 0.5]))
    >>> contour = Contour(strokes=(stroke,), spalls=(), size=(4.0, 3.0))
    >>> skeleton(contour, Pixels((3, 4), mm_per_pixel=1.0)).sum(axis=1).tolist()
    [0, 4, 0]
    """
    return drawn(contour, pixels, kinds).skeleton


def _crossed(segments: Segments, covered: Image) -> NDArray[np.bool_]:
    """(H, W) the covered pixels through which the middle lines run."""
    height, width = covered.shape
    t = ((np.arange(16, dtype=np.float32) + np.float32(0.5)) / np.float32(16))[:, None]
    x, y = segments.ax + t * segments.dx, segments.ay + t * segments.dy
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    flat = y[inside].astype(np.int64) * width + x[inside].astype(np.int64)
    mask = np.zeros(covered.shape, dtype=bool)
    mask.ravel()[flat[covered.ravel()[flat] > 0]] = True
    return mask


def spall_depth(contour: Contour, pixels: Pixels) -> Image:
    """(H, W) float32 mm: depth of the chips times the share of the pixel that they cover; 0 elsewhere."""
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

"""The geometry of the crack: distorts its contour, and rasterizes coverage, width and center line.

All labels are drawn from the distorted contour, so they fit the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from render.composite.noise import Image, normals
from scenes.cracks import raster, strips
from scenes.cracks.contour import Array, Contour, Size, Spall
from scenes.cracks.strips import Pixels

Box = tuple[slice, slice]


@dataclass(frozen=True)
class Geometry:
    """A rasterized contour, as arrays of shape (H, W).

    coverage: float32 in [0, 1]. reach: float32 in [0, 1], coverage by the labels, which is the crack with its margin.
    width: float32 in mm, 0 outside the labels. skeleton: bool. healed: float32, coverage by healed cracks, or None.
    chips: float32, depth of chips relative to the deepest, or None.
    """

    coverage: Image
    reach: Image
    width: Image
    skeleton: NDArray[np.bool_]
    healed: Image | None
    chips: Image | None

    def within(self, box: Box) -> Geometry:
        """Crop all arrays to a box."""
        healed, chips = (None if image is None else image[box] for image in (self.healed, self.chips))
        return Geometry(self.coverage[box], self.reach[box], self.width[box], self.skeleton[box], healed, chips)

    def seen(self, where: NDArray[np.bool_]) -> Geometry:
        """Only those labels that are in the (H, W) mask."""
        return replace(self, reach=self.reach * where, width=self.width * where, skeleton=self.skeleton & where)

    def box(self, margin: int) -> Box:
        """Box around all cracks and chips, with `margin` pixels; the whole picture if there are none."""
        seen = self.coverage > 0
        for image in (self.healed, self.chips):
            seen = seen if image is None else seen | (image > 0)
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        if not len(rows):
            return slice(None), slice(None)
        down, across = (slice(max(int(k[0]) - margin, 0), int(k[-1]) + 1 + margin) for k in (rows, columns))
        return down, across


@dataclass(frozen=True)
class Lips:
    """How uneven the lips of cracks are: a field over the patch, the same at every scale of the picture.

    fields: each with its spacing of nodes in mm, and (rows, columns) nodes in half widths. They begin one node before
    the patch.
    """

    fields: tuple[tuple[float, Image], ...]

    def at(self, pixels: Pixels) -> Image:
        """(H, W) float32, the half width at the pixels over that of even lips, minus 1; linear between nodes."""
        height, width = pixels.shape
        total = np.zeros((height, width), np.float32)
        for spacing, nodes in self.fields:
            step = pixels.mm_per_pixel / spacing
            first = [origin / spacing + step / 2 + 1 for origin in pixels.origin]
            matrix = np.array([[step, 0, first[0]], [0, step, first[1]]])
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            total += cv2.warpAffine(nodes, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT)
        return np.clip(total, -_NARROWEST, strips.WIDEST - 1)


def uneven(size: Size, rng: np.random.Generator, mm_per_pixel: float, amount: float) -> Lips:
    """Lips that break off and stand out by an rms of about `amount` half widths, on a patch of `size` mm."""
    fields = []
    for spacing, share in _ROUGH:
        columns, rows = (int(np.ceil(side / mm_per_pixel / spacing)) + 3 for side in size)
        fields.append((spacing * mm_per_pixel, normals(rng, rows, columns, rms=share * amount)))
    return Lips(tuple(fields))


# Distances of the nodes in pixels, and the share of the unevenness that each has.
_ROUGH = ((1.3, 0.9), (3.5, 0.7), (9.0, 0.5))
# Share of the half width by which a lip stands out at most.
_NARROWEST = 0.8


def rasterized(contour: Contour, pixels: Pixels, margin: float, lips: Lips | None = None) -> Geometry:
    """Rasterize a contour. margin: pixels by which labels extend beyond the crack. lips: None for even ones."""
    healed, chips = None, None
    if any(stroke.kind == "healed" for stroke in contour.strokes):
        healed = raster.coverage(contour, pixels, kinds=("healed",))
    if contour.spalls:
        depth = raster.spall_depth(contour, pixels)
        chips = depth / max(float(depth.max()), 1e-6)
    drawn = raster.drawn(contour, pixels, margin=margin, rough=None if lips is None else lips.at(pixels))
    return Geometry(drawn.coverage, drawn.reach, drawn.width, drawn.skeleton, healed, chips)


def warped(
    contour: Contour,
    rng: np.random.Generator,
    mm_per_pixel: float,
    *,
    dilation: float,
    elastic: float,
    elastic_scale: float,
    affine: float,
    affine_cell: float,
) -> Contour:
    """Dilate a contour, then move it by a smooth elastic field and by a coarse grid.

    See `scenes.config.composite_crack.WarpConfig`.
    """
    contour = dilated(contour, dilation)
    width, height = (side / mm_per_pixel for side in contour.size)
    # Each node lies at the center of the finer nodes that replace it.
    before = (_MARGIN + 0.5) * _FINER - 0.5
    soft = _Field(_smooth(_nodes(rng, (height, width), elastic_scale)), elastic_scale / _FINER, before)
    stretched = _Field(_nodes(rng, (height, width), affine_cell), affine_cell, _MARGIN)

    def moved(points: Array) -> Array:
        at = points / mm_per_pixel
        return (at + elastic * elastic_scale * soft.at(at) + affine * affine_cell * stretched.at(at)) * mm_per_pixel

    lines = [stroke.points for stroke in contour.strokes] + [spall.outline for spall in contour.spalls]
    if not lines:
        return contour
    ends = np.cumsum([len(line) for line in lines])
    parts = np.split(moved(np.concatenate(lines)), ends[:-1])
    count = len(contour.strokes)
    strokes = tuple(replace(stroke, points=part) for stroke, part in zip(contour.strokes, parts[:count], strict=True))
    spalls = tuple(Spall(part, spall.depth) for spall, part in zip(contour.spalls, parts[count:], strict=True))
    return Contour(strokes, spalls, contour.size)


# Factor by which a smooth field has more nodes than are drawn.
_FINER = 4
# Cells beyond the picture on each side, because cracks begin outside.
_MARGIN = 2


@dataclass(frozen=True)
class _Field:
    """Displacements at (rows, columns, 2) nodes, `spacing` pixels apart; the first `margin` lie before the picture."""

    nodes: Image
    spacing: float
    margin: float

    def at(self, points: Array) -> Array:
        """(n, 2) displacements at (n, 2) pixels, linear between nodes."""
        places = (points / self.spacing + self.margin).astype(np.float32)
        # OpenCV allows at most 32,767 rows.
        parts = np.array_split(places[:, None], -(-len(places) // 30000))
        found = [cv2.remap(self.nodes, part, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for part in parts]
        return np.concatenate(found)[:, 0].astype(np.float64)


def dilated(contour: Contour, factor: float) -> Contour:
    """Multiply all widths."""
    strokes = tuple(replace(stroke, widths=stroke.widths * factor) for stroke in contour.strokes)
    return replace(contour, strokes=strokes)


def _nodes(rng: np.random.Generator, shape: tuple[float, float], spacing: float) -> Image:
    """(rows, columns, 2) displacements of unit variance."""
    rows, columns = (int(np.ceil(side / spacing)) + 2 * _MARGIN + 1 for side in shape)
    return rng.standard_normal((rows, columns, 2), dtype=np.float32)


def _smooth(nodes: Image) -> Image:
    """Interpolate to `_FINER` times as many nodes, cubic. The new first node lies before the old first node."""
    return np.asarray(cv2.resize(nodes, None, fx=_FINER, fy=_FINER, interpolation=cv2.INTER_CUBIC))

"""Cracks as geometry: the mesh of a surface, fine at the cracks, cut along the lips, with walls that go down.

The mesh covers the whole patch. Squares of fine cells cover the cracks and their damage. Elsewhere a square is two
triangles. Squares next to fine ones are fans that share all vertices with them, so the mesh has no gaps. Triangles are
divided along the lips, so each triangle lies either inside or outside the crack.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from scenes.cracks.contour import Contour
from scenes.cracks.lattice import BLOCK, Grid, beside, cut, triangles
from scenes.cracks.raster import lips, spall_depth
from scenes.cracks.strips import Pixels
from scenes.errors import InputError

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Profile:
    """The cross section of a crack. Lengths are in mm, shares from 0 to 1.

    depth: depth divided by width. steepness: exponent of the fall from lip to middle; 1 gives a V, 0.2 a U.
    roughness: of the walls, and of the depth along the crack. fill: share of the depth that is filled. grains: rms
    height of the filling's grains. reach: how far from the lips the surface is changed. raised: height of the lips,
    negative if they sank. crumble: depth of the material that broke off the lips.
    """

    depth: float = 2.0
    steepness: float = 0.5
    roughness: float = 0.4
    fill: float = 0.0
    grains: float = 0.0
    reach: float = 1.0
    raised: float = 0.0
    crumble: float = 0.0


@dataclass(frozen=True)
class Relief:
    """A triangle mesh in patch millimeters: x right, y down, z out of the surface.

    vertices: (n, 3) float32. faces: (m, 3) int32, counter-clockwise seen from outside. inside: (m,) bool, between the
    lips of a crack. distance: (n,) float32 mm from the nearest lip, negative inside; coarse beyond the profile's
    reach. filled: (n,) float32 mm from the nearest filled band, negative inside; 1000 far from it.
    """

    vertices: Floats
    faces: NDArray[np.int32]
    inside: NDArray[np.bool_]
    distance: Floats
    filled: Floats


@dataclass(frozen=True)
class Band:
    """A strip along all strokes of a contour: a sunken joint, or a filling that is level or raised.

    height: mm of its flat top, reached `edge` mm inside its lips; negative for a sunken strip. filled: whether
    `Relief.filled` holds the distance to it.
    """

    contour: Contour
    height: float
    edge: float
    filled: bool = False


def relief(
    contour: Contour,
    profile: Profile,
    cell: float,
    rng: np.random.Generator,
    bands: tuple[Band, ...] = (),
    triangles: int = 300_000,
) -> Relief:
    """The mesh of a contour's patch with its cracks and bands.

    cell: mm, side of a fine cell. It is enlarged if there were more than about `triangles` triangles. Raises InputError
    if the cell is not positive or larger than the patch.
    """
    if not (np.isfinite(cell) and 0 < cell <= min(contour.size)):
        raise InputError(f"crack relief: cells of {cell:g} mm do not fit a patch of {contour.size} mm")
    while 2 * _area((contour, *(band.contour for band in bands)), profile, cell) > triangles * cell * cell:
        cell *= 1.1
    return _meshed(contour, profile, bands, rng, *_laid(contour, profile, cell, bands))


def _area(contours: tuple[Contour, ...], profile: Profile, cell: float) -> float:
    """Approximate area in mm² of the fine squares. Overlaps count twice."""
    beside = 2 * max(profile.reach, 2.5 * cell) + BLOCK * cell
    return sum(stroke.length * (float(stroke.widths.mean()) + beside) for c in contours for stroke in c.strokes)


def _laid(
    contour: Contour, profile: Profile, cell: float, bands: tuple[Band, ...]
) -> tuple[Grid, Floats, Floats, Floats, list[Floats]]:
    """The grid, and at its vertices the crack's distance and half width, the chips' depth, and each band's distance."""
    rows, columns = (int(np.ceil(side / cell / BLOCK)) for side in (contour.size[1], contour.size[0]))
    shape = (rows * BLOCK + 1, columns * BLOCK + 1)
    pixels = Pixels(shape, cell, (-cell / 2, -cell / 2))
    reach = max(profile.reach, 2.5 * cell)
    distance, half = lips(contour, pixels, reach=reach)
    chips = spall_depth(contour, pixels) if contour.spalls else np.zeros(shape, np.float32)
    gaps = [lips(band.contour, pixels, reach=max(band.edge, 2.5 * cell))[0] for band in bands]
    touched = (distance < reach) | (chips > 0)
    for gap in gaps:
        touched |= np.isfinite(gap)
    active = np.zeros((rows, columns), bool)
    for dy in (0, 1):
        for dx in (0, 1):
            part = touched[dy : dy + rows * BLOCK, dx : dx + columns * BLOCK]
            active |= part.reshape(rows, BLOCK, columns, BLOCK).any(axis=(1, 3))
    return Grid(cell, shape, active), np.minimum(distance, reach), half, chips, gaps


def _meshed(
    contour: Contour,
    profile: Profile,
    bands: tuple[Band, ...],
    rng: np.random.Generator,
    grid: Grid,
    distance: Floats,
    half: Floats,
    chips: Floats,
    gaps: list[Floats],
) -> Relief:
    row, column = np.nonzero(grid.drawn)
    number = np.full(grid.shape, -1, np.int64)
    number[row, column] = np.arange(len(row))
    plane = np.stack([column, row], axis=1) * np.float32(grid.cell)
    # A vertex exactly on a lip counts as outside, because a triangle must not have all its corners on the lip.
    signed = distance[row, column]
    signed[np.abs(signed) < 1e-3 * grid.cell] = 1e-3 * grid.cell
    height = _heights(plane, signed, half[row, column], profile, grid.cell, rng)
    height -= chips[row, column] * (0.55 + 0.45 * _noise(plane, 6 * grid.cell, rng).clip(-1, 1))
    filled = np.full(len(plane), 1e3, np.float32)
    for band, gap in zip(bands, gaps, strict=True):
        own = gap[row, column]
        fall = np.clip(0.5 - own / (2 * band.edge), 0, 1)
        step = band.height * fall * fall * (3 - 2 * fall)
        height = np.minimum(height, step) if band.height < 0 else height + step
        if band.filled:
            filled = np.minimum(filled, own)
    # Cracks end in a wall at the border. Otherwise one could see through their ends.
    height[(row == 0) | (column == 0) | (row == grid.shape[0] - 1) | (column == grid.shape[1] - 1)] = 0
    faces, centers = triangles(grid, number)
    level = np.zeros(len(centers), np.float32)
    vertices = np.column_stack([np.concatenate([plane, centers]), np.concatenate([height, level])])
    signed, far = _spread(grid, signed, max(profile.reach, 2.5 * grid.cell))
    filled = np.concatenate([filled, np.full(len(centers), 1e3)])
    table = np.column_stack([vertices, np.concatenate([signed, far]), filled]).astype(np.float32)
    table, faces, inside = cut(table, faces)
    return Relief(
        np.ascontiguousarray(table[:, :3]),
        faces[:, ::-1].astype(np.int32),
        inside,
        table[:, 3].copy(),
        table[:, 4].copy(),
    )


def _spread(grid: Grid, signed: Floats, reach: float) -> tuple[Floats, Floats]:
    """Distances, coarse beyond the reach: of the drawn vertices, and of the fans' centers."""
    far = (
        scipy.ndimage.distance_transform_edt(~grid.active).astype(np.float32)
        if grid.active.any()
        else np.full(grid.active.shape, 1e3)
    )
    far = reach + np.maximum(far - 0.5, 0) * (BLOCK * grid.cell)
    edge = np.pad(far, 1, mode="edge")
    at_corner = np.minimum(np.minimum(edge[:-1, :-1], edge[1:, :-1]), np.minimum(edge[:-1, 1:], edge[1:, 1:]))
    lonely = np.zeros(grid.shape, np.float32)
    lonely[::BLOCK, ::BLOCK] = at_corner
    row, column = np.nonzero(grid.drawn)
    apart = signed >= reach
    signed[apart] = np.maximum(lonely[row, column][apart], reach)
    fans = ~grid.active & np.any(beside(grid.active), axis=0)
    return signed, far[fans].astype(np.float32)


# Heights -------------------------------------------------------------------------------------------------------


def _heights(
    plane: Floats, distance: Floats, half: Floats, profile: Profile, cell: float, rng: np.random.Generator
) -> Floats:
    """(n,) float32 height in mm above the surface; 0 at and beyond the reach."""
    reach = max(profile.reach, 2.5 * cell)
    height = np.zeros(len(plane), np.float32)
    near = np.flatnonzero(distance < reach)
    at, away, half = plane[near], distance[near], half[near]
    width = float(2 * half.mean()) if len(half) else 1.0
    rough = _noise(at, max(0.7 * width, 1.5 * cell), rng)
    along = _noise(at, max(12 * width, 12 * cell), rng)
    fade = np.clip(1 - away / reach, 0, 1) ** 2
    # The lips are raised or sunk everywhere, and crumbled in places.
    broken = np.clip(rough + 0.6 * along, 0, 1.5) * np.clip(1 - away / (0.6 * reach), 0, 1)
    rim = profile.raised * fade - profile.crumble * broken
    inner = np.clip(-away / np.maximum(half, 1e-6), 0, 1)
    depth = 2 * half * profile.depth * np.exp(profile.roughness * along)
    fall = inner**profile.steepness * (1 + 0.5 * profile.roughness * rough).clip(0.2, 1.8)
    down = depth * fall
    if profile.fill > 0:
        full = np.clip(profile.fill * (1 + 0.35 * along), 0, 0.93)
        floor = depth * (1 - full) + profile.grains * _noise(at, max(0.2 * width, 2 * cell), rng)
        down = np.minimum(down, np.maximum(floor, 0))
    height[near] = rim - np.where(away < 0, down, 0)
    return height


def _noise(at: Floats, size: float, rng: np.random.Generator) -> Floats:
    """(n,) smooth noise at points (n, 2), with features of `size` mm and unit variance at the nodes."""
    if not len(at):
        return np.zeros(0, np.float32)
    spot = (at - at.min(axis=0)) / np.float32(size)
    lattice = rng.standard_normal(tuple(np.ceil(spot.max(axis=0)).astype(int) + 2)).astype(np.float32)
    low = np.floor(spot).astype(np.int64)
    u, v = (spot - low).T
    u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
    i, j = low.T
    first = lattice[i, j] * (1 - u) + lattice[i + 1, j] * u
    second = lattice[i, j + 1] * (1 - u) + lattice[i + 1, j + 1] * u
    return first * (1 - v) + second * v

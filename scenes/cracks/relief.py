"""Cracks as geometry: a surface's mesh, fine where it is broken, cut along the lips, with walls that go down.

The mesh is of the whole patch. Squares of fine cells cover the cracks and what they broke; elsewhere one square is two
triangles. Squares beside fine ones are fans that share all their vertices, so the mesh is closed. Triangles that the
lips run through are divided there: a triangle is either inside the crack or outside.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from scenes.cracks.contour import OPEN, Contour
from scenes.cracks.raster import Shape, _nearest, _segments, _to_segment, spall_depth
from scenes.errors import InputError

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

# Left, right, above, below.
_WAYS = ((0, -1), (0, 1), (-1, 0), (1, 0))
# Fine cells along the side of a square.
_BLOCK = 8


@dataclass(frozen=True)
class Profile:
    """The shape of a crack across. Lengths in mm, shares of 1.

    depth: how many times as deep as wide. steepness: power of the fall from lip to middle, 1 is a V, 0.2 a U.
    roughness: of the walls and of the depth along the crack. fill: share of the depth that lies filled. grains: rms
    height of the filling's grains. reach: how far beside the lips the surface is touched. raised: height of the lips,
    negative where they sank. crumble: depth of what broke off the lips.
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
    """A triangle mesh in patch millimetres: x right, y down, z out of the surface.

    vertices: (n, 3) float32. faces: (m, 3) int32, counter-clockwise seen from outside. inside: (m,) bool, between the
    lips of a crack. distance: (n,) float32 mm from the nearest lip, negative inside; beyond the profile's reach by
    squares only. gap: (n,) float32, the same from a groove's edge.
    """

    vertices: Floats
    faces: NDArray[np.int32]
    inside: NDArray[np.bool_]
    distance: Floats
    gap: Floats


@dataclass(frozen=True)
class Groove:
    """What is sunk into a surface and is no crack: joints. Rounded edges, an even floor."""

    contour: Contour
    depth: float
    edge: float


@dataclass
class _Grid:
    """Fine vertices, (ny + 1, nx + 1) of `cell` mm, and which squares of them are drawn."""

    cell: float
    shape: tuple[int, int]
    active: NDArray[np.bool_]
    drawn: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        rows, columns = self.active.shape
        drawn = np.zeros(self.shape, bool)
        drawn[::_BLOCK, ::_BLOCK] = True
        for dy in (0, 1):
            for dx in (0, 1):
                # A vertex is drawn where it lies in or on the border of an active square.
                view = np.zeros(self.shape, bool)
                spread = np.repeat(np.repeat(self.active, _BLOCK, axis=0), _BLOCK, axis=1)
                view[dy : dy + rows * _BLOCK, dx : dx + columns * _BLOCK] = spread
                drawn |= view
        self.drawn = drawn


def relief(
    contour: Contour,
    profile: Profile,
    cell: float,
    rng: np.random.Generator,
    grooves: tuple[Groove, ...] = (),
    triangles: int = 300_000,
) -> Relief:
    """The mesh of a contour's patch with its cracks and grooves sunk in.

    cell: mm, side of a fine cell; coarser where more than about `triangles` would come of it. Raises InputError where
    the cell is not positive or the patch smaller than one.
    """
    if not (np.isfinite(cell) and 0 < cell <= min(contour.size)):
        raise InputError(f"crack relief: cells of {cell:g} mm do not fit a patch of {contour.size} mm")
    while 2 * _area((contour, *(groove.contour for groove in grooves)), profile, cell) > triangles * cell * cell:
        cell *= 1.1
    return _meshed(contour, profile, grooves, rng, *_laid(contour, profile, cell, grooves))


def _area(contours: tuple[Contour, ...], profile: Profile, cell: float) -> float:
    """About how many mm² the squares that cracks touch will cover, overlaps counted twice."""
    beside = 2 * max(profile.reach, 2.5 * cell) + _BLOCK * cell
    return sum(stroke.length * (float(stroke.widths.mean()) + beside) for c in contours for stroke in c.strokes)


def _laid(
    contour: Contour, profile: Profile, cell: float, grooves: tuple[Groove, ...]
) -> tuple[_Grid, Floats, Floats, Floats, Floats]:
    """The grid, and at its vertices: distance and half width of the crack, depth of chips, distance to grooves."""
    rows, columns = (int(np.ceil(side / cell / _BLOCK)) for side in (contour.size[1], contour.size[0]))
    shape = (rows * _BLOCK + 1, columns * _BLOCK + 1)
    corner = (-cell / 2, -cell / 2)
    reach = max(profile.reach, 2.5 * cell)
    distance, half = _lips(contour, shape, cell, reach)
    chips = spall_depth(contour, shape, cell, corner) if contour.spalls else np.zeros(shape, np.float32)
    gap = np.full(shape, np.inf, np.float32)
    for groove in grooves:
        gap = np.minimum(gap, _lips(groove.contour, shape, cell, max(groove.edge, 2.5 * cell))[0])
    touched = (distance < reach) | (chips > 0) | np.isfinite(gap)
    active = np.zeros((rows, columns), bool)
    for dy in (0, 1):
        for dx in (0, 1):
            part = touched[dy : dy + rows * _BLOCK, dx : dx + columns * _BLOCK]
            active |= part.reshape(rows, _BLOCK, columns, _BLOCK).any(axis=(1, 3))
    return _Grid(cell, shape, active), np.minimum(distance, reach), half, chips, gap


def _lips(contour: Contour, shape: Shape, cell: float, reach: float) -> tuple[Floats, Floats]:
    """(H, W) mm: distance of grid vertices from the nearest lip, inf beyond `reach`; half width of the crack there."""
    segments = _segments(contour, shape, cell, (-cell / 2, -cell / 2), OPEN)
    distance, owner = _nearest(segments, shape, reach / cell)
    half = np.zeros(shape, np.float32)
    row, column = np.nonzero(owner >= 0)
    half[row, column] = _to_segment(segments, owner[row, column], row, column)[1]
    return distance * np.float32(cell), half * np.float32(cell)


def _meshed(
    contour: Contour,
    profile: Profile,
    grooves: tuple[Groove, ...],
    rng: np.random.Generator,
    grid: _Grid,
    distance: Floats,
    half: Floats,
    chips: Floats,
    gap: Floats,
) -> Relief:
    row, column = np.nonzero(grid.drawn)
    number = np.full(grid.shape, -1, np.int64)
    number[row, column] = np.arange(len(row))
    plane = np.stack([column, row], axis=1) * np.float32(grid.cell)
    # What is exactly on a lip is outside: a triangle's corners must not all be on it.
    signed = distance[row, column]
    signed[np.abs(signed) < 1e-3 * grid.cell] = 1e-3 * grid.cell
    height = _heights(plane, signed, half[row, column], profile, grid.cell, rng)
    height -= chips[row, column] * (0.55 + 0.45 * _noise(plane, 6 * grid.cell, rng).clip(-1, 1))
    for groove in grooves:
        own = gap[row, column]
        fall = np.clip(0.5 - own / (2 * groove.edge), 0, 1)
        height = np.minimum(height, -groove.depth * fall * fall * (3 - 2 * fall))
    # Cracks end in a wall at the border, or one could look out at their ends.
    height[(row == 0) | (column == 0) | (row == grid.shape[0] - 1) | (column == grid.shape[1] - 1)] = 0
    faces, centres = _triangles(grid, number)
    level = np.zeros(len(centres), np.float32)
    vertices = np.column_stack([np.concatenate([plane, centres]), np.concatenate([height, level])])
    signed, far = _spread(grid, signed, max(profile.reach, 2.5 * grid.cell))
    wide = np.minimum(np.concatenate([gap[row, column], np.full(len(centres), np.inf)]), 1e3)
    table = np.column_stack([vertices, np.concatenate([signed, far]), wide]).astype(np.float32)
    table, faces, inside = _cut(table, faces)
    return Relief(
        np.ascontiguousarray(table[:, :3]),
        faces[:, ::-1].astype(np.int32),
        inside,
        table[:, 3].copy(),
        table[:, 4].copy(),
    )


def _spread(grid: _Grid, signed: Floats, reach: float) -> tuple[Floats, Floats]:
    """Distances that go on beyond the reach, coarsely: of the drawn vertices, and of the fans' centres."""
    far = (
        distance_transform_edt(~grid.active).astype(np.float32)
        if grid.active.any()
        else np.full(grid.active.shape, 1e3)
    )
    far = reach + np.maximum(far - 0.5, 0) * (_BLOCK * grid.cell)
    edge = np.pad(far, 1, mode="edge")
    at_corner = np.minimum(np.minimum(edge[:-1, :-1], edge[1:, :-1]), np.minimum(edge[:-1, 1:], edge[1:, 1:]))
    lonely = np.zeros(grid.shape, np.float32)
    lonely[::_BLOCK, ::_BLOCK] = at_corner
    row, column = np.nonzero(grid.drawn)
    apart = signed >= reach
    signed[apart] = np.maximum(lonely[row, column][apart], reach)
    fans = ~grid.active & np.any(_beside(grid.active), axis=0)
    return signed, far[fans].astype(np.float32)


# Heights -------------------------------------------------------------------------------------------------------


def _heights(
    plane: Floats, distance: Floats, half: Floats, profile: Profile, cell: float, rng: np.random.Generator
) -> Floats:
    """(n,) float32 mm above the surface; 0 where the distance is the mesh's reach."""
    reach = max(profile.reach, 2.5 * cell)
    height = np.zeros(len(plane), np.float32)
    near = np.flatnonzero(distance < reach)
    at, away, half = plane[near], distance[near], half[near]
    width = float(2 * half.mean()) if len(half) else 1.0
    rough = _noise(at, max(0.7 * width, 1.5 * cell), rng)
    along = _noise(at, max(8 * width, 8 * cell), rng)
    fade = np.clip(1 - away / reach, 0, 1) ** 2
    # Lips: raised or sunk all along, and crumbled here and there.
    broken = np.clip(rough + 0.6 * along, 0, 1.5) * np.clip(1 - away / (0.6 * reach), 0, 1)
    lips = profile.raised * fade - profile.crumble * broken
    inner = np.clip(-away / np.maximum(half, 1e-6), 0, 1)
    depth = 2 * half * profile.depth * np.exp(profile.roughness * along)
    fall = inner**profile.steepness * (1 + 0.5 * profile.roughness * rough).clip(0.2, 1.8)
    down = depth * fall
    if profile.fill > 0:
        full = np.clip(profile.fill * (1 + 0.6 * along), 0, 0.97)
        floor = depth * (1 - full) + profile.grains * rng.standard_normal(len(at)).astype(np.float32)
        down = np.minimum(down, np.maximum(floor, 0))
    height[near] = lips - np.where(away < 0, down, 0)
    return height


def _noise(at: Floats, size: float, rng: np.random.Generator) -> Floats:
    """(n,) smooth noise of unit variance at the nodes, features of `size` mm, at points (n, 2)."""
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


# Triangles -----------------------------------------------------------------------------------------------------


def _triangles(grid: _Grid, number: Ints) -> tuple[Ints, Floats]:
    """(m, 3) faces, and (k, 2) mm positions of further vertices, numbered after those of the grid."""
    fine = np.repeat(np.repeat(grid.active, _BLOCK, axis=0), _BLOCK, axis=1)
    cells = _halves(number[:-1, :-1][fine], number[:-1, 1:][fine], number[1:, :-1][fine], number[1:, 1:][fine])
    beside = dict(zip(_WAYS, _beside(grid.active), strict=True))
    lonely = ~grid.active & ~np.any(list(beside.values()), axis=0)
    corner = number[::_BLOCK, ::_BLOCK]
    squares = _halves(
        corner[:-1, :-1][lonely], corner[:-1, 1:][lonely], corner[1:, :-1][lonely], corner[1:, 1:][lonely]
    )
    fans = ~grid.active & ~lonely
    row, column = np.nonzero(fans)
    centre = np.full(fans.shape, -1, np.int64)
    centre[row, column] = number.max() + 1 + np.arange(len(row))
    parts = [cells, squares]
    for way, neighbour in beside.items():
        for shared in (False, True):
            r, c = np.nonzero(fans & (neighbour == shared))
            steps = np.arange(0, _BLOCK + 1, 1 if shared else _BLOCK)
            rim = _side(number, r, c, way, steps)
            hub = np.broadcast_to(centre[r, c][:, None], rim[:, 1:].shape)
            parts.append(np.stack([hub, rim[:, :-1], rim[:, 1:]], axis=-1).reshape(-1, 3))
    middle = (np.stack([column, row], axis=1) + 0.5) * _BLOCK * grid.cell
    return np.concatenate(parts), middle.astype(np.float32)


def _beside(active: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Whether each square's neighbour in each of `_WAYS` is active."""
    rim = np.pad(active, 1)
    return [rim[1:-1, :-2], rim[1:-1, 2:], rim[:-2, 1:-1], rim[2:, 1:-1]]


def _halves(a: Ints, b: Ints, c: Ints, d: Ints) -> Ints:
    """Two triangles each of squares with corners a b above c d, clockwise on the screen."""
    return np.concatenate([np.stack([a, b, d], axis=1), np.stack([a, d, c], axis=1)])


def _side(number: Ints, row: Ints, column: Ints, way: tuple[int, int], steps: Ints) -> Ints:
    """(k, len(steps)) vertices along one side of squares, in the sense that runs clockwise on the screen."""
    y, x = row[:, None] * _BLOCK, column[:, None] * _BLOCK
    if way == (-1, 0):
        return number[y, x + steps]
    if way == (1, 0):
        return number[y + _BLOCK, x + _BLOCK - steps]
    if way == (0, 1):
        return number[y + steps, x + _BLOCK]
    return number[y + _BLOCK - steps, x]


def _cut(table: Floats, faces: Ints) -> tuple[Floats, Ints, NDArray[np.bool_]]:
    """Triangles divided where column 3 changes sign: vertices, faces, and which faces are negative."""
    negative = table[faces, 3] < 0
    count = negative.sum(axis=1)
    whole = (count == 0) | (count == 3)
    mixed, signs = faces[~whole], negative[~whole]
    # Turned so that the first corner is the one on its own side of the lip.
    odd = np.where(signs.sum(axis=1) == 1, signs.argmax(axis=1), (~signs).argmax(axis=1))
    turned = np.take_along_axis(mixed, (odd[:, None] + np.arange(3)) % 3, axis=1)
    alone = np.take_along_axis(signs, odd[:, None], axis=1)[:, 0]
    a, b, c = turned.T
    edges = np.sort(np.concatenate([np.stack([a, b], axis=1), np.stack([a, c], axis=1)]), axis=1)
    key, back = np.unique(edges[:, 0] * len(table) + edges[:, 1], return_inverse=True)
    first, second = key // len(table), key % len(table)
    t = table[first, 3] / (table[first, 3] - table[second, 3])
    new = table[first] + t[:, None] * (table[second] - table[first])
    new[:, 3] = 0
    # The lip itself is level with what lies outside it.
    outer = np.where(table[first, 3] > 0, first, second)
    new[:, 2] = table[outer, 2]
    back = back.reshape(-1) + len(table)
    ab, ac = back[: len(a)], back[len(a) :]
    pieces = [np.stack(corners, axis=1) for corners in ((a, ab, ac), (ab, b, c), (ab, c, ac))]
    inside = np.concatenate([count[whole] == 3, alone, ~alone, ~alone])
    return np.concatenate([table, new]), np.concatenate([faces[whole], *pieces]), inside

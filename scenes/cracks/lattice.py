"""A mesh over a plane, fine in some squares and coarse in the others, without gaps, and cut along a line."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

# Left, right, above, below.
_WAYS = ((0, -1), (0, 1), (-1, 0), (1, 0))
# Number of fine cells along the side of a square.
BLOCK = 8


@dataclass
class Grid:
    """A grid of fine vertices.

    cell: mm between vertices. shape: (ny + 1, nx + 1). active: which squares are fine. drawn: which vertices are used.
    """

    cell: float
    shape: tuple[int, int]
    active: NDArray[np.bool_]
    drawn: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        rows, columns = self.active.shape
        drawn = np.zeros(self.shape, bool)
        drawn[::BLOCK, ::BLOCK] = True
        for dy in (0, 1):
            for dx in (0, 1):
                # A vertex is used if it lies in an active square or on its border.
                view = np.zeros(self.shape, bool)
                spread = np.repeat(np.repeat(self.active, BLOCK, axis=0), BLOCK, axis=1)
                view[dy : dy + rows * BLOCK, dx : dx + columns * BLOCK] = spread
                drawn |= view
        self.drawn = drawn


def triangles(grid: Grid, number: Ints) -> tuple[Ints, Floats]:
    """(m, 3) faces, and (k, 2) positions in mm of further vertices, which are numbered after those of the grid."""
    fine = np.repeat(np.repeat(grid.active, BLOCK, axis=0), BLOCK, axis=1)
    cells = _halves(number[:-1, :-1][fine], number[:-1, 1:][fine], number[1:, :-1][fine], number[1:, 1:][fine])
    around = dict(zip(_WAYS, beside(grid.active), strict=True))
    lonely = ~grid.active & ~np.any(list(around.values()), axis=0)
    corner = number[::BLOCK, ::BLOCK]
    squares = _halves(
        corner[:-1, :-1][lonely], corner[:-1, 1:][lonely], corner[1:, :-1][lonely], corner[1:, 1:][lonely]
    )
    fans = ~grid.active & ~lonely
    row, column = np.nonzero(fans)
    center = np.full(fans.shape, -1, np.int64)
    center[row, column] = number.max() + 1 + np.arange(len(row))
    parts = [cells, squares]
    for way, neighbor in around.items():
        for shared in (False, True):
            r, c = np.nonzero(fans & (neighbor == shared))
            steps = np.arange(0, BLOCK + 1, 1 if shared else BLOCK)
            rim = _side(number, r, c, way, steps)
            hub = np.broadcast_to(center[r, c][:, None], rim[:, 1:].shape)
            parts.append(np.stack([hub, rim[:, :-1], rim[:, 1:]], axis=-1).reshape(-1, 3))
    middle = (np.stack([column, row], axis=1) + 0.5) * BLOCK * grid.cell
    return np.concatenate(parts), middle.astype(np.float32)


def beside(active: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Whether each square's neighbor in each of `_WAYS` is active."""
    rim = np.pad(active, 1)
    return [rim[1:-1, :-2], rim[1:-1, 2:], rim[:-2, 1:-1], rim[2:, 1:-1]]


def _halves(a: Ints, b: Ints, c: Ints, d: Ints) -> Ints:
    """Two triangles for each square with corners a, b above c, d, clockwise on the screen."""
    return np.concatenate([np.stack([a, b, d], axis=1), np.stack([a, d, c], axis=1)])


def _side(number: Ints, row: Ints, column: Ints, way: tuple[int, int], steps: Ints) -> Ints:
    """(k, len(steps)) vertices along one side of squares, clockwise on the screen."""
    y, x = row[:, None] * BLOCK, column[:, None] * BLOCK
    if way == (-1, 0):
        return number[y, x + steps]
    if way == (1, 0):
        return number[y + BLOCK, x + BLOCK - steps]
    if way == (0, 1):
        return number[y + steps, x + BLOCK]
    return number[y + BLOCK - steps, x]


def cut(table: Floats, faces: Ints) -> tuple[Floats, Ints, NDArray[np.bool_]]:
    """Divides triangles where column 3 changes sign: vertices, faces, and which faces are negative."""
    negative = table[faces, 3] < 0
    count = negative.sum(axis=1)
    whole = (count == 0) | (count == 3)
    mixed, signs = faces[~whole], negative[~whole]
    # Rotated so that the first corner is the one that is alone on its side of the lip.
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
    # The lip has the height of the vertex outside the crack.
    outer = np.where(table[first, 3] > 0, first, second)
    new[:, 2] = table[outer, 2]
    back = back.reshape(-1) + len(table)
    ab, ac = back[: len(a)], back[len(a) :]
    pieces = [np.stack(corners, axis=1) for corners in ((a, ab, ac), (ab, b, c), (ab, c, ac))]
    inside = np.concatenate([count[whole] == 3, alone, ~alone, ~alone])
    return np.concatenate([table, new]), np.concatenate([faces[whole], *pieces]), inside

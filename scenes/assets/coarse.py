"""Coarse copies of models: what the sampler measures where it asks how much of the picture a model takes.

A copy has its vertices on a grid, and a few thousand triangles. That is much faster to draw, and its silhouette is off
by half a cell at most. That is less than a pixel of a model that is 128 pixels long.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scenes.mesh import Geometry, Model

# Cells of the grid along a model's diagonal.
_GRID = 128
# Copies to keep in memory, some 50 to 100 kilobytes each.
_KEPT = 1024


def coarse_copies(model: Callable[[str], Model]) -> Callable[[str], Geometry]:
    """A function from an asset's id to its coarse copy, which remembers the copies. model: from id to unit model."""
    return lru_cache(_KEPT)(lambda asset_id: coarse(model(asset_id)))


def coarse(model: Model) -> Geometry:
    """The coarse copy of a unit model: vertices (n, 3) float16, and faces (m, 3) of which no two are the same."""
    whole = model.geometry
    cells = np.round(whole.vertices * _GRID).astype(np.int64)
    # One number for each row: sorting numbers is much faster than sorting rows.
    _, first, place = np.unique(_numbers(cells + _GRID, 2 * _GRID + 1), return_index=True, return_inverse=True)
    corners = np.sort(place[whole.faces], axis=1)
    corners = corners[(corners[:, 0] < corners[:, 1]) & (corners[:, 1] < corners[:, 2])]
    corners = corners[np.unique(_numbers(corners, len(first)), return_index=True)[1]]
    kind = np.uint16 if len(first) <= 1 << 16 else np.uint32
    return Geometry((cells[first] / _GRID).astype(np.float16), corners.astype(kind))


def _numbers(rows: NDArray[np.int64], base: int) -> NDArray[np.int64]:
    """(n,) a number for each row (n, 3) of whole numbers in [0, base)."""
    return (rows[:, 0] * base + rows[:, 1]) * base + rows[:, 2]

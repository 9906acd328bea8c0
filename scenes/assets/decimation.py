"""Fewer triangles for a model that has too many, with its UVs and its colors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.assets.likeness import difference
from scenes.assets.soup import Soup
from scenes.errors import LoadError


def decimated(soup: Soup, limit: int) -> Soup:
    """At most about `limit` faces, by quadric edge collapse (Garland and Heckbert 1997), the borders of parts and of
    UV charts kept. Raises LoadError if that changes the shape."""
    if len(soup.faces) <= limit:
        return soup
    parts = [soup.only(soup.part == p) for p in np.unique(soup.part)]
    share = limit / len(soup.faces)
    fewer = _stacked([_decimated(part, max(4, int(len(part.faces) * share))) for part in parts])
    change = difference((soup.vertices, soup.faces), (fewer.vertices, fewer.faces))
    if change:
        raise LoadError(f"has {len(soup.faces)} triangles, and with {len(fewer.faces)} {change}; simplify it yourself")
    return fewer


def _decimated(soup: Soup, target: int) -> Soup:
    if len(soup.faces) <= target:
        return soup
    import fast_simplification

    # A vertex for each place and UV: collapses then carry the UVs along, and charts have borders.
    corner = np.column_stack(
        [soup.vertices[soup.faces.reshape(-1)], np.nan_to_num(soup.uvs.reshape(len(soup.faces) * 3, -1))]
    )
    rows, first, index = np.unique(corner, axis=0, return_index=True, return_inverse=True)
    faces = index.reshape(-1, 3).astype(np.int32)
    points, kept, collapses = fast_simplification.simplify(
        np.ascontiguousarray(rows[:, :3]), faces, target_count=target, preserve_border=True, return_collapses=True
    )
    moved = _heirs(len(rows), collapses)
    left = moved[faces]
    left = left[(left != np.roll(left, 1, axis=1)).all(axis=1)]
    used, numbers = np.unique(left, return_inverse=True)
    if not np.array_equal(numbers.reshape(-1, 3), kept):
        raise LoadError(f"has {len(soup.faces)} triangles that cannot be collapsed; simplify it yourself")
    # A new vertex takes the UV and the color of the nearest of those that became it: the one that is written last.
    place = np.full(len(rows), -1)
    place[used] = np.arange(len(used))
    source = np.flatnonzero(place[moved] >= 0)
    became = place[moved[source]]
    far_first = np.argsort(-np.linalg.norm(rows[source, :3] - points[became], axis=1), kind="stable")
    nearest = np.empty(len(used), dtype=np.int64)
    nearest[became[far_first]] = first[source[far_first]]
    chosen = nearest[kept]
    return Soup(
        np.asarray(points, dtype=np.float64),
        np.asarray(kept, dtype=np.int64),
        soup.uvs.reshape(len(soup.faces) * 3, -1)[chosen],
        soup.colors.reshape(-1, 4)[chosen],
        np.full(len(kept), soup.part[0]),
    )


def _heirs(count: int, collapses: NDArray[np.integer]) -> NDArray[np.int64]:
    """(count,) the vertex that each became. collapses: rows (kept, gone) in their order.

    The library's own replay computes the places of the vertices anew, and throws some far away.
    """
    heirs = list(range(count))
    for kept, gone in collapses[::-1].tolist():
        heirs[gone] = heirs[kept]
    return np.array(heirs, dtype=np.int64)


def _stacked(soups: list[Soup]) -> Soup:
    starts = np.cumsum([0] + [len(soup.vertices) for soup in soups])
    return Soup(
        np.concatenate([soup.vertices for soup in soups]),
        np.concatenate([soup.faces + start for soup, start in zip(soups, starts, strict=False)]),
        np.concatenate([soup.uvs for soup in soups]),
        np.concatenate([soup.colors for soup in soups]),
        np.concatenate([soup.part for soup in soups]),
    )

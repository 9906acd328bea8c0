"""Silhouettes against a slow and simple reference that tests every pixel center against every triangle."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scenes.sampling import rasterize
from scenes.sampling.rasterize import nearness, silhouette

SIZES = st.tuples(st.integers(1, 13), st.integers(1, 11))
# Eighths, which no rounding blurs, many far outside the picture; and pixel centres, so that edges run through others.
COORDINATES = st.integers(-160, 240).map(lambda eighths: eighths / 8) | st.integers(-2, 14).map(lambda k: k + 0.5)


@st.composite
def meshes(draw: st.DrawFn) -> tuple[NDArray, NDArray, NDArray]:
    """(n, 2) points, (n,) depths of which some lie behind the camera, (m, 3) faces, degenerate ones among them."""
    points = draw(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=3, max_size=9))
    depths = draw(st.lists(st.sampled_from([2.0, 2.0, 2.0, 0.5, -1.0]), min_size=len(points), max_size=len(points)))
    corner = st.integers(0, len(points) - 1)
    faces = draw(st.lists(st.tuples(corner, corner, corner), max_size=6))
    return np.array(points), np.array(depths), np.array(faces, dtype=np.int32).reshape(-1, 3)


def reference(points: NDArray, depth: NDArray, faces: NDArray, size: tuple[int, int]) -> NDArray[np.bool_]:
    """The same by exact arithmetic, a pixel and a triangle at a time; an edge belongs to its triangle."""
    hit = np.zeros((size[1], size[0]), dtype=bool)
    for face in faces:
        if min(depth[k] for k in face) <= 0:
            continue
        corners = [(Fraction(points[k][0]), Fraction(points[k][1])) for k in face]
        for y, x in np.ndindex(hit.shape):
            hit[y, x] |= _holds(corners, Fraction(2 * x + 1, 2), Fraction(2 * y + 1, 2))
    return hit


def _holds(corners: list[tuple[Fraction, Fraction]], x: Fraction, y: Fraction) -> bool:
    sides = []
    for k in range(3):
        (ax, ay), (bx, by) = corners[k], corners[(k + 1) % 3]
        sides.append((bx - ax) * (y - ay) - (by - ay) * (x - ax))
    in_box = all(min(c[k] for c in corners) <= v <= max(c[k] for c in corners) for k, v in enumerate((x, y)))
    return in_box and (min(sides) >= 0 or max(sides) <= 0)


@settings(max_examples=150)
@given(meshes(), SIZES)
def test_silhouette_is_every_pixel_center_in_a_triangle(
    mesh: tuple[NDArray, NDArray, NDArray], size: tuple[int, int]
) -> None:
    assert np.array_equal(silhouette(*mesh, size), reference(*mesh, size))


@settings(max_examples=40)
@given(meshes(), SIZES, st.integers(1, 40))
def test_batches_change_nothing(mesh: tuple[NDArray, NDArray, NDArray], size: tuple[int, int], batch: int) -> None:
    whole = silhouette(*mesh, size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rasterize, "_BATCH", batch)
        assert np.array_equal(silhouette(*mesh, size), whole)


def test_random_triangles_with_any_coordinates() -> None:
    rng = np.random.default_rng(5)
    size = (24, 17)
    points = rng.uniform(-20, 44, (60, 2))
    faces = rng.permutation(60).reshape(-1, 3)
    found = [silhouette(points, np.ones(60), face[None], size) for face in faces]
    for face, hit in zip(faces, found, strict=True):
        assert np.array_equal(hit, reference(points, np.ones(60), face[None], size))
    shares = np.array([hit.mean() for hit in found])
    assert (shares == 0).any()
    assert ((shares > 0) & (shares < 1)).sum() > 5
    assert np.array_equal(silhouette(points, np.ones(60), faces, size), np.any(found, axis=0))


def test_a_triangle_over_everything_fills_the_picture_from_either_side() -> None:
    points = np.array([[-100.0, -100.0], [300.0, -100.0], [-100.0, 300.0]])
    for face in ([0, 1, 2], [0, 2, 1]):
        assert silhouette(points, np.ones(3), np.array([face]), (20, 10)).all()


def test_rows_are_y_and_centers_lie_at_a_half() -> None:
    points = np.array([[3.4, 1.4], [3.6, 1.4], [3.5, 1.7]])
    hit = silhouette(points, np.ones(3), np.array([[0, 1, 2]]), (6, 4))
    assert hit.shape == (4, 6)
    assert np.argwhere(hit).tolist() == [[1, 3]]
    assert not silhouette(points + 0.45, np.ones(3), np.array([[0, 1, 2]]), (6, 4)).any()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_edges_through_pixel_centers_belong_to_the_triangle(order: tuple[int, ...]) -> None:
    points = np.array([[1.5, 1.5], [5.5, 1.5], [1.5, 5.5]])
    hit = silhouette(points, np.ones(3), np.array([order]), (8, 8))
    assert hit.tolist() == [[x >= 1 and y >= 1 and x + y <= 6 for x in range(8)] for y in range(8)]


def test_a_quad_cut_in_two_has_no_crack() -> None:
    points = np.array([[2.5, 1.5], [9.5, 2.5], [8.5, 8.5], [1.5, 7.5]])
    both = silhouette(points, np.ones(4), np.array([[0, 1, 2], [0, 2, 3]]), (12, 10))
    assert both[2:8, 3:8].all()
    for row in both:
        columns = np.flatnonzero(row)
        assert len(columns) == 0 or len(columns) == np.ptp(columns) + 1


def test_nothing_gives_nothing() -> None:
    points = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]])
    face = np.array([[0, 1, 2]])
    assert silhouette(points, np.ones(3), face, (8, 8)).any()
    assert not silhouette(points, np.ones(3), np.empty((0, 3), dtype=np.int64), (8, 8)).any()
    assert not silhouette(points, np.array([1.0, 1.0, -1.0]), face, (8, 8)).any()
    for aside in ((20.0, 0.0), (-20.0, 0.0), (0.0, 20.0), (0.0, -20.0)):
        assert not silhouette(points + aside, np.ones(3), face, (8, 8)).any()
    assert silhouette(np.empty((0, 2)), np.empty(0), np.empty((0, 3), dtype=np.int64), (5, 3)).shape == (3, 5)


def test_nearness_is_that_of_the_nearer_of_two_crossing_planes() -> None:
    """One over the depth is 1/4 on the one, and (1/2 + x/8) / 4 on the other, which is nearer right of x = 4."""
    corners = np.array([[-3.0, -20.0], [60.0, -20.0], [-3.0, 60.0]])
    tilted = 4 / (0.5 + corners[:, 0] / 8)
    points, depth = np.concatenate([corners, corners]), np.concatenate([np.full(3, 4.0), tilted])
    near = nearness(points, depth, np.arange(6).reshape(2, 3), (8, 6))
    x = np.arange(8) + 0.5
    assert np.allclose(near, np.tile(np.maximum(0.25, (0.5 + x / 8) / 4), (6, 1)))

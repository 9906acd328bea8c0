"""Triangles in the picture: silhouettes against a slow and simple reference that tests every pixel center against every
triangle, clipping and first depths against arithmetic by hand."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scenes import projection
from scenes.projection import Triangles, clipped, depth_map, first_depth, silhouette

SIZES = st.tuples(st.integers(1, 13), st.integers(1, 11))
# Eighths, which no rounding blurs, many far outside the picture; and pixel centres, so that edges run through others.
COORDINATES = st.integers(-160, 240).map(lambda eighths: eighths / 8) | st.integers(-2, 14).map(lambda k: k + 0.5)


@st.composite
def meshes(draw: st.DrawFn) -> NDArray:
    """(m, 3, 3) triangles, degenerate ones among them."""
    points = draw(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=3, max_size=9))
    corner = st.integers(0, len(points) - 1)
    faces = draw(st.lists(st.tuples(corner, corner, corner), max_size=6))
    return flat(np.array(points), np.array(faces, dtype=np.int32).reshape(-1, 3))


def flat(points: NDArray, faces: NDArray) -> NDArray[np.float64]:
    """(m, 3, 3) triangles at depth 1 from points (n, 2) of the picture and faces (m, 3)."""
    return np.column_stack([points, np.ones(len(points))]).astype(float)[faces]


def mask(triangles: NDArray, size: tuple[int, int]) -> NDArray[np.bool_]:
    return silhouette(Triangles.of(triangles), size)


def reference(triangles: NDArray, size: tuple[int, int]) -> NDArray[np.bool_]:
    """The same by exact arithmetic, a pixel and a triangle at a time; an edge belongs to its triangle."""
    hit = np.zeros((size[1], size[0]), dtype=bool)
    for triangle in triangles:
        corners = [(Fraction(x), Fraction(y)) for x, y, _ in triangle]
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
def test_silhouette_is_every_pixel_center_in_a_triangle(mesh: NDArray, size: tuple[int, int]) -> None:
    assert np.array_equal(mask(mesh, size), reference(mesh, size))


@settings(max_examples=40)
@given(meshes(), SIZES, st.integers(1, 40))
def test_batches_change_nothing(mesh: NDArray, size: tuple[int, int], batch: int) -> None:
    whole = mask(mesh, size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(projection, "_BATCH", batch)
        assert np.array_equal(mask(mesh, size), whole)


def test_random_triangles_with_any_coordinates() -> None:
    rng = np.random.default_rng(5)
    size = (24, 17)
    points = rng.uniform(-20, 44, (60, 2))
    faces = rng.permutation(60).reshape(-1, 3)
    found = [mask(flat(points, face[None]), size) for face in faces]
    for face, hit in zip(faces, found, strict=True):
        assert np.array_equal(hit, reference(flat(points, face[None]), size))
    shares = np.array([hit.mean() for hit in found])
    assert (shares == 0).any()
    assert ((shares > 0) & (shares < 1)).sum() > 5
    assert np.array_equal(mask(flat(points, faces), size), np.any(found, axis=0))


def test_a_triangle_over_everything_fills_the_picture_from_either_side() -> None:
    points = np.array([[-100.0, -100.0], [300.0, -100.0], [-100.0, 300.0]])
    for face in ([0, 1, 2], [0, 2, 1]):
        assert mask(flat(points, np.array([face])), (20, 10)).all()


def test_rows_are_y_and_centers_lie_at_a_half() -> None:
    points = np.array([[3.4, 1.4], [3.6, 1.4], [3.5, 1.7]])
    hit = mask(flat(points, np.array([[0, 1, 2]])), (6, 4))
    assert hit.shape == (4, 6)
    assert np.argwhere(hit).tolist() == [[1, 3]]
    assert not mask(flat(points + 0.45, np.array([[0, 1, 2]])), (6, 4)).any()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_edges_through_pixel_centers_belong_to_the_triangle(order: tuple[int, ...]) -> None:
    points = np.array([[1.5, 1.5], [5.5, 1.5], [1.5, 5.5]])
    hit = mask(flat(points, np.array([order])), (8, 8))
    assert hit.tolist() == [[x >= 1 and y >= 1 and x + y <= 6 for x in range(8)] for y in range(8)]


def test_a_quad_cut_in_two_has_no_crack() -> None:
    points = np.array([[2.5, 1.5], [9.5, 2.5], [8.5, 8.5], [1.5, 7.5]])
    both = mask(flat(points, np.array([[0, 1, 2], [0, 2, 3]])), (12, 10))
    assert both[2:8, 3:8].all()
    for row in both:
        columns = np.flatnonzero(row)
        assert len(columns) == 0 or len(columns) == np.ptp(columns) + 1


def test_nothing_gives_nothing() -> None:
    points = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]])
    face = np.array([[0, 1, 2]])
    assert mask(flat(points, face), (8, 8)).any()
    for aside in ((20.0, 0.0), (-20.0, 0.0), (0.0, 20.0), (0.0, -20.0)):
        assert not mask(flat(points + aside, face), (8, 8)).any()
    assert mask(np.empty((0, 3, 3)), (5, 3)).tolist() == [[False] * 5] * 3


def area(triangles: NDArray) -> float:
    """The summed area of triangles in space."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_clipping_keeps_what_lies_beyond_the_plane(order: tuple[int, ...]) -> None:
    """A right triangle with legs of 3 and 4 along x and z: cut at z = 1, a similar one of 3/4 the size is left."""
    corners = np.array([[0.0, 7.0, 0.0], [3.0, 7.0, 0.0], [0.0, 7.0, 4.0]])
    tip = clipped(corners[None, list(order)], 1.0)
    assert area(tip) == pytest.approx(6 * (3 / 4) ** 2)
    assert tip.reshape(-1, 3).max(axis=0) == pytest.approx([2.25, 7, 4])
    # Mirrored at z = 2, the base is beyond the plane, and the tip is cut off.
    base = clipped((corners * [1, 1, -1] + [0, 0, 4])[None, list(order)], 1.0)
    assert len(base) == 2 and area(base) == pytest.approx(6 * (1 - 1 / 16))
    assert base[..., 2].min() == pytest.approx(1)


def test_clipping_leaves_whole_triangles_and_drops_those_before_the_plane() -> None:
    corners = np.array([[[0.0, 0, 2], [1, 0, 2], [0, 1, 3]], [[0.0, 0, 0.5], [1, 0, -2], [0, 1, 0.9]]])
    assert clipped(corners, 1.0).tolist() == corners[:1].tolist()
    assert len(clipped(corners[1:], 1.0)) == 0


def test_the_first_depth_on_a_ray_is_that_of_the_nearest_plane() -> None:
    """Three corners of the plane x + 2 y + 4 z = 20 before a camera of focal length 1: on the ray (u, v, 1) its depth
    is 20 / (u + 2 v + 4). A wall at depth 6 lies behind some of it."""
    space = np.array([[4.0, 0, 4], [-8.0, 2, 6], [0, -8, 9]])
    plane = np.column_stack([space[:, :2] / space[:, 2:], space[:, 2]])
    wall = np.array([[[-9.0, -9, 6], [9, -9, 6], [-9, 9, 6]]])
    points = np.array([[0.0, 0.0], [-0.1, -0.3], [-0.5, -0.1], [-2.0, -2.0], [5.0, 5.0]])
    alone = [5.0, 20 / 3.3, 20 / 3.3, np.inf, np.inf]
    assert first_depth(Triangles.of(plane[None]), points) == pytest.approx(alone)
    assert first_depth(Triangles.of(plane[None, ::-1]), points) == pytest.approx(alone)
    assert first_depth(Triangles.of(np.concatenate([wall, plane[None]])), points) == pytest.approx(
        [5.0, 6.0, 6.0, 6.0, np.inf]
    )


def test_a_depth_map_has_the_nearest_plane_at_each_pixel_center() -> None:
    """Two walls and a slope: of each pixel, the nearest counts."""
    back = np.array([[-50.0, -50, 6], [100, -50, 6], [-50, 100, 6]])
    front = np.array([[2.0, 0, 4], [4, 0, 4], [2, 50, 4]])
    depth = depth_map(Triangles.of(np.stack([front, back])), (8, 5))
    assert depth[:, 2].tolist() == pytest.approx([4.0] * 5)
    assert depth[:, [0, 1, 4, 7]].tolist() == [[pytest.approx(6)] * 4] * 5
    # The slope has depth 1 / (0.1 + 0.05 x) at column x: the inverse of the depth is linear in the picture.
    slope = np.array([[0.0, -1, 10], [0, 9, 10], [8, 4, 2]])
    assert depth_map(Triangles.of(slope[None]), (8, 9))[4, :3] == pytest.approx(
        [1 / (0.1 + 0.05 * x) for x in (0.5, 1.5, 2.5)]
    )

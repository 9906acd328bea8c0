"""Camera geometry against values calculated by hand: matrices, projections, and the framing distance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from scenes.record.camera import Camera
from scenes.record.scene import Item, rotation_matrix
from scenes.sampling.placement import direction, framing_distance, project

ANGLE = st.floats(-180, 180)


def looking(target: tuple[float, float, float], roll: float = 0.0) -> Camera:
    return Camera((0, 0, 0), target, roll, 36, 200, 100)


# Matrices ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("focal_length", "width", "height", "focal"),
    [(36, 200, 100, 200), (36, 100, 200, 200), (18, 200, 100, 100), (50, 360, 360, 500)],
)
def test_the_sensors_36_mm_lie_along_the_longer_side(focal_length: int, width: int, height: int, focal: int) -> None:
    camera = Camera((0, 0, 0), (0, 1, 0), 0, focal_length, width, height)
    assert camera.intrinsics() == pytest.approx(np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]))
    assert camera.fstop == 0


@pytest.mark.parametrize(
    ("target", "right", "down"),
    [
        ((0, 5, 0), (1, 0, 0), (0, 0, -1)),
        ((0, -5, 0), (-1, 0, 0), (0, 0, -1)),
        ((3, 0, 0), (0, -1, 0), (0, 0, -1)),
        ((1, 0, -1), (0, -1, 0), (-math.sqrt(0.5), 0, -math.sqrt(0.5))),
        ((0, 0, -2), (1, 0, 0), (0, -1, 0)),
        ((0, 0, 2), (-1, 0, 0), (0, -1, 0)),
        ((0, 1e-3, -1), (1, 0, 0), (0, -1, -1e-3)),
        ((1e-3, 0, -1), (0, -1, 0), (-1, 0, -1e-3)),
    ],
)
def test_camera_axes_are_right_down_and_forward(
    target: tuple[float, float, float], right: tuple[float, float, float], down: tuple[float, float, float]
) -> None:
    matrix = looking(target).world_to_camera()
    forward = np.array(target) / np.linalg.norm(target)
    assert matrix[:3, :3] == pytest.approx(np.array([right, down, forward]), abs=1e-6)
    assert matrix[3].tolist() == [0, 0, 0, 1] and matrix[:3, 3] == pytest.approx(np.zeros(3))


def test_roll_turns_the_picture_about_the_view() -> None:
    """By 90 degrees what was below is on the right, and what was on the right is above."""
    matrix = looking((0, 1, 0), roll=90).world_to_camera()[:3, :3]
    assert matrix @ (0, 0, -1) == pytest.approx((1, 0, 0))
    assert matrix @ (1, 0, 0) == pytest.approx((0, -1, 0))
    assert matrix @ (0, 1, 0) == pytest.approx((0, 0, 1))
    matrix = looking((0, 1, 0), roll=30).world_to_camera()[:3, :3]
    assert matrix @ (1, 0, 0) == pytest.approx((math.cos(math.pi / 6), -0.5, 0))


@given(st.tuples(*[st.floats(-5, 5)] * 3), ANGLE, st.floats(-89, 89), ANGLE)
def test_camera_matrices_are_rigid_and_look_at_the_target(
    location: tuple[float, float, float], azimuth: float, elevation: float, roll: float
) -> None:
    target = np.array(location) + 3 * direction(azimuth, elevation)
    matrix = Camera(location, tuple(target.tolist()), roll, 36, 200, 100).world_to_camera()
    assert matrix[:3, :3] @ matrix[:3, :3].T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1)
    assert matrix @ [*location, 1] == pytest.approx([0, 0, 0, 1], abs=1e-9)
    assert matrix @ [*target, 1] == pytest.approx([0, 0, 3, 1], abs=1e-9)


@given(st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: sum(v * v for v in q) > 0.01))
def test_rotations_are_those_of_scipy(quaternion: tuple[float, float, float, float]) -> None:
    w, x, y, z = np.array(quaternion) / np.linalg.norm(quaternion)
    assert rotation_matrix((w, x, y, z)) == pytest.approx(Rotation.from_quat([x, y, z, w]).as_matrix(), abs=1e-12)


def test_an_item_is_scaled_then_turned_then_moved() -> None:
    quarter = math.sqrt(0.5)
    item = Item("a", "a", "main", (10, 20, 30), (quarter, 0, 0, quarter), 2.0, {})
    assert item.matrix() @ (1, 0, 0, 1) == pytest.approx((10, 22, 30, 1))
    assert item.matrix() @ (0, 1, 3, 1) == pytest.approx((8, 20, 36, 1))
    assert item.matrix()[3].tolist() == [0, 0, 0, 1]


# Projections -------------------------------------------------------------------------------------------------------


def test_pixels_and_depth_by_hand() -> None:
    camera = Camera((0, -2, 1), (0, 0, 1), 0, 36, 200, 100)
    pixels, depth = project(camera, np.array([[0, 0, 1], [1, 0, 1], [0, 0, 0.5], [0.5, 2, 1.5], [1, -1, 1]]))
    assert pixels == pytest.approx(np.array([[100, 50], [200, 50], [100, 100], [125, 25], [300, 50]]))
    assert depth == pytest.approx([2, 2, 2, 4, 1])


def test_behind_and_beside_the_camera_have_numbers_too() -> None:
    camera = looking((0, 1, 0))
    pixels, depth = project(camera, np.array([[1.0, -2, 0], [1, 0, 0], [0, 0, 0]]))
    assert depth.tolist() == [-2, 0, 0]
    assert pixels[0] == pytest.approx((0, 50)), "what lies behind is mirrored"
    assert np.isfinite(pixels).all() and pixels[1, 0] > 1e9
    # Even this near, the depth is the true one.
    assert project(camera, np.array([[1e-6, 1e-6, 0]]))[0][0] == pytest.approx((300, 50))


# Distance ----------------------------------------------------------------------------------------------------------


@given(
    st.integers(0, 99), ANGLE, st.floats(-90, 90), st.floats(0.3, 0.95),
    st.sampled_from([(200, 100), (100, 200), (128, 128)]), st.floats(0.5, 3),
)  # fmt: skip
def test_the_points_fill_the_share(
    seed: int, azimuth: float, elevation: float, share: float, size: tuple[int, int], focal: float
) -> None:
    points = np.random.default_rng(seed).normal(size=(40, 3)) * (0.2, 0.3, 0.1) + (1, 2, 3)
    centre, towards = (points.min(axis=0) + points.max(axis=0)) / 2, direction(azimuth, elevation)
    distance = framing_distance(points, centre, towards, focal, size, share)
    assert _filled(points, centre, towards * distance, focal, size) == pytest.approx(share, rel=2e-3)


def _filled(points: np.ndarray, centre: np.ndarray, way: np.ndarray, focal: float, size: tuple[int, int]) -> float:
    camera = Camera(tuple((centre + way).tolist()), tuple(centre.tolist()), 0, 36 * focal, *size)
    return float((np.ptp(project(camera, points)[0], axis=0) / size).max())


@pytest.mark.parametrize("towards", [(0.0, -1.0, 0.0), (0.0, 0.0, 1.0), (0.6, 0.0, 0.8)])
def test_a_flat_square_is_framed_exactly(towards: tuple[float, float, float]) -> None:
    """A sheet 1 wide, square to the view, fills half of 100 pixels from twice the focal length away."""
    way = np.array(towards)
    right = np.cross(-way, (0, 0, 1)) if abs(way[2]) < 1 else np.array([1.0, 0, 0])
    up = np.cross(right, -way)
    right, up = right / np.linalg.norm(right), up / np.linalg.norm(up)
    square = np.array([a * right + b * up for a in (-0.5, 0.5) for b in (-0.5, 0.5)]) + (3, 4, 5)
    assert framing_distance(square, np.array([3.0, 4, 5]), way, 1.5, (100, 100), 0.5) == pytest.approx(3, rel=1e-3)
    # In a picture twice as wide as high the height decides, and the focal length is of the width.
    assert framing_distance(square, np.array([3.0, 4, 5]), way, 1.5, (200, 100), 0.5) == pytest.approx(6, rel=1e-3)
    assert framing_distance(square, np.array([3.0, 4, 5]), way, 1.5, (100, 200), 0.5) == pytest.approx(6, rel=1e-3)


def test_the_camera_stays_beyond_the_nearest_point() -> None:
    """A needle along the view can fill nothing: the camera stops 5 % beyond its tip."""
    needle = np.array([[0.0, -2.0, 0.0], [0.0, 2.0, 0.0], [1e-9, 0.0, 0.0]])
    distance = framing_distance(needle, np.zeros(3), np.array([0.0, -1.0, 0.0]), 1.0, (100, 100), 0.9)
    assert distance == pytest.approx(2 * 1.05 + 1e-6, abs=1e-9)

"""Poses, footprints and hidden shares against independent geometry and against their distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.transform import Rotation

from scenes.record.camera import Camera
from scenes.record.scene import Quaternion, rotation_matrix
from scenes.sampling.placement import (
    IDENTITY,
    Footprint,
    arrange,
    cross,
    direction,
    extent,
    free_quaternion,
    quaternion_product,
    yaw_quaternion,
)

UNIT = st.floats(0, 1, exclude_max=True)
TRIPLE = st.tuples(*[st.floats(-5, 5)] * 3)


# Rotations ---------------------------------------------------------------------------------------------------------


def scipys(quaternion: Quaternion) -> Rotation:
    w, x, y, z = quaternion
    return Rotation.from_quat([x, y, z, w])


@given(st.floats(-720, 720))
def test_yaw_turns_about_z_by_degrees(degrees: float) -> None:
    turned = rotation_matrix(yaw_quaternion(degrees)) @ (1, 0, 0)
    assert turned == pytest.approx((math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), 0), abs=1e-9)


@given(*[st.tuples(UNIT, UNIT, UNIT)] * 2)
def test_products_are_those_of_scipy(p: tuple[float, float, float], q: tuple[float, float, float]) -> None:
    a, b = free_quaternion(*p), free_quaternion(*q)
    assert np.linalg.norm(a) == pytest.approx(1)
    ours, theirs = scipys(quaternion_product(a, b)), scipys(a) * scipys(b)
    assert ours.as_matrix() == pytest.approx(theirs.as_matrix(), abs=1e-9)
    assert quaternion_product(a, IDENTITY) == pytest.approx(a) == quaternion_product(IDENTITY, a)


def test_a_free_rotation_by_hand() -> None:
    """Shoemake's formula at u = 1/4, v = 1/8, w = 1/2, and at v = 0, w = 1/4."""
    side = math.sqrt(0.75 / 2)
    assert free_quaternion(0.25, 0.125, 0.5) == pytest.approx((-0.5, side, side, 0), abs=1e-12)
    assert free_quaternion(0.25, 0.0, 0.25) == pytest.approx((0, 0, math.sqrt(0.75), 0.5), abs=1e-12)


def test_free_rotations_have_the_angles_of_uniform_ones() -> None:
    """The angle of a uniform rotation has the density (1 - cos a) / pi, its axis is even over the sphere."""
    drawn = [free_quaternion(*u) for u in np.random.default_rng(1).random((4000, 3))]
    turns = np.array([scipys(q).as_rotvec() for q in drawn])
    angles = np.linalg.norm(turns, axis=1)
    assert stats.kstest(angles, lambda a: (a - np.sin(a)) / np.pi).pvalue > 0.01
    for height in (turns / angles[:, None]).T:
        assert stats.kstest(height, stats.uniform(-1, 2).cdf).pvalue > 0.01


@pytest.mark.parametrize(
    ("azimuth", "elevation", "wanted"),
    [(0, 0, (0, -1, 0)), (90, 0, (1, 0, 0)), (180, 0, (0, 1, 0)), (0, 90, (0, 0, 1)),
     (45, 30, (math.sqrt(0.375), -math.sqrt(0.375), 0.5)), (-90, -30, (-math.sqrt(0.75), 0, -0.5))],
)  # fmt: skip
def test_directions_by_hand(azimuth: float, elevation: float, wanted: tuple[float, float, float]) -> None:
    assert direction(azimuth, elevation) == pytest.approx(wanted, abs=1e-12)


@given(TRIPLE, TRIPLE)
def test_the_cross_product_is_that_of_numpy(a: tuple[float, float, float], b: tuple[float, float, float]) -> None:
    assert cross(np.array(a), b) == pytest.approx(np.cross(a, b), abs=1e-12)


def test_the_extent_is_of_each_axis() -> None:
    low, high = extent(np.array([[1.0, -5, 3], [2, 4, 3], [0, 0, 9]]))
    assert low.tolist() == [0, -5, 3] and high.tolist() == [2, 4, 9]


# Footprints --------------------------------------------------------------------------------------------------------

SIDE = st.floats(0.05, 2)
FOOTPRINT = st.builds(
    lambda x, y, a, b, turn: Footprint(x, y, a, b, math.cos(turn), math.sin(turn)),
    st.floats(-2.5, 2.5), st.floats(-2.5, 2.5), SIDE, SIDE, st.floats(0, 7),
)  # fmt: skip


def corners(one: Footprint) -> np.ndarray:
    along, across = np.array([one.cosine, one.sine]), np.array([-one.sine, one.cosine])
    return np.array(
        [
            (one.x, one.y) + a * one.half_x * along + b * one.half_y * across
            for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
    )


def gap(a: Footprint, b: Footprint) -> float:
    """The widest gap between two rectangles' shadows, over the axes of both; negative where they overlap."""
    gaps = []
    for one in (a, b):
        for axis in ((one.cosine, one.sine), (-one.sine, one.cosine)):
            left, right = corners(a) @ axis, corners(b) @ axis
            gaps.append(max(right.min() - left.max(), left.min() - right.max()))
    return float(max(gaps))


@given(FOOTPRINT, FOOTPRINT)
def test_rectangles_overlap_where_no_axis_parts_them(a: Footprint, b: Footprint) -> None:
    apart = gap(a, b)
    if abs(apart) > 1e-9:
        assert a.overlaps(b) is (apart < 0)
        assert b.overlaps(a) is (apart < 0)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (Footprint(0, 0, 2, 1), Footprint(3, 0, 1, 1)),
        (Footprint(0, 0, 1, 2), Footprint(0, 3, 1, 1)),
        (Footprint(0, 0, 1, 1), Footprint(-2, 1.5, 1, 1)),
        # Seen from the first they overlap in both its axes: only an axis of the turned one parts them.
        (Footprint(0, 0, 1, 1), Footprint(1.36, 1.36, 1, 0.5, math.sqrt(0.5), -math.sqrt(0.5))),
        (Footprint(0, 0, 1, 1), Footprint(1.36, 1.36, 0.5, 1, math.sqrt(0.5), math.sqrt(0.5))),
    ],
)
def test_rectangles_that_touch_or_stand_askew_share_nothing(a: Footprint, b: Footprint) -> None:
    assert not a.overlaps(b) and not b.overlaps(a)
    nearer = Footprint(0.85 * b.x, 0.85 * b.y, b.half_x, b.half_y, b.cosine, b.sine)
    assert a.overlaps(nearer) and nearer.overlaps(a)


@pytest.mark.parametrize("turn", [20.0, 60.0, -35.0])
@pytest.mark.parametrize("along_x", [True, False])
def test_only_the_side_of_a_long_one_parts_it_from_a_turned_one(turn: float, along_x: bool) -> None:
    """A small turned rectangle beside a long one touches it where its corner does."""
    angle = math.radians(turn)
    c, s = math.cos(angle), math.sin(angle)
    if along_x:
        long, reach = Footprint(0, 0, 0.4, 3), 0.4 + 0.3 * abs(c) + 0.2 * abs(s)
    else:
        long, reach = Footprint(0, 0, 3, 0.4), 0.4 + 0.3 * abs(s) + 0.2 * abs(c)
    for factor, overlap in ((1.001, False), (0.999, True)):
        x, y = (factor * reach, 0.1) if along_x else (0.1, factor * reach)
        small = Footprint(x, y, 0.3, 0.2, c, s)
        assert long.overlaps(small) is overlap and small.overlaps(long) is overlap


def test_a_footprint_has_the_radius_of_its_corners_wherever_it_is() -> None:
    one = Footprint(1, 2, 3, 4, 0.6, 0.8)
    assert one.radius == 5 and one.at(7, 8) == Footprint(7, 8, 3, 4, 0.6, 0.8)
    assert (Footprint(0, 0, 1, 1).cosine, Footprint(0, 0, 1, 1).sine) == (1, 0)


def test_the_first_stays_and_the_second_is_even_over_the_disc_around_it() -> None:
    """Two needles side by side never overlap, so each first try is taken."""
    needle = Footprint(5, -3, 1, 1e-12)
    offsets = []
    for seed in range(1500):
        first, second = arrange([needle, Footprint(0, 0, 0.5, 1e-12)], [np.random.default_rng(seed)] * 2)
        assert first is needle and (second.half_x, second.half_y) == (0.5, 1e-12)
        offsets.append((second.x - 5, second.y + 3))
    x, y = np.array(offsets).T
    assert stats.kstest((x**2 + y**2) / 1.5**2, "uniform").pvalue > 0.01
    assert stats.kstest(np.arctan2(y, x), stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.01


def test_what_is_arranged_lies_close() -> None:
    """Twelve squares, no two of which overlap, reach about 3 sides from the first: the disc grows by small steps."""
    reached = []
    for seed in range(6):
        placed = arrange([Footprint(0, 0, 0.5, 0.5)] * 12, [np.random.default_rng(seed)] * 12)
        assert all(gap(a, b) >= -1e-9 for k, a in enumerate(placed) for b in placed[:k])
        reached.append(max(math.hypot(one.x, one.y) for one in placed))
    assert 2.2 < np.mean(reached) < 3.5


@settings(max_examples=40)
@given(st.lists(FOOTPRINT, min_size=2, max_size=8), st.integers(0, 99))
def test_what_is_crowded_touches_and_never_overlaps(prints: list[Footprint], seed: int) -> None:
    def arranged(share: float) -> list[Footprint]:
        generators = [np.random.default_rng((seed, k)) for k in range(len(prints))]
        return arrange(prints, generators, [share] * len(prints))

    free, near, touching = arranged(0), arranged(0.5), arranged(1)
    for placed in (near, touching):
        assert all(gap(a, b) >= -1e-6 for k, a in enumerate(placed) for b in placed[:k])
    for k, one in enumerate(touching[1:], start=1):
        assert min(abs(gap(one, other)) for other in touching[:k]) < 1e-6, "it meets another one"
    # The second one has the same way to go in all three.
    assert near[1].x == pytest.approx((free[1].x + touching[1].x) / 2, abs=1e-9)
    assert near[1].y == pytest.approx((free[1].y + touching[1].y) / 2, abs=1e-9)


def test_a_way_toward_the_first_ends_at_the_last_that_it_meets() -> None:
    """A unit square that comes along +x toward the origin, or past it."""
    square = Footprint(0, 0, 0.5, 0.5)
    assert square.meets(Footprint(3, 0.9, 0.5, 0.5), 1, 0) == 4
    assert square.meets(Footprint(3, 1.1, 0.5, 0.5), 1, 0) is None
    assert square.meets(Footprint(3, 0, 0.5, 0.5, math.sqrt(0.5), math.sqrt(0.5)), 1, 0) == pytest.approx(
        3.5 + math.sqrt(0.5)
    )


# Hidden shares --------------------------------------------------------------------------------------------------------

# Looks along +y: at depth 1, a metre is 100 pixels.
STRAIGHT = Camera((0, 0, 0), (0, 1, 0), 0, 36, 100, 80)

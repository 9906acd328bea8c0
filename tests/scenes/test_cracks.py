"""Crack contours and their rasters: units, determinism, coverage against a supersampled reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label

from scenes.cracks import raster, weathering
from scenes.cracks.contour import Contour, Spall, Stroke
from scenes.cracks.generators.masonry import Bond, bond_rand, masonry
from scenes.cracks.generators.midpoint import midpoint
from scenes.cracks.generators.stress import stress, tension
from scenes.cracks.paths import Grain, Path, arc, curved, eased, grain_rand, opened, profiles
from scenes.cracks.registry import GENERATORS, SHARES, sample
from scenes.cracks.strips import Pixels
from scenes.cracks.thinning import thinned
from scenes.errors import InputError

SIZE = (300.0, 240.0)
SHAPE = (96, 120)
SCALE = 2.5
KINDS = sorted(GENERATORS)
EIGHT = np.ones((3, 3))


def rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def line(*points: tuple[float, float], width: float | tuple[float, ...] = 2.0, parent: int = -1) -> Stroke:
    return Stroke(
        np.array(points, dtype=float), np.broadcast_to(np.array(width), len(points)).astype(float), "crack", parent
    )


def one(stroke: Stroke, size: tuple[float, float] = (100.0, 100.0)) -> Contour:
    return Contour((stroke,), (), size)


def supersampled(contour: Contour, shape: tuple[int, int], scale: float, times: int = 8) -> np.ndarray:
    """Coverage by counting sub-pixel centres inside tapered capsules, one segment after the other."""
    fine = scale / times
    inside = np.zeros((shape[0] * times, shape[1] * times), dtype=bool)
    for stroke in contour.strokes:
        ends = zip(stroke.points, stroke.points[1:], stroke.widths, stroke.widths[1:], strict=False)
        for a, b, wa, wb in ends:
            low = np.maximum(np.floor((np.minimum(a, b) - max(wa, wb)) / fine), 0).astype(int)
            high = np.maximum(np.ceil((np.maximum(a, b) + max(wa, wb)) / fine), 0).astype(int)
            box = inside[low[1] : high[1], low[0] : high[0]]
            y, x = (np.mgrid[: box.shape[0], : box.shape[1]] + 0.5 + low[::-1, None, None]) * fine
            dx, dy = b - a
            u = np.clip(((x - a[0]) * dx + (y - a[1]) * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
            box |= np.hypot(x - a[0] - u * dx, y - a[1] - u * dy) < (wa + u * (wb - wa)) / 2
    return inside.reshape(shape[0], times, shape[1], times).mean(axis=(1, 3))


# Generators ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12)
@given(seed=st.integers(0, 2**32))
def test_contours_are_sound(kind: str, seed: int) -> None:
    contour = sample(rng(seed), SIZE, kind)
    assert contour.size == SIZE
    assert contour.strokes
    for i, stroke in enumerate(contour.strokes):
        assert stroke.points.shape == (len(stroke.widths), 2) and len(stroke.points) >= 2
        assert np.isfinite(stroke.points).all() and np.isfinite(stroke.widths).all()
        assert stroke.widths.min() >= 0 and stroke.widths.max() < min(SIZE)
        assert stroke.kind in ("crack", "satellite", "healed")
        assert -1 <= stroke.parent < len(contour.strokes) and stroke.parent != i
        assert np.abs(stroke.points - np.array(SIZE) / 2).max() < 6 * max(SIZE)
    for spall in contour.spalls:
        assert np.isfinite(spall.outline).all() and spall.depth > 0
    assert contour.tortuosity >= 1 and contour.length > 0


@pytest.mark.parametrize("kind", KINDS)
def test_forks_lie_on_their_parents(kind: str) -> None:
    forks = 0
    for seed in range(12):
        contour = GENERATORS[kind](rng(seed), SIZE, None, None)
        for stroke in contour.strokes:
            if stroke.parent >= 0:
                parent = contour.strokes[stroke.parent]
                away = np.hypot(*(parent.points - stroke.points[0]).T).min()
                assert away <= parent.widths.max() / 2 + stroke.widths.max() + 2 * min(SIZE) / 400
                forks += 1
    assert forks > 0 or kind in ("masonry", "joint")


@pytest.mark.parametrize("kind", KINDS)
def test_most_contours_show_on_the_patch(kind: str) -> None:
    shown = [raster.coverage(sample(rng(seed), SIZE, kind), Pixels(SHAPE, SCALE)).sum() > 5 for seed in range(16)]
    assert sum(shown) >= 14


@given(seed=st.integers(0, 2**32))
@settings(max_examples=20)
def test_same_stream_same_contour(seed: int) -> None:
    a, b = sample(rng(seed), SIZE), sample(rng(seed), SIZE)
    assert len(a.strokes) == len(b.strokes)
    for s, t in zip(a.strokes, b.strokes, strict=True):
        assert np.array_equal(s.points, t.points) and np.array_equal(s.widths, t.widths)
        assert (s.kind, s.parent) == (t.kind, t.parent)
    assert np.array_equal(raster.coverage(a, Pixels(SHAPE, SCALE)), raster.coverage(b, Pixels(SHAPE, SCALE)))


def test_streams_differ() -> None:
    lengths = {round(sample(rng(seed), SIZE, "walk").length, 6) for seed in range(10)}
    assert len(lengths) == 10


def test_contours_scale_with_the_patch() -> None:
    small, large = sample(rng(3), SIZE, "stress"), sample(rng(3), (3000.0, 2400.0), "stress")
    assert np.allclose(small.strokes[0].points * 10, large.strokes[0].points)
    assert np.allclose(small.strokes[0].widths * 10, large.strokes[0].widths)


def test_shares_cover_the_generators() -> None:
    assert set(SHARES) == set(GENERATORS)
    assert sum(SHARES.values()) == pytest.approx(1)


def test_wide_patch_and_fine_detail() -> None:
    coarse, fine = (sample(rng(1), (2000.0, 200.0), "midpoint", detail=d) for d in (2.0, 0.5))
    assert len(fine.strokes[0].points) > 3 * len(coarse.strokes[0].points)


def test_width_is_in_millimeters() -> None:
    means = [GENERATORS["midpoint"](rng(seed), SIZE, 3.0, None).mean_width for seed in range(40)]
    assert 1.8 < float(np.median(means)) < 4.0


def still(detail: float = 1.0) -> Grain:
    return Grain(0.0, 50.0, 0.8, detail, 0.0, 0.0, 0.0, 0.0, 0.0)


def test_cracks_run_across_the_tension() -> None:
    forces = tension(rng(0), (200.0, 200.0), pull=0.0, unrest=0.0, reach=100.0)
    common = {"size": (200.0, 200.0), "forces": forces, "energy": 90.0, "step": 2.0, "inertia": 0.5, "fork": 0.0}
    contour = stress(
        **common, starts=np.array([[100.0, 100.0]]), scatter=0.0, fork_angle=40.0, shield=10.0, width=2.0, thinning=0.7,
        grain=still(), rng=rng(1),
    )  # fmt: skip
    extent = np.ptp(contour.strokes[0].points, axis=0)
    assert extent[1] > 150 and extent[0] < 3


def test_growing_cracks_end_at_older_ones() -> None:
    size = (200.0, 200.0)
    ended = 0
    for seed in range(12):
        forces = tension(rng(seed), size, pull=0.0, unrest=1.2, reach=60.0)
        contour = stress(
            size=size, forces=forces, starts=rng(seed).uniform(20, 180, (6, 2)), energy=300.0, step=3.0, inertia=0.6,
            scatter=5.0, fork=0.0, fork_angle=40.0, shield=15.0, width=2.0, thinning=0.95, grain=still(), rng=rng(seed),
        )  # fmt: skip
        for i, stroke in enumerate(contour.strokes):
            others = [s.points for s in contour.strokes[:i]]
            if others:
                tips = stroke.points[[0, -1]]
                away = np.hypot(*(np.concatenate(others)[None] - tips[:, None]).transpose(2, 0, 1)).min(axis=1)
                ended += int((away < 2.0).sum())
    assert ended >= 6


def test_midpoint_keeps_its_ends() -> None:
    contour = midpoint(
        size=(100.0, 100.0), start=(0.0, 20.0), end=(100.0, 70.0), angle=25.0, decay=0.9, depth=5, width=2.0, forks=2,
        fork_angle=40.0, fade=(0.0, 0.0), grain=still(), rng=rng(0),
    )  # fmt: skip
    assert np.allclose(contour.strokes[0].points[[0, -1]], [[0, 20], [100, 70]])
    assert contour.forks == 2 and contour.tortuosity > 1.02


def test_stair_steps_keep_to_the_mortar() -> None:
    bond = Bond(60.0, 20.0, 4.0, 0.5, (7.0, 9.0))
    contour = masonry(
        size=(300.0, 300.0), bond=bond, start=(40.0, -20.0), heading=50.0, through=0.0, edge=0.0, width=2.0,
        fade=(0.0, 0.0), grain=still(0.5), rng=rng(0),
    )  # fmt: skip
    points = contour.clipped().strokes[0].points
    assert len(points) > 200
    boxes = bond.bricks((300.0, 300.0))
    inner = boxes + (1.0, 1.0, -1.0, -1.0)
    x, y = points.T[:, :, None]
    assert not np.any((x > inner[:, 0]) & (x < inner[:, 2]) & (y > inner[:, 1]) & (y < inner[:, 3]))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=20)
def test_bricks_cover_the_patch_without_overlap(seed: int) -> None:
    bond = bond_rand(rng(seed), SIZE)
    boxes = bond.bricks(SIZE)
    left, top, right, bottom = np.clip(boxes, 0, [*SIZE, *SIZE]).T
    share = ((right - left) * (bottom - top)).sum() / (SIZE[0] * SIZE[1])
    assert 0.6 < share < 1
    assert np.allclose(boxes[:, 2:] - boxes[:, :2], (bond.length, bond.height))


def test_profiles_have_unit_variance() -> None:
    rows = profiles(rng(0), np.full(60, 40.0), 4000, 0.6)
    assert rows.shape == (60, 4000)
    assert np.allclose(rows.var(axis=1).mean(), 1.0, atol=0.1)


@given(seed=st.integers(0, 2**32), steepest=st.floats(0.1, 2.0))
@settings(max_examples=30)
def test_eased_widths(seed: int, steepest: float) -> None:
    r = rng(seed)
    width, along = r.uniform(0, 5, 80), np.cumsum(r.uniform(0.1, 1.0, 80))
    result = eased(width, along, steepest)
    assert np.all(result <= width + 1e-9) and np.all(result >= -1e-9)
    assert np.all(np.abs(np.diff(result)) <= steepest * np.diff(along) + 1e-9)


@given(seed=st.integers(0, 2**32), times=st.integers(1, 7))
@settings(max_examples=20)
def test_curves_pass_through_their_points(seed: int, times: int) -> None:
    rows = np.cumsum(rng(seed).uniform(0.1, 2.0, (9, 3)), axis=0)
    curve = curved(rows, times)
    assert curve.shape == (8 * times + 1, 3) and np.allclose(curve[::times], rows)
    line = np.linspace((0.0, 0.0), (8.0, 4.0), 5)
    assert np.allclose(curved(line) @ (4.0, -8.0), 0)


def test_cracks_are_smooth_lines() -> None:
    """Jagged ones, as generators like to make them, are a quarter longer than their course and more."""
    rough, change = [], []
    for seed in range(40):
        contour = sample(rng(seed), SIZE, ("walk", "midpoint", "stress", "tree")[seed % 4])
        stroke = max(contour.strokes, key=lambda stroke: stroke.length)
        coarse = stroke.points[:: max(round(16.0 / (stroke.length / len(stroke.points))), 1)]
        rough.append(stroke.length / arc(coarse)[-1])
        wide = stroke.widths > 0.5 * stroke.widths.max()
        change.append(
            np.median(np.abs(np.diff(stroke.widths))[wide[1:]]) / np.median(np.hypot(*np.diff(stroke.points, axis=0).T))
        )
    assert 1.02 < np.median(rough) < 1.2 and np.max(rough) < 1.45
    assert np.median(change) < 0.15


def test_stairs_keep_to_a_given_bond() -> None:
    bond = Bond(60.0, 20.0, 4.0, 0.5, (7.0, 9.0))
    shares = []
    for seed in range(10):
        for kind in ("masonry", "joint"):
            contour = sample(rng(seed), (300.0, 300.0), kind, 1.0, 0.8, bond).clipped()
            points = max(contour.strokes, key=lambda stroke: stroke.length).points
            y = (points[:, 1] - bond.origin[1] + bond.course / 2) % bond.course - bond.course / 2
            rows = np.floor((points[:, 1] - bond.origin[1]) / bond.course)
            x = points[:, 0] - bond.origin[0] - bond.shift * bond.pitch * (rows % 2) + bond.pitch / 2
            shares.append(np.mean((np.abs(y) < 3) | (np.abs(x % bond.pitch - bond.pitch / 2) < 3)))
    # A few cut through bricks.
    assert np.median(shares) > 0.75


# Composition -----------------------------------------------------------------------------------------------------


def straight(n: int = 201) -> Contour:
    x = np.linspace(0.0, 200.0, n)
    return Contour((Stroke(np.column_stack([x, np.full(n, 50.0)]), np.full(n, 3.0)),), (), (200.0, 100.0))


def test_interrupted_closes() -> None:
    contour = weathering.interrupted(rng(0), straight(), rate=0.05, gap=10.0)
    widths = contour.strokes[0].widths
    assert (widths == 0).sum() > 5 and widths.max() == pytest.approx(3.0)


def test_healed_scars_take_the_place() -> None:
    contour = weathering.healed(rng(0), straight(), rate=0.05, stretch=12.0)
    scars = [s for s in contour.strokes if s.kind == "healed"]
    assert scars and contour.forks == 0
    open_only = raster.coverage(contour, Pixels((100, 200), 1.0))
    scar = raster.coverage(contour, Pixels((100, 200), 1.0), kinds=("healed",))
    whole = raster.coverage(straight(), Pixels((100, 200), 1.0))
    assert open_only.sum() < whole.sum() - 20
    assert np.all(np.maximum(open_only, scar) <= whole + 1e-5)


def test_jogged_tips_pass_each_other() -> None:
    contour = weathering.jogged(rng(0), straight(), offset=5.0, overlap=10.0, count=1)
    first, second = contour.strokes
    assert first.widths[-1] == 0 and second.widths[0] == 0
    assert second.points[0, 0] < first.points[-1, 0]
    assert abs(second.points[0, 1] - first.points[-1, 1]) > 2
    assert abs(second.points[-1, 1] - 50) < 1


def test_pairs_part_and_meet_again() -> None:
    contour = weathering.paired(rng(0), straight(), still(), away=8.0, width=0.5, share=0.6)
    trunk, finer = contour.strokes
    assert finer.parent == 0 and finer.widths.max() < trunk.widths.max()
    aside = np.abs(finer.points[:, 1] - 50.0)
    assert aside[[0, -1]].max() < 0.5 and 3.0 < aside.max() < 16.0
    assert 0.5 < np.ptp(finer.points[:, 0]) / 200.0 < 0.7


def test_seals_are_even_bands() -> None:
    old = GENERATORS["walk"](rng(3), SIZE, 2.0, 0.6)
    seals = weathering.sealed(rng(1), old, 12.0)
    assert seals.strokes and all(stroke.length >= 30.0 for stroke in seals.strokes)
    widths = np.concatenate([stroke.widths for stroke in seals.strokes])
    assert widths.min() > 7.0 and widths.max() < 20.0
    assert seals.tortuosity <= old.tortuosity
    assert not weathering.sealed(rng(1), old, 1e4).strokes


def test_satellites_and_spalls() -> None:
    contour = weathering.satellites(
        rng(0), straight(), still(), count=9, away=6.0, length=10.0, width=0.4, slant=10.0
    )  # fmt: skip
    small = [s for s in contour.strokes if s.kind == "satellite"]
    assert len(small) == 9 and all(s.widths[0] == 0 and s.widths[-1] == 0 for s in small)
    chipped = weathering.spalled(rng(0), contour, count=5, breadth=8.0, depth=2.0)
    assert len(chipped.spalls) == 5
    depth = raster.spall_depth(chipped, Pixels((100, 200), 1.0))
    assert 0 < depth.max() <= 3.0 and (depth > 0).mean() < 0.2


def test_younger_cracks_end_at_older_ones() -> None:
    older = straight()
    y = np.linspace(0.0, 100.0, 101)
    younger = Contour((Stroke(np.column_stack([np.full(101, 90.0), y * 0.8]), np.full(101, 1.0)),), (), older.size)
    both = weathering.layered(older, younger)
    assert len(both.strokes) == 2
    assert both.strokes[1].points[-1, 1] == pytest.approx(50, abs=1)


# Contours --------------------------------------------------------------------------------------------------------


def test_statistics() -> None:
    trunk = line((10, 50), (50, 50), (90, 50))
    branch = line((50, 50), (50, 80), parent=0)
    contour = Contour((trunk, branch), (), (100.0, 100.0))
    assert (contour.length, contour.area, contour.mean_width) == (110, 220, 2)
    assert (contour.forks, contour.ends, contour.tortuosity) == (1, 3, 1)
    assert Contour((), (), (1.0, 1.0)).tortuosity == 1 and Contour((), (), (1.0, 1.0)).mean_width == 0


def test_joined_keeps_parents() -> None:
    pair = Contour((line((0, 0), (9, 9)), line((5, 5), (9, 0), parent=0)), (), (10.0, 10.0))
    assert [s.parent for s in pair.joined(pair).strokes] == [-1, 0, -1, 2]


def test_transforms() -> None:
    contour = Contour((line((10, 20), (30, 20)),), (Spall(np.array([[0.0, 0], [4, 0], [0, 4]]), 2.0),), (100.0, 60.0))
    assert np.allclose(contour.moved(1, -2).strokes[0].points, [[11, 18], [31, 18]])
    turned = contour.rotated(90, (10, 20))
    assert np.allclose(turned.strokes[0].points, [[10, 20], [10, 40]])
    grown = contour.scaled(3)
    assert grown.size == (300, 180)
    assert np.allclose(grown.strokes[0].widths, 6) and grown.spalls[0].depth == pytest.approx(6)


def test_clipped_splits_and_cuts() -> None:
    contour = one(line((50, 50), (150, 50), (150, 80), (50, 80), width=(2, 4, 4, 2)))
    first, second = contour.clipped().strokes
    assert np.allclose(first.points, [[50, 50], [100, 50]]) and np.allclose(first.widths, [2, 3])
    assert np.allclose(second.points, [[100, 80], [50, 80]])


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25)
def test_clipping_does_not_show(seed: int) -> None:
    contour = sample(rng(seed), SIZE)
    clipped = contour.clipped()
    for stroke in clipped.strokes:
        assert np.all(stroke.points > -1e-6) and np.all(stroke.points < np.array(SIZE) + 1e-6)
        assert -1 <= stroke.parent < len(clipped.strokes)
    whole, cut = (raster.coverage(c, Pixels(SHAPE, SCALE)) for c in (contour, clipped))
    # Where a wide crack grazes the border, its cut end is round.
    rim = int(np.ceil(max((s.widths.max() for s in contour.strokes), default=0) / SCALE)) + 1
    inner = (slice(rim, -rim), slice(rim, -rim))
    assert np.allclose(whole[inner], cut[inner], atol=1e-3)


# Rasters ---------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(
    angle=st.floats(0, 360),
    width=st.floats(0.02, 12.0),
    end=st.floats(0.0, 1.0),
    x=st.floats(0, 1),
    y=st.floats(0, 1),
)
def test_coverage_of_a_strip(angle: float, width: float, end: float, x: float, y: float) -> None:
    contour = one(line((20 + x, 50 + y), (80 + x, 50 + y), width=(width, width * end)))
    turned = contour.rotated(angle, (50.0, 50.0))
    image = raster.coverage(turned, Pixels((100, 100), 1.0))
    assert image.dtype == np.float32 and image.min() >= 0 and image.max() <= 1
    caps = np.pi / 8 * width**2 * (1 + end**2)
    assert image.sum() == pytest.approx(contour.area + caps, rel=0.03, abs=width)


@pytest.mark.parametrize("kind", KINDS)
def test_coverage_matches_a_supersampled_reference(kind: str) -> None:
    error, drawn = [], 0.0
    for seed in range(2):
        contour = GENERATORS[kind](rng(seed), (60.0, 60.0), 2.0, 0.8).clipped()
        image, reference = raster.coverage(contour, Pixels((60, 60), 1.0)), supersampled(contour, (60, 60), 1.0)
        error.append(np.abs(image - reference))
        drawn += reference.sum()
        assert image.sum() == pytest.approx(reference.sum(), rel=0.06, abs=2)
    assert drawn > 20
    assert np.sum(error) < 0.04 * drawn and np.max(error) < 0.5


@given(seed=st.integers(0, 2**32), turn=st.floats(0, 360))
@settings(max_examples=15)
def test_turning_keeps_the_covered_area(seed: int, turn: float) -> None:
    contour = replace(GENERATORS["walk"](rng(seed), (100.0, 100.0), 2.0, 1.0).clipped(), size=(200.0, 200.0))
    contour = contour.moved(50, 50)
    areas = [
        raster.coverage(c, Pixels((200, 200), 1.0)).sum() for c in (contour, contour.rotated(turn, (100.0, 100.0)))
    ]
    assert areas[0] > 5
    assert areas[1] == pytest.approx(areas[0], rel=0.03, abs=1.5)


def test_origin_and_scale() -> None:
    contour = one(line((20, 30), (60, 70), width=5))
    whole = raster.coverage(contour, Pixels((100, 100), 1.0))
    part = raster.coverage(contour, Pixels((40, 50), 1.0, (15.0, 25.0)))
    assert np.allclose(part, whole[25:65, 15:65], atol=1e-5)
    half = raster.coverage(contour, Pixels((50, 50), 2.0))
    assert np.allclose(half, whole.reshape(50, 2, 50, 2).mean(axis=(1, 3)), atol=0.06)


def test_thinner_than_a_pixel_covers_its_width() -> None:
    image = raster.coverage(one(line((-5, 50.5), (105, 50.5), width=0.1)), Pixels((100, 100), 1.0))
    assert np.allclose(image[50], 0.1, atol=1e-3) and image.sum() == pytest.approx(10, rel=1e-2)


@given(seed=st.integers(0, 2**32), kind=st.sampled_from(KINDS))
@settings(max_examples=30)
def test_skeleton_is_thin_connected_and_inside(seed: int, kind: str) -> None:
    contour = sample(rng(seed), SIZE, kind)
    # All of it: a crack along the frame may show its lips inside where its middle is out.
    points = np.concatenate([np.zeros((1, 2)), *(stroke.points for stroke in contour.strokes)])
    low, high = points.min(axis=0) - 20, points.max(axis=0) + 20
    across, down = np.ceil((high - low) / SCALE).astype(int).tolist()
    pixels = Pixels((down, across), SCALE, (low[0], low[1]))
    skeleton, covered = raster.skeleton(contour, pixels), raster.coverage(contour, pixels)
    assert skeleton.dtype == bool
    assert np.all(covered[skeleton] > 0)
    blocks = skeleton[:-1, :-1] & skeleton[1:, :-1] & skeleton[:-1, 1:] & skeleton[1:, 1:]
    assert blocks.sum() <= 0.02 * skeleton.sum() + 1
    # What touches stays in one piece, and nothing is lost but what is hidden in something else's pixels.
    assert label(skeleton, EIGHT)[1] <= label(covered > 0, EIGHT)[1] + len(contour.strokes)


@pytest.mark.parametrize("turn", [0.0, 20.0, 45.0, 63.0])
def test_thinning_leaves_no_combs(turn: float) -> None:
    """A wide band's middle line has two ends, but for what its blunt corners leave."""
    band = one(line((20, 60), (100, 60), width=14), (120.0, 120.0)).rotated(turn, (60.0, 60.0))
    middle = thinned(raster.coverage(band, Pixels((120, 120), 1.0)) > 0.5)
    neighbors = sum(np.roll(middle, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)) - middle.astype(int)
    assert (middle & (neighbors == 1)).sum() <= 5 and label(middle, EIGHT)[1] == 1
    assert 50 <= middle.sum() <= 110


@given(seed=st.integers(0, 2**32))
@settings(max_examples=10)
def test_lips_are_the_distance_near_them(seed: int) -> None:
    contour = GENERATORS["stress"](rng(seed), (60.0, 60.0), 3.0, 1.0)
    away, half = raster.lips(contour, Pixels((60, 60), 1.0), reach=4.0)
    near = np.isfinite(away)
    wrong = np.abs(away - raster.distance(contour, Pixels((60, 60), 1.0), reach=5.0))[near]
    assert near.any() and wrong.max() < 1 and wrong.mean() < 0.05 and wrong[away[near] < 1].max() < 1e-3
    assert not half[~near].any() and np.all(away[near] >= -half[near] - 1e-5) and away[near].max() <= 4


def test_skeleton_of_a_line() -> None:
    skeleton = raster.skeleton(one(line((10.3, 20.2), (80.1, 61.7), width=8)), Pixels((100, 100), 1.0))
    assert label(skeleton, EIGHT)[1] == 1
    assert 69 <= skeleton.sum() <= 71 and np.all(skeleton.sum(axis=0) <= 2)


def test_skeleton_skips_what_is_closed() -> None:
    skeleton = raster.skeleton(
        one(line((10, 50), (40, 50), (60, 50), (90, 50), width=(2, 0, 0, 2))), Pixels((100, 100), 1.0)
    )
    assert not skeleton[:, 42:58].any() and skeleton[:, 12:38].any(axis=0).all()


@given(seed=st.integers(0, 2**32))
@settings(max_examples=15)
def test_distance_is_true(seed: int) -> None:
    contour = GENERATORS["tree"](rng(seed), (60.0, 60.0), 3.0, 1.0)
    got = raster.distance(contour, Pixels((60, 60), 1.0), reach=12.0)
    assert got.shape == (60, 60) and got.dtype == np.float32 and got.max() <= 12
    y, x = np.mgrid[:60, :60] + 0.5
    want = np.full((60, 60), 12.0)
    for s in contour.strokes:
        a, step = s.points[:-1], np.diff(s.points, axis=0)
        open_ = np.maximum(s.widths[:-1], s.widths[1:]) > 0
        a, step, w = a[open_], step[open_], np.stack([s.widths[:-1], s.widths[1:]], axis=1)[open_]
        px, py = x[..., None] - a[:, 0], y[..., None] - a[:, 1]
        u = np.clip((px * step[:, 0] + py * step[:, 1]) / np.maximum((step**2).sum(axis=1), 1e-12), 0, 1)
        away = np.hypot(px - u * step[:, 0], py - u * step[:, 1]) - (w[:, 0] + u * (w[:, 1] - w[:, 0])) / 2
        want = np.minimum(want, away.min(axis=2))
    assert np.abs(got - want).mean() < 0.05 and np.abs(got - want).max() < 1.0
    assert np.abs(got - want)[want < 1].max() < 1e-3


def test_distance_sees_cracks_beside_the_picture() -> None:
    got = raster.distance(one(line((-3, -10), (-3, 60), width=2)), Pixels((20, 20), 1.0), reach=10.0)
    assert np.allclose(got[:, 0], 2.5, atol=1e-4) and np.allclose(got[:, 15], 10)


def test_distance_of_a_crack_as_wide_as_the_picture() -> None:
    """The windows of its few pieces are larger than the blocks in which windows are processed."""
    wide = one(line((-400.0, 180.0), (800.0, 180.0), width=300.0), (400.0, 400.0))
    found = raster.distance(wide, Pixels((400, 400), 1.0), reach=20.0)
    rows = np.abs(np.arange(400) + 0.5 - 180.0) - 150.0
    assert found == pytest.approx(np.minimum(rows, 20.0)[:, None].repeat(400, axis=1), abs=1e-3)


def test_width_map() -> None:
    contour = one(line((10, 50), (90, 50), width=(2, 10)))
    widths, covered = (
        raster.width_map(contour, Pixels((100, 100), 1.0)),
        raster.coverage(contour, Pixels((100, 100), 1.0)),
    )
    assert np.array_equal(widths > 0, covered > 0)
    assert widths[50, 50] == pytest.approx(2 + 8 * 40.5 / 80, abs=0.1)


def test_spall_area() -> None:
    square = Spall(np.array([[20.2, 30.7], [50.2, 30.7], [50.2, 60.7], [20.2, 60.7]]), 2.0)
    depth = raster.spall_depth(Contour((), (square,), (100.0, 100.0)), Pixels((100, 100), 1.0))
    assert depth.max() == 2 and depth.sum() == pytest.approx(2 * 900, rel=0.01)


def test_nothing_drawn() -> None:
    empty = Contour((), (), (10.0, 10.0))
    far = one(line((1000, 1000), (1100, 1000)))
    for contour in (empty, far):
        assert not raster.coverage(contour, Pixels((8, 8), 1.0)).any()
        assert not raster.width_map(contour, Pixels((8, 8), 1.0)).any()
        assert not raster.skeleton(contour, Pixels((8, 8), 1.0)).any()
        assert np.all(raster.distance(contour, Pixels((8, 8), 1.0), reach=3.0) == 3)


# Bad input and speed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sample(rng(0), (0.0, 10.0)), "size (0.0, 10.0) mm must be a positive"),
        (lambda: sample(rng(0), (float("nan"), 10.0)), "must be a positive"),
        (lambda: sample(rng(0), SIZE, width=240.0), "width 240 mm does not fit a patch of 300 x 240 mm"),
        (lambda: sample(rng(0), SIZE, width=-1.0), "width -1 mm"),
        (lambda: sample(rng(0), SIZE, detail=0.0), "detail 0 mm must be positive"),
        (lambda: sample(rng(0), SIZE, "aligator"), "did you mean 'alligator'?"),
        (lambda: opened(rng(0), [Path(np.eye(2), 400.0)], SIZE, grain_rand(rng(0), SIZE)), "does not fit"),
        (lambda: Contour((), (), (-1.0, 1.0)), "must be a positive"),
        (lambda: raster.coverage(straight(), Pixels((0, 5), 1.0)), "at least 1 x 1"),
        (lambda: raster.distance(straight(), Pixels((5, 5), 0.0)), "must be a positive number"),
    ],
)
def test_bad_input(call: Callable[[], object], words: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert words in str(caught.value) and "\n" not in str(caught.value)

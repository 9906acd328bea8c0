"""Cracks drawn on photographs: the recipe, the independence of its steps, and the labels."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.composite import background, camera, color, distractors, edges, geometry
from render.composite.renderer import Painter, contour
from scenes.config.composite import ComposeConfig
from scenes.config.composite_crack import StepConfig
from scenes.config.loading import load
from scenes.cracks import raster
from scenes.cracks.strips import Pixels
from scenes.record.composite import Composition
from scenes.record.reading import scene_from_json
from scenes.sampling.composite import OF_CRACK, Composer
from tests.walls import LABELS, SIDE, composer, draw, make_painter, make_walls, straight


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_walls(tmp_path_factory.mktemp("photographs") / "walls")


@pytest.fixture(scope="module")
def painter(folder: Path) -> Painter:
    return make_painter(folder)


@pytest.mark.parametrize(
    ("section", "functions"),
    [
        ("background", (background.cut, background.relit)),
        ("warp", (geometry.warped,)),
        ("smoothing", (edges.smoothed,)),
        ("dissolve", (edges.dissolved,)),
        ("color", (color.colored,)),
        ("lips", (color.lit_lips,)),
        ("healed", (color.healed,)),
        ("distractors", (distractors.distracted,)),
        ("sensor", (camera.photographed,)),
    ],
)
def test_a_section_has_the_parameters_of_its_step(section: str, functions: tuple[Callable[..., Any], ...]) -> None:
    fields = set(type(getattr(ComposeConfig(), section)).model_fields) - {
        "use",
        "texture" if section == "background" else "",
    }
    keywords = {
        parameter.name
        for function in functions
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    assert fields == keywords


def test_a_composition_survives_json(painter: Painter) -> None:
    for index in range(20):
        drawn = composer(painter).sample(1, index)
        assert Composition.from_json(drawn.to_json()) == drawn
        assert scene_from_json(drawn.to_json()) == drawn


@given(st.floats(0.1, 10))
def test_changing_a_parameter_leaves_every_other_factor(darkness: float) -> None:
    plain, changed = ComposeConfig(), load(ComposeConfig, None, [f"color.darkness={min(darkness / 10, 1)}"])
    for index in range(3):
        a, b = (Composer(config, ("x", "y")).sample(2, index) for config in (plain, changed))
        steps = {name: dict(values) for name, values in b.steps.items()}
        if "color" in steps:
            steps["color"]["darkness"] = a.steps["color"]["darkness"]
        assert steps == a.steps


def test_a_picture_depends_on_config_seed_and_index_alone(painter: Painter, folder: Path) -> None:
    sampled = composer(painter).sample
    first = [painter.draw(sampled(7, index)) for index in (0, 1, 2)]
    fresh = make_painter(folder)
    again = {index: fresh.draw(sampled(7, index)) for index in (2, 0, 1)}
    for index, frame in enumerate(first):
        for name in ("rgb", *LABELS):
            assert np.array_equal(getattr(frame, name), getattr(again[index], name)), name
    assert not np.array_equal(first[0].rgb, first[1].rgb)


STEPS = ("distractors", "crack", "warp", "smoothing", "dissolve", "lips", "healed", "color", "style", "zoom", "sensor")
# What they change besides the picture.
OF_LABELS = ("crack", "warp", "zoom")


@pytest.mark.parametrize("step", STEPS)
def test_each_step_can_be_left_out_alone(painter: Painter, step: str) -> None:
    """What is drawn without it has every other step's values, and labels and surface as they were."""
    changed = 0
    for index in range(6):
        on, off = (draw(painter, index, **{"least": 0, step: {"use": use}}) for use in (True, False))
        assert on.category.any() and step in on.scene.steps and step not in off.scene.steps
        gone = {name: values for name, values in on.scene.steps.items() if name not in off.scene.steps}
        assert set(gone) == ({step, *OF_CRACK} & set(on.scene.steps) if step == "crack" else {step})
        assert {**off.scene.steps, **gone} == on.scene.steps
        assert replace(off.scene, steps={}) == replace(on.scene, steps={})
        same = [np.array_equal(getattr(on, name), getattr(off, name)) for name in LABELS]
        assert all(same) or step in OF_LABELS
        changed += not (np.array_equal(on.rgb, off.rgb) and all(same))
    assert changed or step == "healed"  # few cracks are healed


def test_every_step_was_left_out() -> None:
    fields = ComposeConfig.model_fields
    assert set(STEPS) == {name for name, field in fields.items() if isinstance(field.default, StepConfig)}


def test_without_a_crack_the_surface_is_the_one_it_is_drawn_on(painter: Painter) -> None:
    for index in range(4):
        plain = {"sensor": {"use": False}, "style": {"use": False}, "least": 0}
        on, off = (draw(painter, index, crack={"use": use}, **plain) for use in (True, False))
        far = ~cv2.dilate((on.alpha > 0).astype(np.uint8), np.ones((65, 65))).astype(bool)
        assert np.array_equal(on.rgb[far], off.rgb[far])


def test_what_distorts_the_contour_distorts_all_labels(painter: Painter) -> None:
    hard = {"use": True, "elastic": 0.3, "affine": 0.3, "dilation": 1}
    on, off = (
        draw(painter, warp=warp, margin=0, least=0, zoom={"use": False}, crack={"use": True, "ragged": 0})
        for warp in (hard, {"use": False})
    )
    for name in ("alpha", "category", "width", "skeleton"):
        assert not np.array_equal(getattr(on, name), getattr(off, name))
    drawn = raster.coverage(contour(on.scene), Pixels((SIDE, SIDE), on.scene.mm_per_pixel))  # type: ignore[union-attr]
    assert np.array_equal(on.alpha, (drawn * 255 + 0.5).astype(np.uint8))
    assert not on.skeleton[on.width == 0].any() and (on.width[on.category > 0] > 0).all()  # type: ignore[index]


@pytest.mark.parametrize("index", range(4))
def test_labels_reach_beyond_the_crack_by_their_margin(painter: Painter, index: int) -> None:
    even = {"crack": {"use": True, "ragged": 0}, "least": 0}
    exact, wider, widest = (draw(painter, index, margin=margin, **even) for margin in (0, 0.8, 1.6))
    assert np.array_equal(exact.rgb, wider.rgb) and np.array_equal(exact.skeleton, wider.skeleton)
    assert exact.category.sum() < wider.category.sum() < widest.category.sum()
    assert not (exact.category > wider.category).any() and not (exact.alpha > wider.alpha).any()
    assert wider.width is not None and exact.width is not None
    assert (wider.width[wider.category > 0] > 0).all()
    # The pixels beyond the edges have the width of the crack beside them, which is never made wider by the margin.
    widest_point = max(stroke.widths.max() for stroke in contour(exact.scene).strokes)  # type: ignore[arg-type]
    assert exact.width.max() <= wider.width.max() <= widest_point * 1.001


@pytest.mark.parametrize("margin", [0, 0.4, 1.5])
def test_a_straight_crack_is_labelled_as_wide_as_the_margins_make_it(margin: float) -> None:
    drawn = geometry.rasterized(straight(6), Pixels((SIDE, SIDE), 1.0), margin)
    assert drawn.coverage[10:-10].sum(axis=1) == pytest.approx(6, abs=1e-3)
    assert drawn.reach[10:-10].sum(axis=1) == pytest.approx(6 + 2 * margin, abs=1e-3)
    assert drawn.width[drawn.width > 0] == pytest.approx(6, abs=1e-3)


def test_uneven_lips_are_labelled_as_they_are_at_every_scale() -> None:
    crack = straight(6)
    lips = geometry.uneven(crack.size, np.random.default_rng(0), 1.0, 0.3)
    even, rough = (geometry.rasterized(crack, Pixels((SIDE, SIDE), 1.0), 0.8, each) for each in (None, lips))
    assert rough.coverage.sum() == pytest.approx(even.coverage.sum(), rel=0.1)
    assert rough.coverage[10:-10].sum(axis=1).std() > 0.3
    larger = geometry.rasterized(crack, Pixels((4 * SIDE, 4 * SIDE), 0.25), 0.8, lips)
    smaller = cv2.resize(larger.coverage, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    assert (
        np.abs(smaller - rough.coverage)[10:-10].mean() < 0.25 * np.abs(even.coverage - rough.coverage)[10:-10].mean()
    )
    # The labels reach as far beyond the lips as they do beyond even ones.
    for drawn, side in ((rough, SIDE), (larger, 4 * SIDE)):
        beyond = (drawn.reach - drawn.coverage)[side // 8 : -side // 8].sum(axis=1).mean()
        assert beyond == pytest.approx(2 * 0.8, abs=0.15)


def test_labels_end_where_nothing_is_seen(painter: Painter) -> None:
    """Who asks for more contrast gets less mask, and what is left is the same mask."""
    faint = {"darkness": 0.2, "deepening": 0.3, "visible": 0}
    every, seen, strong = (draw(painter, 2, color=faint, least=least) for least in (0, 0.5, 1.3))
    assert np.array_equal(every.rgb, seen.rgb)
    assert every.category.sum() > seen.category.sum() > strong.category.sum()
    for kept in (seen, strong):
        for name in ("alpha", "category", "width", "skeleton"):
            where = getattr(kept, name) != 0
            assert np.array_equal(getattr(kept, name)[where], getattr(every, name)[where])


def test_dilation_widens_the_mask(painter: Painter) -> None:
    still = {"elastic": 0, "affine": 0}
    thin, thick = (draw(painter, margin=0, warp={**still, "dilation": factor}) for factor in (1.0, 2.0))
    assert 1.4 < thick.alpha.sum() / thin.alpha.sum() < 2.1
    assert np.array_equal(thin.skeleton, thin.skeleton & thick.skeleton)


def test_an_undistorted_warp_moves_nothing() -> None:
    rng = np.random.default_rng(0)
    crack = straight(4)
    warped = geometry.warped(crack, rng, 1.0, dilation=1, elastic=0, elastic_scale=10, affine=0, affine_cell=50)
    assert np.allclose(warped.strokes[0].points, crack.strokes[0].points)


@given(st.floats(0, 0.2), st.floats(0, 0.2), st.integers(0, 100))
def test_a_warp_moves_as_far_as_it_says(elastic: float, affine: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    crack = straight(4, 400.0)
    warped = geometry.warped(
        crack, rng, 1.0, dilation=1, elastic=elastic, elastic_scale=10, affine=affine, affine_cell=40
    )
    moved = warped.strokes[0].points - crack.strokes[0].points
    assert np.abs(moved).max() <= 5 * (10 * elastic + 40 * affine) + 1e-9
    if max(elastic, affine) > 0.05:
        assert moved.std() > 0.1 * max(10 * elastic, 40 * affine)


def test_a_picture_without_a_crack_says_so(painter: Painter) -> None:
    frame = draw(painter, crack={"use": False})
    assert frame.label == -1 and frame.objects == ()
    assert not any(getattr(frame, name).any() for name in LABELS)
    assert np.isinf(frame.depth).all() and not frame.normals.any()


def test_the_share_of_pictures_without_a_crack_is_as_chosen(painter: Painter) -> None:
    share = {"mixture": [{"weight": 0.3, "of": True}, {"weight": 0.7, "of": False}]}
    sampled = composer(painter, crack={"use": share})
    assert 0.22 < np.mean(["crack" in sampled.sample(0, index).steps for index in range(400)]) < 0.38


@pytest.mark.parametrize("size", [(512, 400), (33, 200)])
def test_any_size_is_drawn(painter: Painter, size: tuple[int, int]) -> None:
    frame = draw(painter, resolution=list(size))
    assert frame.rgb.shape == (size[1], size[0], 3) and frame.alpha.shape == size[::-1]

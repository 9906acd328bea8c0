"""Looks of pictures, and which looks of photographs no render has."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from training.gaps import DISTANCE, class_gaps, distances, gaps, nearest
from training.looks import LOOKS, looks


def bar(angle: float, length: float = 0.7, width: float = 0.2, size: tuple[int, int] = (120, 160)) -> NDArray[np.uint8]:
    """A red bar on a white ground, turned from the vertical by some degrees."""
    picture = np.full((*size, 3), 255, np.uint8)
    center = (size[1] / 2, size[0] / 2)
    corners = cv2.boxPoints((center, (width * size[0], length * size[0]), angle))
    cv2.fillPoly(picture, [corners.astype(np.int32)], (200, 30, 30))
    return picture


def test_looks_are_those_of_the_picture() -> None:
    found = looks(bar(0))
    assert set(found) == set(LOOKS)
    assert found["white ground"] == 1 and found["busy ground"] == 0
    assert found["size"] == pytest.approx(0.7 * 0.2 * 120 / 160, abs=0.02)
    assert looks(bar(0, 0.8, 0.6))["size"] > 2 * found["size"]
    dark, gray = (bar(0) // 2), np.repeat(bar(0).mean(axis=2, keepdims=True).astype(np.uint8), 3, 2)
    assert looks(dark)["light"] < found["light"] - 20 and looks(dark)["white ground"] == 0
    assert looks(gray)["color"] < 1 < found["color"]
    assert looks(cv2.GaussianBlur(bar(0), (0, 0), 6))["sharpness"] < 0.6 * found["sharpness"]


@pytest.mark.parametrize("angle", [0, 30, 60, 90, 120, 150])
def test_a_rotation_is_that_of_the_long_axis(angle: int) -> None:
    folded = angle if angle <= 90 else 180 - angle
    assert looks(bar(angle))["rotation"] == pytest.approx(folded, abs=3)


def test_what_a_picture_has_not_is_left_out() -> None:
    disc = np.full((100, 100, 3), 255, np.uint8)
    cv2.circle(disc, (50, 50), 30, (0, 0, 200), -1)
    assert "rotation" not in looks(disc) and "size" in looks(disc)
    for size in ((1, 1), (2, 300), (300, 2)):
        assert {"size", "rotation", "sharpness"}.isdisjoint(looks(np.zeros((*size, 3), np.uint8)))


def test_resolution_changes_looks_little() -> None:
    small, large = looks(bar(20)), looks(cv2.resize(bar(20), (640, 480), interpolation=cv2.INTER_CUBIC))
    assert all(large[name] == pytest.approx(value, abs=0.02 * max(abs(value), 1)) for name, value in small.items())


def column(renders: NDArray[np.float64], photos: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.concatenate([renders, photos]).astype(np.float32)


def test_a_gap_is_told_with_its_side_its_score_and_what_to_look_at() -> None:
    rng = np.random.default_rng(0)
    light = column(rng.uniform(40, 60, 200), np.r_[rng.uniform(45, 55, 60), rng.uniform(10, 20, 40)])
    color = column(rng.uniform(0, 1, 200), rng.uniform(0, 1, 100))
    score = np.r_[np.full(200, np.nan), np.ones(60), np.zeros(30), np.ones(10)]
    (gap,) = gaps({"light": light, "color": color}, np.arange(200, 300), np.arange(200), score)
    assert (gap.name, gap.how, gap.share) == ("light", "darker", 0.4)
    assert gap.outside == 0.25 and gap.inside == 1 and gap.gain == pytest.approx(0.3)
    assert gap.worst[0] == light.argmin() and set(gap.worst) <= set(range(260, 300))
    assert gap.nearest[0] == light[:200].argmin()
    assert (
        gap.photos[0] == pytest.approx(np.percentile(light[200:], 10))
        and "score there 25%, else 100%" in gap.sentence()
    )


def test_the_gap_that_costs_most_comes_first_and_few_photographs_make_none() -> None:
    rng = np.random.default_rng(1)
    score = np.r_[np.full(100, np.nan), np.ones(40), np.zeros(10)]
    harmless, harmful = np.r_[np.full(20, 9.0), np.full(30, 0.5)], np.r_[np.full(40, 0.5), np.full(10, 9.0)]
    measures = {
        name: column(rng.uniform(0, 1, 100), values) for name, values in (("light", harmless), ("color", harmful))
    }
    assert [gap.name for gap in gaps(measures, np.arange(100, 150), np.arange(100), score)] == ["color", "light"]
    assert gaps(measures, np.arange(148, 150), np.arange(100), score) == []


def test_a_distance_is_to_another_render_and_far_on_one_side_only() -> None:
    rng = np.random.default_rng(2)
    features = rng.normal(size=(60, 8)).astype(np.float16)
    features[50:55] = features[:5]  # photographs that a render equals
    features[55] = np.nan
    away = distances(features, np.arange(50, 60), np.arange(50))
    assert np.isnan(away[55]) and (away[50:55] < 0.05).all() and (away[:50] > 0).all()
    assert np.median(away[:50]) == pytest.approx(1)
    unit = features[:50].astype(float) / np.linalg.norm(features[:50].astype(float), axis=1, keepdims=True)
    far = np.linalg.norm(unit[:, None] - unit, axis=-1) + 9 * np.eye(50)
    assert np.allclose(away[:50], far.min(axis=1) / np.median(far.min(axis=1)), atol=2e-3)
    assert nearest(features, np.arange(50), 52, 1) == [2]
    # Photographs that are nearer than renders are to each other are no gap.
    assert gaps({DISTANCE: away}, np.arange(50, 55), np.arange(50)) == []


def test_classes_come_by_their_scores_and_a_rare_class_is_compared_with_all_renders() -> None:
    renders, photos = np.arange(100) < 60, np.arange(100) >= 60
    label = np.r_[np.zeros(55, int), np.ones(5, int), np.zeros(20, int), np.ones(20, int)]
    size = column(np.linspace(0, 1, 60), np.r_[np.full(20, 0.5), np.full(20, 2.0)])
    score = np.r_[np.full(60, np.nan), np.ones(20), np.zeros(20)]
    first, second = class_gaps({"size": size}, ("mug", "car"), label, photos, renders, score)
    assert (first.name, first.pictures, first.score) == ("car", 20, 0.0) and (second.name, second.gaps) == ("mug", ())
    assert first.gaps[0].share == 1 and first.gaps[0].renders[1] == pytest.approx(0.5)

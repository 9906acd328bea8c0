"""Composition density and instance fidelity: on pictures where the answer is known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from render.cli.dataset import inspect
from render.dataset.worth import Worth
from render.frame import Frame
from tests.frames import make_dataset, make_frame


def measured(*frames: Frame) -> Worth:
    worth = Worth()
    for frame in frames:
        worth.add(frame)
    return worth


def median(worth: Worth, name: str) -> float:
    return float(np.median(worth.values[name]))


def test_density_is_counted_from_the_labels() -> None:
    frames = [make_frame(index, objects=count) for index, count in enumerate((1, 2, 2))]
    worth = measured(*frames)
    labels = [label for frame in frames for label in frame.objects if label.pixels]
    assert worth.values["objects"] == [1, 2, 2]
    assert worth.values["size"] == pytest.approx([np.sqrt(label.pixels) for label in labels])
    assert worth.values["hidden"] == pytest.approx([1 - label.visibility for label in labels])
    assert worth.values["labeled"] == pytest.approx([(frame.instance > 0).mean() for frame in frames])
    assert sum(worth.sizes.values()) == len(labels) == sum(worth.of_class.values())


def test_the_entropy_of_classes_is_one_if_all_are_as_frequent() -> None:
    worth = Worth()
    worth.of_class.update({"mug": 5, "car": 5, "lamp": 5})
    assert worth.entropy() == pytest.approx(1)
    worth.of_class["mug"] = 50
    shares = np.array([50, 5, 5]) / 60
    assert worth.entropy() == pytest.approx(-(shares * np.log(shares)).sum() / np.log(3))
    assert Worth().entropy() == 0


def test_blur_makes_edges_wider_and_noise_is_measured_in_gray_levels() -> None:
    frame = make_frame(0, size=(96, 128), objects=1)
    flat = np.where(frame.instance > 0, 170, 70).astype(np.float32)

    def shown(gray: np.ndarray) -> Frame:
        return replace(frame, rgb=np.dstack([gray.clip(0, 255).round().astype(np.uint8)] * 3))

    sharp = measured(shown(flat))
    assert median(sharp, "edge") == 1 and median(sharp, "contrast") == 100
    assert median(sharp, "texture") == median(sharp, "noise") == 0
    widths = [median(measured(shown(cv2.GaussianBlur(flat, (0, 0), sigma))), "edge") for sigma in (0.5, 1.0, 1.5)]
    assert 1 < widths[0] < widths[1] < widths[2]
    rng = np.random.default_rng(0)
    for sigma in (4.0, 8.0):
        noisy = measured(shown(flat + rng.normal(0, sigma, flat.shape)))
        assert median(noisy, "noise") == pytest.approx(sigma, rel=0.15)
        assert median(noisy, "texture") == pytest.approx(2 * sigma / np.sqrt(np.pi), rel=0.15)
    slope = flat + np.arange(flat.shape[1]) * 0.3
    assert median(measured(shown(slope)), "noise") < 0.6  # rounding alone


def test_an_edge_with_a_third_object_behind_it_is_not_measured() -> None:
    frame = make_frame(0, size=(16, 40), objects=1)
    instance, gray = np.zeros((16, 40), np.uint16), np.full((16, 40), 50, np.uint8)
    instance[:, 20:22], gray[:, 20:22] = 1, 200  # two pixels wide: no place for a slope of its own
    thin = replace(frame, instance=instance, rgb=np.dstack([gray] * 3))
    assert measured(thin).values["edge"] == []
    instance[:, 20:], gray[:, 20:] = 1, 200
    assert measured(replace(thin, rgb=np.dstack([gray] * 3))).values["edge"] == [1]


def test_triangles_are_counted_for_the_area_that_an_object_would_cover() -> None:
    frame = make_frame(0, objects=1)
    (label,) = frame.objects

    def density(**changes: float) -> list[float]:
        worth = Worth(triangles={label.asset: 5000})
        worth.add(replace(frame, objects=(replace(label, **changes),)))  # type: ignore[arg-type]
        return worth.values["mesh"]

    assert density(pixels=500, visibility=1.0, truncation=0.0) == [5]
    assert density(pixels=250, visibility=0.5, truncation=0.0) == [5]  # half of it is hidden
    assert density(pixels=500, visibility=1.0, truncation=0.1) == []
    assert measured(frame).values["mesh"] == []


def test_inspect_reports_density_and_fidelity_as_text_and_as_numbers(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", 3)
    told = CliRunner().invoke(inspect, [str(tmp_path / "set")])
    assert told.exit_code == 0, told.output
    assert "objects seen in a picture: 2 [2 to 2]" in told.output and "samples of a pixel" in told.output
    report = json.loads(CliRunner().invoke(inspect, [str(tmp_path / "set"), "--json"]).stdout)
    assert report["worth"]["objects"] == {"low": 2, "median": 2, "high": 2}
    assert 0 < report["worth"]["class_entropy"] <= 1

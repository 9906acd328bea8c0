"""Probes: the same pictures with a factor swept, seen by a network whose answers are known."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

pytest.importorskip("torch", reason="PyTorch is not installed")

import torch

from classify.cli_studies import probe
from classify.probe.findings import Findings
from classify.probe.networks import Probe, open_probe
from classify.probe.report import draw
from classify.probe.sweep import Axis, Probed, axis, pictures
from render.dataset.manifest import Manifest
from render.renderer import Sampler, open_sampler
from scenes.config.loading import load_config
from scenes.errors import InputError
from training.data.pictures import fingerprint

SMALL = {"classes": ["mug", "chair"], "assets": {"shapes": 2}, "camera": {"resolution": [32, 32]}}
CHANGES = ["classes=[mug, chair]", "assets.shapes=2", "camera.resolution=[32,32]"]
CPU = torch.device("cpu")

MODULE = """
import torch
from torch import nn

class Bright(nn.Module):
    '''Says class 1 of bright pictures.'''
    def forward(self, images):
        level = images.mean((1, 2, 3))
        return torch.stack([-level, level], 1)

def bright():
    return Bright()

def none():
    return 3

def three():
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3))
"""


def sampler(**changes: Any) -> Sampler:
    return open_sampler(load_config({**SMALL, **changes}))


def test_a_range_is_swept_evenly_and_a_choice_by_its_values() -> None:
    opened = sampler()
    elevation = axis(opened, "camera.elevation", 4)
    assert elevation.quantiles == (0.125, 0.375, 0.625, 0.875) and elevation.numeric
    assert elevation.values[0] == pytest.approx(np.degrees(np.arcsin(0.125 * np.sin(np.radians(60)))))
    kind = axis(opened, "background.kind", 4)
    assert kind.values == ("hdri", "ground", "room") and not kind.numeric
    for quantile, name in zip(kind.quantiles, kind.values, strict=True):
        assert opened.sample(0, 3, {"background.kind": quantile}).background.kind == name  # type: ignore[attr-defined]


def test_a_class_is_swept_over_its_own_values() -> None:
    opened = sampler(by_class={"mug": {"camera": {"roll": {"uniform": [0, 8]}}}})
    assert axis(opened, "camera.roll", 2).own == {"mug": (2.0, 6.0)}


def test_all_but_the_factor_stays_as_it_is() -> None:
    opened = sampler()
    roll = axis(opened, "camera.roll", 5)
    for one in pictures(opened, 7, 3, [roll]):
        itself, *swept = one.records
        assert itself == opened.sample(7, one.index)
        assert [record.camera.roll for record in swept] == pytest.approx(roll.values)
        assert {fingerprint(record.items, record.lights, record.world) for record in swept} == {
            fingerprint(itself.items, itself.lights, itself.world)
        }
        # Its own place on the axis is where the distribution gives its own value.
        assert load_config(SMALL).camera.roll.at(one.quantiles[0]) == pytest.approx(itself.camera.roll)


def test_two_factors_have_all_combinations() -> None:
    opened = sampler()
    axes = [axis(opened, "camera.roll", 2), axis(opened, "camera.azimuth", 3)]
    (one,) = pictures(opened, 0, 1, axes)
    assert len(one.records) == 1 + 2 * 3 and len(one.quantiles) == 2
    assert [record.camera.roll for record in one.records[1:]] == pytest.approx(np.repeat(axes[0].values, 3))


def test_a_lamp_that_not_all_pictures_have(tmp_path: Path) -> None:
    opened = sampler(lighting={"sun": {"count": {"choice": [0, 1]}}})
    energy = axis(opened, "lighting.sun.energy", 2)
    found = pictures(opened, 0, 4, [energy])
    assert len(found) == 4 and all(record.lights for one in found for record in one.records)
    with pytest.raises(InputError, match="no picture has this factor"):
        pictures(sampler(), 0, 2, [energy])


def findings(probabilities: NDArray[np.float64], labels: list[int], axes: tuple[Axis, ...], own: float) -> Findings:
    probed = [Probed(index, label, (), (own,) * len(axes)) for index, label in enumerate(labels)]
    return Findings(axes, probed, probabilities, np.array(labels), ("mug", "chair"))


def test_what_is_found_in_known_answers() -> None:
    """Picture 0 is always right, 1 turns at the last step only, 2 is wrong from the second step on."""
    said = np.array([[0, 0, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1]])
    found = findings(np.eye(2)[said], [0, 1, 0], (Axis("camera.roll", (0.1, 0.5, 0.9), (1.0, 5.0, 9.0), {}),), own=0.2)
    assert found.accuracy.tolist() == pytest.approx([1, 2 / 3, 1 / 3])
    assert {name: values.tolist() for name, values in found.by_class().items()} == {
        "mug": pytest.approx([1, 0.5, 0.5]), "chair": pytest.approx([1, 1, 0]),
    }  # fmt: skip
    assert found.flipped == pytest.approx(2 / 3) and found.flipped_at().tolist() == pytest.approx([0, 1 / 3, 2 / 3])
    assert found.worst(2) == [2, 1]
    assert [(flip.picture, flip.point) for flip in found.smallest()] == [(2, 1), (1, 2)]
    assert [flip.change for flip in found.smallest()] == pytest.approx([0.3, 0.7])


def test_names_have_no_distance() -> None:
    said = np.array([[0, 0, 1, 1]])
    kinds = Axis("background.kind", (0.1, 0.5, 0.9), ("hdri", "ground", "room"), {})
    found = findings(np.eye(2)[said], [0], (kinds,), own=0.2)
    (flip,) = found.smallest()
    assert (flip.point, flip.change) == (1, 1.0)


def test_the_density_of_the_training_pictures_lies_behind_the_curve() -> None:
    roll = Axis("camera.roll", (0.25, 0.75), (-3.0, 3.0), {})
    found = findings(np.eye(2)[np.array([[0, 0, 1]])], [0], (roll,), own=0.2)
    assert len(draw(found, None).axes) == 1
    (_, density) = draw(found, {"camera": {"roll": {"uniform": [0, 8]}}}).axes
    assert min(bar.get_x() for bar in density.patches) >= 0 and max(bar.get_x() for bar in density.patches) < 8
    assert len(draw(found, {"camera": {}}).axes) == 1


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A module of the user's, named after the test, because Python imports a name once."""
    name = f"own_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return name


def test_a_module_of_the_user(own: str) -> None:
    network = open_probe(f"{own}:bright", ["mug", "chair"], 16, CPU)
    dark, light = np.zeros((20, 20, 3), np.uint8), np.full((20, 20, 3), 255, np.uint8)
    assert network.probabilities([dark, light]).argmax(1).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("{}:brigt", "has no attribute 'brigt'"),
        ("{}:none", "returned a int, expected is a torch.nn.Module"),
        ("nothing_there:bright", "there is no module nothing_there"),
    ],
)
def test_a_module_that_is_none_is_one_line(own: str, model: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        open_probe(model.format(own), ["a", "b"], 16, CPU)
    with pytest.raises(InputError, match=r"gave \(1, 3\), expected are logits \(n, 2\)"):
        open_probe(f"{own}:three", ["a", "b"], 16, CPU).probabilities([np.zeros((20, 20, 3), np.uint8)])


def run(own: str, *words: str) -> Result:
    changes = [f"--set={change}" for change in CHANGES]
    more = ["--images", "3", "--steps", "2", "--size", "16", "--out", "out", "--workers", "1", "--device", "cpu"]
    return CliRunner().invoke(probe, [f"{own}:bright", "smoke", *changes, *more, *words])


@pytest.mark.parametrize("factors", [["sensor.exposure"], ["sensor.exposure", "background.kind"]])
def test_the_command_writes_table_figure_and_report(
    own: str, factors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures whose brightness is the exposure, so that a network that looks at the brightness turns with it."""

    def paint(_: Any, probed: list[Probed], slots: Any, advance: Callable[[], None]) -> list[list[Any]]:
        levels = [[np.clip(120 + 60 * record.sensor.exposure, 0, 255) for record in one.records] for one in probed]
        return [[np.full((32, 32, 3), level, np.uint8) for level in row] for row in levels]

    monkeypatch.setattr("classify.probe.command.drawn", paint)
    found = run(own, *(f"--vary={factor}" for factor in factors))
    assert found.exit_code == 0, found.output
    assert "pictures whose prediction flips: 100.0%" in found.output
    rows = list(csv.DictReader(Path("out/probe.csv").read_text().splitlines()))
    points = 2 if len(factors) == 1 else 6
    assert len(rows) == 3 * (1 + points) and {"index", "class", *factors, "predicted"} <= rows[0].keys()
    for row in rows:
        if row["point"]:
            assert row["predicted"] == ("chair" if float(row["sensor.exposure"]) > 0 else "mug")
    page = Path("out/report.html").read_text()
    assert page.count("<img") == 1 + 2 * 3 and "The smallest changes" in page
    assert Path("out/figure.png").stat().st_size > 4000


def test_pictures_that_the_network_learned_from_are_told(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: Any) -> Probe:
        made = open_probe(f"{own}:bright", ["mug", "chair"], 16, CPU)
        config = load_config("smoke", CHANGES)
        facts = {"config_hash": "", "count": 1, "shard_size": 1, "classes": ("mug",), "versions": {}, "device": "cpu"}
        return replace(made, source=Manifest(config=config.plain(), seed=1, **facts))

    def black(_: Any, probed: list[Probed], slots: Any, advance: Callable[[], None]) -> list[list[Any]]:
        return [[np.zeros((32, 32, 3), np.uint8)] * len(one.records) for one in probed]

    monkeypatch.setattr("classify.probe.command.open_probe", opened)
    monkeypatch.setattr("classify.probe.command.drawn", black)
    assert "learned from these very pictures" in run(own, "--vary=camera.roll").output
    assert "learned from these very pictures" in Path("out/report.html").read_text()
    assert "learned from" not in run(own, "--vary=camera.roll", "--seed=2").output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--vary=camera.rol"], "there is no 'rol', did you mean 'roll'?"),
        (["--vary=camera.fstop"], "the config fixes it"),
        (["--vary=camera.resolution"], "gives it no distribution"),
        (["--vary=camera.roll", "--vary=camera.roll"], "one factor, or two different ones"),
        (["--vary=camera.roll", "--classes=mug,car"], "class 'chair': the network does not know it, did you mean"),
        (["--vary=lighting.sun.energy"], "no picture has this factor"),
    ],
)
def test_what_cannot_be_probed_is_one_line(own: str, words: list[str], message: str) -> None:
    found = run(own, *words)
    assert isinstance(found.exception, InputError) and message in str(found.exception)


@pytest.mark.slow
def test_a_picture_of_a_probe_is_that_of_a_set(own: str) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    found = run(own, "--vary=sensor.exposure", "--set=render.samples=1", "--set=render.denoise=false")
    assert found.exit_code == 0, found.output
    assert "drawing 9/9" in found.output

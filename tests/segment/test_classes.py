"""Segmenters of five classes through the command: they learn, are evaluated, adapt, and predict with a palette."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from scenes.errors import InputError
from segment.cli import segment
from tests.segment.shapes_of_classes import NAMES, config, picture, shapes

SHUFFLED = ("frame", "bar", "disc", "ground", "square")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(segment, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shapes")
    shapes(folder / "source", 20, 0)
    shapes(folder / "test", 4, 1, SHUFFLED)
    shapes(folder / "bare", 3, 2, masks=False)
    return folder


@pytest.fixture(scope="module")
def trained(root: Path) -> Path:
    told = run("train", config(root / "c.yaml", root / "source", root / "test", report=True), "--out", root / "run")
    assert told.exit_code == 0, told.output
    assert "mean IoU" in told.output
    return root / "run"


def test_five_classes_are_learned_and_found_again_by_their_names_in_a_set_of_another_order(
    root: Path, trained: Path
) -> None:
    results = json.loads((trained / "results.json").read_text())
    test = results["test"]
    assert results["classes"] == list(NAMES) and test["mean_iou"] > 0.7 and test["pixel_accuracy"] > 0.9
    assert list(test["classes"]) == list(NAMES) and results["validators"].keys() == {"source", "oracle"}
    confusion = np.array(test["confusion"])
    assert confusion.sum() == 4 * 48 * 48
    iou = confusion.diagonal() / (confusion.sum(0) + confusion.sum(1) - confusion.diagonal())
    assert [test["classes"][name]["iou"] for name in NAMES] == pytest.approx(iou.tolist())
    page = (trained / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in NAMES) and "boundary IoU" in page and "<script" not in page
    told = run("evaluate", trained, root / "test", "--out", root / "e.json")
    assert told.exit_code == 0 and "4 pictures" in told.output and "square" in told.output, told.output
    assert json.loads((root / "e.json").read_text())["mean_iou"] == pytest.approx(test["mean_iou"])


def test_predictions_are_numbers_with_a_palette_and_names(root: Path, trained: Path, tmp_path: Path) -> None:
    told = run("predict", trained, root / "bare" / "img", "--out", tmp_path / "out")
    assert told.exit_code == 0 and "crack" not in told.output, told.output
    assert (tmp_path / "out" / "classes.txt").read_text().split() == list(NAMES)
    right = []
    for k in range(3):
        with Image.open(tmp_path / "out" / "mask" / f"{k}.png") as mask:
            assert mask.mode == "P" and mask.getpalette()[:3] == [0, 0, 0]
            right.append(np.asarray(mask) == picture(200 + k)[1])
        for kind, mode in (("probability", "L"), ("overlay", "RGB")):
            with Image.open(tmp_path / "out" / kind / f"{k}.png") as made:
                assert made.mode == mode and made.size == (48, 48)
    assert np.mean(right) > 0.9


def test_a_segmenter_of_five_classes_is_adapted_and_chosen_without_labels(
    root: Path, trained: Path, tmp_path: Path
) -> None:
    chosen = ("select_by=stable", "iterations=4", "evaluate_every=2", "report=false")
    told = run(
        "adapt", root / "c.yaml", "--method", "dacs", "--target", root / "bare", "--weights", trained, "--out",
        tmp_path / "run", *(word for change in chosen for word in ("--set", change)),
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["validators"].keys() == {"source", "expected", "stable", "oracle"}
    assert results["selected"]["by"] == "stable" and 0 < results["history"][0]["expected"] <= 1


def test_a_set_of_few_classes_counts_only_these(root: Path, tmp_path: Path) -> None:
    """The config lists three of the five classes: the pixels of the others count nowhere."""
    told = run(
        "train", root / "c.yaml", "--out", tmp_path / "run", "--set", "classes=[ground, bar, disc]", "--set",
        "iterations=2", "--set", "report=false",
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    masks = np.array([picture(100 + k)[1] for k in range(4)])
    wanted = [np.count_nonzero(masks == NAMES.index(name)) for name in ("ground", "bar", "disc")]
    assert np.array(results["test"]["confusion"]).sum(1).tolist() == wanted


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("classes=[disc]", "classes: lists 1; give 2 to 255"),
        ("classes=[disc, disc]", "lists a name twice"),
        ("classes=[dics, baar]", "has no class 'dics', did you mean 'disc'"),
        ("data.source=[{where: BARE}]", "its pictures have no masks"),
        ("loss={dise: 1}", "did you mean 'dice'"),
        ("threshold=0.5", "threshold: only cracks have one"),
    ],
)
def test_bad_input_is_one_line(root: Path, trained: Path, tmp_path: Path, change: str, words: str) -> None:
    change = change.replace("BARE", str(root / "bare"))
    told = run("train", root / "c.yaml", "--out", tmp_path / "run", "--set", change)
    assert isinstance(told.exception, InputError), told.output
    assert words in str(told.exception) and "\n" not in str(told.exception)

"""Mask2Former learns objects and classes with its own loss, and panoptic quality judges it."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from click.testing import CliRunner
from PIL import Image

from scenes.errors import InputError
from segment.classes.panoptic import PanopticScores, score_segments
from segment.cli import segment
from segment.config import SegmentConfig
from segment.ignored import IGNORED
from segment.load import make_method
from segment.logits import classes_in, with_objects
from segment.mask2former import _TINY, CONFIGS, Mask2Former, _segments, _swin, _targets
from tests.frames import CLASSES, make_dataset


def test_the_panoptic_quality_of_a_small_picture_by_hand() -> None:
    """Class 1 has two objects of 4 pixels: one is found with IoU 3/4, the other is not. Class 0 is all else."""
    ids = np.uint8([[1, 1, 0, 0, 1, 1], [1, 1, 0, 0, 1, 1], [0, 0, 0, 0, 255, 255]])
    objects = np.uint16([[1, 1, 0, 0, 2, 2], [1, 1, 0, 0, 2, 2], [0, 0, 0, 0, 0, 0]])
    # 1: three pixels of object 1. 2: one of object 2 and two that count nowhere. 3: two of the ground, wrong class.
    # 4: the other six of the ground's eight, and a pixel of object 1.
    found = np.int32([[1, 1, 3, 3, 0, 0], [1, 4, 4, 4, 0, 2], [4, 4, 4, 4, 2, 2]])
    scores = score_segments(found, (1, 1, 1, 0), ids, objects, 3)
    assert scores.matched.tolist() == [1, 1, 0]
    assert scores.missed.tolist() == [0, 1, 0]
    assert scores.wrong.tolist() == [0, 1, 0]  # segment 3; segment 2 lies in what counts nowhere by more than half
    assert scores.overlap.tolist() == pytest.approx([6 / 9, 3 / 4, 0])
    assert scores.segmentation()[:2].tolist() == pytest.approx([6 / 9, 3 / 4])
    assert scores.recognition()[:2].tolist() == pytest.approx([1, 1 / (1 + 0.5 + 0.5)])
    assert scores.quality()[:2].tolist() == pytest.approx([6 / 9, 3 / 8]) and np.isnan(scores.quality()[2])
    assert (PanopticScores.none(3) + scores).quality()[0] == scores.quality()[0]


def slow_quality(found: np.ndarray, kinds: list[int], ids: np.ndarray, objects: np.ndarray, k: int) -> float:
    """PQ of class k from sets of pixels, as the paper writes it."""
    pixels = [(int(r), int(c)) for r, c in np.argwhere(ids != IGNORED)]
    truths: dict[int, set[tuple[int, int]]] = {}
    for place in pixels:
        if ids[place] == k:
            truths.setdefault(int(objects[place]), set()).add(place)
    guesses: dict[int, set[tuple[int, int]]] = {}
    for number, kind in enumerate(kinds, start=1):
        here = {place for place in pixels if found[place] == number}
        if kind == k and not 2 * (np.count_nonzero(found == number) - len(here)) > np.count_nonzero(found == number):
            guesses[number] = here
    total, pairs = 0.0, 0
    for guess in guesses.values():
        for truth in truths.values():
            overlap = len(guess & truth) / max(1, len(guess | truth))
            total, pairs = total + overlap * (overlap > 0.5), pairs + (overlap > 0.5)
    return total / (pairs + (len(guesses) - pairs) / 2 + (len(truths) - pairs) / 2)


@pytest.mark.parametrize("seed", range(5))
def test_panoptic_quality_agrees_with_sets_of_pixels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, 3, (4, 4)).repeat(4, 0).repeat(4, 1).astype(np.uint8)
    objects = (rng.integers(0, 3, (2, 4)).repeat(8, 0).repeat(4, 1) * (ids > 0)).astype(np.uint16)
    truth, found = np.unique(ids + 256 * objects.astype(np.int64), return_inverse=True)
    found = found.reshape(ids.shape).astype(np.int32) + 1
    kinds = [int(value % 256) for value in truth]
    found[rng.random(ids.shape) < 0.2] = 0
    kinds[0] = (kinds[0] + 1) % 3
    ids[:3, :6] = IGNORED
    scores = score_segments(found, kinds, ids, objects, 3)
    for k in range(3):
        assert scores.quality()[k] == pytest.approx(slow_quality(found, kinds, ids, objects, k))


def test_targets_are_objects_and_surfaces_and_nothing_that_is_ignored() -> None:
    ids = torch.tensor([[0, 0, 2, 2], [0, 2, 2, IGNORED]])
    objects = torch.tensor([[0, 0, 1, 1], [0, 300, 300, 7]])
    labels = with_objects(ids, objects)
    assert torch.equal(classes_in(labels), ids)
    masks, kinds = _targets(labels)
    assert kinds.tolist() == [0, 2, 2]
    assert [mask.nonzero().tolist() for mask in masks] == [
        [[0, 0], [0, 1], [1, 0]], [[0, 2], [0, 3]], [[1, 1], [1, 2]]
    ]  # fmt: skip


def test_segments_are_the_sure_queries_that_keep_most_of_their_mask() -> None:
    chances = torch.tensor([[0.95, 0.0, 0.05], [0.0, 0.9, 0.1], [0.85, 0.0, 0.15], [0.6, 0.3, 0.1], [0.05, 0, 0.95]])
    masks = torch.zeros(5, 2, 6)
    masks[0, :, :3], masks[1, :, 3:] = 0.9, 0.8
    masks[2, :, :4] = 0.7  # the first one is stronger in most of it
    masks[3] = masks[4] = 1  # neither sure enough, nor of a class
    found = _segments(chances, masks)
    assert found.classes == (0, 1) and found.scores == pytest.approx((0.95, 0.9))
    assert found.numbers.tolist() == [[1, 1, 1, 2, 2, 2]] * 2
    nothing = _segments(chances[4:], masks[4:])
    assert nothing.classes == () and not nothing.numbers.any()


def test_pixels_get_the_sum_of_the_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Mask2Former("mask2former-tiny", None, 2)
    chances, masks = torch.rand(1, 3, 3).softmax(-1), torch.randn(1, 3, 2, 2)
    monkeypatch.setattr(network, "_queries", lambda images: (chances, masks))
    logits = network(torch.zeros(1, 3, 8, 8))
    wanted = sum(chances[0, q, 0] * masks[0, q, 0, 0].sigmoid() for q in range(3))
    assert logits.shape == (1, 2, 8, 8) and logits[0, 0, 0, 0].exp().item() == pytest.approx(float(wanted), rel=1e-5)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objects")
    make_dataset(folder / "set", 4, shard_size=4, size=(64, 64))
    settings = {
        "classes": "all", "model": "mask2former-tiny", "size": 64, "batch": 2, "iterations": 2, "report": True,
        "data": {"source": [{"where": str(folder / "set")}], "test": {"where": str(folder / "set")}, "holdout": 0,
                 "workers": 0},
        "optimizer": {"name": "adamw", "lr": 1e-3, "warmup": 0, "clip": 0.01},
    }  # fmt: skip
    (folder / "c.yaml").write_text(yaml.safe_dump(settings))
    return folder


def test_objects_are_learned_evaluated_and_written(root: Path, tmp_path: Path) -> None:
    def run(*arguments: object) -> str:
        told = CliRunner().invoke(segment, [str(argument) for argument in arguments])
        assert told.exit_code == 0, told.output
        return told.output

    run("train", root / "c.yaml", "--out", tmp_path / "run")
    test = json.loads((tmp_path / "run" / "results.json").read_text())["test"]
    assert 0 <= test["mean_panoptic_quality"] <= 1
    assert {"iou", "panoptic_quality"} <= test["classes"]["background"].keys()
    assert "panoptic quality" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "mean panoptic quality" in run("evaluate", tmp_path / "run", root / "set")
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (70, 50), (200, 90, 40)).save(tmp_path / "photos" / "a.png")
    run("predict", tmp_path / "run", tmp_path / "photos", "--out", tmp_path / "out")
    with Image.open(tmp_path / "out" / "instance" / "a.png") as numbers:
        assert numbers.size == (70, 50)
        listed = json.loads((tmp_path / "out" / "instance" / "a.json").read_text())
        assert np.asarray(numbers).max() == len(listed)
    assert Image.open(tmp_path / "out" / "mask" / "a.png").mode == "P"


def test_weights_come_from_a_folder_and_its_head_may_be_of_other_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    theirs = Mask2Former("mask2former-tiny", None, 7)
    theirs.model.save_pretrained(tmp_path / "model")
    ours = Mask2Former("mask2former-tiny", str(tmp_path / "model"), 3)
    same = {
        name for name, tensor in ours.model.state_dict().items() if torch.equal(tensor, theirs.model.state_dict()[name])
    }
    assert {name for name in ours.model.state_dict() if name not in same} == {
        "class_predictor.weight", "class_predictor.bias", "criterion.empty_weight",
    }  # fmt: skip
    for change, words in (
        ({"num_queries": 30}, "its num_queries is 24, but mask2former-tiny has 30"),
        ({"depths": (1, 1, 2, 1)}, r"its depths is \[1, 1, 1, 1\], but mask2former-tiny has \[1, 1, 2, 1\]"),
    ):
        other: Any = {"width": 16, "depths": (1, 1, 1, 1), "heads": 1, "window": 4, **_TINY, **change}
        monkeypatch.setitem(CONFIGS, "mask2former-tiny", partial(_swin, **other))
        with pytest.raises(InputError, match=f"weights: .*: {words}"):
            Mask2Former("mask2former-tiny", str(tmp_path / "model"), 3)


def test_what_knows_no_objects_is_refused() -> None:
    config = SegmentConfig(
        data={"source": [{"where": "s"}]}, model="mask2former-tiny", size=32, method="dacs", classes="all"
    )
    with pytest.raises(InputError, match="'dacs' knows no objects, and mask2former-tiny learns them; write supervised"):
        make_method(config, classes=3)
    with pytest.raises(InputError, match="'mask2former-tiny' learns classes: write classes: all"):
        make_method(config.model_copy(update={"method": "supervised"}), classes=1)


def test_sense_takes_objects_of_the_source_and_pixels_of_the_target() -> None:
    from training.method import Batch, Unlabeled

    torch.manual_seed(0)
    config = SegmentConfig(
        data={"source": [{"where": "s"}]}, model="mask2former-tiny", size=32, method="sense", classes="all"
    )
    method = make_method(config, classes=1 + len(CLASSES)).train()
    ids = torch.zeros(2, 32, 32, dtype=torch.int64)
    ids[:, 8:20, 8:20] = 2
    labels = with_objects(ids, ids // 2)
    images = torch.randn(2, 3, 32, 32)
    terms = method.losses(Batch(images, labels, ids[:, 0, 0]), Unlabeled(images, images, ids[:, 0, 0]), 0.0)
    assert terms.keys() == {"source", "consistency"} and all(term.isfinite() for term in terms.values())
    assert method.share.tolist() == [2 * (32 * 32 - 144), 0, 2 * 144, 0]  # type: ignore[union-attr]

"""What runs of segmenters are worth, on the page: figures that are those of the runs, of cracks and of many classes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

pytest.importorskip("torch", reason="PyTorch is not installed")

import torch

from gallery.columns import Columns
from gallery.judging import judged, known_photographs
from gallery.sets import choose
from gallery.worth import worth
from segment.classes.metrics import score_classes
from segment.config import SegmentConfig
from segment.load import load
from segment.models import probabilities
from segment.task import Segmentation
from tests.frames import make_dataset
from tests.segment.shapes_of_classes import NAMES, shapes
from tests.segment.shapes_of_classes import config as shapes_config
from training.run import execute


def test_a_segmenters_scores_are_the_ious_of_its_cracks(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for kind in ("img", "mask"):
        (tmp_path / "cracks" / kind).mkdir(parents=True)
    for number in range(6):
        mask = np.zeros((40, 48), bool)
        mask[:, 10 + 4 * number : 13 + 4 * number] = number != 3  # one picture has no crack
        picture = np.where(mask, 40, 170)[..., None] + rng.normal(0, 5, (40, 48, 3))
        Image.fromarray(picture.astype(np.uint8)).save(tmp_path / "cracks" / "img" / f"{number}.png")
        Image.fromarray((255 * mask).astype(np.uint8)).save(tmp_path / "cracks" / "mask" / f"{number}.png")
    cracks = {"where": str(tmp_path / "cracks")}
    given = {"data": {"source": [cracks], "test": cracks, "workers": 0, "holdout": 0}, "width": 4, "depth": 1,
             "size": 32, "batch": 4, "iterations": 12, "optimizer": {"lr": 0.02}, "report": False}  # fmt: skip
    execute(Segmentation(), SegmentConfig.model_validate(given), tmp_path / "run")
    make_dataset(tmp_path / "set", 4, 4, size=(32, 32))
    sets = choose([tmp_path / "set"], known_photographs([tmp_path / "run"]))
    (one,) = judged([tmp_path / "run"], sets, lambda done, of: None)
    assert one.tested.tolist() == [False] * 4 + [True] * 6 and np.isnan(one.score[7]) and one.features.shape == (10, 4)
    found = load(tmp_path / "run", torch.device("cpu"))
    for number in (0, 1, 2, 4, 5):
        picture = np.asarray(Image.open(tmp_path / "cracks" / "img" / f"{number}.png"))
        mask = np.asarray(Image.open(tmp_path / "cracks" / "mask" / f"{number}.png")) > 0
        crack = probabilities(found.method, picture) >= found.threshold
        assert one.score[4 + number] == pytest.approx((crack & mask).sum() / (crack | mask).sum())
    told = worth([one], Columns(10), sets)
    assert told["unit"] == "mean IoU of a picture" and told["versions"][0]["means"] == [None]
    assert told["versions"][0]["scores"] == [pytest.approx(np.nanmean(one.score[4:]))]
    assert [each["said"] for each in told["mistakes"]] == sorted(each["said"] for each in told["mistakes"])
    adapting = {**given, "method": "mean-teacher", "data": {**given["data"], "target": cracks}}
    execute(Segmentation(), SegmentConfig.model_validate(adapting), tmp_path / "adapted")
    (teacher,) = judged([tmp_path / "adapted"], sets, lambda done, of: None)  # whose teacher predicts
    assert np.isfinite(teacher.features).all() and teacher.features.any()
    sets = choose([tmp_path / "set"], [tmp_path / "cracks" / "img"])  # the same photographs, by another folder
    (same,) = judged([tmp_path / "run"], sets, lambda done, of: None)
    assert np.array_equal(same.score, one.score, equal_nan=True)


def test_of_many_classes_the_page_has_the_iou_of_each_as_the_report_of_the_run(tmp_path: Path) -> None:
    for name, count, seed in (("source", 12, 0), ("test", 4, 1)):
        shapes(tmp_path / name, count, seed)
    for seed in (1, 2):
        given = shapes_config(tmp_path / "c.yaml", tmp_path / "source", tmp_path / "test", seed=seed, iterations=12)
        execute(Segmentation(), SegmentConfig.model_validate(yaml.safe_load(given.read_text())), tmp_path / f"r-{seed}")
    make_dataset(tmp_path / "set", 3, 3, size=(48, 48))
    runs = [tmp_path / "r-1", tmp_path / "r-2"]
    sets = choose([tmp_path / "set"], known_photographs(runs))
    assert len(sets[1].indices) == 4  # the masks are no photographs
    found = judged(runs, sets, lambda done, of: None)
    told = worth(found, Columns(7), sets)
    results = [json.loads((run / "results.json").read_text())["test"] for run in runs]
    version = told["versions"][0]
    assert told["mean"] == "mean IoU of the classes"
    assert version["means"] == pytest.approx([one["mean_iou"] for one in results])
    for one in told["classes"]:
        each = [result["classes"][one["name"]]["iou"] for result in results]
        assert one["scores"][0]["value"] == pytest.approx(np.mean(each))
        assert one["scores"][0]["spread"] == pytest.approx(np.std(each, ddof=1))
    assert [one["name"] for one in told["classes"]] == list(NAMES)
    truths = [np.asarray(Image.open(path)) for path in sorted((tmp_path / "test" / "mask").iterdir())]
    assert [one["count"] for one in told["classes"]] == [sum((t == k).any() for t in truths) for k in range(5)]
    # The score of a picture is the mean IoU of the classes that are there or found.
    loaded = load(runs[0], torch.device("cpu"))
    picture = np.asarray(Image.open(tmp_path / "test" / "img" / "0.png"))
    scores = score_classes(probabilities(loaded.method, picture).argmax(0).astype(np.uint8), truths[0], 5)
    assert found[0].score[3] == pytest.approx(scores.mean_iou()) and np.isnan(found[0].score[:3]).all()
    worst = NAMES[int(np.nanargmin(scores.iou()))]
    assert found[0].said(3).startswith(f"IoU {scores.mean_iou():.2f}, {worst} ")
    assert found[0].columns().keys() == {"run.confidence", "run.IoU"}

"""Crack segmenters through the trainer of all tasks: they learn, resume, are evaluated, and refuse bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from click.testing import CliRunner, Result
from PIL import Image

from scenes.errors import InputError
from segment.cli import segment
from segment.network import UNET, UNET_LITE0
from training import checkpoint


def lines(root: Path, count: int, seed: int, masks: bool = True, side: int = 64) -> Path:
    """img/ and mask/: a dark line each on a gray noisy ground."""
    rng = np.random.default_rng(seed)
    for name in ("img", "mask")[: 1 + masks]:
        (root / name).mkdir(parents=True)
    for k in range(count):
        at = rng.uniform(20, 44) + np.cumsum(rng.normal(0, 0.5, side))
        mask = np.abs(np.arange(side)[None] - at[:, None]) < 2
        gray = (np.where(mask, 60, 150) + rng.normal(0, 8, (side, side))).clip(0, 255).astype(np.uint8)
        Image.fromarray(np.repeat(gray[..., None], 3, 2)).save(root / "img" / f"{k}.png")
        if masks:
            Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).save(root / "mask" / f"{k}.png")
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lines")
    lines(folder / "source", 8, 0)
    lines(folder / "test", 4, 1)
    lines(folder / "bare", 2, 2, masks=False)
    return folder


def written(root: Path, path: Path, **changes: Any) -> Path:
    data = {
        "source": [{"where": str(root / "source")}],
        "test": {"where": str(root / "test")},
        "holdout": 0.25,
        "workers": 0,
    }
    config = {
        "data": data | changes.pop("data", {}),
        "width": 4,
        "depth": 2,
        "size": 48,
        "iterations": 6,
        "optimizer": {"name": "adamw", "lr": 2e-3, "warmup": 2},
        "log_every": 2,
        "report": False,
    }
    path.write_text(yaml.safe_dump(config | changes))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(segment, [str(argument) for argument in arguments])


def weights(folder: Path, name: str = "last") -> dict[str, Any]:
    return dict(checkpoint.read(folder / "checkpoints" / f"{name}.safetensors").tensors)


def test_a_segmenter_learns_lines_it_has_not_seen_and_is_evaluated(root: Path, tmp_path: Path) -> None:
    config = written(root, tmp_path / "c.yaml", iterations=80, evaluate_every=40, select_by="source", report=True)
    told = run("train", config, "--out", tmp_path / "run")
    assert told.exit_code == 0, told.output
    assert "selected by the validator 'source', without labels of the target" in told.output and "IoU" in told.output
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["test"]["iou"] > 0.7 and results["pictures"] == {"source": 6, "validation": 2, "test": 4}
    assert results["validators"].keys() == {"source", "oracle"} and not results["selected"]["uses_target_labels"]
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "data:image/png;base64" in page and "f1 within 2 px" in page and "<script" not in page
    threshold = results["test"]["threshold"]
    arguments = ("evaluate", tmp_path / "run", root / "test", "--threshold", threshold, "--out", tmp_path / "e.json")
    told = run(*arguments)
    assert told.exit_code == 0 and "4 pictures" in told.output, told.output
    figures = json.loads((tmp_path / "e.json").read_text())
    assert figures["iou"] == pytest.approx(results["test"]["iou"]) and figures["checkpoint"] == str(tmp_path / "run")
    halves = [run("evaluate", tmp_path / "run", root / "test", "--split", s).output for s in ("adapt", "test")]
    assert all("2 pictures" in half for half in halves)


@pytest.mark.parametrize("model", [UNET, UNET_LITE0])
def test_a_run_that_was_cut_off_ends_with_the_same_weights(
    model: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = written(root, tmp_path / "c.yaml", model=model, ema=0.9, checkpoint_every=3)
    assert run("train", config, "--out", tmp_path / "whole").exit_code == 0

    class Cut(Exception):
        pass

    def cut(trained: Any, *_: object) -> None:
        if trained.trainer.step == 4:
            raise Cut

    with monkeypatch.context() as patch:
        patch.setattr("training.run._Run._evaluate", cut)
        assert isinstance(run("train", config, "--out", tmp_path / "cut").exception, Cut)
    assert checkpoint.read(tmp_path / "cut" / "checkpoints" / "last.safetensors").facts["step"] == 3
    assert run("train", config, "--out", tmp_path / "cut").exit_code == 0
    for name in ("last", "selected"):
        whole, again = weights(tmp_path / "whole", name), weights(tmp_path / "cut", name)
        assert whole.keys() == again.keys() and all(torch.equal(whole[n], again[n]) for n in whole)


def test_the_target_gives_pictures_without_masks(root: Path, tmp_path: Path) -> None:
    from segment.config import SegmentConfig
    from segment.task import Segmentation
    from training.batches import DomainBatches
    from training.config import load_config
    from training.distributed import ProcessInfo

    path = written(root, tmp_path / "c.yaml", data={"target": {"where": str(root / "test")}})
    config, task = load_config(SegmentConfig, path), Segmentation()
    data = task.datasets(config)
    supply = DomainBatches(config, data, task.pipeline(config), ProcessInfo(), torch.device("cpu"))
    source, target = supply.batch(3)
    assert source.images.shape == target.images.shape == target.strong.shape == (8, 3, 48, 48)
    assert source.targets.any() and not hasattr(target, "targets")
    assert data.target is not None and data.target.read(0).mask is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("data.source=[{where: BARE}]", "its pictures have no masks"),
        ("data.source=[{where: gone}]", "does not exist"),
        ("data.test=null", None),
        ("data.source=[{where: SOURCE, split: tset}]", "no split 'tset', did you mean 'test'"),
        ("method=supervized", "did you mean 'supervised'"),
        ("settings={supervised: {rate: 1}}", "supervised.rate"),
        ("loss={dise: 1}", "no loss is called 'dise', did you mean 'dice'"),
        ("loss={dice: 0}", "dice: the weight is 0; give one above 0"),
        ("loss={}", "names no loss"),
        ("model=segformer-b9", "no network is called 'segformer-b9', did you mean 'segformer-b"),
        ("weights=elsewhere", "a U-Net starts from a run or a checkpoint of segment only"),
        ("threshold=1.5", "1.5 is not between 0 and 1"),
        ("method=dacs", "the method 'dacs' adapts to a target, so one is needed"),
        ("select_by=stable", "'stable' needs data.target"),
        ("select_by=im", "'last', 'source', 'expected', 'stable' or 'oracle'"),
    ],
)
def test_bad_input_is_one_line(root: Path, tmp_path: Path, change: str, words: str | None) -> None:
    config = written(root, tmp_path / "c.yaml")
    change = change.replace("BARE", str(root / "bare")).replace("SOURCE", str(root / "source"))
    told = run("train", config, "--out", tmp_path / "run", "--set", change)
    if words is None:
        assert told.exit_code == 0, told.output
        return
    assert isinstance(told.exception, InputError), told.output
    assert words in str(told.exception) and "\n" not in str(told.exception)


def test_a_segmenter_is_adapted_from_another_one_and_chosen_without_labels(root: Path, tmp_path: Path) -> None:
    config = written(root, tmp_path / "c.yaml", iterations=6)
    assert run("train", config, "--out", tmp_path / "first").exit_code == 0
    chosen = ("--set", "select_by=expected", "--set", "threshold=target")
    told = run(
        "adapt", config, "--method", "dacs", "--target", f"{root / 'test'}@adapt", "--weights", tmp_path / "first",
        "--out", tmp_path / "second", *chosen, "--set", "iterations=10", "--set", "evaluate_every=5",
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert "selected by the validator 'expected', without labels of the target" in told.output
    results = json.loads((tmp_path / "second" / "results.json").read_text())
    assert results["pictures"]["target"] == 2
    assert results["validators"].keys() == {"source", "expected", "stable", "oracle"}
    best = max(results["history"], key=lambda entry: entry["expected"])
    assert results["selected"]["step"] == best["step"]
    assert results["test"]["threshold"] == best["test_threshold"] == best["test_threshold_target"]
    told = run("evaluate", tmp_path / "second", f"{root / 'test'}@test", "--out", tmp_path / "e.json")
    figures = json.loads((tmp_path / "e.json").read_text())
    assert figures["threshold"] == best["test_threshold"] and figures["pictures"] == 2
    assert 0 <= figures["cl_dice"] <= 1 and figures["false_positive_share"] is None
    assert len(figures["curves"]["recall"]) == len(figures["curves"]["threshold"]) == 49
    assert "oracle iou" in told.output and "picture iou median" in told.output


def test_to_adapt_one_needs_a_target(root: Path, tmp_path: Path) -> None:
    error = run("adapt", written(root, tmp_path / "c.yaml"), "--method", "dacs", "--out", tmp_path / "r").exception
    assert isinstance(error, InputError) and "names no pictures to adapt to: give --target" in str(error)


def test_presets_are_listed_and_each_is_a_config_that_names_no_data(root: Path, tmp_path: Path) -> None:
    from segment.config import SegmentConfig
    from segment.presets import located, preset_names
    from training.config import load_config

    listed = run("presets").output
    for name in preset_names():
        assert name in listed
        source = f"data.source=[{{where: {root / 'source'}}}]"
        config = load_config(SegmentConfig, located(name, True), [source])
        assert config.data.target is None and config.chosen() is not None
    for name, words in (
        ("cpu", "names no data: give --source"),
        ("cpv", "no preset is called 'cpv', did you mean 'cpu'"),
    ):
        error = run("train", name, "--out", tmp_path / "r").exception
        assert isinstance(error, InputError) and words in str(error)
    few = ("width=2", "depth=1", "size=32", "iterations=2", "batch=2", "report=false", "data.workers=0")
    changes = [word for change in few for word in ("--set", change)]
    told = run("train", "cpu", "--source", root / "source", "--out", tmp_path / "cpu", *changes)
    assert told.exit_code == 0, told.output


def test_what_is_no_segmenter_is_not_evaluated(root: Path, tmp_path: Path) -> None:
    checkpoint.write(tmp_path / "c.safetensors", {"x": torch.zeros(1)}, {"task": "classify"})
    for where, words in (("c.safetensors", "the task 'classify'"), ("gone", "not a checkpoint")):
        error = run("evaluate", tmp_path / where, root / "test").exception
        assert isinstance(error, InputError) and words in str(error) and "\n" not in str(error)

"""The study of crack segmenters: its order, and its table from made-up runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.segment.__main__ import FOLDS, HERE, STUDIED, chains, table, thresholds
from segment.config import SegmentConfig
from segment.methods.catalogue import METHODS
from training.config import load_config


def test_every_network_is_trained_before_the_first_is_evaluated_on_labels() -> None:
    ((*jobs,),) = chains(40, STUDIED, [0, 1])
    outs = [job.out for job in jobs]
    first = next(k for k, out in enumerate(outs) if out.startswith("figures/"))
    assert outs[0] == "cracks" and all(out.startswith("runs/") for out in outs[1:first])
    assert all(out.startswith("figures/") for out in outs[first:]) and len(outs) == len(set(outs)) == 1 + 2 * 14
    for out, words in ((job.out, job.words) for job in jobs):
        if out.startswith("figures/reference-"):
            fold = out.split("-")[1]
            assert words[-1] == FOLDS[fold] != fold
        elif out.startswith("runs/") and "reference" not in out:
            assert not any("labeled" in word.replace("unlabeled", "") for word in words), out
        if "--weights" in words:
            assert outs.index(words[words.index("--weights") + 1]) < outs.index(out)


def test_the_configs_read_no_label_of_a_photograph() -> None:
    for name in ("source", "adapt"):
        config = load_config(SegmentConfig, HERE / f"{name}.yaml")
        assert [part.where for part in config.data.source] == ["cracks"] and config.data.test is None
    assert set(STUDIED) <= METHODS.keys()


def write_run(work: Path, name: str, iou: float, target: bool) -> None:
    (work / "runs" / name).mkdir(parents=True)
    entry = {"step": 5, "test_threshold": 0.4, "test_threshold_source": 0.4, "source": 0.9}
    entry |= {"test_threshold_target": 0.6, "expected": 0.5, "stable": 0.8} if target else {}
    (work / "runs" / name / "results.json").write_text(json.dumps({"history": [entry]}))
    curves = {"threshold": [0.2, 0.4, 0.6], "iou": [0.9, iou, iou / 2], "tolerant_f1": [0.9, 0.7, 0.1]}
    figures = {"curves": curves, "average_precision": 0.6, "oracle_iou": 0.9}
    (work / "figures").mkdir(exist_ok=True)
    (work / "figures" / f"{name}.json").write_text(json.dumps(figures))


def test_the_table_compares_seed_by_seed_with_training_as_long(tmp_path: Path) -> None:
    for seed in (0, 1):
        write_run(tmp_path, f"source-{seed}", 0.2, False)
        write_run(tmp_path, f"supervised-{seed}", 0.25 * (1 + seed), True)
        write_run(tmp_path, f"dacs-{seed}", 0.3 * (1 + seed), True)
    for fold, iou in (("adapt", 0.5), ("test", 0.7)):
        write_run(tmp_path, f"reference-{fold}-0", iou, False)
    text = table(tmp_path, ["supervised", "dacs"], [0, 1])
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| ")}
    assert "+20 %" in rows["dacs"] and "45.0 [30.0 to 60.0]" in rows["dacs"]
    assert "22.5 [15.0 to 30.0]" in rows["dacs"]  # at the threshold of the target
    assert "60.0" in rows["reference: half of the labeled photographs"]
    assert "+0 %" in rows["composed cracks alone, as long as the methods"]


def test_a_run_without_a_target_has_one_threshold() -> None:
    assert thresholds({"history": [{"test_threshold_source": 0.3}]}) == pytest.approx({"source": 0.3})

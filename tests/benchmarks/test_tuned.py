"""The benchmark of tuned pictures: its jobs, what it draws, and its tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.tuned import __main__ as tuned
from benchmarks.tuned.report import arm, report
from classify.ablation.statistics import Answers
from classify.config import load_training


def test_jobs_learn_from_no_photograph_with_a_label(tmp_path: Path) -> None:
    jobs = tuned.tunings(tmp_path)
    assert [job.words[0] for job in jobs] == ["render", "train", "tune", "tune", "tune"]
    assert all(job.words[job.words.index("--target") + 1] == f"{tmp_path}@adapt" for job in jobs[2:])
    config = load_training(jobs[1].words[1])
    assert [part.where for part in config.data.source] == ["pilot"] and config.data.test is None
    assert config.settings.get("linear", {}).get("strength", 0.1) == tuned.STRENGTH
    assert len({job.out for job in jobs}) == len(jobs) and not any(set("/ '") & set(job.out) for job in jobs)


def test_new_pictures_differ_in_nothing_but_the_config(tmp_path: Path) -> None:
    pilot, untuned, *others = tuned.tunings(tmp_path)[0], *tuned.renderings(tuned.WAYS)
    assert [job.words[1] for job in others] == [f"{job.out}/tuned.yaml" for job in tuned.tunings(tmp_path)[2:]]
    assert all((*job.words[:1], *job.words[2:]) == (*untuned.words[:1], *untuned.words[2:]) for job in others)
    assert untuned.words[1] == pilot.words[1] and untuned.words[5] != pilot.words[5], "other pictures than it tuned by"


def test_each_class_has_as_many_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuned, "EACH", 30)
    labels = np.tile([0, 1], 40)
    first, again, other = (tuned.chosen(labels, seed) for seed in (0, 0, 1))
    assert len(set(first)) == 60 and (labels[first] == 0).sum() == 30
    assert (first == again).all() and set(first) != set(other)


def test_report_of_known_answers(tmp_path: Path) -> None:
    """Of 20 photographs, 10 are recognized without tuning, and 12 with it."""
    given = {"factor": "camera.roll", "held_back": {"change": -0.25, "low": -0.5, "high": -0.125, "holm": 0.002},
             "shares": [{"of": {"uniform": [0, 10]}, "before": 0.5, "after": 0.75},
                        {"of": {"uniform": [10, 20]}, "before": 0.5, "after": 0.25}]}  # fmt: skip
    outcome = {"moved": [given], "held_back": {"untuned": 0.5, "tuned": 0.25}}
    (tmp_path / "tune.json").write_text(json.dumps(outcome))
    labels = np.repeat([0, 1], 10)
    right = {"untuned": np.arange(20) % 2 == 0, "way": np.isin(np.arange(20), [1, 11]) | (np.arange(20) % 2 == 0)}
    answers = Answers(labels, {arm(name): dict.fromkeys(range(2), found) for name, found in right.items()})
    text = report({"way": outcome, "none": {"moved": [], "held_back": None}}, answers, 7)
    assert "| untuned | 50.0 [50.0 to 50.0] |" in text and "| way | 60.0 [60.0 to 60.0] | +10.0 [" in text
    assert "| 1 | 0.5000 → 0.2500 |" in text and "7 new pictures of each class are taken 2 times" in text
    assert "| none |  |  |  | 0 |  |" in text
    assert "| way | `camera.roll` | 0 to 10: 50% → 75%; 10 to 20: 50% → 25% | -0.2500 (-0.5000 to -0.1250) |" in text

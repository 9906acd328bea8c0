"""The benchmark of tuned pictures: its jobs, what it draws, and its tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.tuned import __main__ as tuned
from benchmarks.tuned.report import Tuned, arm, report
from classify.ablation.statistics import Answers
from classify.config import load_training


def test_jobs_learn_from_no_photograph_with_a_label(tmp_path: Path) -> None:
    jobs = tuned.jobs(tmp_path)
    assert [job.words[0] for job in jobs] == ["render", "train", "tune", "tune"]
    assert all(job.words[job.words.index("--target") + 1] == f"{tmp_path}@adapt" for job in jobs[2:])
    config = load_training(jobs[1].words[1])
    assert [part.where for part in config.data.source] == ["pilot"] and config.data.test is None
    assert config.settings.get("linear", {}).get("strength", 0.1) == tuned.STRENGTH
    assert str(jobs[2].out) != str(jobs[3].out) and not set("/ ") & set(jobs[2].out)


def test_pictures_are_drawn_by_weight_and_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuned, "EACH", 30)
    labels = np.repeat([0, 1], 600)
    weight = np.where(np.arange(1200) % 2, 3.0, 1.0)
    draws = [tuned.drawn(labels, weight, seed) for seed in range(40)]
    assert all(len(set(places)) == 60 and (labels[places] == 0).sum() == 30 for places in draws)
    # Three quarters; a little less, because those that are drawn are gone.
    assert np.mean([places % 2 for places in draws]) == pytest.approx(0.745, abs=0.02)
    even, again = (tuned.drawn(labels, np.ones(1200), seed) for seed in (0, 0))
    assert (even == again).all() and len(np.intersect1d(even, draws[0])) > 60 * 30 / 600 * 5


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
    text = report([Tuned("way", outcome, np.array([1.0, 3.0]))], answers, 7)
    assert "| untuned | 50.0 [50.0 to 50.0] |" in text and "| way | 60.0 [60.0 to 60.0] | +10.0 [" in text
    assert "| 1 | 0.5000 → 0.2500 | 0.80 |" in text and "7 pictures of each class are drawn 2 times" in text
    assert "| way | `camera.roll` | 0 to 10: 50% → 75%; 10 to 20: 50% → 25% | -0.2500 (-0.5000 to -0.1250) |" in text

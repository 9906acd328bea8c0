"""Scores over versions: what is added, when it is a fall, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gallery.cli import track
from gallery.track import history
from scenes.errors import InputError


def run_of(folder: Path, value: float, **more: Any) -> str:
    folder.mkdir()
    test = {
        "mean_recall": value,
        "table": [],
        "intervals": {"level": 0.95, "mean_recall": [value - 0.03, value + 0.03]},
    }
    results = {"test": {**test, **more}, "history": [{"step": 1}]}
    (folder / "results.json").write_text(json.dumps(results))
    return str(folder)


def tracked(file: Path, version: str, *runs: str, score: str = "mean_recall") -> Result:
    return CliRunner().invoke(track, [str(file), *runs, "--version", version, "--score", score])


def test_a_fall_beyond_the_spread_exits_with_1_and_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "new" / "scores.jsonl"
    seeds = [run_of(tmp_path / f"a{k}", value) for k, value in enumerate((0.60, 0.62, 0.64))]
    assert tracked(file, "v1", *seeds).exit_code == 0
    assert history(file)[0].value == pytest.approx(0.62) and history(file)[0].spread == pytest.approx(0.02)
    # A single run has the half of its interval, 0.03, as its spread: 0.595 is within it, 0.55 is not.
    assert tracked(file, "v2", run_of(tmp_path / "b", 0.595)).exit_code == 0
    fallen = tracked(file, "v3", run_of(tmp_path / "c", 0.55))
    assert fallen.exit_code == 1 and "fell from 0.5950 to 0.5500" in fallen.output
    assert tracked(file, "v4", run_of(tmp_path / "d", 0.9)).exit_code == 0
    assert [one.version for one in history(file)] == ["v1", "v2", "v3", "v4"]


def test_scores_are_followed_apart(tmp_path: Path) -> None:
    file, low = tmp_path / "scores.jsonl", run_of(tmp_path / "low", 0.9, accuracy=0.1)
    high = run_of(tmp_path / "high", 0.2, accuracy=0.8)
    assert tracked(file, "v1", low, high).exit_code == 0
    assert tracked(file, "v1", low, high, score="accuracy").exit_code == 0


@pytest.mark.parametrize(
    ("more", "score", "message"),
    [
        ({"intervals": {}}, "mean_recall", "give runs of two seeds or more"),
        ({}, "mean_recal", "did you mean 'mean_recall'"),
        ({}, "table", "there is no score 'table'"),
    ],
)
def test_what_cannot_be_scored_is_told_and_nothing_is_written(
    tmp_path: Path, more: dict[str, Any], score: str, message: str
) -> None:
    result = tracked(tmp_path / "scores.jsonl", "v1", run_of(tmp_path / "run", 0.5, **more), score=score)
    assert isinstance(result.exception, InputError) and message in str(result.exception)
    assert not (tmp_path / "scores.jsonl").exists()


def test_a_version_is_added_once_and_a_damaged_file_is_told(tmp_path: Path) -> None:
    file, run = tmp_path / "scores.jsonl", run_of(tmp_path / "run", 0.5)
    tracked(file, "v1", run)
    assert "is there already" in str(tracked(file, "v1", run).exception)
    file.write_text(file.read_text() + '{"version": "v2", "score": "mean_recall", "value": "high"}\n')
    assert "line 2: field value" in str(tracked(file, "v3", run).exception)

"""The benchmark of crack sets at a tiny size: runs that are kept, and its table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import cracks
from tests.segment.test_task import lines


def test_two_sets_are_judged_and_runs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded: list[str] = []
    monkeypatch.setattr("benchmarks.cracks.record", lambda name, title, text: recorded.append(text))
    ours, peer, real = (lines(tmp_path / name, count, seed) for seed, (name, count) in
                        enumerate((("ours", 20), ("peer", 10), ("real", 2))))  # fmt: skip
    folders = ["--ours", str(ours), "--peer", str(peer), "--real", str(real), "--work", str(tmp_path / "work")]
    sizes = ["--iterations", "4", "--size", "32", "--batch", "2", "--width", "2", "--seeds", "2", "--images", "10"]
    told = CliRunner().invoke(cracks.main, [*folders, *sizes, "--threads", "1"], catch_exceptions=False)
    assert told.exit_code == 0, told.output
    figures = json.loads((tmp_path / "work" / "results.json").read_text())
    assert {name: len(seeds) for name, seeds in figures.items()} == {"peer": 2, "ours": 2}
    assert set(figures["ours"][0]["iou"]) == set(cracks.POLICIES)
    assert "on 9 pictures of the peer's, and another on 9 of ours" in recorded[0]
    assert "tested on 2 photographs" in recorded[0]
    kept = tmp_path / "work" / "ours-1" / "checkpoints" / "selected.safetensors"
    before = kept.stat().st_mtime_ns
    CliRunner().invoke(cracks.main, [*folders, *sizes, "--threads", "1"], catch_exceptions=False)
    assert kept.stat().st_mtime_ns == before and recorded[0] == recorded[1]


def test_the_protocol_is_the_recorded_one(tmp_path: Path) -> None:
    config = cracks.config([lines(tmp_path / "a", 4, 0)], None, 3, iterations=2000, size=192, batch=8, width=16)
    assert (config.optimizer.name, config.optimizer.lr, config.optimizer.warmup) == ("adamw", 2e-3, 50)
    assert config.optimizer.weight_decay == 1e-4 and config.optimizer.clip == 0 and config.precision == "fp32"
    assert config.optimizer.schedule == "cosine" and config.ema == 0 and config.seed == 3

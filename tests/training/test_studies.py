"""Chains of jobs."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import click
import pytest

from training.studies import Job, run_chains


def test_each_job_runs_once_after_those_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    lock = threading.Lock()

    def note(job: Job, work: Path, stop: threading.Event | None = None) -> None:
        assert work == tmp_path
        with lock:
            ended.append(job.out)

    monkeypatch.setattr(Job, "run", note)
    render, train = Job("set", ("render",)), Job("run", ("train",))
    tests = [Job(f"e{k}", ("evaluate",)) for k in range(4)]
    run_chains([[render, train, each] for each in tests], tmp_path, at_a_time=3)
    assert ended[:2] == ["set", "run"] and sorted(ended[2:]) == ["e0", "e1", "e2", "e3"]


def test_a_job_that_failed_ends_its_chains_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    def note(job: Job, work: Path, stop: threading.Event | None = None) -> None:
        if job.out == "bad":
            raise click.ClickException("bad: exit 1")
        ended.append(job.out)

    monkeypatch.setattr(Job, "run", note)
    bad = Job("bad", ("render",))
    with pytest.raises(click.ClickException, match="bad: exit 1"):
        run_chains([[bad, Job("a", ())], [bad, Job("b", ())], [Job("c", ())]], tmp_path)
    assert ended == ["c"]


SCRIPT = """
import sys
from pathlib import Path
from training.studies import Job, run_chains
sys.executable = sys.argv[1] + "/python"
run_chains([[Job("a", ("train",)), Job("b", ("train",))]], Path(sys.argv[1]))
"""


def test_no_job_outlives_its_study(tmp_path: Path) -> None:
    """SIGTERM goes to the study alone: its job is told to end, may still save what it has, and no other begins."""
    job = tmp_path / "blendmill"
    job.write_text(
        '#!/bin/sh\ntrap "echo saved >> told; exit 1" TERM\necho begun >> told\nwhile :; do sleep 0.1; done\n'
    )
    job.chmod(0o755)
    told = tmp_path / "told"
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as study:
        while not told.exists() or not told.read_text():
            assert study.poll() is None
            time.sleep(0.05)
        study.terminate()
        study.wait()
    assert told.read_text() == "begun\nsaved\n"

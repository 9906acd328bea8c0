"""Chains of jobs."""

from __future__ import annotations

import threading
from pathlib import Path

import click
import pytest

from training.studies import Job, run_chains


def test_each_job_runs_once_after_those_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    lock = threading.Lock()

    def note(job: Job, work: Path) -> None:
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

    def note(job: Job, work: Path) -> None:
        if job.out == "bad":
            raise click.ClickException("bad: exit 1")
        ended.append(job.out)

    monkeypatch.setattr(Job, "run", note)
    bad = Job("bad", ("render",))
    with pytest.raises(click.ClickException, match="bad: exit 1"):
        run_chains([[bad, Job("a", ())], [bad, Job("b", ())], [Job("c", ())]], tmp_path)
    assert ended == ["c"]

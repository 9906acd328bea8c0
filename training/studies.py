"""Studies: chains of jobs. Each job is a command of blendmill, such as render, train and evaluate in turn."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import click

from training.run_folder import Folder


@dataclass(frozen=True)
class Job:
    """A command of blendmill that writes `out`, a path in the folder of the study.

    words: the command and its arguments, without --out. The command itself checks whether `out` is complete. threads:
    number of threads it may use.
    """

    out: str
    words: tuple[str, ...]
    threads: int | None = None

    def run(self, work: Path) -> None:
        """Run the command, or resume it. Its output goes to a log file. Raises ClickException if it fails."""
        log = work / f"{self.out.replace('/', '-')}.log"
        command = [str(Path(sys.executable).with_name("blendmill")), *self.words, "--out", self.out]
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.threads)} if self.threads else None
        with log.open("ab") as output:
            code = subprocess.run(command, cwd=work, stdout=output, stderr=output, env=environment).returncode
        if code:
            raise click.ClickException(f"{self.out}: exit {code}, see {log}")
        click.echo(self.out, err=True)


Chain = Sequence[Job]
"""Jobs in order: each one needs the output of those before it."""


def run_chains(chains: Iterable[Chain], work: Path, at_a_time: int = 1) -> None:
    """Run the jobs of each chain in order, with `at_a_time` chains in parallel.

    A job that several chains contain runs once, and the other chains wait for it. If a job fails, the other chains
    still run. Then ClickException is raised for the first chain that failed.
    """
    started: dict[str, Future[None]] = {}
    lock = Lock()

    def once(job: Job) -> None:
        with lock:
            mine = job.out not in started
            future = started.setdefault(job.out, Future())
        if mine:
            try:
                job.run(work)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(None)
        future.result()

    def follow(chain: Chain) -> None:
        for job in chain:
            once(job)

    with ThreadPoolExecutor(at_a_time) as pool:
        ended = [pool.submit(follow, chain) for chain in chains]
    for each in ended:
        each.result()


def settings(*values: str) -> tuple[str, ...]:
    """Command-line words that override config fields. values: KEY=VALUE each."""
    return tuple(word for value in values for word in ("--set", value))


def results(run: Path) -> dict[str, Any] | None:
    """The results of a training run; None if it is not finished."""
    return Folder(run).results()

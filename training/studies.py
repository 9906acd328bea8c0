"""A study is chains of jobs, commands of blendmill each: render, then train, then evaluate."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import click

from training.run_folder import Folder


@dataclass(frozen=True)
class Job:
    """A command of blendmill that makes `out`, in the folder where all of a study lies.

    words: the command and its arguments, without --out. threads: it may take. done: whether what lies at `out` is all
    that the command makes; None for a command that finds out itself, and knows when the folder holds something else.
    """

    out: str
    words: tuple[str, ...]
    threads: int | None = None
    done: Callable[[Path], bool] | None = None

    def run(self, work: Path) -> None:
        """Run it, from where it stopped; what it says goes to a log. Raises ClickException."""
        if self.done is not None and self.done(work / self.out):
            return
        log = work / f"{self.out.replace('/', '-')}.log"
        command = [str(Path(sys.executable).with_name("blendmill")), *self.words, "--out", self.out]
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.threads)} if self.threads else None
        with log.open("ab") as told:
            code = subprocess.run(command, cwd=work, stdout=told, stderr=told, env=environment).returncode
        if code:
            raise click.ClickException(f"{self.out}: exit {code}, see {log}")
        click.echo(self.out, err=True)


Chain = Sequence[Job]
"""Jobs of which each needs what the ones before it made."""


def run_chains(chains: Iterable[Chain], work: Path, at_a_time: int = 1) -> None:
    """Run the jobs of each chain in their order, `at_a_time` chains side by side.

    A job that several chains hold is run once, and the others wait for it. Raises ClickException for the first chain
    with a job that failed; the other chains are run nevertheless.
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
    """The words that override fields of a config, KEY=VALUE each."""
    return tuple(word for value in values for word in ("--set", value))


def results(run: Path) -> dict[str, Any] | None:
    """What a training run came to; None where it is not done."""
    return Folder(run).results()

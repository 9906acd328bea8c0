"""Studies: chains of jobs. Each job is a command of blendmill, such as render, train and evaluate in turn.

`Studied` is what a factor study asks of a task. Each task has one in its package, so that studies know no task.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, Protocol

import click
import numpy as np
from numpy.typing import NDArray

from training.run_folder import Folder

if TYPE_CHECKING:
    from torch import nn

    from training.config import TrainConfig


@dataclass(frozen=True)
class Job:
    """A command of blendmill that writes `out`, a path in the folder of the study.

    words: the command and its arguments, without --out. The command itself checks whether `out` is complete. threads:
    number of threads it may use. place: the folder in which it runs; None for that of the study.
    """

    out: str
    words: tuple[str, ...]
    threads: int | None = None
    place: Path | None = None

    @property
    def log(self) -> str:
        """The name of the file with its output, in the folder of the study."""
        return f"{self.out.replace('/', '-')}.log"

    def run(self, work: Path, stop: Event | None = None) -> None:
        """Run the command, or resume it. Its output goes to a log file. Raises ClickException if it fails.

        stop: when it is set, or this process is interrupted, the command is told to end.
        """
        log, out = work / self.log, self.out if self.place is None else str(work.resolve() / self.out)
        command = [str(Path(sys.executable).with_name("blendmill")), *self.words, "--out", out]
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.threads)} if self.threads else None
        with (
            log.open("ab") as output,
            subprocess.Popen(command, cwd=self.place or work, stdout=output, stderr=output, env=environment) as process,
        ):
            try:
                code = _ended(process, stop or Event())
            except BaseException:
                process.terminate()  # and it is waited for
                raise
        if code:
            raise click.ClickException(f"{self.out}: exit {code}, see {log}")


def _ended(process: subprocess.Popen[bytes], stop: Event) -> int:
    """The return code of a process, when it has ended. It is told to end when `stop` is set."""
    while True:
        try:
            return process.wait(1)
        except subprocess.TimeoutExpired:
            if stop.is_set():
                process.terminate()  # once: a second signal would not let it save its state
                return process.wait()


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt, as Ctrl-C does, so that no job outlives its study. In the main thread only."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


Chain = Sequence[Job]
"""Jobs in order: each one needs the output of those before it."""


def run_chains(chains: Iterable[Chain], work: Path, at_a_time: int = 1) -> None:
    """Run the jobs of each chain in order, with `at_a_time` chains in parallel.

    A job that several chains contain runs once, and the other chains wait for it. If a job fails, the other chains
    still run. Then ClickException is raised for the first chain that failed. Ctrl-C and SIGTERM end the jobs that run,
    and begin no other.
    """
    kept = [list(chain) for chain in chains]
    count = len({job.out for chain in kept for job in chain})
    started: dict[str, Future[None]] = {}
    lock, stop = Lock(), Event()

    def once(job: Job) -> None:
        with lock:
            mine = job.out not in started
            future = started.setdefault(job.out, Future())
            number = len(started)
        if mine:
            click.echo(f"job {number} of {count}: {job.out} (log: {work / job.log})", err=True)
            try:
                job.run(work, stop)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(None)
        future.result()

    def follow(chain: Chain) -> None:
        for job in chain:
            once(job)

    with ended_by_sigterm(), ThreadPoolExecutor(at_a_time) as pool:
        ended = [pool.submit(follow, chain) for chain in kept]
        try:
            wait(ended)
        except KeyboardInterrupt:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for each in ended:
        each.result()


class Tested(Protocol):
    """What the networks of a study said of one test set, all of the same pictures. An arm is what they learned from."""

    def seeds(self, arm: Hashable) -> Collection[int]:
        """The seeds with which an arm was tested."""
        ...

    def figure(self, arm: Hashable, figure: str) -> dict[int, float]:
        """The arm's figure, a share of 1, by seed."""
        ...

    def resampled(
        self, names: Sequence[tuple[Any, int]], figure: str, draws: int, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Figures of arms and seeds in bootstrap samples of the pictures, the same for all: (len(names), draws)."""
        ...


Screen = Callable[[Sequence[tuple[str, str]], Path], list[dict[str, Any]]]
"""The figures of a run on test sets, each a folder and a split, as `evaluate` writes them. The other argument is a
folder that keeps what runs share. Raises InputError."""


class Studied(Protocol):
    """A task in factor studies.

    config: its training config. figures: the figures that can be compared; the first is the default. train, evaluate:
    the words of its commands; `evaluate` takes a run and several sets DATA@SPLIT.
    """

    @property
    def config(self) -> type[TrainConfig]: ...

    @property
    def figures(self) -> tuple[str, ...]: ...

    @property
    def train(self) -> tuple[str, ...]: ...

    @property
    def evaluate(self) -> tuple[str, ...]: ...

    def check(self, config: Any, where: str, split: str) -> None:
        """Raise InputError if pictures cannot be tested on."""
        ...

    def network(self, config: Any) -> nn.Module:
        """A network of the config, to time a step. Raises InputError."""
        ...

    def screened(self, config: Any) -> Screen | None:
        """How a study gets the figures of a run in its own process; None for a run that is trained by steps."""
        ...

    def pictures(self, figures: Mapping[str, Any]) -> NDArray[np.int64]:
        """What tells the pictures of a test from others, from what `evaluate` wrote. Raises KeyError if it lacks it."""
        ...

    def tested(self, found: Mapping[Any, Mapping[int, Mapping[str, Any]]]) -> Tested:
        """What was said of a test set, from what `evaluate` wrote, by arm and seed."""
        ...


def studied(task: str) -> Studied:
    """The task of a name, from the module `studied` of its package."""
    found: Studied = import_module(f"{task}.studied").STUDIED
    return found


def settings(*values: str) -> tuple[str, ...]:
    """Command-line words that override config fields. values: KEY=VALUE each."""
    return tuple(word for value in values for word in ("--set", value))


def results(run: Path) -> dict[str, Any] | None:
    """The results of a training run; None if it is not finished."""
    return Folder(run).results()

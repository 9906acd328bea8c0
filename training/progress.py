"""The progress of long work, on standard error: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress


class Progress:
    """Shows how much of `total` is done. A context manager.

    Parameters
    ----------
    title : str
        What is counted, such as "step".
    total : int
    every : float
        Seconds between two plain lines, at least. The last line is always printed. A bar shows each update.

    Example
    -------
    >>> with Progress("step", 2) as progress:
    ...     progress.update(1, "loss 0.5")
    """

    def __init__(self, title: str, total: int, every: float = 0.0):
        self._title, self._total, self._every = title, total, every
        self._last = float("-inf")
        self._bar: RichProgress | None = None
        if sys.stderr.isatty():
            told = TextColumn("{task.fields[told]}", markup=False)
            columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), told, TimeElapsedColumn()
            self._bar = RichProgress(*columns, console=Console(stderr=True))
            self._task = self._bar.add_task(title, total=total, told="")
            self._bar.start()

    def update(self, done: int, told: str = "") -> None:
        """Show that `done` are done, with what there is to tell beside the count."""
        if self._bar:
            self._bar.update(self._task, completed=done, told=told)
            return
        now = time.monotonic()
        if done == self._total or now - self._last >= self._every:
            self._last = now
            print(f"{self._title} {done}/{self._total}  {told}".rstrip(), file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._bar:
            self._bar.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class RunCount:
    """Says which of `total` runs begins. Of several processes, the first alone says it."""

    def __init__(self, total: int):
        self._total, self._begun = total, 0

    def begin(self, name: str) -> None:
        self._begun += 1
        if os.environ.get("RANK", "0") == "0":
            click.echo(f"run {self._begun} of {self._total}: {name}", err=True)

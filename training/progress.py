"""Progress of long work on standard error: a bar on a terminal, plain lines otherwise."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

_EVERY = 2.0
"""Seconds between two lines of `counted`."""


class Progress:
    """Shows how much of `total` is done. A context manager.

    Parameters
    ----------
    title : str
        What is counted, such as "step".
    total : int
    every : float
        Least number of seconds between two plain lines. The last line is always printed. A bar shows each update.

    Examples
    --------
    >>> with Progress("step", 2) as progress:
    ...     progress.update(1, "loss 0.5")
    """

    def __init__(self, title: str, total: int, every: float = 0.0):
        self._title, self._total, self._every = title, total, every
        self._last = float("-inf")
        self._bar: RichProgress | None = None
        if sys.stderr.isatty():
            text = TextColumn("{task.fields[text]}", markup=False)
            columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), text, TimeElapsedColumn()
            self._bar = RichProgress(*columns, console=Console(stderr=True))
            self._task = self._bar.add_task(title, total=total, text="")
            self._bar.start()

    def update(self, done: int, text: str = "") -> None:
        """Show that `done` of the total are finished, and a text after the count."""
        if self._bar:
            self._bar.update(self._task, completed=done, text=text)
            return
        now = time.monotonic()
        if done == self._total or now - self._last >= self._every:
            self._last = now
            print(f"{self._title} {done}/{self._total}  {text}".rstrip(), file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._bar:
            self._bar.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def counted(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Progress of work of `total` parts: a function to call with the number of parts that were done since."""
    with Progress(title, total, _EVERY) as progress:
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            progress.update(done)

        yield advance


class RunCount:
    """Prints which of `total` runs begins. Only the first of several processes prints."""

    def __init__(self, total: int):
        self._total, self._begun = total, 0

    def begin(self, name: str) -> None:
        self._begun += 1
        if os.environ.get("RANK", "0") == "0":
            click.echo(f"run {self._begun} of {self._total}: {name}", err=True)

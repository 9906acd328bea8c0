"""What commands share: options that mean the same everywhere, and the bar for short work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

CONFIG = click.argument("config")
SET = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one field, e.g. --set camera.azimuth=30."
)
SEED = click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True)


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Any]:
    """A bar with rate and time left on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=total, rate="")

        def advance(count: int, of: int | None = None) -> None:
            state = bar.tasks[0]
            speed = f"{state.speed:.2f}/s" if state.speed else ""
            bar.update(task, advance=count, rate=speed, total=of or state.total)

        yield advance

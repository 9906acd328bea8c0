"""What commands share: options that mean the same everywhere, and the bar for short work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from render.farm.devices import ASKED
from render.farm.progress import asset_lines
from render.renderer import Assets, Sampler, open_sampler
from scenes.assets.cache import Cache
from scenes.config.loading import AnyConfig
from scenes.errors import InputError
from scenes.leftovers import sweep_scratch
from scenes.outputs import written

Decorator = Callable[[Callable[..., None]], Callable[..., None]]

_EVERY = 10.0
"""Seconds between two lines on the progress of short work, where there is no terminal."""

CONFIG = click.argument("config")
SET = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one field, e.g. --set camera.azimuth=30."
)
SEED = click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Seed of all random draws."
)
DEVICE = click.option(
    "--device", type=click.Choice(ASKED), default="auto", show_default=True, help="Device to draw on."
)


class Workers(click.ParamType):
    """A number of workers, or `auto` (None)."""

    name = "N|auto"

    def convert(self, value: str | int | None, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        if value in (None, "auto"):
            return None
        if not str(value).isdigit() or int(value) < 1:
            self.fail(f"{value!r} is neither a number of workers nor auto", param, ctx)
        return int(value)


WORKERS = click.option(
    "--workers", type=Workers(), default="auto", show_default=True, help="Number of worker processes."
)


def adding(options: Sequence[Decorator]) -> Decorator:
    """A decorator that adds options to a command; the help lists them in their order."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Any]:
    """A bar with rate and time left on a terminal; elsewhere a line every ten seconds."""
    console, told = Console(stderr=True), time.monotonic()
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
            nonlocal told
            if not console.is_terminal and time.monotonic() - told > _EVERY:
                told = time.monotonic()
                click.echo(f"{title}: {state.completed:g} of {state.total or '?'}", err=True)

        yield advance


@contextmanager
def counted(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for work that tells how much is done, and of how much."""
    with progress(title, None) as advance:
        done = 0

        def tell(now: int, of: int) -> None:
            nonlocal done
            advance(now - done, of)
            done = now

        yield tell


def opened(config: AnyConfig) -> Sampler:
    """The sampler of a config. Raises InputError where the config does not fit its assets."""
    sweep_scratch()
    Cache().sweep()
    with progress("looking through assets", None):
        return open_sampler(config)


def tell(assets: Assets, used: int) -> None:
    """Say on standard error what was mended, what is missing, and which files cannot be used, of those that were read.

    used: the number of assets that were drawn.
    """
    for line in asset_lines(assets.warnings, assets.left_out, used):
        click.echo(line, err=True)


def require_png(path: Path | None) -> None:
    """Raise InputError where the name of a sheet or figure does not end in .png."""
    if path is not None and path.suffix.lower() != ".png":
        raise InputError(f"--out {path}: a PNG is written; give a name that ends in .png")


def write_png(image: Image.Image, path: Path) -> None:
    """Write a PNG, whole or not at all; its folder is made."""
    with written(path) as temporary:
        image.save(temporary, "PNG")

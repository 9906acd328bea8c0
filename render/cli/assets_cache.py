"""The command `assets cache`: what the cache holds, and how it is kept small."""

from __future__ import annotations

import re
import time

import click

from render.cli.options import progress
from scenes.assets.cache import Cache
from scenes.assets.pruning import CONTENTS, UNUSED_HOURS, Held, held, prune
from scenes.errors import InputError

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class Size(click.ParamType):
    """A number of bytes, written as 500M, 20G or 1.5T."""

    name = "SIZE"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)i?B?", str(value))
        if match is None:
            self.fail(f"{value!r} is no size; write it as 500M, 20G or 1.5T", param, ctx)
        return int(float(match[1]) * _UNITS[match[2]])


@click.command("cache")
@click.option("--prune", "asked", is_flag=True, help="Delete what was not used for longest, down to the limits.")
@click.option("--max-size", type=Size(), help="With --prune: bytes that may stay, for instance 20G.")
@click.option("--max-files", type=click.IntRange(0), help="With --prune: files that may stay.")
@click.option(
    "--unused-for", type=click.FloatRange(0), default=UNUSED_HOURS, show_default=True, metavar="HOURS",
    help="With --prune: keep what was used within these hours, because a worker may still draw from it.",
)  # fmt: skip
def cache(asked: bool, max_size: int | None, max_files: int | None, unused_for: float) -> None:
    """Show what the cache of normalized models holds, and prune it.

    What is deleted is made again when it is needed. So pruning is safe while others read and write the same cache.

    \b
    Example:
      blendmill assets cache --prune --max-size 20G
    """
    if asked == (max_size is None and max_files is None):
        raise InputError("--prune, --max-size, --max-files: give --prune with at least one limit, or none of them")
    folder = Cache().folder
    if asked:
        with progress("looking through the cache", None) as advance:
            gone = prune(folder, max_size, max_files, unused_for, advance)
        click.echo(f"deleted: {gone.files:,} files, {_size(gone.bytes)}")
    with progress("looking through the cache", None) as advance:
        found = held(folder, advance)
    click.echo(str(folder))
    for name, what in CONTENTS.items():
        if found[name].files:
            click.echo(_line(what, found[name]))
    oldest = [one.oldest for one in found.values() if one.oldest is not None]
    files, size = sum(one.files for one in found.values()), sum(one.bytes for one in found.values())
    click.echo(_line("all", Held(files, size, min(oldest, default=None))))
    over = (max_size is not None and size > max_size) or (max_files is not None and files > max_files)
    if over:
        click.echo(f"all of this was used within {unused_for:g} hours: --unused-for keeps less", err=True)


def _line(what: str, there: Held) -> str:
    age = "" if there.oldest is None else f"  oldest unused for {(time.time() - there.oldest) / 86400:.1f} days"
    return f"  {there.files:>9,} files {_size(there.bytes):>9}{age}  {what}"


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"

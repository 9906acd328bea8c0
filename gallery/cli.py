"""The command that makes the page, or serves it."""

from __future__ import annotations

from pathlib import Path

import click

from render.cli.options import WORKERS, counted
from scenes.errors import InputError


@click.command()
@click.argument("sets", metavar="SET...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Write the page into this folder.")
@click.option(
    "--tile",
    "side",
    type=click.IntRange(16, 2048),
    metavar="PIXELS",
    help="Longest side of the pictures on the page. By default 512 for up to 1000 pictures, else 96.",
)
@WORKERS
def gallery(sets: tuple[Path, ...], out: Path | None, side: int | None, workers: int | None) -> None:
    """Make a page that shows data sets: pictures, labels, factors.

    SET is the folder of a data set; one that is still being drawn is shown as far as it is. The page opens from disk
    and from any server of files. It needs no network. The same command goes on after an interruption, and brings the
    page up to date.

    \b
    Example:
      blendmill gallery data --out page
    """
    from gallery.build import build, side_for
    from gallery.sets import choose

    if out is None:
        raise InputError("--out is missing: where should the page go?")
    chosen = choose(sets, ())
    with counted("reading pictures") as tell:
        new = build(chosen, out, side or side_for(chosen), workers=workers, tell=tell)
    count = sum(len(one.indices) for one in chosen)
    click.echo(f"{out / 'index.html'}: {count} pictures" + ("" if new else ", there already"))

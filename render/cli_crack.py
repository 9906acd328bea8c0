"""The commands about cracks: `blendmill crack …`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from render import limits
from render.cli_options import SEED, SET, progress
from render.cli_render import Workers, interruptible
from render.compose.job import Job, compose
from render.compose.picture import Painter
from render.compose.preview import first, sheet, swept
from render.compose.textures import find_photographs
from render.cracks.compare import Measured, as_json, measured, table
from render.cracks.figure import figure, side_by_side, write
from render.cracks.sets import open_set
from render.farm.report import reporter
from render.jobs import parse_part
from render.store import open_store
from scenes.composition import Composer
from scenes.errors import InputError
from scenes.loading import load
from scenes.recipe import ComposeConfig

_FOLDERS = click.Path(path_type=Path)


@click.group()
def crack() -> None:
    """Cracked surfaces: pictures with exact masks to train crack segmentation on."""


def _inputs(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say what is composed."""
    for option in (
        SEED,
        SET,
        click.option("--config", type=_FOLDERS, help="A .yaml file; without it all is as by default."),
        click.option("--styles", type=_FOLDERS, multiple=True, help="Folder of pictures whose style some take over."),
        click.option("--textures", type=_FOLDERS, multiple=True, help="Folder of photographs of surfaces, no cracks."),
    ):
        command = option(command)
    return command


@crack.command("compose")
@_inputs
@click.option("--out", required=True, help="Folder of the data set, or a URL such as s3://bucket/set.")
@click.option("--images", type=click.IntRange(1), default=100, show_default=True, help="Number of pictures.")
@click.option("--workers", type=Workers(), default="auto", show_default=True, help="Processes that draw.")
@click.option("--shard-size", type=click.IntRange(1), help="Pictures a file; by default up to 100.")
@click.option("--shard", "part", default="0/1", metavar="i/n", help="Draw the i-th of n parts, from 0: for job arrays.")
@click.option("--json-logs", is_flag=True, help="Tell what happens as lines of JSON on standard error.")
def compose_command(
    textures: tuple[Path, ...],
    styles: tuple[Path, ...],
    out: str,
    images: int,
    config: Path | None,
    overrides: tuple[str, ...],
    seed: int,
    workers: int | None,
    shard_size: int | None,
    part: str,
    json_logs: bool,
) -> None:
    """Draw cracks on photographs, without Blender: fast, and with the labels of a render.

    The same command run again completes what is missing. Pictures whose mask comes out empty are kept, with the label
    -1, and counted.

    A picture is made in steps: backdrop, distractors, crack, warp, smoothing, dissolve, lips, healed, colour, style,
    camera. All but the backdrop can be switched off, each alone, and every other step of every picture stays as it
    was, so that sets with and without a step can be compared picture by picture:

    \b
      --set STEP.use=false          leave a step out; without a crack nothing is left of the steps from warp to colour
      --set STEP.use=true           take it in every picture
      --set STEP.FIELD=VALUE        fix or vary one of its parameters

    Crack and warp decide the mask; the others change the picture alone.

    Example: blendmill crack compose --textures walls --out cracks --images 1000 --set smoothing.use=false
    """
    slice_ = parse_part(part)
    composer, painter = _opened(textures, styles, config, overrides)
    job = Job(composer.config, painter.textures, painter.references, seed, images, out, shard_size or 0, slice_)
    with reporter(json_logs) as report, interruptible(report) as stopping:
        outcome = compose(job, workers or limits.cores(), report, stopping)
    if outcome is not None:
        click.echo(
            f"{images} pictures in {out}: {outcome.bare} without a crack, {outcome.empty} of them because theirs lies "
            "outside the picture or is too fine for the mask"
        )
    elif stopping():
        raise KeyboardInterrupt
    else:
        store = open_store(out)
        click.echo(f"part {part} is done; {len(store.present())} of {store.opened().shard_count} shards are in {out}")


@crack.command("preview")
@_inputs
@click.option("--out", type=_FOLDERS, required=True, help="The contact sheet, a .png file.")
@click.option("--images", type=click.IntRange(1, 400), default=16, show_default=True, help="Number of pictures.")
@click.option("--vary", metavar="FACTOR", help="Sweep this factor alone, e.g. colour.darkness; all else stays fixed.")
@click.option("--index", type=click.IntRange(0), default=0, show_default=True, help="First picture, or the one swept.")
@click.option("--cell", type=click.IntRange(16, 2048), default=256, show_default=True, help="Pixels a picture is wide.")
def preview_command(
    textures: tuple[Path, ...],
    styles: tuple[Path, ...],
    config: Path | None,
    overrides: tuple[str, ...],
    seed: int,
    out: Path,
    images: int,
    vary: str | None,
    index: int,
    cell: int,
) -> None:
    """A contact sheet of the first composed pictures, or of one with a single factor swept; masks outlined beside.

    Example: blendmill crack preview --textures walls --out sheet.png --vary colour.darkness
    """
    _require_png(out)
    composer, painter = _opened(textures, styles, config, overrides)
    pictures = swept(composer, seed, index, vary, images) if vary else first(composer, seed, index, images)
    with progress("composing", images) as advance:
        drawn = sheet(painter, pictures, cell, advance)
    write(drawn, out)
    click.echo(f"wrote {out}")


def _opened(
    textures: tuple[Path, ...], styles: tuple[Path, ...], config: Path | None, overrides: tuple[str, ...]
) -> tuple[Composer, Painter]:
    """What the options say, checked before anything starts; pictures that cannot be used are told."""
    settings = load(ComposeConfig, config, [*_folders("textures", textures), *_folders("styles", styles), *overrides])
    with progress("looking through pictures", None):
        surfaces, rejected = find_photographs("assets.textures", settings.assets.textures)
        references, others = find_photographs("assets.styles", settings.assets.styles)
    for file, reason in (rejected | others).items():
        click.echo(f"left out: {file}: {reason}", err=True)
    if rejected or others:
        click.echo(f"{len(rejected | others)} pictures left out, {len(surfaces.paths)} textures used", err=True)
    return Composer(settings, surfaces.names, references.names), Painter(surfaces, references)


@crack.command("measure")
@click.argument("folder", metavar="SET", type=_FOLDERS)
@click.argument("other", metavar="[OTHER]", type=_FOLDERS, required=False)
@click.option("--out", type=_FOLDERS, help="Also write a figure, a PNG: how each quantity is spread.")
@click.option("--images", type=click.IntRange(1), help="Measure this many of each, evenly chosen; by default all.")
@click.option("--json", "as_data", is_flag=True, help="Print JSON instead of the table.")
def measure_command(folder: Path, other: Path | None, out: Path | None, images: int | None, as_data: bool) -> None:
    """Measure the cracks and the pictures of SET, and compare it with OTHER.

    A set is a data set of ours, a folder with img/ (or images/) and mask/ (or masks/), or a folder of pictures without
    masks. Of those only what needs no masks is measured: the picture, and dark lines in place of cracks, found in both
    sets alike.

    Example: blendmill crack measure cracks photos --out apart.png
    """
    _require_png(out)
    sets = [_measured(each, images) for each in (folder, other) if each is not None]
    click.echo(json.dumps(as_json(sets), indent=1) if as_data else "\n".join(table(sets)))
    if out is not None:
        write(figure(sets), out)
        click.echo(f"wrote {out}", err=True)


def _measured(folder: Path, images: int | None) -> Measured:
    pictures = open_set(folder)
    chosen = pictures.spread(images)
    with progress(f"measuring {pictures.name}", len(chosen)) as advance:
        found = measured(pictures, chosen, advance)
    for line in found.left_out:
        click.echo(f"left out: {line}", err=True)
    return found


@crack.command("sheet")
@click.argument("folder", metavar="SET", type=_FOLDERS)
@click.option("--out", type=_FOLDERS, required=True, help="The PNG to write.")
@click.option("--beside", type=_FOLDERS, help="A set, such as a folder of photographs, to show beside.")
@click.option("--images", type=click.IntRange(1, 400), default=64, show_default=True, help="Pictures of each.")
@click.option("--cell", type=click.IntRange(16, 1024), default=160, show_default=True, help="Pixels of each, a side.")
def sheet_command(folder: Path, out: Path, beside: Path | None, images: int, cell: int) -> None:
    """A contact sheet of SET, next to photographs: can you tell them apart?

    Pictures are chosen evenly from the first to the last; of each the square in its middle is shown.

    Example: blendmill crack sheet cracks --beside photos --out sheet.png
    """
    _require_png(out)
    blocks = [_shown(each, images) for each in (folder, beside) if each is not None]
    write(side_by_side(blocks, columns=math.ceil(math.sqrt(images)), cell=cell), out)
    click.echo(f"wrote {out}")


def _shown(folder: Path, images: int) -> tuple[str, list[NDArray[np.uint8]]]:
    """The set's name and pictures of it. Raises InputError where none of them can be used."""
    pictures, shown, faults = open_set(folder), [], []
    for k in pictures.spread(images):
        try:
            shown.append(pictures.read(k).rgb)
        except InputError as error:
            faults.append(str(error))
    if not shown:
        raise InputError(f"{pictures.name}: no picture can be used: {faults[0]}")
    for line in faults:
        click.echo(f"left out: {line}", err=True)
    return pictures.name, shown


def _require_png(path: Path | None) -> None:
    if path is not None and path.suffix.lower() != ".png":
        raise InputError(f"--out {path}: a PNG is written; give a name that ends in .png")


def _folders(field: str, folders: tuple[Path, ...]) -> list[str]:
    """The option as an override, so that the config says all."""
    return [f"assets.{field}={json.dumps([str(folder) for folder in folders])}"] if folders else []

"""The commands about cracks: `blendmill crack …`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click

from render.cli.options import SEED, SET, progress, require_png, write_png
from render.cli.plugins import CrackCommands
from render.cli.render import Workers, interruptible
from render.composite.job import Job, compose
from render.composite.photographs import find_photographs
from render.composite.preview import first, sheet, swept
from render.composite.renderer import Painter
from render.dataset.store import open_store
from render.farm import limits
from render.farm.job import parse_part
from render.farm.progress import reporter
from scenes.config.composite import ComposeConfig
from scenes.config.loading import load
from scenes.sampling.composite import Composer

_FOLDERS = click.Path(path_type=Path)


@click.group(cls=CrackCommands)
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

    A picture is made in steps: background, distractors, crack, warp, smoothing, dissolve, lips, healed, color, style,
    sensor. All but the background can be switched off, each alone, and every other step of every picture stays as it
    was, so that sets with and without a step can be compared picture by picture:

    \b
      --set STEP.use=false          leave a step out; without a crack nothing is left of the steps from warp to color
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
@click.option("--vary", metavar="FACTOR", help="Sweep this factor alone, e.g. color.darkness; all else stays fixed.")
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

    Example: blendmill crack preview --textures walls --out sheet.png --vary color.darkness
    """
    require_png(out)
    composer, painter = _opened(textures, styles, config, overrides)
    pictures = swept(composer, seed, index, vary, images) if vary else first(composer, seed, index, images)
    with progress("composing", images) as advance:
        drawn = sheet(painter, pictures, cell, advance)
    write_png(drawn, out)
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


def _folders(field: str, folders: tuple[Path, ...]) -> list[str]:
    """The option as an override, so that the config says all."""
    return [f"assets.{field}={json.dumps([str(folder) for folder in folders])}"] if folders else []

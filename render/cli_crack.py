"""The commands about cracks: `blendmill crack …`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from render import limits
from render.cli_options import SEED, SET, progress
from render.cli_render import Workers, interruptible
from render.compose.job import Job, compose
from render.compose.textures import find_photographs
from render.farm.report import reporter
from scenes.loading import load
from scenes.recipe import ComposeConfig

_FOLDERS = click.Path(path_type=Path)


@click.group()
def crack() -> None:
    """Cracked surfaces: pictures with exact masks to train crack segmentation on."""


@crack.command("compose")
@click.option("--textures", type=_FOLDERS, multiple=True, help="Folder of photographs of surfaces without cracks.")
@click.option("--styles", type=_FOLDERS, multiple=True, help="Folder of pictures whose style some take over.")
@click.option("--out", required=True, help="Folder of the data set, or a URL such as s3://bucket/set.")
@click.option("--images", type=click.IntRange(1), default=100, show_default=True, help="Number of pictures.")
@click.option("--config", type=click.Path(path_type=Path), help="A .yaml file; without it all is as by default.")
@SET
@SEED
@click.option("--workers", type=Workers(), default="auto", show_default=True, help="Processes that draw.")
@click.option("--shard-size", type=click.IntRange(1), help="Pictures a file; by default up to 100.")
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
    json_logs: bool,
) -> None:
    """Draw cracks on photographs, without Blender: fast, and with the labels of a render.

    Every step of the recipe can be switched and varied: --set smoothing.use=false leaves one out and all else of every
    picture as it was. The same command run again completes what is missing.

    Example: blendmill crack compose --textures walls --out cracks --images 1000
    """
    settings = load(ComposeConfig, config, [*_folders("textures", textures), *_folders("styles", styles), *overrides])
    with progress("looking through pictures", None):
        surfaces, rejected = find_photographs("assets.textures", settings.assets.textures)
        references, others = find_photographs("assets.styles", settings.assets.styles)
    for file, reason in (rejected | others).items():
        click.echo(f"left out: {file}: {reason}", err=True)
    if rejected or others:
        click.echo(f"{len(rejected | others)} pictures left out, {len(surfaces.paths)} textures used", err=True)
    job = Job(settings, surfaces, references, seed, images, out, shard_size or 0)
    job.composer()  # bad input is told before anything starts
    with reporter(json_logs) as report, interruptible(report) as stopping:
        outcome = compose(job, workers or limits.cores(), report, stopping)
    if outcome is None:
        raise KeyboardInterrupt
    click.echo(
        f"{images} pictures in {out}: {outcome.bare} without a crack, {outcome.empty} of them because theirs lies "
        "outside the picture or is too fine for the mask"
    )


def _folders(field: str, folders: tuple[Path, ...]) -> list[str]:
    """The option as an override, so that the config says all."""
    return [f"assets.{field}={json.dumps([str(folder) for folder in folders])}"] if folders else []

"""The commands about cracks: `blendmill crack …`. Those that draw are short forms of `render` and `preview`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from render.cli import preview, render
from render.cli.options import require_png
from render.cli.plugins import CrackCommands
from scenes.config.composite import ComposeConfig
from scenes.config.loading import load

_FOLDERS = click.Path(path_type=Path)
# Pixels; two views of each picture are shown.
_CELL = 256


@click.group(cls=CrackCommands)
def crack() -> None:
    """Cracked surfaces: pictures with exact masks to train crack segmentation on."""


def _inputs(command: Callable[..., None]) -> Callable[..., None]:
    """The options that make the config, in the place of the argument CONFIG of `render` and `preview`."""
    for option in (
        click.option("--config", type=_FOLDERS, help="A .yaml file; without it all is as by default."),
        click.option("--styles", type=_FOLDERS, multiple=True, help="Folder of pictures whose style some take over."),
        click.option("--textures", type=_FOLDERS, multiple=True, help="Folder of photographs of surfaces, no cracks."),
    ):
        command = option(command)
    return command


@crack.command("compose")
@_inputs
@render.with_options
def compose_command(
    textures: tuple[Path, ...],
    styles: tuple[Path, ...],
    config: Path | None,
    overrides: tuple[str, ...],
    **options: Any,
) -> None:
    """Draw cracks on photographs, without Blender: fast, and with the labels of a render.

    A short form of `blendmill render` for a config with `renderer: composite`. The same command run again completes
    what is missing. Pictures whose mask comes out empty are kept, with the label -1, and counted.

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
    render.render_set(_config(textures, styles, config, overrides), render.Request(**options))


@crack.command("preview")
@_inputs
@preview.with_options
def preview_command(
    textures: tuple[Path, ...],
    styles: tuple[Path, ...],
    config: Path | None,
    overrides: tuple[str, ...],
    **options: Any,
) -> None:
    """A contact sheet of the first composed pictures, or of one with a single factor swept; masks outlined beside.

    A short form of `blendmill preview` for a config with `renderer: composite`. Pictures are shown 256 pixels wide
    unless --cell says otherwise.

    Example: blendmill crack preview --textures walls --out sheet.png --vary color.darkness
    """
    asked = preview.Request(**{**options, "cell": options["cell"] or _CELL})
    require_png(asked.out)
    preview.draw_preview(_config(textures, styles, config, overrides), asked)


def _config(
    textures: tuple[Path, ...], styles: tuple[Path, ...], config: Path | None, overrides: tuple[str, ...]
) -> ComposeConfig:
    """The config that the options make."""
    return load(ComposeConfig, config, [*_folders("textures", textures), *_folders("styles", styles), *overrides])


def _folders(field: str, folders: tuple[Path, ...]) -> list[str]:
    """The option as an override, so that the config says all."""
    return [f"assets.{field}={json.dumps([str(folder) for folder in folders])}"] if folders else []

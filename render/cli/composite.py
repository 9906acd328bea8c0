"""The commands about cracks: `blendmill crack …`. Those that draw are short forms of `render` and `preview`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from render.cli import preview, render
from render.cli.options import progress, require_png
from render.cli.plugins import CrackCommands
from render.dataset.dataset import Dataset
from render.dataset.export.parts import png
from scenes.config.composite import ComposeConfig
from scenes.config.loading import load, load_config
from scenes.errors import InputError, shortened
from scenes.files import write_atomically
from scenes.urls import is_url

_FOLDERS = click.Path(path_type=Path)
# Pixels; two views of each picture are shown.
_CELL = 256


@click.group(cls=CrackCommands)
def crack() -> None:
    """Draw cracked surfaces with exact masks."""


def _inputs(command: Callable[..., None]) -> Callable[..., None]:
    """The options that make the config, in the place of the argument CONFIG of `render` and `preview`."""
    for option in (
        click.option("--config", type=_FOLDERS, help="A .yaml file. Without it all fields have their defaults."),
        click.option(
            "--styles",
            type=_FOLDERS,
            multiple=True,
            help="Folder of pictures that some composed pictures take their style from.",
        ),
        click.option(
            "--textures",
            type=_FOLDERS,
            multiple=True,
            help="Folder of photographs of surfaces without cracks. FOLDER=SHARE says how often it is taken.",
        ),
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
    """Draw cracks on photographs, without Blender.

    A short form of `blendmill render` for a config with `renderer: composite`. If you run the same command again, it
    draws only what is missing. Pictures with an empty mask are kept with the label -1 and counted.

    A picture is made in steps: background, distractors, crack, warp, smoothing, dissolve, lips, healed, color, style,
    zoom, sensor. You can switch off each step but the background. All other steps of every picture stay the same, so
    you can compare sets with and without a step picture by picture:

    \b
      --set STEP.use=false          leave a step out; without a crack, warp to color do nothing
      --set STEP.use=true           use it in every picture
      --set STEP.FIELD=VALUE        fix or vary one of its parameters

    Crack, warp and zoom decide the mask. The other steps change only the picture. With --set least=1.3 the mask ends
    where the crack does not stand out from the grain around it.

    \b
    Example:
      blendmill crack compose --textures walls --out cracks --images 100
    """
    render.render_set(config_of(textures, styles, config, overrides), render.Request(**options))


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
    """Draw a contact sheet of composed pictures and their masks.

    With --vary the sheet shows one picture with different values of one factor.

    A short form of `blendmill preview` for a config with `renderer: composite`. Pictures are shown 256 pixels wide
    unless --cell says otherwise.

    \b
    Example:
      blendmill crack preview --textures walls --out sheet.png
    """
    asked = preview.Request(**{**options, "cell": options["cell"] or _CELL})
    require_png(asked.out)
    preview.draw_preview(config_of(textures, styles, config, overrides), asked)


@crack.command("grounds")
@render.with_options
def grounds_command(overrides: tuple[str, ...], **options: Any) -> None:
    """Render surfaces without cracks, as grounds for `crack compose`.

    A short form of `blendmill render cracks-grounds`, after which each picture is also written as a PNG to
    OUT/pictures. OUT is then a folder for --textures. If you run the same command again, it completes what is missing.

    Photographs show what no renderer knows, so mix both:

    
    Example:
      blendmill crack grounds --out grounds --images 1000
      blendmill crack compose --textures grounds=0.5 --textures walls=0.5 --out cracks --images 1000
    """
    asked = render.Request(**options)
    if is_url(asked.out):
        raise InputError(f"--out {shortened(asked.out)}: the pictures are written to a folder here; give one")
    render.render_set(load_config("cracks-grounds", overrides), asked)
    if not asked.dry_run:
        click.echo(f"{_write_pictures(Path(asked.out))} grounds in {asked.out}/pictures")


def _write_pictures(out: Path) -> int:
    """Write those pictures of a data set as PNG files that are not there yet; returns how many there are."""
    dataset = Dataset.open(out)
    paths = {index: out / "pictures" / f"{index:06d}.png" for index in dataset.drawn().tolist()}
    with progress("writing grounds", len(paths)) as advance:
        for index, path in paths.items():
            if not path.is_file():
                write_atomically(path, png(dataset.frame(index).rgb))
            advance(1)
    return len(paths)


def config_of(
    textures: tuple[Path, ...], styles: tuple[Path, ...], config: Path | None, overrides: tuple[str, ...]
) -> ComposeConfig:
    """The config that the options make."""
    return load(ComposeConfig, config, [*_textures(textures), *_folders("styles", styles), *overrides])


def _textures(folders: tuple[Path, ...]) -> list[str]:
    """The option as an override: folders, or shares by folder."""
    parts = [str(folder).rpartition("=") for folder in folders]
    shared = [equals != "" and not folder.exists() for folder, (_, equals, _) in zip(folders, parts, strict=True)]
    if not any(shared):
        return _folders("textures", folders)
    if not all(shared):
        raise InputError(f"--textures {folders[shared.index(False)]}: give all folders a share, or none: FOLDER=SHARE")
    return [f"assets.textures={json.dumps({folder: _share(folder, share) for folder, _, share in parts})}"]


def _share(folder: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"--textures {folder}={shortened(text)}: the share after = is a number, such as 0.5") from None


def _folders(field: str, folders: tuple[Path, ...]) -> list[str]:
    """The option as an override, so that the config says all."""
    return [f"assets.{field}={json.dumps([str(folder) for folder in folders])}"] if folders else []

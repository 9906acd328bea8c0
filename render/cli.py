"""The `blendmill` command."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click

from render import doctor as machine
from render.cli_assets import assets
from render.cli_crack import crack
from render.cli_data import export, inspect
from render.cli_devices import warm
from render.cli_farm import merge, status, verify
from render.cli_options import CONFIG, SEED, SET, progress
from render.cli_render import render
from render.cli_stream import stream
from render.library import open_catalogue
from scenes.errors import InputError
from scenes.loading import load_config, preset_names

# Where other packages, the training half of this one among them, say which commands they have.
PLUGS = "blendmill.commands"
_OURS = {"scenes", "render", "classify", "segment"}


class Commands(click.Group):
    """The commands of rendering, and by entry points those plugged in beside them, imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *entry_points(group=PLUGS).names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is None:
            for plug in entry_points(group=PLUGS, name=cmd_name):
                found = plug.load()
        return found

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            name = ctx.invoked_subcommand
            module = (error.name or "").split(".")[0]
            if module in _OURS or name not in entry_points(group=PLUGS).names:
                raise
            message = f"{name}: no module named {module}: needs the extra `train`: pip install 'blendmill[train]'"
            raise InputError(message) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="blendmill")
def cli() -> None:
    """Render domain-randomized, exactly labelled pictures with Blender, without a display."""


@cli.command()
def doctor() -> None:
    """Say what this machine can do; exit 1 where rendering cannot work."""
    sys.exit(machine.report())


@cli.command()
@CONFIG
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The contact sheet, a .png file.")
@click.option("--images", type=click.IntRange(1, 400), default=20, show_default=True, help="Number of pictures.")
@click.option("--vary", metavar="FACTOR", help="Sweep this factor alone, e.g. camera.azimuth; all else stays fixed.")
@click.option("--index", type=click.IntRange(0), default=0, show_default=True, help="First picture, or the one swept.")
@SEED
@SET
def preview(
    config: str, out: Path, images: int, vary: str | None, index: int, seed: int, overrides: tuple[str, ...]
) -> None:
    """Draw a contact sheet of CONFIG's first pictures, or of one picture with a single factor swept."""
    from render.preview import draw_scenes, first_scenes, sweep
    from scenes.sampling import Sampler

    if out.suffix.lower() != ".png":
        raise InputError(f"--out {out}: a contact sheet is a .png file")
    settings = load_config(config, overrides)
    catalogue = open_catalogue(settings)
    sampler = Sampler(settings, catalogue)
    scenes = sweep(sampler, seed, index, vary, images) if vary else first_scenes(sampler, seed, index, images)
    with progress("rendering", images) as advance:
        draw_scenes(scenes, sampler, advance, out)
    click.echo(f"contact sheet: {out}")


@cli.command("presets")
def presets() -> None:
    """List the configs that come with blendmill."""
    for name in preset_names():
        click.echo(name)


for command in (render, stream, assets, export, inspect, status, verify, merge, warm, crack):
    cli.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Bad input, click's or ours, ends in one line and exit code 2, whichever command finds it."""
    try:
        code = cli.main(arguments, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 0
    except (click.ClickException, InputError) as error:
        click.echo(
            f"blendmill: {error.format_message() if isinstance(error, click.ClickException) else error}", err=True
        )
        code = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("blendmill: stopped; the same command run again completes what is missing", err=True)
        code = 130
    sys.exit(code if isinstance(code, int) else 0)

"""The `blendmill` command: `doctor | preview | render | export | inspect | assets`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from render import doctor as machine
from render.cli_assets import assets
from render.cli_data import export, inspect
from render.jobs import Job, run
from render.library import open_catalogue
from scenes.errors import InputError
from scenes.loading import load_config, preset_names

_SET = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one field, e.g. --set camera.azimuth=30."
)
_SEED = click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="blendmill")
def cli() -> None:
    """Render domain-randomized, exactly labelled pictures with Blender, without a display."""


@cli.command()
def doctor() -> None:
    """Say what this machine can do; exit 1 where rendering cannot work."""
    sys.exit(machine.report())


@cli.command()
@click.argument("config")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the data set.")
@click.option("--images", type=click.IntRange(1), default=100, show_default=True, help="Number of pictures.")
@_SEED
@_SET
@click.option("--shard-size", type=click.IntRange(1), default=100, show_default=True, help="Pictures a file.")
@click.option("--threads", type=click.IntRange(0), default=0, help="CPU threads; 0 takes all cores.")
def render(
    config: str, out: Path, images: int, seed: int, overrides: tuple[str, ...], shard_size: int, threads: int
) -> None:
    """Render a data set from CONFIG, a .yaml file or the name of a preset.

    A picture depends on the config, the seed and its index alone. The same command run again completes what is
    missing and touches nothing that is there.

    Example: blendmill render s2rda13 --out data --images 1000 --set camera.resolution=[128,128]
    """
    settings = load_config(config, overrides)
    job = Job(settings, seed, images, out, shard_size, threads=threads)
    catalogue = open_catalogue(settings)
    with _progress("preparing assets", None) as advance:
        catalogue.prepare(lambda done, total, name: advance(1, total))
    for file, reason in catalogue.report.quarantined.items():
        click.echo(f"left out: {file}: {reason}", err=True)
    with _progress("rendering", images) as advance:
        dataset = run(job, catalogue, advance)
    click.echo(f"{dataset.manifest.count} pictures in {dataset.folder}")


@cli.command()
@click.argument("config")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The contact sheet, a .png file.")
@click.option("--images", type=click.IntRange(1, 400), default=20, show_default=True, help="Number of pictures.")
@click.option("--vary", metavar="FACTOR", help="Sweep this factor alone, e.g. camera.azimuth; all else stays fixed.")
@click.option("--index", type=click.IntRange(0), default=0, show_default=True, help="First picture, or the one swept.")
@_SEED
@_SET
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
    with _progress("rendering", images) as advance:
        draw_scenes(scenes, sampler, advance, out)
    click.echo(f"contact sheet: {out}")


@cli.command("presets")
def presets() -> None:
    """List the configs that come with blendmill."""
    for name in preset_names():
        click.echo(name)


@contextmanager
def _progress(title: str, total: int | None) -> Iterator[Any]:
    """A bar with rate and time left on a terminal; elsewhere a line now and then."""
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


for command in (assets, export, inspect):
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

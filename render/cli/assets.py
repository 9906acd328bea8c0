"""The command group `assets`: manage the assets that a manifest lists."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from render.catalogue import IMPORTERS, studio_folder
from render.cli.options import progress, tell
from render.cli.plugins import AssetCommands
from render.cli.preview import draw_assets
from scenes.assets import fetch as downloads
from scenes.assets.cache import Cache
from scenes.assets.catalogue import Catalogue
from scenes.assets.file_source import settle
from scenes.assets.formats import AXES
from scenes.assets.image_files import IMAGE_SUFFIXES
from scenes.assets.index import KnownAssets
from scenes.assets.manifest import Entry, Manifest, entry_from, load_manifest, save_manifest
from scenes.assets.pictures import HDRI_SUFFIXES, Pictures
from scenes.assets.sources import ModelFolder, discover
from scenes.errors import InputError
from scenes.files import sha256
from scenes.machine import cores

READERS = 8
"""Processes that read models at most. Each may have one of Blender's beside it."""

MANIFEST = click.option(
    "--manifest",
    type=click.Path(path_type=Path),
    default=Path("assets_manifest.yaml"),
    show_default=True,
    help="The file that lists the assets.",
)
_FOLDER = click.option(
    "--folder", type=click.Path(path_type=Path), help="Read this folder of models, not the manifest."
)
_CLASS = click.option("--class", "category", default=None, help="The class of the model or models.")


@click.group(cls=AssetCommands)
def assets() -> None:
    """Manage your own models, environment maps and textures."""


@assets.command()
@click.argument("path", type=click.Path(path_type=Path))
@MANIFEST
@_CLASS
@click.option("--name", help="The id of the asset. Default: the file name without suffix.")
@click.option(
    "--kind", type=click.Choice(["model", "hdri", "texture", "image"]), help="Default: derived from the suffix."
)
@click.option("--url", help="Where `fetch` downloads it. The file need not exist yet.")
@click.option("--license", default="", help="The license, for instance CC0-1.0.")
@click.option("--attribution", default="", help="The author.")
@click.option("--up", default="auto", show_default=True, help="The file's up axis: x, y, z, -x, -y or -z.")
@click.option("--front", default="auto", show_default=True, help="The axis that the front points along.")
@click.option("--scale", type=float, help="Meters per unit of the file.")
@click.option("--replace", is_flag=True, help="Replace an entry of the same name.")
def add(
    path: Path, manifest: Path, category: str | None, name: str | None, kind: str | None, url: str | None,
    license: str, attribution: str, up: str, front: str, scale: float | None, replace: bool,
) -> None:  # fmt: skip
    """Add a file to the manifest.

    PATH must lie in the folder of the manifest, or below it. A model is read once as a test.

    \b
    Example:
      blendmill assets add models/mug.glb --class mug
    """
    known = load_manifest(manifest) if manifest.exists() else Manifest(manifest.parent)
    root, target = manifest.parent.resolve(), path.resolve()
    if not target.is_relative_to(root):
        raise InputError(f"{path} is outside {root}, the folder of the manifest; copy it there")
    if not target.exists() and url is None:
        raise InputError(f"{path} does not exist: correct the path, or give a --url to fetch it from")
    fields = {
        "name": name or target.stem, "kind": kind or _kind(target), "path": target.relative_to(root).as_posix(),
        "url": url, "sha256": sha256(target) if target.is_file() else None, "license": license,
        "attribution": attribution, "class": category, "up": up, "front": front, "scale": scale,
    }  # fmt: skip
    entry = entry_from(fields, str(manifest))
    others = tuple(e for e in known.entries if e.name != entry.name)
    if len(others) < len(known.entries) and not replace:
        raise InputError(f"{manifest}: there is an asset '{entry.name}' already, choose another --name or --replace it")
    added = Manifest(manifest.parent, (*others, entry))
    reason = _fault(added, entry, Cache()) if target.exists() else ""
    if reason:
        raise InputError(f"{path} {reason}")
    save_manifest(manifest, added.entries)
    click.echo(f"{manifest}: {entry.kind} '{entry.name}' added")


@assets.command()
@MANIFEST
@_FOLDER
@_CLASS
def verify(manifest: Path, folder: Path | None, category: str | None) -> None:
    """Check the checksum and the format of every asset.

    With --folder, try to read every model file below that folder. Exits with 1 if an asset cannot be used.

    \b
    Example:
      blendmill assets verify
    """
    faults = _verify_folder(folder, category) if folder else _verify_manifest(load_manifest(manifest))
    if faults:
        click.echo(f"{faults} cannot be used", err=True)
        sys.exit(1)


@assets.command()
@click.argument("names", nargs=-1)
@MANIFEST
def fetch(names: tuple[str, ...], manifest: Path) -> None:
    """Download the assets that have a URL: NAMES, or all.

    An interrupted download is resumed. The first download writes the checksum into the manifest. Every later download
    must have the same checksum.

    \b
    Example:
      blendmill assets fetch
    """
    with _bars() as advance:
        outcomes = downloads.fetch(manifest, names, advance)
    for outcome in outcomes:
        click.echo(f"{outcome.state:<10} {outcome.name} {outcome.detail}".rstrip())
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    if failed:
        raise InputError(f"{len(failed)} of {len(outcomes)} not fetched, the first: {failed[0].detail}")


@assets.command()
@click.argument("ids", nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The contact sheet, a .png file.")
@MANIFEST
@_FOLDER
@_CLASS
@click.option("--shapes", type=click.IntRange(1, 400), help="Show this many built-in shapes of --class.")
def preview(
    ids: tuple[str, ...], out: Path, manifest: Path, folder: Path | None, category: str | None, shapes: int | None
) -> None:
    """Draw a contact sheet of models: IDS, or all.

    The models come from the manifest, from --folder, or from the built-in shapes of a class (--shapes).

    \b
    Example:
      blendmill assets preview --class mug --shapes 6 --out mugs.png
    """
    if shapes:
        if category is None:
            raise InputError("--shapes needs --class, for instance --class chair")
        catalogue = Catalogue(shapes={category: shapes}, studio=studio_folder())
    elif folder:
        catalogue = Catalogue(models=[model_folder(folder, category)], studio=studio_folder(), importers=IMPORTERS)
    else:
        catalogue = Catalogue(manifest=manifest, studio=studio_folder(), importers=IMPORTERS)
    if not ids:
        with progress("reading models", None) as advance:
            catalogue.prepare(lambda done, total, name: advance(1, total), workers=min(cores(), READERS))
    chosen = ids or tuple(i for name in catalogue.classes for i in catalogue.assets(name).all_usable())
    if not chosen:
        raise InputError(f"{manifest}: no model is here, add one or fetch them")
    draw_assets(chosen, catalogue, out)
    tell(catalogue, len(chosen))
    click.echo(f"{out}: {len(chosen)} models")


def _kind(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in AXES:
        return "model"
    if suffix in HDRI_SUFFIXES:
        return "hdri"
    if path.is_dir() or suffix == ".zip":
        return "texture"
    if suffix in IMAGE_SUFFIXES:
        return "image"
    raise InputError(f"{path}: the kind cannot be told from '{suffix}', give --kind model, hdri, texture or image")


def model_folder(folder: Path, category: str | None) -> ModelFolder:
    return ModelFolder(folder, "flat", category=category) if category else ModelFolder(folder)


def _verify_folder(folder: Path, category: str | None) -> int:
    faults, cache = 0, Cache()
    for asset in discover(model_folder(folder, category), folder.resolve().name).assets:
        settled = settle(asset, cache, IMPORTERS)
        faults += bool(settled.reason)
        detail = settled.reason or "; ".join(settled.warnings)
        click.echo(f"{'unusable' if settled.reason else 'good':<9} {asset.category:<12} {asset.id} {detail}".rstrip())
    return faults


def _verify_manifest(manifest: Manifest) -> int:
    faults, cache = 0, Cache()
    for entry in manifest.entries:
        if entry.url and not manifest.content(entry).exists():
            click.echo(f"{'to fetch':<9} {entry.name}")
            continue
        reason = _fault(manifest, entry, cache)
        faults += bool(reason)
        click.echo(f"{'unusable' if reason else 'good':<9} {entry.name} {reason}".rstrip())
    return faults


def _fault(manifest: Manifest, entry: Entry, cache: Cache) -> str:
    """The reason why an entry cannot be used, or an empty string."""
    path = manifest.path(entry)
    if not manifest.content(entry).exists():
        return f"does not exist at {entry.path}"
    if entry.sha256 and path.is_file() and sha256(path) != entry.sha256:
        return "has another sha256 than the manifest says"
    alone = Manifest(manifest.root, (entry,))
    if entry.kind == "model":
        return settle(alone.models()[0], cache, IMPORTERS).reason
    pictures = Pictures(alone, (), None, (), (), cache, KnownAssets(()))
    pictures.judge_all()
    return next(iter(pictures.rejected.values()), "")


@contextmanager
def _bars() -> Iterator[downloads.Progress]:
    """A progress bar for each download, if this is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, object] = {}

        def advance(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total)  # type: ignore[arg-type]

        yield advance

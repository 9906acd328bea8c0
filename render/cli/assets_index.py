"""The commands `assets index`, `assets list` and `assets show`: what reading all assets once has shown."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from render.catalogue import IMPORTERS, open_catalogue
from render.cli.assets import MANIFEST, READERS, model_folder
from render.cli.options import SET, progress, tell
from scenes.assets.catalogue import Catalogue
from scenes.assets.index import INDEX, Index, IndexEntry, write_index
from scenes.assets.manifest import Entry, Manifest, load_manifest
from scenes.config.loading import load_config
from scenes.config.objects import Config
from scenes.errors import InputError, choices
from scenes.machine import cores

_INDEX = click.option(
    "--index", "place", type=click.Path(path_type=Path), help="Ask this index, or the one in this folder."
)
_SHOWN = 5
"""Reasons that the summary names."""


@click.command()
@click.argument("what", metavar="FOLDER|CONFIG")
@click.option("--class", "category", help="The class of all models of FOLDER, if it has no class folders.")
@SET
@click.option("--out", type=click.Path(path_type=Path), help=f"The index. Default: {INDEX} in FOLDER, or here.")
@click.option("--workers", type=click.IntRange(1), help="Processes that read. Default: one for each core, up to 8.")
def index(what: str, category: str | None, overrides: tuple[str, ...], out: Path | None, workers: int | None) -> None:
    """Read, normalize and check all assets once, and write what was found into one file.

    FOLDER holds models. CONFIG is a .yaml file or a preset; its models, environment maps, textures and images are read.
    A run that was stopped goes on where it was. Files that cannot be used are in the index, with the reason. Files that
    are not looked into, such as copies of models in other formats, are told.

    Commands that draw use an index that lies in the folder of its assets, or that the variable BLENDMILL_INDEX names.
    They do not read a file that it knows to be of no use, unless the file has changed. The pictures stay the same.

    \b
    Example:
      blendmill assets index models
    """
    catalogue, place = _opened(what, category, overrides)
    place = out or place
    _require_writable(place)
    workers = workers or min(cores(), READERS)
    with progress("reading assets", None) as advance:
        entries = catalogue.entries(lambda done, total, name: advance(1, total), workers)
    write_index(place, entries)
    _summarize(place, entries)
    tell(catalogue, sum(not entry.reason for entry in entries))


@click.command("list")
@MANIFEST
@_INDEX
@click.option("--class", "category", help="Only this class.")
@click.option("--license", help="Only this license; an empty text finds what has none.")
@click.option("--larger", type=float, metavar="SIZE", help="Only models whose longest side is at least this.")
@click.option("--smaller", type=float, metavar="SIZE", help="Only models whose longest side is at most this.")
@click.option("--unusable", is_flag=True, help="Only what cannot be used, with the reason.")
@click.option("--reason", help="Only what cannot be used for a reason that has this text.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for machines: of an index, a line for each asset.")
def list_(
    manifest: Path, place: Path | None, category: str | None, license: str | None, larger: float | None,
    smaller: float | None, unusable: bool, reason: str | None, as_json: bool,
) -> None:  # fmt: skip
    """List the assets of a manifest, or with --index those of an index.

    For a manifest, it shows which files exist. All options but --manifest and --json need --index.

    \b
    Example:
      blendmill assets list --index models --class chair --larger 2
    """
    if place is None:
        if unusable or any(given is not None for given in (category, license, larger, smaller, reason)):
            raise InputError("only an index can be searched: give --index, or make one with `blendmill assets index`")
        _list_manifest(manifest, as_json)
        return
    conditions: dict[str, list[object]] = {}
    if category is not None:
        conditions["category = ?"] = [category]
    if license is not None:
        conditions["license = ?"] = [license]
    if unusable or reason is not None:
        conditions["reason <> ''"] = []
    if reason is not None:
        conditions["instr(reason, ?) > 0"] = [reason]
    with Index(_index_at(place)) as there:
        found = there.found(list(conditions), [value for values in conditions.values() for value in values])
        if not found and category is not None and category not in there.values("category"):
            raise InputError(f"{there.path}: has no class '{category}', {choices(category, there.values('category'))}")
    kept = [entry for entry in found if _fits(entry, larger, smaller)]
    for entry in kept:
        click.echo(entry.model_dump_json() if as_json else _line(entry))


@click.command()
@click.argument("ids", nargs=-1, required=True)
@_INDEX
def show(ids: tuple[str, ...], place: Path | None) -> None:
    """Show all that an index knows of some assets, as JSON.

    The index is that of --index, or else assets_index.sqlite of this folder.

    \b
    Example:
      blendmill assets show models/chair/armchair.glb --index models
    """
    with Index(_index_at(place or Path())) as there:
        for asset_id in ids:
            click.echo(json.dumps(there.entry(asset_id).model_dump(), indent=2, ensure_ascii=False))


def _opened(what: str, category: str | None, overrides: tuple[str, ...]) -> tuple[Catalogue, Path]:
    """The assets to read, and where their index is by default."""
    folder = Path(what)
    if folder.is_dir():
        if overrides:
            raise InputError("--set: a folder has no fields; give a config")
        return Catalogue(models=[model_folder(folder, category)], importers=IMPORTERS), folder / INDEX
    if category is not None:
        raise InputError(f"--class is for a folder, and {what} is none; the classes of a config are in its models")
    config = load_config(what, overrides)
    if not isinstance(config, Config):
        raise InputError(f"{what}: is a config of composed pictures, whose photographs need no index; give another")
    return open_catalogue(config), Path(INDEX)


def _require_writable(place: Path) -> None:
    """Raise InputError where an index cannot be put: that is better told before all is read."""
    folder = next(parent for parent in place.absolute().parents if parent.exists())
    if place.is_dir() or not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise InputError(f"{place}: cannot be written there; give another place with --out")


def _index_at(place: Path) -> Path:
    return place / INDEX if place.is_dir() else place


def _fits(entry: IndexEntry, larger: float | None, smaller: float | None) -> bool:
    if larger is None and smaller is None:
        return True
    longest = max(entry.extent) if entry.extent else None
    return longest is not None and (larger or 0) <= longest and (smaller is None or longest <= smaller)


def _line(entry: IndexEntry) -> str:
    """An entry in a line: never cut, so that ids can be copied."""
    state = "unusable" if entry.reason else "good"
    triangles = f"{entry.triangles:,}" if entry.triangles else "-"
    size = " x ".join(f"{side:.3g}" for side in entry.extent) if entry.extent else "-"
    detail = entry.reason or "; ".join(entry.warnings)
    words = (f"{state:<9} {entry.kind:<8} {entry.category or '-':<14} {triangles:>9}  {size:<24}", entry.id)
    return " ".join(filter(None, (*words, entry.license and f"({entry.license})", detail)))


def _list_manifest(manifest: Path, as_json: bool) -> None:
    known = load_manifest(manifest)
    columns = ("name", "kind", "class", "license", "state")
    rows = [(one.name, one.kind, one.category or "", one.license, _state(known, one)) for one in known.entries]
    if as_json:
        click.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], indent=1))
        return
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _state(manifest: Manifest, entry: Entry) -> str:
    return "here" if manifest.content(entry).exists() else "to fetch" if entry.url else "missing"


def _summarize(place: Path, entries: list[IndexEntry]) -> None:
    reasons = Counter(entry.reason for entry in entries if entry.reason)
    warned = sum(bool(entry.warnings) for entry in entries)
    click.echo(f"{place}: {len(entries)} files, {reasons.total()} cannot be used, {warned} with warnings")
    for reason, count in reasons.most_common(_SHOWN):
        click.echo(f"  {count} {reason}")
    if len(reasons) > _SHOWN:
        click.echo(f"  and {len(reasons) - _SHOWN} other reasons; `assets list --unusable` shows all")

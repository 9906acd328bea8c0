"""The commands `export` and `inspect`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from PIL import Image

from render.cli.options import WORKERS, counted, opened, write_png
from render.dataset.dataset import Dataset
from render.dataset.export import FORMATS, export_dataset
from render.dataset.inspect import inspect_dataset
from render.dataset.limits import Limits
from render.frame import Frame
from render.image.sheets import contact_sheet, label_sheet
from render.renderer import save_blend
from scenes.config.loading import validate
from scenes.errors import InputError
from scenes.outputs import written

_FOLDER = click.Path(path_type=Path)


@click.command()
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.argument("out", type=_FOLDER)
@click.option(
    "--format", "kind", type=click.Choice(list(FORMATS)),
    help="folder: torchvision's ImageFolder plus labels. coco: boxes, RLE masks, keypoints. webdataset: tars. "
    "s2rda: synthetic/<class>/ and list file. hdf5-per-image: BlenderProc's keys. masks: img/ and mask/ of 0 and 255. "
    "yolo, yolo-segment, yolo-pose: Ultralytics' labels. bop: 6D poses, models.",
)  # fmt: skip
@click.option(
    "--samples-per-tar",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Samples in one tar file of a webdataset.",
)
@click.option(
    "--min-share", type=click.FloatRange(0, 1), default=0.0,
    help="Leave out pictures in which the main object has a smaller share of the pixels than this.",
)  # fmt: skip
@click.option(
    "--max-clutter", type=click.FloatRange(min=0),
    help="Leave out pictures in which all clutter together has more than this many times the main object's pixels.",
)  # fmt: skip
@click.option("--blend", type=click.IntRange(0), metavar="INDEX", help="Write the scene of a picture as a .blend file.")
@WORKERS
def export(
    folder: Path, out: Path, kind: str | None, samples_per_tar: int, min_share: float, max_clutter: float | None,
    blend: int | None, workers: int | None,
) -> None:  # fmt: skip
    """Export a data set to a layout that other tools read.

    Reads the folder DIR and writes the new folder OUT. OUT appears when it is complete. If you run an interrupted
    command again, it goes on. If the same export exists already, nothing changes.

    \b
    Examples:
      blendmill export data coco_data --format coco
      blendmill export data scene.blend --blend 3
    """
    dataset = Dataset.open(folder)
    if blend is not None:
        _export_scene(dataset, blend, out)
        return
    if kind is None:
        raise InputError(f"export: give --format, one of {', '.join(FORMATS)}, or --blend with the index of a picture")
    limits = Limits(min_share, max_clutter)
    with counted(f"{kind} → {out}") as tell:
        new = export_dataset(dataset, out, kind, samples_per_tar, limits, workers=workers, tell=tell)
    click.echo(f"{out}: {dataset.count(limits)} pictures as {kind}" + ("" if new else ", there already"))


def _export_scene(dataset: Dataset, index: int, out: Path) -> None:
    if out.suffix != ".blend":
        raise InputError(f"{out}: a scene is a .blend file; give a name that ends in .blend")
    try:
        record = dataset.frame(index).scene
    except IndexError as error:
        raise InputError(f"--blend {index}: {error}") from None
    sampler = opened(validate(dataset.manifest.config, str(dataset.folder)))
    with written(out) as temporary:
        save_blend(sampler, record, temporary)
    click.echo(f"wrote {out}")


@click.command()
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option("--sheet", type=_FOLDER, help="Also write a PNG that shows pictures next to all their labels.")
@click.option("--pictures", type=click.IntRange(min=1, max=64), default=8, show_default=True, help="Rows of the sheet.")
@click.option("--contact", type=_FOLDER, help="Also write a PNG with up to 100 pictures, without labels.")
@click.option("--all", "everything", is_flag=True, help="Read all pictures of a large set, not a sample.")
@click.option("--full", is_flag=True, help="Also show the range and a histogram of every factor, and the assets.")
@click.option("--json", "as_json", is_flag=True, help="Write the whole summary as JSON, for machines.")
@click.pass_context
def inspect(
    context: click.Context, folder: Path, sheet: Path | None, pictures: int, contact: Path | None, everything: bool,
    full: bool, as_json: bool,
) -> None:  # fmt: skip
    """Summarize a data set: counts, label checks, factors, density.

    Of a set of over 2000 pictures it reads a sample, the same each time. Exits with 1 if a file is damaged or labels
    contradict each other.

    \b
    Example:
      blendmill inspect data --sheet labels.png
    """
    dataset = Dataset.open(folder)
    with counted("inspecting") as tell:
        report = inspect_dataset(dataset, tell, everything=everything)
    lines = list(report.lines)
    if as_json:
        click.echo(json.dumps(report.facts, indent=1))
    else:
        click.echo("\n".join(lines if full else _brief(lines)))
    if sheet is not None:
        _write(label_sheet(_spread(dataset, pictures), dataset.manifest.classes), sheet)
    if contact is not None:
        frames = list(_spread(dataset, 100))
        captions = [dataset.manifest.classes[f.label] if f.label >= 0 else str(f.index) for f in frames]
        _write(contact_sheet([frame.rgb for frame in frames], 8, captions), contact)
    context.exit(0 if report.sound else 1)


def _brief(lines: list[str]) -> list[str]:
    """What fits on a screen: all before the factors."""
    if "factors" not in lines:
        return lines
    end = lines.index("factors")
    return [*lines[:end], f"{len(lines) - end} more lines on factors and assets: --full"]


def _spread(dataset: Dataset, count: int) -> Iterator[Frame]:
    """Up to `count` frames, evenly from the first to the last that is there."""
    there = dataset.drawn()
    if not len(there):
        raise InputError(f"{dataset.folder}: no picture is there yet to put on a sheet; rerun the render command")
    chosen = np.unique(np.linspace(0, len(there) - 1, count).round().astype(int))
    return (dataset.frame(int(there[k])) for k in chosen)


def _write(image: Image.Image, path: Path) -> None:
    if path.suffix.lower() != ".png":
        raise InputError(f"{path}: a sheet is a PNG; give a name that ends in .png")
    write_png(image, path)
    click.echo(f"wrote {path}")

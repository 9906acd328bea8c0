"""The commands that make, measure and show sets of pictures with cracks. PyTorch is imported only when one needs it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from render.cli.options import SEED, progress, require_png, write_png
from render.image.sheets import side_by_side
from scenes.errors import InputError
from segment.cli.options import FOLDER, MASK_VALUE
from segment.sets import open_set
from segment.statistics.compare import Measured, as_json, measured, table


@click.command()
@click.argument("data", type=FOLDER)
@click.option("--styles", type=FOLDER, required=True, help="Folder of pictures whose look is copied.")
@click.option(
    "--vgg", type=FOLDER, required=True, help="Weights of VGG-19 with the names of torchvision, a .safetensors file."
)
@click.option("--out", type=FOLDER, required=True, help="Folder in which img/ and mask/ are written.")
@click.option("--images", type=click.IntRange(1), help="Number of pictures, evenly over the set. By default all.")
@click.option(
    "--strength",
    type=click.FloatRange(0, 1),
    default=0.7,
    show_default=True,
    help="How much of the look is copied: 0 nothing, 1 all.",
)
@click.option(
    "--steps", type=click.IntRange(1), default=30, show_default=True, help="Optimizer steps for each picture."
)
@SEED
@MASK_VALUE
def stylize(
    data: Path,
    styles: Path,
    vgg: Path,
    out: Path,
    images: int | None,
    strength: float,
    steps: int,
    seed: int,
    mask_value: int | None,
) -> None:
    """Give crack pictures the look of photographs (AdaIN).

    The masks of DATA stay the same.

    Pictures that already exist in OUT are skipped.

    Example: blendmill stylize cracks --styles photos --vgg vgg19.safetensors --out styled
    """
    from segment.styling import style_set

    with progress("styling", images) as advance:
        made = style_set(
            data,
            styles,
            vgg,
            out,
            images=images,
            strength=strength,
            steps=steps,
            seed=seed,
            mask_value=mask_value,
            advance=advance,
        )
    click.echo(f"{made} pictures in {out}")


@click.command()
@click.argument("photos", type=FOLDER)
@click.option(
    "--weights",
    type=FOLDER,
    multiple=True,
    required=True,
    help="Run or checkpoint of `segment train`. May be repeated.",
)
@click.option("--out", type=FOLDER, required=True, help="Folder in which the surfaces are written.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.02,
    show_default=True,
    help="A pixel counts as crack if any network gives it this probability or more.",
)
@click.option(
    "--smallest", type=click.IntRange(32), default=112, show_default=True, help="Least side of a surface, pixels."
)
def surfaces(photos: Path, weights: tuple[Path, ...], out: Path, threshold: float, smallest: int) -> None:
    """Cut the largest piece without cracks out of each photograph.

    The pieces of the PHOTOS are backgrounds for `crack compose`.

    Trained networks find the cracks, so no labels are needed. The networks may be trained on composed cracks. Surfaces
    that already exist in OUT are skipped.

    Example: blendmill surfaces photos --weights runs/cracks --out surfaces
    """
    from segment.clear_patches import cut_surfaces

    with progress("looking for surfaces", None) as advance:
        cut = cut_surfaces(photos, weights, out, threshold=threshold, smallest=smallest, advance=advance)
    for line in cut.left_out:
        click.echo(f"left out: {line}", err=True)
    click.echo(
        f"{cut.pieces} surfaces in {out}; {cut.without} photographs have no piece that is clear and large enough"
    )


@click.command("measure")
@click.argument("folder", metavar="SET", type=FOLDER)
@click.argument("other", metavar="[OTHER]", type=FOLDER, required=False)
@click.option("--out", type=FOLDER, help="Also write a figure, a PNG, with the distribution of each quantity.")
@click.option("--images", type=click.IntRange(1), help="Number of pictures of each set, evenly chosen. By default all.")
@click.option("--json", "as_data", is_flag=True, help="Print JSON instead of the table.")
@MASK_VALUE
def measure(
    folder: Path, other: Path | None, out: Path | None, images: int | None, as_data: bool, mask_value: int | None
) -> None:
    """Measure the cracks and the pictures of SET, and compare it with OTHER.

    A set is a data set of blendmill, a folder with img/ (or images/, …) and mask/ (or gt/, labels/, …), or a folder of
    pictures without masks. --mask-value is for SET. Without masks, only the pictures and their dark lines are measured.
    Dark lines stand in for cracks and are found in the same way in both sets.

    Example: blendmill crack measure cracks photos --out apart.png
    """
    require_png(out)
    if out is not None:
        # Only the figure needs matplotlib. It is imported before measuring, so that a missing package fails early.
        from segment.statistics.figure import figure, write_figure
    sets = [_measured(folder, images, mask_value)] + ([_measured(other, images, None)] if other else [])
    click.echo(json.dumps(as_json(sets), indent=1) if as_data else "\n".join(table(sets)))
    if out is not None:
        write_figure(figure(sets), out)
        click.echo(f"wrote {out}", err=True)


def _measured(folder: Path, images: int | None, mask_value: int | None) -> Measured:
    pictures = open_set(folder, mask_value)
    for line in pictures.notes:
        click.echo(f"note: {line}", err=True)
    chosen = pictures.spread(images)
    with progress(f"measuring {pictures.name}", len(chosen)) as advance:
        found = measured(pictures, chosen, advance)
    for line in found.left_out:
        click.echo(f"left out: {line}", err=True)
    return found


@click.command("sheet")
@click.argument("folder", metavar="SET", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="The PNG to write.")
@click.option("--beside", type=FOLDER, help="A second set to show next to SET, such as a folder of photographs.")
@click.option(
    "--images", type=click.IntRange(1, 400), default=64, show_default=True, help="Number of pictures of each set."
)
@click.option(
    "--cell",
    type=click.IntRange(16, 1024),
    default=160,
    show_default=True,
    help="Side of each picture in the sheet, pixels.",
)
def sheet(folder: Path, out: Path, beside: Path | None, images: int, cell: int) -> None:
    """Make a contact sheet of SET, next to photographs: can you see the difference?

    Pictures are chosen evenly from the first to the last. The square in the middle of each is shown.

    Example: blendmill crack sheet cracks --beside photos --out sheet.png
    """
    require_png(out)
    blocks = [_shown(each, images) for each in (folder, beside) if each is not None]
    write_png(side_by_side(blocks, columns=math.ceil(math.sqrt(images)), cell=cell), out)
    click.echo(f"wrote {out}")


def _shown(folder: Path, images: int) -> tuple[str, list[NDArray[np.uint8]]]:
    """The name of a set and some of its pictures. Raises InputError if none of them can be used."""
    pictures, shown, faults = open_set(folder, masks=False), [], []
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

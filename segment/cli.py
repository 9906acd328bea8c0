"""The commands of crack segmentation. PyTorch is imported only when a command needs it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from render.cli.options import SEED, SET, progress, require_png, write_png
from render.image.sheets import side_by_side
from scenes.errors import InputError
from scenes.outputs import written
from segment.sets import open_set
from segment.statistics.compare import Measured, as_json, measured, table
from training.parts import part, split_of

_FOLDER = click.Path(path_type=Path)


class _MaskValue(click.ParamType):
    """A number, decimal or with 0x."""

    name = "value"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> int:
        try:
            return int(str(value), 0)
        except ValueError:
            self.fail(f"'{value}' is not a number such as 255 or 0xff0000", param, context)


_MASK_VALUE = click.option(
    "--mask-value",
    type=_MaskValue(),
    help="Value of cracks in the masks: a gray value, an index of the palette, or a color 0xrrggbb. By default it is "
    "the one of two values that covers fewer pixels.",
)


@click.group()
def segment() -> None:
    """Train and evaluate networks that find cracks."""


_SETTINGS = click.argument("config")
_RUN = click.option("--out", type=_FOLDER, required=True, help="The run's folder.")
_SOURCE = click.option(
    "--source",
    metavar="DATA",
    multiple=True,
    help="Labeled pictures to learn from; repeat for more. By default CONFIG's.",
)
_TARGET = click.option(
    "--target", metavar="DATA", help="Pictures to adapt to. Their labels are not read. By default CONFIG's."
)
_DEVICE = click.option("--device", default="auto", show_default=True, help="Device to run on: auto, cpu or cuda.")
_THRESHOLD = click.option(
    "--threshold",
    type=click.FloatRange(0, 1, True, True),
    help="A pixel counts as crack from this probability on. By default the one that the run chose.",
)


@segment.command("train")
@_SETTINGS
@_SOURCE
@_RUN
@SET
def train_command(config: str, source: tuple[str, ...], out: Path, overrides: tuple[str, ...]) -> None:
    """Train a crack segmenter with the settings of CONFIG: a YAML file, or a preset (see `segment presets`).

    OUT becomes the folder of the run. It holds the config, a log (JSONL and TensorBoard), checkpoints, results.json and
    report.html. Ctrl-C saves a checkpoint and stops. The same command then resumes the run. On a CPU the resumed run
    ends with exactly the same weights as an uninterrupted one.

    Example: blendmill segment train cpu --source cracks --out runs/cracks --set seed=1
    """
    _train(config, source, None, None, out, overrides)


@segment.command("adapt")
@_SETTINGS
@click.option("--method", metavar="NAME", help="Adaptation method, such as dacs or hrda. By default CONFIG's.")
@_SOURCE
@_TARGET
@click.option("--weights", type=_FOLDER, help="Run, checkpoint or model to start from. By default CONFIG's.")
@_RUN
@SET
def adapt_command(
    config: str,
    method: str | None,
    source: tuple[str, ...],
    target: str | None,
    weights: Path | None,
    out: Path,
    overrides: tuple[str, ...],
) -> None:
    """Train a crack segmenter on labeled source pictures and adapt it to unlabeled target pictures.

    This is `segment train`, but the options replace the data and the method of CONFIG. DATA may end in @SPLIT to use a
    part of it, such as photos@adapt or photos@adapt/25%.

    Example: blendmill segment adapt hrda --source cracks --target photos --out runs/hrda
    """
    changes = [
        *([f"method={json.dumps(method)}"] if method else []),
        *([f"weights={json.dumps(str(weights))}"] if weights else []),
    ]
    _train(config, source, target, changes, out, overrides)


def _train(
    config: str,
    source: Sequence[str],
    target: str | None,
    changes: Sequence[str] | None,
    out: Path,
    overrides: Sequence[str],
) -> None:
    from segment.config import SegmentConfig
    from segment.presets import located
    from segment.task import Segmentation
    from training.config import load_config
    from training.run import execute

    given = list(overrides)
    if source:
        given.append(f"data.source=[{', '.join(map(part, source))}]")
    if target:
        given.append(f"data.target={part(target)}")
    loaded = load_config(SegmentConfig, located(config, bool(source)), [*given, *(changes or ())])
    if changes is not None and loaded.data.target is None:
        raise InputError(f"{config}: field data.target: names no pictures to adapt to: give --target")
    results = execute(Segmentation(), loaded, out)
    chosen, test = results["selected"], results["test"]
    figures = f"  IoU {test['iou']:.2%}, F1 within 2 px {test['f1_within_2_px']:.2%}" if test else ""
    if os.environ.get("RANK", "0") == "0":
        click.echo(f"{out}: step {chosen['step']}, {chosen['statement']}{figures}")


@segment.command("presets")
def presets_command() -> None:
    """List the presets for CONFIG of `segment train` and `segment adapt`, with what each is."""
    from segment.presets import described

    for name, text in described():
        click.echo(f"{name:<12} {text}")


@segment.command("evaluate")
@click.argument("run", type=_FOLDER)
@click.argument("data")
@click.option("--split", help="The part of DATA to use, such as test or all/25%. The same as DATA@SPLIT.")
@_THRESHOLD
@click.option("--out", type=_FOLDER, help="Also write all figures to this .json file.")
@_DEVICE
@_MASK_VALUE
def evaluate_command(
    run: Path,
    data: str,
    split: str | None,
    threshold: float | None,
    out: Path | None,
    device: str,
    mask_value: int | None,
) -> None:
    """Evaluate RUN on DATA. RUN is the folder of a run or a checkpoint. DATA are crack pictures with masks.

    Figures whose names begin with `oracle` are chosen by the labels of DATA: nobody has them in practice.

    Example: blendmill segment evaluate runs/cracks photos --out cracks.json
    """
    from segment.evaluate import evaluated

    where, part_of = (data, split) if split else split_of(data)
    figures = evaluated(run, where, part_of, threshold=threshold, device=device, mask_value=mask_value)
    if out is not None:
        with written(out) as temporary:
            temporary.write_bytes(json.dumps(figures, indent=1).encode())
    click.echo(f"{data}: {figures['pictures']} pictures")
    for name, value in figures.items():
        if value is None or isinstance(value, float):
            click.echo(f"  {name.replace('_', ' ')}  {'none' if value is None else f'{value:.4f}'}")


@segment.command("predict")
@click.argument("run", type=_FOLDER)
@click.argument("photos", type=_FOLDER)
@click.option("--out", type=_FOLDER, required=True, help="Folder for mask/, probability/ and overlay/.")
@_THRESHOLD
@_DEVICE
def predict_command(run: Path, photos: Path, out: Path, threshold: float | None, device: str) -> None:
    """Find the cracks in PHOTOS, pictures of any size. RUN is the folder of a run or a checkpoint.

    For each picture, OUT gets a mask (0 or 255), the probability of crack (0 to 255) and an overlay for the eye, as PNG
    of its size. Pictures that are already in OUT are skipped. Files that cannot be read are named and left out.

    Example: blendmill segment predict runs/cracks photos --out found
    """
    from segment.predict import predict_folder

    done = predict_folder(run, photos, out, threshold=threshold, device=device)
    for line in done.left_out:
        click.echo(f"left out: {line}", err=True)
    click.echo(f"{done.pictures} pictures in {out}, crack from probability {done.threshold:.2f} on")
    if done.note:
        click.echo(f"note: {done.note}", err=True)


@click.command()
@click.argument("data", type=_FOLDER)
@click.option("--styles", type=_FOLDER, required=True, help="Folder of pictures whose look is copied.")
@click.option(
    "--vgg", type=_FOLDER, required=True, help="Weights of VGG-19 with the names of torchvision, a .safetensors file."
)
@click.option("--out", type=_FOLDER, required=True, help="Folder in which img/ and mask/ are written.")
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
@_MASK_VALUE
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
@click.argument("photos", type=_FOLDER)
@click.option(
    "--weights",
    type=_FOLDER,
    multiple=True,
    required=True,
    help="Run or checkpoint of `segment train`. May be repeated.",
)
@click.option("--out", type=_FOLDER, required=True, help="Folder in which the surfaces are written.")
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
@click.argument("folder", metavar="SET", type=_FOLDER)
@click.argument("other", metavar="[OTHER]", type=_FOLDER, required=False)
@click.option("--out", type=_FOLDER, help="Also write a figure, a PNG, with the distribution of each quantity.")
@click.option("--images", type=click.IntRange(1), help="Number of pictures of each set, evenly chosen. By default all.")
@click.option("--json", "as_data", is_flag=True, help="Print JSON instead of the table.")
@_MASK_VALUE
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
@click.argument("folder", metavar="SET", type=_FOLDER)
@click.option("--out", type=_FOLDER, required=True, help="The PNG to write.")
@click.option("--beside", type=_FOLDER, help="A second set to show next to SET, such as a folder of photographs.")
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

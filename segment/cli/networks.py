"""The commands that train networks and use them. PyTorch is imported only when a command needs it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from render.cli.options import SET
from scenes.errors import InputError
from scenes.outputs import written
from segment.cli.options import FOLDER, MASK_VALUE, SCALES
from training.parts import part, split_of


@click.group()
def segment() -> None:
    """Train and evaluate networks that find cracks or many classes."""


_SETTINGS = click.argument("config")
_RUN = click.option("--out", type=FOLDER, required=True, help="The run's folder.")
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
    """Train a segmenter with the settings of CONFIG: a YAML file, or a preset (see `segment presets`).

    It finds cracks. With `classes: all` or a list of names it learns the classes of a data set of blendmill, or of a
    folder like Cityscapes, ADE20K, COCO, or img/ and mask/ with numbers.

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
@click.option("--weights", type=FOLDER, help="Run, checkpoint or model to start from. By default CONFIG's.")
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
    """Train a segmenter on labeled source pictures and adapt it to unlabeled target pictures.

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
    if not test:
        figures = ""
    elif "classes" in test:
        figures = f"  mean IoU {test['mean_iou'] or 0:.2%}, mean boundary IoU {test['mean_boundary_iou'] or 0:.2%}"
    else:
        figures = f"  IoU {test['iou']:.2%}, F1 within 2 px {test['f1_within_2_px']:.2%}"
    if os.environ.get("RANK", "0") == "0":
        click.echo(f"{out}: step {chosen['step']}, {chosen['statement']}{figures}")


@segment.command("presets")
def presets_command() -> None:
    """List the presets for CONFIG of `segment train` and `segment adapt`, with what each is."""
    from segment.presets import described

    for name, text in described():
        click.echo(f"{name:<12} {text}")


@segment.command("evaluate")
@click.argument("run", type=FOLDER)
@click.argument("data", nargs=-1, required=True)
@click.option("--split", help="The part of each DATA to use, such as test or all/25%. The same as DATA@SPLIT.")
@_THRESHOLD
@SCALES
@click.option("--out", type=FOLDER, help="Also write all figures to this .json file.")
@click.option("--mm", type=click.FloatRange(0, min_open=True), help="Side of a pixel, mm: widths also in mm.")
@_DEVICE
@MASK_VALUE
def evaluate_command(
    run: Path,
    data: tuple[str, ...],
    split: str | None,
    threshold: float | None,
    scales: tuple[float, ...] | None,
    out: Path | None,
    mm: float | None,
    device: str,
    mask_value: int | None,
) -> None:
    """Evaluate RUN on DATA. RUN is the folder of a run or a checkpoint. DATA are pictures with masks.

    Of several DATA, the file has a list. Figures whose names begin with `oracle` are chosen by the labels of DATA:
    nobody has them in practice.

    Example: blendmill segment evaluate runs/cracks photos --out cracks.json
    """
    from segment.evaluate import evaluated

    found = []
    for each in data:
        where, part_of = (each, split) if split else split_of(each)
        figures = evaluated(
            run, where, part_of, threshold=threshold, scales=scales, device=device, mask_value=mask_value, mm=mm
        )
        found.append(figures)
        _tell(each, figures)
    if out is not None:
        with written(out) as temporary:
            temporary.write_bytes(json.dumps(found[0] if len(found) == 1 else found).encode())


def _tell(data: str, figures: dict[str, Any]) -> None:
    """Print the figures of one set."""
    click.echo(f"{data}: {figures['pictures']} pictures")
    if "classes" in figures:
        from segment.classes.evaluation import lines

        for line in lines(figures):
            click.echo(f"  {line}")
        return
    for name, value in figures.items():
        if value is None or isinstance(value, float):
            click.echo(f"  {name.replace('_', ' ')}  {'none' if value is None else f'{value:.4f}'}")


@segment.command("predict")
@click.argument("run", type=FOLDER)
@click.argument("photos", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="Folder for mask/, probability/ and overlay/.")
@_THRESHOLD
@SCALES
@_DEVICE
def predict_command(
    run: Path, photos: Path, out: Path, threshold: float | None, scales: tuple[float, ...] | None, device: str
) -> None:
    """Find the cracks or classes in PHOTOS, pictures of any size. RUN is the folder of a run or a checkpoint.

    For each picture, OUT gets a mask (0 or 255), the probability of crack (0 to 255) and an overlay for the eye, as PNG
    of its size. Of many classes, the mask has their numbers and a palette, classes.txt their names, and the probability
    is that of the likeliest class. Pictures that are already in OUT are skipped. Files that cannot be read are named
    and left out.

    Example: blendmill segment predict runs/cracks photos --out found
    """
    from segment.predict import predict_folder

    done = predict_folder(run, photos, out, threshold=threshold, scales=scales, device=device)
    for line in done.left_out:
        click.echo(f"left out: {line}", err=True)
    at = "" if done.threshold is None else f", crack from probability {done.threshold:.2f} on"
    click.echo(f"{done.pictures} pictures in {out}{at}")
    if done.note:
        click.echo(f"note: {done.note}", err=True)

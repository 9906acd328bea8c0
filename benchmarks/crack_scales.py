"""Crack segmenters on photographs at three sizes and of several surfaces, and what predicting at several scales gives.

    python -m benchmarks.crack_scales --photos SET --work DIR NAME=RUN,RUN,… [NAME=…] [--scales 1 --scales 0.5,0.7,1]

SET is what `benchmarks.crack_marks` makes. Runs of one NAME differ in their seeds alone. Each photograph is taken at
half, at once and at 1.8 times its size, and its mask with it. A figure is the crack IoU over all photographs of one
surface at one size, at the threshold 0.5, or at the best one for the size (oracle); then the geometric mean of the nine
figures of a run. Counts of pixels stay in --work, and the same command again goes on with what is missing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import gmean

from benchmarks.common import table
from benchmarks.crack_marks import read_marks
from segment.cli.options import Sizes
from segment.inference import at_scales
from segment.levels import normalized
from segment.load import load_method
from segment.methods.supervised import Supervised
from segment.metrics import THRESHOLDS
from segment.sets import open_set
from training.progress import Progress

SIZES = (0.5, 1.0, 1.8)
"""Of the photographs."""
SURFACES = ("pavement", "concrete", "plaster")
_HALF = int(np.abs(THRESHOLDS - 0.5).argmin())

Counts = NDArray[np.int64]
"""(photographs, sizes, thresholds, 3): the pixels that are crack and predicted, that are predicted, that are crack."""


def resized(rgb: NDArray[np.uint8], mask: NDArray[np.bool_], size: float) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """A photograph (h, w, 3) and its mask (h, w) at another size. A pixel is crack if half of it is."""
    if size == 1:
        return rgb, mask
    method = cv2.INTER_AREA if size < 1 else cv2.INTER_CUBIC
    small = cv2.resize(rgb, None, fx=size, fy=size, interpolation=method)
    share = cv2.resize(mask.astype(np.float32), small.shape[1::-1], interpolation=min(method, cv2.INTER_AREA))
    return small, share >= 0.5


@torch.inference_mode()
def counted(method: Supervised, photos: Path, asked: Sequence[Sequence[float]]) -> list[Counts]:
    """The counts of a method for each of the tuples of scales. Logits of a scale are computed once."""
    pictures = open_set(photos)
    found = np.zeros((len(asked), pictures.size, len(SIZES), len(THRESHOLDS), 3), np.int64)
    alone = sorted({scale for scales in asked for scale in scales})
    with Progress("photograph", pictures.size, every=2) as progress:
        for k in range(pictures.size):
            picture = pictures.read(k)
            assert picture.mask is not None
            for j, size in enumerate(SIZES):
                rgb, mask = resized(picture.rgb, picture.mask, size)
                images = normalized(torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))[None])
                logits = {scale: at_scales(method.predict, images, (scale,))[0].numpy() for scale in alone}
                for i, scales in enumerate(asked):
                    mean = np.mean([logits[scale] for scale in scales], axis=0)
                    found[i, k, j] = counts(1 / (1 + np.exp(-mean)), mask)
            progress.update(k + 1)
    return list(found)


def counts(probability: NDArray[np.floating], mask: NDArray[np.bool_]) -> Counts:
    """(thresholds, 3) pixels that are crack and predicted, that are predicted, and that are crack."""
    everywhere, inside = np.sort(probability, axis=None), np.sort(probability[mask])
    predicted, both = (len(values) - np.searchsorted(values, THRESHOLDS) for values in (everywhere, inside))
    return np.stack([both, predicted, np.full_like(both, mask.sum())], axis=-1)


def figures(of: Counts, surfaces: Sequence[str]) -> dict[str, float]:
    """Of one run: the geometric mean at the threshold 0.5 and at the oracle's, and IoU by size and by surface."""
    nine = np.stack([of[[each == name for each in surfaces]].sum(0) for name in SURFACES])
    both, predicted, real = np.moveaxis(nine, -1, 0)
    iou = both / (predicted + real - both)
    best = iou.mean(0).argmax(-1)
    oracle = np.take_along_axis(iou, best[None, :, None], 2)[..., 0]
    at = iou[..., _HALF]
    return {
        "mean at 0.5": float(gmean(at, axis=None)),
        "mean at best": float(gmean(oracle, axis=None)),
        **{f"size {size:g}": float(gmean(at[:, j])) for j, size in enumerate(SIZES)},
        **{f"best at {size:g}": float(THRESHOLDS[best[j]]) for j, size in enumerate(SIZES)},
        **{name: float(gmean(at[i])) for i, name in enumerate(SURFACES)},
    }


def kept(run: Path, photos: Path, asked: Sequence[tuple[float, ...]], work: Path) -> list[Counts]:
    """The counts of a run, read from `work` if they are there."""
    paths = [work / f"{run.name}@{','.join(f'{scale:g}' for scale in scales)}.json" for scales in asked]
    missing = [k for k, path in enumerate(paths) if not path.is_file()]
    if missing:
        click.echo(str(run), err=True)
        made = counted(load_method(run, torch.device("cpu")), photos, [asked[k] for k in missing])
        for k, one in zip(missing, made, strict=True):
            paths[k].write_text(json.dumps(one.tolist()))
    return [np.array(json.loads(path.read_text())) for path in paths]


@click.command()
@click.argument("given", nargs=-1, required=True)
@click.option("--photos", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--scales", type=Sizes(), multiple=True, default=["1"], help="Sizes that are averaged, such as 0.5,1.")
@click.option("--work", type=click.Path(path_type=Path), required=True)
def main(given: tuple[str, ...], photos: Path, scales: tuple[tuple[float, ...], ...], work: Path) -> None:
    torch.set_num_threads(1)
    work.mkdir(parents=True, exist_ok=True)
    marks = {Path(name).stem: mark["surface"] for name, mark in read_marks().items()}
    surfaces = [marks[Path(name).stem] for name in open_set(photos).names]
    rows, header = [], ["runs", "scales"]
    for name, runs in (each.split("=") for each in given):
        found = [kept(Path(run), photos, scales, work) for run in runs.split(",")]
        for k, asked in enumerate(scales):
            each = [figures(run[k], surfaces) for run in found]
            header[2:] = each[0]
            columns = ([one[column] for one in each] for column in each[0])
            cells = (f"{np.mean(values):.3f} [{min(values):.3f} to {max(values):.3f}]" for values in columns)
            rows.append([f"{name}, {len(each)}", ",".join(f"{scale:g}" for scale in asked), *cells])
    click.echo(table(header, rows))


if __name__ == "__main__":
    main()

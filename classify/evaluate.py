"""Evaluate a checkpoint on labeled pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from classify import lacking
from classify.config import ImagesConfig
from classify.datasets import open_part
from classify.evaluation import answers, outputs
from classify.lacking import Seen
from classify.load import load_method
from classify.task import pipeline
from scenes.outputs import written
from training.batches import plain
from training.data.loader import Loader
from training.data.pictures import ImageDataset
from training.data.windows import Fit
from training.devices import device_of
from training.method import Batch
from training.progress import Progress


def evaluate_on(
    where: Path,
    data: Sequence[tuple[str, str]],
    *,
    batch: int,
    device: str,
    out: Path | None,
    fit: Fit | None = None,
    gaps: Path | None = None,
    learned: tuple[str, str] | None = None,
) -> str:
    """Evaluate a run or checkpoint on labeled sets of pictures. Returns a table.

    data: the sets, each with its split. out: also write the figures there as JSON, with the label and the prediction
    of each picture: an object, or for several sets a list of objects. fit: how pictures become squares; None for the
    way of the run. gaps: also write a page there that says what the pictures lack that the run learned from; then the
    pictures of a set may be without labels. learned: a set and its split, in place of those pictures.
    """
    on = device_of(device)
    method, config, classes = load_method(where, on)
    config = config if fit is None else config.model_copy(update={"fit": fit})
    made = pipeline(config)

    def seen(pictures: ImageDataset, title: str) -> Seen:
        loader = Loader(pictures, batch, made.collate, workers=config.data.workers, order="sequential", cache=0)
        places: list[int] = []
        given = outputs(method, _counted(plain(loader, made.plain, on), len(pictures), title, places))
        return Seen(pictures, given, np.array(places))

    renders = None if gaps is None else seen(lacking.learned(config, learned, classes), "looking at renders")
    tables, found, missed = [], [], []
    for place, split in data:
        pictures = open_part(ImagesConfig(where=place, split=split), classes, needed=gaps is None)
        photos = seen(pictures, "evaluating")
        table = f"{pictures.name}: {len(pictures)} pictures (fit: {config.fit})"
        given = photos.outputs
        if (given.labels >= 0).any():
            figures = answers(given, classes)
            table = "\n".join([table, *_figures(figures)])
            found.append(figures | {"checkpoint": str(where), "data": place, "split": split, "fit": config.fit})
        if renders is not None:
            with Progress("measuring", len(renders.places) + len(photos.places), every=2.0) as progress:
                missed.append(
                    lacking.lacking(renders, photos, classes, lambda done, _: progress.update(done, "pictures"))
                )
            table = f"{table}\n{lacking.text(missed[-1])}"
        tables.append(table)
    if gaps is not None:
        lacking.write(missed, where.resolve().name, gaps)
    if out is not None:
        with written(out) as temporary:
            temporary.write_text(json.dumps(found[0] if len(found) == 1 else found, indent=1))
    return "\n".join(tables)


def _counted(batches: Iterable[Batch], total: int, title: str, places: list[int]) -> Iterator[Batch]:
    """Yield the batches, show the progress, and note the places of the pictures."""
    with Progress(title, total, every=2.0) as progress:
        progress.update(0, "pictures")
        for batch in batches:
            yield batch
            places += batch.indices.tolist()
            progress.update(len(places), "pictures")


def _figures(figures: dict[str, Any]) -> list[str]:
    named = {key: value for key, value in figures.items() if isinstance(value, int | float)}
    return [f"  {key.replace('_', ' ')}  {value:.4f}" for key, value in named.items()]

"""Evaluate a checkpoint on labeled pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from classify.config import ImagesConfig
from classify.datasets import open_part
from classify.evaluation import evaluation, outputs
from classify.load import load_method
from classify.task import pipeline
from scenes.outputs import written
from training.batches import plain
from training.data.loader import Loader
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
) -> str:
    """Evaluate a run or checkpoint on labeled sets of pictures. Returns a table.

    data: the sets, each with its split. out: also write the figures there as JSON, with the label and the prediction
    of each picture: an object, or for several sets a list of objects. fit: how pictures become squares; None for the
    way of the run.
    """
    on = device_of(device)
    method, config, classes = load_method(where, on)
    config = config if fit is None else config.model_copy(update={"fit": fit})
    made = pipeline(config)
    tables, found = [], []
    for place, split in data:
        pictures = open_part(ImagesConfig(where=place, split=split), classes)
        loader = Loader(pictures, batch, made.collate, workers=config.data.workers, order="sequential", cache=0)
        given = outputs(method, _counted(plain(loader, made.plain, on), len(pictures)))
        figures = evaluation(given, classes)
        tables.append(_table(figures, pictures.name, len(pictures), config.fit))
        told = {"checkpoint": str(where), "data": place, "split": split, "fit": config.fit}
        each = {"labels": given.labels.tolist(), "predicted": given.logits.argmax(1).tolist()}
        found.append(figures | told | each)
    if out is not None:
        with written(out) as temporary:
            temporary.write_text(json.dumps(found[0] if len(found) == 1 else found, indent=1))
    return "\n".join(tables)


def _counted(batches: Iterable[Batch], total: int) -> Iterator[Batch]:
    """Yield the batches and show the progress."""
    done = 0
    with Progress("evaluating", total, every=2.0) as progress:
        progress.update(done, "pictures")
        for batch in batches:
            yield batch
            done += len(batch.targets)
            progress.update(done, "pictures")


def _table(figures: dict[str, Any], name: str, count: int, fit: Fit) -> str:
    lines = [f"{name}: {count} pictures (fit: {fit})"]
    for key, value in figures.items():
        if isinstance(value, int | float):
            lines.append(f"  {key.replace('_', ' ')}  {value:.4f}")
    return "\n".join(lines)

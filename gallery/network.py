"""Features of a run's network, for the map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from classify.evaluation import outputs
from classify.load import load_method
from classify.task import pipeline
from gallery.sets import Chosen
from training.batches import plain
from training.data.loader import Loader
from training.data.sources import open_pictures

_BATCH = 64


def network_features(run: Path, sets: Sequence[Chosen], tell: Callable[[int, int], object]) -> NDArray[np.float16]:
    """The inputs of the head of a classifier's selected checkpoint, (N, d) float16, for all pictures of the sets.

    run: the folder of a run, or a checkpoint. tell: is called with the number of pictures that are done, and of all.

    Raises InputError where the run is not one of classification, or a picture cannot be read.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    method, config, _ = load_method(run, device)
    made = pipeline(config)
    total, parts, done = sum(len(one.indices) for one in sets), [], 0
    for one in sets:
        pictures = open_pictures(one.where, labels=False)
        loader = Loader(pictures, _BATCH, made.collate, workers=0, order="sequential", cache=0)
        for batch in plain(loader, made.plain, device):
            parts.append(outputs(method, [batch]).features.numpy().astype(np.float16))
            done += len(parts[-1])
            tell(done, total)
    return np.concatenate(parts)

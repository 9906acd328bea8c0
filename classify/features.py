"""What a classifier's network sees in pictures: the features, and its predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from classify.evaluation import Outputs, outputs
from classify.load import load_method
from classify.task import pipeline
from training.batches import plain
from training.data.loader import Loader
from training.data.pictures import ImageDataset

_BATCH = 64


@dataclass(frozen=True)
class Seen:
    """What the network sees in the n pictures that can be read.

    places: (n,) int64, their places among those that were given, ascending. features: (n, d) float32, the inputs of the
    head. probabilities: (n, k) float32 of the network's classes.
    """

    places: NDArray[np.int64]
    features: NDArray[np.float32]
    probabilities: NDArray[np.float32]


class Eye:
    """The selected checkpoint of a run, or a checkpoint. Raises InputError where it is none of classification.

    classes: of the network, in the order of its outputs. config: of the run.
    """

    def __init__(self, run: Path):
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._method, self.config, self.classes = load_method(run, self._device)
        self._pipeline = pipeline(self.config)

    def batches(self, pictures: ImageDataset) -> Iterator[tuple[NDArray[np.int64], Outputs]]:
        """What the network says of the pictures in their order, batch by batch: their places (n,), and the outputs.

        Raises InputError where too many pictures cannot be read; a few are left out.
        """
        loader = Loader(pictures, _BATCH, self._pipeline.collate, workers=0, order="sequential", cache=0)
        for batch in plain(loader, self._pipeline.plain, self._device):
            yield batch.indices.cpu().numpy(), outputs(self._method, [batch])

    def look(self, pictures: ImageDataset, advance: Callable[[int], object] = lambda count: None) -> Seen:
        """What the network sees in pictures, in their order. advance: is called with the size of each batch.

        A few pictures that cannot be read are left out: `Seen.places` says which were read. Raises InputError where too
        many cannot.
        """
        parts = []
        for places, found in self.batches(pictures):
            parts.append((places, found.features.numpy(), found.logits.softmax(1).numpy()))
            advance(len(places))
        places, features, probabilities = (np.concatenate(each) for each in zip(*parts, strict=True))
        return Seen(places, features.astype(np.float32), probabilities.astype(np.float32))

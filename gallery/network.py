"""Features of a run's network, for the map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classify.features import Eye
from gallery.sets import Chosen
from training.data.sources import open_pictures


def network_features(run: Path, sets: Sequence[Chosen], tell: Callable[[int, int], object]) -> NDArray[np.float16]:
    """The inputs of the head of a classifier's selected checkpoint, (N, d) float16, for all pictures of the sets.

    run: the folder of a run, or a checkpoint. tell: is called with the number of pictures that are done, and of all.

    Raises InputError where the run is not one of classification, or a picture cannot be read.
    """
    eye, done, total = Eye(run), 0, sum(len(one.indices) for one in sets)

    def advance(count: int) -> None:
        nonlocal done
        done += count
        tell(done, total)

    parts = [eye.look(open_pictures(one.where, labels=False), advance).features.astype(np.float16) for one in sets]
    return np.concatenate(parts)

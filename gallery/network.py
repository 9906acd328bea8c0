"""What a classifier says of the pictures of a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classify.config import ClassifyConfig
from classify.datasets import open_part
from classify.features import Eye
from classify.load import TASK
from gallery.judging import UNKNOWN, Judged, Told
from gallery.sets import Chosen
from training.data.pictures import chosen
from training.data.sources import open_pictures

__all__ = ["TASK", "judged"]


def judged(run: Path, sets: Sequence[Chosen], wanted: NDArray[np.bool_], tell: Told) -> Judged:
    """What the selected checkpoint of a classifier's run says; features are the inputs of its head.

    run: the folder of a run, or a checkpoint. wanted: (N,), the pictures to look at. Raises InputError where more than
    5 % of the pictures of a set cannot be read.
    """
    eye, count, done = Eye(run), len(wanted), 0
    config, classes = eye.config, eye.classes
    truths = [_truth(one, config, classes, wanted[one.first : one.first + len(one.indices)]) for one in sets]
    truth, tested = (np.concatenate(part) for part in zip(*truths, strict=True))
    predicted, confidence = np.full(count, UNKNOWN), np.full(count, np.nan, np.float32)
    features: NDArray[np.float16] | None = None
    for one in sets:
        places = np.flatnonzero(wanted[one.first : one.first + len(one.indices)])
        if not len(places):
            continue
        pictures = chosen(one.pictures(), places, "on the page")
        for indices, found in eye.batches(pictures):
            at = one.first + places[indices]
            if features is None:
                features = np.full((count, found.features.shape[1]), np.nan, np.float16)
            features[at] = found.features.numpy()
            sure, likely = found.logits.softmax(1).max(1)
            predicted[at], confidence[at] = likely.numpy(), sure.numpy()
            done += len(at)
            tell(done, int(wanted.sum()))
    assert features is not None, "no picture is wanted"
    known = (truth >= 0) & (predicted >= 0)
    score = np.where(known, predicted == truth, np.nan).astype(np.float32)
    return Judged(
        run=run.resolve().name,
        trained=(", ".join(Path(part.where).name for part in config.data.source), config.method, config.model),
        classes=classes,
        features=features,
        truth=truth,
        predicted=predicted,
        score=score,
        confidence=confidence,
        tested=tested,
        mistake=np.where(score == 0, confidence, 0),
        unit="accuracy",
    )


def _truth(
    one: Chosen, config: ClassifyConfig, classes: tuple[str, ...], wanted: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The classes of the pictures of a set, -1 where unknown; and which of them the run was tested on.

    Of photographs, only the test ones have a class here: nobody should choose data by the labels of the others.
    """
    tested = np.zeros(len(wanted), bool)
    if not wanted.any():
        return np.full(len(wanted), UNKNOWN), tested
    pictures = one.pictures() if one.photos else open_pictures(one.where)
    codes = [classes.index(name) if name in classes else UNKNOWN for name in pictures.classes]
    truth = np.array([*codes, UNKNOWN])[pictures.labels]
    test = config.data.test
    if test is not None and Path(test.where).resolve() == one.where.resolve():
        part = open_part(test, classes)
        known = {part.key(k): int(part.labels[k]) for k in range(len(part))}
        for k in range(len(pictures)):
            if (label := known.get(pictures.key(k))) is not None:
                truth[k], tested[k] = label, True
    return truth, tested

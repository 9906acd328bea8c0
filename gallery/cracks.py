"""What a segmenter says of the pictures of a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gallery.judging import UNKNOWN, Judged, Told
from gallery.sets import Chosen
from render.dataset.manifest import MANIFEST
from scenes.errors import InputError
from segment.datasets import LabeledPictures, open_part
from segment.layouts import layout_of
from segment.load import TASK, load
from segment.masks import looks_like_mask
from segment.models import probabilities

__all__ = ["TASK", "judged"]


def judged(run: Path, sets: Sequence[Chosen], wanted: NDArray[np.bool_], tell: Told) -> Judged:
    """What the selected checkpoint of a segmenter's run says, at the threshold that the run chose.

    The features of a picture are the means of the inputs of the network's head. The score is the IoU of the cracks of
    a picture of data.test that has one. confidence: the mean probability of the pixels that are found. wanted: (N,),
    the pictures to look at. Raises InputError where the run segments many classes.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    method, config, threshold, classes = load(run, device)
    if len(classes) > 1:
        raise InputError(f"{run}: segments {len(classes)} classes; a page tells the worth of runs of cracks alone")
    test = open_part(config.data.test) if config.data.test else None
    count, done, features = len(wanted), 0, None
    score, confidence = np.full(count, np.nan, np.float32), np.full(count, np.nan, np.float32)
    tested = np.zeros(count, bool)
    seen: list[torch.Tensor] = []
    hook = method.network.head.register_forward_pre_hook(lambda _, given: seen.append(given[0].mean(dim=(0, 2, 3))))
    try:
        for one in sets:
            pictures, masks = one.pictures(), _masks(one, test)
            for k in range(len(pictures)):
                place = one.first + k
                tested[place] = pictures.key(k) in masks
                if not wanted[place]:
                    continue
                done += 1
                tell(done, int(wanted.sum()))
                try:
                    picture = pictures.read(k)
                except InputError:
                    continue  # the page shows its reason
                seen.clear()
                found = probabilities(method, picture, config.window)
                means = torch.stack(seen).mean(0).float().cpu().numpy()
                if features is None:
                    features = np.full((count, len(means)), np.nan, np.float16)
                features[place] = means
                crack = found >= threshold
                confidence[place] = found[crack].mean() if crack.any() else 0
                if tested[place]:
                    assert test is not None
                    score[place] = _iou(crack, test.read(masks[pictures.key(k)]).mask)
    finally:
        hook.remove()
    assert features is not None, "no picture is wanted"
    return Judged(
        run=run.resolve().name,
        trained=(", ".join(Path(part.where).name for part in config.data.source), config.method, config.model),
        classes=classes,
        features=features,
        truth=np.zeros(count, np.int64),
        predicted=np.full(count, UNKNOWN),
        score=score,
        confidence=confidence,
        tested=tested,
        mistake=np.nan_to_num(1 - score),
        unit="mean IoU of a picture",
    )


def _masks(one: Chosen, test: LabeledPictures | None) -> dict[str, int]:
    """The places in the test pictures of those that a set on the page has, by their keys there."""
    if test is None:
        return {}
    where, pictures = Path(test.name), one.pictures()
    places = {part.names[k]: place for place, (part, k) in enumerate(test.entries)}
    if (where / MANIFEST).is_file():
        same = where.resolve() == one.where.resolve()
        return {key: places[key] for key in map(pictures.key, range(len(pictures))) if same and key in places}
    names = {path.resolve(): name for name, path in layout_of(where, looks_like_mask).pictures.items()}
    found = {}
    for k in range(len(pictures)):
        if (name := names.get(Path(pictures.where(k)).resolve())) in places:
            found[pictures.key(k)] = places[name]
    return found


def _iou(crack: NDArray[np.bool_], mask: NDArray[np.bool_] | None) -> float:
    """IoU of the cracks; NaN where the picture has none."""
    if mask is None or not mask.any():
        return np.nan
    return float((crack & mask).sum() / (crack | mask).sum())

"""What a segmenter says of the pictures of a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gallery.judging import UNKNOWN, Judged, Told, ious
from gallery.sets import Chosen
from render.dataset.manifest import MANIFEST
from scenes.errors import InputError
from segment.classes.layouts import found_in
from segment.classes.metrics import mean_of, score_classes
from segment.datasets import Classes, LabeledPictures, open_part
from segment.load import TASK, Loaded, load
from segment.models import probabilities
from segment.network import Segmenter
from segment.sets import Picture, pictures_in
from segment.tree import listed

__all__ = ["TASK", "judged"]


def judged(run: Path, sets: Sequence[Chosen], wanted: NDArray[np.bool_], tell: Told) -> Judged:
    """What the selected checkpoint of a segmenter's run says: of cracks, at the threshold that the run chose.

    The features of a picture are the means of the inputs of the network's head. The score is the IoU of the cracks of
    a picture of data.test that has one; of many classes the mean IoU of those that are there or found. confidence: the
    mean probability of the pixels that are found as cracks, or of all pixels. wanted: (N,), the pictures to look at.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    loaded = load(run, device)
    method, config, _, classes = loaded
    many = len(classes) > 1
    named = Classes(classes, classes, config.ignore, config.colors) if many else None
    test = open_part(config.data.test, classes=named) if config.data.test else None
    count, done, features = len(wanted), 0, None
    pixels = np.zeros((count, len(classes), 3), np.int64)
    score, confidence = np.full(count, np.nan, np.float32), np.full(count, np.nan, np.float32)
    tested = np.zeros(count, bool)
    seen: list[torch.Tensor] = []
    # Of a method with a teacher, it is the teacher that predicts.
    networks = [module for module in method.modules() if isinstance(module, Segmenter)]
    hooks = [
        network.head.register_forward_pre_hook(lambda _, given: seen.append(given[0].mean(dim=(0, 2, 3))))
        for network in networks
    ]
    try:
        for one in sets:
            pictures, masks = one.pictures(), _masks(one, test, named)
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
                found = probabilities(method, picture, config.inference)
                means = torch.stack(seen).mean(0).float().cpu().numpy()
                if features is None:
                    features = np.full((count, len(means)), np.nan, np.float16)
                features[place] = means
                confidence[place] = _confidence(found, loaded)
                if tested[place]:
                    assert test is not None
                    pixels[place] = _pixels(found, test.read(masks[pictures.key(k)]), loaded)
                    score[place] = _score(pixels[place])
    finally:
        for hook in hooks:
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
        pixels=pixels if many else None,
    )


def _masks(one: Chosen, test: LabeledPictures | None, classes: Classes | None) -> dict[str, int]:
    """The places in the test pictures of those that a set on the page has, by their keys there. classes: None for
    cracks."""
    if test is None:
        return {}
    where, pictures = Path(test.name), one.pictures()
    places = {part.names[k]: place for place, (part, k) in enumerate(test.entries)}
    if (where / MANIFEST).is_file():
        same = where.resolve() == one.where.resolve()
        return {key: places[key] for key in map(pictures.key, range(len(pictures))) if same and key in places}
    files = pictures_in(where) if classes is None else found_in(listed(where), *classes[1:]).pictures
    names = {path.resolve(): name for name, path in files.items()}
    found = {}
    for k in range(len(pictures)):
        if (name := names.get(Path(pictures.where(k)).resolve())) in places:
            found[pictures.key(k)] = places[name]
    return found


def _confidence(found: NDArray[np.float32], loaded: Loaded) -> float:
    """found: the probabilities of a picture, as `segment.models.probabilities` has them."""
    if len(loaded.classes) > 1:
        return float(found.max(0).mean())
    crack = found >= loaded.threshold
    return float(found[crack].mean()) if crack.any() else 0.0


def _pixels(found: NDArray[np.float32], truth: Picture, loaded: Loaded) -> NDArray[np.int64]:
    """(k, 3), of each class the pixels of both prediction and truth, of the prediction, and of the truth.

    Of a picture without labels all are 0.
    """
    if len(loaded.classes) > 1:
        if truth.ids is None:
            return np.zeros((len(loaded.classes), 3), np.int64)
        table = score_classes(found.argmax(0).astype(np.uint8), truth.ids, len(loaded.classes)).confusion
        return np.stack([table.diagonal(), table.sum(0), table.sum(1)], axis=1)
    if truth.mask is None:
        return np.zeros((1, 3), np.int64)
    crack = found >= loaded.threshold
    return np.array([[(crack & truth.mask).sum(), crack.sum(), truth.mask.sum()]])


def _score(pixels: NDArray[np.int64]) -> float:
    """The mean IoU of the classes of a picture; NaN without labels, and where a picture of cracks has none."""
    if len(pixels) == 1 and not pixels[0, 2]:
        return np.nan
    return mean_of(ious(pixels))

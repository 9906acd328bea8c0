"""What the pictures that a run learned from lack: the looks of photographs that lie outside of what was rendered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classify import figures
from classify.config import ClassifyConfig, ImagesConfig
from classify.datasets import open_part
from classify.evaluation import Outputs
from scenes.errors import InputError
from training.data.pictures import ImageDataset, chosen, joined
from training.gaps import DISTANCE, ClassGaps, Gap, class_gaps, distances
from training.looks import LOOKS, looks
from training.report import filled, save

_RENDERS = 2000
"""Renders that are compared, evenly among all."""
_SHOWN, _SIDE = 8, 72
"""Classes that are told in the terminal; pixels of the short side of a picture on the page."""


class Seen(NamedTuple):
    """Pictures and what a network says of them. places: (n,) int64, those of the outputs among the pictures."""

    pictures: ImageDataset
    outputs: Outputs
    places: NDArray[np.int64]


class Lacking(NamedTuple):
    """gaps: by class. Their places are those of renders, then photographs, in the order of the outputs. labeled:
    whether classes are those of labels; else those that the network says."""

    gaps: list[ClassGaps]
    renders: Seen
    photos: Seen
    labeled: bool


def learned(config: ClassifyConfig, given: tuple[str, str] | None, classes: tuple[str, ...]) -> ImageDataset:
    """Up to 2,000 of the pictures that a run learned from. given: another set and its split. Raises InputError."""
    if given is None and config.data.regime == "stream":
        raise InputError("--gaps: the run learned from a stream, which is kept nowhere; give --learned DATA")
    parts = config.data.source if given is None else (ImagesConfig(where=given[0], split=given[1]),)
    pictures = joined([open_part(part, classes) for part in parts])
    places = np.arange(len(pictures))[:: -(-len(pictures) // _RENDERS)]
    return chosen(pictures, places, "compared")


def lacking(renders: Seen, photos: Seen, classes: tuple[str, ...], tell: Callable[[int, int], object]) -> Lacking:
    """Compare photographs with renders. tell: is called with the number of pictures that are measured, and of all."""
    count = len(renders.places) + len(photos.places)
    measures = {name: np.full(count, np.nan, np.float32) for name in LOOKS}
    is_photo, place = np.arange(count) >= len(renders.places), 0
    for seen in (renders, photos):
        for picture in seen.places.tolist():
            for name, value in looks(seen.pictures.read(picture)).items():
                measures[name][place] = value
            place += 1
            tell(place, count)
    features = np.concatenate([renders.outputs.features.numpy(), photos.outputs.features.numpy()])
    measures[DISTANCE] = distances(features, np.flatnonzero(is_photo), np.flatnonzero(~is_photo))
    truth, said = photos.outputs.labels.numpy(), photos.outputs.logits.argmax(1).numpy()
    labeled = bool((truth >= 0).any())
    label = np.concatenate([renders.outputs.labels.numpy(), truth if labeled else said])
    score = np.full(count, np.nan)
    score[is_photo] = np.where(truth >= 0, said == truth, np.nan)
    found = class_gaps(measures, classes, label, is_photo, ~is_photo, score, features)
    return Lacking(found, renders, photos, labeled)


def text(found: Lacking) -> str:
    """The gaps of the classes that fail most, in words."""
    told = [one for one in found.gaps if one.gaps]
    lines = ["  what the renders lack:" if told else "  what the renders lack: nothing that is measured"]
    for one in told[:_SHOWN]:
        lines += [f"    {_head(one)}", *(f"      {gap.sentence()}" for gap in one.gaps)]
    return "\n".join(lines + [f"    and of {len(told) - _SHOWN} more classes"] * (len(told) > _SHOWN))


def write(found: Sequence[Lacking], name: str, out: Path) -> None:
    """Write the gaps with pictures of both sides as one HTML file. name: of the run."""
    sets = [
        {
            "name": one.photos.pictures.name,
            "labeled": one.labeled,
            "renders": len(one.renders.places),
            "classes": [
                {"head": _head(each), "gaps": [_shown(one, gap) for gap in each.gaps]} for each in one.gaps if each.gaps
            ],
        }
        for one in found
    ]
    save(filled("classify", "gaps.html", name=f"what {name} has not seen", sets=sets), out)


def _head(one: ClassGaps) -> str:
    return f"{one.name}: {one.pictures} photographs" + (f", recall {one.score:.0%}" if one.score is not None else "")


def _shown(found: Lacking, gap: Gap) -> dict[str, object]:
    return {
        "sentence": gap.sentence(),
        "photos": [_png(found, place) for place in gap.worst],
        "renders": [_png(found, place) for place in gap.nearest],
    }


def _png(found: Lacking, place: int) -> bytes:
    count = len(found.renders.places)
    seen, own = (found.renders, place) if place < count else (found.photos, place - count)
    return figures.picture(seen.pictures.read(int(seen.places[own]), _SIDE))

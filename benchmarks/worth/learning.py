"""What a classifier learns from a part of a set: a linear one, on the features of a network that stays as it is.

The network is EfficientNet-Lite0, trained on ImageNet (`benchmarks/lite0.py`). Photographs are made as small as the
renders, and all pictures are then shown to it at twice their size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from classify.methods.linear import fitted
from classify.network import Network
from classify.validators import information, neighborhood_density, nuclear_norm
from scenes.outputs import written
from training.data.pictures import ImageDataset
from training.data.splits import share_of

SIDE, SHOWN, BATCH = 64, 128, 64
"""Side of all pictures, renders and photographs, in pixels; the side at which the network sees them; how many at a
time."""
STRENGTH = 0.1
"""C of scikit-learn's LogisticRegression. Chosen among 0.0003 to 1 by renders alone."""
SCORES: dict[str, Callable[[torch.Tensor], float]] = {
    "BNM": nuclear_norm,
    "IM": information,
    "SND": neighborhood_density,
}
"""Scores of a classifier from its logits of photographs, without their labels. Higher is better."""
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Described:
    """Pictures as the network sees them. features: (n, 1280) float32. labels: (n,) int64. keys: name each picture."""

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    keys: Sequence[str]

    def part(self, share: float, seed: int) -> NDArray[np.bool_]:
        """(n,) bool, True for a share of the pictures of each class. A smaller part is within a larger one."""
        taken = np.zeros(len(self.labels), bool)
        for label in np.unique(self.labels):
            members = np.flatnonzero(self.labels == label)
            taken[members] = share_of([self.keys[place] for place in members], share, seed)
        return taken


def described(pictures: ImageDataset, kept: Path, network: Network) -> Described:
    """The features of a set. The file `kept` keeps them; it is used again while the set has as many pictures."""
    features = np.load(kept, allow_pickle=False) if kept.exists() else np.empty((0, 0), np.float32)
    if len(features) != len(pictures):
        features = _features(pictures, network)
        with written(kept) as temporary, temporary.open("wb") as file:
            np.save(file, features)
    return Described(features, pictures.labels, [pictures.key(i) for i in range(len(pictures))])


def _features(pictures: ImageDataset, network: Network) -> NDArray[np.float32]:
    parts = []
    for begin in range(0, len(pictures), BATCH):
        click.echo(f"{pictures.name}: features of {begin} of {len(pictures)} pictures", err=True)
        shown = [_shown(pictures.read(i, SIDE)) for i in range(begin, min(begin + BATCH, len(pictures)))]
        with torch.inference_mode():
            parts.append(network.features(torch.from_numpy(np.stack(shown))).numpy())
    return np.concatenate(parts)


def _shown(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A picture (h, w, 3) uint8, whole and before gray, as the network takes it: (3, SHOWN, SHOWN) float32."""
    scale = SIDE / max(picture.shape[:2])
    width, height = (max(1, round(scale * side)) for side in (picture.shape[1], picture.shape[0]))
    square = np.full((SIDE, SIDE, 3), 128, np.uint8)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    square[top : top + height, left : left + width] = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    large = cv2.resize(square, (SHOWN, SHOWN), interpolation=cv2.INTER_LINEAR)
    return ((large / 255 - _MEAN) / _STD).transpose(2, 0, 1).astype(np.float32)


@dataclass(frozen=True)
class Said:
    """What a classifier said. photos, held_out: whether each picture was recognized, (n,) bool. scores: by name, those
    that need no labels, on photographs of another half."""

    photos: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Exam:
    """What classifiers are tested on: photographs, renders that none has learned from, photographs without labels."""

    photos: Described
    held_out: Described
    unlabeled: Described


def learned(source: Described, part: NDArray[np.bool_], tests: Exam) -> Said:
    """What a classifier says that learned from a part of a set, (n,) bool."""
    slopes, offsets = fitted(source.features[part], source.labels[part], int(source.labels.max()) + 1, STRENGTH)

    def logits(pictures: Described) -> NDArray[np.float64]:
        return pictures.features @ slopes.T + offsets

    unlabeled = torch.from_numpy(logits(tests.unlabeled))
    return Said(
        logits(tests.photos).argmax(1) == tests.photos.labels,
        logits(tests.held_out).argmax(1) == tests.held_out.labels,
        {name: score(unlabeled) for name, score in SCORES.items()},
    )

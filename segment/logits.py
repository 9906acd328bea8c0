"""How the logits of a network are read, and what their labels are.

Cracks are one class: logits (n, h, w), and labels (n, h, w) float, 1 on cracks and 0 elsewhere. k classes exclude each
other: logits (n, k, h, w), and labels (n, h, w) int64, the number of the class, or IGNORED. For networks that tell
objects apart, labels also have the number of the object: `with_objects` adds it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, logsigmoid

from segment.ignored import IGNORED


def many(logits: Tensor) -> bool:
    """Whether logits are those of classes that exclude each other."""
    return logits.ndim == 4


def chances(logits: Tensor) -> Tensor:
    """Probabilities, shaped like the logits: of cracks, or of each class."""
    logits = logits.float()
    return logits.softmax(1) if many(logits) else logits.sigmoid()


class Likeliest(NamedTuple):
    """chances: (n, h, w) float, the probability of the likeliest class. labels: (n, h, w), that class."""

    chances: Tensor
    labels: Tensor


def likeliest(logits: Tensor) -> Likeliest:
    """The likeliest class of each pixel."""
    logits = logits.float()
    if many(logits):
        return Likeliest(*logits.softmax(1).max(1))
    # p of the likelier class is sigmoid(|logit|).
    return Likeliest(logits.abs().sigmoid(), (logits > 0).float())


def costs(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy (n, h, w) of each pixel; 0 where the label is IGNORED."""
    if many(logits):
        return cross_entropy(logits, labels, ignore_index=IGNORED, reduction="none")
    return binary_cross_entropy_with_logits(logits, labels, reduction="none")


def doubt(logits: Tensor) -> Tensor:
    """Entropy (n, h, w) of each pixel's probabilities, as a share of the largest one: 1 where all are alike."""
    logits = logits.float()
    if many(logits):
        return -(logits.softmax(1) * logits.log_softmax(1)).sum(1) / math.log(logits.shape[1])
    chance = logits.sigmoid()
    return -(chance * logsigmoid(logits) + (1 - chance) * logsigmoid(-logits)) / math.log(2)


def spread(values: Tensor, logits: Tensor) -> Tensor:
    """Values (n, h, w) in a shape that multiplies with logits."""
    return values[:, None] if many(logits) else values


def as_maps(logits: Tensor) -> Tensor:
    """Logits as (n, k, h, w), where k is 1 for cracks."""
    return logits if many(logits) else logits[:, None]


def from_maps(maps: Tensor) -> Tensor:
    """The inverse of `as_maps`."""
    return maps if maps.shape[1] > 1 else maps[:, 0]


def with_objects(ids: Tensor, objects: Tensor) -> Tensor:
    """Labels, int64, of classes 0 to 255 and of objects, which are 0 where there is none."""
    return ids.long() + objects.long() * 256


def classes_in(labels: Tensor) -> Tensor:
    """The classes in labels, with or without objects."""
    return labels % 256


def counted(labels: Tensor, classes: int) -> Tensor:
    """(classes,) float64, the number of pixels of each class in labels."""
    labels = classes_in(labels)
    return torch.bincount(labels[labels != IGNORED], minlength=classes).double()

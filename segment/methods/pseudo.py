"""Labels that a network gives to pictures without labels, and how much each pixel of them counts."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from segment.logits import chances, likeliest, many

Weighing = Literal["pixel", "batch"]
Portion = Annotated[float | None, Field(gt=0, le=1)]
"""Share of the pixels of each class that get a label; None for a threshold that all classes share."""


class Pseudo(NamedTuple):
    """labels: (n, h, w), see `segment.logits`. weights: (n, h, w) float, 0 to 1."""

    labels: Tensor
    weights: Tensor


def pseudo_labels(
    logits: Tensor, threshold: float, weighing: Weighing = "pixel", portion: float | None = None
) -> Pseudo:
    """The likeliest class of each pixel, from logits (n, h, w) or (n, k, h, w).

    A pixel is sure if its class has at least the probability `threshold`. With a `portion`, the labels are those of
    `class_balanced` instead. With the weighing `pixel`, sure pixels have the weight 1 and all others 0. With `batch`,
    all pixels have the share of sure ones as weight (DACS, Tranheden et al. 2021, eq. 4). For cracks this share is near
    1 whatever the network knows, because background is easy.
    """
    if portion is None:
        chance, labels = likeliest(logits.detach())
        sure = (chance >= threshold).float()
    else:
        labels, sure = class_balanced(logits.detach(), portion)
    weights = sure if weighing == "pixel" else sure.mean().expand_as(sure)
    return Pseudo(labels, weights)


def class_balanced(logits: Tensor, portion: float) -> Pseudo:
    """Labels of the surest `portion` of the pixels of each class, and weights 1 for them and 0 for all others.

    One threshold for all classes leaves few labels of rare ones, because a network is less sure of these. So each class
    has its own: the probability that the `portion` of the pixels with this likeliest class reach in the batch. The
    label is the class whose probability is the largest multiple of its threshold, and it is sure from 1 on (Zou et al.,
    ECCV 2018, eq. 8; their thresholds are those of all pictures of the target).
    """
    found = chances(logits)
    each = found if many(logits) else torch.stack([1 - found, found], 1)
    chance, labels = each.max(1)
    thresholds = each.new_ones(each.shape[1])
    for k in range(len(thresholds)):
        own = chance[labels == k].sort(descending=True).values
        if count := int(len(own) * portion):
            thresholds[k] = own[count - 1]
    multiple, balanced = (each / thresholds[:, None, None]).max(1)
    return Pseudo(balanced if many(logits) else balanced.float(), (multiple >= 1).float())


def cut_mix(images: Tensor, *maps: Tensor, least: float = 0.02, most: float = 0.4) -> list[Tensor]:
    """Replace a box in each picture by the same box of the picture at the mirrored place of the batch.

    images: (n, 3, h, w). maps: (n, …, h, w) each, changed alike. The box covers a share between `least` and `most` of
    the picture and has sides in the ratio 0.3 to 1/0.3 (Yun et al. 2019, arXiv 1905.04899; the ranges are those of
    UniMatch and SENSE). Each picture has its own box. Draws from torch's global generator.
    """
    inside = torch.stack([_box(images.shape[-2], images.shape[-1], least, most) for _ in images]).to(images.device)
    mixed = [torch.where(inside[:, None], images.flip(0), images)]
    return mixed + [
        torch.where(inside.view(len(inside), *[1] * (values.ndim - 3), *inside.shape[1:]), values.flip(0), values)
        for values in maps
    ]


def _box(height: int, width: int, least: float, most: float) -> Tensor:
    """(h, w) bool, True in a random box that lies inside."""
    share, shape = least + (most - least) * float(torch.rand(())), 0.3 ** (2 * float(torch.rand(())) - 1)
    tall = min(height, max(1, round((share * height * width / shape) ** 0.5)))
    wide = min(width, max(1, round((share * height * width * shape) ** 0.5)))
    top, left = (int(torch.randint(room + 1, ())) for room in (height - tall, width - wide))
    inside = torch.zeros(height, width, dtype=torch.bool)
    inside[top : top + tall, left : left + wide] = True
    return inside

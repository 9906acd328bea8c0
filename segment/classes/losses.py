"""The losses of k classes that exclude each other. All take logits (n, k, h, w) float and labels (n, h, w) int64.

They return a Tensor (). Pixels with the label IGNORED count nowhere. `dice`, `lovasz` and `boundary` are means over the
classes that the batch shows: one that is not there has no region to overlap with.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from segment.distances import signed_distances
from segment.ignored import IGNORED
from segment.logits import costs, counted


def entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy."""
    return costs(logits, labels).sum() / (labels != IGNORED).sum().clamp(min=1)


def balanced(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy in which each class of the batch weighs alike: the mean over them of their mean cross-entropy."""
    each = costs(logits, labels)
    counts = counted(labels, logits.shape[1]).to(each)
    sums = each.new_zeros(logits.shape[1]).index_add(0, labels[labels != IGNORED], each[labels != IGNORED])
    there = counts > 0
    return (sums[there] / counts[there]).sum() / there.sum().clamp(min=1)


def focal(logits: Tensor, labels: Tensor, gamma: float = 2.0) -> Tensor:
    """Mean of (1 - p)^gamma times the cross-entropy, p that of the true class (Lin et al. 2017, eq. 4)."""
    each = costs(logits, labels)
    return (-torch.expm1(-each)).pow(gamma).mul(each).sum() / (labels != IGNORED).sum().clamp(min=1)


def ohem(logits: Tensor, labels: Tensor, sure: float = 0.7, kept: float = 1 / 16) -> Tensor:
    """Mean cross-entropy of the hard pixels (Shrivastava et al. 2016; SENSE's code), as `segment.losses.ohem`."""
    each = costs(logits, labels)[labels != IGNORED]
    if not len(each):
        return logits.sum() * 0
    count = max(1, int(kept * len(each)))
    least = torch.minimum(each.detach().topk(count).values[-1], each.new_tensor(-math.log(sure)))
    return each[each.detach() >= least].mean()


def dice(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over the classes of the soft Dice loss (Milletari et al. 2016, arXiv 1606.04797, eq. 2)."""
    chances, truth, there = _regions(logits, labels)
    overlap = 2 * (chances * truth).sum(0) + 1
    return _mean(1 - overlap / (chances.sum(0) + truth.sum(0) + 1), there)


def lovasz(logits: Tensor, labels: Tensor) -> Tensor:
    """Lovász-Softmax: a convex bound of 1 - mIoU of the batch (Berman et al. 2018, arXiv 1705.08790, eq. 12)."""
    chances, truth, there = _regions(logits, labels)
    errors, order = (truth - chances).abs().sort(0, descending=True)
    truth = truth.gather(0, order)
    missed = truth.sum(0) - truth.cumsum(0)
    jaccard = 1 - missed / (truth.sum(0) + (1 - truth).cumsum(0))
    steps = torch.cat([jaccard[:1], jaccard.diff(dim=0)])
    return _mean((errors * steps).sum(0), there)


def boundary(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over the classes of that of probability times signed distance to the class's border, pixels (Kervadec et al.
    2019, eq. 5). It may be negative. It is meant to be added to a loss of regions such as `dice`."""
    chances, truth, there = _regions(logits, labels)
    inside = labels != IGNORED
    distances = torch.stack([signed_distances(labels == k).to(chances)[inside] for k in range(logits.shape[1])], 1)
    return _mean((chances * distances).sum(0) / max(1, len(truth)), there)


def _regions(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Probabilities and truth (p, k) of the p pixels that count, and whether each class is there (k,) bool."""
    inside = labels != IGNORED
    chances = logits.float().softmax(1).movedim(1, -1)[inside]
    truth = torch.nn.functional.one_hot(labels[inside], logits.shape[1]).to(chances)
    return chances, truth, truth.any(0) if len(truth) else truth.new_zeros(logits.shape[1], dtype=torch.bool)


def _mean(each: Tensor, there: Tensor) -> Tensor:
    return (each * there).sum() / there.sum().clamp(min=1)

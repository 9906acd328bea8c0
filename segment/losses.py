"""The losses of cracks. All take logits (n, h, w) float and masks (n, h, w) float, and return a Tensor ().

A mask is 1 on cracks and 0 elsewhere. `dice` and `lovasz` count all pixels of the batch together: a crop without a
crack would make them meaningless alone. Those of many classes, of the same names, are in `segment.classes.losses`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid, relu

from segment.classes import losses as class_losses
from segment.distances import signed_distances
from segment.logits import many


def entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """Mean binary cross-entropy."""
    return binary_cross_entropy_with_logits(logits, masks)


def weighted_entropy(logits: Tensor, masks: Tensor, weights: Tensor) -> Tensor:
    """Binary cross-entropy, each pixel times its weight (n, h, w), divided by the number of all pixels."""
    return binary_cross_entropy_with_logits(logits, masks, weights)


def dice(logits: Tensor, masks: Tensor) -> Tensor:
    """Soft Dice loss (Milletari et al. 2016, arXiv 1606.04797, eq. 2), with 1 added to numerator and denominator."""
    probabilities = logits.sigmoid()
    overlap = 2 * (probabilities * masks).sum() + 1
    return 1 - overlap / (probabilities.sum() + masks.sum() + 1)


def balanced(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy in which cracks and the rest of the batch weigh alike (Xie and Tu 2015, arXiv 1504.06375, eq. 2).

    With the share c of crack pixels, crack pixels have the weight 1 - c and the others c. The sum is divided by the
    number of pixels.
    """
    share = masks.mean()
    return weighted_entropy(logits, masks, torch.where(masks > 0, 1 - share, share))


def focal(logits: Tensor, masks: Tensor, gamma: float = 2.0, alpha: float = 0.25) -> Tensor:
    """Mean focal loss, -a (1 - p)^gamma log p of the true class (Lin et al. 2017, arXiv 1708.02002, eq. 5).

    a is alpha on cracks and 1 - alpha elsewhere.
    """
    signed = torch.where(masks > 0, logits, -logits)
    scale = torch.where(masks > 0, alpha, 1 - alpha)
    return -(scale * (-signed).sigmoid() ** gamma * logsigmoid(signed)).mean()


def ohem(logits: Tensor, masks: Tensor, sure: float = 0.7, kept: float = 1 / 16) -> Tensor:
    """Mean cross-entropy of the hard pixels (Shrivastava et al. 2016; SENSE's code).

    A pixel is hard if its true class has a probability of at most `sure`. At least the share `kept` of all pixels, the
    hardest, is used.
    """
    costs = binary_cross_entropy_with_logits(logits, masks, reduction="none").flatten()
    # The cost of a pixel is -log of the probability of its true class, so the k costliest are the k hardest.
    count = max(1, int(kept * costs.numel()))
    least = torch.minimum(costs.detach().topk(count).values[-1], costs.new_tensor(-np.log(sure)))
    return costs[costs.detach() >= least].mean()


def lovasz(logits: Tensor, masks: Tensor) -> Tensor:
    """Lovász hinge: a convex bound of 1 - IoU of the batch (Berman et al. 2018, arXiv 1705.08790, algorithm 1)."""
    flat, truth = logits.flatten().float(), masks.flatten()
    errors, order = (1 - flat * (2 * truth - 1)).sort(descending=True)
    truth = truth[order]
    missed = truth.sum() - truth.cumsum(0)
    jaccard = 1 - missed / (truth.sum() + (1 - truth).cumsum(0))
    steps = torch.cat([jaccard[:1], jaccard.diff()])
    return (relu(errors) * steps).sum()


def boundary(logits: Tensor, masks: Tensor) -> Tensor:
    """Mean of probability times signed distance to the crack's border, in pixels (Kervadec et al. 2019, eq. 5).

    The distance is negative on cracks; in a crop without one, it counts as 1. The loss may be negative. It is meant to
    be added to a loss of regions such as `dice`.
    """
    return (logits.sigmoid() * signed_distances(masks > 0).to(logits)).mean()


Loss = Callable[[Tensor, Tensor], Tensor]

LOSSES: Mapping[str, Loss] = {
    "entropy": entropy,
    "balanced": balanced,
    "ohem": ohem,
    "focal": focal,
    "dice": dice,
    "lovasz": lovasz,
    "boundary": boundary,
}
"""The losses of cracks by their names in configs."""

CLASS_LOSSES: Mapping[str, Loss] = {
    "entropy": class_losses.entropy,
    "balanced": class_losses.balanced,
    "ohem": class_losses.ohem,
    "focal": class_losses.focal,
    "dice": class_losses.dice,
    "lovasz": class_losses.lovasz,
    "boundary": class_losses.boundary,
}
"""Those of many classes."""


def weighed(weights: Mapping[str, float]) -> Loss:
    """The sum of some losses, each times its weight: of cracks or of many classes, as the logits are."""

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        chosen = CLASS_LOSSES if many(logits) else LOSSES
        return torch.stack([weight * chosen[name](logits, labels) for name, weight in weights.items()]).sum()

    return loss


def dice_and_entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """Binary cross-entropy plus soft Dice loss.

    The sum of `entropy` and `dice`.

    Parameters
    ----------
    logits : Tensor (n, h, w) float
        The network's outputs before the sigmoid.
    masks : Tensor (n, h, w) float
        1 on cracks, 0 elsewhere.

    Returns
    -------
    Tensor ()
        The loss, 0 or more.

    Examples
    --------
    >>> import torch
    >>> from blendmill import dice_and_entropy
    >>> masks = torch.tensor([[[0.0, 1.0]]])
    >>> round(dice_and_entropy(20 * masks - 10, masks).item(), 3)
    0.0
    """
    return entropy(logits, masks) + dice(logits, masks)

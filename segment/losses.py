"""The loss of crack segmenters."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def dice_and_entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """Binary cross-entropy plus soft Dice loss.

    The Dice loss is computed over the whole batch (Milletari et al. 2016, arXiv 1606.04797, eq. 2, with 1 added to
    numerator and denominator).

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
    probabilities = logits.sigmoid()
    overlap = 2 * (probabilities * masks).sum() + 1
    return binary_cross_entropy_with_logits(logits, masks) + 1 - overlap / (probabilities.sum() + masks.sum() + 1)

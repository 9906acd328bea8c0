"""What a crack segmenter minimizes."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def dice_and_entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """(): binary cross-entropy plus soft Dice loss over the batch (Milletari et al. 2016, arXiv 1606.04797, eq. 2).

    logits, masks: (n, h, w) float; masks of 0 and 1.
    """
    probabilities = logits.sigmoid()
    overlap = 2 * (probabilities * masks).sum() + 1
    return binary_cross_entropy_with_logits(logits, masks) + 1 - overlap / (probabilities.sum() + masks.sum() + 1)

"""FixMatch: confident predictions on weakly augmented pictures are labels for strongly augmented ones."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from classify.methods.base import Method
from scenes.section import Section
from training.method import Batch, Unlabeled


def confident(strong: Tensor, weak: Tensor, threshold: float) -> Tensor:
    """Cross-entropy () of `strong` with the predicted classes of `weak`, for predictions surer than `threshold`.

    1/n sum_i [max_c p_i(c) > threshold] H(argmax p_i, softmax strong_i) with p = softmax(weak), without gradient to
    `weak`. n counts all pictures, not only the confident ones. Sohn et al., FixMatch, NeurIPS 2020, eq. 4. strong,
    weak: (n, k) logits.
    """
    confidence, labels = weak.detach().softmax(1).max(1)
    return (cross_entropy(strong, labels, reduction="none") * (confidence > threshold)).mean()


class FixMatch(Method):
    """Source cross-entropy and `confident`. Batch norm treats source, weak and strong pictures apart."""

    class Settings(Section):
        """threshold: least confidence of a label. weight: weight of the target term."""

        threshold: float = 0.9
        weight: float = 1.0

    settings: Settings

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        with torch.no_grad():
            weak = self.network(target.images).logits
        strong = self.network(target.strong).logits
        return {
            "source": cross_entropy(self.network(source.images).logits, source.targets),
            "consistency": self.settings.weight * confident(strong, weak, self.settings.threshold),
        }

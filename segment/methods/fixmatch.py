"""FixMatch with CutMix: sure predictions on weakly augmented pictures are labels for strongly augmented, mixed ones."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from segment.methods.pseudo import Portion, cut_mix, pseudo_labels
from segment.methods.supervised import Supervised
from training.method import Batch, Unlabeled
from training.norms import evaluating


class FixMatch(Supervised):
    """The loss on the source, and cross-entropy with the network's own labels on the target.

    Sohn et al., FixMatch, NeurIPS 2020, eq. 4, for pixels; CutMix as in UniMatch (Yang et al., CVPR 2023).
    """

    class Settings(Supervised.Settings):
        """threshold: least probability of a label. portion: instead, the surest pixels of each class are labeled, this
        share of them. weight: of the target term."""

        threshold: float = Field(default=0.95, ge=0.5, le=1)
        portion: Portion = None
        weight: float = Field(default=1.0, ge=0)

    settings: Settings

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        chosen = self.settings
        labels, weights = pseudo_labels(self._labeling(target.images), chosen.threshold, portion=chosen.portion)
        images, labels, weights = cut_mix(target.strong, labels, weights)
        consistency = chosen.weight * self.cost(images, labels, weights)
        return {**super().losses(source, target, progress), "consistency": consistency}

    def _labeling(self, images: Tensor) -> Tensor:
        """The network's logits (n, …, h, w) of images (n, 3, h, w), without gradient.

        Batch norm uses its running statistics, as in prediction. Those of a few small crops differ from them.
        """
        with evaluating(self.network), torch.no_grad():
            return self.network(images).float()

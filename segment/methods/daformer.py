"""DAFormer: DACS, and features of cracks or things that stay near those of the network at the start."""

from __future__ import annotations

from copy import deepcopy

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from scenes.section import Section
from segment.logits import as_maps
from segment.losses import Loss, dice_and_entropy
from segment.methods.dacs import DACS
from segment.network import Segmenter, fitted
from training.method import Batch, Unlabeled


def feature_distance(features: Tensor, initial: Tensor, masks: Tensor, share: float) -> Tensor:
    """Mean distance () of features (n, c, h', w') to `initial` at places of which one class covers at least `share`.

    Hoyer et al., DAFormer, CVPR 2022, eqs. 9 to 12. masks: (n, k, h, w), 1 on each of k classes, or (n, h, w), 1 on
    cracks. The paper's share is 0.75, for large things; no crack covers that much of a place of 32 pixels. 0 if there
    is no such place.
    """
    height, width = features.shape[-2:]
    there = (adaptive_avg_pool2d(as_maps(masks).float(), (height, width)) >= share).any(1)
    distances = torch.linalg.vector_norm(features.float() - initial.detach().float(), dim=1)
    return (distances * there).sum() / there.sum().clamp(min=1)


class DAFormer(DACS):
    """DACS with `feature_distance`. It needs a network that starts from weights: see the field `weights`.

    Rare-class sampling belongs to the crops: see `AugmentConfig.crack`.
    """

    initial: Segmenter

    class Settings(DACS.Settings):
        """distance: weight of the feature distance; 0 leaves it out. share: least share of a class in a place; null is
        0.05 for cracks and the paper's 0.75 for many classes. things: numbers of the classes that count, those that
        have a shape, such as 11 to 18 of Cityscapes; empty for all."""

        distance: float = Field(default=0.005, ge=0)
        share: float | None = Field(default=None, gt=0, le=1)
        things: tuple[int, ...] = ()

    settings: Settings

    def __init__(self, network: Segmenter, settings: Section | None = None, loss: Loss = dice_and_entropy):
        super().__init__(network, settings, loss)
        self.initial = deepcopy(network).requires_grad_(False)

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        terms = super().losses(source, target, progress)
        if self.settings.distance:
            images = fitted(source.images, self.network.stride)
            self.initial.eval()
            with torch.no_grad():
                initial = self.initial.encode(images)[-1]
            masks, share = self._shapes(source.targets)
            distance = feature_distance(self.network.encode(images)[-1], initial, masks, share)
            terms["features"] = self.settings.distance * distance
        return terms

    def _shapes(self, labels: Tensor) -> tuple[Tensor, float]:
        """The masks whose features stay, and the least share of a place, as `feature_distance` takes them."""
        chosen = self.settings
        if self.classes == 1:
            return labels, 0.05 if chosen.share is None else chosen.share
        things = chosen.things or range(self.classes)
        return torch.stack([labels == k for k in things], 1), 0.75 if chosen.share is None else chosen.share

"""JAN: features and predictions whose joint distribution is the same in both domains."""

from __future__ import annotations

import torch
from pydantic import Field, PositiveFloat
from torch import Tensor

from classify.methods.alignment import FACTORS, Aligning, gaussians, mean_discrepancy, squared_distances
from classify.network import Output


def joint_discrepancy(source: Output, target: Output, factors: tuple[float, ...], sigma: float) -> Tensor:
    """() squared maximum mean discrepancy under the product of a kernel on features and one on probabilities.

    On features as DAN's; on softmax probabilities one Gaussian of fixed width `sigma`. Long et al., Deep Transfer
    Learning with Joint Adaptation Networks (ICML 2017), equation 8.
    """
    probabilities = torch.cat([source.logits, target.logits]).softmax(1)
    on_features = gaussians(torch.cat([source.features, target.features]), factors)
    on_classes = torch.exp(-squared_distances(probabilities) / (2.0 * sigma**2))
    return mean_discrepancy(on_features * on_classes, len(source.features))


class JAN(Aligning):
    """Its authors' rates are DAN's."""

    class Settings(Aligning.Settings):
        """factors: variances of the kernels on features in mean squared distances. sigma: width on probabilities."""

        factors: tuple[PositiveFloat, ...] = Field(FACTORS, min_length=1)
        sigma: PositiveFloat = 0.92

    settings: Settings

    def transfer(self, source: Output, target: Output, progress: float) -> Tensor:
        return joint_discrepancy(source, target, self.settings.factors, self.settings.sigma)

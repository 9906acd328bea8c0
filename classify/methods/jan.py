"""JAN: make the joint distribution of features and predictions equal in both domains."""

from __future__ import annotations

import torch
from pydantic import Field, PositiveFloat
from torch import Tensor

from classify.methods.alignment import FACTORS, Aligning, gaussians, mean_discrepancy, squared_distances
from classify.network import Output


def joint_discrepancy(source: Output, target: Output, factors: tuple[float, ...], sigma: float) -> Tensor:
    """Squared maximum mean discrepancy () with the product of a feature kernel and a probability kernel.

    The feature kernel is that of DAN. The kernel on softmax probabilities is a Gaussian of width `sigma`. Long et al.,
    Deep Transfer Learning with Joint Adaptation Networks (ICML 2017), equation 8.
    """
    probabilities = torch.cat([source.logits, target.logits]).softmax(1)
    on_features = gaussians(torch.cat([source.features, target.features]), factors)
    on_classes = torch.exp(-squared_distances(probabilities) / (2.0 * sigma**2))
    return mean_discrepancy(on_features * on_classes, len(source.features))


class JAN(Aligning):
    """JAN. The authors use the rates of DAN."""

    class Settings(Aligning.Settings):
        """factors: variances of the feature kernels, as for DAN. sigma: width of the kernel on probabilities."""

        factors: tuple[PositiveFloat, ...] = Field(FACTORS, min_length=1)
        sigma: PositiveFloat = 0.92

    settings: Settings

    def transfer(self, source: Output, target: Output, progress: float) -> Tensor:
        return joint_discrepancy(source, target, self.settings.factors, self.settings.sigma)

"""DAN: features of equal mean in the space of several Gaussian kernels."""

from __future__ import annotations

import torch
from pydantic import Field, PositiveFloat
from torch import Tensor

from classify.methods.alignment import FACTORS, Aligning, gaussians, mean_discrepancy
from classify.network import Output


def discrepancy(source: Tensor, target: Tensor, factors: tuple[float, ...] = FACTORS) -> Tensor:
    """() of features (n, d) and (m, d): squared maximum mean discrepancy under the sum of Gaussians whose variances
    are `factors` times the mean squared distance.

    Long et al., Learning Transferable Features with Deep Adaptation Networks (ICML 2015), equations 1 and 2.
    """
    return mean_discrepancy(gaussians(torch.cat([source, target]), factors), len(source))


class DAN(Aligning):
    """Its authors' rates: SGD .003, decay 5e-4."""

    class Settings(Aligning.Settings):
        """factors: the kernels' variances in mean squared distances."""

        factors: tuple[PositiveFloat, ...] = Field(FACTORS, min_length=1)

    settings: Settings

    def transfer(self, source: Output, target: Output, progress: float) -> Tensor:
        return discrepancy(source.features, target.features, self.settings.factors)

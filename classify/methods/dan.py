"""DAN: make the feature means equal in the space of several Gaussian kernels."""

from __future__ import annotations

import torch
from pydantic import Field, PositiveFloat
from torch import Tensor

from classify.methods.alignment import FACTORS, Aligning, gaussians, mean_discrepancy
from classify.network import Output


def discrepancy(source: Tensor, target: Tensor, factors: tuple[float, ...] = FACTORS) -> Tensor:
    """Squared maximum mean discrepancy () of features (n, d) and (m, d).

    The kernel is a sum of Gaussians with variances of `factors` times the mean squared distance. Long et al., Learning
    Transferable Features with Deep Adaptation Networks (ICML 2015), equations 1 and 2.
    """
    return mean_discrepancy(gaussians(torch.cat([source, target]), factors), len(source))


class DAN(Aligning):
    """DAN. The authors use SGD 0.003 and weight decay 5e-4."""

    class Settings(Aligning.Settings):
        """factors: variances of the kernels, as multiples of the mean squared distance."""

        factors: tuple[PositiveFloat, ...] = Field(FACTORS, min_length=1)

    settings: Settings

    def transfer(self, source: Output, target: Output, progress: float) -> Tensor:
        return discrepancy(source.features, target.features, self.settings.factors)

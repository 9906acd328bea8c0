"""Deep CORAL: make the means and covariances of the features equal."""

from __future__ import annotations

from torch import Tensor

from classify.methods.alignment import Aligning
from classify.network import Output


def moment_distance(source: Tensor, target: Tensor) -> Tensor:
    """Loss () of features (n, d) and (m, d): mean squared difference of their means, plus that of their covariances.

    Sun & Saenko, Deep CORAL (ECCV 2016 workshops), equation 1, without the factor 1/4 and with the means, as in
    widely used implementations.
    """
    means = (source.mean(0) - target.mean(0)).square().mean()
    return means + (source.T.cov() - target.T.cov()).square().mean()


class CORAL(Aligning):
    """Deep CORAL, with the same weight for means and covariances."""

    def transfer(self, source: Output, target: Output, progress: float) -> Tensor:
        return moment_distance(source.features, target.features)

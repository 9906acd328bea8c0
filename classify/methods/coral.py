"""Deep CORAL: features of equal means and covariances."""

from __future__ import annotations

from torch import Tensor

from classify.methods.alignment import Aligning
from classify.network import Output


def moment_distance(source: Tensor, target: Tensor) -> Tensor:
    """() of features (n, d) and (m, d): mean squared difference of their means, and of their covariances' entries.

    Sun & Saenko, Deep CORAL (ECCV 2016 workshops), equation 1, without its factor 1/4 and with the means, as the
    widely used implementations have it.
    """
    means = (source.mean(0) - target.mean(0)).square().mean()
    return means + (source.T.cov() - target.T.cov()).square().mean()


class CORAL(Aligning):
    """One weight for means and covariances."""

    def transfer(self, source: Output, target: Output, progress: float) -> Tensor:
        return moment_distance(source.features, target.features)

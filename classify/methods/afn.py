"""AFN: features of both domains whose norms grow, step by step, to the same size."""

from __future__ import annotations

from pydantic import NonNegativeFloat
from torch import Tensor

from classify.methods.alignment import Aligning
from classify.network import Output


def norm_step(features: Tensor, step: float) -> Tensor:
    """() of features (n, d): mean (|f| - (|f| as it is now + step))². Its value is step², its gradient pushes |f| up.

    Xu et al., Larger Norm More Transferable (ICCV 2019), equation 6.
    """
    norms = features.norm(dim=1)
    return (norms - (norms.detach() + step)).square().mean()


class AFN(Aligning):
    """Its authors' rates: SGD 1e-3 without momentum in the backbone, decay 5e-4, a bottleneck of 1000."""

    class Settings(Aligning.Settings):
        """step: by how much norms are to grow."""

        trade_off: NonNegativeFloat = 0.05
        step: float = 1.0

    settings: Settings

    def transfer(self, source: Output, target: Output, progress: float) -> Tensor:
        return norm_step(source.features, self.settings.step) + norm_step(target.features, self.settings.step)

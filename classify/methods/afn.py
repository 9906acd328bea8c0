"""AFN: the feature norms of both domains grow step by step to the same size."""

from __future__ import annotations

from pydantic import NonNegativeFloat
from torch import Tensor

from classify.methods.alignment import Aligning
from classify.network import Output


def norm_step(features: Tensor, step: float) -> Tensor:
    """Loss () of features (n, d): mean (|f| - (|f|* + step))², where |f|* has no gradient. It makes |f| grow.

    Xu et al., Larger Norm More Transferable (ICCV 2019), equation 6.
    """
    norms = features.norm(dim=1)
    return (norms - (norms.detach() + step)).square().mean()


class AFN(Aligning):
    """AFN. The authors use SGD 1e-3 without momentum in the backbone, weight decay 5e-4 and a bottleneck of 1000."""

    class Settings(Aligning.Settings):
        """step: growth of the norms."""

        trade_off: NonNegativeFloat = 0.05
        step: float = 1.0

    settings: Settings

    def transfer(self, source: Output, target: Output, progress: float) -> Tensor:
        return norm_step(source.features, self.settings.step) + norm_step(target.features, self.settings.step)

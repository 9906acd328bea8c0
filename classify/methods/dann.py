"""DANN: features from which a discriminator cannot recognize the domain."""

from __future__ import annotations

import torch
from pydantic import PositiveInt
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from classify.methods.alignment import Aligning, discriminator, ramp, reverse
from classify.network import Network, Output
from scenes.section import Section


def domain_loss(source: Tensor, target: Tensor) -> Tensor:
    """Loss () of domain logits (n, 1) and (m, 1): (-mean log D(s) - mean log (1 - D(t))) / 2.

    Ganin & Lempitsky, Unsupervised Domain Adaptation by Backpropagation (ICML 2015), equation 1.
    """
    ours = binary_cross_entropy_with_logits(source, torch.ones_like(source))
    theirs = binary_cross_entropy_with_logits(target, torch.zeros_like(target))
    return 0.5 * (ours + theirs)


class DANN(Aligning):
    """DANN. The discriminator learns at full strength. Its gradient to the features is reversed and ramped up.

    The authors use SGD 0.01, weight decay 1e-3 and a bottleneck of 256.
    """

    class Settings(Aligning.Settings):
        """hidden: width of the discriminator."""

        hidden: PositiveInt = 1024

    settings: Settings

    def __init__(self, network: Network, classes: int, settings: Section | None = None):
        super().__init__(network, classes, settings)
        self.discriminator = discriminator(network.width, self.settings.hidden)

    def transfer(self, source: Output, target: Output, progress: float) -> Tensor:
        features = reverse(torch.cat([source.features, target.features]), ramp(progress))
        verdicts = self.discriminator(features)
        return domain_loss(verdicts[: len(source.features)], verdicts[len(source.features) :])

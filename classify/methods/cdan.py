"""CDAN: DANN with a discriminator that sees the product of features and class probabilities."""

from __future__ import annotations

import math

import torch
from pydantic import PositiveInt
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from classify.methods.alignment import Aligning, certainty_weights, discriminator, ramp, reverse
from classify.network import Network, Output
from scenes.section import Section


def product(features: Tensor, probabilities: Tensor) -> Tensor:
    """Products (n, k d) of every feature (n, d) with every probability (n, k), class by class."""
    return (probabilities.unsqueeze(2) * features.unsqueeze(1)).flatten(1)


def conditional_loss(verdicts: Tensor, sources: int, weights: Tensor | None = None) -> Tensor:
    """Loss () of domain logits (n + m, 1). The first n = `sources` belong to the source. weights: (n + m,), mean 1.

    Mean of w (-log D) over source and w (-log (1 - D)) over target pictures: Long et al., Conditional Adversarial
    Domain Adaptation (NeurIPS 2018), equations 4 (no weights) and 10 (entropy weights: `certainty_weights`).
    """
    truth = torch.zeros_like(verdicts)
    truth[:sources] = 1.0
    return binary_cross_entropy_with_logits(verdicts, truth, None if weights is None else weights[:, None])


class Randomized(nn.Module):
    """Random projection of the product to `size` values: (R f) * (Q p) / sqrt(size), equation 6. R and Q are fixed."""

    of_features: Tensor
    of_classes: Tensor

    def __init__(self, width: int, classes: int, size: int):
        super().__init__()
        self.scale = 1.0 / math.sqrt(size)
        self.register_buffer("of_features", torch.randn(width, size))
        self.register_buffer("of_classes", torch.randn(classes, size))

    def forward(self, features: Tensor, probabilities: Tensor) -> Tensor:
        """Project features (n, d) and probabilities (n, k) to (n, size)."""
        return (features @ self.of_features) * (probabilities @ self.of_classes) * self.scale


class CDAN(Aligning):
    """CDAN. No gradient flows through the probabilities. The authors use the rates of DANN."""

    class Settings(Aligning.Settings):
        """hidden: width of the discriminator. entropy: give certain predictions more weight.

        randomized: use a random projection to `randomized_size` values, for many features and classes.
        """

        hidden: PositiveInt = 1024
        entropy: bool = False
        randomized: bool = False
        randomized_size: PositiveInt = 1024

    settings: Settings

    def __init__(self, network: Network, classes: int, settings: Section | None = None):
        super().__init__(network, classes, settings)
        chosen = self.settings
        self.randomized = Randomized(network.width, classes, chosen.randomized_size) if chosen.randomized else None
        width = chosen.randomized_size if chosen.randomized else network.width * classes
        self.discriminator = discriminator(width, chosen.hidden)

    def transfer(self, source: Output, target: Output, progress: float) -> Tensor:
        features = torch.cat([source.features, target.features])
        probabilities = torch.cat([source.logits, target.logits]).detach().softmax(1)
        joined = (self.randomized or product)(features, probabilities)
        weights = certainty_weights(probabilities) if self.settings.entropy else None
        return conditional_loss(self.discriminator(reverse(joined, ramp(progress))), len(source.features), weights)


class CDANE(CDAN):
    """CDAN+E: CDAN with entropy weights."""

    class Settings(CDAN.Settings):
        """The settings of CDAN, with entropy weights by default."""

        entropy: bool = True

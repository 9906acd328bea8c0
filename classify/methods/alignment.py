"""Shared parts of methods that align the features of two domains: outputs, gradient reversal and kernels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import torch
from pydantic import Field, NonNegativeFloat, NonNegativeInt
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from classify.methods.base import Method
from classify.network import Network, Output
from scenes.section import Section
from training.method import Batch, Unlabeled

FACTORS = (0.125, 0.25, 0.5, 1.0, 2.0)


def outputs(
    network: Network, source: Tensor, target: Tensor, batch_norm: Literal["together", "apart"] = "together"
) -> tuple[Output, Output]:
    """The network's outputs for source pictures (n, 3, h, w) and target pictures (m, 3, h, w).

    batch_norm: "together" normalizes both domains as one batch, "apart" normalizes each domain by itself. In both cases
    the running statistics, which evaluation uses, contain both domains.
    """
    if batch_norm == "apart":
        return network(source), network(target)
    features, logits = network(torch.cat([source, target]))
    n = len(source)
    return Output(features[:n], logits[:n]), Output(features[n:], logits[n:])


class Aligning(Method):
    """Cross-entropy on the source, and a term that aligns the domains."""

    class Settings(Method.Settings):
        """trade_off: weight of the aligning term. batch_norm: batch statistics of both domains together or apart."""

        trade_off: NonNegativeFloat = 1.0
        batch_norm: Literal["together", "apart"] = "together"

    settings: Settings

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        ours, theirs = outputs(self.network, source.images, target.images, self.settings.batch_norm)
        return {
            "source": cross_entropy(ours.logits, source.targets),
            "transfer": self.settings.trade_off * self.transfer(ours, theirs, progress),
        }

    def transfer(self, source: Output, target: Output, progress: float) -> Tensor:
        """The aligning term (). It is small if the domains agree."""
        raise NotImplementedError


class Contested(Aligning):
    """Aligning with a second classifier, the `rival` of the network's head.

    `layers` makes the layers of both, and the head of the network is replaced. With `hidden` 0 both are linear.
    """

    class Settings(Aligning.Settings):
        """hidden: width of the hidden layers of both heads; 0 for linear heads. dropout: of both heads."""

        hidden: NonNegativeInt = 1024
        dropout: float = Field(0.5, ge=0, lt=1)

    settings: Settings

    def __init__(self, network: Network, classes: int, settings: Section | None = None):
        super().__init__(network, classes, settings)
        hidden, dropout = self.settings.hidden, self.settings.dropout
        if hidden:
            network.add_module("head", self.layers(network.width, hidden, classes, dropout))
            self.rival = self.layers(network.width, hidden, classes, dropout)
        else:
            self.rival = nn.Linear(network.width, classes)

    @staticmethod
    def layers(width: int, hidden: int, classes: int, dropout: float) -> nn.Module:
        """A head that maps features (n, width) to logits (n, classes)."""
        raise NotImplementedError


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return features.view_as(features)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * -ctx.strength, None


def reverse(features: Tensor, strength: float) -> Tensor:
    """Return the features unchanged. Their gradient is multiplied by -strength."""
    return _Reverse.apply(features, strength)  # type: ignore[no-untyped-call]


def ramp(progress: float, high: float = 1.0, steepness: float = 10.0) -> float:
    """Strength of the gradient reversal at `progress` in [0, 1]. It rises from 0 to about `high`.

    high (2 / (1 + exp(-steepness progress)) - 1): Ganin et al., Domain-Adversarial Training of Neural Networks
    (JMLR 2016), section 5.2.2.
    """
    return high * (2.0 / (1.0 + math.exp(-steepness * progress)) - 1.0)


def discriminator(width: int, hidden: int) -> nn.Sequential:
    """Three batch-normalized layers that map features (n, width) to logits (n, 1) of the source domain."""
    return nn.Sequential(
        nn.Linear(width, hidden),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Linear(hidden, hidden),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Linear(hidden, 1),
    )


def certainty_weights(probabilities: Tensor) -> Tensor:
    """Weights (n,) with mean 1 for probabilities (n, k): 1 + exp(-entropy), normalized. They have no gradient."""
    probabilities = probabilities.detach()
    entropy = -(probabilities * torch.log(probabilities + 1e-5)).sum(1)
    weights = 1.0 + torch.exp(-entropy)
    return weights / weights.mean()


def squared_distances(features: Tensor) -> Tensor:
    """Squared distances (n, n) float32 between the rows of (n, d), in float32 also under autocast."""
    with torch.autocast(features.device.type, enabled=False):
        rows = features.float()
        # Without their mean the rows are small, so the matrix product is precise enough.
        rows = rows - rows.detach().mean(0)
        norms = rows.square().sum(1)
        return (norms[:, None] + norms - 2.0 * rows @ rows.T).clamp_min(0.0)


def gaussians(features: Tensor, factors: Sequence[float] = FACTORS) -> Tensor:
    """Kernel matrix (n, n): sum over factors a of exp(-|x - y|² / (2 a m)), m the mean squared distance, constant."""
    squared = squared_distances(features)
    width = 2.0 * squared.detach().mean().clamp_min(1e-12)
    return torch.stack([torch.exp(-squared / (factor * width)) for factor in factors]).sum(0)


def mean_discrepancy(kernel: Tensor, sources: int) -> Tensor:
    """Unbiased squared maximum mean discrepancy () from a kernel matrix (n + m, n + m).

    The first n = `sources` rows belong to the source. mean k(s, s') + mean k(t, t') - 2 mean k(s, t), without the pairs
    of a point with itself. Gretton et al., A Kernel Two-Sample Test (JMLR 2012), equation 3.
    """
    ours, theirs = kernel[:sources, :sources], kernel[sources:, sources:]
    return _mean_of_pairs(ours) + _mean_of_pairs(theirs) - 2.0 * kernel[:sources, sources:].mean()


def _mean_of_pairs(kernel: Tensor) -> Tensor:
    n = len(kernel)
    return (kernel.sum() - kernel.diagonal().sum()) / (n * (n - 1))

"""MDD: features on which no second classifier agrees with the first on the source and not on the target."""

from __future__ import annotations

import torch
from pydantic import Field, NonNegativeFloat, NonNegativeInt
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from classify.methods.alignment import Aligning, ramp, reverse
from classify.network import Network, Output
from scenes.section import Section


def margin_disparity(
    source: Tensor, source_rival: Tensor, target: Tensor, target_rival: Tensor, margin: float
) -> Tensor:
    """() of logits (n, k) and (m, k) of the classifier and of its rival, which learns to make it small:

    margin CE(rival(s), y(s)) - mean log (1 - softmax(rival(t))[y(t)]), y the class the classifier gives. No gradient
    reaches the classifier itself. Zhang et al., Bridging Theory and Algorithm for Domain Adaptation (ICML 2019),
    equations 28 to 30.
    """
    ours = cross_entropy(source_rival, source.argmax(1))
    agreement = target_rival.softmax(1).gather(1, target.argmax(1, keepdim=True))
    # 1 + 1e-6 at most, so that the logarithm and its gradient stay finite where the rival agrees for sure.
    theirs = -torch.log((1.0 - agreement + 1e-6).clamp(max=1.0)).mean()
    return margin * ours + theirs


def two_layers(width: int, hidden: int, classes: int, dropout: float) -> nn.Module:
    """(n, width) features to (n, classes) logits; one linear layer where `hidden` is 0."""
    if not hidden:
        return nn.Linear(width, classes)
    first, second = nn.Linear(width, hidden), nn.Linear(hidden, classes)
    for layer in (first, second):
        nn.init.normal_(layer.weight, 0.0, 0.01)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(first, nn.ReLU(), nn.Dropout(dropout), second)


class MDD(Aligning):
    """The rival head learns at full strength; what it sends back to the features is reversed, and ramped up to .1.

    The network's head is replaced by one of two layers, as the rival is, unless `hidden` is 0. Its authors' rates:
    SGD .004, decay 5e-4, a bottleneck of 1024.
    """

    class Settings(Aligning.Settings):
        """margin: weight of the source. strength: of the reversal, at the end. hidden, dropout: of both heads."""

        margin: NonNegativeFloat = 4.0
        strength: NonNegativeFloat = 0.1
        hidden: NonNegativeInt = 1024
        dropout: float = Field(0.5, ge=0, lt=1)

    settings: Settings

    def __init__(self, network: Network, classes: int, settings: Section | None = None):
        super().__init__(network, classes, settings)
        shape = (network.width, self.settings.hidden, classes, self.settings.dropout)
        if self.settings.hidden:
            network.add_module("head", two_layers(*shape))
        self.rival = two_layers(*shape)

    def transfer(self, source: Output, target: Output, progress: float) -> Tensor:
        features = torch.cat([source.features, target.features])
        rival = self.rival(reverse(features, ramp(progress, self.settings.strength)))
        n = len(source.features)
        return margin_disparity(source.logits, rival[:n], target.logits, rival[n:], self.settings.margin)

"""MDD: no second classifier shall agree with the first on the source and disagree with it on the target."""

from __future__ import annotations

import torch
from pydantic import NonNegativeFloat
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from classify.methods.alignment import Contested, ramp, reverse
from classify.network import Output


def margin_disparity(
    source: Tensor, source_rival: Tensor, target: Tensor, target_rival: Tensor, margin: float
) -> Tensor:
    """Loss () of the logits (n, k) and (m, k) of the classifier and its rival. The rival minimizes it.

    margin CE(rival(s), y(s)) - mean log (1 - softmax(rival(t))[y(t)]), where y is the class that the classifier
    predicts. The classifier itself gets no gradient. Zhang et al., Bridging Theory and Algorithm for Domain Adaptation
    (ICML 2019), equations 28 to 30.
    """
    ours = cross_entropy(source_rival, source.argmax(1))
    agreement = target_rival.softmax(1).gather(1, target.argmax(1, keepdim=True))
    # The 1e-6 keeps the logarithm and its gradient finite if the rival agrees with certainty.
    theirs = -torch.log((1.0 - agreement + 1e-6).clamp(max=1.0)).mean()
    return margin * ours + theirs


class MDD(Contested):
    """MDD. The rival head learns at full strength. Its gradient to the features is reversed and ramped up to 0.1.

    Heads have two layers. The authors use SGD 0.004, weight decay 5e-4 and a bottleneck of 1024.
    """

    class Settings(Contested.Settings):
        """margin: weight of the source. strength: final strength of the gradient reversal."""

        margin: NonNegativeFloat = 4.0
        strength: NonNegativeFloat = 0.1

    settings: Settings

    @staticmethod
    def layers(width: int, hidden: int, classes: int, dropout: float) -> nn.Module:
        first, second = nn.Linear(width, hidden), nn.Linear(hidden, classes)
        for layer in (first, second):
            nn.init.normal_(layer.weight, 0.0, 0.01)
            nn.init.zeros_(layer.bias)
        return nn.Sequential(first, nn.ReLU(), nn.Dropout(dropout), second)

    def transfer(self, source: Output, target: Output, progress: float) -> Tensor:
        features = torch.cat([source.features, target.features])
        rival = self.rival(reverse(features, ramp(progress, self.settings.strength)))
        n = len(source.features)
        return margin_disparity(source.logits, rival[:n], target.logits, rival[n:], self.settings.margin)

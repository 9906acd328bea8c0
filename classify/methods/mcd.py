"""MCD: two classifiers maximize their discrepancy on the target, and the features minimize it."""

from __future__ import annotations

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from classify.methods.alignment import Contested, outputs
from training.method import Batch, Descend, Unlabeled


def classifier_discrepancy(first: Tensor, second: Tensor) -> Tensor:
    """Mean absolute difference () of the probabilities (n, k) of two classifiers.

    Saito et al., Maximum Classifier Discrepancy for Unsupervised Domain Adaptation (CVPR 2018), equation 2.
    """
    return (first - second).abs().mean()


def imbalance(probabilities: Tensor) -> Tensor:
    """Loss () of probabilities (n, k): minus the mean over classes of the log of the batch's mean probability.

    It is lowest if all classes are predicted equally often. It comes from the authors' code, not from the paper.
    """
    return -torch.log(probabilities.mean(0) + 1e-6).mean()


class MCD(Contested):
    """MCD. Each training step has 2 + `steps` optimizer steps.

    (A) All weights minimize the source loss. (B) The heads alone also maximize the discrepancy. (C) The features alone
    minimize the discrepancy, `steps` times. Heads have three batch-normalized layers. Predictions are the mean logits
    of both heads. The authors use SGD 0.001, weight decay 5e-4 and no momentum in the backbone.
    """

    class Settings(Contested.Settings):
        """trade_off: weight of the discrepancy. balance: weight of the imbalance. steps: optimizer steps of (C)."""

        balance: NonNegativeFloat = 0.01
        steps: PositiveInt = 4

    settings: Settings

    @staticmethod
    def layers(width: int, hidden: int, classes: int, dropout: float) -> nn.Module:
        return nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(width, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, classes),
        )

    def terms(self, source: Batch, target: Unlabeled) -> dict[str, Tensor]:
        """Cross-entropy of both heads, their imbalance, and their discrepancy, each ()."""
        ours, theirs = outputs(self.network, source.images, target.images, self.settings.batch_norm)
        n = len(ours.features)
        logits = self.rival(torch.cat([ours.features, theirs.features]))
        first, second = theirs.logits.softmax(1), logits[n:].softmax(1)
        return {
            "source": cross_entropy(ours.logits, source.targets) + cross_entropy(logits[:n], source.targets),
            "balance": self.settings.balance * (imbalance(first) + imbalance(second)),
            "discrepancy": self.settings.trade_off * classifier_discrepancy(first, second),
        }

    def update(self, source: Batch, target: Unlabeled, progress: float, descend: Descend) -> dict[str, Tensor]:
        heads = {"head"}
        generator = set(self.groups()) - heads
        terms = self.terms(source, target)
        descend(terms["source"] + terms["balance"])
        terms = self.terms(source, target)
        descend(terms["source"] + terms["balance"] - terms["discrepancy"], only=heads)
        for _ in range(self.settings.steps):
            drawn = self.terms(source, target)["discrepancy"]
            descend(drawn, only=generator)
            terms["discrepancy"] = drawn
        return {name: term.detach() for name, term in terms.items()}

    def predict(self, images: Tensor) -> Tensor:
        features, logits = self.network(images)
        return 0.5 * (logits + self.rival(features))

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Like the base, but a bottleneck is a group of its own, because it is updated with the backbone."""
        groups = super().groups()
        bottleneck = list(self.network.bottleneck.parameters())
        theirs = {id(parameter) for parameter in bottleneck}
        groups["head"] = [parameter for parameter in groups["head"] if id(parameter) not in theirs]
        return groups | ({"bottleneck": bottleneck} if bottleneck else {})

"""MCC: minimize the confusion between classes on target pictures."""

from __future__ import annotations

from pydantic import PositiveFloat
from torch import Tensor

from classify.methods.alignment import Aligning, certainty_weights
from classify.network import Output


def class_confusion(logits: Tensor, temperature: float) -> Tensor:
    """Class confusion () of logits (n, k): the mean share of a class's probability mass that overlaps other classes.

    Certain pictures have more weight. Jin et al., Minimum Class Confusion for Versatile Domain Adaptation
    (ECCV 2020), equations 3 to 7.
    """
    probabilities = (logits / temperature).softmax(1)
    weighted = probabilities * certainty_weights(probabilities)[:, None]
    confusion = weighted.T @ probabilities
    return 1.0 - (confusion.diagonal() / confusion.sum(1)).mean()


class MCC(Aligning):
    """MCC. The authors use SGD 0.005, weight decay 1e-3 and batches of 36."""

    class Settings(Aligning.Settings):
        """temperature: softens the probabilities."""

        temperature: PositiveFloat = 2.5

    settings: Settings

    def transfer(self, source: Output, target: Output, progress: float) -> Tensor:
        return class_confusion(target.logits, self.settings.temperature)

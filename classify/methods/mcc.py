"""MCC: target pictures that are not confused between classes."""

from __future__ import annotations

from pydantic import PositiveFloat
from torch import Tensor

from classify.methods.alignment import Aligning, certainty_weights
from classify.network import Output


def class_confusion(logits: Tensor, temperature: float) -> Tensor:
    """() of logits (n, k): the mean over classes of how much of a class's mass pictures share with other classes.

    Pictures that are sure weigh more. Jin et al., Minimum Class Confusion for Versatile Domain Adaptation
    (ECCV 2020), equations 3 to 7.
    """
    probabilities = (logits / temperature).softmax(1)
    weighted = probabilities * certainty_weights(probabilities)[:, None]
    confusion = weighted.T @ probabilities
    return 1.0 - (confusion.diagonal() / confusion.sum(1)).mean()


class MCC(Aligning):
    """Its authors' rates: SGD .005, decay 1e-3, batches of 36."""

    class Settings(Aligning.Settings):
        """temperature: softens the probabilities."""

        temperature: PositiveFloat = 2.5

    settings: Settings

    def transfer(self, source: Output, target: Output, progress: float) -> Tensor:
        return class_confusion(target.logits, self.settings.temperature)

"""A linear classifier on the features of a network that stays as it is: what a set teaches, in seconds."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn.functional import cross_entropy

from classify.logistic import rows_of
from classify.methods.base import Method
from classify.network import Network
from scenes.errors import InputError
from scenes.section import Section
from training.method import Batch, Descend, FullPass, Unlabeled

_NEVER = -1e4
"""Bias of a class that no picture has. It is finite, so that no validator computes 0 times infinity."""


def fitted(
    features: NDArray[np.floating], labels: NDArray[np.int64], classes: int, strength: float, balanced: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weight (classes, d) and bias (classes,) of the logistic regression of labels (n,) on features (n, d).

    Features are brought to mean 0 and deviation 1 first; weight and bias contain this. strength: C of scikit-learn's
    LogisticRegression. balanced: each class counts as much, however many pictures it has. Raises InputError if all
    pictures are of one class.
    """
    from sklearn.linear_model import LogisticRegression  # it takes a second
    from sklearn.preprocessing import StandardScaler

    if len(found := np.unique(labels)) < 2:
        raise InputError("field data.source: method linear needs pictures of two classes at least")
    scaler = StandardScaler().fit(features)
    weights = "balanced" if balanced else None
    model = LogisticRegression(C=strength, max_iter=1000, class_weight=weights).fit(scaler.transform(features), labels)
    slopes, offsets = rows_of(model)
    weight, bias = np.zeros((classes, features.shape[1])), np.full(classes, _NEVER)
    weight[found] = slopes / scaler.scale_
    bias[found] = offsets - weight[found] @ scaler.mean_
    return weight, bias


class Linear(Method):
    """Logistic regression on the features of all source pictures, once. Backbone and bottleneck stay as they are.

    So a run has one step. The pictures are not augmented, and each counts once, whatever the shares of the sources are.
    Batch norm keeps its statistics.
    """

    class Settings(Section):
        """strength: C of the regression; smaller means smaller weights. bootstrap: learn from as many pictures, drawn
        with replacement by the seed of the run. So runs of several seeds tell how much depends on which pictures the
        set has. Sets of the same length get the same places. balanced: each class counts as much, however many
        pictures it has."""

        strength: float = Field(default=0.1, gt=0)
        bootstrap: bool = False
        balanced: bool = False

    settings: Linear.Settings
    seed: Tensor

    def __init__(self, network: Network, classes: int, settings: Section | None = None):
        super().__init__(network, classes, settings)
        # The trainer seeds torch before it makes a method. All processes have this seed, and checkpoints keep it.
        self.register_buffer("seed", torch.tensor(torch.initial_seed() % 2**63))

    def train(self, mode: bool = True) -> Linear:
        super().train(mode)
        self.network.eval()
        return self

    def begin_epoch(self, passes: FullPass, progress: float) -> None:
        with torch.no_grad():
            parts = [(self.network.features(batch.images), batch.targets) for batch in passes.source()]
        self.learn(*(torch.cat(part) for part in zip(*parts, strict=True)))

    def learn(self, features: Tensor, labels: Tensor) -> None:
        """Fit the head to features (n, d) and labels (n,) of pictures. Raises InputError if they are of one class."""
        known, classes = features.cpu().numpy(), labels.cpu().numpy()
        if self.settings.bootstrap:
            places = np.random.default_rng(int(self.seed)).integers(len(classes), size=len(classes))
            known, classes = known[places], classes[places]
        settings = self.settings
        head, found = self.network.head, fitted(known, classes, self.classes, settings.strength, settings.balanced)
        with torch.no_grad():
            for own, values in zip((head.weight, head.bias), found, strict=True):
                own.copy_(torch.from_numpy(values))

    def update(self, source: Batch, target: Unlabeled, progress: float, descend: Descend) -> dict[str, Tensor]:
        """The loss of the batch, for the log. Nothing is trained by steps."""
        with torch.no_grad():
            return {"source": cross_entropy(self.network(source.images).logits, source.targets)}

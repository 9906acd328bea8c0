"""SHOT: train on the source, then adapt the features to the target with a frozen head."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize, one_hot, pad
from torch.nn.utils.parametrizations import weight_norm

from classify.methods.base import Method
from classify.methods.clusters import over
from classify.network import Network
from scenes.section import Section
from training.method import Batch, Descend, FullPass, Unlabeled

_EPSILON = 1e-5


def information(logits: Tensor) -> Tensor:
    """Loss (): mean entropy of the predictions minus the entropy of their mean. Wants certain and diverse predictions.

    -1/n sum_i sum_k p_ik log p_ik + sum_k m_k log m_k, m = 1/n sum_i p_i: Liang et al., Do we really need to access
    the source data?, ICML 2020, its information maximization. logits: (n, k).
    """
    probabilities = logits.softmax(1)
    mean = probabilities.mean(0)
    entropy = -(probabilities * (probabilities + _EPSILON).log()).sum(1).mean()
    return entropy + (mean * (mean + _EPSILON).log()).sum()


def centroid_labels(features: Tensor, logits: Tensor, rounds: int = 2) -> Tensor:
    """Labels (n,) int64: the class of the nearest centroid by cosine, among the classes that are predicted at all.

    Centroids are feature means weighted by the predictions, c_k = sum_i p_ik f_i / sum_i p_ik. Later rounds take the
    means of the pictures with the new labels. As in the authors' code, f is extended by a 1 and normalized. features:
    (n, d) float. logits: (n, k) float.
    """
    shares = logits.softmax(1)
    predicted = shares.argmax(1)
    directions = normalize(pad(features, (0, 1), value=1.0))
    for _ in range(rounds):
        centroids = shares.T @ directions / (1e-8 + shares.sum(0).unsqueeze(1))
        there = one_hot(predicted, shares.shape[1]).any(0)
        nearness = directions @ normalize(centroids).T
        predicted = nearness.masked_fill(~there, -2.0).argmax(1)
        shares = one_hot(predicted, shares.shape[1]).to(features.dtype)
    return predicted


class SHOT(Method):
    """First train on the source with smoothed labels, for the share `source_share` of training. Then adapt.

    In the second part the head is frozen and the source is not used. Backbone and bottleneck minimize `information` and
    the cross-entropy with `centroid_labels`, which are computed before each epoch. The learning-rate schedule covers
    both parts; the authors restart it for the second. The head is weight-normalized, as in the paper. Batch norm sees
    one domain at a time.
    """

    class Settings(Section):
        """source_share: share of training on the source. smoothing: of the source labels.

        labels: weight of the centroid labels. weight_norm: whether the head is weight-normalized.
        """

        source_share: float = 0.5
        smoothing: float = 0.1
        labels: float = 0.3
        weight_norm: bool = True

    settings: Settings

    def __init__(self, network: Network, classes: int, settings: Section | None = None):
        super().__init__(network, classes, settings)
        if self.settings.weight_norm:
            weight_norm(network.head)
        self.labels: Tensor
        self.register_buffer("labels", torch.zeros(0, dtype=torch.int64))

    def adapts(self, progress: float) -> bool:
        """Whether the part on the source is finished."""
        return progress >= self.settings.source_share

    def begin_epoch(self, passes: FullPass, progress: float) -> None:
        if self.adapts(progress):
            features, logits = over(self.network, passes.target(), self.network)
            self.labels = centroid_labels(features, logits)

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        if not self.adapts(progress):
            logits = self.network(source.images).logits
            return {"source": cross_entropy(logits, source.targets, label_smoothing=self.settings.smoothing)}
        logits = self.network(target.images).logits
        terms = {"information": information(logits)}
        if len(self.labels):
            terms["labels"] = self.settings.labels * cross_entropy(logits, self.labels[target.indices])
        return terms

    def update(self, source: Batch, target: Unlabeled, progress: float, descend: Descend) -> dict[str, Tensor]:
        terms = self.losses(source, target, progress)
        moving = [name for name in self.groups() if name != "classifier"] if self.adapts(progress) else None
        descend(torch.stack(list(terms.values())).sum(), only=moving)
        return {name: term.detach() for name, term in terms.items()}

    def groups(self) -> dict[str, list[nn.Parameter]]:
        network = self.network
        parts = {"backbone": network.backbone, "bottleneck": network.bottleneck, "classifier": network.head}
        return {name: list(part.parameters()) for name, part in parts.items() if list(part.parameters())}

"""DisClusterDA: discriminative clustering of the target with centroids of both domains."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax, one_hot

from classify.methods.alignment import ramp
from classify.methods.base import Method
from classify.methods.clusters import distances_to
from classify.network import Network
from scenes.section import Section
from training.method import Batch, Unlabeled


def filtered_entropy(scores: Tensor) -> Tensor:
    """Mean () of H exp(-H), where H is the entropy of softmax(scores). Uncertain pictures have less weight.

    Tang et al., Unsupervised domain adaptation via distilled discriminative clustering, Pattern Recognition 2022. The
    gradient also flows through the weight, as in the authors' code. scores: (n, k).
    """
    entropy = -(scores.softmax(1) * log_softmax(scores, 1)).sum(1)
    return (entropy * (-entropy).exp()).mean()


def imbalance(logits: Tensor) -> Tensor:
    """Loss () -1/k sum_c log mean_i p_ic. It is lowest if the mean prediction is uniform. logits: (n, k)."""
    return -(logits.softmax(1).mean(0) + 1e-6).log().mean()


def moved(centroids: Tensor, features: Tensor, labels: Tensor, remain: float) -> Tensor:
    """Centroids (k, d) after a batch: the share `remain` of the old ones, and the rest from the batch's class means.

    A class that is not in the batch keeps its centroid. A class that was never seen (all 0) takes the mean of the
    batch. The gradient flows only to the features of the batch. features: (n, d). labels: (n,) int64.
    """
    members = one_hot(labels, len(centroids)).to(features.dtype)
    count = members.sum(0).unsqueeze(1)
    batch = members.T @ features / count.clamp(min=1)
    old = centroids.detach()
    share = remain * (old != 0).any(1, keepdim=True).to(features.dtype)
    return torch.where(count > 0, share * old + (1 - share) * batch, old)


class DisClusterDA(Method):
    """Source cross-entropy and filtered target entropy, on the logits and on the similarity to centroids.

    Centroids are class means of the head's inputs, for each domain. Further terms make the centroids separable: by the
    head, and by the distances between them (with a temperature). Source pictures are pulled to the centroid of their
    class, and target pictures clearly to one centroid. Batch norm treats source and target apart.
    """

    class Settings(Section):
        """remain: share of a centroid kept in a batch. temperature: for centroids. balance: weight of this term."""

        remain: float = 0.7
        temperature: float = 2.0
        balance: float = 0.01

    settings: Settings

    def __init__(self, network: Network, classes: int, settings: Section | None = None):
        super().__init__(network, classes, settings)
        self.source_centroids: Tensor
        self.target_centroids: Tensor
        self.register_buffer("source_centroids", torch.zeros(classes, network.width))
        self.register_buffer("target_centroids", torch.zeros(classes, network.width))

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        seen, other = self.network(source.images), self.network(target.images)
        predicted = other.logits.detach().argmax(1)
        ours = moved(self.source_centroids, seen.features, source.targets, self.settings.remain)
        theirs = moved(self.target_centroids, other.features, predicted, self.settings.remain)
        self.source_centroids, self.target_centroids = ours.detach(), theirs.detach()
        weight = ramp(progress)
        centroids = self._apart(ours) + self._apart(theirs)
        # The scores are the probabilities themselves, not their logarithms, as in the authors' code.
        near = cross_entropy((-distances_to(seen.features, ours)).softmax(1), source.targets)
        near = near + filtered_entropy(-distances_to(other.features, theirs))
        return {
            "source": cross_entropy(seen.logits, source.targets),
            "entropy": weight * filtered_entropy(other.logits),
            "centroids": weight * (centroids + near),
            "balance": self.settings.balance * imbalance(other.logits),
        }

    def _apart(self, centroids: Tensor) -> Tensor:
        """Cross-entropy () of the centroids' classes, by the head plus by the distances between centroids."""
        classes = torch.arange(self.classes, device=centroids.device)
        by_head = cross_entropy(self.network.head(centroids) / self.settings.temperature, classes)
        return by_head + cross_entropy(-distances_to(centroids, centroids) / self.settings.temperature, classes)

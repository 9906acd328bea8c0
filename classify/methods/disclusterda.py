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
    """() mean of H exp(-H), H the entropy of softmax(scores): the uncertain weigh less.

    Tang et al., Unsupervised domain adaptation via distilled discriminative clustering, Pattern Recognition 2022. The
    gradient runs through the weight, too, as in the authors' code. scores: (n, k).
    """
    entropy = -(scores.softmax(1) * log_softmax(scores, 1)).sum(1)
    return (entropy * (-entropy).exp()).mean()


def imbalance(logits: Tensor) -> Tensor:
    """() -1/k sum_c log mean_i p_ic, least where the mean prediction is uniform. logits: (n, k)."""
    return -(logits.softmax(1).mean(0) + 1e-6).log().mean()


def moved(centroids: Tensor, features: Tensor, labels: Tensor, remain: float) -> Tensor:
    """(k, d) centroids after a batch: `remain` of the old and the rest of the batch's class mean.

    A class that is not in the batch stays; one that was never seen (all 0) takes the batch's mean. The gradient runs
    to the batch's features alone. features: (n, d). labels: (n,) int64.
    """
    members = one_hot(labels, len(centroids)).to(features.dtype)
    count = members.sum(0).unsqueeze(1)
    batch = members.T @ features / count.clamp(min=1)
    old = centroids.detach()
    share = remain * (old != 0).any(1, keepdim=True).to(features.dtype)
    return torch.where(count > 0, share * old + (1 - share) * batch, old)


class DisClusterDA(Method):
    """Source cross-entropy; filtered entropy of the target; both of the likeness to centroids, which are told apart.

    Centroids are of what the head sees. Of either domain, the head and the distances among themselves shall tell each
    centroid's class (at a temperature); pictures of the source shall be nearest their class's centroid, those of the
    target clearly near one. Batch norm sees source and target apart.
    """

    class Settings(Section):
        """remain: of a centroid after a batch. temperature: of the centroids' classification. balance: its weight."""

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
        # The scores are the shares themselves, not their logarithms: so the authors have it.
        near = cross_entropy((-distances_to(seen.features, ours)).softmax(1), source.targets)
        near = near + filtered_entropy(-distances_to(other.features, theirs))
        return {
            "source": cross_entropy(seen.logits, source.targets),
            "entropy": weight * filtered_entropy(other.logits),
            "centroids": weight * (centroids + near),
            "balance": self.settings.balance * imbalance(other.logits),
        }

    def _apart(self, centroids: Tensor) -> Tensor:
        """() how badly the head, and the distances from one another, tell the centroids' classes."""
        classes = torch.arange(self.classes, device=centroids.device)
        by_head = cross_entropy(self.network.head(centroids) / self.settings.temperature, classes)
        return by_head + cross_entropy(-distances_to(centroids, centroids) / self.settings.temperature, classes)

"""What clustering methods share: passes over all pictures, class means, k-means."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from training.method import Batch, Unlabeled


@torch.no_grad()
def over(
    module: nn.Module, batches: Iterable[Batch | Unlabeled], see: Callable[[Tensor], tuple[Tensor, ...]]
) -> tuple[Tensor, ...]:
    """What `see` makes of the images of all batches, each of its results joined along the pictures.

    `module` is meanwhile as in evaluation.
    """
    training = module.training
    module.eval()
    try:
        parts = [see(batch.images) for batch in batches]
    finally:
        module.train(training)
    return tuple(torch.cat(part) for part in zip(*parts, strict=True))


def means(features: Tensor, labels: Tensor, otherwise: Tensor) -> Tensor:
    """(k, d) mean feature of each class; of a class with no picture, its row of `otherwise` (k, d).

    features: (n, d) float. labels: (n,) int64.
    """
    members = one_hot(labels, len(otherwise)).to(features.dtype)
    count = members.sum(0).unsqueeze(1)
    return torch.where(count > 0, members.T @ features / count.clamp(min=1), otherwise)


def k_means(features: Tensor, centers: Tensor, rounds: int) -> tuple[Tensor, Tensor]:
    """(n,) int64 nearest center and (k, d) centers, after `rounds` (at least 1) of Lloyd's algorithm from `centers`.

    An empty cluster keeps its center. features: (n, d) float.
    """
    for _ in range(rounds):
        labels = torch.cdist(features, centers).argmin(1)
        centers = means(features, labels, centers)
    return labels, centers


def distances_to(features: Tensor, centers: Tensor) -> Tensor:
    """(n, k) squared Euclidean distances of (n, d) features from (k, d) centers."""
    return (features.unsqueeze(1) - centers.unsqueeze(0)).square().sum(2)

"""Shared parts of clustering methods: passes over all pictures, class means and k-means."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from training.method import Batch, Unlabeled
from training.norms import evaluating


@torch.no_grad()
def over(
    module: nn.Module, batches: Iterable[Batch | Unlabeled], see: Callable[[Tensor], tuple[Tensor, ...]]
) -> tuple[Tensor, ...]:
    """Apply `see` to the images of all batches, and join each of its results along the pictures.

    `module` is in evaluation mode meanwhile.
    """
    with evaluating(module):
        parts = [see(batch.images) for batch in batches]
    return tuple(torch.cat(part) for part in zip(*parts, strict=True))


def means(features: Tensor, labels: Tensor, otherwise: Tensor) -> Tensor:
    """Mean feature (k, d) of each class. A class without pictures gets its row of `otherwise` (k, d).

    features: (n, d) float. labels: (n,) int64.
    """
    members = one_hot(labels, len(otherwise)).to(features.dtype)
    count = members.sum(0).unsqueeze(1)
    return torch.where(count > 0, members.T @ features / count.clamp(min=1), otherwise)


def k_means(features: Tensor, centers: Tensor, rounds: int) -> tuple[Tensor, Tensor]:
    """Nearest centers (n,) int64 and new centers (k, d), after `rounds` >= 1 of Lloyd's algorithm from `centers`.

    An empty cluster keeps its center. features: (n, d) float.
    """
    for _ in range(rounds):
        labels = torch.cdist(features, centers).argmin(1)
        centers = means(features, labels, centers)
    return labels, centers


def distances_to(features: Tensor, centers: Tensor) -> Tensor:
    """Squared Euclidean distances (n, k) between features (n, d) and centers (k, d)."""
    return (features.unsqueeze(1) - centers.unsqueeze(0)).square().sum(2)

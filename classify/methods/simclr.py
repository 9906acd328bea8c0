"""Self-supervised pre-training: SimCLR (Chen et al., ICML 2020)."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from classify.methods.base import Method
from classify.network import Network
from scenes.section import Section
from training.method import Batch, Unlabeled


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Normalized temperature-scaled cross-entropy () of two views' projections (n, d) each: equation 1 of the paper.

    The mean over i of  -log( exp(z_i·z_j / T) / sum_{k≠i} exp(z_i·z_k / T) ), where the 2n projections z have unit
    length and j is the other view of picture i.
    """
    views = normalize(torch.cat([first, second]).float())
    similar = views @ views.T / temperature
    similar = similar.masked_fill(torch.eye(len(views), dtype=torch.bool, device=views.device), -torch.inf)
    return cross_entropy(similar, torch.arange(len(views), device=views.device).roll(len(first)))


class Contrastive(Method):
    """SimCLR on two views of the target pictures. Without a target it uses the source pictures, without labels."""

    class Settings(Section):
        """temperature: T of the loss. projection: width of the projection head, which is used only in training."""

        temperature: float = Field(default=0.5, gt=0)
        projection: int = Field(default=128, ge=1)

    blind = True
    settings: Contrastive.Settings

    def __init__(self, network: Network, classes: int, settings: Section | None = None):
        super().__init__(network, classes, settings)
        width = network.width
        self.projection = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, self.settings.projection))

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        views = self.projection(self.network.features(torch.cat([target.images, target.strong])))
        first, second = views.chunk(2)
        return {"contrast": nt_xent(first, second, self.settings.temperature)}

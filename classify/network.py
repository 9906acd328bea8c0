"""The network of a classifier: a backbone, an optional bottleneck, and a linear head."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn


class Output(NamedTuple):
    """features: (n, d) float, the input of the head. logits: (n, k) float."""

    features: Tensor
    logits: Tensor


class Network(nn.Module):
    """A classifier: images (n, 3, h, w) to features (n, d) and logits (n, k).

    backbone: maps images (n, 3, h, w) float to features (n, width). bottleneck: width of a batch-normalized layer
    between backbone and head, which many adaptation methods use; 0 for none. classes: number of outputs k.
    """

    def __init__(self, backbone: nn.Module, width: int, classes: int, bottleneck: int = 0):
        super().__init__()
        self.backbone = backbone
        self.bottleneck: nn.Module = nn.Identity()
        if bottleneck:
            self.bottleneck = nn.Sequential(nn.Linear(width, bottleneck), nn.BatchNorm1d(bottleneck), nn.ReLU())
        self.width = bottleneck or width
        self.head = nn.Linear(self.width, classes)

    def features(self, images: Tensor) -> Tensor:
        """Features (n, d) float of images (n, 3, h, w)."""
        return self.bottleneck(self.backbone(images))

    def forward(self, images: Tensor) -> Output:
        features = self.features(images)
        return Output(features, self.head(features))

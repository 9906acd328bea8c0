"""A classifier as adaptation sees it: a backbone, an optional bottleneck, and a linear head."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn


class Output(NamedTuple):
    """features: (n, d) float, what the head sees. logits: (n, k) float."""

    features: Tensor
    logits: Tensor


class Network(nn.Module):
    """backbone: (n, 3, h, w) float images to (n, b) float features of width `width`.

    bottleneck: that many features, normalized over the batch, between backbone and head, as adaptation methods have
    it; 0 for none. classes: outputs of the head.
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
        """(n, d) float of (n, 3, h, w) images."""
        return self.bottleneck(self.backbone(images))

    def forward(self, images: Tensor) -> Output:
        features = self.features(images)
        return Output(features, self.head(features))

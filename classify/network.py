"""The network of a classifier: a backbone, an optional bottleneck, and a linear head."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor, nn

if TYPE_CHECKING:
    from transformers import PreTrainedModel


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


class Backbone(nn.Module):
    """A model of transformers as a backbone: images (n, 3, h, w) to features (n, width).

    The features are the mean over all positions (ResNet, ConvNeXt) or the class token after the last norm (ViT,
    DINOv2). Position embeddings are interpolated if the images have a different size than the model expects.
    """

    def __init__(self, model: PreTrainedModel):
        super().__init__()
        self.model = model
        config = model.config
        self.tokens = hasattr(config, "hidden_size")
        self.width: int = config.hidden_size if self.tokens else config.hidden_sizes[-1]
        self._options = {"interpolate_pos_encoding": True} if config.model_type == "vit" else {}

    def forward(self, images: Tensor) -> Tensor:
        out = self.model(images, **self._options)
        return out.last_hidden_state[:, 0] if self.tokens else out.pooler_output.flatten(1)

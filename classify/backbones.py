"""Backbones of transformers: their configs, with random or loaded weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transformers import (
    ConvNextConfig,
    ConvNextModel,
    Dinov2Config,
    Dinov2Model,
    PretrainedConfig,
    PreTrainedModel,
    ResNetConfig,
    ResNetModel,
    ViTConfig,
    ViTModel,
)

from classify.network import Backbone
from training.pretrained import load_pretrained

_RESNET18 = {"layer_type": "basic", "depths": [2, 2, 2, 2], "hidden_sizes": [64, 128, 256, 512]}
_SMALL = {"hidden_size": 384, "num_attention_heads": 6}
# As in S2RDA, queries, keys and values have no bias. Loaded models follow their own config.
_VIT: dict[str, Any] = {"qkv_bias": False, "layer_norm_eps": 1e-6}
_DINO: dict[str, Any] = {"use_mask_token": False}

_CONFIGS: dict[str, Callable[[int], PretrainedConfig]] = {
    "resnet18": lambda size: ResNetConfig(**_RESNET18),
    "resnet50": lambda size: ResNetConfig(),
    "resnet101": lambda size: ResNetConfig(depths=[3, 4, 23, 3]),
    "vit-s": lambda size: ViTConfig(image_size=size, intermediate_size=1536, **_SMALL, **_VIT),
    "vit-b": lambda size: ViTConfig(image_size=size, **_VIT),
    "convnext-t": lambda size: ConvNextConfig(),
    "dinov2-s": lambda size: Dinov2Config(image_size=size, **_SMALL, **_DINO),
    "dinov2-b": lambda size: Dinov2Config(image_size=size, **_DINO),
}
_MODELS: dict[str, tuple[type[PreTrainedModel], dict[str, Any]]] = {
    "resnet": (ResNetModel, {}),
    "convnext": (ConvNextModel, {}),
    "vit": (ViTModel, {"add_pooling_layer": False}),
    "dinov2": (Dinov2Model, _DINO),
}


def patch(name: str) -> int:
    """The side of the images, pixels, must be a multiple of this."""
    # ConvNeXt calls the stride of its stem so, and takes images of any size.
    return 1 if name == "convnext-t" else getattr(_CONFIGS[name](224), "patch_size", 1)


def of_transformers(name: str, size: int, weights: str | None) -> Backbone:
    """A backbone for images of `size` pixels.

    weights: a folder or a name on the Hugging Face Hub; None for random ones. Raises InputError if they
    cannot be loaded.
    """
    config = _CONFIGS[name](size)
    kind, options = _MODELS[config.model_type]
    if weights is not None:
        return Backbone(load_pretrained(kind, name, config, weights, **options))
    return Backbone(kind(config, **({} if kind is Dinov2Model else options)))

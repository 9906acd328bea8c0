"""Networks by name, with random or loaded weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor, nn
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

from classify.mixer import Mixer
from classify.network import Network
from scenes.errors import InputError, choices
from training import checkpoint
from training.pretrained import load_pretrained

_MIXER = "mixer-b"

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
NAMES = (*_CONFIGS, _MIXER)


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


def build(name: str, classes: int, *, weights: str | None = None, size: int = 224, bottleneck: int = 0) -> Network:
    """Build a classification network by name, in training mode.

    With ten classes and no bottleneck, the networks have the parameter counts of S2RDA: 23,528,522 (resnet50),
    85,778,698 (vit-b) and 59,119,162 (mixer-b at 224 pixels), including head and position embeddings.

    Parameters
    ----------
    name : str
        `resnet18`, `resnet50`, `resnet101`, `vit-s`, `vit-b`, `convnext-t`, `dinov2-s`, `dinov2-b` or `mixer-b`.
    classes : int
        Number of outputs of the head.
    weights : str, optional
        Weights of the backbone: a folder or a Hugging Face name that transformers can load (only safetensors, no
        remote code), or a checkpoint file of blendmill. By default they are random, from torch's global generator.
        Bottleneck and head are always random.
    size : int
        Side of the images, pixels. It must be a multiple of 16 for vit and mixer, and of 14 for dinov2. With loaded
        weights, ViT and DINOv2 interpolate their position embeddings to this size. ResNets keep their stem (total
        stride 4) at any size.
    bottleneck : int
        Width of a batch-normalized layer between backbone and head. 0 for none.

    Returns
    -------
    Network
        Maps images (n, 3, size, size) float to `features` (n, d) and `logits` (n, classes).

    Raises
    ------
    InputError
        If the name is unknown, the size does not fit, or the weights cannot be loaded.

    Examples
    --------
    >>> import torch
    >>> from blendmill import build
    >>> network = build("resnet18", classes=3, size=32)
    >>> network(torch.zeros(2, 3, 32, 32)).logits.shape
    torch.Size([2, 3])
    """
    if name not in NAMES:
        raise InputError(f"model: '{name}' is not known, {choices(name, NAMES)}")
    _check_size(name, size)
    ours = weights is not None and Path(weights).is_file()
    if name == _MIXER:
        if weights is not None and not ours:
            raise InputError(
                f"weights: '{weights}': {name} can only start from a checkpoint file of blendmill, or without weights"
            )
        backbone: Mixer | Backbone = Mixer(size)
    else:
        config = _CONFIGS[name](size)
        backbone = Backbone(_scratch(config) if weights is None or ours else _loaded(name, config, weights))
    if weights is not None and ours:
        _restore(backbone, Path(weights))
    return Network(backbone, backbone.width, classes, bottleneck).train()


def _check_size(name: str, size: int) -> None:
    patch = 16 if name == _MIXER else getattr(_CONFIGS[name](224), "patch_size", 1)
    if size < 1 or (name != "convnext-t" and size % patch):
        near = max(patch, round(size / patch) * patch)
        raise InputError(f"size: {size}, but {name} needs a multiple of {patch}, for example {near}")


def _scratch(config: PretrainedConfig) -> PreTrainedModel:
    model, options = _MODELS[config.model_type]
    return model(config, **({} if model is Dinov2Model else options))


def _loaded(name: str, config: PretrainedConfig, weights: str) -> PreTrainedModel:
    kind, options = _MODELS[config.model_type]
    return load_pretrained(kind, name, config, weights, **options)


def _restore(backbone: nn.Module, path: Path) -> None:
    """Load the backbone from a checkpoint of blendmill: the average if there is one."""
    saved = checkpoint.read(path)
    tensors = saved.part("average.module.network.backbone") or saved.part("method.network.backbone")
    checkpoint.load(backbone, tensors, str(path))

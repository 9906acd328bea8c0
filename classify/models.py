"""Networks by name, with random or loaded weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
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
from transformers.utils import logging

from classify.mixer import Mixer
from classify.network import Network
from scenes.errors import InputError, choices
from training import checkpoint

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

# Config fields that must agree between loaded weights and the requested model.
_SHAPE = ("model_type", "layer_type", "depths", "hidden_sizes", "hidden_size", "num_hidden_layers", "patch_size")


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
        backbone = Backbone(_scratch(config) if weights is None or ours else _load(name, config, weights))
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


def _load(name: str, config: PretrainedConfig, weights: str) -> PreTrainedModel:
    """Load a model of transformers with the shape of `config` from a folder or from the Hugging Face Hub."""
    folder = Path(weights).is_dir()
    if folder and not (Path(weights) / "config.json").is_file():
        raise InputError(f"weights: {weights}: a folder without config.json was not saved by transformers")
    if not folder and not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)?", weights):
        raise InputError(
            f"weights: '{weights}': not a folder, not a file, and not a valid name on the Hugging Face Hub"
        )
    kind, options = _MODELS[config.model_type]
    try:
        with _quiet():
            theirs = PretrainedConfig.get_config_dict(weights, local_files_only=folder)[0]
            _check_shape(name, config, theirs, weights)
            model, report = kind.from_pretrained(
                weights,
                local_files_only=folder,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                **options,
            )
    except (OSError, ValueError, RuntimeError, SafetensorError, StrictDataclassError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"weights: '{weights}': transformers cannot load it: {reason}") from None
    lacking = sorted([*report["missing_keys"], *report["mismatched_keys"]], key=str)
    if lacking:
        raise InputError(
            f"weights: {weights}: {len(lacking)} of {name}'s tensors are missing in it, such as {lacking[0]}"
        )
    return model


def _check_shape(name: str, config: PretrainedConfig, theirs: dict[str, Any], weights: str) -> None:
    kind = theirs.get("model_type")
    known = type(config).from_dict(theirs) if kind == config.model_type else PretrainedConfig(model_type=kind)
    for field in _SHAPE:
        given, wanted = getattr(known, field, None), getattr(config, field, None)
        if given != wanted:
            raise InputError(f"weights: {weights}: its {field} is {given}, but {name} has {wanted}")


def _restore(backbone: nn.Module, path: Path) -> None:
    """Load the backbone from a checkpoint of blendmill: the average if there is one."""
    saved = checkpoint.read(path)
    tensors = saved.part("average.module.network.backbone") or saved.part("method.network.backbone")
    checkpoint.load(backbone, tensors, str(path))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence transformers: no progress bars and no load reports. Missing weights are checked elsewhere."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()

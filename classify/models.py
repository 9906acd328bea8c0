"""Networks by name, with random or loaded weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from torch import nn

from classify.mixer import Mixer
from classify.network import Backbone, Network
from scenes.errors import InputError, choices
from training import checkpoint
from training.efficientnet import EfficientNetLite0

_OWN: dict[str, tuple[int, Callable[[int], Mixer | EfficientNetLite0]]] = {
    "mixer-s": (16, lambda size: Mixer(size, width=512, depth=8, token_hidden=256, hidden=2048)),
    "mixer-b": (16, Mixer),
    "efficientnet-lite0": (1, lambda size: EfficientNetLite0()),
}
"""Networks of our own code: the side must be a multiple of this, and the backbone for a side, pixels."""

NAMES = ("resnet18", "resnet50", "resnet101", "vit-s", "vit-b", "convnext-t", "dinov2-s", "dinov2-b", *_OWN)


def build(name: str, classes: int, *, weights: str | None = None, size: int = 224, bottleneck: int = 0) -> Network:
    """Build a classification network by name, in training mode.

    With ten classes and no bottleneck, the networks have the parameter counts of S2RDA: 23,528,522 (resnet50),
    85,778,698 (vit-b) and 59,119,162 (mixer-b at 224 pixels), including head and position embeddings.

    Parameters
    ----------
    name : str
        `resnet18`, `resnet50`, `resnet101`, `vit-s`, `vit-b`, `convnext-t`, `dinov2-s`, `dinov2-b`, `mixer-s`,
        `mixer-b` or `efficientnet-lite0`.
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
    ours = weights is not None and Path(weights).is_file()
    if name in _OWN:
        if weights is not None and not ours:
            raise InputError(
                f"weights: '{weights}': {name} can only start from a checkpoint file of blendmill, or without weights"
            )
        multiple, made = _OWN[name]
        _check_size(name, size, multiple)
        backbone: Mixer | EfficientNetLite0 | Backbone = made(size)
    else:
        # Importing transformers takes seconds.
        from classify.backbones import of_transformers, patch

        _check_size(name, size, patch(name))
        backbone = of_transformers(name, size, None if ours else weights)
    if weights is not None and ours:
        _restore(backbone, Path(weights))
    return Network(backbone, backbone.width, classes, bottleneck).train()


def _check_size(name: str, size: int, patch: int) -> None:
    if size < 1 or size % patch:
        near = max(patch, round(size / patch) * patch)
        raise InputError(f"size: {size}, but {name} needs a multiple of {patch}, for example {near}")


def _restore(backbone: nn.Module, path: Path) -> None:
    """Load the backbone from a checkpoint of blendmill."""
    checkpoint.load(backbone, checkpoint.read(path).backbone(), str(path))

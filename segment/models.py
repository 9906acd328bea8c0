"""Networks that label pixels, by name, and their predictions for whole pictures."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from scenes.errors import InputError, choices
from segment.inference import Inference
from segment.levels import normalized
from segment.logits import chances
from segment.methods.supervised import Supervised
from segment.network import MATCHING, NAMES, UNET, UNET_LITE0, Segmenter, Segments
from segment.unet import UNet, UNetLite0
from training.method import TrainingMethod

PLAIN = Inference()
"""How pictures are predicted if nothing else is said: at their own size."""


def build(name: str, width: int, depth: int, weights: str | None = None, classes: int = 1) -> Segmenter:
    """Build a network. It maps images (n, 3, h, w) float to logits (n, h, w), or (n, classes, h, w) of several classes.

    width: channels of a U-Net at full resolution. depth: how many times it halves the resolution. weights: for the
    networks of transformers, a folder or a name on the Hugging Face Hub; for `unet-lite0`, a classifier on
    EfficientNet-Lite0; None for random weights. Raises InputError.
    """
    if name == UNET:
        if weights is not None:
            raise InputError(f"field weights: '{weights}': a U-Net starts from a run or a checkpoint of segment only")
        return _fast(UNet(width, depth, classes))
    if name == UNET_LITE0:
        return _fast(UNetLite0(width, depth, classes, weights))
    if name not in NAMES:
        raise InputError(f"field model: no network is called '{name}', {choices(name, NAMES)}")
    # Importing transformers takes seconds.
    if name in MATCHING:
        from segment.mask2former import Mask2Former

        return Mask2Former(name, weights, classes)
    from segment.backbones import of_transformers

    return of_transformers(name, weights, classes)


def _fast(network: Segmenter) -> Segmenter:
    """The network in channels-last format: convolutions with few channels are faster in it, also on CPUs."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


@torch.inference_mode()
def segments_of(method: Supervised, rgb: NDArray[np.uint8]) -> Segments:
    """What a network that tells objects apart finds in a picture (h, w, 3) uint8, seen as a whole."""
    method.eval()
    return method.network.segments(normalized(_pixels(method, rgb)))[0]


@torch.inference_mode()
def probabilities(method: TrainingMethod, rgb: NDArray[np.uint8], inference: Inference = PLAIN) -> NDArray[np.float32]:
    """Probabilities of each pixel of a picture (h, w, 3) uint8: of crack (h, w), or of the classes (k, h, w), float32.

    inference: at which sizes the picture is seen, and in which windows.
    """
    method.eval()
    return chances(inference.logits(method.predict, normalized(_pixels(method, rgb))))[0].cpu().numpy()


def _pixels(method: TrainingMethod, rgb: NDArray[np.uint8]) -> torch.Tensor:
    """(1, 3, h, w) uint8 on the device of a method."""
    device = next(method.parameters()).device
    return torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))[None].to(device)

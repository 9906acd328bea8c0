"""Networks that say where cracks are, by name, and what they make of a whole picture."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from segment.crops import normalized
from segment.unet import UNet
from training.method import TrainingMethod


def build(name: str, width: int, depth: int) -> nn.Module:
    """A network with new weights: (n, 3, h, w) float images to (n, h, w) logits.

    width: channels at full resolution. depth: how often the resolution is halved.
    """
    if name != "unet":
        raise ValueError(f"no network is called '{name}'")
    # Convolutions of few channels are faster with the channels last, on CPUs also.
    return UNet(width, depth).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


@torch.inference_mode()
def probabilities(method: TrainingMethod, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w) float32 of a picture (h, w, 3) uint8: the chance that a pixel is crack."""
    method.eval()
    device = next(method.parameters()).device
    levels = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))[None].to(device)
    return method.predict(normalized(levels))[0].float().sigmoid().cpu().numpy()

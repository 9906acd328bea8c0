"""Networks that find cracks, by name, and their predictions for whole pictures."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from segment.crops import normalized
from segment.unet import UNet
from training.method import TrainingMethod


def build(name: str, width: int, depth: int) -> nn.Module:
    """Build a network with random weights. It maps images (n, 3, h, w) float to logits (n, h, w).

    width: channels at full resolution. depth: how many times the resolution is halved.
    """
    if name != "unet":
        raise ValueError(f"no network is called '{name}'")
    # Convolutions with few channels are faster in channels-last format, also on CPUs.
    return UNet(width, depth).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


@torch.inference_mode()
def probabilities(method: TrainingMethod, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probability of crack (h, w) float32 for each pixel of a picture (h, w, 3) uint8."""
    method.eval()
    device = next(method.parameters()).device
    levels = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))[None].to(device)
    return method.predict(normalized(levels))[0].float().sigmoid().cpu().numpy()

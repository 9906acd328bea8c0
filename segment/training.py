"""Training of crack segmenters with labels, and their predictions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from segment.crops import Crops, normalized


@dataclass(frozen=True)
class Schedule:
    """iterations: steps of AdamW at `rate`, warmed up over `warmup` steps and lowered to 0 along a cosine."""

    iterations: int
    rate: float = 2e-3
    warmup: int = 50
    decay: float = 1e-4

    def at(self, step: int) -> float:
        """The rate of a step, 0-based, as a share of the highest."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        return 0.5 + 0.5 * math.cos(math.pi * (step - self.warmup) / max(1, self.iterations - self.warmup))


def dice_and_entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """(): binary cross-entropy plus soft Dice loss over the batch (Milletari et al. 2016, arXiv 1606.04797, eq. 2).

    logits, masks: (n, h, w) float; masks of 0 and 1.
    """
    probabilities = logits.sigmoid()
    overlap = 2 * (probabilities * masks).sum() + 1
    return binary_cross_entropy_with_logits(logits, masks) + 1 - overlap / (probabilities.sum() + masks.sum() + 1)


def train(
    network: nn.Module, crops: Crops, schedule: Schedule, told: Callable[[int, float], None] = lambda step, loss: None
) -> None:
    """Train in place; bfloat16 where it is not the weights'. told: called with each step and its loss."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=schedule.rate, weight_decay=schedule.decay)
    lowered = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule.at)
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for step in range(schedule.iterations):
        images, masks = crops(step)
        with torch.autocast(images.device.type, torch.bfloat16):
            logits = network(images)
        loss = dice_and_entropy(logits.float(), masks)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        lowered.step()
        told(step, loss.item())


@torch.inference_mode()
def probabilities(network: nn.Module, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w) float32 of a picture (h, w, 3) uint8: the chance that a pixel is crack."""
    network.eval()
    image = torch.from_numpy(normalized(rgb).transpose(2, 0, 1)[None].copy()).to(memory_format=torch.channels_last)
    return network(image)[0].sigmoid().numpy()

"""The running average of a module's weights."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


class EMA(AveragedModel):
    """A copy of `module` whose weights are the exponential moving average of its weights (Polyak; Tarvainen 2017).

    After update number t = 1, 2, … the average is a·average + (1 - a)·weight with a = min(1 - 1/t, decay): the plain
    mean of all so far while they are few, so that the random weights of the beginning do not linger.

    Buffers are not averaged: all of them, whole numbers and floats, statistics of batch norm too, are copied as they
    are at each update. The copy, `module`, trains nothing (no gradients) and is in evaluation mode; `state_dict` holds
    it and the number of updates, so a resumed average goes on as it was.
    """

    def __init__(self, module: nn.Module, decay: float):
        super().__init__(module, avg_fn=partial(_averaged, decay))
        self.module.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> EMA:
        """The copy stays in evaluation mode."""
        return super().train(False)


def _averaged(decay: float, average: Tensor, weight: Tensor, updates: Tensor | int) -> Tensor:
    """The average after one more update than `updates`."""
    share = (1 / (torch.as_tensor(updates) + 1)).clamp(min=1 - decay).float()
    return torch.lerp(average, weight, share.to(average.dtype))

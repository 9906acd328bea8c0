"""The running average of a module's weights."""

from __future__ import annotations

import copy

import torch
from torch import nn


class EMA(nn.Module):
    """A copy of `module` whose weights are the exponential moving average of its weights (Polyak; Tarvainen 2017).

    After update number t = 1, 2, … the average is a·average + (1 - a)·weight with a = min(1 - 1/t, decay): the plain
    mean of all so far while they are few, so that the random weights of the beginning do not linger.

    Buffers are not averaged: all of them, whole numbers and floats, statistics of batch norm too, are copied as they
    are at each update. The copy, `module`, trains nothing (no gradients) and is in evaluation mode; `state_dict` holds
    it and the number of updates, so a resumed average goes on as it was.
    """

    updates: torch.Tensor

    def __init__(self, module: nn.Module, decay: float):
        super().__init__()
        self.decay = decay
        self.module = copy.deepcopy(module).requires_grad_(False).eval()
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take in the weights and buffers of `module` after a step of training."""
        self.updates += 1
        # On the device: the number is never waited for.
        share = (1 / self.updates).clamp(min=1 - self.decay).float()
        for weight, theirs in zip(self.module.parameters(), module.parameters(), strict=True):
            weight.lerp_(theirs, share.to(weight.dtype))
        for buffer, now in zip(self.module.buffers(), module.buffers(), strict=True):
            buffer.copy_(now)

    def train(self, mode: bool = True) -> EMA:
        """The copy stays in evaluation mode."""
        return super().train(False)

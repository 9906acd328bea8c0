"""A teacher: the moving average of a network, which labels pictures of the target for it."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from training.ema import EMA
from training.method import Batch, Descend, TrainingMethod, Unlabeled


class Teacher(EMA):
    """Moving average of a network, which can also run on batch statistics."""

    def forward(self, images: Tensor, by_batch: bool = False) -> Any:
        """The network's output for pictures (n, 3, h, w). Gradients flow to the pictures, but not to the weights.

        by_batch: batch norm uses batch statistics, as in training. Dropout stays off.
        """
        for module in self.module.modules():
            module.training = by_batch and isinstance(module, _BatchNorm)
        return self.module(images)


class Taught(TrainingMethod):
    """Adds to a task's method that its `teacher` follows the network after each step, and is not trained itself."""

    teacher: Teacher

    def update(self, source: Batch, target: Unlabeled, progress: float, descend: Descend) -> dict[str, Tensor]:
        terms = super().update(source, target, progress, descend)
        self.teacher.update_parameters(self.network)
        return terms

    def groups(self) -> dict[str, list[nn.Parameter]]:
        return {name: [p for p in group if p.requires_grad] for name, group in super().groups().items()}


def warm_up(progress: float, share: float) -> float:
    """exp(-5 (1 - t)^2), from 0.007 to 1. t: finished part of the first `share` of training."""
    done = min(progress / share, 1.0) if share else 1.0
    return math.exp(-5 * (1 - done) ** 2)

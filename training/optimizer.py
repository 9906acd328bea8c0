"""Optimizers over groups of parameters, learning-rate schedules, and the optimizer step."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import torch
from torch import Tensor, distributed, nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from training.distributed import any_rank, average_gradients

Schedule = Literal["constant", "cosine", "inverse", "s2rda", "poly", "step"]


class NotFinite(ArithmeticError):
    """The loss or its gradient is infinite or not a number. The weights have not been changed."""


def optimizer(
    groups: Mapping[str, Iterable[nn.Parameter]],
    name: Literal["sgd", "adam", "adamw"] = "sgd",
    *,
    lr: float,
    backbone: float = 1.0,
    momentum: float = 0.9,
    nesterov: bool = False,
    weight_decay: float = 0.0,
) -> Optimizer:
    """SGD, Adam or AdamW over the named groups of `TrainingMethod.groups()`.

    lr: learning rate of all groups except "backbone", whose rate is `backbone` times that. momentum: momentum of SGD,
    or the first beta of the others. nesterov: for SGD only. weight_decay: applies to all parameters, including biases
    and norms, as in the reference implementations.
    """
    parts = [
        {"name": group, "params": list(parameters), "lr": lr * (backbone if group == "backbone" else 1.0)}
        for group, parameters in groups.items()
    ]
    parts = [part | {"initial_lr": part["lr"]} for part in parts if part["params"]]
    if name == "sgd":
        # Without momentum the Nesterov step equals the plain step, and torch raises an error for it.
        look_ahead = nesterov and momentum > 0
        return SGD(parts, lr, momentum, weight_decay=weight_decay, nesterov=look_ahead, fused=True)
    kind = Adam if name == "adam" else AdamW
    return kind(parts, lr, betas=(momentum, 0.999), weight_decay=weight_decay, fused=True)


def factor(
    schedule: Schedule,
    iteration: int,
    iterations: int,
    *,
    gamma: float = 3e-4,
    power: float = 0.75,
    milestone: float = 0.8,
    warmup: int = 0,
) -> float:
    """The factor of the learning rates in iteration 0 ≤ i < n, with p = (i - warmup) / (n - warmup).

    constant: 1. cosine: (1 + cos πp) / 2, down to 0. inverse: (1 + gamma (i - warmup))^-power, as in domain-adversarial
    methods. s2rda: (1 + 10 p)^-0.75; the authors' code changes p once in an epoch, here it changes in each iteration.
    poly: (1 - p)^power, a straight line to 0 for the power 1. step: 1, and 0.1 from p = milestone on.
    In the first `warmup` iterations the factor is (i + 1) / (warmup + 1). It is never 0, so no iteration is wasted.
    """
    if iteration < warmup:
        return (iteration + 1) / (warmup + 1)
    done = iteration - warmup
    progress = done / max(1, iterations - warmup)
    if schedule == "cosine":
        return (1 + math.cos(math.pi * min(1.0, progress))) / 2
    if schedule == "inverse":
        return float((1 + gamma * done) ** -power)
    if schedule == "s2rda":
        return float((1 + 10 * progress) ** -0.75)
    if schedule == "poly":
        return float(max(0.0, 1 - progress) ** power)
    if schedule == "step":
        return 1.0 if progress < milestone else 0.1
    return 1.0


class OptimizerStep:
    """Optimizer steps; a `training.method.Descend`.

    clip: largest norm of the gradient over the updated groups; 0 for no limit. scaler: scales the loss, for float16.
    If torch.distributed is initialized, each process has its own loss, and the mean of the gradients is used.
    """

    def __init__(self, optimizer: Optimizer, clip: float = 0.0, scaler: torch.amp.GradScaler | None = None):
        self.optimizer, self.clip = optimizer, clip
        self.scaler = scaler if scaler is not None and scaler.is_enabled() else None
        self._groups: dict[str, list[nn.Parameter]] = {g["name"]: g["params"] for g in optimizer.param_groups}

    def rates(self, factor: float) -> None:
        """Set the learning rate of each group to `factor` times its initial rate."""
        for group in self.optimizer.param_groups:
            group["lr"] = factor * group["initial_lr"]

    def __call__(self, loss: Tensor, only: Collection[str] | None = None) -> None:
        """Take one step along the gradient of `loss` (), for the groups named in `only`, or for all.

        The other groups keep their weights and momentum, and no gradient is computed for them. Raises NotFinite, in
        all processes at once and before any weight changes, and KeyError for an unknown group. With a scaler, an
        overflow of the gradient is not an error: the step is skipped and the scale is lowered.
        """
        if only is not None and (unknown := sorted(set(only) - self._groups.keys())):
            raise KeyError(unknown[0])
        # In the optimizer's own order: a set of names has another order in each process, and sums follow the order.
        chosen = [params for name, params in self._groups.items() if only is None or name in only]
        moving = [p for params in chosen for p in params if p.requires_grad]
        world = distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1
        self.optimizer.zero_grad(set_to_none=True)
        inputs = None if only is None else moving
        torch.autograd.backward(self.scaler.scale(loss) if self.scaler else loss, inputs=inputs)
        average_gradients(moving, world)
        if self.scaler:
            self.scaler.unscale_(self.optimizer)
        norm = nn.utils.get_total_norm([p.grad for p in moving if p.grad is not None])
        sound = torch.isfinite(loss.detach()) & (True if self.scaler else torch.isfinite(norm))
        if any_rank(not sound, world):
            self.optimizer.zero_grad(set_to_none=True)
            raise NotFinite(f"the loss is {loss.item():g}, the norm of its gradient {norm.item():g}")
        if self.clip:
            nn.utils.clip_grads_with_norm_(moving, self.clip, norm)
        if self.scaler:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        else:
            self.optimizer.step()

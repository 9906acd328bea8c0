"""Optimizers over groups of parameters, their rates as functions of the iteration, and the step down a gradient."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import torch
from torch import Tensor, distributed, nn
from torch.optim import SGD, AdamW, Optimizer

from training.distributed import any_rank, average_gradients

Schedule = Literal["constant", "cosine", "inverse", "s2rda"]


class NotFinite(ArithmeticError):
    """The loss or its gradient is infinite or not a number; the weights are as they were before the step."""


def optimizer(
    groups: Mapping[str, Iterable[nn.Parameter]],
    name: Literal["sgd", "adamw"] = "sgd",
    *,
    lr: float,
    backbone: float = 1.0,
    momentum: float = 0.9,
    nesterov: bool = False,
    weight_decay: float = 0.0,
) -> Optimizer:
    """SGD or AdamW over the groups of `Method.groups()`, each under its name.

    lr: the rate of all groups but "backbone", whose rate is `backbone` times that. momentum: of SGD, and the first
    beta of AdamW. nesterov: of SGD alone. weight_decay: on all parameters, biases and norms too, as the reference
    implementations have it.
    """
    parts = [
        {"name": group, "params": list(parameters), "lr": lr * (backbone if group == "backbone" else 1.0)}
        for group, parameters in groups.items()
    ]
    parts = [part | {"initial_lr": part["lr"]} for part in parts if part["params"]]
    if name == "sgd":
        # Nesterov's step without momentum is the plain one, and torch refuses to be asked for it.
        look_ahead = nesterov and momentum > 0
        return SGD(parts, lr, momentum, weight_decay=weight_decay, nesterov=look_ahead, fused=True)
    return AdamW(parts, lr, betas=(momentum, 0.999), weight_decay=weight_decay, fused=True)


def factor(
    schedule: Schedule,
    iteration: int,
    iterations: int,
    *,
    gamma: float = 3e-4,
    power: float = 0.75,
    warmup: int = 0,
) -> float:
    """What the rates are multiplied by in iteration 0 ≤ i < n, with p = (i - warmup) / (n - warmup).

    constant: 1. cosine: (1 + cos πp) / 2, to 0. inverse: (1 + gamma (i - warmup))^-power, the domain-adversarial
    methods'. s2rda: (1 + 10 p)^-0.75 (its authors' code holds p for an epoch, here it moves each iteration).
    Before that, `warmup` iterations rise linearly: (i + 1) / (warmup + 1), so that no iteration is lost at 0.
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
    return 1.0


class OptimizerStep:
    """Steps of an optimizer, as `training.method.Descend` wants them.

    clip: the gradient's largest norm over the groups that move; 0 for none. scaler: of the loss, for float16.
    Where torch.distributed runs, each process brings a loss of its own and the mean of their gradients is followed: no
    DistributedDataParallel is needed, and a method may take several steps down several losses in an iteration.
    """

    def __init__(self, optimizer: Optimizer, clip: float = 0.0, scaler: torch.amp.GradScaler | None = None):
        self.optimizer, self.clip = optimizer, clip
        self.scaler = scaler if scaler is not None and scaler.is_enabled() else None
        self._groups: dict[str, list[nn.Parameter]] = {g["name"]: g["params"] for g in optimizer.param_groups}

    def rates(self, factor: float) -> None:
        """Set each group's rate to `factor` times what it began with."""
        for group in self.optimizer.param_groups:
            group["lr"] = factor * group["initial_lr"]

    def __call__(self, loss: Tensor, only: Collection[str] | None = None) -> None:
        """One step down the gradient of `loss` (), of the groups named in `only`, or of all.

        Groups that do not move keep weights, momentum and decay as they are, and no gradient is computed for them.
        Raises NotFinite, in all processes at once, before anything is changed; KeyError for a group that is not there.
        With a scaler a gradient that overflows is no error: the step is left out and the scale lowered.
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

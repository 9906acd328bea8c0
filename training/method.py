"""What every way of training is: losses over a batch of source and target pictures, and how the weights follow them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from scenes.section import Section


@dataclass(frozen=True)
class Batch:
    """Pictures of the source, with what is to be learned of them.

    images: (n, 3, h, w) float, normalized. targets: (n,) int64 classes, (n, h, w) masks, whatever the task learns.
    indices: (n,) int64, places in the source's data.
    """

    images: Tensor
    targets: Tensor
    indices: Tensor


@dataclass(frozen=True)
class Unlabeled:
    """images: (n, 3, h, w) float, normalized, augmented as in training; strong: the same pictures, augmented strongly.

    indices: (n,) int64, places in the target's data. There are no labels here, and no way to them.
    """

    images: Tensor
    strong: Tensor
    indices: Tensor


@dataclass(frozen=True)
class FullPass:
    """Whole passes over the training pictures, not augmented, in the order of their indices, for what needs all.

    Each call gives batches; nothing is kept between calls.
    """

    source: Callable[[], Iterable[Batch]]
    target: Callable[[], Iterable[Unlabeled]]


class Descend(Protocol):
    """One step of the optimizer down the gradient of `loss` (); `only`: names of the groups that move, None for all."""

    def __call__(self, loss: Tensor, only: Collection[str] | None = None) -> None: ...


class TrainingMethod(nn.Module):
    """The base of the methods of all tasks: a task's own base says what the loss is and what the network gives.

    A method owns the network and whatever it trains beside it, and holds all its state in parameters and buffers, so
    that `state_dict` resumes it. `progress` is the share of training that is done, in [0, 1], the same for all
    methods. Settings are its hyper-parameters, by the defaults of the paper or its authors' code.
    """

    class Settings(Section):
        """No hyper-parameters."""

    network: nn.Module

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        """The terms () of the loss by name; their sum is minimized."""
        raise NotImplementedError

    def update(self, source: Batch, target: Unlabeled, progress: float, descend: Descend) -> dict[str, Tensor]:
        """Take one training step; returns the terms of the loss, detached, for the log."""
        terms = self.losses(source, target, progress)
        descend(torch.stack(list(terms.values())).sum())
        return {name: term.detach() for name, term in terms.items()}

    def begin_epoch(self, passes: FullPass, progress: float) -> None:
        """Before each pass over the longer of the two domains; here nothing."""

    def finish(self, passes: FullPass) -> None:
        """After the last step; here nothing."""

    def predict(self, images: Tensor) -> Tensor:
        """(n, …) float logits of target pictures (n, 3, h, w), as evaluation takes them."""
        raise NotImplementedError

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """All trained parameters by group; "backbone" learns at the backbone's own rate, all others at the head's."""
        return {"network": list(self.parameters())}

    def compile_network(self) -> None:
        """Compile what most of the time goes into."""
        self.network.compile()

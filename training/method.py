"""The base of all training methods: losses on a batch of source and target pictures, and the training step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from scenes.section import Section


@dataclass(frozen=True)
class Batch:
    """Labeled pictures of the source.

    images: (n, 3, h, w) float, normalized. targets: what the task learns, such as (n,) int64 classes or (n, h, w)
    float masks. indices: (n,) int64, places in the source.
    """

    images: Tensor
    targets: Tensor
    indices: Tensor


@dataclass(frozen=True)
class Unlabeled:
    """Pictures of the target. They carry no labels.

    images: (n, 3, h, w) float, normalized, augmented as in training. strong: the same pictures, strongly augmented.
    indices: (n,) int64, places in the target.
    """

    images: Tensor
    strong: Tensor
    indices: Tensor


@dataclass(frozen=True)
class FullPass:
    """Full passes over the training pictures: not augmented, in the order of their indices.

    Each call returns a new pass over the batches. Nothing is kept between calls.
    """

    source: Callable[[], Iterable[Batch]]
    target: Callable[[], Iterable[Unlabeled]]


class Descend(Protocol):
    """One optimizer step for `loss` (). only: names of the groups that are updated; None for all."""

    def __call__(self, loss: Tensor, only: Collection[str] | None = None) -> None: ...


class TrainingMethod(nn.Module):
    """The base of the training methods of all tasks. Each task has a base of its own, which defines loss and output.

    A method owns the network and all other modules that it trains. All its state is in parameters and buffers, so
    `state_dict` is enough to resume it. `progress` is the finished share of training, 0 to 1. Settings holds the
    hyper-parameters; the defaults are those of the paper or of its authors' code.
    """

    class Settings(Section):
        """No hyper-parameters."""

    network: nn.Module

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        """The terms () of the loss by name. Their sum is minimized."""
        raise NotImplementedError

    def update(self, source: Batch, target: Unlabeled, progress: float, descend: Descend) -> dict[str, Tensor]:
        """Take one training step. Returns the terms of the loss, detached, for the log."""
        terms = self.losses(source, target, progress)
        descend(torch.stack(list(terms.values())).sum())
        return {name: term.detach() for name, term in terms.items()}

    def begin_epoch(self, passes: FullPass, progress: float) -> None:
        """Called before each pass over the larger domain. Does nothing here."""

    def finish(self, passes: FullPass) -> None:
        """Called after the last step. Does nothing here."""

    def predict(self, images: Tensor) -> Tensor:
        """Logits (n, …) float of target pictures (n, 3, h, w), for evaluation."""
        raise NotImplementedError

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """All trained parameters by group. "backbone" has its own learning rate; all other groups share one."""
        return {"network": list(self.parameters())}

    def compile_network(self) -> None:
        """Compile the part that takes most of the time."""
        self.network.compile()

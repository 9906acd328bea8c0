"""What every way of training is: losses over a batch of source and target pictures, and how the weights follow them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from classify.network import Network
from scenes.section import Section


@dataclass(frozen=True)
class Labelled:
    """images: (n, 3, h, w) float, normalized. labels: (n,) int64. indices: (n,) int64, places in the source's data."""

    images: Tensor
    labels: Tensor
    indices: Tensor


@dataclass(frozen=True)
class Unlabelled:
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

    source: Callable[[], Iterable[Labelled]]
    target: Callable[[], Iterable[Unlabelled]]


class Descend(Protocol):
    """One step of the optimizer down the gradient of `loss` (); `only`: names of the groups that move, None for all."""

    def __call__(self, loss: Tensor, only: Collection[str] | None = None) -> None: ...


class Method(nn.Module):
    """Plain training on the source, and the base of all others.

    A method owns the network and whatever it trains beside it, and holds all its state in parameters and buffers, so
    that `state_dict` resumes it. `progress` is the share of training that is done, in [0, 1], the same for all
    methods. Settings are its hyper-parameters, by the defaults of the paper or its authors' code.
    """

    class Settings(Section):
        """No hyper-parameters."""

    def __init__(self, network: Network, classes: int, settings: Section | None = None):
        super().__init__()
        self.network = network
        self.classes = classes
        self.settings = settings or type(self).Settings()

    def losses(self, source: Labelled, target: Unlabelled, progress: float) -> dict[str, Tensor]:
        """The terms () of the loss by name; their sum is minimized."""
        return {"source": cross_entropy(self.network(source.images).logits, source.labels)}

    def update(self, source: Labelled, target: Unlabelled, progress: float, descend: Descend) -> dict[str, Tensor]:
        """Take one training step; returns the terms of the loss, detached, for the log."""
        terms = self.losses(source, target, progress)
        descend(torch.stack(list(terms.values())).sum())
        return {name: term.detach() for name, term in terms.items()}

    def begin_epoch(self, passes: FullPass, progress: float) -> None:
        """Before each pass over the longer of the two domains; here nothing."""

    def finish(self, passes: FullPass) -> None:
        """After the last step; here nothing."""

    def predict(self, images: Tensor) -> Tensor:
        """(n, k) float logits of target pictures (n, 3, h, w), as evaluation takes them."""
        return self.network(images).logits

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """All trained parameters by group; "backbone" learns at the backbone's own rate, all others at the head's."""
        backbone = list(self.network.backbone.parameters())
        theirs = {id(parameter) for parameter in backbone}
        return {"backbone": backbone, "head": [p for p in self.parameters() if id(p) not in theirs]}

"""Two moons, and the same two moons turned: what a method of adaptation should do, seen in seconds."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from math import pi, radians

import torch
from torch import Tensor, nn

from classify.methods.base import Method
from classify.network import Network
from scenes.section import Section
from training.method import Batch, FullPass, Unlabeled

POINTS = 500
CENTER = torch.tensor([0.5, 0.25])


def moons(seed: int, degrees: float = 0.0, noise: float = 0.1, points: int = POINTS) -> tuple[Tensor, Tensor]:
    """(n, 2) float points of two interleaved half circles, turned about their center, and their (n,) int64 moons."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(points) % 2
    angles = torch.rand(points, generator=generator) * pi
    upper = torch.stack([angles.cos(), angles.sin()], 1)
    lower = torch.stack([1 - angles.cos(), 0.5 - angles.sin()], 1)
    where = torch.where(labels[:, None] == 0, upper, lower) + noise * torch.randn(points, 2, generator=generator)
    turn = torch.tensor(radians(degrees))
    rotation = torch.stack([torch.stack([turn.cos(), -turn.sin()]), torch.stack([turn.sin(), turn.cos()])])
    return (where - CENTER) @ rotation.T + CENTER, labels


def mlp(hidden: int = 64, batch_norm: bool = False, bottleneck: int = 0) -> Network:
    """2-64-64 with a linear head for two classes; its pictures are points (n, 2)."""
    between = [nn.BatchNorm1d(hidden)] if batch_norm else []
    layers = [nn.Linear(2, hidden), *between, nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()]
    return Network(nn.Sequential(*layers), hidden, 2, bottleneck)


class OptimizerStep:
    """Adam for each group of a method's parameters."""

    def __init__(self, method: Method, rate: float = 1e-3):
        self.optimizers = {name: torch.optim.Adam(group, rate) for name, group in method.groups().items()}

    def __call__(self, loss: Tensor, only: Collection[str] | None = None) -> None:
        for optimizer in self.optimizers.values():
            optimizer.zero_grad()
        loss.backward()
        for name in self.optimizers if only is None else only:
            self.optimizers[name].step()


def train(
    kind: type[Method],
    seed: int,
    settings: Section | None = None,
    *,
    degrees: float = 35.0,
    iterations: int = 1000,
    batch: int = 64,
    rate: float = 1e-3,
    network: Network | None = None,
) -> Method:
    """A method trained on moons and turned moons, in `eval` mode. Strong augmentation is noise of .05."""
    torch.manual_seed(seed)
    method = kind(network or mlp(), 2, settings)
    descend = OptimizerStep(method, rate)
    source, labels = moons(1000 + seed)
    target, _ = moons(2000 + seed, degrees)
    generator = torch.Generator().manual_seed(3000 + seed)
    passes = passes_over(source, labels, target)
    method.train()
    epoch = max(len(source) // batch, 1)
    for step in range(iterations):
        if step % epoch == 0:
            method.begin_epoch(passes, step / iterations)
        ours, theirs = (torch.randint(POINTS, (batch,), generator=generator) for _ in range(2))
        method.update(
            Batch(source[ours], labels[ours], ours),
            Unlabeled(target[theirs], target[theirs] + 0.05 * torch.randn(batch, 2, generator=generator), theirs),
            step / max(iterations - 1, 1),
            descend,
        )
    method.finish(passes)
    return method.eval()


def passes_over(source: Tensor, labels: Tensor, target: Tensor, batch: int = 64) -> FullPass:
    """Whole passes over points, in order."""
    places = torch.arange(max(len(source), len(target)))

    def labeled() -> Iterator[Batch]:
        for some in places[: len(source)].split(batch):
            yield Batch(source[some], labels[some], some)

    def unlabeled() -> Iterator[Unlabeled]:
        for some in places[: len(target)].split(batch):
            yield Unlabeled(target[some], target[some], some)

    return FullPass(labeled, unlabeled)


@torch.no_grad()
def accuracy(method: Method, degrees: float = 35.0, seed: int = 9) -> float:
    """Share of 2,000 new turned points that the method puts on the right moon."""
    points, labels = moons(seed, degrees, points=2000)
    return float((method.predict(points).argmax(1) == labels).float().mean())

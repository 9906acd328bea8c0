"""Batch normalization with the statistics of other pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

BATCH = 64


def normalizations(module: nn.Module) -> list[_BatchNorm]:
    """The layers in `module` that keep batch statistics."""
    return [layer for layer in module.modules() if isinstance(layer, _BatchNorm) and layer.track_running_stats]


def drawn(batches: Iterable[Tensor], pictures: int) -> Tensor:
    """Up to `pictures` random rows of all batches, in random order, (n, ...). The same rows give the same choice."""
    generator = torch.Generator().manual_seed(0)
    kept: list[Tensor] = []
    for seen, row in enumerate(row for batch in batches for row in batch):
        place = seen if seen < pictures else int(torch.randint(seen + 1, (), generator=generator))
        if place < pictures:
            kept[place : place + 1] = [row.clone()]
    return torch.stack([kept[i] for i in torch.randperm(len(kept), generator=generator)]) if kept else torch.empty(0)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """`module` is in evaluation mode within the block, and in the mode that it had before after it."""
    training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(training)


@torch.no_grad()
def adopt_statistics(network: nn.Module, pictures: Tensor) -> None:
    """Set the statistics of every batch normalization to those of `pictures` (n, ...), with n at least 2.

    One pass in batches of about 64. Each batch is normalized by itself, and the moments are averaged over the batches.
    The pictures must be in random order: if they were sorted, a batch would hold a single class. Li et al., Revisiting
    Batch Normalization For Practical Domain Adaptation (2016), algorithm 1.
    """
    layers = normalizations(network)
    momenta = [layer.momentum for layer in layers]
    with evaluating(network):
        for layer in layers:
            layer.train()
            layer.reset_running_stats()
            layer.momentum = None
        for batch in pictures.tensor_split(-(-len(pictures) // BATCH)):
            network(batch)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum

"""DSON: normalization that mixes batch and instance statistics, with separate shares for each domain."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.modules.batchnorm import _BatchNorm

from classify.methods.alignment import ramp
from classify.methods.base import Method
from classify.methods.rca import entropy
from classify.network import Network
from scenes.section import Section
from training.method import Batch, Unlabeled

SOURCE, TARGET = 0, 1


class DomainNorm(nn.Module):
    """Replaces a batch norm. Each domain has its own statistics, mixture and, unless `shared`, affine map.

    x <- (x - m) / sqrt(v + e) * weight + bias. m and v mix instance statistics (of one picture) and batch statistics
    (of all pictures, or running ones in evaluation), each with a learned softmax of two values: Seo et al., Learning to
    optimize domain specific normalization for domain generalization, ECCV 2020, section 3. Features (n, c) and maps of
    1 x 1 have no instance statistics, so only those of the batch are used. batch: initial share of the batch, in (0,
    1). The attribute `domain` is SOURCE or TARGET, by default TARGET.
    """

    def __init__(self, norm: _BatchNorm, shared: bool, batch: float):
        super().__init__()
        self.eps, self.domain = norm.eps, TARGET
        self.momentum = 0.1 if norm.momentum is None else norm.momentum
        affine = torch.stack([norm.weight.detach(), norm.bias.detach()])
        self.affine = nn.Parameter(affine.repeat(1 if shared else 2, 1, 1))
        mixture = torch.tensor([0.0, math.log(batch / (1 - batch))]).to(affine)
        # Axes: domain; mean and variance; instance and batch.
        self.mixture = nn.Parameter(mixture.repeat(2, 2, 1))
        self.running: Tensor
        statistics = [torch.zeros_like(affine[0]), torch.ones_like(affine[0])]
        if norm.running_mean is not None and norm.running_var is not None:
            statistics = [norm.running_mean, norm.running_var]
        self.register_buffer("running", torch.stack(statistics).repeat(2, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        x = images.flatten(2) if images.dim() > 2 else images.unsqueeze(2)
        x = x.float()
        instance = self._instance(x)
        mean, var = self._batch(*instance) if self.training else self.running[self.domain].unsqueeze(-1)
        if x.shape[2] > 1:
            shares = self.mixture[self.domain].softmax(1)
            mean = shares[0, 0] * instance[0] + shares[0, 1] * mean
            var = shares[1, 0] * instance[1] + shares[1, 1] * var
        weight, bias = self.affine[self.domain if len(self.affine) > 1 else 0].unsqueeze(-1)
        scale = (var + self.eps).rsqrt() * weight
        return torch.addcmul(bias - mean * scale, x, scale).reshape(images.shape).to(images.dtype)

    @staticmethod
    def _instance(x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance (n, c, 1) of each picture, unbiased as in the authors' code."""
        if x.shape[2] == 1:
            return x, torch.zeros_like(x)
        var, mean = torch.var_mean(x, 2, keepdim=True)
        return mean, var

    def _batch(self, mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance (c, 1) of the batch, from those of the instances. Updates the running statistics."""
        between, batch = torch.var_mean(mean, 0, correction=0)
        spread = var.mean(0) + between
        with torch.no_grad():
            self.running[self.domain].lerp_(torch.stack([batch, spread]).squeeze(-1).to(self.running), self.momentum)
        return batch, spread


def convert(module: nn.Module, shared: bool, batch: float) -> None:
    """Replace each batch norm with an affine map below `module` by a `DomainNorm`."""
    for name, child in module.named_children():
        if isinstance(child, _BatchNorm) and child.affine:
            setattr(module, name, DomainNorm(child, shared, batch))
        else:
            convert(child, shared, batch)


@contextmanager
def pictures_of(module: nn.Module, domain: int) -> Iterator[None]:
    """In the block, every `DomainNorm` below `module` normalizes for `domain`; afterwards for the target again."""
    norms = [norm for norm in module.modules() if isinstance(norm, DomainNorm)]
    for norm in norms:
        norm.domain = domain
    try:
        yield
    finally:
        for norm in norms:
            norm.domain = TARGET


class DSON(Method):
    """Source cross-entropy and target entropy, each with the normalization of its domain. The entropy weight rises.

    The authors have labels in every domain and one affine map for each. Here the target has no labels, so the map is
    shared by default. Evaluation uses the normalization of the target.
    """

    class Settings(Section):
        """entropy: weight of the target entropy. shared: one affine map for both. batch: initial share of the batch."""

        entropy: float = 0.1
        shared: bool = True
        batch: float = 0.5

    settings: Settings

    def __init__(self, network: Network, classes: int, settings: Section | None = None):
        super().__init__(network, classes, settings)
        convert(network, self.settings.shared, self.settings.batch)

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        with pictures_of(self.network, SOURCE):
            logits = self.network(source.images).logits
        unsure = entropy(self.network(target.images).logits)
        return {
            "source": cross_entropy(logits, source.targets),
            "target": self.settings.entropy * ramp(progress) * unsure,
        }

"""DSON: normalization that mixes statistics of the batch and of the instance, in each domain by its own share."""

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
    """In place of a batch norm: statistics, mixture and, unless `shared`, affine map of each domain's own.

    x <- (x - m) / sqrt(v + e) * weight + bias, where m and v mix instance (over one picture's pixels) and batch (over
    all, in evaluation the running ones), each by a learned softmax of two: Seo et al., Learning to optimize domain
    specific normalization for domain generalization, ECCV 2020, section 3. Where there are no pixels (features (n, c),
    maps of 1 x 1) an instance has no statistics and the batch's are taken alone. `batch` is the batch's share at
    first, in (0, 1). `domain`, SOURCE or TARGET, says whose pictures come; the target's unless told otherwise.
    """

    def __init__(self, norm: _BatchNorm, shared: bool, batch: float):
        super().__init__()
        self.eps, self.domain = norm.eps, TARGET
        self.momentum = 0.1 if norm.momentum is None else norm.momentum
        affine = torch.stack([norm.weight.detach(), norm.bias.detach()])
        self.affine = nn.Parameter(affine.repeat(1 if shared else 2, 1, 1))
        mixture = torch.tensor([0.0, math.log(batch / (1 - batch))]).to(affine)
        # By domain; mean and variance; instance and batch.
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
        """(n, c, 1) mean and variance of each picture, unbiased as in the authors' code."""
        if x.shape[2] == 1:
            return x, torch.zeros_like(x)
        var, mean = torch.var_mean(x, 2, keepdim=True)
        return mean, var

    def _batch(self, mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
        """(c, 1) mean and variance of the batch, from the instances'; the running ones follow."""
        between, batch = torch.var_mean(mean, 0, correction=0)
        spread = var.mean(0) + between
        with torch.no_grad():
            self.running[self.domain].lerp_(torch.stack([batch, spread]).squeeze(-1).to(self.running), self.momentum)
        return batch, spread


def convert(module: nn.Module, shared: bool, batch: float) -> None:
    """Put a `DomainNorm` in place of each batch norm with an affine map below `module`."""
    for name, child in module.named_children():
        if isinstance(child, _BatchNorm) and child.affine:
            setattr(module, name, DomainNorm(child, shared, batch))
        else:
            convert(child, shared, batch)


@contextmanager
def pictures_of(module: nn.Module, domain: int) -> Iterator[None]:
    """Every `DomainNorm` below `module` takes pictures for `domain`'s, and after that for the target's again."""
    norms = [norm for norm in module.modules() if isinstance(norm, DomainNorm)]
    for norm in norms:
        norm.domain = domain
    try:
        yield
    finally:
        for norm in norms:
            norm.domain = TARGET


class DSON(Method):
    """Source cross-entropy under the source's normalization, entropy of the target under its own, rising.

    The authors have labels in every domain and an affine map for each; the target has none here, so that the map is
    shared by default. The network evaluates as the target's. Batch norm sees the domains apart, which is the point.
    """

    class Settings(Section):
        """entropy: weight of the target's entropy. shared: one affine map for both. batch: the batch's first share."""

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

"""Moving average of the weights of a module."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from training.norms import normalizations


class EMA(AveragedModel):
    """Exponential moving average of the weights of a module (Polyak; Tarvainen 2017).

    Call `update_parameters(module)` after each training step. Update t = 1, 2, … sets
    average = a average + (1 - a) weight, with a = min(1 - 1/t, decay). The first updates are therefore the plain mean
    of all weights so far, so the random initial weights are forgotten quickly.

    The running statistics of batch norm are averaged alike: those of the trained weights do not fit averaged ones, and
    after a few hundred steps such a copy may predict a single class. All other buffers are copied. `state_dict` holds
    the averaged copy and the number of updates, so an average can be resumed exactly.

    Parameters
    ----------
    module : torch.nn.Module
        The module that is trained. It is copied. The copy is the attribute `module`. It is always in evaluation mode
        and needs no gradients.
    decay : float
        Largest weight of the old average in an update, 0 to 1.

    Examples
    --------
    >>> import torch
    >>> from blendmill import EMA
    >>> network = torch.nn.Linear(1, 1, bias=False)
    >>> average = EMA(network, decay=0.9)
    >>> for value in (1.0, 2.0, 3.0):
    ...     _ = network.weight.data.fill_(value)
    ...     average.update_parameters(network)
    >>> average.module.weight.item()
    2.0
    """

    def __init__(self, module: nn.Module, decay: float):
        super().__init__(module, avg_fn=partial(_averaged, decay))
        self.module.requires_grad_(False).eval()
        self._decay = decay

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Take one more step of the module into the average."""
        updates, kept = self.n_averaged.clone(), [statistic.clone() for statistic in self._statistics()]
        super().update_parameters(model)  # it copies all buffers
        for statistic, before in zip(self._statistics(), kept, strict=True):
            statistic.copy_(_averaged(self._decay, before, statistic, updates))

    def _statistics(self) -> Iterator[Tensor]:
        for layer in normalizations(self.module):
            for statistic in (layer.running_mean, layer.running_var):
                if statistic is not None:
                    yield statistic

    def train(self, mode: bool = True) -> EMA:
        """Keep the copy in evaluation mode, whatever `mode` is."""
        return super().train(False)


def _averaged(decay: float, average: Tensor, weight: Tensor, updates: Tensor | int) -> Tensor:
    """The average after one more update; `updates` is the number of updates before it."""
    share = (1 / (torch.as_tensor(updates) + 1)).clamp(min=1 - decay).float()
    return torch.lerp(average, weight, share.to(average.dtype))

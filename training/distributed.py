"""One run over several processes, as torchrun starts them. Gradients are averaged over the processes.

Batch norm uses only the process's own part of the batch, unless `synchronize_norms` is called. After each step all
processes copy the buffers of the first one, including running statistics. So all processes evaluate alike, and a run
can be resumed exactly.

DistributedDataParallel is not used: it synchronizes once for each forward pass over all parameters. A method, however,
may take several optimizer steps in one iteration, for several losses and for some of its parameters only.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed, nn

from scenes.errors import InputError


@dataclass(frozen=True)
class ProcessInfo:
    """rank: number of this process among `world` processes. local: its number on its own machine."""

    rank: int = 0
    world: int = 1
    local: int = 0

    @property
    def first(self) -> bool:
        return self.rank == 0


@contextmanager
def processes() -> Iterator[ProcessInfo]:
    """Join the processes that torchrun started, while the block runs. Without torchrun there is one process."""
    if "WORLD_SIZE" not in os.environ or "RANK" not in os.environ:
        yield ProcessInfo()
        return
    process = ProcessInfo(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), int(os.environ.get("LOCAL_RANK", 0)))
    if torch.cuda.is_available():
        torch.cuda.set_device(process.local)
    # The long timeout is needed because the other processes wait while the first one evaluates.
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=timedelta(hours=2))
    try:
        yield process
    finally:
        distributed.destroy_process_group()


def _flat(tensors: Iterable[Tensor]) -> Iterator[tuple[Tensor, list[Tensor]]]:
    """For each dtype, all tensors as one vector, and the tensors: one message instead of hundreds."""
    kinds: dict[torch.dtype, list[Tensor]] = defaultdict(list)
    for tensor in tensors:
        kinds[tensor.dtype].append(tensor)
    for kind in kinds.values():
        yield torch.cat([tensor.reshape(-1) for tensor in kind]), kind


def _unflatten(flat: Tensor, tensors: list[Tensor]) -> None:
    for part, tensor in zip(torch.split(flat, [t.numel() for t in tensors]), tensors, strict=True):
        tensor.copy_(part.view_as(tensor))


@torch.no_grad()
def average_gradients(parameters: Iterable[nn.Parameter], world: int) -> None:
    """Replace each gradient by its mean over all processes. All processes must have the same gradients."""
    if world == 1:
        return
    for flat, gradients in _flat(p.grad for p in parameters if p.grad is not None):
        distributed.all_reduce(flat)
        _unflatten(flat / world, gradients)


@torch.no_grad()
def share_buffers(module: nn.Module, world: int) -> None:
    """Copy the buffers of the first process to all processes."""
    if world == 1:
        return
    for flat, buffers in _flat(module.buffers()):
        distributed.broadcast(flat, 0)
        _unflatten(flat, buffers)


@torch.no_grad()
def broadcast_state(module: nn.Module, world: int) -> None:
    """Copy parameters and buffers of the first process to all processes."""
    share_buffers(module, world)
    for flat, parameters in _flat(module.parameters()) if world > 1 else ():
        distributed.broadcast(flat, 0)
        _unflatten(flat, parameters)


def mean_terms(terms: Mapping[str, Tensor], world: int) -> dict[str, float]:
    """The mean of each term () of the loss over all processes. All processes must have the same terms."""
    names = sorted(terms)
    values = torch.stack([terms[name].detach().double() for name in names])
    if world > 1:
        distributed.all_reduce(values)
    return dict(zip(names, (values / world).tolist(), strict=True))


def synchronize_norms(module: nn.Module, device: torch.device, world: int) -> None:
    """Let batch norm use the whole batch of all processes. Nothing changes if there is one process.

    Raises InputError on a CPU, where PyTorch cannot do it.
    """
    if world == 1:
        return
    if device.type == "cpu":
        raise InputError("field sync_norm: PyTorch synchronizes batch norm only on GPUs: write sync_norm: false")
    nn.SyncBatchNorm.convert_sync_batchnorm(module)


class Alone:
    """Frees copies of a module from the other processes: their batch norm, also in training mode, waits for nobody.

    All processes must create one together.
    """

    def __init__(self, world: int):
        self._group = distributed.new_subgroups(1)[0] if world > 1 else None

    def __call__(self, module: nn.Module) -> None:
        for layer in module.modules():
            if isinstance(layer, nn.SyncBatchNorm):
                layer.process_group = self._group


def shared(found: dict[str, Any] | None, world: int) -> dict[str, Any]:
    """Send the value of the first process to all processes. found: JSON data; None in the others."""
    given = [found]
    if world > 1:
        distributed.broadcast_object_list(given, 0)
    assert given[0] is not None
    return given[0]


def any_rank(flag: bool, world: int) -> bool:
    """Whether the flag is True in any process."""
    if world == 1:
        return flag
    device = torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")
    flags = torch.tensor(int(flag), device=device)
    distributed.all_reduce(flags, distributed.ReduceOp.MAX)
    return bool(flags.item())

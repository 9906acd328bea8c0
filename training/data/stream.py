"""Live pictures for PyTorch: the stream of `render.farm.stream` as an IterableDataset."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import distributed
from torch.utils.data import IterableDataset, get_worker_info

from render.farm.devices import Device, WorkerSlot, choose, worker_slots
from render.farm.local import RetryPolicy
from render.farm.pool import COMMAND
from render.farm.stream import Stream
from render.frame import Frame
from render.renderer import device_for
from scenes.config.loading import AnyConfig

_POLICY = RetryPolicy()
_MANY = 1 << 30


def picture_and_label(frame: Frame) -> tuple[torch.Tensor, int]:
    """(3, H, W) uint8 sRGB, and the class index of the main object, -1 if there is none."""
    return torch.from_numpy(frame.rgb).permute(2, 0, 1).contiguous(), frame.label


class StreamDataset(IterableDataset):
    """Samples of pictures that are drawn while they are trained on, each picture once over all trainers.

    The `count` pictures of (config, seed) from `start` on (None: without end) are dealt out in turn: with n trainers of
    w loader workers each, every loader worker has a stream of its own over each (n * w)-th of them. A trainer's rank
    comes from torch.distributed where that is initialized when the dataset is made or iterated, else from the
    environment (RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, as torchrun sets them).

    transform: makes a sample of a Frame, where the stream is. device: `auto`, `cpu` or a kind of GPU. workers:
    processes that draw, for each stream; by default the machine's are divided among the streams it has. ahead, policy,
    command: as for `render.farm.stream.Stream`.

    Each pass begins at `start`, or where `load_state_dict` said: to go on where training stopped, load into a dataset
    with the same arguments `state_after(...)` with torch's DataLoader, or `state_dict()` where there are no loader
    workers or the loader keeps their state, as torchdata's StatefulDataLoader does. Raises InputError as Stream does.
    """

    def __init__(
        self,
        config: AnyConfig,
        seed: int,
        start: int = 0,
        count: int | None = None,
        *,
        transform: Callable[[Frame], Any] = picture_and_label,
        device: str = "auto",
        workers: int | None = None,
        ahead: int | None = None,
        policy: RetryPolicy = _POLICY,
        command: Sequence[str] = COMMAND,
    ):
        self._config, self._seed, self._transform = config, seed, transform
        self._stop = None if count is None else start + count
        self._devices, self._workers, self._ahead = choose(device_for(config, device)), workers, ahead
        self._policy, self._command = policy, tuple(command)
        self._trainer = _trainer()
        # Where each loader worker begins, or all of them; and where the one pass that is under way here has come to.
        self._positions = [start]
        self._position: int | None = None

    def __iter__(self) -> Iterator[Any]:
        info = get_worker_info()
        loader, loaders = (info.id, info.num_workers) if info is not None else (0, 1)
        rank, world = _trainer() or self._trainer or (0, 1)
        begin = self._begins(loaders)[loader]
        stream = Stream(
            self._config,
            self._seed,
            begin,
            None if self._stop is None else max(0, self._stop - begin),
            rank=rank * loaders + loader,
            ranks=world * loaders,
            worker_slots=_share(self._devices, self._workers, loader, loaders),
            ahead=self._ahead,
            policy=self._policy,
            command=self._command,
        )
        with stream:
            for frame in stream:
                self._position = stream.position
                yield self._transform(frame)

    def state_dict(self) -> dict[str, list[int]]:
        """Where the pass in this process has come to."""
        return {"positions": self._positions if self._position is None else [self._position]}

    def state_after(self, batches: int, batch_size: int, loader_workers: int = 0) -> dict[str, list[int]]:
        """Where a DataLoader's pass has come to on this trainer once it gave out so many batches of `batch_size`.

        It deals batches out to its workers in turn, so their number counts: resume with the same. Pictures that were
        skipped by then make it fall short by as many.
        """
        loaders = max(1, loader_workers)
        _, world = _trainer() or self._trainer or (0, 1)
        batches_of = [batches // loaders + (loader < batches % loaders) for loader in range(loaders)]
        begins = zip(self._begins(loaders), batches_of, strict=True)
        return {"positions": [begin + own * batch_size * world * loaders for begin, own in begins]}

    def load_state_dict(self, state: dict[str, list[int]]) -> None:
        """Begin the next pass there."""
        self._positions, self._position = list(state["positions"]), None

    def _begins(self, loaders: int) -> list[int]:
        begins = self._positions * loaders if len(self._positions) == 1 else self._positions
        if len(begins) != loaders:
            raise ValueError(f"a state of {len(begins)} loader workers cannot be resumed with {loaders}")
        return begins


def _trainer() -> tuple[int, int] | None:
    """This trainer's rank, and of how many; None where nothing says."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    if "RANK" in os.environ and "WORLD_SIZE" in os.environ:
        return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    return None


def _share(devices: Sequence[Device], workers: int | None, loader: int, loaders: int) -> tuple[WorkerSlot, ...]:
    """The worker_slots of one of the streams on this machine: `workers` of them, or its part of all there are."""
    streams = int(os.environ.get("LOCAL_WORLD_SIZE", 1)) * loaders
    number = int(os.environ.get("LOCAL_RANK", 0)) * loaders + loader
    total = workers * streams if workers else max(streams, len(worker_slots(devices, None, pictures=_MANY)))
    return worker_slots(devices, total, pictures=_MANY)[number::streams]

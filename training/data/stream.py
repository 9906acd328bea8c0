"""Rendered pictures for PyTorch: the stream of `render.farm.stream` as an IterableDataset."""

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
    """The picture (3, H, W) uint8 sRGB and the class index of the main object, -1 if there is none."""
    return torch.from_numpy(frame.rgb).permute(2, 0, 1).contiguous(), frame.label


class StreamDataset(IterableDataset):
    """A PyTorch dataset whose pictures are rendered during training.

    Each picture is used once, by one trainer. With n trainers and w loader workers each, every loader worker has its
    own stream and gets every (n * w)-th picture. The rank of a trainer comes from torch.distributed if it is
    initialized when the dataset is created or iterated. Otherwise it comes from the environment variables that
    torchrun sets (RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE).

    A pass begins at `start`, or at the state given to `load_state_dict`. To resume, create the dataset with the same
    arguments and load a state. With torch's DataLoader, take the state from `state_after(...)`. Take it from
    `state_dict()` if there are no loader workers, or if the loader saves their state, as StatefulDataLoader of
    torchdata does.

    Parameters
    ----------
    config : Config or ComposeConfig
        What to render.
    seed : int
        Together with the config and an index it decides every picture.
    start : int
        Index of the first picture.
    count : int, optional
        Number of pictures. By default the stream has no end.
    transform : callable
        Turns a Frame into a sample, in the process that iterates. By default the sample is the picture, a tensor
        (3, H, W) uint8, and the class index of the main object, or -1 if there is none.
    device : str
        Device to render on: `auto`, `cpu` or a kind of GPU.
    workers : int, optional
        Rendering processes of each stream. By default the streams on a machine share all its worker slots.
    ahead : int, optional
        Number of pictures rendered ahead, as for `Stream`.
    policy : RetryPolicy
        What to do when a worker fails, as for `Stream`.
    command : sequence of str
        The command that starts a worker, as for `Stream`.

    Raises
    ------
    InputError
        If the device is unknown or a picture cannot be rendered, as for `Stream`.

    Examples
    --------
    Rendering starts when the dataset is iterated, here by a DataLoader in the usual way:
    ``for images, labels in DataLoader(dataset, batch_size=64): ...``

    >>> from blendmill import StreamDataset, load_config
    >>> dataset = StreamDataset(load_config("smoke"), seed=7, device="cpu")
    >>> dataset.state_after(batches=10, batch_size=64)
    {'positions': [640]}
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
        # Where each loader worker begins, or one value for all of them.
        self._positions = [start]
        # The next picture of the pass that is under way in this process.
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
        """Index of the next picture of the pass in this process."""
        return {"positions": self._positions if self._position is None else [self._position]}

    def state_after(self, batches: int, batch_size: int, loader_workers: int = 0) -> dict[str, list[int]]:
        """The state of a DataLoader's pass on this trainer after it has returned `batches` batches.

        The DataLoader takes batches from its workers in turn. Resume with the same number of workers. Pictures that
        were skipped are not counted: after n skipped pictures, the state is n pictures too early.
        """
        loaders = max(1, loader_workers)
        _, world = _trainer() or self._trainer or (0, 1)
        batches_of = [batches // loaders + (loader < batches % loaders) for loader in range(loaders)]
        begins = zip(self._begins(loaders), batches_of, strict=True)
        return {"positions": [begin + own * batch_size * world * loaders for begin, own in begins]}

    def load_state_dict(self, state: dict[str, list[int]]) -> None:
        """Begin the next pass at a state of `state_dict` or `state_after`."""
        self._positions, self._position = list(state["positions"]), None

    def _begins(self, loaders: int) -> list[int]:
        begins = self._positions * loaders if len(self._positions) == 1 else self._positions
        if len(begins) != loaders:
            raise ValueError(f"a state of {len(begins)} loader workers cannot be resumed with {loaders}")
        return begins


def _trainer() -> tuple[int, int] | None:
    """Rank of this trainer and number of trainers; None if neither torch nor the environment tells."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    if "RANK" in os.environ and "WORLD_SIZE" in os.environ:
        return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    return None


def _share(devices: Sequence[Device], workers: int | None, loader: int, loaders: int) -> tuple[WorkerSlot, ...]:
    """The worker slots of one stream on this machine: `workers` of them, or its part of all slots."""
    streams = int(os.environ.get("LOCAL_WORLD_SIZE", 1)) * loaders
    number = int(os.environ.get("LOCAL_RANK", 0)) * loaders + loader
    total = workers * streams if workers else max(streams, len(worker_slots(devices, None, pictures=_MANY)))
    return worker_slots(devices, total, pictures=_MANY)[number::streams]

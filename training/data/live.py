"""Batches of pictures that are rendered during training. Each picture is used once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray

from render.farm.pool import COMMAND
from render.frame import Frame
from scenes.config.loading import AnyConfig
from scenes.errors import InputError
from scenes.streams import Streams
from training.data.decode import resized as shrunk
from training.data.loader import RawBatch
from training.data.stream import StreamDataset
from training.data.windows import Fit, Windows, fitted, window

_Sample = tuple[NDArray[np.uint8], int, int]


class Live:
    """Like `training.data.loader.Loader`, but with an endless sequence of rendered pictures that never repeat.

    Each batch is a pure function of (config, seed, step) and of the number of trainers. The pictures are distributed
    among the trainers (`training.data.stream.StreamDataset`). The indices of a batch are the indices of its pictures.
    workers: rendering processes; by default all worker slots of `device`. Raises InputError if the pictures have no
    class, and the errors of `render.farm.stream.Stream`.
    """

    def __init__(
        self,
        config: AnyConfig,
        batch: int,
        size: int,
        *,
        seed: int = 0,
        resized: int | None = None,
        fit: Fit = "crop",
        device: str = "auto",
        workers: int | None = None,
        command: Sequence[str] = COMMAND,
    ):
        self._config, self._batch, self._seed = config, batch, seed
        self._windows = Windows(size, resized, fit)
        self._device, self._workers, self._command = device, workers, command

    def batches(self, start_step: int = 0) -> Iterator[RawBatch]:
        """The batches from a step on, without end. The next batch is always prepared ahead."""
        data = StreamDataset(
            self._config, self._seed, transform=self._sample, device=self._device, workers=self._workers,
            command=self._command,
        )  # fmt: skip
        data.load_state_dict(data.state_after(start_step, self._batch))
        samples, closing = iter(data), threading.Event()
        pool = ThreadPoolExecutor(1, "blendmill live")
        try:
            pending = pool.submit(self._next, samples, closing)
            while True:
                batch = pending.result()
                pending = pool.submit(self._next, samples, closing)
                yield batch
        finally:
            closing.set()
            pool.shutdown()
            del samples

    def _sample(self, frame: Frame) -> _Sample:
        if frame.label < 0:
            raise InputError(
                f"picture {frame.index} has no main object and therefore no class; use a config with objects"
            )
        at = Streams(self._seed, frame.index).quantile("window")
        side = self._windows.side
        picture = fitted(shrunk(frame.rgb, side), side, self._windows.fit)
        return window(picture, side, self._windows.slack, at), frame.label, frame.index

    def _next(self, samples: Iterator[_Sample], closing: threading.Event) -> RawBatch:
        found: list[_Sample] = []
        while len(found) < self._batch and not closing.is_set():
            found.append(next(samples))
        images = torch.from_numpy(np.stack([picture.transpose(2, 0, 1) for picture, _, _ in found]))
        labels, indices = (torch.tensor([sample[k] for sample in found], dtype=torch.int64) for k in (1, 2))
        return RawBatch(images, labels, indices)

"""Augmented batches of source and target for the trainer. Each batch is a function of (seed, step)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Generic, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scenes.errors import InputError
from training.config import TrainConfig
from training.data.loader import Batches, Collate, D, Loader, RawBatch
from training.datasets import Datasets
from training.distributed import ProcessInfo
from training.method import Batch, FullPass, Unlabeled

# Purposes of random numbers within a step.
SOURCE, TARGET, STRONG, NETWORK, BEGIN = range(5)


def key(seed: int, step: int, purpose: int, rank: int = 0) -> int:
    """The seed, in [0, 2^63), for one purpose in one step."""
    state = np.random.SeedSequence((seed, step, purpose, rank)).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))


def split_batch(batch: int, shares: Sequence[float]) -> list[int]:
    """Number of pictures of each source in a batch, in proportion to the shares (largest remainder method)."""
    exact = np.array(shares) / np.sum(shares) * batch
    counts = np.floor(exact).astype(int)
    for place in np.argsort(counts - exact, kind="stable")[: batch - counts.sum()]:
        counts[place] += 1
    if not counts.all():
        raise InputError(
            f"field batch: {batch} has no place for a source of share {min(shares):g}: increase the batch or the share"
        )
    return [int(count) for count in counts]


class Augment(Protocol):
    """Turns a loader's batch into the input of a network, on the device of the batch.

    Returns normalized images (n, 3, h, w) float, and targets that were cropped and rotated in the same way. generator:
    lies on the CPU, so that all devices draw the same numbers.
    """

    def __call__(self, raw: RawBatch, generator: torch.Generator) -> tuple[Tensor, Tensor]: ...


@dataclass(frozen=True)
class Pipeline(Generic[D]):
    """How a task makes batches: `collate` runs in the loader's threads, then one of three augmentations follows.

    train: for the source and the first view of the target. strong: for the second view of the target. plain: for
    evaluation, without randomness.
    """

    collate: Collate[D]
    train: Augment
    strong: Augment
    plain: Augment


class Feed:
    """The batches of one domain, joined from its parts. sizes: lengths of the parts, to make their indices unique."""

    def __init__(self, parts: Sequence[Batches], sizes: Sequence[int] = ()):
        self._parts = parts
        self._offsets = np.cumsum([0, *sizes[: len(parts) - 1]]).tolist()
        self._streams: list[Iterator[RawBatch]] = []
        self._next = -1

    def at(self, step: int) -> RawBatch:
        """The batch of a step. It is already loaded if the previous call was for the step before."""
        if step != self._next:
            self.close()
            self._streams = [part.batches(step) for part in self._parts]
        self._next = step + 1
        batches = [next(stream) for stream in self._streams]
        if len(batches) == 1:
            return batches[0]
        places = [batch.indices + offset for batch, offset in zip(batches, self._offsets, strict=True)]
        return RawBatch(
            torch.cat([b.images for b in batches]), torch.cat([b.targets for b in batches]), torch.cat(places)
        )

    def close(self) -> None:
        """Stop loading ahead now, without waiting for garbage collection."""
        for stream in self._streams:
            getattr(stream, "close", lambda: None)()
        self._streams, self._next = [], -1


class _Drawn:
    """The pictures of one domain in one step, loaded at first use. waited: seconds spent on loading and augmenting."""

    def __init__(self, load: Callable[[], RawBatch], device: torch.device):
        self._load, self._device = load, device
        self.waited = 0.0

    @cached_property
    def raw(self) -> RawBatch:
        begin = time.monotonic()
        raw = RawBatch(*(part.to(self._device, non_blocking=True) for part in self._load()))
        self.waited += time.monotonic() - begin
        return raw

    def view(self, augment: Augment, seed: int) -> tuple[Tensor, Tensor]:
        raw, begin = self.raw, time.monotonic()
        seen = augment(raw, torch.Generator().manual_seed(seed))
        self.waited += time.monotonic() - begin
        return seen


# Each part of a batch is computed at first use: plain training loads no target, and only methods that need a second
# view compute one. The values do not depend on which other parts are used.
class LazyBatch(Batch):
    """A batch of the source, computed at first use."""

    drawn: _Drawn

    def __init__(self, drawn: _Drawn, augment: Augment, seed: int):
        vars(self).update(drawn=drawn, make=lambda: drawn.view(augment, seed))

    view = cached_property(lambda self: self.make())
    images = cached_property(lambda self: self.view[0])  # type: ignore[assignment]
    targets = cached_property(lambda self: self.view[1])  # type: ignore[assignment]
    indices = cached_property(lambda self: self.drawn.raw.indices)  # type: ignore[assignment]


class LazyUnlabeled(Unlabeled):
    """A batch of the target, computed at first use."""

    drawn: _Drawn

    def __init__(self, drawn: _Drawn, first: Callable[[], Tensor], second: Callable[[], Tensor]):
        vars(self).update(drawn=drawn, first=first, second=second)

    images = cached_property(lambda self: self.first())  # type: ignore[assignment]
    strong = cached_property(lambda self: self.second())  # type: ignore[assignment]
    indices = cached_property(lambda self: self.drawn.raw.indices)  # type: ignore[assignment]


def plain(loader: Loader[D], augment: Augment, device: torch.device) -> Iterator[Batch]:
    """All pictures of a loader once, in order. augment: one without randomness."""
    for raw in loader.once():
        there = RawBatch(*(part.to(device) for part in raw))
        yield Batch(*augment(there, torch.Generator()), there.indices)


class DomainBatches(Generic[D]):
    """All batches that the trainer in `process` takes from the data sets of a config."""

    def __init__(
        self,
        config: TrainConfig,
        data: Datasets[D],
        pipeline: Pipeline[D],
        process: ProcessInfo,
        device: torch.device,
    ):
        if config.batch % process.world:
            raise InputError(f"field batch: {config.batch} pictures cannot be divided among {process.world} processes")
        self.config, self.data, self.pipeline, self.device = config, data, pipeline, device
        self._process = process
        local = config.batch // process.world
        counts = split_batch(local, [part.share for part in data.source]) if data.source else []
        self._sources = [
            self.loader(part.pictures, count, SOURCE, part.dealt_by)
            for part, count in zip(data.source, counts, strict=True)
        ]
        drawn = [data.drawn.open(local)] if data.drawn else []
        self.target = self.loader(data.target, local, TARGET) if data.target is not None else None
        self._source_feed = Feed(drawn or self._sources, [len(part.pictures) for part in data.source])
        self._target_feed = Feed([self.target] if self.target else [])

    def loader(
        self, pictures: D, batch: int, domain: int = SOURCE, dealt_by: NDArray[np.int64] | None = None
    ) -> Loader[D]:
        """A loader for one set, with the settings of the config."""
        return Loader(
            pictures,
            batch,
            self.pipeline.collate,
            seed=key(self.config.seed, 0, domain),
            workers=self.config.data.workers,
            balanced=dealt_by,
            rank=self._process.rank,
            ranks=self._process.world,
        )

    @property
    def epoch(self) -> int:
        """Steps of one pass over the larger domain; all steps of the run if the source has no end."""
        return -(-self.data.longest // self.config.batch) or self.config.iterations

    def batch(self, step: int) -> tuple[LazyBatch, LazyUnlabeled]:
        """Source and target pictures of a step. Without a target, using the second one raises InputError."""

        def seed(purpose: int) -> int:
            return key(self.config.seed, step, purpose, self._process.rank)

        source = _Drawn(lambda: self._source_feed.at(step), self.device)
        target = _Drawn(lambda: self._target_batch(step), self.device)
        return LazyBatch(source, self.pipeline.train, seed(SOURCE)), LazyUnlabeled(
            target,
            lambda: target.view(self.pipeline.train, seed(TARGET))[0],
            lambda: target.view(self.pipeline.strong, seed(STRONG))[0],
        )

    def _target_batch(self, step: int) -> RawBatch:
        self._require_target()
        return self._target_feed.at(step)

    def _require_target(self) -> Loader[D]:
        if self.target is None:
            raise InputError(
                f"field data.target: the method '{self.config.method}' adapts to a target, so one is needed"
            )
        return self.target

    def passes(self) -> FullPass:
        """Full passes over the training pictures."""
        return FullPass(self._all_source, self._all_target)

    def _all_source(self) -> Iterator[Batch]:
        if not self._sources:
            raise InputError(
                f"field data.regime: '{self.config.method}' needs all pictures of the source: write regime: fixed"
            )
        offset = 0
        for loader in self._sources:
            for batch in self.plain(loader):
                yield replace(batch, indices=batch.indices + offset)
            offset += len(loader.pictures)

    def _all_target(self) -> Iterator[Unlabeled]:
        for batch in self.plain(self._require_target()):
            yield Unlabeled(batch.images, batch.images, batch.indices)

    def plain(self, loader: Loader[D]) -> Iterator[Batch]:
        """All pictures of a loader once, in order, not augmented."""
        return plain(loader, self.pipeline.plain, self.device)

    def describe(self, source: Batch) -> str:
        """The source pictures of a batch for a message: all numbers, and the paths of the first four."""
        numbers = source.indices.tolist()
        places = []
        for number in numbers[:4]:
            for part in self.data.source:
                pictures = part.pictures
                if number < len(pictures):
                    places.append(pictures.where(number))
                    break
                number -= len(pictures)
        return f"source pictures {', '.join(map(str, numbers))} ({', '.join(places)}, …)"

    def close(self) -> None:
        """Stop loading ahead."""
        self._source_feed.close()
        self._target_feed.close()

"""What a trainer is fed: augmented batches of both domains, each a function of (seed, step)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from classify.augment import Augment
from classify.config import TrainConfig
from classify.methods.base import FullPass, Labelled, Unlabelled
from scenes.errors import InputError
from training.data.live import Live
from training.data.loader import Loader, RawBatch
from training.data.pictures import Pictures
from training.datasets import Datasets
from training.distributed import ProcessInfo

# Which of a step's draws is meant.
SOURCE, TARGET, STRONG, NETWORK, BEGIN = range(5)


def key(seed: int, step: int, purpose: int, rank: int = 0) -> int:
    """The seed, in [0, 2^63), of one of a step's draws."""
    state = np.random.SeedSequence((seed, step, purpose, rank)).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))


def split_batch(batch: int, shares: Sequence[float]) -> list[int]:
    """How many pictures of a batch each source gives: by its share, the largest remainders rounded up."""
    exact = np.array(shares) / np.sum(shares) * batch
    counts = np.floor(exact).astype(int)
    for place in np.argsort(counts - exact, kind="stable")[: batch - counts.sum()]:
        counts[place] += 1
    if not counts.all():
        raise InputError(f"field batch: {batch} has no place for a source of share {min(shares):g}: raise one of them")
    return [int(count) for count in counts]


class Batches(Protocol):
    """What gives the batches of one set from any step on, as a Loader does."""

    def batches(self, start_step: int = 0) -> Iterator[RawBatch]: ...


class Feed:
    """The batches of one domain: those of its parts, joined. sizes: of the parts, by which their indices count on."""

    def __init__(self, parts: Sequence[Batches], sizes: Sequence[int] = ()):
        self._parts = parts
        self._offsets = np.cumsum([0, *sizes[: len(parts) - 1]]).tolist()
        self._streams: list[Iterator[RawBatch]] = []
        self._next = -1

    def at(self, step: int) -> RawBatch:
        """The batch of a step; at hand where it follows the one asked for before."""
        if step != self._next:
            self.close()
            self._streams = [part.batches(step) for part in self._parts]
        self._next = step + 1
        batches = [next(stream) for stream in self._streams]
        if len(batches) == 1:
            return batches[0]
        places = [batch.indices + offset for batch, offset in zip(batches, self._offsets, strict=True)]
        return RawBatch(
            torch.cat([b.images for b in batches]), torch.cat([b.labels for b in batches]), torch.cat(places)
        )

    def close(self) -> None:
        """End what loads ahead, now and not when it is collected."""
        for stream in self._streams:
            getattr(stream, "close", lambda: None)()
        self._streams, self._next = [], -1


class _Drawn:
    """One step's pictures of a domain, loaded when they are looked at. waited: seconds that loading and views took."""

    def __init__(self, load: Callable[[], RawBatch], device: torch.device):
        self._load, self._device = load, device
        self.waited = 0.0

    @cached_property
    def raw(self) -> RawBatch:
        begin = time.monotonic()
        raw = RawBatch(*(part.to(self._device, non_blocking=True) for part in self._load()))
        self.waited += time.monotonic() - begin
        return raw

    def view(self, augment: Augment, seed: int) -> Tensor:
        raw, begin = self.raw, time.monotonic()
        images = augment(raw.images, torch.Generator().manual_seed(seed))
        self.waited += time.monotonic() - begin
        return images


# Each part of a batch is made when a method first looks at it, so that plain training loads no target and only those
# who compare views pay for a second one; what is looked at is the same whatever else is.
class LazyLabelled(Labelled):
    """A batch of the source."""

    drawn: _Drawn

    def __init__(self, drawn: _Drawn, augment: Augment, seed: int):
        vars(self).update(drawn=drawn, make=lambda: drawn.view(augment, seed))

    images = cached_property(lambda self: self.make())  # type: ignore[assignment]
    labels = cached_property(lambda self: self.drawn.raw.labels)  # type: ignore[assignment]
    indices = cached_property(lambda self: self.drawn.raw.indices)  # type: ignore[assignment]


class LazyUnlabelled(Unlabelled):
    """A batch of the target."""

    drawn: _Drawn

    def __init__(self, drawn: _Drawn, first: Callable[[], Tensor], second: Callable[[], Tensor]):
        vars(self).update(drawn=drawn, first=first, second=second)

    images = cached_property(lambda self: self.first())  # type: ignore[assignment]
    strong = cached_property(lambda self: self.second())  # type: ignore[assignment]
    indices = cached_property(lambda self: self.drawn.raw.indices)  # type: ignore[assignment]


def plain(loader: Loader, augment: Augment, device: torch.device) -> Iterator[Labelled]:
    """All of a loader's pictures once, in order; augment: of the kind that draws nothing."""
    for raw in loader.once():
        images = augment(raw.images.to(device), torch.Generator())
        yield Labelled(images, raw.labels.to(device), raw.indices.to(device))


class DomainBatches:
    """All that a trainer in `place` draws from the data sets of a config."""

    def __init__(self, config: TrainConfig, data: Datasets, place: ProcessInfo, device: torch.device):
        if config.batch % place.world:
            raise InputError(f"field batch: {config.batch} pictures cannot be divided among {place.world} processes")
        self.config, self.data, self._place, self._device = config, data, place, device
        self._augment, self._strong = Augment(config.augment, config.size), Augment("strong", config.size)
        self._plain = Augment("none", config.size)
        local, workers = config.batch // place.world, config.data.workers or None
        counts = split_batch(local, [share for _, share in data.source]) if data.source else []
        self._sources = [self._loader(p, count, SOURCE) for (p, _), count in zip(data.source, counts, strict=True)]
        drawn = [Live(data.render, local, config.size, seed=config.seed, workers=workers)] if data.render else []
        self.target = self._loader(data.target, local, TARGET) if data.target is not None else None
        self.validation, self.test = (
            self._loader(pictures, config.batch, SOURCE) if pictures is not None else None
            for pictures in (data.validation, data.test)
        )
        self._source_feed = Feed(drawn or self._sources, [len(pictures) for pictures, _ in data.source])
        self._target_feed = Feed([self.target] if self.target else [])

    def _loader(self, pictures: Pictures, batch: int, domain: int) -> Loader:
        return Loader(
            pictures,
            batch,
            self.config.size,
            seed=key(self.config.seed, 0, domain),
            workers=self.config.data.workers,
            balanced=self.config.data.balanced and domain == SOURCE,
            rank=self._place.rank,
            ranks=self._place.world,
        )

    @property
    def epoch(self) -> int:
        """Steps of a pass over the longer of the two domains; all of them where the source has no end."""
        return -(-self.data.longest // self.config.batch) or self.config.iterations

    def batch(self, step: int) -> tuple[LazyLabelled, LazyUnlabelled]:
        """The source's and the target's pictures of a step; without a target the latter has none to give."""

        def seed(purpose: int) -> int:
            return key(self.config.seed, step, purpose, self._place.rank)

        source = _Drawn(lambda: self._source_feed.at(step), self._device)
        target = _Drawn(lambda: self._target_batch(step), self._device)
        return LazyLabelled(source, self._augment, seed(SOURCE)), LazyUnlabelled(
            target,
            lambda: target.view(self._augment, seed(TARGET)),
            lambda: target.view(self._strong, seed(STRONG)),
        )

    def _target_batch(self, step: int) -> RawBatch:
        self._require_target()
        return self._target_feed.at(step)

    def _require_target(self) -> Loader:
        if self.target is None:
            raise InputError(f"field data.target: the method '{self.config.method}' adapts to a target: name one")
        return self.target

    def passes(self) -> FullPass:
        """Whole passes over what is trained on."""
        return FullPass(self._all_source, self._all_target)

    def _all_source(self) -> Iterator[Labelled]:
        if not self._sources:
            raise InputError(f"field data.regime: '{self.config.method}' goes over all the source: use a fixed one")
        offset = 0
        for loader in self._sources:
            for batch in self.plain(loader):
                yield replace(batch, indices=batch.indices + offset)
            offset += len(loader.pictures)

    def _all_target(self) -> Iterator[Unlabelled]:
        for batch in self.plain(self._require_target()):
            yield Unlabelled(batch.images, batch.images, batch.indices)

    def plain(self, loader: Loader) -> Iterator[Labelled]:
        """All of a loader's pictures once, in order, not augmented."""
        return plain(loader, self._plain, self._device)

    def told(self, source: Labelled) -> str:
        """Which source pictures are in a batch, by number and by where the first of them lie, for a message."""
        numbers = source.indices.tolist()
        places = []
        for number in numbers[:4]:
            for pictures, _ in self.data.source:
                if number < len(pictures):
                    places.append(pictures.where(number))
                    break
                number -= len(pictures)
        return f"source pictures {', '.join(map(str, numbers))} ({', '.join(places)}, …)"

    def close(self) -> None:
        """End what loads ahead."""
        self._source_feed.close()
        self._target_feed.close()

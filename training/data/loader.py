"""Batches of pictures, decoded ahead by threads. Each batch is a pure function of (seed, step)."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from scenes.errors import InputError
from scenes.streams import Streams
from training.data.pictures import SampleSet

CACHE = 1 << 30
_LOG = logging.getLogger("blendmill")
# Batches prepared ahead, in addition to one for each worker; largest share of unreadable pictures.
_AHEAD, _BROKEN = 2, 0.05


D = TypeVar("D", bound=SampleSet)
D_in = TypeVar("D_in", bound=SampleSet, contravariant=True)


class RawBatch(NamedTuple):
    """A batch before augmentation.

    images: (n, 3, r, r) uint8 sRGB. targets: (n, …), what is learned: classes (-1 for none) or masks. indices: (n,)
    int64, places in the set.
    """

    images: Tensor
    targets: Tensor
    indices: Tensor


class Batches(Protocol):
    """An object that returns the batches of one set from any step on, such as a Loader."""

    def batches(self, start_step: int = 0) -> Iterator[RawBatch]: ...


class Collate(Protocol[D_in]):
    """How a task makes a batch from pictures and their targets."""

    def read(self, pictures: D_in, i: int) -> NDArray[np.uint8]:
        """Picture i in the form kept in memory, (h, w, c). Raises InputError if it cannot be read."""
        ...

    def stack(
        self, pictures: D_in, found: Sequence[tuple[int, NDArray[np.uint8]]], rng: np.random.Generator | None
    ) -> RawBatch:
        """Make a batch of pictures from `read`, each with its place. rng: for random crops; None for no randomness.

        A picture and its target are cropped and rotated in the same way.
        """
        ...


class Loader(Generic[D]):
    """Loads pictures in batches, which `collate` makes.

    order: `random` shuffles all pictures again in each epoch and lets `collate` crop randomly. `sequential` follows the
    indices, without randomness. balanced: labels (N,) int64 for class-balanced sampling in `random` order. The classes
    then take turns, in a new order each time, and so do the pictures of a class. None samples all pictures alike.

    The batches are those of one trainer, `rank` of `ranks`. All trainers together load `batch * ranks` pictures in a
    step. workers: decoding threads (Pillow and ISA-L release the GIL); with 0 the caller decodes. cache: bytes of
    resized pictures kept in memory; the first ones that fit stay. Neither changes the content of a batch.

    A picture that cannot be read is quarantined: the logger `blendmill` warns once, and the next readable picture
    replaces it. Raises InputError if there are no pictures, or if more than 5 % of them cannot be read.
    """

    def __init__(
        self,
        pictures: D,
        batch: int,
        collate: Collate[D],
        *,
        seed: int = 0,
        workers: int = 2,
        order: Literal["random", "sequential"] = "random",
        balanced: NDArray[np.int64] | None = None,
        rank: int = 0,
        ranks: int = 1,
        cache: int = CACHE,
    ):
        if not len(pictures):
            raise InputError(f"{pictures.name}: no pictures")
        self.pictures, self._batch, self._workers = pictures, batch, workers
        self._seed, self._rank, self._ranks = seed, rank, ranks
        self._collate = collate
        self._deal = _Deal(len(pictures), seed, balanced) if order == "random" else None
        self._store = _Store(pictures, collate, cache)

    @property
    def steps(self) -> int:
        """Steps of one epoch (unless `balanced`). The last batch may contain pictures of the next epoch."""
        return -(-len(self.pictures) // (self._batch * self._ranks))

    @property
    def quarantined(self) -> dict[int, str]:
        """Indices of the pictures that could not be read so far, with the reasons."""
        return dict(self._store.broken)

    def batches(self, start_step: int = 0) -> Iterator[RawBatch]:
        """The batches from a step on, without end."""
        return self._ahead(lambda step: self._drawn(start_step + step))

    def once(self) -> Iterator[RawBatch]:
        """All pictures of all ranks once, in the order of their indices, with center crops. The last batch is shorter.

        Pictures that cannot be read are left out; see `indices`.
        """
        starts = range(0, len(self.pictures), self._batch)
        return self._ahead(lambda step: self._plain(starts[step]), len(starts))

    def _ahead(self, make: _Make, count: int | None = None) -> Iterator[RawBatch]:
        """Yield make(0), make(1), …, computed ahead by the worker threads."""
        if not self._workers:
            step = 0
            while count is None or step < count:
                yield make(step)
                step += 1
            return
        pool = ThreadPoolExecutor(self._workers, "blendmill loader")
        pending: deque[Future[RawBatch]] = deque()
        step = 0
        try:
            while pending or count is None or step < count:
                while len(pending) < self._workers + _AHEAD and (count is None or step < count):
                    pending.append(pool.submit(make, step))
                    step += 1
                yield pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _drawn(self, step: int) -> RawBatch:
        first = (step * self._ranks + self._rank) * self._batch
        positions = range(first, first + self._batch)
        if self._deal is None:
            return self._made([position % len(self.pictures) for position in positions], None)
        rng = Streams(self._seed, step).generator(f"window {self._rank}")
        return self._made([self._deal.at(position) for position in positions], rng)

    def _plain(self, start: int) -> RawBatch:
        stop = min(start + self._batch, len(self.pictures))
        found = [(i, picture) for i in range(start, stop) if (picture := self._store.picture(i)) is not None]
        return self._collate.stack(self.pictures, found, None)

    def _made(self, places: Sequence[int], rng: np.random.Generator | None) -> RawBatch:
        return self._collate.stack(self.pictures, [self._store.at_or_after(place) for place in places], rng)


class _Make(Protocol):
    def __call__(self, step: int, /) -> RawBatch: ...


class _Deal:
    """The picture at each position of an endless random sequence."""

    def __init__(self, count: int, seed: int, labels: NDArray[np.int64] | None):
        self._seed = seed
        self._groups = [np.arange(count)]
        if labels is not None:
            self._groups = [np.flatnonzero(labels == k) for k in np.unique(labels)]
        # One permutation of each group is in use, or two when a batch crosses the border between two epochs. Of more
        # groups than one, the order of their turns is in use too.
        self._order = lru_cache(2 if len(self._groups) == 1 else 4 * (len(self._groups) + 1))(self._shuffled)

    def at(self, position: int) -> int:
        if len(self._groups) == 1:
            return self._member(0, position)
        turn, number = divmod(position, len(self._groups))
        return self._member(int(self._order("turn", len(self._groups), turn)[number]), turn)

    def _member(self, group: int, number: int) -> int:
        members = self._groups[group]
        turn, place = divmod(number, len(members))
        return int(members[self._order(f"group {group}", len(members), turn)[place]])

    def _shuffled(self, name: str, count: int, turn: int) -> NDArray[np.int64]:
        return Streams(self._seed, turn).generator(name).permutation(count)


class _Store(Generic[D]):
    """Reads the pictures. It caches those that fit into memory and remembers those that cannot be read."""

    def __init__(self, pictures: D, collate: Collate[D], room: int):
        self._pictures, self._collate, self._room = pictures, collate, room
        self._kept: dict[int, NDArray[np.uint8]] = {}
        self.broken: dict[int, str] = {}
        self._lock = threading.Lock()

    def at_or_after(self, place: int) -> tuple[int, NDArray[np.uint8]]:
        """The place and the picture, or those of the next picture that can be read."""
        for step in range(len(self._pictures)):
            found = (place + step) % len(self._pictures)
            if (picture := self.picture(found)) is not None:
                return found, picture
        raise InputError(f"{self._pictures.name}: no picture can be read; {next(iter(self.broken.values()))}")

    def picture(self, place: int) -> NDArray[np.uint8] | None:
        """(h, w, c) uint8; None if the picture cannot be read."""
        if (kept := self._kept.get(place)) is not None:
            return kept
        if place in self.broken:
            return None
        try:
            picture = self._collate.read(self._pictures, place)
        except InputError as error:
            self._quarantine(place, str(error))
            return None
        self._keep(place, picture)
        return picture

    def _keep(self, place: int, picture: NDArray[np.uint8]) -> None:
        with self._lock:
            if place not in self._kept and picture.nbytes <= self._room:
                self._kept[place] = picture
                self._room -= picture.nbytes

    def _quarantine(self, place: int, reason: str) -> None:
        with self._lock:
            new = place not in self.broken
            self.broken[place] = reason
            count, first = len(self.broken), next(iter(self.broken.values()))
        if count > max(1, _BROKEN * len(self._pictures)):
            raise InputError(
                f"{self._pictures.name}: {count} pictures cannot be read, more than {_BROKEN:.0%} of "
                f"{len(self._pictures)}; the first: {first}"
            )
        if new:
            _LOG.warning("left out: %s", reason)

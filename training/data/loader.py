"""Batches of pictures, decoded ahead by threads; each batch is a pure function of (seed, step)."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Literal, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scenes.errors import InputError
from scenes.streams import Streams
from training.data.pictures import Pictures, require_labels

CACHE = 1 << 30
_LOG = logging.getLogger("blendmill")
# Batches that are made ahead beside the one each worker is at, and the share of pictures that may be broken.
_AHEAD, _BROKEN = 2, 0.05


class RawBatch(NamedTuple):
    """images: (n, 3, r, r) uint8 sRGB. labels: (n,) int64, -1 for none. indices: (n,) int64, places in the pictures."""

    images: Tensor
    labels: Tensor
    indices: Tensor


class Loader:
    """Pictures in batches: the short side resized to `resized` pixels, and a square window of that side.

    size: pixels of the side that training crops out of the window. resized: by default size * 256 / 224. order:
    `random` goes through all pictures in a new order each time round; `sequential` through their indices. balanced: in
    `random` order deals classes in turn, each in a new order each round, and the pictures of each class likewise. In
    `random` order the window lies anywhere along the long side, so that crops spread evenly; else in its middle.

    The batches are those of one trainer, `rank` of `ranks`: together they have `batch * ranks` pictures a step.
    workers: threads that decode (Pillow and ISA-L let others run meanwhile); with 0 the caller does. cache: bytes of
    resized pictures that are kept in memory: the first that fit, for good. Neither changes what a batch holds.

    A picture that cannot be read is quarantined: one warning on the logger `blendmill`, and the next picture that can
    be read is in its place from then on. InputError, naming the first, where that befalls more than one in twenty
    pictures, and where there are none.
    """

    def __init__(
        self,
        pictures: Pictures,
        batch: int,
        size: int,
        *,
        seed: int = 0,
        workers: int = 2,
        resized: int | None = None,
        order: Literal["random", "sequential"] = "random",
        balanced: bool = False,
        rank: int = 0,
        ranks: int = 1,
        cache: int = CACHE,
    ):
        if not len(pictures):
            raise InputError(f"{pictures.name}: no pictures")
        self.pictures, self._batch, self._workers = pictures, batch, workers
        self._seed, self._rank, self._ranks = seed, rank, ranks
        self._side = round(size * 256 / 224) if resized is None else resized
        if self._side < size:
            raise InputError(f"field resized: {self._side} pixels are less than the size of {size}")
        self._slack = self._side - size
        if balanced:
            require_labels(pictures)
        self._deal = _Deal(pictures.labels, seed, balanced) if order == "random" else None
        self._store = _Store(pictures, self._side, cache)

    @property
    def steps(self) -> int:
        """Steps in which every picture comes up once (unless `balanced`); the last may begin the next round."""
        return -(-len(self.pictures) // (self._batch * self._ranks))

    @property
    def quarantined(self) -> dict[int, str]:
        """Indices of the pictures that could not be read so far, and why."""
        return dict(self._store.broken)

    def batches(self, start_step: int = 0) -> Iterator[RawBatch]:
        """The batches from a step on, without end."""
        return self._ahead(lambda step: self._drawn(start_step + step))

    def once(self) -> Iterator[RawBatch]:
        """All pictures of all ranks once, in the order of their indices, their middles; the last batch is shorter.

        Pictures that cannot be read are left out, as `indices` tells.
        """
        starts = range(0, len(self.pictures), self._batch)
        return self._ahead(lambda step: self._plain(starts[step]), len(starts))

    def _ahead(self, make: _Make, count: int | None = None) -> Iterator[RawBatch]:
        """make(0), make(1), …, as many at a time as there are workers."""
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
        along = Streams(self._seed, step).generator(f"window {self._rank}").random(self._batch)
        return self._made([self._deal.at(position) for position in positions], along)

    def _plain(self, start: int) -> RawBatch:
        stop = min(start + self._batch, len(self.pictures))
        found = [(i, picture) for i in range(start, stop) if (picture := self._store.picture(i)) is not None]
        return self._stacked(found, None)

    def _made(self, places: Sequence[int], along: NDArray[np.float64] | None) -> RawBatch:
        return self._stacked([self._store.at_or_after(place) for place in places], along)

    def _stacked(self, found: Sequence[tuple[int, NDArray[np.uint8]]], along: NDArray[np.float64] | None) -> RawBatch:
        side = self._side
        images = np.empty((len(found), 3, side, side), np.uint8)
        for k, (_, picture) in enumerate(found):
            at = None if along is None else along[k]
            images[k] = window(picture, side, self._slack, at).transpose(2, 0, 1)
        places = np.array([place for place, _ in found], np.int64)
        labels = self.pictures.labels[places]
        return RawBatch(torch.from_numpy(images), torch.from_numpy(labels), torch.from_numpy(places))


class _Make(Protocol):
    def __call__(self, step: int, /) -> RawBatch: ...


def window(picture: NDArray[np.uint8], side: int, slack: int = 0, at: float | None = None) -> NDArray[np.uint8]:
    """The (side, side, 3) square of a picture whose short side is `side`: at `at` in [0, 1) along it, or its middle.

    slack: pixels by which what is cropped out of it is smaller still. `at` places that crop, as one random crop of
    the whole picture would, and the square about it as far as the picture goes.
    """
    height, width = picture.shape[:2]
    spare = max(height, width) - side
    start = round(spare / 2) if at is None else min(max(int(at * (spare + slack + 1)) - slack // 2, 0), spare)
    return picture[:, start : start + side] if width > height else picture[start : start + side]


class _Deal:
    """Which picture comes at each position of an endless row."""

    def __init__(self, labels: NDArray[np.int64], seed: int, balanced: bool):
        self._seed = seed
        present = np.unique(labels).tolist() if balanced else [0]
        self._groups = [np.flatnonzero(labels == label) for label in present] if balanced else [np.arange(len(labels))]
        # A permutation of each group is in use at a time, or two where batches cross from round to round.
        self._order = lru_cache(4 * (len(present) + 1))(self._shuffled)

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


class _Store:
    """The pictures at the size they are batched in: those that fit into memory, and those that cannot be read."""

    def __init__(self, pictures: Pictures, side: int, room: int):
        self._pictures, self._side, self._room = pictures, side, room
        self._kept: dict[int, NDArray[np.uint8]] = {}
        self.broken: dict[int, str] = {}
        self._lock = threading.Lock()

    def at_or_after(self, place: int) -> tuple[int, NDArray[np.uint8]]:
        """The picture there, or the next one that can be read; and its place."""
        for step in range(len(self._pictures)):
            found = (place + step) % len(self._pictures)
            if (picture := self.picture(found)) is not None:
                return found, picture
        raise InputError(f"{self._pictures.name}: no picture can be read; {next(iter(self.broken.values()))}")

    def picture(self, place: int) -> NDArray[np.uint8] | None:
        """(h, w, 3) uint8, None where it cannot be read."""
        if (kept := self._kept.get(place)) is not None:
            return kept
        if place in self.broken:
            return None
        try:
            picture = self._pictures.read(place, self._side)
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

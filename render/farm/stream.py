"""Live frames: pictures from render workers straight into a training loop, through shared memory.

Workers draw into the slots of one memory file, a thread here gives them the next pictures to draw, and the consumer
copies each picture out, in order, and frees its slot. The file has no name and goes with the last process that holds
it, and workers leave when their line is cut: nothing stays behind, however a process ends.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from render.farm.devices import WorkerSlot, choose
from render.farm.devices import worker_slots as machine_worker_slots
from render.farm.local import RetryPolicy
from render.farm.pool import COMMAND, Event, WorkerPool
from render.farm.shared_memory import Memory, slot_size
from render.frame import Frame
from render.renderer import device_for
from scenes.config.loading import AnyConfig
from scenes.errors import InputError

_POLICY = RetryPolicy()
# What is drawn ahead where the caller does not say: as much as fits into these bytes, and no more slots than this.
_AHEAD_BYTES, _AHEAD = 256 << 20, 64
# Seconds between looks at whether a slot was freed or the stream closed: while workers wait for one, and while not.
_SOON, _LATER = 0.02, 0.1


@dataclass(frozen=True)
class Stats:
    """What a stream has done since it began, and who waited for whom.

    drawn, taken: pictures that workers finished, that the consumer got. ready: finished ones in memory now. slots: room
    for so many, those being drawn included. seconds: since it began. starved: seconds of them in which the consumer
    waited for a picture. idle: seconds in which a worker, on average, waited for a free slot.
    """

    drawn: int = 0
    taken: int = 0
    ready: int = 0
    slots: int = 0
    seconds: float = 0.0
    starved: float = 0.0
    idle: float = 0.0


class Stream(Iterator[Frame]):
    """An iterator over pictures that worker processes draw right now, in the order of their index.

    It is a context manager too. `close` ends the workers. So do the end of the pictures, an error and the end of the
    program. A stream belongs to the process that created it. The frames own their arrays.

    Parameters
    ----------
    config : Config or ComposeConfig
        What the pictures show.
    seed : int
        Seed of all random draws.
    start : int
        Index of the first picture, from 0.
    count : int or None
        Number of pictures over all ranks. None never ends.
    rank, ranks : int
        Rank r of n gets pictures start + r, start + r + n and so on, so that n streams share the pictures.
    worker_slots : sequence of WorkerSlot or None
        One slot for each worker. None uses the best devices of this machine.
    ahead : int or None
        Pictures to keep ready, in addition to one per worker. None keeps up to 64, in at most 256 MiB.
    policy : RetryPolicy
        What to do with a picture if its workers die. With `skip` it is left out and listed in `skipped`.
    command : sequence of str
        The command that starts a worker process.

    Raises
    ------
    InputError
        The input is bad, shared memory is too small, workers cannot start, or a picture was given up.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> import blendmill
    >>> Path("walls").mkdir()
    >>> Image.fromarray(np.full((64, 64, 3), 150, np.uint8)).save("walls/wall.png")
    >>> text = "renderer: composite\\nassets: {textures: [walls]}\\nresolution: [32, 32]\\n"
    >>> _ = Path("cracks.yaml").write_text(text)
    >>> config = blendmill.load_config("cracks.yaml")
    >>> slots = blendmill.worker_slots(blendmill.choose("cpu"), 1, pictures=2)
    >>> with blendmill.Stream(config, seed=0, count=2, worker_slots=slots) as stream:
    ...     [(frame.index, frame.rgb.shape) for frame in stream]
    [(0, (32, 32, 3)), (1, (32, 32, 3))]
    """

    def __init__(
        self,
        config: AnyConfig,
        seed: int,
        start: int = 0,
        count: int | None = None,
        *,
        rank: int = 0,
        ranks: int = 1,
        worker_slots: Sequence[WorkerSlot] | None = None,
        ahead: int | None = None,
        policy: RetryPolicy = _POLICY,
        command: Sequence[str] = COMMAND,
    ):
        if not 0 <= rank < ranks or start < 0:
            raise ValueError(f"rank {rank} of {ranks} from picture {start} on: all count from 0")
        self._indices = range(start + rank, sys.maxsize if count is None else start + count, ranks)
        self._given, self._start, self._ranks = 0, start, ranks
        pictures = len(self._indices)
        if worker_slots is None:
            worker_slots = machine_worker_slots(choose(device_for(config, "auto")), None, pictures=pictures)
        worker_slots = worker_slots[:pictures]
        size = slot_size(config)
        if ahead is None:
            ahead = max(1, min(_AHEAD, _AHEAD_BYTES // size))
        memory = Memory(size, max(1, min(len(worker_slots) + ahead, pictures)))
        spec = {"config": config.plain(), "seed": seed}
        self._feed = _Feed(self._indices, memory, spec, tuple(worker_slots), policy, command)
        self._feed.start()
        # Called by `close`, when this object goes, and at the end of the program, whichever is first.
        self._finish = weakref.finalize(self, self._feed.close)

    def __next__(self) -> Frame:
        while self._given < len(self._indices):
            frame = self._feed.take(self._indices[self._given])
            self._given += 1
            if frame is not None:
                return frame
        self.close()
        raise StopIteration

    @property
    def position(self) -> int:
        """The `start` of a stream that continues after the last frame returned here.

        It is the same for all ranks that have returned equally many frames, and then holds for any number of ranks.
        """
        return self._start + self._given * self._ranks

    @property
    def skipped(self) -> Mapping[int, str]:
        """The indices of the pictures that were given up, each with the reason."""
        return dict(self._feed.skipped)

    @property
    def left_out(self) -> Mapping[str, str]:
        """The files of assets that the pictures drawn so far could not use, each with the reason."""
        return dict(self._feed.left_out)

    @property
    def warnings(self) -> Mapping[str, Sequence[str]]:
        """What was mended or is missing in the models read so far, by asset id."""
        return dict(self._feed.warnings)

    @property
    def stats(self) -> Stats:
        """Counts and waiting times (seconds) since the stream began."""
        return self._feed.stats()

    def close(self) -> None:
        """End the workers and free the memory."""
        self._finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Feed(threading.Thread):
    """Feeds the pool, and keeps what it drew until it is taken. Knows nothing of the Stream, so that one can go."""

    def __init__(
        self,
        indices: range,
        memory: Memory,
        spec: Mapping[str, Any],
        worker_slots: Sequence[WorkerSlot],
        policy: RetryPolicy,
        command: Sequence[str],
    ):
        super().__init__(name="blendmill stream", daemon=True)
        self._indices, self._memory, self._policy = indices, memory, policy
        self._spec, self._worker_slots, self._command = spec, worker_slots, command
        self._process, self._began = os.getpid(), time.monotonic()
        self._strikes: Counter[int] = Counter()
        self._again: deque[tuple[int, int]] = deque()
        self._given = self._resolved = 0
        # The consumer puts slots back at one end, the thread takes them from the other: a deque needs no lock for it.
        self._free = deque(range(memory.slots))
        # What follows is shared with the consumer and changes under this lock.
        self._change = threading.Condition()
        self._done: dict[int, tuple[int, Mapping[str, Any]] | None] = {}
        self.skipped: dict[int, str] = {}
        self.left_out: dict[str, str] = {}
        self.warnings: dict[str, Sequence[str]] = {}
        self._error: BaseException | None = None
        self._closing = self._ended = False
        self._drawn = self._taken = 0
        self._starved = self._idle = 0.0
        self._hungry: float | None = None

    # The consumer's side ---------------------------------------------------------------------------------------

    def take(self, index: int) -> Frame | None:
        """A picture once it is there, or None where it was given up."""
        if os.getpid() != self._process:
            raise RuntimeError("a stream belongs to the process that made it; make one in each")
        with self._change:
            self._await(index)
            if self._closing:
                raise ValueError("the stream is closed")
            if index not in self._done and self._error is not None:
                raise self._error
            found = self._done.pop(index)
        if found is None:
            return None
        slot, labels = found
        frame = self._memory.take(labels, slot)
        self._free.append(slot)
        with self._change:
            self._taken += 1
        return frame

    def _await(self, index: int) -> None:
        self._hungry = time.monotonic()
        try:
            while index not in self._done and not self._ended and not self._closing:
                self._change.wait()
        finally:
            self._starved += time.monotonic() - self._hungry
            self._hungry = None

    def stats(self) -> Stats:
        with self._change:
            now = time.monotonic()
            return Stats(
                drawn=self._drawn,
                taken=self._taken,
                ready=len(self._done),
                slots=self._memory.slots,
                seconds=now - self._began,
                starved=self._starved + (0.0 if self._hungry is None else now - self._hungry),
                idle=self._idle / max(1, len(self._worker_slots)),
            )

    def close(self) -> None:
        if os.getpid() != self._process:  # a fork's copy: workers and thread are the parent's
            return
        with self._change:
            self._closing = True
            self._change.notify_all()
        if threading.current_thread() is not self:  # it may be the one that collects garbage
            self.join()
        self._memory.close()

    # The pool's side -------------------------------------------------------------------------------------------

    def run(self) -> None:
        try:
            with WorkerPool(
                self._spec, self._worker_slots, self._policy.timeout, self._memory.file, self._command
            ) as pool:
                while not self._closing and self._resolved < len(self._indices):
                    self._turn(pool)
        except BaseException as error:  # the consumer's to raise
            self._error = error
        with self._change:
            self._ended = True
            self._change.notify_all()

    def _turn(self, pool: WorkerPool) -> None:
        self._give(pool)
        waiting = len(pool.idle()) if self._given < len(self._indices) else 0
        began = time.monotonic()
        for event in pool.events(_SOON if waiting else _LATER):
            self._hear(event)
        with self._change:
            self._idle += waiting * (time.monotonic() - began)

    def _give(self, pool: WorkerPool) -> None:
        """Give idle workers a picture each: those whose worker died first, then the next ones, as slots go."""
        for worker in pool.idle():
            if self._again:
                index, slot = self._again.popleft()
            elif self._free and self._given < len(self._indices):
                index, slot = self._indices[self._given], self._free.popleft()
                self._given += 1
            else:
                return
            pool.give(worker, {"do": "frames", "indices": [index], "slots": [slot], "size": self._memory.size})

    def _hear(self, event: Event) -> None:
        if event.kind == "refused":
            raise InputError(event.data["reason"])
        if event.kind == "frame":
            with self._change:
                self.left_out.update(event.data["left_out"])
                self.warnings.update(event.data["warnings"])
            self._resolve(event.data["index"], (event.data["slot"], event.data["labels"]))
        elif event.kind == "died" and event.order is not None:
            self._died(event.order["indices"][0], event.order["slots"][0], event)

    def _died(self, index: int, slot: int, event: Event) -> None:
        """Count a death against the picture that was being drawn; one that died before it began says nothing of it."""
        self._strikes[index] += event.index is not None
        attempts, reason = self._policy.attempts, event.data["reason"]
        if self._strikes[index] < attempts:
            self._again.append((index, slot))
            return
        if not self._policy.skip:
            raise InputError(
                f"picture {index} of seed {self._spec['seed']} was given up after {attempts} workers died: {reason}"
            )
        self._free.append(slot)
        with self._change:
            self.skipped[index] = reason
        self._resolve(index, None)

    def _resolve(self, index: int, found: tuple[int, Mapping[str, Any]] | None) -> None:
        self._strikes.pop(index, None)
        with self._change:
            self._resolved += 1
            self._drawn += found is not None
            self._done[index] = found
            self._change.notify_all()

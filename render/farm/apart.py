"""Renderers in processes of their own, for pictures that are drawn one by one."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import psutil

from render.farm.devices import WorkerSlot
from render.farm.local import RetryPolicy
from render.farm.pool import WorkerPool
from render.farm.shared_memory import Memory, frame_size
from render.frame import Frame
from scenes.config.loading import AnyConfig
from scenes.errors import InputError
from scenes.record.record import Record

_POLICY = RetryPolicy()


class ApartRenderer:
    """A renderer in a process of its own, which is started when it must draw, and anew if it died."""

    def __init__(self, config: AnyConfig, worker_slot: WorkerSlot):
        self._config, self._worker_slot = config, worker_slot
        self._size = 0
        self._finish: weakref.finalize | None = None

    def draw(self, record: Record) -> Frame:
        size = frame_size(record.camera.height, record.camera.width)
        if self._finish is None or size > self._size:
            self._start(size)
        order = {"do": "frames", "indices": [record.index], "slots": [0], "size": self._size}
        order["records"] = [record.to_json()]
        try:
            return self._drawn(order, record.index)
        except InputError:  # the process waits for the next order
            raise
        except BaseException:  # also Ctrl-C: what is half drawn must not be taken for the next picture
            self.close()
            raise

    def _drawn(self, order: dict[str, Any], index: int) -> Frame:
        deaths = 0
        self._pool.give(0, order)
        while True:
            for event in self._pool.events(1.0):
                if event.kind == "refused":
                    raise InputError(event.data["reason"])
                if event.kind == "frame":
                    return self._memory.take(event.data["labels"], 0)
                if event.kind == "died":
                    deaths += event.index is not None
                    if deaths >= _POLICY.attempts:
                        raise InputError(f"picture {index}: was given up after {deaths} deaths: {event.data['reason']}")
                    self._pool.give(0, order)

    def _start(self, size: int) -> None:
        self.close()
        self._memory = Memory(size, 1)
        spec = {"config": self._config.plain(), "seed": 0}
        self._pool = WorkerPool(spec, [self._worker_slot], _POLICY.timeout, self._memory.file)
        self._size = size
        self._finish = weakref.finalize(self, _end, self._pool, self._memory)

    @property
    def memory(self) -> int:
        """Bytes that the process has in memory now; 0 while there is none."""
        return 0 if self._finish is None else sum(psutil.Process(pid).memory_info().rss for pid in self._pool.pids())

    def close(self) -> None:
        if self._finish is not None:
            self._finish()
            self._finish = None


def draw_apart(config: AnyConfig, worker_slots: Sequence[WorkerSlot], records: Iterable[Record]) -> Iterator[Frame]:
    """The frames of some records, in order. A process for each slot draws them.

    Raises InputError for a record that cannot be drawn.
    """
    renderers = [ApartRenderer(config, slot) for slot in worker_slots]
    idle: SimpleQueue[ApartRenderer] = SimpleQueue()
    for renderer in renderers:
        idle.put(renderer)

    def drawn(record: Record) -> Frame:
        renderer = idle.get()
        try:
            return renderer.draw(record)
        finally:
            idle.put(renderer)

    threads = ThreadPoolExecutor(len(renderers))
    try:
        yield from threads.map(drawn, records)
    finally:
        threads.shutdown(cancel_futures=True)
        for renderer in renderers:
            renderer.close()


def _end(pool: WorkerPool, memory: Memory) -> None:
    pool.close()
    memory.close()

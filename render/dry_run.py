"""What a run would take: time, disk and memory, from a few pictures that are drawn and thrown away."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from render.dataset.shard_writer import write_shard
from render.farm.apart import ApartRenderer
from render.farm.devices import WorkerSlot
from render.renderer import Sampler
from scenes.machine import memory as free_memory

PICTURES = 10
"""Pictures that are drawn."""

SCENES = 100
"""Scenes that are sampled for the shares of the classes."""


@dataclass(frozen=True)
class Estimate:
    """What a run would take. classes: how many of `scenes` sampled pictures show each as main object.

    seconds: of one worker for a picture, once it has started. bytes: of a picture in a shard. memory: bytes that one
    worker takes.
    """

    images: int
    workers: int
    scenes: int
    classes: Counter[str]
    seconds: float
    bytes: float
    memory: int

    def lines(self) -> list[str]:
        """The estimate in words."""
        total = timedelta(seconds=round(self.images * self.seconds / self.workers))
        shares = ", ".join(f"{name} {count / self.scenes:.0%}" for name, count in self.classes.most_common())
        return [
            f"would draw {self.images} pictures with {self.workers} workers; nothing was written",
            f"classes of the main object, in {self.scenes} sampled scenes: {shares}",
            f"time: about {total} ({self.seconds:.2f} s for a picture and worker)",
            f"disk: about {_size(self.images * self.bytes)} ({_size(self.bytes)} a picture)",
            f"memory: about {_size(self.workers * self.memory)} of {_size(free_memory())} free "
            f"({_size(self.memory)} a worker)",
        ]


def estimate(
    sampler: Sampler,
    seed: int,
    images: int,
    worker_slots: Sequence[WorkerSlot],
    advance: Callable[[int], object] = lambda count: None,
) -> Estimate:
    """Draw up to ten pictures, spread evenly over a set, and say what the whole set would take.

    advance: is called with 1 for each picture that is drawn.
    """
    scenes, count = min(SCENES, images), min(PICTURES, images)
    seen = Counter(sampler.sample(seed, k * images // scenes).subject or "none" for k in range(scenes))
    records = [sampler.sample(seed, k * images // count) for k in range(count)]
    renderer = ApartRenderer(sampler.config, worker_slots[0])
    try:
        frames, began = [renderer.draw(records[0])], time.monotonic()  # its start is no part of a picture
        for record in records:
            frames.append(renderer.draw(record))
            advance(1)
        seconds, memory = (time.monotonic() - began) / count, renderer.memory
    finally:
        renderer.close()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shard.h5"
        write_shard(path, frames[1:], attributes={})
        size = path.stat().st_size / count
    return Estimate(images, len(worker_slots), scenes, seen, seconds, size, memory)


def _size(count: float) -> str:
    """Bytes in the largest unit that leaves a number above 1."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"

"""What the live stream costs per picture, and whether a trainer ever waits when drawing is faster than training.

The workers draw nothing here. They sleep as long as drawing would take, and hand over a picture that was made before.
So what we measure is the stream's own work: labels to JSON and back, pixels into shared memory and out, orders,
answers.

    python -m benchmarks.stream [--pictures 2000] [--batches 30]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import types
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from benchmarks.common import open_objects, record, spread, table
from render.farm.devices import WorkerSlot, processor
from render.farm.shared_memory import Memory, put_frame, slot_size
from render.farm.stream import Stream
from render.frame import PICTURES, Frame
from render.object_label import Keypoint, ObjectLabel
from scenes.config.objects import Config
from scenes.record.scene import Scene
from scenes.sampling.scene import Sampler
from training.data.stream import StreamDataset, picture_and_label

SIDE, BATCH = 256, 32
_WORKER = "--as-worker"


def opened() -> tuple[Config, Sampler]:
    return open_objects("s2rda13", [f"camera.resolution=[{SIDE},{SIDE}]"])


def command(seconds: float) -> tuple[str, ...]:
    """The command of a worker whose pictures take this many seconds."""
    return (sys.executable, "-m", "benchmarks.stream", _WORKER, str(seconds))


def frame_of(scene: Scene) -> Frame:
    """A picture of noise with the labels of a scene and a clean plate."""
    rng = np.random.default_rng(0)
    pictures: dict[str, Any] = dict.fromkeys(PICTURES)
    for name in ("rgb", "depth", "instance", "category", "part", "normals", "alpha", "background"):
        label = PICTURES[name]
        pictures[name] = rng.integers(0, 200, label.shape_at(SIDE, SIDE)).astype(label.element)
    box = (10.0, 20.0, 200.0, 210.0)
    points = {f"point {k}": Keypoint(k + 0.25, k + 0.5, True) for k in range(6)}
    objects = tuple(
        ObjectLabel(
            k, item.asset, item.category, item.purpose, box, box, 1000, 0.02, 0.5, 0.0, points, ("body", "handle")
        )
        for k, item in enumerate(scene.items, 1)
    )
    camera = scene.camera
    return Frame(
        **pictures, intrinsics=camera.intrinsics(), world_to_camera=camera.world_to_camera(), index=scene.index,
        label=0, objects=objects, scene=scene,
    )  # fmt: skip


def work(seconds: float) -> None:
    """Run the real worker with a Stage that draws nothing."""
    from render.farm import worker

    class Stage:
        _made: Frame | None = None

        def __init__(self, *_: object):
            pass

        def draw(self, scene: Scene) -> Frame:
            time.sleep(seconds)
            self._made = self._made or frame_of(scene)
            return replace(self._made, index=scene.index, scene=scene)

    sys.modules["render.blender.stage"] = stage = types.ModuleType("render.blender.stage")
    stage.Stage = Stage  # type: ignore[attr-defined]
    worker.main()


def handing_over(pictures: int) -> list[float]:
    """Milliseconds that a worker takes to hand over each picture."""
    settings, sampler = opened()
    frame = frame_of(sampler.sample(0, 0))
    memory = Memory(slot_size(settings), 16)
    taken = []
    for k in range(pictures):
        began = time.perf_counter()
        json.dumps({"event": "frame", "labels": put_frame(frame, memory.file, k % 16, memory.size)}).encode()
        taken.append((time.perf_counter() - began) * 1e3)
    memory.close()
    return taken


def receiving(pictures: int) -> float:
    """CPU milliseconds per picture, over all threads of the training process: orders, answers, copies."""
    with Stream(opened()[0], 0, count=pictures + 200, worker_slots=worker_slots(2), command=command(0.002)) as stream:
        for _ in range(200):
            next(stream)
        began = time.process_time()
        for _ in range(pictures):
            next(stream)
        return (time.process_time() - began) / pictures * 1e3


def worker_slots(workers: int) -> tuple[WorkerSlot, ...]:
    return (WorkerSlot(processor(), 1),) * workers


class Network(nn.Sequential):
    """A small convolutional network for pictures of any size, 49 classes."""

    def __init__(self) -> None:
        widths = (3, 16, 32, 64, 128)
        blocks = [
            layer
            for before, after in pairwise(widths)
            for layer in (nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU())
        ]
        super().__init__(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 49))


def training(batches: int, loaders: int, seconds: float) -> tuple[float, float, float]:
    """Pictures trained on per second, the share of time that the trainer waited for its next batch, the longest wait.

    A wait is from the request for a batch to its arrival, in seconds. The first batches, which are drawn while workers
    start, do not count.
    """
    model = Network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    data = StreamDataset(opened()[0], 0, device="cpu", workers=2, command=command(seconds), transform=picture_and_label)
    loader = iter(DataLoader(data, batch_size=BATCH, num_workers=loaders))
    waits: list[float] = []
    for number in range(batches + 3):
        if number == 3:
            time.sleep(seconds * BATCH)  # the buffer is full, as it is whenever drawing is the faster
            waits, began = [], time.perf_counter()
        asked = time.perf_counter()
        pictures, labels = next(loader)
        waits.append(time.perf_counter() - asked)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(pictures.float() / 255), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    total = time.perf_counter() - began
    return batches * BATCH / total, sum(waits) / total, max(waits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--batches", type=int, default=30)
    parser.add_argument(
        "--seconds", type=float, default=0.01, help="seconds that each of the two workers takes per picture"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    over = handing_over(options.pictures)
    received = receiving(options.pictures)
    cost = table(
        ["part", "ms per picture"],
        [
            ["worker: pixels into shared memory, labels to JSON", spread(over)],
            [
                "trainer's process, all threads: orders, answers, labels from JSON, pixels out of shared memory",
                f"{received:.3f}",
            ],
            ["together", f"{statistics.median(over) + received:.3f}"],
        ],
    )
    rows = []
    for loaders in (0, 1):
        rate, share, longest = training(options.batches, loaders, options.seconds)
        rows.append([str(loaders), f"{2 / options.seconds:.0f}", f"{rate:.0f}", f"{share:.2%}", f"{longest * 1e3:.0f}"])
    header = [
        "loader workers",
        "pictures drawn per second, at most",
        "pictures trained on per second",
        "share of time waiting for a batch",
        "longest wait, ms",
    ]
    body = f"""## Own cost of the stream, {SIDE} x {SIDE} with all labels and a clean plate

{cost}

## A small CNN with batches of {BATCH}; drawing is faster than training

{table(header, rows)}

Without loader workers, the training loop itself copies {BATCH} pictures out of shared memory and stacks them into a
batch. The wait includes this."""
    record("stream", "The live stream", body)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == _WORKER:
        del sys.argv[1]
        work(float(sys.argv.pop(1)))
    else:
        main()

"""Pictures a second out of the loader: JPEG photographs and shards, by threads; how long a trainer waits for them.

python -m benchmarks.loader [--pictures 128] [--rounds 5] [--threads 1 2] [--steps 6]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from benchmarks.common import record, spread, table
from benchmarks.stream import config, frame_of
from classify.data.loader import Loader
from classify.data.pictures import Pictures
from classify.data.sources import open_pictures
from classify.models import build
from render.dataset import Manifest
from render.library import open_catalogue
from render.shards import write_shard
from scenes.sampling import Sampler

SIZE, BATCH = 224, 32
PHOTO, RENDER = (500, 375), (256, 256)


def texture(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 with detail at all scales, so that its file is as large as a photograph's."""
    picture = np.full((height, width, 3), 128.0, np.float32)
    for power in range(2, 9):
        for channel in range(3):
            cells = rng.normal(0, 2.0 ** (6.2 - 0.7 * power), (2**power, 2**power)).astype(np.float32)
            picture[..., channel] += np.asarray(Image.fromarray(cells).resize((width, height)))
    grain = rng.normal(0, 9, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def photographs(folder: Path, count: int) -> Pictures:
    rng = np.random.default_rng(0)
    for i in range(count):
        path = folder / f"class {i % 4}" / f"{i:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(texture(rng, *PHOTO)).save(path, quality=92)
    return open_pictures(folder)


def renders(folder: Path, count: int) -> Pictures:
    """A data set with all labels; of a picture only the colours are read."""
    rng, settings = np.random.default_rng(1), config()
    sampler = Sampler(settings, open_catalogue(settings))
    frame = frame_of(sampler.sample(0, 0))
    manifest = Manifest(
        config={}, config_hash="", seed=0, count=count, shard_size=64, classes=sampler.classes, versions={},
        device="none",
    )  # fmt: skip
    (folder / "shards").mkdir(parents=True)
    for shard in range(manifest.shard_count):
        frames = (replace(frame, index=i, rgb=texture(rng, *RENDER)) for i in manifest.indices(shard))
        write_shard(folder / "shards" / manifest.shard_name(shard), frames, attributes=manifest.attributes())
    manifest.save(folder)
    return open_pictures(folder)


def rate(pictures: Pictures, threads: int, cache: int = 0) -> float:
    """Pictures a second over all of them once, the threads' start included."""
    loader = Loader(pictures, BATCH, SIZE, workers=threads, cache=cache)
    if cache:
        deque(islice(loader.batches(), loader.steps), maxlen=0)
    began, stream = time.perf_counter(), loader.batches()
    for _ in range(loader.steps):
        next(stream)
    taken = time.perf_counter() - began
    stream.close()  # type: ignore[attr-defined]  # a generator, as all loaders' are
    return loader.steps * BATCH / taken


def waiting(pictures: Pictures, steps: int) -> tuple[float, float]:
    """A ResNet-50's pictures a second in training, and the share of that time it waits for the loader; 2 threads."""
    network = build("resnet50", 13)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    stream = Loader(pictures, 8, SIZE, cache=0).batches()
    waited, began = 0.0, 0.0
    for step in range(steps + 1):
        if step == 1:  # the first one warms up
            waited, began = 0.0, time.perf_counter()
        asked = time.perf_counter()
        batch = next(stream)
        waited += time.perf_counter() - asked
        images = batch.images[..., :SIZE, :SIZE].float() / 255
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images).logits, batch.labels % 13).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    total = time.perf_counter() - began
    return steps * 8 / total, waited / total


def measured(sets: Mapping[str, Pictures], rounds: int, threads: list[int]) -> list[list[str]]:
    """A row for each set and number of threads, interleaved."""
    cells: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for name, pictures in sets.items():
            for count in threads:
                cells.setdefault((name, str(count)), []).append(rate(pictures, count))
            cells.setdefault((name, "1, from memory"), []).append(rate(pictures, 1, 1 << 30))
    return [[name, count, spread(values, 0)] for (name, count), values in cells.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--steps", type=int, default=6, help="of a ResNet-50, batches of 8")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        jpeg = photographs(Path(folder, "photos"), options.pictures)
        shards = renders(Path(folder, "renders"), options.pictures)
        size = statistics.mean(Path(jpeg.where(i)).stat().st_size for i in range(len(jpeg)))
        sets = {
            f"JPEG {PHOTO[0]} x {PHOTO[1]} ({size / 1024:.0f} KiB), short side to 256": jpeg,
            f"shards {RENDER[0]} x {RENDER[1]}": shards,
        }
        rows = measured(sets, options.rounds, options.threads)
        trained, share = waiting(jpeg, options.steps)
    body = f"""{table(["pictures", "threads", "pictures a second"], rows)}

A ResNet-50 at {SIZE} px on the JPEGs, batches of 8, two loader threads, trains on {trained:.1f} pictures a second and
waits {share:.2%} of the time for its batches."""
    record("loader", "The loader", body)


if __name__ == "__main__":
    main()

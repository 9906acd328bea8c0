"""How many pictures per second one core decodes and augments, and how long a trainer waits for them.

python -m benchmarks.loader [--photos FOLDER] [--renders FOLDER] [--pictures 128] [--rounds 5] [--steps 3]

Without folders, it generates as many photographs and renders. Rates are per second of processor time, so other work on
the machine does not count. Waits are wall time, in the code that training itself uses.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn.functional import cross_entropy

from benchmarks.common import record, spread, table
from benchmarks.stream import frame_of, opened
from classify.augment import Augment, Kind
from classify.config import ClassifyConfig, ClassifyDataConfig, ImagesConfig
from classify.datasets import open_datasets
from classify.models import build
from classify.network import Network
from classify.task import pipeline
from render.dataset.manifest import Manifest
from render.dataset.shard_writer import write_shard
from training.batches import DomainBatches
from training.data.loader import Loader
from training.data.sources import open_pictures
from training.data.windows import Windows
from training.distributed import ProcessInfo

SIZE, BATCH = 224, 32
PHOTO, RENDER = (500, 375), (256, 256)
KINDS: tuple[Kind, ...] = ("weak", "strong")


def texture(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 with detail at all scales, so that its file is as large as a photograph's."""
    picture = np.full((height, width, 3), 128.0, np.float32)
    for power in range(2, 9):
        for channel in range(3):
            cells = rng.normal(0, 2.0 ** (6.2 - 0.7 * power), (2**power, 2**power)).astype(np.float32)
            picture[..., channel] += np.asarray(Image.fromarray(cells).resize((width, height)))
    grain = rng.normal(0, 9, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def photographs(folder: Path, count: int) -> Path:
    rng = np.random.default_rng(0)
    for i in range(count):
        path = folder / f"class {i % 4}" / f"{i:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(texture(rng, *PHOTO)).save(path, quality=92)
    return folder


def renders(folder: Path, count: int) -> Path:
    """A data set with all labels; readers use only the colors of its pictures."""
    rng, (_, sampler) = np.random.default_rng(1), opened()
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
    return folder


def rate(work: Callable[[], int]) -> float:
    """Pictures per second of processor time. work: processes pictures, and returns how many."""
    began = time.process_time()
    done = work()
    return done / (time.process_time() - began)


def rates(folder: Path, rounds: int, batches: int) -> list[str]:
    """Cells of the table: decoding to batches, then each augmentation of them, in turns."""
    # Windows of the short side, decoded by the caller and kept nowhere.
    loader = Loader(open_pictures(folder), BATCH, Windows(SIZE), workers=0, cache=0)
    batch = next(loader.batches()).images
    generator = torch.Generator().manual_seed(0)
    augments = [Augment(kind, SIZE) for kind in KINDS]
    found: list[list[float]] = [[] for _ in range(1 + len(KINDS))]
    for _ in range(rounds):
        found[0].append(rate(lambda: sum(len(raw.images) for raw in islice(loader.batches(), batches))))
        for values, augment in zip(found[1:], augments, strict=True):
            values.append(rate(lambda chosen=augment: len(chosen(batch, generator))))  # type: ignore[misc]
    return [spread(values, 0) for values in found]


def waiting(network: Network, folder: Path, augment: Kind, steps: int) -> tuple[float, float]:
    """Pictures per second of training, and the share of the time that it waits for pictures and their augmentation."""
    data = ClassifyDataConfig(source=(ImagesConfig(where=str(folder)),), holdout=0)
    settings = ClassifyConfig(data=data, size=SIZE, batch=BATCH, augment=augment)
    supply = DomainBatches(settings, open_datasets(settings), pipeline(settings), ProcessInfo(), torch.device("cpu"))
    descent = torch.optim.SGD(network.parameters(), 0.01, fused=True)
    waited = began = 0.0
    for step in range(steps + 1):
        if step == 1:  # the first one warms up, and has nothing loaded ahead
            waited, began = 0.0, time.perf_counter()
        source, _ = supply.batch(step)
        loss = cross_entropy(network(source.images).logits, source.targets)
        descent.zero_grad()
        loss.backward()
        descent.step()
        waited += source.drawn.waited
    total = time.perf_counter() - began
    supply.close()
    return steps * BATCH / total, waited / total


def rows(sets: Mapping[str, Path], rounds: int, batches: int, steps: int) -> tuple[list[list[str]], list[list[str]]]:
    """The rows of the two tables: what one core does, and how long training waits."""
    alone = [[name, *rates(folder, rounds, batches)] for name, folder in sets.items()]
    network = build("resnet50", max(len(open_pictures(folder).classes) for folder in sets.values()))
    trained = []
    for name, folder in sets.items():
        for kind in KINDS:
            speed, share = waiting(network, folder, kind, steps)
            trained.append([name, kind, f"{speed:.1f}", f"{share:.2%}"])
    return alone, trained


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="a tree of class folders")
    parser.add_argument("--renders", type=Path, help="a data set of ours")
    parser.add_argument("--pictures", type=int, default=128, help="number of pictures in each generated set")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=4, help="number of batches decoded in a round")
    parser.add_argument(
        "--steps", type=int, default=3, help="training steps of the ResNet-50, for each set and augmentation"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        photos = options.photos or photographs(Path(folder, "photos"), options.pictures)
        rendered = options.renders or renders(Path(folder, "renders"), options.pictures)
        sets = {
            f"photographs (JPEG), {options.photos.name if options.photos else '500 x 375, generated'}": photos,
            f"shards, {options.renders.name if options.renders else '256 x 256, generated'}": rendered,
        }
        alone, trained = rows(sets, options.rounds, options.batches, options.steps)
    side = round(SIZE * 256 / 224)
    body = f"""One core reads and decodes pictures in batches of {BATCH}, and scales their short side to {side} pixels
("decoded"). It augments a square of {side} pixels to {SIZE} ("weak" and "strong"). Figures are pictures per second of
processor time.

{table(["pictures", "decoded", *KINDS], alone)}

A ResNet-50 trains at {SIZE} px with batches of {BATCH}, for {options.steps} steps in each row. It has one thread, and
the loader has two. Augmentation runs on the trainer's thread, and counts as waiting.

{table(["pictures", "augmentation", "pictures per second", "share of time waiting"], trained)}"""
    record("loader", "The loader", body)


if __name__ == "__main__":
    main()

"""What a set of up to a million pictures costs beside drawing: time and peak memory of each step, over its size.

    python -m benchmarks.million [--folder DIR] [--steps NAME ...] [1000 10000 100000 1000000]

Each step runs in a process of its own. The cache is empty before the first step of a size, so a step that uses what
another has noted comes after it, as in practice. The largest set takes 6 GB of disk, and its largest export 8 GB more.
--folder keeps the sets, the cache and the figures, so that the steps can be measured in several runs.

A figure has three parts. The time by the clock. The time of the processors, of the process and of all that it starts.
The peak memory of all of them together, looked at four times a second, in which a page that several share counts once
(PSS). All three have the start of Python and the imports in them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import psutil

from benchmarks.common import record, table
from benchmarks.million_set import config_of, fabricate
from render.cli.farm import merge, read_status
from render.dataset.dataset import Dataset
from render.dataset.export import export_dataset
from render.dataset.inspect import inspect_dataset
from render.dataset.limits import Limits
from render.dataset.store import open_store
from render.farm.job import Job, run
from render.farm.local import Local, RetryPolicy
from render.renderer import open_sampler

PARTS = 256
EXPORTS = ("coco", "masks", "yolo", "webdataset", "folder")
_MOST = {"gallery": 10_000, **dict.fromkeys(EXPORTS, 100_000)}
"""Pictures of the largest set that the slow steps are run on."""

_EVERY = 0.25
_READ = 1000
"""Pictures that are read in random order."""


def start_of_part(place: Path) -> None:
    """`render --shard 17/256` of a set in which the part is drawn: all that a task does before and after drawing."""
    _render(place, (17 % PARTS, PARTS))


def rerun(place: Path) -> None:
    """`render` of the finished set, when its shards were checked before."""
    _render(place, (0, 1))


def _render(place: Path, part: tuple[int, int]) -> None:
    config = config_of(place.parent)
    count = Dataset.open(place).manifest.count
    job = Job(config, 0, count, str(place), part=part)
    run(job, open_sampler(config), Local(()), RetryPolicy(), lambda event, **fields: None)


def opened(place: Path) -> None:
    assert len(Dataset.open(place))


def random_access(place: Path) -> None:
    dataset = Dataset.open(place)
    for index in range(0, dataset.manifest.count - 1, dataset.manifest.count // 100 + 1):
        dataset.frame(index)


def status(place: Path) -> None:
    read_status(open_store(str(place)))


def verify(place: Path) -> None:
    assert not open_store(str(place)).verify()


def verify_again(place: Path) -> None:
    assert not open_store(str(place)).verify(everything=False)


def merged(place: Path) -> None:
    """`merge` of a set whose shards were checked before."""
    merge.main([str(place)], standalone_mode=False)


def merged_copies(place: Path) -> None:
    """`merge` of a set into an empty folder: it reads, checks and copies each shard."""
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        merge.main([f"{folder}/set", str(place)], standalone_mode=False)


def count(place: Path) -> None:
    Dataset.open(place).count(Limits(0.05))


def inspected(place: Path) -> None:
    assert inspect_dataset(Dataset.open(place)).sound


def training(place: Path) -> None:
    """Open the set for training, and deal the first batch of an epoch."""
    from training.data.loader import _Deal
    from training.data.rendered import Rendered

    pictures = Rendered(place)
    deal = _Deal(len(pictures), 0, None)
    for position in range(32):
        pictures.read(deal.at(position))


def epoch(place: Path) -> None:
    """The places of all pictures of an epoch, in its random order."""
    from training.data.loader import _Deal

    count = len(Dataset.open(place))
    deal = _Deal(count, 0, None)
    assert sum(map(deal.at, range(count))) == count * (count - 1) // 2


def shuffled(place: Path) -> None:
    """The first pictures of an epoch in random order, picture by picture from Python."""
    pictures = Dataset.open(place)
    for k in np.random.default_rng(0).permutation(len(pictures))[:_READ].tolist():
        assert pictures[k].rgb.any()


def torch_loader(place: Path) -> None:
    """The same from PyTorch's DataLoader with two workers."""
    from torch.utils.data import DataLoader

    columns = Dataset.open(place).pictures().columns("rgb", "label")
    batches = iter(DataLoader(columns, batch_size=50, shuffle=True, num_workers=2))  # type: ignore[arg-type]
    for _ in range(_READ // 50):
        next(batches)


def of_class(place: Path) -> None:
    assert len(Dataset.open(place).where(category="crack"))


def of_factor(place: Path) -> None:
    dataset = Dataset.open(place)
    assert 0 < len(dataset.where(factors={"color.darkness": (0.0, 0.2)})) < len(dataset)


def gallery(place: Path) -> None:
    from gallery.build import build
    from gallery.sets import choose

    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        build(choose([place], []), Path(folder) / "out", 32)


def exported(kind: str, place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        export_dataset(Dataset.open(place), Path(folder) / "out", kind)


STEPS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "open": ("`len(Dataset.open(set))`", opened),
    "frame": ("100 pictures by their index", random_access),
    "status": ("`status`", status),
    "verify": ("`verify`, first time", verify),
    "verify-again": ("`verify`, again", verify_again),
    "start": ("`render --shard 17/256`, all its shards there", start_of_part),
    "rerun": ("`render` of the finished set", rerun),
    "merge": ("`merge` of the finished set", merged),
    "merge-copies": ("`merge` into an empty folder", merged_copies),
    "count": ("`count(limits)`, first time: reads the labels", count),
    "count-again": ("`count(limits)`, again", count),
    "inspect": ("`inspect`", inspected),
    "training": ("training: open, and read 32 pictures", training),
    "epoch": ("the random order of one epoch of training", epoch),
    "shuffled": (f"{_READ:,} pictures in random order, from Python", shuffled),
    "torch": (f"{_READ:,} pictures in random order, from PyTorch's DataLoader, 2 workers", torch_loader),
    "of-class": ("`Dataset.where(category=...)`", of_class),
    "of-factor": ("`Dataset.where(factors=...)`", of_factor),
    "gallery": ("`gallery`", gallery),
    **{kind: (f"`export --format {kind}`", partial(exported, kind)) for kind in EXPORTS},
}


def measured(command: Sequence[str], cache: Path) -> str:
    """What a command costs: by the clock, of the processors, and at most in memory. cache: blendmill's."""
    before, began, peak = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter(), 0
    process = psutil.Popen(command, env={**os.environ, "BLENDMILL_CACHE": str(cache)})
    while process.poll() is None:
        peak = max(peak, _memory(process))
        time.sleep(_EVERY)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: failed")
    processors = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return f"{seconds:.1f} s, {processors:.1f} s, {peak / 2**20:.0f} MiB"


def _memory(process: psutil.Process) -> int:
    """Bytes that a process and all that it has started have now."""
    held = 0
    with suppress(psutil.Error):
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                held += each.memory_full_info().pss
    return held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--steps", nargs="+", choices=list(STEPS), default=list(STEPS))
    parser.add_argument("--one", nargs=2)
    options = parser.parse_args()
    if options.one:
        STEPS[options.one[0]][1](Path(options.one[1]))
        return
    with tempfile.TemporaryDirectory(prefix="blendmill-million-") as scratch:
        folder = (options.folder or Path(scratch)).resolve()
        kept = folder / "measured.json"
        results = json.loads(kept.read_text()) if kept.exists() else {}
        for size, place in sorted(fabricate(folder, options.counts)):
            for step in options.steps:
                if size > _MOST.get(step, size):
                    continue
                command = [sys.executable, "-m", "benchmarks.million", "--one", step, str(place)]
                text = measured(command, folder / f"cache-{size}")
                results.setdefault(str(size), {})[step] = text
                print(f"{size} {step}: {text}", file=sys.stderr, flush=True)
                kept.write_text(json.dumps(results))
    sizes = sorted(map(int, results))
    rows = [[said, *(results[str(size)].get(step, "not run") for size in sizes)] for step, (said, _) in STEPS.items()]
    header = ["step", *(f"{size:,} pictures" for size in sizes)]
    record("million", "Cost of a large set beside drawing: time, processor time, and peak memory", table(header, rows))


if __name__ == "__main__":
    main()

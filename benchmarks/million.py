"""What a set of up to a million pictures costs beside drawing: seconds and peak memory of each step, over its size.

    python -m benchmarks.million [--folder DIR] [--steps NAME ...] [1000 10000 100000 1000000]

Each step runs in a process of its own. The cache is empty before the first step of a size, so a step that uses what
another has noted comes after it, as in practice. The largest set takes 6 GB of disk. --folder keeps the sets, the cache
and the figures, so that the steps can be measured in several runs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

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
_MOST = {"coco": 30_000, "merge-copies": 100_000}
"""Pictures of the largest set that the slow steps are run on."""


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


def export_coco(place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        export_dataset(Dataset.open(place), Path(folder) / "out", "coco")


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
    "coco": ("`export --format coco`", export_coco),
}


def measured(step: str, place: Path, cache: Path) -> dict[str, float]:
    """Seconds and peak MiB of a step in a process of its own, without its imports."""
    command = [sys.executable, "-m", "benchmarks.million", "--one", step, str(place)]
    said = subprocess.run(
        command, env={**os.environ, "BLENDMILL_CACHE": str(cache)}, stdout=subprocess.PIPE, text=True, check=False
    )
    if said.returncode:
        raise RuntimeError(f"{' '.join(command)}: failed")
    found: dict[str, float] = json.loads(said.stdout.splitlines()[-1])
    return found


def one(step: str, place: Path) -> None:
    before = psutil.Process().memory_info().rss
    began = time.perf_counter()
    STEPS[step][1](place)
    seconds = time.perf_counter() - began
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "before": before / 2**20}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--steps", nargs="+", choices=list(STEPS), default=list(STEPS))
    parser.add_argument("--one", nargs=2)
    options = parser.parse_args()
    if options.one:
        one(options.one[0], Path(options.one[1]))
        return
    with tempfile.TemporaryDirectory(prefix="blendmill-million-") as scratch:
        folder = (options.folder or Path(scratch)).resolve()
        kept = folder / "measured.json"
        results = json.loads(kept.read_text()) if kept.exists() else {}
        for size, place in sorted(fabricate(folder, options.counts)):
            for step in options.steps:
                if size > _MOST.get(step, size):
                    continue
                found = measured(step, place, folder / f"cache-{size}")
                text = f"{found['seconds']:.3f} s, {found['peak']:.0f} MiB"
                results.setdefault(str(size), {})[step] = text
                print(f"{size} {step}: {text}", file=sys.stderr, flush=True)
                kept.write_text(json.dumps(results))
    sizes = sorted(map(int, results))
    rows = [[said, *(results[str(size)].get(step, "not run") for size in sizes)] for step, (said, _) in STEPS.items()]
    header = ["step", *(f"{size:,} pictures" for size in sizes)]
    record("million", "Cost of a large set beside drawing: seconds, and peak memory", table(header, rows))


if __name__ == "__main__":
    main()

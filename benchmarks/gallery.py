"""What building a page of `blendmill gallery` costs: processor time by number of pictures, and of a set of yours.

    python -m benchmarks.gallery [--folder DIR] [--runs N] [--sizes 10 100 1000 10000] [--set DATA]

Sets of crack pictures are fabricated (`benchmarks/million_set.py`). Each page is built by the command itself, with one
worker, in a process of its own; the figure is the user and system time of all its processes. Sizes take turns. --folder
keeps the sets and the figures, so that runs can be added one after the other; the table is made of all of them.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.common import record, spread, table
from benchmarks.million_set import SIZE, fabricate
from render.dataset.dataset import Dataset

_COMMAND = "from gallery.cli import gallery; gallery()"


def seconds(data: Path, page: Path) -> float:
    """Processor time of the page of a set, and of all that the command starts."""
    shutil.rmtree(page, ignore_errors=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", _COMMAND, str(data), "--out", str(page), "--tile", "96", "--workers", "1"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _sets(folder: Path, sizes: Sequence[int]) -> Iterator[tuple[int, Path]]:
    """Sets of less than a shard have one of their own; the others share their shards."""
    for size in (size for size in sizes if size < SIZE):
        yield from fabricate(folder / f"of {size}", [size])
    if large := [size for size in sizes if size >= SIZE]:
        yield from fabricate(folder / "sets", large)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000, 10000])
    parser.add_argument("--set", dest="own", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        figures = folder / "figures.json"
        kept: dict[str, list[float]] = json.loads(figures.read_text()) if figures.exists() else {}
        sets = {f"{count:,}": out for count, out in _sets(folder, options.sizes)}
        if options.own is not None:
            sets[options.own.resolve().name] = options.own
        counts = {name: len(Dataset.open(place).drawn()) for name, place in sets.items()}
        for run in range(options.runs):
            for name, place in sets.items():
                kept.setdefault(name, []).append(seconds(place, folder / "page"))
                print(f"run {run + 1} of {options.runs}: {name}: {kept[name][-1]:.2f} s", file=sys.stderr, flush=True)
            figures.write_text(json.dumps(kept))
    smallest = min(sets, key=lambda name: counts[name])
    start = statistics.median(kept[smallest])
    rows = []
    for name in sorted(sets, key=lambda name: counts[name]):
        middle, more = statistics.median(kept[name]), counts[name] - counts[smallest]
        each = f"{1000 * (middle - start) / more:.2f} ms" if more > 0 else "-"
        rows.append([name, f"{counts[name]:,}", f"{spread(kept[name], 2)} s", each, str(len(kept[name]))])
    heads = ["set", "pictures", "all", "each beyond the smallest set", "runs"]
    record("gallery", "What building a page costs: processor time, user and system", table(heads, rows))


if __name__ == "__main__":
    main()

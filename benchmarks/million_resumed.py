"""Exports a large set to some formats: at once, and killed half-way and then resumed. The bytes must be the same.

    python -m benchmarks.million_resumed --folder sets 100000 coco masks yolo webdataset folder

The set is that of `benchmarks/million.py` in the same folder. What a figure has is told there. SIGKILL ends the process
of the command when half of the pieces are noted as written; its helpers notice that by themselves.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.common import table
from benchmarks.million import measured
from benchmarks.million_set import SIZE, fabricate
from render.dataset.export import FORMATS

PER_TAR = 1000
"""Samples in one tar file of a webdataset, as the command has it by default."""


def command(place: Path, out: Path, kind: str) -> list[str]:
    return [sys.executable, "-m", "blendmill", "export", str(place), str(out), "--format", kind]


def digest(folder: Path) -> tuple[int, str]:
    """The number of files below a folder, and a digest of their names and contents."""
    found, files = hashlib.sha256(), 0
    for root, folders, names in os.walk(folder):
        folders.sort()
        for path in (Path(root, name) for name in sorted(names)):
            found.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
            files += 1
    return files, found.hexdigest()


def killed(call: list[str], done: Path, pieces: int) -> int:
    """Start a command, and kill it when it has noted half of its pieces. Returns how many it had noted."""
    process = subprocess.Popen(call, stderr=subprocess.DEVNULL)
    noted = 0
    while 2 * noted < pieces:
        if process.poll() is not None:
            raise RuntimeError(f"{' '.join(call)}: ended before half of it was noted; take a larger set")
        time.sleep(0.2)
        noted = len(done.read_text().split()) if done.exists() else 0
    process.kill()
    process.wait()
    return noted


def compared(folder: Path, count: int, kind: str) -> list[str]:
    """The row of a format: what the export costs at once, and what is left of that after it was killed."""
    place, out, cache = folder / str(count), folder / f"{count}-{kind}", folder / f"cache-{count}"
    call, pieces = command(place, out, kind), count // (PER_TAR if kind == "webdataset" else SIZE)
    at_once, (files, plain) = measured(call, cache), digest(out)
    shutil.rmtree(out)
    noted = killed(call, out.with_name(f".{out.name}.export") / "done", pieces)
    rest, again = measured(call, cache), digest(out)
    shutil.rmtree(out)
    same = "the same" if again == (files, plain) else "OTHERS"
    return [kind, f"{files:,}", at_once, f"{noted:,} of {pieces:,} pieces", rest, same]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("kinds", nargs="+", choices=list(FORMATS))
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    folder = options.folder.resolve()
    list(fabricate(folder, [options.count]))
    header = ["format", "files", "at once", "killed after", "the rest", "bytes"]
    rows = []
    for kind in options.kinds:
        rows.append(compared(folder, options.count, kind))
        print(rows[-1], file=sys.stderr, flush=True)
    print(table(header, rows))


if __name__ == "__main__":
    main()

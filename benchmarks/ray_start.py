"""What `--ray local` adds to a short command, and how much of it is the start and the end of Ray itself.

    python -m benchmarks.ray_start [--pictures N] [--rounds N] [--keep FILE]

In turns: the command with workers of its own, the command with a Ray of its own, and a program that does nothing but
start such a Ray, run one empty task on each core, and stop it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import record, spread, table

WORKERS = 2
EMPTY = f"""
import ray
from render.farm.ray import RayFarm
farm = RayFarm("local", "cpu", {WORKERS})
assert farm.workers
ray.get([ray.remote(lambda: None).remote() for _ in range({WORKERS})])
farm._joined.close()
"""


def seconds(command: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def drawing(pictures: int, *more: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        drawn = ["render", "smoke", "--out", f"{folder}/set", "--images", str(pictures), "--workers", str(WORKERS)]
        return seconds(["-c", "from render.cli.main import main; main()", *drawn, "--device", "cpu", *more])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="A JSON file of the rounds so far, to measure them in several runs.")
    options = parser.parse_args()
    turn = {
        "`render`": lambda: drawing(options.pictures),
        "`render --ray local`": lambda: drawing(options.pictures, "--ray", "local"),
        "an empty Ray": lambda: seconds(["-c", EMPTY]),
    }
    there = options.keep is not None and options.keep.exists()
    found: dict[str, list[float]] = json.loads(options.keep.read_text()) if there else {name: [] for name in turn}
    for number in range(options.rounds):
        for name in list(turn)[:: -1 if number % 2 else 1]:
            found[name].append(turn[name]())
            print(f"round {number + 1}, {name}: {found[name][-1]:.1f} s", file=sys.stderr, flush=True)
    if options.keep is not None:
        options.keep.write_text(json.dumps(found))
    rounds = len(found["`render`"])
    ours = [whole - alone - empty for alone, whole, empty in zip(*found.values(), strict=True)]
    rows = [[name, f"{spread(values, 1)} s"] for name, values in found.items()]
    rows.append(["what `--ray local` adds, without the empty Ray", f"{spread(ours, 1)} s"])
    title = f"Start of Ray: {options.pictures} pictures of smoke at 64 x 64, {WORKERS} workers"
    record("ray_start", title, f"{table(['', f'median [range] of {rounds} rounds'], rows)}")


if __name__ == "__main__":
    main()

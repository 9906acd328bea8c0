"""The time of the same pictures with this version and with another, and whether their bytes are the same.

OTHER is a folder with another version of the project, such as `git worktree add` or `git archive` makes. Two processes
on one core draw in turns, each picture once in each round; a first round is not counted. The time is that of the
processor, which other work on the machine does not lengthen as it does the time of the clock.

    python -m benchmarks.versus OTHER PRESET [--pictures N] [--rounds N] [--set FIELD=VALUE ...]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from benchmarks.common import spread

# What both processes run. It uses only names that versions have in common.
_DRAWING = """
import dataclasses, hashlib, json, os, sys, time
import numpy as np
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
from benchmarks.common import open_objects
from render.blender.stage import Stage
from render.settings import resolve
config, sampler = open_objects(sys.argv[1], sys.argv[2:])
stage = Stage(resolve(config.render, threads=1), sampler.catalogue, sampler.classes)
def digest(frame):
    values = [getattr(frame, field.name) for field in dataclasses.fields(frame)]
    parts = [v.tobytes() if isinstance(v, np.ndarray) else repr(v).encode() for v in values]
    return hashlib.sha256(b"".join(parts)).hexdigest()
for line in sys.stdin:
    start = time.process_time()
    scene = sampler.sample(0, int(line))
    frame = stage.draw(scene)
    print(json.dumps([time.process_time() - start, digest(frame), scene.background.kind]), file=answers, flush=True)
"""


class Version:
    """A process that draws with the code in a folder."""

    def __init__(self, folder: Path, words: list[str], core: int):
        self._process = subprocess.Popen(
            ["taskset", "-c", str(core), sys.executable, "-c", _DRAWING, *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder)},
        )  # fmt: skip

    def draw(self, index: int) -> tuple[float, str, str]:
        """Seconds, checksum and kind of background of a picture."""
        assert self._process.stdin and self._process.stdout
        print(index, file=self._process.stdin, flush=True)
        answer: Any = json.loads(self._process.stdout.readline())
        return answer[0], answer[1], answer[2]

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@click.command()
@click.argument("other", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("preset")
@click.option("--pictures", default=20, show_default=True)
@click.option("--rounds", default=1, show_default=True)
@click.option("--set", "overrides", multiple=True, metavar="FIELD=VALUE")
def main(other: Path, preset: str, pictures: int, rounds: int, overrides: tuple[str, ...]) -> None:
    core = min(os.sched_getaffinity(0))
    folders = (other.resolve(), Path(__file__).parents[1])
    versions = [Version(folder, [preset, *overrides], core) for folder in folders]
    by_kind: dict[str, list[tuple[float, float]]] = {}
    moved = set()
    try:
        for turn in range(rounds + 1):
            for index in range(pictures):
                # Each is the first of the two as often as the other.
                first = (index + turn) % 2
                found = {k: versions[k].draw(index) for k in (first, 1 - first)}
                if found[0][1] != found[1][1]:
                    moved.add(index)
                if turn:
                    by_kind.setdefault(found[1][2], []).append((found[0][0], found[1][0]))
    finally:
        for version in versions:
            version.end()
    both = [pair for pairs in by_kind.values() for pair in pairs]
    for name, pairs in (("all", both), *sorted(by_kind.items())):
        before, after = (statistics.mean(side) for side in zip(*pairs, strict=True))
        ratios = [new / old for old, new in pairs]
        drawn = len(pairs) // rounds
        print(f"{name}: {drawn} pictures, {before:.3f} s before, {after:.3f} s now, ratio {spread(ratios, 2)}")
    print(f"pictures that differ: {sorted(moved) or 'none'}")


if __name__ == "__main__":
    main()

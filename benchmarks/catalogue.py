"""The cost of a large catalogue: how long `blendmill render` takes to its first picture over N models.

Writes N models in ShapeNet's layout, each with a content of its own, made of a few hundred shapes. Then it runs the
command with an empty cache, and again. With --keep DIR, the models are written to DIR/<N> once and stay there: writing
51,300 of them takes a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh

from benchmarks.common import record, table
from render.farm.devices import choose, worker_slots
from render.farm.pool import WorkerPool
from scenes.assets.synsets import SYNSETS
from scenes.config.loading import load_config

_SHAPES = 300


@dataclass(frozen=True)
class Measured:
    """first, again: seconds from the start of the command to its first picture, with an empty cache and with what that
    run left. worker: seconds from the start of a worker until it is ready. peak: MiB of the parent. read: models in the
    cache after one picture."""

    first: float
    again: float
    worker: float
    peak: float
    read: int


def shapes() -> list[str]:
    """Small models as OBJ text."""
    rng = np.random.default_rng(0)
    found = []
    for k in range(_SHAPES):
        mesh = trimesh.creation.icosphere(1) if k % 2 else trimesh.creation.box()
        mesh.apply_scale(rng.uniform(0.3, 1.0, 3))
        found.append(str(mesh.export(file_type="obj", include_normals=False)))
    return found


def write(folder: Path, count: int) -> None:
    texts, classes = shapes(), sorted(SYNSETS)
    for number in range(count):
        place = folder / classes[number % len(classes)] / f"{number:032x}" / "models"
        if not (place / "model_normalized.obj").exists():
            place.mkdir(parents=True, exist_ok=True)
            (place / "model_normalized.obj").write_text(f"# {number}\n{texts[number % _SHAPES]}")


def first_picture(words: list[str], out: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds to the first picture, and the parent's peak of resident memory in MiB."""
    began, seconds, peak = time.monotonic(), 0.0, 0
    command = [sys.executable, "-m", "blendmill", "render", *words, "--out", str(out), "--images", "1", "--json-logs"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            peak = max(peak, *(int(entry.split()[1]) for entry in lines if entry.startswith("VmHWM")))
            if json.loads(line)["event"] == "drawn" and not seconds:
                seconds = time.monotonic() - began
    if process.returncode or not seconds:
        raise RuntimeError(f"{' '.join(command)}: failed")
    return seconds, peak / 1024


def worker_start(overrides: list[str]) -> float:
    spec = {"config": load_config("smoke", overrides).plain(), "seed": 0}
    began = time.monotonic()
    with WorkerPool(spec, worker_slots(choose("cpu"), 1, pictures=1)) as pool:
        while not any(event.kind == "ready" for event in pool.events()):
            pass
        return time.monotonic() - began


def measured(scratch: Path, models: Path) -> Measured:
    os.environ["BLENDMILL_CACHE"] = str(scratch / "cache")
    overrides = [f"assets.models=[{{path: {models}, layout: shapenet}}]", "assets.shapes=0"]
    words = ["smoke", "--workers", "1", "--device", "cpu"] + [part for one in overrides for part in ("--set", one)]
    first, peak = first_picture(words, scratch / "first", dict(os.environ))
    read = sum(1 for _ in (scratch / "cache" / "models").rglob("*.npz"))
    again, warm = first_picture(words, scratch / "again", dict(os.environ))
    return Measured(first, again, worker_start(overrides), max(peak, warm), read)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=[1_000, 10_000, 51_300])
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    rows = []
    for count in options.counts:
        with tempfile.TemporaryDirectory(prefix="blendmill-catalogue-") as scratch:
            models = (options.keep or Path(scratch)).resolve() / str(count)
            write(models, count)
            found = measured(Path(scratch), models)
        rows.append(
            [f"{count:,}", *(f"{value:.1f}" for value in (found.first, found.again, found.worker)),
             f"{found.peak:.0f}", str(found.read)]
        )  # fmt: skip
    header = [
        "models", "first picture, empty cache (s)", "again (s)", "a worker until it is ready (s)",
        "parent's peak memory (MiB)", "models read",
    ]  # fmt: skip
    record("catalogue", "Time to the first picture over N models, one worker", table(header, rows))


if __name__ == "__main__":
    main()

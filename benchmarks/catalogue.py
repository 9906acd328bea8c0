"""The cost of a large catalogue: how long `blendmill render` takes to its first picture over N models.

Writes N models in ShapeNet's layout, each with a content of its own, made of a few hundred shapes. Then it runs the
command with an empty cache, again, and with an empty cache and an index. It does so for each N in turn, several times.
At last it compares `blendmill assets index` with the time that reading and normalizing takes by itself. With --keep
DIR, the models are written to DIR/<N> once and stay there: writing 51,300 of them takes a minute.

The index of N models is made without reading all of them: models of the same shape have the same facts.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import trimesh

from benchmarks.common import record, spread, table
from render.farm.devices import choose, worker_slots
from render.farm.pool import WorkerPool
from scenes.assets.cache import Cache
from scenes.assets.catalogue import Catalogue
from scenes.assets.file_source import read_now
from scenes.assets.index import write_index
from scenes.assets.sources import ModelFolder, discover
from scenes.assets.synsets import SYNSETS
from scenes.config.loading import load_config
from scenes.files import sha256
from scenes.machine import cores

_SHAPES = 300


@dataclass(frozen=True)
class Measured:
    """first, again, indexed: seconds from the start of the command to its first picture, with an empty cache, with what
    that run left, and with an empty cache and an index. spent: seconds of processor time of the second of these
    commands, with its worker, until its end; other jobs on the machine change it little. worker: seconds from the start
    of a worker until it is ready. peak: MiB of the parent. read: models in the cache after one picture."""

    first: float
    again: float
    indexed: float
    spent: float
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


def children_time() -> float:
    """Seconds of processor time of all processes that this one started, and they in turn, and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def worker_start(overrides: list[str]) -> float:
    spec = {"config": load_config("smoke", overrides).plain(), "seed": 0}
    began = time.monotonic()
    with WorkerPool(spec, worker_slots(choose("cpu"), 1, pictures=1)) as pool:
        while not any(event.kind == "ready" for event in pool.events()):
            pass
        return time.monotonic() - began


def indexed(models: Path, count: int, path: Path) -> None:
    """Write an index of the models, of which one of each shape is read."""
    files = sorted(models.rglob("*.obj"), key=lambda file: int(file.parts[-3], 16))
    with tempfile.TemporaryDirectory(prefix="blendmill-catalogue-") as scratch:
        some = Path(scratch) / "some"
        write(some, min(count, _SHAPES))
        catalogue = Catalogue(models=[ModelFolder(some, "shapenet")], cache=Path(scratch) / "cache")
        known = {int(entry.id.split("/")[2], 16): entry for entry in catalogue.entries(workers=cores())}
    entries = []
    for number, file in enumerate(files):
        place, status = file.relative_to(models), file.stat()
        own = {
            "id": f"{models.name}/{place}", "path": str(place), "category": SYNSETS[place.parts[0]],
            "size": status.st_size, "mtime": status.st_mtime_ns, "sha256": sha256(file),
        }  # fmt: skip
        entries.append(known[number % _SHAPES].model_copy(update=own))
    write_index(path, entries)


def measured(scratch: Path, models: Path, index: Path) -> Measured:
    overrides = [f"assets.models=[{{path: {models}, layout: shapenet}}]", "assets.shapes=0"]
    words = ["smoke", "--workers", "1", "--device", "cpu"] + [part for one in overrides for part in ("--set", one)]
    bare = {**os.environ, "BLENDMILL_CACHE": str(scratch / "cache")}
    first, peak = first_picture(words, scratch / "first", bare)
    read = sum(1 for _ in (scratch / "cache" / "models").rglob("*.npz"))
    before = children_time()
    again, warm = first_picture(words, scratch / "again", bare)
    spent = children_time() - before
    other = {**os.environ, "BLENDMILL_CACHE": str(scratch / "other"), "BLENDMILL_INDEX": str(index)}
    with_index, known = first_picture(words, scratch / "indexed", other)
    os.environ["BLENDMILL_CACHE"] = str(scratch / "cache")
    return Measured(first, again, with_index, spent, worker_start(overrides), max(peak, warm, known), read)


def index_and_own(folder: Path) -> tuple[float, float]:
    """Seconds of `blendmill assets index` over the models of a folder, and of their normalization alone, on all cores.

    The latter calls the same function for all models, in as many processes, with nothing around it.
    """
    with tempfile.TemporaryDirectory(prefix="blendmill-catalogue-") as scratch:
        began = time.monotonic()
        command = [sys.executable, "-m", "blendmill", "assets", "index", str(folder), "--out", f"{scratch}/index"]
        environment = {**os.environ, "BLENDMILL_CACHE": f"{scratch}/one"}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        made = time.monotonic() - began
        began = time.monotonic()
        assets = discover(ModelFolder(folder, "shapenet"), folder.name).assets
        with ProcessPoolExecutor(cores(), multiprocessing.get_context("spawn")) as pool:
            cache = Cache(Path(scratch) / "other")
            list(pool.map(partial(read_now, cache=cache, importers={}), assets, chunksize=10))
        return made, time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=[1_000, 51_300])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--indexed", type=int, default=300, help="models that `assets index` reads")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="blendmill-catalogue-") as scratch:
        keep = (options.keep or Path(scratch)).resolve()
        found: dict[int, list[Measured]] = {count: [] for count in options.counts}
        for count in options.counts:
            write(keep / str(count), count)
            indexed(keep / str(count), count, Path(scratch) / f"{count}.sqlite")
        for number in range(options.rounds):
            for count in options.counts:
                place = Path(scratch) / f"{count}-{number}"
                found[count].append(measured(place, keep / str(count), Path(scratch) / f"{count}.sqlite"))
        write(Path(scratch) / "few", options.indexed)
        both = [index_and_own(Path(scratch) / "few") for _ in range(options.rounds)]
    rows = []
    for count, several in found.items():
        times = [
            spread([getattr(one, name) for one in several], 1)
            for name in ("first", "again", "indexed", "spent", "worker")
        ]
        peak, read = max(one.peak for one in several), {one.read for one in several}
        rows.append([f"{count:,}", *times, f"{peak:.0f}", ", ".join(map(str, sorted(read)))])
    header = [
        "models", "first picture, empty cache (s)", "again (s)", "empty cache, with an index (s)",
        "processor time of the second, to its end (s)",
        "a worker until it is ready (s)", "parent's peak memory (MiB)", "models read",
    ]  # fmt: skip
    made, own = zip(*both, strict=True)
    told = (
        f"`assets index` over {options.indexed} models, on {cores()} cores: {spread(made, 1)} s. Their normalization "
        f"alone: {spread(own, 1)} s. Ratio: {spread([one / other for one, other in both], 2)}."
    )
    title = f"Time to the first picture over N models, one worker, median [range] of {options.rounds} rounds"
    record("catalogue", title, f"{table(header, rows)}\n\n{told}")


if __name__ == "__main__":
    main()

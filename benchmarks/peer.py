"""Pictures per second, compared with BlenderProc in its own best ways, on the same work; both take turns in each round.

In a round, each draws one random model of a folder with a plain principled material, under one of Blender's own skies,
at 256 x 256 with 16 samples, denoised. Each writes rgb, depth, normals, category and instance masks to HDF5. The peer
runs in three ways: as one long process that cleans up after each scene, as one such process per core, and as one
process per scene, which its README advises. blendmill runs like its command, with its workers. The start-up time
counts only for one process per scene.

You need a BlenderProc checkout, a Python that can run it with the module bpy 4.2, and the loop script that drives it.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import click
import h5py

from benchmarks.common import record, spread, table
from benchmarks.farm import Stopwatch
from render.catalogue import open_catalogue
from render.farm.devices import choose, worker_slots
from render.farm.job import Job, run
from render.farm.local import Local, RetryPolicy
from render.renderer import open_sampler
from scenes import machine
from scenes.config.objects import Config

SCALE = 1.97


def config_for(models: Path) -> dict:
    """The loop script's scene as our config. Ours also labels parts, alpha, boxes and visibility."""
    folder = {"path": str(models), "layout": "flat", "category": "furniture"}
    return {
        "assets": {"shapes": 0, "models": [folder]},
        # The size at which objects fill as much of the picture as the peer's do: what they fill is what costs time.
        "objects": {"scale": SCALE},
        "material": {"mode": "own"},
        "camera": {
            "distance": {"uniform": [2.5, 4]},
            "elevation": {"uniform": [6, 69]},
            "focal_length": 50,
            "resolution": [256, 256],
        },
        "background": {"kind": "hdri", "shadow": False},
        "render": {"samples": 16, "denoise": True, "bounces": 3},
    }


@dataclass(frozen=True)
class Peer:
    """How the peer is run: its interpreter, its checkout, the loop script, the folder of models."""

    python: Path
    source: Path
    script: Path
    models: Path

    def start(self, out: Path, pictures: int) -> subprocess.Popen[str]:
        command = [self.python, self.script, "16", str(pictures), out, "256", self.models, self.source, "loop"]
        # Our Blender leaves search paths in the environment that another version's trips over.
        clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        words = [str(part) for part in command]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean)

    def loop(self, out: Path, pictures: int, processes: int) -> float:
        """Seconds per picture of long processes that run at once, without their start and their first picture."""
        running = [self.start(out / str(k), pictures + 1) for k in range(processes)]
        times = [statistics.median(_times(process)[1:]) for process in running]
        return statistics.mean(times) / processes

    def scene(self, out: Path, scenes: int) -> float:
        """Seconds per scene with one process for each scene; one process per core runs at once."""
        begun = time.perf_counter()
        for _ in range(scenes):
            for process in [self.start(out / str(k), 1) for k in range(machine.cores())]:
                _times(process)
        return (time.perf_counter() - begun) / (scenes * machine.cores())


def _times(process: subprocess.Popen[str]) -> list[float]:
    """The seconds that the loop script reports for each picture."""
    said, errors = process.communicate()
    # It may crash on its way out, after its work is done and told.
    found = re.search(r"PEER per-image s \[(.*?)\]", said, re.S)
    if found is None:
        raise RuntimeError(f"the peer reported no times: {errors[-500:]}")
    return [float(value) for value in found[1].replace("\n", " ").split(",")]


def ours(job: Job, workers: int | None) -> float:
    """Seconds per picture of a run with this many workers; None: as many as blendmill chooses itself."""
    sampler = open_sampler(job.config)
    taken = worker_slots(choose("cpu"), workers, pictures=job.count)
    watch = Stopwatch()
    run(job, sampler, Local(taken), RetryPolicy(), watch)
    return 1 / watch.rate(len(taken))


@click.command()
@click.option("--python", required=True, type=click.Path(exists=True, path_type=Path), help="Runs BlenderProc.")
@click.option("--source", required=True, type=click.Path(exists=True, path_type=Path), help="BlenderProc checkout.")
@click.option("--script", required=True, type=click.Path(exists=True, path_type=Path), help="The loop script.")
@click.option("--models", required=True, type=click.Path(exists=True, path_type=Path), help="A folder of OBJ files.")
@click.option("--rounds", default=5, show_default=True)
@click.option(
    "--pictures",
    default=7,
    show_default=True,
    help="Pictures of each process in a round; ours draws four times as many.",
)
def main(python: Path, source: Path, script: Path, models: Path, rounds: int, pictures: int) -> None:
    peer = Peer(python, source, script, models)
    config = Config.model_validate(config_for(models.resolve()))
    open_catalogue(config).prepare()
    cores = machine.cores()
    seconds: dict[str, list[float]] = {name: [] for name in ("one", "many", "scene", "ours one", "ours")}
    shares: dict[str, list[float]] = {"BlenderProc": [], "blendmill": []}
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            job = Job(config, number, 4 * pictures, str(folder / "ours"), shard_size=2)
            seconds["one"].append(peer.loop(folder / "one", pictures, 1))
            seconds["ours one"].append(ours(replace(job, out=str(folder / "single")), 1))
            seconds["many"].append(peer.loop(folder / "many", pictures, cores))
            seconds["ours"].append(ours(job, None))
            seconds["scene"].append(peer.scene(folder / "scene", 1))
            shares["BlenderProc"] += _filled((folder / "one").rglob("*.hdf5"), "category_id_segmaps")
            shares["blendmill"] += _filled((folder / "ours" / "shards").glob("*.h5"), "category")
        print(number, {name: round(values[-1], 3) for name, values in seconds.items()}, flush=True)
    best = [min(rounds_) for rounds_ in zip(seconds["one"], seconds["many"], seconds["scene"], strict=True)]
    ratios = [theirs / mine for theirs, mine in zip(best, seconds["ours"], strict=True)]
    singles = [theirs / mine for theirs, mine in zip(seconds["one"], seconds["ours one"], strict=True)]
    rows = [
        ["BlenderProc 2.8, one long process", spread(seconds["one"])],
        [f"BlenderProc 2.8, {cores} long processes at once", spread(seconds["many"])],
        [f"BlenderProc 2.8, one process per scene, {cores} at once", spread(seconds["scene"])],
        ["blendmill, one worker", spread(seconds["ours one"])],
        ["blendmill, as many workers as it chooses itself", spread(seconds["ours"])],
        ["ratio: BlenderProc's best divided by blendmill, round by round", spread(ratios, 2)],
        ["ratio: one long process divided by one worker, round by round", spread(singles, 2)],
    ]
    body = table(["", f"seconds per picture, median [range] of {rounds} rounds"], rows)
    filled = ", ".join(f"{name} {statistics.mean(values):.1%}" for name, values in shares.items())
    body += f"\n\nOn average, objects fill this share of the picture: {filled}."
    record("peer", "Comparison with BlenderProc 2.8 on the same work", body)


def _filled(paths: Iterable[Path], name: str) -> list[float]:
    """The share of each picture that has an object."""
    shares = []
    for path in paths:
        with h5py.File(path) as file:
            masks = file[name][()]
            shares += [float((mask > 0).mean()) for mask in masks.reshape(-1, *masks.shape[-2:])]
    return shares


if __name__ == "__main__":
    main()

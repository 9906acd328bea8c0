"""Pictures a second against BlenderProc on the same work, interleaved round by round.

A round draws the same number of pictures with each: one random model of a folder with a plain principled material,
under one of Blender's own skies, 256 x 256, 16 samples, denoised; rgb, depth, normals, category and instance masks
into HDF5. Start-up is left out of both. Needs a BlenderProc checkout, a Python that can run it on the module bpy 4.2,
and the loop script that drives it.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import click
import h5py

from benchmarks.common import record, spread, table
from render.library import open_catalogue
from render.settings import resolve
from render.shards import write_shard
from render.stage import Stage
from scenes.loading import validate
from scenes.sampling import Sampler

SCALE = 1.8


def config_for(models: Path) -> dict:
    """The loop script's scene in our terms; ours also labels parts, alpha, boxes and visibility."""
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


@click.command()
@click.option("--python", required=True, type=click.Path(exists=True, path_type=Path), help="Runs BlenderProc.")
@click.option("--source", required=True, type=click.Path(exists=True, path_type=Path), help="BlenderProc checkout.")
@click.option("--script", required=True, type=click.Path(exists=True, path_type=Path), help="The loop script.")
@click.option("--models", required=True, type=click.Path(exists=True, path_type=Path), help="A folder of OBJ files.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--pictures", default=8, show_default=True, help="Pictures a round.")
def main(python: Path, source: Path, script: Path, models: Path, rounds: int, pictures: int) -> None:
    config = validate(config_for(models), "benchmark")
    catalogue = open_catalogue(config)
    catalogue.prepare()
    sampler = Sampler(config, catalogue)
    stage = Stage(resolve(config.render), catalogue, sampler.classes)
    stage.draw(sampler.sample(0, 10**6))
    peer, ours = [], []
    shares: dict[str, list[float]] = {"BlenderProc": [], "blendmill": []}
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            peer.append(statistics.median(_peer(python, source, script, models, Path(folder), pictures)))
            shares["BlenderProc"] += _filled(Path(folder).glob("*.hdf5"), "category_id_segmaps")
            marks = [time.perf_counter()]

            def frames(first: int = number * pictures, marks: list[float] = marks):  # type: ignore[no-untyped-def]
                for index in range(first, first + pictures):
                    yield stage.draw(sampler.sample(0, index))
                    marks.append(time.perf_counter())

            write_shard(Path(folder) / "ours.h5", frames(), attributes={})
            marks[-1] = time.perf_counter()
            ours.append((marks[-1] - marks[0]) / pictures)
            shares["blendmill"] += _filled([Path(folder) / "ours.h5"], "category")
        print(f"round {number}: peer {peer[-1]:.2f} s, ours {ours[-1]:.2f} s", flush=True)
    ratios = [a / b for a, b in zip(peer, ours, strict=True)]
    rows = [
        ["BlenderProc 2.8, one process, cleaned up after each scene", spread(peer)],
        ["blendmill", spread(ours)],
        ["ratio, round by round", spread(ratios, 2)],
    ]
    body = table(["", f"seconds a picture, median [range] of {rounds} rounds of {pictures} pictures"], rows)
    filled = ", ".join(f"{name} {statistics.mean(values):.1%}" for name, values in shares.items())
    body += f"\n\nShare of the picture that objects fill, mean: {filled}."
    record("peer", "Against BlenderProc 2.8 on the same work", body)


def _filled(paths: Iterable[Path], name: str) -> list[float]:
    """The share of each picture that has an object."""
    shares = []
    for path in paths:
        with h5py.File(path) as file:
            masks = file[name][()]
            shares += [float((mask > 0).mean()) for mask in masks.reshape(-1, *masks.shape[-2:])]
    return shares


def _peer(python: Path, source: Path, script: Path, models: Path, out: Path, pictures: int) -> list[float]:
    """Seconds of each of the peer's pictures, without the first, in which it starts up."""
    command = [python, script, "16", str(pictures + 1), out, "256", models, source, "loop"]
    # Our Blender leaves search paths in the environment that another version's trips over.
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, env=clean)
    # It may crash on its way out, after its work is done and told.
    found = re.search(r"PEER per-image s \[(.*?)\]", done.stdout, re.S)
    if found is None:
        raise RuntimeError(f"the peer reported no times: {done.stderr[-500:]}")
    return [float(value) for value in found[1].replace("\n", " ").split(",")][1:]


if __name__ == "__main__":
    main()

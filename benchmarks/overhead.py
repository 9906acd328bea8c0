"""The full cost of a picture, compared with the bare render of the same scene, which is already built.

For each picture, we measure sampling, building, rendering, decoding, labeling and writing together. Then Cycles alone
renders the same built scene again, with the same passes, to a file in memory. Both take turns, picture by picture.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import bpy

from benchmarks.common import open_objects, record, spread, table
from render.blender.engine import silence
from render.blender.stage import Stage
from render.dataset.shard_writer import write_shard
from render.frame import Frame
from render.settings import resolve

PICTURES = int(sys.argv[1]) if len(sys.argv) > 1 else 100


def main() -> None:
    config, sampler = open_objects("s2rda13", ["assets.shapes=4", "render.samples=16"])
    sampler.catalogue.prepare()
    stage = Stage(resolve(config.render), sampler.catalogue, sampler.classes)
    bare: list[float] = []
    # Once over everything first, so that files are in memory and nothing is compiled for the first time.
    for index in range(PICTURES):
        stage.draw(sampler.sample(0, index))

    def frames() -> Iterator[Frame]:
        for index in range(PICTURES):
            scene = sampler.sample(0, index)
            yield stage.draw(scene)
            start = time.perf_counter()
            with silence():
                bpy.ops.render.render(write_still=True)
            bare.append(time.perf_counter() - start)

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        write_shard(Path(folder) / "00000.h5", frames(), attributes={})
        whole = time.perf_counter() - start - sum(bare)
    rows = [
        ["whole picture", f"{whole / PICTURES:.3f} mean", f"{whole / sum(bare):.3f}"],
        ["bare render", f"{statistics.mean(bare):.3f} mean, {spread(bare)}", "1"],
    ]
    record(
        "overhead",
        f"Cost of a picture, s2rda13 at 256 x 256 and 16 samples, {PICTURES} pictures",
        table(["", "seconds per picture", "ratio of the totals"], rows),
    )


if __name__ == "__main__":
    main()

"""Resident memory of a worker over many pictures of all thirteen classes: its growth after warm-up, and its peak."""

from __future__ import annotations

import sys

import numpy as np
import psutil

from benchmarks.common import open_objects, record, table
from render.blender.stage import Stage
from render.settings import resolve

PICTURES = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
WARM_UP = PICTURES // 4


def main() -> None:
    config, sampler = open_objects("s2rda13", ["camera.resolution=[64,64]", "render.quality=draft"])
    sampler.catalogue.prepare()
    stage = Stage(resolve(config.render), sampler.catalogue, sampler.classes)
    process, used = psutil.Process(), []
    for index in range(PICTURES):
        stage.draw(sampler.sample(0, index))
        used.append(process.memory_info().rss / 2**20)
    later = np.array(used[WARM_UP:])
    slope = np.polyfit(np.arange(len(later)), later, 1)[0] * 1000
    marks = [f"{k}: {used[k - 1]:.0f}" for k in (1, WARM_UP, PICTURES // 2, PICTURES)]
    rows = [
        ["resident memory after picture number N (MiB)", ", ".join(marks)],
        ["peak of resident memory (MiB)", f"{max(used):.0f}"],
        ["growth per 1,000 pictures after warm-up (MiB, least-squares fit)", f"{slope:.1f}"],
        [
            "mean of the last tenth minus mean of the first tenth, after warm-up (MiB)",
            f"{later[-len(later) // 10 :].mean() - later[: len(later) // 10].mean():.1f}",
        ],
    ]
    body = table(["", "value"], rows)
    record("memory", f"Memory of one worker, s2rda13 with all classes at 64 x 64, {PICTURES} pictures", body)


if __name__ == "__main__":
    main()

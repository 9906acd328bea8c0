"""Memory of a worker over many pictures of all thirteen classes: its growth after warm-up, its peak, and what grows.

    python -m benchmarks.memory [--pictures N] [--side PIXELS]

`in use` and `free` are of the C library: what it has handed out, and what it holds for later because it lies between.
"""

from __future__ import annotations

import argparse
import ctypes
import sys

import numpy as np
import psutil

from benchmarks.common import open_objects, record, table
from render.blender.stage import Stage
from render.settings import resolve

_MARKS = 8


class _Allocated(ctypes.Structure):
    """`struct mallinfo2` of the C library: sizes in bytes, but for the numbers of blocks."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
        )
    ]  # fmt: skip


def measured() -> dict[str, float]:
    """What this process has now, in MiB or as numbers of things."""
    import bpy

    library = ctypes.CDLL(None)
    library.mallinfo2.restype = _Allocated
    found = library.mallinfo2()
    kinds = ("meshes", "images", "materials", "node_groups", "lights", "worlds", "objects")
    return {
        "resident memory (MiB)": psutil.Process().memory_info().rss / 2**20,
        "in use (MiB)": (found.uordblks + found.hblkhd) / 2**20,
        "free (MiB)": found.fordblks / 2**20,
        "objects of Python (thousands)": sys.getallocatedblocks() / 1e3,
        **{f"{kind} in Blender": len(getattr(bpy.data, kind)) for kind in kinds},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--side", type=int, default=64)
    options = parser.parse_args()
    side, count = options.side, options.pictures
    cheap = ["render.samples=1", "render.denoise=false"]
    config, sampler = open_objects("s2rda13", [f"camera.resolution=[{side},{side}]", *cheap])
    sampler.catalogue.prepare()
    stage = Stage(resolve(config.render, threads=1), sampler.catalogue, sampler.classes)
    process, used, marks = psutil.Process(), [], {}
    for index in range(count):
        stage.draw(sampler.sample(0, index))
        used.append(process.memory_info().rss / 2**20)
        if index == 0 or not (index + 1) % (count // _MARKS):
            marks[index + 1] = measured()
            print(f"{index + 1} of {count}: {used[-1]:.0f} MiB", file=sys.stderr, flush=True)
    later = np.array(used[count // 2 :])
    slope = np.polyfit(np.arange(len(later)), later, 1)[0] * 1000
    rows = [[name, *(f"{marks[at][name]:.0f}" for at in marks)] for name in next(iter(marks.values()))]
    body = table(["after picture number", *(f"{at:,}" for at in marks)], rows)
    note = (
        f"The peak of the resident memory was {max(used):.0f} MiB. In the second half of the run it grew by "
        f"{slope:.1f} MiB in 1,000 pictures (least squares)."
    )
    title = f"Memory of one worker, s2rda13 with all classes at {side} x {side}, 1 sample, not denoised"
    record("memory", title, f"{body}\n\n{note}")


if __name__ == "__main__":
    main()

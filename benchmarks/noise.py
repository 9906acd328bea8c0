"""Time and error of ways to sample light, by background, against many samples, with the denoiser on.

Nothing here is a setting of the presets. It shows what adaptive sampling, the light tree and fewer bounces would give.
The error is the root of the mean squared difference of sRGB values, 0 to 255, before sensor faults. The time is that of
the processor.

    taskset -c 0 python -m benchmarks.noise [--pictures N] [--reference SAMPLES]
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import bpy
import click
import numpy as np

from benchmarks.common import open_objects, record, table
from render.blender.stage import Stage
from render.settings import DrawSettings
from scenes.record.scene import Scene

KINDS = ("room", "ground", "hdri", "white")
STANDARD = DrawSettings(samples=8, denoise=True, bounces=4, threads=1)


def _adaptive(cycles: bpy.types.bpy_struct) -> None:
    cycles.use_adaptive_sampling = True
    cycles.adaptive_threshold, cycles.adaptive_min_samples = 0.05, 4


def _tree(cycles: bpy.types.bpy_struct) -> None:
    cycles.use_light_tree = True


def _same(cycles: bpy.types.bpy_struct) -> None:
    pass


WAYS: dict[str, tuple[DrawSettings, Callable[[bpy.types.bpy_struct], None]]] = {
    "standard: 8 samples, 4 bounces": (STANDARD, _same),
    "4 samples": (replace(STANDARD, samples=4), _same),
    "16 samples": (replace(STANDARD, samples=16), _same),
    "2 bounces": (replace(STANDARD, bounces=2), _same),
    "1 bounce": (replace(STANDARD, bounces=1), _same),
    "light tree": (STANDARD, _tree),
    "adaptive: at most 16 samples, noise 0.05": (replace(STANDARD, samples=16), _adaptive),
}


@click.command()
@click.option("--pictures", default=5, show_default=True, help="Of each background.")
@click.option("--reference", default=512, show_default=True, help="Samples of the reference.")
def main(pictures: int, reference: int) -> None:
    _, first = open_objects("s2rda13", ["assets.shapes=4"])
    scenes: dict[str, list[Scene]] = {}
    for kind in KINDS:
        changes = ["assets.shapes=4", "camera.resolution=[64,64]", f"background.kind={kind}", "background.shadow=false"]
        _, sampler = open_objects("s2rda13", changes)
        scenes[kind] = [_without_faults(sampler.sample(0, index)) for index in range(pictures)]

    def drawn(settings: DrawSettings, change: Callable[[bpy.types.bpy_struct], None], times: int):  # type: ignore[no-untyped-def]
        """By background, the pictures and the seconds of each."""
        stage = Stage(settings, first.catalogue, first.classes)
        change(bpy.context.scene.cycles)
        found = {}
        for kind in KINDS:
            shown = []
            for scene in scenes[kind]:
                for _ in range(times):
                    start = time.process_time()
                    picture = stage.draw(scene).rgb.astype(np.float64)
                    seconds = time.process_time() - start
                shown.append((picture, seconds))
            found[kind] = shown
        return found

    truth = drawn(replace(STANDARD, samples=reference), _same, 1)
    print("reference drawn", flush=True)
    rows = []
    for name, (settings, change) in WAYS.items():
        found = drawn(settings, change, 2)
        row = [name]
        for kind in KINDS:
            pairs = zip(found[kind], truth[kind], strict=True)
            errors = [float(np.sqrt(((a[0] - b[0]) ** 2).mean())) for a, b in pairs]
            seconds = statistics.median(one[1] for one in found[kind])
            row.append(f"{statistics.median(errors):.2f} [{min(errors):.2f} to {max(errors):.2f}], {seconds:.3f} s")
        rows.append(row)
        print(row, flush=True)
    title = (
        f"Error against {reference} samples and time of a picture, s2rda13 at 64 x 64, {pictures} of each background"
    )
    record("noise", title, table(["", *KINDS], rows))


def _without_faults(scene: Scene) -> Scene:
    """The scene for a sensor without faults, which would hide the renderer's."""
    return replace(scene, sensor=replace(scene.sensor, noise=0.0, shot=0.0, jpeg=0, blur=0.0, sharpening=0.0))


if __name__ == "__main__":
    main()

"""PSNR, SSIM and time of several sample counts, with and without denoising, compared with many samples, on 20 scenes.

Arguments: samples of the reference (default 4096), pixels of a side (default 128).
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import replace

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from benchmarks.common import open_objects, record, table
from render.blender.stage import Stage
from render.settings import QUALITY, DrawSettings
from scenes.record.scene import Scene

SCENES = 20
SIZE = int(sys.argv[2]) if len(sys.argv) > 2 else 128
REFERENCE = DrawSettings(samples=int(sys.argv[1]) if len(sys.argv) > 1 else 4096, denoise=False, bounces=8)
CANDIDATES = {
    **QUALITY,
    "1": DrawSettings(1, True, 4),
    "4": DrawSettings(4, True, 4),
    "8, two bounces": DrawSettings(8, True, 2),
    "16": DrawSettings(16, True, 4),
    "16, not denoised": DrawSettings(16, False, 4),
    "32": DrawSettings(32, True, 4),
}


def main() -> None:
    _, sampler = open_objects("s2rda13", ["assets.shapes=4", f"camera.resolution=[{SIZE},{SIZE}]"])
    catalogue = sampler.catalogue
    # The sensor's own faults would hide the renderer's.
    scenes = [
        replace(scene, sensor=replace(scene.sensor, noise=0.0, shot=0.0, jpeg=0, blur=0.0))
        for scene in (sampler.sample(3, index) for index in range(SCENES))
    ]

    def drawn(settings: DrawSettings) -> tuple[list[np.ndarray], float]:
        stage = Stage(settings, catalogue, sampler.classes)
        pictures: list[np.ndarray] = []
        seconds: list[float] = []
        for scene in scenes:
            pictures.append(timed(stage, scene, seconds))
        return pictures, statistics.median(seconds)

    def timed(stage: Stage, scene: Scene, seconds: list[float]) -> np.ndarray:
        stage.draw(scene)
        start = time.perf_counter()
        picture = stage.draw(scene).rgb
        seconds.append(time.perf_counter() - start)
        return picture

    stage = Stage(REFERENCE, catalogue, sampler.classes)
    truth = [stage.draw(scene).rgb for scene in scenes]
    rows = []
    for name, settings in CANDIDATES.items():
        pictures, seconds = drawn(settings)
        psnr = [peak_signal_noise_ratio(a, b) for a, b in zip(truth, pictures, strict=True)]
        ssim = [structural_similarity(a, b, channel_axis=2) for a, b in zip(truth, pictures, strict=True)]
        rows.append([
            name, str(settings.samples), "OIDN" if settings.denoise else "none", str(settings.bounces),
            f"{np.mean(psnr):.1f} [{min(psnr):.1f}]", f"{np.mean(ssim):.3f} [{min(ssim):.3f}]", f"{seconds:.3f}",
        ])  # fmt: skip
        print(rows[-1], flush=True)
    header = ["", "samples", "denoiser", "bounces", "PSNR mean [worst] dB", "SSIM mean [worst]", "median s per picture"]
    title = f"Quality compared with {REFERENCE.samples} samples, {SCENES} scenes of s2rda13 at {SIZE} x {SIZE}"
    record("quality", title, table(header, rows))


if __name__ == "__main__":
    main()

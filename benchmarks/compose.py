"""How many pictures per second one core composes at 512 x 512, and how long each part of the work takes.

The arguments are folders of textures; without any, textures are generated. We measure processor time, with writing.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.common import record, spread, table
from render.composite.backend import keep_memory
from render.composite.geometry import rasterized
from render.composite.photographs import Photographs, find_photographs
from render.composite.renderer import Painter, contour, lips
from render.composite.zoom import frames
from render.dataset.shard_writer import write_shard
from scenes.config.composite import ComposeConfig, StyleConfig
from scenes.record.composite import Composition
from scenes.sampling.composite import Composer

PICTURES = 100
ROUNDS = 5


def main() -> None:
    cv2.setNumThreads(1)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    keep_memory()
    with tempfile.TemporaryDirectory() as folder:
        textures = _textures([Path(argument) for argument in sys.argv[1:]], Path(folder))
        composer, painter = Composer(ComposeConfig(style=StyleConfig(use=False)), textures.names), Painter(textures)
        scenes = [composer.sample(0, index) for index in range(PICTURES)]
        _whole(painter, scenes[:20], Path(folder))
        whole = [_whole(painter, scenes, Path(folder)) for _ in range(ROUNDS)]
        parts = [_crack_alone(scenes) for _ in range(ROUNDS)]
    rows = [
        ["whole picture, written to a shard", spread([1000 * seconds for seconds in whole], 1)],
        ["of this: generator, distortion, labels", spread([1000 * seconds for seconds in parts], 1)],
    ]
    rate = f"One core composes {spread([1 / seconds for seconds in whole], 1)} pictures per second."
    body = table(["part", "ms of processor time per picture, median [range] of 5 rounds"], rows)
    record("compose", f"Composed crack pictures, {PICTURES} of 512 x 512 per round", f"{body}\n\n{rate}")


def _whole(painter: Painter, scenes: list[Composition], folder: Path) -> float:
    start = time.process_time()
    write_shard(folder / "00000.h5", (painter.draw(scene) for scene in scenes), attributes={})
    return (time.process_time() - start) / len(scenes)


def _crack_alone(scenes: list[Composition]) -> float:
    start = time.process_time()
    for scene in scenes:
        crack = contour(scene)
        drawn, finished = frames(scene, crack, np.random.default_rng(0))
        for pixels in {drawn, finished}:
            rasterized(crack, pixels, scene.margin, lips(scene, crack))
    return (time.process_time() - start) / len(scenes)


def _textures(folders: list[Path], scratch: Path) -> Photographs:
    if not folders:
        rng = np.random.default_rng(0)
        (scratch / "textures").mkdir()
        for number in range(8):
            grain = np.clip(rng.normal(140, 25, (1024, 1024, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(grain).save(scratch / "textures" / f"{number}.jpg")
        folders = [scratch / "textures"]
    return find_photographs("textures", folders)


if __name__ == "__main__":
    main()

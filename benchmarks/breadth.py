"""Builds many small scenes of every preset, all but the render, to find those that cannot be built.

Rare scenes fail: a crack as wide as the picture, an object that fills it, a lens that hardly sees it. Each scene goes
through sampling, placement, JSON, and the stage in Blender with its meshes, decals and reliefs. Composed pictures are
drawn whole. Sizes of pictures take turns. A scene that fails is printed with what draws it again; the exit code is 1.

    python -m benchmarks.breadth [--scenes 2000] [--start 0] [SET ...]
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import click

from benchmarks.checksums import made_models, made_photographs
from render.renderer import load_renderer, open_sampler
from scenes.config.loading import load_config, preset_names

SEED = 77
# The composed pictures begin at 32 pixels.
SIZES = ((48, 48), (32, 32), (96, 96), (96, 40), (33, 71), (64, 64))
COMPOSED = "composed"


@click.command()
@click.argument("names", metavar="[SET ...]", nargs=-1)
@click.option("--scenes", default=2000, show_default=True, help="Scenes of each preset.")
@click.option("--start", default=0, show_default=True, help="Index of the first scene.")
def main(names: tuple[str, ...], scenes: int, start: int) -> None:
    """Build scenes of the presets; exit 1 where one fails."""
    scratch = Path(tempfile.mkdtemp())
    try:
        failures = sum(_tried(name, range(start, start + scenes), scratch) for name in names or _all())
    finally:
        shutil.rmtree(scratch)
    sys.exit(1 if failures else 0)


def _all() -> list[str]:
    return [*preset_names(), COMPOSED]


def _tried(name: str, indices: range, scratch: Path) -> int:
    """The number of scenes that failed."""
    began = time.process_time()
    samplers = [_sampler(name, size, scratch) for size in SIZES]
    # Blender has one stage for each process. The stage does not depend on the size of pictures.
    renderer: Any = load_renderer(samplers[0], "cpu", 1)
    failures = 0
    for index in indices:
        sampler = samplers[index % len(SIZES)]
        try:
            record = sampler.sample(SEED, index)
            assert type(record).from_json(record.to_json()) == record
            (renderer.draw if name == COMPOSED else renderer.build)(record)
        # Any failure is what this script looks for.
        except Exception:
            failures += 1
            click.echo(f"{name}: seed {SEED}, index {index}, size {SIZES[index % len(SIZES)]} fails")
            click.echo(traceback.format_exc(limit=-4))
    seconds = time.process_time() - began
    click.echo(f"{name}: {failures} of {len(indices)} scenes from {indices.start} fail, {seconds:.0f} s")
    return failures


def _sampler(name: str, size: tuple[int, int], scratch: Path) -> Any:
    shown = json.dumps(size)
    if name == COMPOSED:
        path = scratch / "composed.yaml"
        folder = json.dumps(str(made_photographs(scratch)))
        path.write_text(f"renderer: composite\nassets: {{textures: [{folder}], styles: [{folder}]}}\n")
        return open_sampler(load_config(path, [f"resolution={shown}"]))
    assets = "assets.shapes=6"
    if name == "s2rda49-shapenet":
        assets = f"assets.models=[{{path: {json.dumps(str(made_models(scratch)))}, layout: shapenet}}]"
    return open_sampler(load_config(name, [assets, f"camera.resolution={shown}"]))


if __name__ == "__main__":
    main()

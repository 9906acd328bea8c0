"""Cycles: set up once, drawn many times, read back as arrays."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
import OpenEXR
from numpy.typing import NDArray

from render.settings import DrawSettings

Passes = dict[str, NDArray[np.float32]]

# Rays that leave the scene report this depth or more.
_FAR = 1e9
_AOVS = (("coverage", "VALUE"), ("normal", "COLOR"))


def start(settings: DrawSettings) -> bpy.types.Scene:
    """An empty Blender with its one scene ready to draw. Everything that was open is dropped."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    # Data kept in Cycles between renders keeps its order of arrival too, and light sampling depends on that order:
    # a picture would show what was drawn before it. Handing everything over anew costs some tens of milliseconds.
    scene.render.use_persistent_data = False
    scene.render.film_transparent = True
    scene.render.use_compositing = False
    scene.render.use_sequencer = False
    scene.render.threads_mode = "FIXED" if settings.threads else "AUTO"
    if settings.threads:
        scene.render.threads = settings.threads
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.samples = settings.samples
    scene.cycles.use_light_tree = False
    scene.cycles.use_denoising = settings.denoise
    scene.cycles.denoising_prefilter = "FAST"
    scene.cycles.denoising_quality = "HIGH" if settings.samples > 32 else "FAST"
    scene.cycles.denoiser = "OPENIMAGEDENOISE"
    scene.cycles.max_bounces = settings.bounces
    scene.cycles.diffuse_bounces = settings.bounces
    scene.cycles.glossy_bounces = settings.bounces
    scene.cycles.transmission_bounces = max(settings.bounces, 6)
    scene.cycles.transparent_max_bounces = 8
    scene.cycles.sample_clamp_indirect = 10.0
    scene.cycles.caustics_reflective = False
    scene.cycles.caustics_refractive = False
    scene.cycles.seed = 0
    # The table costs a twentieth less time than the default's scrambling; behind a denoiser they look the same.
    scene.cycles.sampling_pattern = "TABULATED_SOBOL"
    _choose_passes(scene)
    return scene


def _choose_passes(scene: bpy.types.Scene) -> None:
    layer = scene.view_layers[0]
    layer.use_pass_z = True
    layer.use_pass_object_index = True
    layer.use_pass_material_index = True
    # Panes are labelled like any surface, however little they hide.
    layer.pass_alpha_threshold = 0.0
    for name, kind in _AOVS:
        aov = layer.aovs.add()
        aov.name, aov.type = name, kind
    image = scene.render.image_settings
    if hasattr(image, "media_type"):  # Blender 5 sorts formats into media
        image.media_type = "MULTI_LAYER_IMAGE"
    image.file_format = "OPEN_EXR_MULTILAYER"
    image.color_depth = "32"
    image.exr_codec = "NONE"


def draw(scene: bpy.types.Scene, path: Path) -> Passes:
    """Render the scene through `path` (best in memory, as /dev/shm) and give its passes.

    combined: (H, W, 4) float32 premultiplied scene-linear light. depth: (H, W) planar, inf where nothing is hit.
    object, material: (H, W) pass indices at the pixel centres. coverage: (H, W) in [0, 1]. normal: (H, W, 3) world
    space, summed over the pixel, of no fixed length.
    """
    scene.render.filepath = str(path)
    with silence():
        bpy.ops.render.render(write_still=True)
    try:
        return _decode(path)
    finally:
        path.unlink()


def _decode(path: Path) -> Passes:
    # Blender 4 writes one part with all layers, 5 a part for each with its own names: walk both the same way.
    found = {
        name.split(".", 1)[-1]: channel.pixels
        for part in OpenEXR.File(str(path)).parts
        for name, channel in part.channels.items()
    }
    depth = found["Depth.Z"]
    return {
        "combined": found["Combined"],
        "depth": np.where(depth < _FAR, depth, np.inf).astype(np.float32),
        "object": found.get("IndexOB.X", found.get("Object Index.X")),
        "material": found.get("IndexMA.X", found.get("Material Index.X")),
        "coverage": found["coverage.X"],
        "normal": found["normal"][..., :3],
    }


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Blender reports every step on the process's standard output; a command's own output must stay clean."""
    sys.stdout.flush()
    kept = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(null)

"""Cycles: sets it up once, renders with it, and reads the result as arrays."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import OpenEXR
from numpy.typing import NDArray

from render.blender.parts import ATTRIBUTE
from render.image.crop_window import Window
from render.settings import DrawSettings
from scenes.errors import InputError

Passes = dict[str, NDArray[np.float32]]

# Rays that hit nothing have at least this depth.
_FAR = 1e9
FOREGROUND = "foreground"
# The name of an empty scene.
_IDLE = "idle"
# The id of this name in Cryptomatte: its MurmurHash3, read as a float.
(_FOREGROUND_ID,) = struct.unpack("<f", (0x9A89C0BA).to_bytes(4, "little"))
_AOVS = (("coverage", "VALUE"), ("normal", "COLOR"), (ATTRIBUTE, "COLOR"), ("crack", "COLOR"))
# The variables that limit which GPUs a process sees.
_VISIBILITY = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ONEAPI_DEVICE_SELECTOR")


def start(settings: DrawSettings) -> bpy.types.Scene:
    """Reset Blender to one empty scene that is ready to render. All open data are lost.

    Raises InputError if the settings ask for a kind of device that this process does not see.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
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
    # A path ends in black where it has passed so many cut-outs. A tree of leaves on cards has more than the default, 8.
    scene.cycles.transparent_max_bounces = 256
    scene.cycles.sample_clamp_indirect = 10.0
    scene.cycles.caustics_reflective = False
    scene.cycles.caustics_refractive = False
    scene.cycles.seed = 0
    # The table is 5 % faster than the default scrambling, and looks the same after denoising.
    scene.cycles.sampling_pattern = "TABULATED_SOBOL"
    _choose_device(scene, settings.device)
    _choose_passes(scene)
    bpy.data.scenes.new(_IDLE)
    return scene


def _choose_device(scene: bpy.types.Scene, kind: str) -> None:
    """Choose the CPU, or all GPUs of one kind. The environment of a worker shows only its own GPU."""
    if kind == "cpu":
        return
    enable(bpy.context.preferences.addons["cycles"].preferences, kind)
    scene.cycles.device = "GPU"
    # OIDN uses the same network on GPUs as on the CPU, so pictures stay comparable. It runs on GPUs of every vendor,
    # which the denoiser of OptiX does not.
    scene.cycles.denoising_use_gpu = True


def enable(preferences: Any, kind: str) -> None:
    """Turn on all GPUs of one kind in the preferences of the Cycles add-on, and nothing else.

    Raises InputError if there is no such GPU. Cycles itself would use the CPU and would not report it.
    """
    name = kind.upper()
    try:
        preferences.compute_device_type = name
        # This call makes Cycles search for devices of this kind only. Other drivers are not started.
        present = [device for device in preferences.get_devices_for_type(name) if device.type == name]
    except (TypeError, ValueError):
        present = []
    if not present:
        visible = "; ".join(f"{key}={value}" for key, value in os.environ.items() if key in _VISIBILITY)
        raise InputError(f"--device {kind}: Blender sees no such device here{f' with {visible}' if visible else ''}")
    for device in preferences.devices:
        device.use = device.type == name


def _choose_passes(scene: bpy.types.Scene) -> None:
    layer = scene.view_layers[0]
    layer.use_pass_z = True
    layer.use_pass_object_index = True
    layer.use_pass_material_index = True
    # Rays pass surfaces that are not there at all. Panes of glass are labeled like any other surface.
    layer.pass_alpha_threshold = 0.001
    # Cryptomatte weighs what a path sees by the light that the surfaces before let through; AOVs do not. An asset is
    # all that has one parent. The four ranks are for the objects, the ground, the walls and the shadow catcher.
    layer.use_pass_cryptomatte_asset = True
    layer.pass_cryptomatte_depth = 4
    for name, kind in _AOVS:
        aov = layer.aovs.add()
        aov.name, aov.type = name, kind
    image = scene.render.image_settings
    if hasattr(image, "media_type"):  # Blender 5 sorts formats into media
        image.media_type = "MULTI_LAYER_IMAGE"
    image.file_format = "OPEN_EXR_MULTILAYER"
    image.color_depth = "32"
    image.exr_codec = "NONE"


def renew(scene: bpy.types.Scene, keep: bool) -> None:
    """Make Cycles forget what it has of a scene. keep: whether it is to keep what it gets from now on.

    What is kept stays in the order in which it arrived, and light sampling depends on this order. So a picture would
    depend on the pictures before it if they showed another scene.
    """
    scene.render.use_persistent_data = False
    scene.render.use_persistent_data = keep


def draw(scene: bpy.types.Scene, path: Path, window: Window | None = None) -> Passes:
    """Render the scene to the file `path` (best in memory, such as /dev/shm) and return its passes.

    window: the part to render, or None for the whole picture. Outside the window, no surface counts as hit.

    combined: (H, W, 4) float32 premultiplied scene-linear light. depth: (H, W) along the optical axis, inf where no
    surface is hit. object, material: (H, W) pass indices at the pixel centers. foreground: (H, W) in [0, 1], coverage
    times opacity of the objects below the parent FOREGROUND. coverage: (H, W) in [0, 1], of the crack of a surface.
    normal: (H, W, 3) in world axes at the pixel centers, not normalized. part: (H, W, 3) what `parts.decoded` takes.
    crack: (H, W, 3): the coverage by the decal of a crack, its width times the coverage, and the distance to its center
    line times the coverage, both in mm.
    """
    scene.render.filepath = str(path)
    _choose_window(scene.render, window)
    # Before and after an operator, Blender evaluates all of the scene that it is called in. The render does so itself.
    idle = bpy.data.scenes[_IDLE]
    with silence(), bpy.context.temp_override(scene=idle, view_layer=idle.view_layers[0]):
        bpy.ops.render.render(write_still=True, scene=scene.name)
    try:
        passes = _decode(path)
    finally:
        path.unlink()
    if window is None:
        return passes
    size = scene.render.resolution_y, scene.render.resolution_x
    return {name: _widened(image, window, size, np.inf if name == "depth" else 0.0) for name, image in passes.items()}


def _choose_window(render: bpy.types.RenderSettings, window: Window | None) -> None:
    render.use_border = render.use_crop_to_border = window is not None
    if window is None:
        return
    x0, y0, x1, y1 = window
    width, height = render.resolution_x, render.resolution_y
    # Blender rounds fractions of a pixel down. Its y axis points up.
    render.border_min_x, render.border_max_x = (x0 + 0.01) / width, min(1.0, (x1 + 0.01) / width)
    render.border_min_y, render.border_max_y = (height - y1 + 0.01) / height, min(1.0, (height - y0 + 0.01) / height)


def _widened(image: NDArray[np.float32], window: Window, size: tuple[int, int], rest: float) -> NDArray[np.float32]:
    """Put the image of a window into an image of the whole size, filled with `rest`."""
    x0, y0, x1, y1 = window
    whole = np.full((*size, *image.shape[2:]), rest, dtype=np.float32)
    whole[y0:y1, x0:x1] = image
    return whole


def _decode(path: Path) -> Passes:
    # Blender 4 writes one part with all layers. Blender 5 writes one part per layer, with other names.
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
        "foreground": _matte(found, _FOREGROUND_ID),
        "coverage": found["coverage.X"],
        "normal": found["normal"][..., :3],
        "part": found[ATTRIBUTE][..., :3],
        "crack": found["crack"][..., :3],
    }


def _matte(found: Mapping[str, NDArray[np.float32]], number: float) -> NDArray[np.float32]:
    """(H, W) coverage of one id: the channels of a Cryptomatte are ids (r, b), each with its coverage (g, a)."""
    layers = ("CryptoAsset00", "CryptoAsset01")
    ranks = [(f"{layer}.{name}", f"{layer}.{share}") for layer in layers for name, share in ("rg", "ba")]
    covers = [np.where(found[name] == number, found[share], 0) for name, share in ranks]
    return np.asarray(np.sum(covers, axis=0), dtype=np.float32)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Discard standard output: Blender reports every step there, and the output of a command must stay clean."""
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

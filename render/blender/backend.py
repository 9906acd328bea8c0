"""The backend for Blender. Blender itself starts when the renderer is loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from render.catalogue import open_catalogue
from render.farm.devices import KINDS
from render.frame import Frame
from render.renderer import Renderer
from render.settings import resolve
from scenes.config.objects import Config
from scenes.record.scene import Scene
from scenes.sampling.scene import Sampler

DEVICES: tuple[str, ...] = ("cpu", *KINDS)


def open_sampler(config: Config) -> Sampler:
    """Open the sampler of a config, with the assets that the config names."""
    return Sampler(config, open_catalogue(config))


def load_renderer(sampler: Sampler, device: str, threads: int) -> Renderer:
    """Start Blender in this process."""
    from render.blender.stage import Stage

    config = sampler.config
    settings = resolve(config.render, device, threads, config.camera.pictures)
    return Stage(settings, sampler.catalogue, sampler.classes)


def save_blend(sampler: Sampler, record: Scene, path: Path) -> None:
    """Write a scene as a .blend file. This starts Blender in this process."""
    from render.blender.stage import Stage

    Stage(resolve(sampler.config.render), sampler.catalogue, sampler.classes).save(record, path)


def views(frame: Frame) -> tuple[NDArray[np.uint8], ...]:
    """The images that a contact sheet shows: only the picture."""
    return (frame.rgb,)

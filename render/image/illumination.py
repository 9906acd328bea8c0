"""How much light falls on the objects of a scene, calculated from its sky and lamps without a render."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

from render.image.clean_plate import read_hdri
from render.image.color import luminance
from scenes.record.scene import Light, Scene


def matte_white(scene: Scene, path: Callable[[str], Path]) -> float:
    """The luminance of a small matte white ball in the place that the lamps shine at, averaged over the ball.

    Shadows and reflected light are left out. path: function from asset id to file.
    """
    world = scene.world
    sky = _mean(path(world.hdri)) if world.hdri else float(luminance(np.array(world.color)))
    # A ball shows four times the area that a beam of light meets.
    return world.strength * sky + sum(_irradiance(lamp) for lamp in scene.lights) / (4 * math.pi)


def _irradiance(lamp: Light) -> float:
    """W/m^2 on a surface at the lamp's target that faces the lamp, by Blender's definition of a lamp's power."""
    if lamp.kind == "sun":
        return lamp.energy
    square = math.dist(lamp.location, lamp.target) ** 2
    return lamp.energy / (math.pi * square if lamp.kind == "area" else 4 * math.pi * square)


@lru_cache(maxsize=64)
def _mean(path: Path) -> float:
    """The mean luminance of an environment map over the sphere."""
    rows = luminance(read_hdri(path)).mean(axis=1, dtype=np.float64)
    solid = np.sin((np.arange(len(rows)) + 0.5) / len(rows) * math.pi)
    return float(rows @ solid / solid.sum())

"""Cracks on objects are seen on every material."""

from __future__ import annotations

import math

import numpy as np
import pytest

from render.image.decal_tone import brightness, crack_brightness, visible_crack
from render.settings import DrawSettings
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import validate
from scenes.mesh import Appearance
from scenes.record.material import Material
from scenes.sampling.scene import Sampler


def srgb(light: float) -> float:
    return 1.055 * light ** (1 / 2.4) - 0.055


def test_what_a_crack_reflects() -> None:
    """Clean walls reflect 0.39, and specks 0.67 of it; a crack of 1 / 0.45 widths or more keeps 0.49 of that."""
    assert crack_brightness(0, 0, 0.2) == pytest.approx(srgb(0.39 * 0.67), abs=1e-6)
    assert crack_brightness(5, 0, 0.2) == pytest.approx(srgb(0.39 * 0.67 * 0.49), abs=1e-6)
    # Dirt of display value 0.5 reflects 0.214.
    assert crack_brightness(0, 1, 0.5) == pytest.approx(srgb(0.214 * 0.67), abs=1e-3)


def test_brightness_is_that_of_the_color() -> None:
    plain = Material("plastic", {"hue": 0.3, "saturation": 0.0, "value": 0.5})
    green = Material("plastic", {"hue": 1 / 3, "saturation": 1.0, "value": 1.0})
    assert brightness(plain, None) == pytest.approx(0.5, abs=1e-6)
    assert brightness(green, None) == pytest.approx(srgb(0.7152), abs=1e-3)
    assert brightness(Material("own", {}), Appearance(color=(0.1, 0.1, 0.1))) == pytest.approx(srgb(0.1), abs=1e-6)


def test_a_crack_that_is_seen_stays_as_it_is() -> None:
    assert visible_crack(0.9, 0.3, 0.5, 0.4, 0.3) == (0.3, 0.5)
    assert visible_crack(crack_brightness(0.3, 0.5, 0.4), 0.3, 0.5, 0.4, 0.0) == (0.3, 0.5)


@pytest.mark.parametrize("beside", np.linspace(0.02, 0.98, 25).tolist())
def test_a_crack_differs_from_every_material(beside: float) -> None:
    for depth in (0.05, 0.3, 1.0, 3.0):
        for dirt in (0.0, 0.4, 0.9):
            for value in (0.05, 0.3, 0.6):
                deeper, soil = visible_crack(beside, depth, dirt, value, 0.3)
                # Clean walls have a display value from 0.39 to 0.55: where 0.1 is out of reach, the best is taken.
                assert abs(crack_brightness(deeper, soil, value) - beside) >= 0.075, (depth, dirt, value)


@pytest.mark.parametrize("value", [0.1, 0.3, 0.45, 0.6, 0.9])
def test_cracks_are_seen_in_pictures(small_catalogue: Catalogue, value: float) -> None:
    """Dirt as bright as the plastic, in a shallow crack: nothing of it is seen without a least difference."""
    pytest.importorskip("bpy", reason="needs Blender's module")
    from render.blender.stage import Stage

    crack = {"present": True, "width": 6, "kind": "midpoint", "depth": 0.1, "dirt": 1, "saturation": 0, "visible": 0.3,
             "value": min(value * math.sqrt(1.3), 1)}  # fmt: skip
    plastic = {"hue": 0, "saturation": 0, "value": value, "grain": 0, "wear": 0, "roughness": 0.55}
    config = {
        "objects": {"category": "mug", "rotation": "upright", "crack": crack},
        "material": {"mode": "whole", "family": "plastic", "parameters": {"plastic": plastic}},
        "camera": {"resolution": [96, 96], "framing": 0.9, "elevation": 15},
        "background": {"kind": "color", "hue": 0, "saturation": 0, "value": 0.5},
        "lighting": {"world": {"hdri": "", "strength": 1}},
        "sensor": {"noise": 0, "shot": 0, "blur": 0, "jpeg": 0, "vignette": 0, "exposure": 0, "tone": "standard"},
    }
    sampler = Sampler(validate(config, "test"), small_catalogue)
    stage = Stage(DrawSettings(samples=8, denoise=True, bounces=2, threads=1), small_catalogue, sampler.classes)
    differences = []
    for index in range(2):
        frame = stage.draw(sampler.sample(1, index))
        gray, inside = frame.rgb.mean(axis=2), frame.category == 1
        beside = (frame.instance == 1) & ~inside & (frame.alpha == 0)
        assert inside.sum() > 60
        differences.append(abs(float(np.median(gray[inside]) - np.median(gray[beside]))))
    assert min(differences) > 8

"""Rendering only a window around the objects gives the same picture as rendering all of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from render.settings import DrawSettings
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import validate
from scenes.sampling.scene import Sampler

pytest.importorskip("bpy", reason="needs Blender's module")


def test_a_window_changes_no_label(small_catalogue: Catalogue) -> None:
    from render.blender.stage import Stage

    config = {
        "objects": {"count": {"choice": [1, 3]}},
        "camera": {"resolution": [96, 64], "framing": {"uniform": [0.2, 1.3]}},
        "background": {"kind": {"choice": ["hdri", "color", "none"]}, "shadow": False},
        "sensor": {"jpeg": 0, "noise": 0, "shot": 0, "blur": 0, "vignette": 0},
    }
    sampler = Sampler(validate(config, "test"), small_catalogue)
    stage = Stage(DrawSettings(samples=16, denoise=True, bounces=2, threads=1), small_catalogue, sampler.classes)
    smaller = 0
    for index in range(6):
        scene = sampler.sample(0, index)
        stage.build(scene)
        part = stage._window
        windowed = stage.picture(scene)
        stage._window = None
        whole = stage.picture(scene)
        for name in ("depth", "instance", "category", "part", "normals", "alpha"):
            assert np.array_equal(getattr(windowed, name), getattr(whole, name)), name
        # The noise differs where the denoiser saw another picture around it; what is behind does not.
        assert np.abs(windowed.rgb.astype(float) - whole.rgb).mean() < 1.5
        smaller += part is not None and (part[2] - part[0]) * (part[3] - part[1]) < 0.7 * 96 * 64
    assert smaller >= 2


def test_what_reaches_beyond_the_objects_is_rendered_whole(small_catalogue: Catalogue) -> None:
    from render.image.crop_window import window

    config = {"background": {"kind": "hdri", "shadow": False}, "camera": {"framing": 0.4}}
    sampler = Sampler(validate(config, "test"), small_catalogue)
    scene = sampler.sample(0, 0)
    assert window(scene, small_catalogue.info) is not None
    for other in (
        replace(scene, background=replace(scene.background, shadow=True)),
        replace(scene, camera=replace(scene.camera, fstop=2.8)),
        replace(scene, items=()),
        replace(scene, camera=replace(scene.camera, location=scene.items[0].location)),
    ):
        assert window(other, small_catalogue.info) is None

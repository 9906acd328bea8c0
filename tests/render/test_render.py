"""Rendering: pictures are pure functions of their scenes, and plates and mattes fit together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from render.frame import Frame
from render.settings import DrawSettings
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import validate
from scenes.record.scene import Scene
from scenes.sampling.scene import Sampler

pytest.importorskip("bpy", reason="needs Blender's module")

DRAFT = DrawSettings(samples=4, denoise=True, bounces=2, plate=True, threads=1)
SMALL = {"resolution": [64, 64]}


def make(catalogue: Catalogue, **config: Any) -> Sampler:
    config.setdefault("camera", {}).setdefault("resolution", [64, 64])
    return Sampler(validate(config, "test"), catalogue)


def draw(sampler: Sampler, scenes: list[Scene], settings: DrawSettings = DRAFT) -> list[Frame]:
    from render.blender.stage import Stage

    stage = Stage(settings, sampler.catalogue, sampler.classes)
    return [stage.draw(scene) for scene in scenes]


def same(a: Frame, b: Frame) -> bool:
    fields = ("rgb", "depth", "instance", "category", "part", "normals", "alpha", "background")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in fields) and a.objects == b.objects


def test_a_picture_does_not_depend_on_what_was_drawn_before(small_catalogue: Catalogue) -> None:
    sampler = make(
        small_catalogue,
        objects={"count": {"choice": [1, 3]}, "clutter": {"count": {"choice": [0, 1]}}},
        lighting={"sun": {"count": {"choice": [0, 1]}}, "area": {"count": {"choice": [0, 1]}}},
        background={"kind": {"choice": ["hdri", "ground", "room", "color", "none"]}},
        camera={"fstop": {"choice": [0, 0, 4]}},
    )
    scenes = [sampler.sample(0, index) for index in range(8)]
    forward = draw(sampler, scenes)
    backward = draw(sampler, scenes[::-1])[::-1]
    threads = draw(sampler, scenes[3:5], replace(DRAFT, threads=2))
    assert all(same(a, b) for a, b in zip(forward, backward, strict=True))
    assert all(same(a, b) for a, b in zip(forward[3:5], threads, strict=True))
    assert len({frame.rgb.tobytes() for frame in forward}) == 8


def test_a_stage_that_keeps_few_meshes_draws_the_same(small_catalogue: Catalogue) -> None:
    from render.blender.stage import Stage

    sampler = make(small_catalogue, objects={"count": {"choice": [1, 4]}})
    scenes = [sampler.sample(2, index) for index in range(6)]
    roomy = draw(sampler, scenes)
    stage = Stage(DRAFT, small_catalogue, sampler.classes)
    stage._meshes._limit = 1
    assert all(same(a, stage.draw(scene)) for a, scene in zip(roomy, scenes, strict=True))
    assert len(stage._meshes._kept) <= 4


def test_plate_alpha_and_picture_fit_together(small_catalogue: Catalogue) -> None:
    clean = {"jpeg": 0, "noise": 0, "shot": 0, "blur": 0, "vignette": 0}
    for kind in ("hdri", "color", "white", "ground", "room"):
        sampler = make(
            small_catalogue, background={"kind": kind, "shadow": False}, sensor=clean, objects={"support": "floating"}
        )
        (frame,) = draw(sampler, [sampler.sample(0, 1)])
        assert frame.background is not None
        empty, full = frame.alpha == 0, frame.alpha == 255
        assert empty.sum() > 100 and full.sum() > 100
        difference = np.abs(frame.rgb.astype(int) - frame.background).max(axis=-1)
        assert ((frame.instance > 0) & empty).sum() == 0
        if kind in ("hdri", "color", "white"):
            assert difference[empty].max() <= 1
        assert np.median(difference[full]) > 5
        assert (frame.instance[full] > 0).all()


def test_the_plate_is_where_blender_sees_the_sky(small_catalogue: Catalogue, tmp_path: Path) -> None:
    """Our own lookup of the environment against Cycles' for the same camera."""
    import bpy

    from render.blender import engine
    from render.blender.stage import Stage
    from render.image.clean_plate import plate

    if not small_catalogue.hdris:
        pytest.skip("no environment maps")
    sampler = make(
        small_catalogue,
        background={"kind": "hdri", "shadow": False},
        camera={"roll": 10, "elevation": {"uniform": [-40, 40]}, "resolution": [160, 160]},
    )
    stage = Stage(DrawSettings(samples=16, denoise=False, bounces=0, threads=1), small_catalogue, sampler.classes)
    for index in range(3):
        scene = replace(sampler.sample(0, index), items=())
        stage.build(scene)
        bpy.context.scene.render.film_transparent = False
        seen = engine.draw(bpy.context.scene, tmp_path / "sky.exr")["combined"][..., :3]
        bpy.context.scene.render.film_transparent = True
        ours = plate(scene, small_catalogue.path)
        error = np.abs(np.log(ours + 1e-3) - np.log(seen + 1e-3))
        shifted = np.abs(np.log(np.roll(ours, 3, axis=1) + 1e-3) - np.log(seen + 1e-3))
        assert np.median(error) < 0.05
        assert np.mean(error) < 0.7 * np.mean(shifted)


def test_depth_of_field_blurs_the_picture_not_the_labels(small_catalogue: Catalogue) -> None:
    sampler = make(small_catalogue, background={"kind": "hdri", "shadow": False})
    sharp = sampler.sample(0, 0)
    blurred = replace(sharp, camera=replace(sharp.camera, fstop=0.05))
    one, two = draw(sampler, [sharp, blurred])
    assert np.array_equal(one.instance, two.instance) and np.array_equal(one.depth, two.depth)
    assert np.array_equal(one.normals, two.normals)
    soft = [((frame.alpha > 0) & (frame.alpha < 255)).sum() for frame in (one, two)]
    assert soft[1] > 1.3 * soft[0]

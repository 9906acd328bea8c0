"""Several views of one scene, which Blender and Cycles keep between them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from render.frame import PICTURES, Frame
from render.settings import DrawSettings
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import validate
from scenes.sampling.scene import Sampler

pytest.importorskip("bpy", reason="needs Blender's module")

KEEPING = DrawSettings(samples=2, denoise=True, bounces=2, threads=1, keep=True)


def make(catalogue: Catalogue, **config: Any) -> Sampler:
    camera = {"resolution": [32, 32], "views": 2, **config.pop("camera", {})}
    return Sampler(validate({"camera": camera, **config}, "test"), catalogue)


def same(a: Frame, b: Frame) -> bool:
    arrays = [(getattr(a, name), getattr(b, name)) for name in PICTURES]
    return all(np.array_equal(x, y) for x, y in arrays if x is not None) and a.objects == b.objects


@pytest.mark.parametrize(
    ("plate", "changes"),
    [
        (False, {"camera": {"fstop": 4}}),
        (True, {"background": {"kind": "room"}, "lighting": {"sun": {"count": 1}, "area": {"count": 2}}}),
        (False, {"background": {"kind": "color"}, "objects": {"count": 2}, "camera": {"focal_length": 40}}),
    ],
    ids=["blurred", "room", "window"],
)
def test_a_view_is_the_same_alone(small_catalogue: Catalogue, plate: bool, changes: dict[str, Any]) -> None:
    """Whether Cycles has the scene already, from whatever view, or gets it anew, or keeps nothing at all."""
    from render.blender.stage import Stage

    sampler = make(small_catalogue, **changes)
    scenes = [sampler.sample(4, index) for index in range(4)]
    settings = replace(KEEPING, plate=plate)
    stage = Stage(settings, small_catalogue, sampler.classes)
    forward = [stage.draw(scene) for scene in scenes]
    jumping = {k: stage.draw(scenes[k]) for k in (3, 1)}
    plain = Stage(replace(settings, keep=False), small_catalogue, sampler.classes)
    assert all(same(frame, forward[k]) for k, frame in jumping.items())
    assert same(plain.draw(scenes[3]), forward[3])
    assert len({frame.rgb.tobytes() for frame in forward}) == 4


def test_a_scene_is_built_once_for_its_views(small_catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    from render.blender.stage import Stage

    sampler = make(small_catalogue, background={"kind": "hdri"})
    stage = Stage(KEEPING, small_catalogue, sampler.classes)
    built = []
    build = stage.build
    monkeypatch.setattr(stage, "build", lambda scene: (built.append(scene.index), build(scene)))
    for index in range(4):
        stage.draw(sampler.sample(4, index))
    assert built == [0, 2]


def test_a_saved_scene_has_edges(small_catalogue: Catalogue, tmp_path: Path) -> None:
    """Cycles needs none, and people who open the file do."""
    import bpy

    from render.blender.stage import Stage

    sampler = make(small_catalogue)
    stage = Stage(KEEPING, small_catalogue, sampler.classes)
    stage.save(sampler.sample(0, 0), tmp_path / "scene.blend")
    with bpy.data.libraries.load(str(tmp_path / "scene.blend")) as (held, wanted):
        wanted.meshes = list(held.meshes)
    assert min(len(mesh.edges) / len(mesh.polygons) for mesh in wanted.meshes if len(mesh.polygons)) > 0.9

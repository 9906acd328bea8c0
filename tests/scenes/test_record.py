"""The records of all kinds of pictures answer the same questions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scenes.record.composite import Composition
from scenes.record.material import Material
from scenes.record.reading import scene_from_json
from scenes.record.scene import Scene
from scenes.record.surface import Decal, Surface
from tests.frames import make_frame

COMPOSITION = Composition(
    seed=3, index=7, width=200, height=100, mm_per_pixel=0.5, margin=1.0, threshold=0.5, texture="wall.png",
    steps={"crack": {"width": 2.0, "kind": "walk"}, "style": {"reference": "night.png", "strength": 1.0}},
)  # fmt: skip
DECAL = Decal(crack=None, size=10.0, pixel=1.0, right=(1.0, 0.0, 0.0), down=(0.0, 1.0, 0.0))
SURFACE = Surface("wall", Material("plaster"), pixel=1.0, corner=(0.0, 0.0), size=(9.0, 9.0))


def scene(**changes: object) -> Scene:
    plain = make_frame(0).scene
    assert isinstance(plain, Scene)
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("record", [COMPOSITION, scene(), scene(surface=SURFACE), scene(decal=DECAL)])
def test_a_record_is_read_back_as_what_it_was(record: Scene | Composition) -> None:
    read = scene_from_json(record.to_json())
    assert type(read) is type(record) and read == record
    assert scene_from_json(record.to_json().encode()) == record


def test_a_nominal_camera_sees_the_surface_at_its_scale() -> None:
    camera = COMPOSITION.camera
    corners = np.array([[-50.0, -25.0, 1000.0], [50.0, 25.0, 1000.0]]) / 1000  # 100 x 50 mm, one meter away
    seen = corners @ camera.world_to_camera()[:3, :3].T @ camera.intrinsics().T
    np.testing.assert_allclose(seen[:, :2] / seen[:, 2:], [[0, 0], [200, 100]], atol=1e-9)
    assert (camera.width, camera.height, camera.fstop) == (200, 100, 0)
    assert "camera" not in COMPOSITION.to_json()


def test_records_name_their_subject() -> None:
    plain = scene()
    assert plain.main is not None and (plain.subject, plain.crack_mask) == (plain.main.category, "")
    bare = scene(items=plain.items[1:])
    assert (bare.subject, bare.crack_mask) == (None, "")
    assert (scene(surface=SURFACE).subject, scene(surface=SURFACE).crack_mask) == ("crack", "instance")
    assert (scene(decal=DECAL).subject, scene(decal=DECAL).crack_mask) == ("crack", "category")
    assert (COMPOSITION.subject, COMPOSITION.crack_mask) == ("crack", "instance")
    assert not plain.unknown_labels and COMPOSITION.unknown_labels == {"depth", "normals"}


def test_a_composition_tells_factors_and_assets_apart() -> None:
    factors = dict(COMPOSITION.factors())
    assert factors == {"mm_per_pixel": 0.5, "crack.width": 2.0, "crack.kind": "walk", "style.strength": 1.0}
    assert list(COMPOSITION.assets()) == ["wall.png", "night.png"]


def test_a_scene_tells_its_factors_by_name() -> None:
    factors = dict(scene().factors())
    assert factors["background.color.r"] == 0.5 and factors["background.shadow"] == "True"
    assert factors["lights.count"] == 1 and factors["materials.family"] == "plastic"
    assert not any("seed" in name or "location" in name or "background.image.x" in name for name in factors)

"""Scenes are pure functions of (config, seed, index). They stay paired when a factor changes, and are plausible."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render.catalogue import studio_folder
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import validate
from scenes.errors import InputError
from scenes.record.camera import Camera
from scenes.record.scene import Scene, rotation_matrix
from scenes.sampling.placement import Footprint, arrange, framing_distance, free_quaternion, project
from scenes.sampling.scene import Sampler


def sampler(catalogue: Catalogue, **config: Any) -> Sampler:
    return Sampler(validate(config, "test"), catalogue)


def hull(catalogue: Catalogue, scene: Scene, item: int = 0) -> np.ndarray:
    placed = scene.items[item]
    matrix = placed.matrix()
    return catalogue.info(placed.asset).hull @ matrix[:3, :3].T + matrix[:3, 3]


def test_a_scene_survives_json(small_catalogue: Catalogue) -> None:
    drawn = sampler(
        small_catalogue, objects={"count": 3, "clutter": {"count": 1}, "occluder": {"present": True}},
        lighting={"sun": {"count": 1}, "area": {"count": 1}, "point": {"count": 1}},
    )  # fmt: skip
    for index in range(20):
        scene = drawn.sample(5, index)
        assert Scene.from_json(scene.to_json()) == scene
        assert drawn.sample(5, index) == scene
    assert drawn.sample(5, 0) != drawn.sample(6, 0)


# One change a factor, and the fields of the scene that may follow it.
CHANGES: list[tuple[dict[str, Any], set[str]]] = [
    ({"camera": {"azimuth": 30}}, {"camera", "background"}),
    ({"camera": {"focal_length": {"uniform": [20, 30]}}}, {"camera", "background"}),
    ({"lighting": {"world": {"strength": 2}}}, {"world"}),
    ({"lighting": {"sun": {"count": 3}}}, {"lights"}),
    ({"sensor": {"noise": 0}}, {"sensor"}),
    ({"background": {"kind": "color"}}, {"background"}),
    ({"material": {"mode": "whole", "family": "wood"}}, {"items"}),
]


@pytest.mark.parametrize(("change", "may_differ"), CHANGES)
def test_factors_do_not_disturb_each_other(small_catalogue: Catalogue, change: dict, may_differ: set[str]) -> None:
    base, changed = sampler(small_catalogue), sampler(small_catalogue, **change)
    differed = set()
    for index in range(30):
        before, after = base.sample(1, index), changed.sample(1, index)
        for name in ("items", "world", "lights", "camera", "background", "sensor"):
            if getattr(before, name) != getattr(after, name):
                differed.add(name)
        if "items" in may_differ:
            assert [replace(i, materials={}) for i in before.items] == [replace(i, materials={}) for i in after.items]
    assert differed and differed <= may_differ


def test_a_sweep_moves_one_factor(small_catalogue: Catalogue) -> None:
    drawn = sampler(small_catalogue, lighting={"sun": {"count": 1}})
    assert {"camera.azimuth", "objects.scale", "lighting.sun.0.energy"} <= set(drawn.factors(0, 0))
    one, two = (drawn.sample(0, 0, {"lighting.sun.0.energy": q}) for q in (0.1, 0.9))
    assert one.lights[0].energy < two.lights[0].energy
    assert replace(one, lights=()) == replace(two, lights=())


@pytest.mark.parametrize("rotation", ["upright", "standing", "stable", "free"])
def test_objects_rest_on_the_ground_and_do_not_interpenetrate(small_catalogue: Catalogue, rotation: str) -> None:
    drawn = sampler(small_catalogue, objects={"count": {"uniform": [2, 12]}, "rotation": rotation, "spacing": 0.0})
    for index in range(15):
        scene = drawn.sample(2, index)
        hulls = [hull(small_catalogue, scene, k) for k in range(len(scene.items))]
        for points in hulls:
            assert abs(points[:, 2].min()) < 1e-6
        for a, b in combinations(hulls, 2):
            assert _separable(a[:, :2], b[:, :2])


def test_what_would_not_stand_lies(tmp_path: Path) -> None:
    catalogue = Catalogue(shapes={"guitar": 2, "mug": 2}, studio=studio_folder(), cache=tmp_path)
    drawn = sampler(catalogue, objects={"rotation": "standing"})
    for index in range(20):
        scene = drawn.sample(3, index)
        across, up = np.ptp(hull(catalogue, scene)[:, :2], axis=0).max(), np.ptp(hull(catalogue, scene)[:, 2])
        _, x, y, _ = scene.items[0].rotation
        assert across > up if scene.items[0].category == "guitar" else abs(x) + abs(y) < 1e-9


def _separable(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether a line in the plane parts two point sets, tried over many directions."""
    angles = np.radians(np.arange(0, 180, 0.25))
    ways = np.stack([np.cos(angles), np.sin(angles)])
    left, right = a @ ways, b @ ways
    gap = np.maximum(right.min(axis=0) - left.max(axis=0), left.min(axis=0) - right.max(axis=0))
    return bool(gap.max() > -1e-3)


def test_floating_objects_are_off_the_ground(small_catalogue: Catalogue) -> None:
    drawn = sampler(small_catalogue, objects={"support": "floating", "lift": 0.5, "scale": 2.0})
    for index in range(10):
        assert hull(small_catalogue, drawn.sample(0, index))[:, 2].min() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_framing_fills_the_share_asked_for(small_catalogue: Catalogue, share: float) -> None:
    drawn = sampler(
        small_catalogue,
        camera={"framing": share, "jitter": 0, "roll": 0, "elevation": {"uniform": [10, 60]}, "resolution": [200, 100]},
        background={"kind": "hdri", "shadow": False},
    )
    for index in range(20):
        scene = drawn.sample(3, index)
        pixels, depth = project(scene.camera, hull(small_catalogue, scene))
        assert depth.min() > 0
        assert (np.ptp(pixels, axis=0) / (200, 100)).max() == pytest.approx(share, rel=0.01)


def test_a_room_holds_the_objects_and_the_camera(small_catalogue: Catalogue) -> None:
    drawn = sampler(small_catalogue, objects={"count": 4}, background={"kind": "room"})
    for index in range(30):
        scene = drawn.sample(6, index)
        size, center = np.array(scene.background.size), np.array(scene.background.center)
        inside = np.concatenate([*(hull(small_catalogue, scene, k) for k in range(4)), [scene.camera.location]])
        assert (inside[:, :2] > center[:2] - size[:2] / 2).all()
        assert (inside[:, :2] < center[:2] + size[:2] / 2).all()
        assert inside[:, 2].max() < size[2] and inside[:, 2].min() > -1e-6


def test_free_rotations_are_uniform() -> None:
    rng = np.random.default_rng(0)
    turned = np.array([rotation_matrix(free_quaternion(*rng.random(3))) @ (0, 0, 1) for _ in range(4000)])
    assert np.abs(turned.mean(axis=0)).max() < 0.04
    assert np.allclose(np.cov(turned.T), np.eye(3) / 3, atol=0.03)


def test_camera_directions_are_even_over_the_sphere(small_catalogue: Catalogue) -> None:
    drawn = sampler(
        small_catalogue,
        camera={"elevation": {"uniform": [-90, 90]}, "distance": 9},
        background={"kind": "none", "shadow": False},
    )
    eyes = np.array(
        [np.subtract(s.camera.location, s.items[0].location) for s in (drawn.sample(0, i) for i in range(2000))]
    )
    heights = eyes[:, 2] / np.linalg.norm(eyes, axis=1)
    assert np.histogram(heights, bins=8, range=(-1, 1))[0] == pytest.approx(250, abs=70)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0.05, 3), st.floats(0.05, 3), st.floats(0, 6.3)), min_size=2, max_size=12),
    st.integers(0, 99),
)
def test_arranged_rectangles_never_overlap(sizes: list, seed: int) -> None:
    prints = [Footprint(0, 0, x, y, np.cos(a), np.sin(a)) for x, y, a in sizes]
    placed = arrange(prints, [np.random.default_rng((seed, k)) for k in range(len(prints))])
    assert not any(a.overlaps(b) for a, b in combinations(placed, 2))


def test_framing_never_puts_the_camera_inside() -> None:
    points = np.random.default_rng(1).normal(size=(50, 3))
    towards = np.array([0.0, -1.0, 0.0])
    distance = framing_distance(points, np.zeros(3), towards, 1.0, (100, 100), 2.9)
    camera = Camera(tuple(towards * distance), (0, 0, 0), 0, 36, 100, 100)  # type: ignore[arg-type]
    assert project(camera, points)[1].min() > 0


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"classes": ["chair", "mugg"]}, "did you mean 'mug'"),
        ({"objects": {"category": "char"}}, "did you mean 'chair'"),
        ({"lighting": {"world": {"hdri": "studio:citty"}}}, "did you mean 'studio:city'"),
        ({"background": {"kind": "image"}}, "assets.images"),
        ({"material": {"family": "pbr"}}, "assets.textures"),
        ({"camera": {"elevation": -5}}, "under the ground"),
    ],
)
def test_names_are_checked_against_the_assets(small_catalogue: Catalogue, config: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        sampler(small_catalogue, **config)

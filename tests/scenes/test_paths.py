"""Cameras along a path through the views of a scene, and in pairs."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scenes.assets.catalogue import Catalogue
from scenes.config.loading import load_config, validate
from scenes.errors import InputError
from scenes.record.camera import Camera
from scenes.record.scene import Scene
from scenes.sampling.scene import Sampler


def sampled(catalogue: Catalogue, count: int, camera: dict[str, Any], first: int = 0, **changes: Any) -> list[Scene]:
    config = {"camera": {"resolution": [64, 48], **camera}, **changes}
    drawn = Sampler(validate(config, "test"), catalogue)
    return [drawn.sample(7, index) for index in range(first, first + count)]


def alike(scenes: list[Scene]) -> bool:
    """Whether scenes differ in nothing but their cameras."""
    bare = [replace(scene, index=0, camera=scenes[0].camera, next_camera=None) for scene in scenes]
    return all(scene == bare[0] for scene in bare)


def test_a_turntable_goes_around_at_one_height(small_catalogue: Catalogue) -> None:
    scenes = sampled(small_catalogue, 8, {"views": 8, "path": {"kind": "turntable"}})
    assert alike(scenes)
    (plain,) = sampled(small_catalogue, 1, {"views": 8})
    assert scenes[0].camera == plain.camera
    seen = [dict(scene.camera.factors()) for scene in scenes]
    for name in ("camera.elevation", "camera.distance", "camera.roll", "camera.focal_length"):
        np.testing.assert_allclose([view[name] for view in seen], seen[0][name], rtol=1e-9)
    turned = np.diff([view["camera.azimuth"] for view in seen]) % 360
    np.testing.assert_allclose(turned, 45)


def test_a_part_of_a_turn_ends_at_its_end(small_catalogue: Catalogue) -> None:
    scenes = sampled(small_catalogue, 5, {"views": 5, "path": {"turn": -90}})
    azimuths = [dict(scene.camera.factors())["camera.azimuth"] for scene in scenes]
    np.testing.assert_allclose(np.diff(azimuths) % 360, 360 - 22.5)


def test_a_spline_passes_the_cameras_that_are_drawn(small_catalogue: Catalogue) -> None:
    path = {"kind": "spline", "keys": 3}
    scenes = sampled(small_catalogue, 9, {"views": 9, "path": path, "focal_length": 50})
    assert alike(scenes)
    keys = [scene.camera for scene in sampled(small_catalogue, 9, {"views": 9, "focal_length": 50})[:3]]
    for key, scene in zip(keys, (scenes[0], scenes[4], scenes[8]), strict=True):
        np.testing.assert_allclose(scene.camera.world_to_camera(), key.world_to_camera(), atol=1e-9)
    middle, heights = np.array(scenes[0].items[0].location), [scene.camera.location[2] for scene in scenes]
    away = [math.dist(scene.camera.location, scene.camera.target) for scene in scenes]
    asked = [math.dist(key.location, key.target) for key in keys]
    # The curve goes around the object: never nearer, and never below the lowest of its cameras.
    assert min(away) >= min(asked) - 1e-9 and max(away) <= max(asked) + 1e-9
    assert min(heights) > 0
    steps = [float(np.linalg.norm(np.subtract(b.camera.location, a.camera.location))) for a, b in pairwise(scenes)]
    assert max(steps) < 1.7 * np.linalg.norm(np.subtract(scenes[0].camera.location, middle))


def test_a_spline_passes_given_poses(small_catalogue: Catalogue, tmp_path: Path) -> None:
    cameras = [Camera((x, -3, 1 + x * x), (0, 0, 0.3), 4 * x, 50, 64, 48) for x in (-1, 0, 1)]
    poses = [np.linalg.inv(camera.world_to_camera()) for camera in cameras]
    np.save(tmp_path / "poses.npy", poses)
    given = {"poses": {"file": str(tmp_path / "poses.npy"), "axes": "opencv"}, "path": {"kind": "spline"}, "views": 5}
    for stereo, step in ((None, 1), ({"baseline": 0.1}, 2)):
        scenes = sampled(small_catalogue, 5 * step, {**given, "stereo": stereo})[::step]
        assert alike(scenes)
        for pose, scene in zip(poses, scenes[::2], strict=True):
            np.testing.assert_allclose(scene.camera.world_to_camera(), np.linalg.inv(pose), atol=1e-7)
        between = np.array(scenes[1].camera.location)
        assert -1 < between[0] < 0 and 1 <= between[2] <= 2


def test_a_path_leaves_all_but_the_cameras(small_catalogue: Catalogue) -> None:
    sky = {"background": {"kind": "hdri"}}  # a room grows until it holds all cameras
    plain = sampled(small_catalogue, 4, {"views": 4}, **sky)
    for path in ({"kind": "turntable"}, {"kind": "spline"}):
        scenes = sampled(small_catalogue, 4, {"views": 4, "path": path}, **sky)
        assert alike([plain[0], *scenes])
        # The record of a view does not depend on which other views are sampled.
        assert sampled(small_catalogue, 1, {"views": 4, "path": path}, first=2, **sky) == [scenes[2]]


def test_pairs_look_the_same_way(small_catalogue: Catalogue) -> None:
    scenes = sampled(small_catalogue, 8, {"views": 2, "stereo": {"baseline": 0.06}})
    assert alike(scenes[:4]) and alike(scenes[4:]) and not alike(scenes[2:6])
    for left, right in zip(scenes[::2], scenes[1::2], strict=True):
        assert left.baseline == right.baseline == 0.06
        between = right.camera.world_to_camera() @ np.linalg.inv(left.camera.world_to_camera())
        moved = np.eye(4)
        moved[0, 3] = -0.06
        np.testing.assert_allclose(between, moved, atol=1e-9)
        np.testing.assert_array_equal(left.camera.intrinsics(), right.camera.intrinsics())
    assert Scene.from_json(scenes[1].to_json()) == scenes[1]


@pytest.mark.parametrize(
    ("camera", "following"),
    [
        ({"views": 3, "path": {"kind": "turntable"}}, [1, 2, 0]),
        ({"views": 3, "path": {"kind": "turntable", "turn": 90}}, [1, 2, None]),
        ({"views": 3}, [1, 2, None]),
        ({"views": 2, "stereo": {"baseline": 0.1}}, [2, 3, None, None]),
        ({"views": 2, "stereo": {"baseline": 0.1}, "path": {"turn": 720}}, [2, 3, 0, 1]),
    ],
)
def test_the_next_view_is_known(
    camera: dict[str, Any], following: list[int | None], small_catalogue: Catalogue
) -> None:
    scenes = sampled(small_catalogue, len(following), camera, render={"flow": True})
    for scene, number in zip(scenes, following, strict=True):
        assert scene.next_camera == (None if number is None else scenes[number].camera)
    assert all(scene.next_camera is None for scene in sampled(small_catalogue, 2, camera))


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"camera": {"path": {"kind": "turntable"}}}, "set views to 2 at least"),
        ({"camera": {"views": 2, "path": {"kind": "spline", "keys": 5}}}, "path.keys is 5, more than the 2 views"),
        ({"render": {"flow": True}}, "set camera.views to 2 at least"),
        ({"camera": {"stereo": {"baseline": 0.1}}, "objects": {"min_share": 0.2}}, "objects.min_share must be null"),
        ({"camera": {"stereo": {"baseline": 0}}}, "camera.stereo.baseline"),
        (
            {"camera": {"stereo": {"baseline": 0.1}}, "objects": {"occluder": {"present": True}}},
            "objects.occluder.present depends on the camera: set it to null or false, or camera.stereo to null",
        ),
        (
            {
                "camera": {
                    "stereo": {"baseline": 0.1}, "distortion": [0.1, 0, 0, 0],
                    "intrinsics": [[300, 0, 128], [0, 300, 128], [0, 0, 1]],
                }
            },
            "stereo pairs are rectified",
        ),
        ({"by_class": {"mug": {"camera": {"stereo": {"baseline": 0.1}}}}}, "set camera.stereo instead"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(config: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        load_config(config)
    assert "\n" not in str(caught.value)

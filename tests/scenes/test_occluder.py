"""An occluder stands between the camera and the main object, and hides the wanted share."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.assets.catalogue import Catalogue
from scenes.config.loading import validate
from scenes.record.scene import Scene
from scenes.sampling.placement import hidden_share, project
from scenes.sampling.scene import Sampler

Seen = list[tuple[Scene, np.ndarray, np.ndarray]]


def _scenes(catalogue: Catalogue, camera: dict, objects: dict) -> Seen:
    """Scenes with an occluder that should hide 40 %, and the hulls of the main object and of the occluder."""
    config = validate(
        {"objects": {"occluder": {"present": True, "visibility": 0.6}, **objects}, "camera": camera}, "occluded"
    )
    scenes = [Sampler(config, catalogue).sample(9, index) for index in range(60)]
    return [(scene, *(_hull(catalogue, scene, k) for k in (0, 1))) for scene in scenes]


@pytest.fixture(scope="module")
def occluded(small_catalogue: Catalogue) -> Seen:
    """Floating objects in small framing: there is room in the middle of the way."""
    camera = {"framing": 0.4, "elevation": {"uniform": [0, 40]}}
    return _scenes(small_catalogue, camera, {"support": "floating"})


@pytest.fixture(scope="module", params=["resting", "floating", "from above", "filling the picture"])
def near(request: pytest.FixtureRequest, small_catalogue: Catalogue) -> Seen:
    """The default framing and tighter ones: the camera is near, and the room before it is short."""
    camera = {"from above": {"elevation": {"uniform": [60, 90]}}, "filling the picture": {"framing": 1.2}}
    objects = {"floating": {"support": "floating"}}
    return _scenes(small_catalogue, camera.get(request.param, {}), objects.get(request.param, {}))


def _hull(catalogue: Catalogue, scene: Scene, k: int) -> np.ndarray:
    matrix = scene.items[k].matrix()
    return catalogue.info(scene.items[k].asset).hull @ matrix[:3, :3].T + matrix[:3, 3]


def test_an_occluder_stands_between_the_camera_and_the_main_object(occluded: Seen) -> None:
    for scene, main, front in occluded:
        far, near = project(scene.camera, main)[1], project(scene.camera, front)[1]
        assert 0 < near.min() <= near.max() < far.min()
        # From here there is room in the middle of the way.
        assert 0.4 < near.mean() / far.mean() < 0.62


def test_an_occluder_hides_the_wanted_share_in_each_picture(occluded: Seen) -> None:
    shares = np.array([hidden_share(scene.camera, main, front) for scene, main, front in occluded])
    assert np.quantile(shares, [0.25, 0.5, 0.75]) == pytest.approx([0.4] * 3, abs=0.02)
    # Only one that is too small to hide so much hides less.
    assert shares.min() > 0.1 and shares.max() < 0.41


def test_an_occluder_fits_between_a_near_camera_and_the_main_object(near: Seen) -> None:
    for scene, main, front in near:
        far, close = project(scene.camera, main)[1], project(scene.camera, front)[1]
        assert 0.04 * far.min() < close.min() <= close.max() < far.min()
        assert front[:, 2].min() > -1e-6


def test_an_occluder_hides_the_wanted_share_from_a_near_camera(near: Seen) -> None:
    shares = np.array([hidden_share(scene.camera, main, front) for scene, main, front in near])
    assert np.quantile(shares, [0.1, 0.5, 0.9]) == pytest.approx([0.4] * 3, abs=0.02)
    assert shares.min() > 0.1 and shares.max() < 0.41


def test_no_occluder_is_made_where_the_main_object_surrounds_the_camera(small_catalogue: Catalogue) -> None:
    config = validate({"objects": {"occluder": {"present": True}}, "camera": {"distance": 0.01}}, "inside")
    assert all(len(Sampler(config, small_catalogue).sample(9, index).items) == 1 for index in range(5))


def test_occluders_come_from_both_sides_and_stay_level_with_the_view(occluded: Seen) -> None:
    sides = []
    for scene, main, front in occluded:
        (x, y), (wide, high) = (project(scene.camera, points)[0].mean(axis=0) for points in (front, main))
        sides.append(x > wide)
        assert abs(y - high) < scene.camera.height / 2
    assert 0.25 < np.mean(sides) < 0.75

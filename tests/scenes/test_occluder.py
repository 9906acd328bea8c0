"""An occluder stands between the camera and the main object, and hides the share asked for."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.assets.catalogue import Catalogue
from scenes.config.loading import validate
from scenes.record.scene import Scene
from scenes.sampling.placement import hidden_share, project
from scenes.sampling.scene import Sampler


@pytest.fixture(scope="module")
def occluded(small_catalogue: Catalogue) -> list[tuple[Scene, np.ndarray, np.ndarray]]:
    """Scenes with an occluder that should hide 40 %, and the hulls of the main object and of the occluder."""
    config = validate(
        {
            "objects": {"occluder": {"present": True, "visibility": 0.6}, "support": "floating"},
            "camera": {"framing": 0.4, "elevation": {"uniform": [0, 40]}},
        },
        "occluded",
    )
    scenes = [Sampler(config, small_catalogue).sample(9, index) for index in range(60)]
    return [(scene, *(_hull(small_catalogue, scene, k) for k in (0, 1))) for scene in scenes]


def _hull(catalogue: Catalogue, scene: Scene, k: int) -> np.ndarray:
    matrix = scene.items[k].matrix()
    return catalogue.info(scene.items[k].asset).hull @ matrix[:3, :3].T + matrix[:3, 3]


def test_an_occluder_stands_between_the_camera_and_the_main_object(occluded: list) -> None:
    for scene, main, front in occluded:
        far, near = project(scene.camera, main)[1], project(scene.camera, front)[1]
        assert 0 < near.min() <= near.max() < far.min()
        # From here there is room in the middle of the way.
        assert 0.4 < near.mean() / far.mean() < 0.62


def test_an_occluder_hides_the_share_asked_for_in_each_picture(occluded: list) -> None:
    shares = np.array([hidden_share(scene.camera, main, front) for scene, main, front in occluded])
    assert np.quantile(shares, [0.25, 0.5, 0.75]) == pytest.approx([0.4] * 3, abs=0.02)
    # Only one that is too small to hide so much hides less.
    assert shares.min() > 0.1 and shares.max() < 0.41


def test_occluders_come_from_both_sides_and_stay_level_with_the_view(occluded: list) -> None:
    sides = []
    for scene, main, front in occluded:
        (x, y), (wide, high) = (project(scene.camera, points)[0].mean(axis=0) for points in (front, main))
        sides.append(x > wide)
        assert abs(y - high) < scene.camera.height / 2
    assert 0.25 < np.mean(sides) < 0.75

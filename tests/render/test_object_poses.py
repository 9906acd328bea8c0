"""Poses and extents of objects as labels: against OpenCV's projection, and against the depths that rays find."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from render.dataset.shard_writer import write_shard
from render.frame import Frame
from render.image.labels import object_labels
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import validate
from scenes.record.scene import Scene
from scenes.sampling.scene import Sampler

embreex = pytest.importorskip("embreex", reason="needs embree to cast rays with")

from tests.rays import hits  # noqa: E402


def made(catalogue: Catalogue, index: int) -> tuple[Scene, Frame]:
    """A scene of two turned objects, and its frame with what rays hit in place of what a renderer draws."""
    config = {
        "objects": {"count": 2, "rotation": "free"},
        "material": {"mode": "whole", "family": "plastic"},
        "camera": {"resolution": [80, 60], "intrinsics": [[90, 0, 38.5], [0, 110, 28], [0, 0, 1]]},
    }
    scene = Sampler(validate(config, "test"), catalogue).sample(3, index)
    truth = hits(scene, catalogue.model, own=False)
    instance, height, width = truth.instance.astype(np.uint16), scene.camera.height, scene.camera.width
    empty = np.zeros((height, width), np.uint16)
    frame = Frame(
        rgb=np.zeros((height, width, 3), np.uint8), depth=truth.depth.astype(np.float32), instance=instance,
        category=empty, part=empty, normals=np.zeros((height, width, 3), np.float16), alpha=empty.astype(np.uint8),
        intrinsics=scene.camera.intrinsics(), world_to_camera=scene.camera.world_to_camera(), index=index, label=0,
        objects=object_labels(scene, instance, catalogue.info, catalogue.model), scene=scene,
    )  # fmt: skip
    return scene, frame


@pytest.mark.parametrize("index", range(3))
def test_opencv_projects_the_pose_to_the_same_places(small_catalogue: Catalogue, index: int) -> None:
    scene, frame = made(small_catalogue, index)
    checked = 0
    for label, item in zip(frame.objects, scene.items, strict=True):
        info, pose = small_catalogue.info(item.asset), np.array(label.pose)
        turn, _ = cv2.Rodrigues(pose[:3, :3])

        def seen(points: np.ndarray, turn: np.ndarray = turn, pose: np.ndarray = pose) -> np.ndarray:
            return cv2.projectPoints(points, turn, pose[:3, 3], frame.intrinsics, None)[0].reshape(-1, 2)

        places = {name: seen(point[None] * item.scale)[0] for name, point in info.keypoints.items()}
        for name, keypoint in label.keypoints.items():
            np.testing.assert_allclose((keypoint.x, keypoint.y), places[name], atol=1e-3)
            checked += 1
        around = seen(info.hull * item.scale)
        np.testing.assert_allclose(label.amodal_box, [*around.min(axis=0), *around.max(axis=0)], atol=1e-3)
        corners = label.corners()
        assert (corners[:, 2] > 0).all()
        in_pixels = cv2.projectPoints(corners, np.zeros(3), np.zeros(3), frame.intrinsics, None)[0].reshape(-1, 2)
        # The box is around the object, so its projection is around the object's.
        assert (in_pixels.min(axis=0) <= around.min(axis=0) + 1e-3).all()
        assert (in_pixels.max(axis=0) >= around.max(axis=0) - 1e-3).all()
    assert checked


@pytest.mark.parametrize("index", range(3))
def test_what_rays_hit_lies_in_the_box_of_the_pose(small_catalogue: Catalogue, index: int) -> None:
    _, frame = made(small_catalogue, index)
    for label in frame.objects:
        rows, columns = np.nonzero(frame.instance == label.instance)
        pixels = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))])
        in_camera = np.linalg.inv(frame.intrinsics) @ pixels * frame.depth[rows, columns]
        own = (np.linalg.inv(label.pose) @ np.vstack([in_camera, np.ones(len(rows))]))[:3].T
        half, slack = np.array(label.extent) / 2, 1e-4 * max(label.extent)
        assert (np.abs(own) <= half + slack).all()
        # The box is no larger than the object: some pixel of the main one comes near a side.
        assert label.purpose != "main" or (np.abs(own) / half).max() > 0.9


def test_poses_are_readable_with_h5py_alone(small_catalogue: Catalogue, tmp_path: Path) -> None:
    scene, frame = made(small_catalogue, 0)
    write_shard(tmp_path / "shard.h5", [frame], attributes={"seed": 3})
    with h5py.File(tmp_path / "shard.h5") as file:
        stored = json.loads(file["objects"][0])
    for label, item in zip(stored, scene.items, strict=True):
        np.testing.assert_array_equal(label["pose"], frame.pose(item))
        bounds = small_catalogue.info(item.asset).bounds
        np.testing.assert_allclose(label["extent"], item.scale * (bounds[1] - bounds[0]))


def test_what_has_no_pose_says_so(small_catalogue: Catalogue) -> None:
    _, frame = made(small_catalogue, 0)
    with pytest.raises(ValueError, match=r"object 1 \(\w+\) has no pose"):
        replace(frame.objects[0], pose=None).corners()

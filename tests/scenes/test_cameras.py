"""Cameras as people have them: calibrated lenses, poses from files, several views of one scene."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from scenes.assets.catalogue import Catalogue
from scenes.config.loading import load_config, validate
from scenes.errors import InputError
from scenes.record.camera import Camera
from scenes.record.scene import Scene
from scenes.sampling.placement import project
from scenes.sampling.scene import Sampler

K = [[210.0, 0.0, 70.5], [0.0, 170.0, 41.25], [0.0, 0.0, 1.0]]


def sampler(catalogue: Catalogue, **changes: Any) -> Sampler:
    camera = {"resolution": [128, 96], **changes.pop("camera", {})}
    return Sampler(load_config({"camera": camera, **changes}), catalogue)  # type: ignore[arg-type]


def in_opencv(camera: Camera, points: np.ndarray) -> np.ndarray:
    """Where OpenCV's own projection puts world points (n, 3): pixels (n, 2), first pixel's center at (0, 0)."""
    matrix, k = camera.world_to_camera(), camera.intrinsics()
    k[:2, 2] -= 0.5
    turn, _ = cv2.Rodrigues(matrix[:3, :3])
    return np.asarray(cv2.projectPoints(points, turn, matrix[:3, 3], k, None)[0][:, 0])


def test_given_intrinsics_are_those_of_the_picture(small_catalogue: Catalogue) -> None:
    scene = sampler(small_catalogue, camera={"intrinsics": K}).sample(1, 0)
    np.testing.assert_allclose(scene.camera.intrinsics(), K)
    opencv = {"fx": 210, "fy": 170, "cx": 70, "cy": 40.75, "first_pixel": 0}
    again = sampler(small_catalogue, camera={"intrinsics": opencv}).sample(1, 0)
    assert again == scene
    points = np.random.default_rng(0).uniform(-0.3, 0.3, (50, 3)) + scene.items[0].location
    np.testing.assert_allclose(project(scene.camera, points)[0] - 0.5, in_opencv(scene.camera, points), atol=1e-3)


def test_a_lens_changes_only_the_camera(small_catalogue: Catalogue) -> None:
    free = sampler(small_catalogue, background={"kind": "hdri"}).sample(1, 0)
    fixed = sampler(small_catalogue, background={"kind": "hdri"}, camera={"intrinsics": K}).sample(1, 0)
    assert replace(fixed, camera=free.camera) == free


def test_a_resized_camera_sees_the_same() -> None:
    camera = Camera((0, -2, 0), (0, 0, 0), 5, 50, 128, 96, aspect=0.8, center=(70.5, 41.25))
    points = np.random.default_rng(0).uniform(-0.3, 0.3, (50, 3))
    np.testing.assert_allclose(project(camera.resized(64, 48), points)[0], project(camera, points)[0] / 2)


def test_a_fixed_lens_comes_nearer_instead_of_zooming(small_catalogue: Catalogue) -> None:
    far = {"intrinsics": K, "distance": 12}
    small = sampler(small_catalogue, camera=far).sample(1, 0)
    near = sampler(small_catalogue, camera=far, objects={"min_share": 0.1}).sample(1, 0)
    np.testing.assert_allclose(near.camera.intrinsics(), K)
    away = [np.linalg.norm(np.subtract(one.camera.location, one.items[0].location)) for one in (small, near)]
    assert away[1] < 0.7 * away[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([[210, 1, 70], [0, 170, 41], [0, 0, 1]], "there is no skew"),
        ([[210, 0, 70], [0, 170, 41]], "a matrix is written"),
        ({"fx": 210, "fy": 0, "cx": 1, "cy": 1}, "fy: .*greater than 0"),
        ({"fx": 210}, "intrinsics.fy: is missing"),
        ({"fx": 210, "fy": 210, "cx": 1, "cy": 1, "first_pixel": 0.25}, "first_pixel: .*multiple of 0.5"),
    ],
)
def test_bad_intrinsics_are_told(given: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        load_config({"camera": {"intrinsics": given}})


# Poses ---------------------------------------------------------------------------------------------------------------


def poses(number: int = 5) -> np.ndarray:
    """(n, 4, 4) from Blender's camera axes to the world, above the ground, looking anywhere."""
    rng = np.random.default_rng(3)
    stack = np.tile(np.eye(4), (number, 1, 1))
    stack[:, :3, :3] = Rotation.random(number, random_state=4).as_matrix()
    stack[:, :3, 3] = rng.uniform(0.5, 3, (number, 3))
    # Straight down, where no direction is up.
    stack[0, :3, :3] = np.eye(3)
    return stack


def written(stack: np.ndarray, path: Path) -> Path:
    if path.suffix == ".npy":
        np.save(path, stack)
    elif path.suffix == ".txt":
        turns = Rotation.from_matrix(stack[:, :3, :3]).as_euler("xyz")
        np.savetxt(path, np.hstack([stack[:, :3, 3], turns]), fmt="%.17g")
    else:
        frames = [{"file_path": f"{k}.png", "transform_matrix": one.tolist()} for k, one in enumerate(stack)]
        path.write_text(json.dumps({"camera_angle_x": 0.8, "frames": frames}))
    return path


@pytest.mark.parametrize("name", ["poses.npy", "poses.txt", "transforms.json"])
def test_pictures_have_the_poses_of_a_file(name: str, small_catalogue: Catalogue, tmp_path: Path) -> None:
    stack = poses()
    file = written(stack, tmp_path / name)
    drawn = sampler(small_catalogue, camera={"poses": {"file": file}})
    for index in range(7):
        wanted = stack[index % 5] @ np.diag([1.0, -1, -1, 1])
        camera = drawn.sample(0, index).camera
        np.testing.assert_allclose(np.linalg.inv(camera.world_to_camera()), wanted, atol=1e-9)
        assert Scene.from_json(drawn.sample(0, index).to_json()).camera == camera
    if name == "transforms.json":
        assert drawn.sample(0, 0).camera.intrinsics()[0, 0] == pytest.approx(64 / np.tan(0.4))


def test_poses_of_opencv_and_other_units(small_catalogue: Catalogue, tmp_path: Path) -> None:
    stack = poses() @ np.diag([1.0, -1, -1, 1])
    stack[:, :3, 3] *= 1000
    file = written(stack, tmp_path / "poses.npy")
    given = {"file": file, "axes": "opencv", "scale": 0.001}
    camera = sampler(small_catalogue, camera={"poses": given}).sample(0, 1).camera
    np.testing.assert_allclose(camera.location, stack[1, :3, 3] / 1000)
    np.testing.assert_allclose(camera.world_to_camera()[:3, :3].T, stack[1, :3, :3], atol=1e-9)


def test_the_axes_of_a_scaled_scene_are_of_one_length(small_catalogue: Catalogue, tmp_path: Path) -> None:
    scaled = poses()
    scaled[:, :3, :3] *= 0.21024
    for name, stack in (("plain.npy", poses()), ("scaled.npy", scaled)):
        written(stack, tmp_path / name)
    plain, other = (
        sampler(small_catalogue, camera={"poses": {"file": tmp_path / name}}).sample(0, 1).camera.world_to_camera()
        for name in ("plain.npy", "scaled.npy")
    )
    np.testing.assert_allclose(other, plain, atol=1e-9)


def test_the_config_knows_the_content_of_its_poses(small_catalogue: Catalogue, tmp_path: Path) -> None:
    """Pictures depend on it: another content is another config, and a worker refuses it."""
    file = written(poses(), tmp_path / "poses.npy")
    config = load_config({"camera": {"poses": {"file": file}}})
    again = load_config({"camera": {"poses": {"file": file}}})
    written(poses(3), file)
    other = load_config({"camera": {"poses": {"file": file}}})
    assert config.digest() == again.digest() != other.digest()
    with pytest.raises(InputError, match="has changed since"):
        Sampler(validate(config.plain(), "job"), small_catalogue)  # type: ignore[arg-type]


def test_a_file_of_poses_lies_beside_its_config(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("camera: {poses: {file: poses.npy}}\n")
    assert load_config(tmp_path / "mine.yaml").camera.poses.file == tmp_path / "poses.npy"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", b"{}", "no list 'frames'"),
        ("a.json", b'{"frames": [{"transform_matrix": [[1, 2], [3]]}]}', r"not \(n, 4, 4\)"),
        ("a.json", b'{"w": 100, "h": 100, "frames": [{"transform_matrix": []}]}', r"not \(n, 4, 4\)"),
        ("a.npy", b"no numbers", "is no .npy file"),
        ("a.txt", b"1 2 3\n", "3 numbers in a line"),
        ("a.txt", b"1 2 x\n", "not six or sixteen"),
        ("a.csv", b"1", "give a .json, .npy or .txt file"),
        ("a.txt", b"1 0 0 0 0 2 0 0 0 0 1 1 0 0 0 1\n", "pose 0: its axes must be equally long"),
        ("a.txt", b"0 0 -1 0 0 0\n", "pose 0 is 1 m under the ground"),
    ],
)
def test_bad_poses_are_told(name: str, content: bytes, said: str, small_catalogue: Catalogue, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        sampler(small_catalogue, camera={"poses": {"file": tmp_path / name}})


def test_the_lens_of_transforms_fits_or_is_told(small_catalogue: Catalogue, tmp_path: Path) -> None:
    frames = [{"transform_matrix": poses()[1].tolist()}]
    lens = {"fl_x": 400.0, "fl_y": 420.0, "cx": 130.0, "cy": 90.0, "w": 256, "h": 192}
    (tmp_path / "t.json").write_text(json.dumps({**lens, "frames": frames}))
    drawn = sampler(small_catalogue, camera={"poses": {"file": tmp_path / "t.json"}})
    assert drawn.sample(0, 0).camera.intrinsics()[:2].ravel().tolist() == pytest.approx([200, 0, 65, 0, 210, 45])
    # Frames may repeat the lens, as those of instant-ngp do. Different lenses are told.
    (tmp_path / "t.json").write_text(json.dumps({"frames": [{**frames[0], **lens}] * 2}))
    drawn = sampler(small_catalogue, camera={"poses": {"file": tmp_path / "t.json"}})
    assert drawn.sample(0, 0).camera.intrinsics()[:2].ravel().tolist() == pytest.approx([200, 0, 65, 0, 210, 45])
    several = [{**frames[0], **lens}, {**frames[0], **lens, "fl_x": 401.0}]
    (tmp_path / "s.json").write_text(json.dumps({"frames": several}))
    with pytest.raises(InputError, match=r"has several lenses \(fl_x 400\.0, 401\.0\); one is drawn"):
        sampler(small_catalogue, camera={"poses": {"file": tmp_path / "s.json"}})
    with pytest.raises(InputError, match=r"set camera\.resolution to the same shape"):
        sampler(small_catalogue, camera={"poses": {"file": tmp_path / "t.json"}, "resolution": [100, 100]})


# Views ---------------------------------------------------------------------------------------------------------------


def test_views_show_one_scene(small_catalogue: Catalogue) -> None:
    changes: dict[str, Any] = {"background": {"kind": "room"}, "objects": {"count": 2, "clutter": {"count": 1}}}
    drawn = sampler(small_catalogue, camera={"views": 3}, **changes)
    scenes = [drawn.sample(5, index) for index in range(6)]
    for index, scene in enumerate(scenes):
        assert scene.index == index
        first = scenes[index // 3 * 3]
        assert replace(scene, camera=first.camera, index=first.index) == first
    assert len({scene.camera for scene in scenes}) == 6
    assert scenes[0].items != scenes[3].items
    # A room holds the cameras of all its views.
    for scene in scenes:
        low = np.array(scene.background.center[:2]) - np.array(scene.background.size[:2]) / 2
        for other in scenes[scene.index // 3 * 3 :][:3]:
            assert (np.array(other.camera.location[:2]) > low).all()
            assert (np.array(other.camera.location[:2]) < low + scene.background.size[:2]).all()


def test_the_camera_of_a_view_is_that_of_its_index(small_catalogue: Catalogue) -> None:
    """It comes from the same streams as without views: only what it looks at differs."""
    one = sampler(small_catalogue, camera={"distance": 3, "jitter": 0}).sample(5, 4).camera
    many = sampler(small_catalogue, camera={"distance": 3, "jitter": 0, "views": 2}).sample(5, 4).camera
    assert (one.roll, one.focal_length) == (many.roll, many.focal_length)
    np.testing.assert_allclose(
        np.subtract(one.location, one.target), np.subtract(many.location, many.target), atol=1e-12
    )


@pytest.mark.parametrize("rotation", ["upright", "lying"])
def test_the_first_view_sees_the_side(small_catalogue: Catalogue, rotation: str) -> None:
    objects = {"side": 30, "rotation": rotation}
    one = sampler(small_catalogue, objects=objects, background={"kind": "hdri"}).sample(5, 0)
    many = sampler(small_catalogue, objects=objects, background={"kind": "hdri"}, camera={"views": 3})
    assert many.sample(5, 0) == one
    for index in (1, 2):
        view = many.sample(5, index)
        assert view.items == one.items and view.camera != one.camera


def test_views_know_their_factors(small_catalogue: Catalogue) -> None:
    drawn = sampler(small_catalogue, camera={"views": 2}, background={"kind": {"choice": ["hdri", "ground"]}})
    known = drawn.factors(5, 1)
    assert {"camera.azimuth", "objects.scale", "background.kind"} <= set(known)
    turned = drawn.sample(5, 1, {"camera.azimuth": 0.5})
    assert replace(turned, camera=drawn.sample(5, 1).camera) == drawn.sample(5, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"objects": {"occluder": {"present": True}}},
        {"objects": {"crack": {}}},
        {"surface": {}},
    ],
)
def test_what_depends_on_the_camera_has_one_view(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="depends on the camera"):
        load_config({"camera": {"views": 2}, **changes})

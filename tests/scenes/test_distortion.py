"""The formulas of lenses with distortion against OpenCV's, their inverses, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from render.image.labels import hull_box
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import load_config, validate
from scenes.errors import InputError
from scenes.mesh import Model, Part
from scenes.projection import depth_map, outline, seen_triangles
from scenes.record.camera import Camera
from scenes.record.distortion import Distortion, Folded, LensModel, fitted
from scenes.record.scene import Item, Scene
from scenes.sampling.placement import project
from scenes.sampling.scene import Sampler

LENS, SIZE = (420.0, 400.0, 330.25, 236.5), (640, 480)
MODELS: list[tuple[LensModel, tuple[float, ...]]] = [
    ("brown", (-0.28, 0.07, 0.002, -0.001, -0.005, 0, 0, 0)),
    ("brown", (0.2, 0.05, -0.003, 0.002, 0.01, 0, 0, 0)),
    ("brown", (5.0, 2.0, 0.001, 0.001, 0.1, 5.4, 3.5, 0.4)),
    ("fisheye", (0.05, -0.02, 0.01, -0.003)),
    ("fisheye", (0, 0, 0, 0)),
]


def opencv(model: str, coefficients: tuple[float, ...], points: np.ndarray) -> np.ndarray:
    """Where OpenCV shows points (n, 3) in camera axes, with the first pixel's center at (0.5, 0.5)."""
    fx, fy, cx, cy = LENS
    k, still = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]), np.zeros(3)
    shown = cv2.projectPoints if model == "brown" else cv2.fisheye.projectPoints
    return np.asarray(shown(points[:, None], still, still, k, np.array(coefficients, float))[0]).reshape(-1, 2)


def camera(model: LensModel = "brown", coefficients: tuple[float, ...] = MODELS[0][1]) -> Camera:
    fx, fy, cx, cy = LENS
    bent = fitted(model, coefficients, LENS, SIZE)
    return Camera((0, -2, 0.5), (0, 0, 0), 3, fx * 36 / 640, *SIZE, aspect=fy / fx, center=(cx, cy), distortion=bent)


@pytest.mark.parametrize(("model", "coefficients"), MODELS)
def test_pixels_and_rays_are_opencv_s(model: LensModel, coefficients: tuple[float, ...]) -> None:
    seen = camera(model, coefficients)
    pixels = np.random.default_rng(0).uniform((-1, -1), (641, 481), (4000, 2))
    rays = seen.rays(pixels)
    np.testing.assert_allclose(opencv(model, coefficients, rays * 3.7), pixels, atol=1e-6)
    world = np.array(seen.location) + 3.7 * rays @ seen.world_to_camera()[:3, :3]
    shown, depth = project(seen, world)
    np.testing.assert_allclose(shown, pixels, atol=1e-6)
    np.testing.assert_allclose(depth, 3.7)


@pytest.mark.parametrize(("model", "coefficients"), MODELS)
def test_nothing_outside_is_shown_inside(model: LensModel, coefficients: tuple[float, ...]) -> None:
    """Polynomials come back to the picture far outside of it; labels must not."""
    seen = camera(model, coefficients)
    turns = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    away = np.concatenate([r * np.column_stack([np.cos(turns), np.sin(turns)]) for r in np.geomspace(1, 1e4, 60)])
    reach = seen.distortion.reach  # type: ignore[union-attr]
    shown = seen.pixels(away * reach * 1.001)
    assert not ((shown > 0) & (shown < SIZE)).all(axis=1).any()
    # Farther out is farther out.
    radii = np.hypot(*(shown - LENS[2:]).T).reshape(60, 60)
    assert (np.diff(radii, axis=0) > 0).all()


@pytest.mark.parametrize(
    ("model", "coefficients", "told"),
    [
        ("brown", (-0.9, 0, 0, 0, 0, 0, 0, 0), "folds back"),
        ("brown", (0, 0, 0.4, 0.3, 0, 0, 0, 0), "folds back"),
        ("brown", (0, 0, 0, 0, 0, 3.0, 0, 0), "folds back"),
        ("fisheye", (-0.4, 0, 0, 0), "folds back"),
    ],
)
def test_a_model_without_inverse_is_refused(model: LensModel, coefficients: tuple[float, ...], told: str) -> None:
    with pytest.raises(Folded, match=rf"{told} \d+ pixels from the principal point"):
        fitted(model, coefficients, LENS, SIZE)


def test_a_lens_that_sees_too_much_is_refused() -> None:
    with pytest.raises(Folded, match="sees 85 degrees from its axis 297 pixels from the principal point"):
        fitted("fisheye", (0, 0, 0, 0), (200, 200, 320, 240), SIZE)


def test_a_box_holds_what_bends_beyond_its_corners(small_catalogue: Catalogue) -> None:
    """The straight edges of an object that fills the picture bulge outward: the box is around them, too."""
    seen = camera()
    sampled = Sampler(validate({"camera": {"resolution": [64, 64]}}, "test"), small_catalogue).sample(0, 0).items[0]
    thing = replace(sampled, location=(0.0, 0.0, 0.0), scale=1.5)
    info, model = small_catalogue.info(thing.asset), small_catalogue.model(thing.asset)
    shown = seen_triangles(seen, thing, model).points[:2]
    around = [*shown.min(axis=1), *shown.max(axis=1)]
    np.testing.assert_allclose(hull_box(seen, thing, info), around, atol=1.0)


def test_an_outline_bulges_between_corners() -> None:
    """The middle of the side of a square is shown farther out than its ends."""
    seen = replace(camera(), location=(0.0, -2.0, 0.0), roll=0.0)
    square = np.array([(x, 0.0, z) for x in (-1.0, 1.0) for z in (-1.0, 1.0)])
    corners, whole = project(seen, square)[0], project(seen, outline(seen, square))[0]
    assert (whole.max(axis=0) > corners.max(axis=0) + 5).all() and (whole.min(axis=0) < corners.min(axis=0) - 5).all()
    middles = project(seen, np.array([(0.0, 0.0, 1.0), (1.0, 0.0, 0.0)]))[0]
    np.testing.assert_allclose(whole.max(axis=0)[0], middles[1, 0], atol=0.2)


def test_triangles_bend_with_the_lens() -> None:
    """A large square is divided until its sides follow the lens: its mask is that of the rays."""
    seen = camera()
    corners = np.array([(-0.7, 0, -0.4), (0.7, 0, -0.4), (0.7, 0, 0.6), (-0.7, 0, 0.6)], np.float32)
    faces = np.array([(0, 1, 2), (0, 2, 3)], np.int32)
    square = Model((Part("square", corners, faces, np.zeros((2, 3, 3), np.float32)),))
    thing = Item("square", "square", "main", (0, 0, 0), (1, 0, 0, 0), 1.0, {})
    depth = depth_map(seen_triangles(seen, thing, square), SIZE)
    x, y = np.meshgrid(np.arange(640) + 0.5, np.arange(480) + 0.5)
    ways = seen.rays(np.column_stack([x.ravel(), y.ravel()])) @ seen.world_to_camera()[:3, :3]
    away = -seen.location[1] / ways[:, 1]
    hit = np.array(seen.location) + ways * away[:, None]
    inside = (np.abs(hit[:, 0]) <= 0.7) & (hit[:, 2] >= -0.4) & (hit[:, 2] <= 0.6)
    inside, away = inside.reshape(480, 640), away.reshape(480, 640)
    assert 0.1 < inside.mean() < 0.9
    assert (np.isfinite(depth) != inside).mean() < 5e-4
    both = np.isfinite(depth) & inside
    assert np.abs(depth[both] / away[both] - 1).max() < 5e-4


def drawn(catalogue: Catalogue, **camera: Any) -> Scene:
    config = validate({"camera": {"resolution": [640, 480], **camera}}, "test")
    return Sampler(config, catalogue).sample(1, 0)


K = [[420, 0, 330.25], [0, 400, 236.5], [0, 0, 1]]


def test_a_list_is_in_opencv_s_order(small_catalogue: Catalogue) -> None:
    listed = drawn(small_catalogue, intrinsics=K, distortion=[-0.28, 0.07, 0.002, -0.001, -0.005])
    named = {"k1": -0.28, "k2": 0.07, "p1": 0.002, "p2": -0.001, "k3": -0.005}
    assert drawn(small_catalogue, intrinsics=K, distortion=named) == listed
    assert listed.camera.distortion == camera().distortion
    assert Scene.from_json(listed.to_json()) == listed
    plain = drawn(small_catalogue, intrinsics=K)
    assert plain.camera.distortion is None and plain.items == listed.items and plain.lights == listed.lights


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"distortion": [0.1, 0, 0, 0]}, "distortion is counted in focal lengths: give intrinsics, too"),
        ({"intrinsics": K, "distortion": [-0.9, 0, 0, 0]}, "distortion: the model folds back .* crop the picture"),
        ({"intrinsics": K, "distortion": [0.1]}, "a list has k1, k2, p1, p2 and perhaps k3"),
        ({"intrinsics": K, "distortion": {"model": "fisheye", "p1": 0.1}}, "p1 is no coefficient of the model fisheye"),
    ],
)
def test_a_wrong_config_is_one_line(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        load_config({"camera": {"resolution": [640, 480], **given}})
    assert "\n" not in str(caught.value)


def test_a_transforms_json_brings_its_distortion(small_catalogue: Catalogue, tmp_path: Path) -> None:
    pose = np.eye(4)
    pose[:3, 3] = (0, 0, 4)
    lens = {"w": 1280, "h": 960, "fl_x": 840, "fl_y": 800, "cx": 660.5, "cy": 473.0}
    content = {**lens, "k1": -0.28, "k2": 0.07, "p1": 0.002, "p2": -0.001, "k3": -0.005}
    content["frames"] = [{"transform_matrix": pose.tolist()}]
    file = tmp_path / "transforms.json"
    file.write_text(json.dumps(content))
    bent = drawn(small_catalogue, poses={"file": str(file)}).camera.distortion
    assert bent == camera().distortion
    angles = {"k1": 0.05, "k2": -0.02, "k3": 0.01, "k4": -0.003, "p1": 0.0, "p2": 0.0}
    file.write_text(json.dumps({**content, **angles, "camera_model": "OPENCV_FISHEYE"}))
    bent = drawn(small_catalogue, poses={"file": str(file)}).camera.distortion
    assert bent == Distortion("fisheye", MODELS[3][1], bent.reach)  # type: ignore[union-attr]
    for change, told in (({"k1": -0.9}, "folds back"), ({"k1": 1e9}, "less than or equal to")):
        file.write_text(json.dumps({**content, **change}))
        with pytest.raises(InputError, match=told):
            drawn(small_catalogue, poses={"file": str(file)})


# Calibrations in files ---------------------------------------------------------------------------------------------


def stored(path: Path, fisheye: bool = False, **more: Any) -> Path:
    """A calibration that OpenCV writes itself."""
    coefficients = MODELS[3 if fisheye else 0][1]
    file = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    for name, value in more.items():
        file.write(name, value)
    large = more.get("image_width", 640) / 640
    matrix = [[420.0 * large, 0, 330.25 * large - 0.5], [0, 400.0 * large, 236.5 * large - 0.5], [0, 0, 1]]
    file.write("camera_matrix", np.array(matrix))
    file.write("distortion_coefficients", np.array(coefficients)[:, None])
    file.release()
    return path


def test_opencv_s_files_are_read(small_catalogue: Catalogue, tmp_path: Path) -> None:
    drawn_by_hand = drawn(small_catalogue, intrinsics=K, distortion=list(MODELS[0][1]))
    assert drawn(small_catalogue, calibration=str(stored(tmp_path / "a.yml"))) == drawn_by_hand
    fisheye = drawn(small_catalogue, calibration=str(stored(tmp_path / "b.yml", fisheye=True, fisheye_model=1)))
    assert fisheye.camera.distortion == camera("fisheye", MODELS[3][1]).distortion
    large = stored(tmp_path / "c.yml", image_width=1280, image_height=960)
    assert drawn(small_catalogue, calibration=str(large)) == drawn_by_hand
    config = tmp_path / "config.yaml"
    config.write_text("camera: {resolution: [640, 480], calibration: a.yml}")
    assert load_config(config).plain()["camera"]["calibration"] is None
    assert load_config(config).plain()["camera"]["distortion"]["k1"] == -0.28


def test_ros_s_files_are_read(small_catalogue: Catalogue, tmp_path: Path) -> None:
    file = tmp_path / "ros.yaml"
    file.write_text(
        "image_width: 640\nimage_height: 480\ncamera_name: left\n"
        "camera_matrix: {rows: 3, cols: 3, data: [420, 0, 329.75, 0, 400, 236, 0, 0, 1]}\n"
        "distortion_model: plumb_bob\n"
        "distortion_coefficients: {rows: 1, cols: 5, data: [-0.28, 0.07, 0.002, -0.001, -0.005]}\n"
    )
    assert drawn(small_catalogue, calibration=str(file)).camera.distortion == camera().distortion


ROS_MESSAGE = """header:
  stamp: {sec: 1662013622, nanosec: 672922214}
  frame_id: default_cam
height: 960
width: 1280
distortion_model: plumb_bob
d: [-0.28, 0.07, 0.002, -0.001, -0.005]
k:
- 840.0
- 0.0
- 660.0
- 0.0
- 800.0
- 472.5
- 0.0
- 0.0
- 1.0
roi: {x_offset: 0, y_offset: 0, height: 0, width: 0}
---
height: 1
---
"""
KALIBR = """cam0:
  cam_overlaps: []
  camera_model: pinhole
  distortion_coeffs: [-0.28, 0.07, 0.002, -0.001, -5e-3]
  distortion_model: radtan
  intrinsics: [420.0, 400.0, 329.75, 236.0]
  resolution: [640, 480]
  rostopic: /cam0/image_raw
"""
EUROC = """sensor_type: camera
T_BS: {cols: 1, rows: 1, data: [1.0]}
resolution: [640, 480]
camera_model: pinhole
intrinsics: [420.0, 400.0, 329.75, 236.0] #fu, fv, cu, cv
distortion_model: radial-tangential
distortion_coefficients: [-0.28, 0.07, 0.002, -0.001, -0.005]
"""
NERFSTUDIO = """{"camera_model": "OPENCV", "w": 1280.0, "h": 960, "fl_x": 840, "fl_y": 800, "cx": 660.5, "cy": 473,
"k1": -0.28, "k2": 0.07, "p1": 0.002, "p2": -0.001, "k3": -0.005, "k4": 0.0, "frames": []}"""
XML_OF_OPENCV_2 = """<?xml version="1.0"?>
<!-- made by a person -->
<opencv_storage>
<calibration_Time>"Mon Apr 17 14:24:32 2023"</calibration_Time>
<image_Width>640</image_Width>
<image_Height>480</image_Height>
<Camera_Matrix type_id="opencv-matrix"><rows>3</rows><cols>3</cols><dt>d</dt>
  <data>
    420 0. 329.75 0. 4.0e+002 236 0. 0. 1.</data></Camera_Matrix>
<Distortion_Coefficients type_id="opencv-matrix"><rows>5</rows><cols>1</cols><dt>d</dt>
  <data>
    -2.8e-001 0.07 2e-3 -0.001
    -0.005</data></Distortion_Coefficients>
</opencv_storage>
"""


@pytest.mark.parametrize(
    "text",
    [
        ROS_MESSAGE,
        KALIBR,
        EUROC,
        NERFSTUDIO,
        XML_OF_OPENCV_2,
        "mtx: [[420, 0, 329.75], [0, 400, 236], [0, 0, 1]]\ndist_coeff: [[-0.28, 0.07, 0.002, -0.001, -0.005]]",
    ],
)
def test_files_of_others_are_read(small_catalogue: Catalogue, tmp_path: Path, text: str) -> None:
    """The same lens, each in a form that a tool writes. Nerfstudio counts from the first pixel's edge."""
    (tmp_path / "file").write_text(text)
    found = drawn(small_catalogue, calibration=str(tmp_path / "file"))
    assert found.camera.distortion == camera().distortion
    assert found == drawn(small_catalogue, intrinsics=K, distortion=list(MODELS[0][1]))


def test_a_fisheye_without_coefficients_is_one(small_catalogue: Catalogue, tmp_path: Path) -> None:
    """It shows equal angles at equal distances; an ideal lens does not."""
    (tmp_path / "file").write_text(
        ROS_MESSAGE.replace("plumb_bob", "equidistant").replace("-0.28, 0.07, 0.002", "0, 0")
    )
    lens = load_config({"camera": {"resolution": [640, 480], "calibration": str(tmp_path / "file")}}).plain()["camera"]
    assert lens["distortion"]["model"] == "fisheye"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no calibration"),
        ("camera_matrix: [1, 2, 3]", "gives no camera_matrix"),
        ("camera_matrix: [[1, 0, x], [0, 1, 0], [0, 0, 1]]", "is no matrix of numbers"),
        ("K: [420, 0, .nan, 0, 400, 2, 0, 0, 1]", "is no matrix of numbers"),
        ("K: [0, 0, 3, 0, 400, 2, 0, 0, 1]", "must be positive"),
        (
            "K: [420, 0, 3, 0, 400, 2, 0, 0, 1]\nimage_width: 100\nimage_height: 100",
            "set camera.resolution to the same",
        ),
        (
            "K: [420, 0, 3, 0, 400, 2, 0, 0, 1]\nwidth: 100\nheight: 100",
            "is for pictures of 100 x 100",
        ),
        ("K: [420, 0, 3, 0, 400, 2, 0, 0, 1]\nimage_width: x\nimage_height: 9", "not two whole numbers"),
        ("K: [420, 0, 3, 0, 400, 2, 0, 0, 1]\nD: [0, 0, 0, 0, 0, 0, 0, 0, 0.1]", "thin prisms"),
        ("K: [420, 0, 3, 0, 400, 2, 0, 0, 1]\ndistortion_model: mei", "has the lens model mei; drawn are plumb_bob"),
        ("K: [420, 0, 3, 0, 400, 2, 0, 0, 1]\ndistorsion: [0.1]", "distorsion is no name we know"),
        ("K: !!python/object/apply:os.getcwd []", "not YAML"),
        (KALIBR + KALIBR.replace("cam0", "cam1"), "has cam0, cam1; leave the section of one camera"),
        (KALIBR.replace("pinhole", "omni").replace("[420.0", "[1.2, 420.0"), "a camera of omni with 5 intrinsics"),
        (KALIBR.replace("640, 480", "640"), "not two whole numbers"),
        (NERFSTUDIO.replace('"k4": 0.0', '"k4": 0.1'), "which Nerfstudio does not use as OpenCV does"),
        ('{"frames": []}', "tells no lens; it needs fl_x or camera_angle_x"),
        (NERFSTUDIO.replace("OPENCV", "EQUIRECTANGULAR"), "has the lens model EQUIRECTANGULAR"),
    ],
)
def test_a_wrong_calibration_is_one_line(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.yml").write_text("%YAML:1.0\n---\n" + text)
    with pytest.raises(InputError, match=told) as caught:
        load_config({"camera": {"resolution": [640, 480], "calibration": str(tmp_path / "wrong.yml")}})
    assert "\n" not in str(caught.value) and "wrong.yml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<a><b></a>", "not XML"),
        ("<a/>", "gives no camera_matrix"),
        ('<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>', "declares what a calibration does not need"),
    ],
)
def test_wrong_xml_is_one_line(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.xml").write_text(text)
    with pytest.raises(InputError, match=told) as caught:
        load_config({"camera": {"resolution": [640, 480], "calibration": str(tmp_path / "wrong.xml")}})
    assert "\n" not in str(caught.value)


def test_a_calibration_stands_alone(tmp_path: Path) -> None:
    file = str(stored(tmp_path / "a.yml"))
    with pytest.raises(InputError, match="calibration gives intrinsics and distortion"):
        load_config({"camera": {"resolution": [640, 480], "calibration": file, "intrinsics": K}})

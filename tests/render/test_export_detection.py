"""Exports for detection, segmentation and 6D poses: YOLO, polygons of COCO, BOP."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
import yaml
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from render.cli.dataset import export
from render.dataset.dataset import Dataset
from render.dataset.export import export_dataset
from render.dataset.export.bop import write_bop
from render.dataset.export.outline import joined, outlines
from render.dataset.export.yolo import _centered, _numbers, finish_yolo_pose
from render.render_set import render_set
from scenes.errors import InputError
from scenes.record.distortion import Distortion
from tests.frames import CLASSES, make_dataset, redrawn

Bools = NDArray[np.bool_]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("data") / "set", count=4, shard_size=2, objects=3)


def filled(polygons: list[np.ndarray], shape: tuple[int, ...]) -> Bools:
    """The pixels whose centers lie in a polygon of all points, drawn at eight times the size."""
    fine = np.zeros((shape[0] * 8, shape[1] * 8), np.uint8)
    for polygon in polygons:
        cv2.fillPoly(fine, [np.round(polygon * 8 - 0.5).astype(np.int32)], 1)
    return fine[4::8, 4::8] > 0


def iou(a: Bools, b: Bools) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_an_outline_encloses_its_mask() -> None:
    mask = np.zeros((40, 50), bool)
    mask[5:20, 4:9], mask[30:34, 20:45], mask[25, 2] = True, True, True
    polygons = outlines(mask)
    assert len(polygons) == 3
    assert iou(filled(polygons, mask.shape), mask) == 1.0
    assert iou(filled([joined(polygons)], mask.shape), mask) > 0.9
    low, high = polygons[0].min(axis=0), polygons[0].max(axis=0)
    largest = [20, 30, 45, 34]  # x and y of the strip
    np.testing.assert_allclose([*low, *high], largest, atol=1 / 6 + 1e-9)


def test_readers_make_the_mask_of_its_outline() -> None:
    """A net of cracks: rings around holes, one in another, and parts in a row."""
    mask = np.zeros((60, 80), bool)
    for low, high, thick in ((3, 50, 3), (14, 40, 4), (24, 30, 2)):
        mask[low:high, low:high] = True
        mask[low + thick : high - thick, low + thick : high - thick] = False
    mask[5:40:5, 60:63] = True
    # pycocotools reads polygons, one for each part.
    polygons = [polygon.ravel().tolist() for polygon in outlines(mask)]
    np.testing.assert_array_equal(coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(polygons, 60, 80))) > 0, mask)
    # Ultralytics draws one polygon, and each bridge as a line. Here these lie between the rings and along the row.
    read = cv2.fillPoly(np.zeros(mask.shape, np.uint8), [joined(outlines(mask)).astype(np.int32)], 1) > 0
    assert read[mask].all() and (read & ~mask).sum() <= 12 + 2 * 8 + 7 * 4


def labels(folder: Path, frame_index: int) -> list[list[float]]:
    text = (folder / "labels/train" / f"{frame_index:06d}.txt").read_text()
    return [[float(word) for word in line.split()] for line in text.splitlines()]


def test_yolo_has_boxes(dataset: Dataset, tmp_path: Path) -> None:
    export_dataset(dataset, tmp_path / "out", "yolo")
    data = yaml.safe_load((tmp_path / "out/data.yaml").read_text())
    assert data == {"train": "images/train", "val": "images/train", "names": dict(enumerate(CLASSES))}
    for frame in dataset:
        with Image.open(tmp_path / "out/images/train" / f"{frame.index:06d}.png") as image:
            np.testing.assert_array_equal(np.array(image), frame.rgb)
        wanted = [label for label in frame.objects if label.box and label.category in CLASSES]
        rows = labels(tmp_path / "out", frame.index)
        assert len(rows) == len(wanted) > 0
        height, width = frame.instance.shape
        for (number, x, y, w, h), label in zip(rows, wanted, strict=True):
            assert CLASSES[int(number)] == label.category
            box = np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2]) * [width, height, width, height]
            np.testing.assert_allclose(box, label.box, atol=1e-3)


@pytest.mark.parametrize("box", [(0, 0, 160, 116), (1, 113, 160, 120), (0, 0, 160, 120), (158, 1, 160, 4)])
def test_a_yolo_box_stays_in_the_picture(box: tuple[float, float, float, float]) -> None:
    """Albumentations refuses a box that begins at -5e-7."""
    x, y, w, h = (float(word) for word in _numbers(_centered(box, 160, 120)).split())
    found = np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
    assert (found >= 0).all() and (found <= 1).all()
    np.testing.assert_allclose(found * [160, 120, 160, 120], box, atol=1e-3)


def test_yolo_pose_needs_keypoints(tmp_path: Path) -> None:
    """Ultralytics refuses a data.yaml of zero keypoints."""
    with pytest.raises(InputError, match="no object shows a keypoint, yolo-pose needs some; use --format yolo"):
        finish_yolo_pose(lambda: iter(['["000000", [["0 0.5 0.5 1 1", {}]]]']), ("crack",), tmp_path)


def test_yolo_has_outlines(dataset: Dataset, tmp_path: Path) -> None:
    export_dataset(dataset, tmp_path / "out", "yolo-segment")
    for frame in dataset:
        wanted = [label for label in frame.objects if label.box and label.category in CLASSES]
        for row, label in zip(labels(tmp_path / "out", frame.index), wanted, strict=True):
            polygon = np.array(row[1:]).reshape(-1, 2) * frame.instance.shape[::-1]
            assert iou(filled([polygon], frame.instance.shape), frame.instance == label.instance) > 0.9


def test_yolo_has_keypoints(dataset: Dataset, tmp_path: Path) -> None:
    export_dataset(dataset, tmp_path / "out", "yolo-pose")
    data = yaml.safe_load((tmp_path / "out/data.yaml").read_text())
    names, seen = data["keypoints"], 0
    assert data["kpt_shape"] == [len(names), 3] and len(names) >= 1
    for frame in dataset:
        height, width = frame.instance.shape
        wanted = [label for label in frame.objects if label.box and label.category in CLASSES]
        for row, label in zip(labels(tmp_path / "out", frame.index), wanted, strict=True):
            for name, (x, y, v) in zip(names, np.array(row[5:]).reshape(-1, 3), strict=True):
                point = label.keypoints.get(name)
                if v == 0:
                    assert point is None or not (0 <= point.x < width and 0 <= point.y < height)
                    continue
                assert point is not None and v == 1 + point.visible
                np.testing.assert_allclose([x * width, y * height], [point.x, point.y], atol=1e-3)
                seen += 1
    assert seen


def test_coco_has_polygons_cameras_and_purposes(dataset: Dataset, tmp_path: Path) -> None:
    export_dataset(dataset, tmp_path / "out", "coco")
    rle = COCO(str(tmp_path / "out/annotations/instances.json"))
    polygons = COCO(str(tmp_path / "out/annotations/instances_polygons.json"))
    assert rle.getAnnIds() == polygons.getAnnIds()
    for one, other in zip(rle.loadAnns(rle.getAnnIds()), polygons.loadAnns(polygons.getAnnIds()), strict=True):
        assert iou(rle.annToMask(one) > 0, polygons.annToMask(other) > 0) > 0.99
        assert {**one, "segmentation": 0} == {**other, "segmentation": 0}
        frame = dataset[one["image_id"]]
        assert one["purpose"] in {label.purpose for label in frame.objects}
    for image in rle.loadImgs(rle.getImgIds()):
        np.testing.assert_array_equal(image["intrinsics"], dataset[image["id"]].intrinsics)


def test_bop_needs_objects_of_one_size(tmp_path: Path) -> None:
    many = make_dataset(tmp_path / "set", count=3, shard_size=3, objects=2)
    with pytest.raises(InputError, match=r"set: field|two sizes|has no objects|the job"):
        export_dataset(many, tmp_path / "out", "bop")
    assert not (tmp_path / "out").exists()


def test_bop_poses_project_the_models_onto_their_masks(tmp_path: Path) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    config = {
        "extends": "smoke",
        "classes": ["mug", "chair"],
        "objects": {"count": 2, "scale": 0.4},
        "camera": {"resolution": [96, 72], "intrinsics": [[130, 0, 50], [0, 120, 33], [0, 0, 1]], "framing": 0.9},
        "background": {"kind": "color", "shadow": False},
        "render": {"samples": 1, "denoise": False},
    }
    rendered = render_set(config, tmp_path / "set", images=5, workers=1)
    for name, workers in (("out", 1), ("again", 2)):
        export_dataset(rendered, tmp_path / name, "bop", workers=workers)
    for path in (tmp_path / "out").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(tmp_path / "out")).read_bytes(), path.name
    folder = tmp_path / "out/train_pbr/000000"
    camera = json.loads((tmp_path / "out/camera.json").read_text())
    assert (camera["fx"], camera["fy"], camera["cx"], camera["cy"]) == pytest.approx((130, 120, 49.5, 32.5))
    cameras, truths, infos = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("scene_camera", "scene_gt", "scene_gt_info")
    )
    models = json.loads((tmp_path / "out/models/models_info.json").read_text())
    for frame in rendered:
        key = str(frame.index)
        assert len(truths[key]) == len(frame.scene.items) == 2  # type: ignore[attr-defined]
        for place, (truth, info) in enumerate(zip(truths[key], infos[key], strict=True)):
            mesh = trimesh.load(tmp_path / "out/models" / f"obj_{truth['obj_id']:06d}.ply")
            told = models[str(truth["obj_id"])]
            np.testing.assert_allclose(mesh.extents, [told[f"size_{axis}"] for axis in "xyz"], rtol=1e-5)
            assert np.linalg.norm(mesh.extents) == pytest.approx(400, rel=1e-3) and told["diameter"] <= 400.4
            turn = np.array(truth["cam_R_m2c"]).reshape(3, 3)
            k = np.array(cameras[key]["cam_K"]).reshape(3, 3)
            shift = np.array(truth["cam_t_m2c"])
            points = cv2.projectPoints(mesh.vertices, cv2.Rodrigues(turn)[0], shift, k, None)[0][:, 0]
            inside = ((points >= 0) & (points <= [95, 71])).all(axis=1)
            with Image.open(folder / "mask" / f"{frame.index:06d}_{place:06d}.png") as image:
                mask = np.array(image) > 0
            columns, rows = np.round(points[inside]).astype(int).T
            grown = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            assert inside.any() and grown[rows, columns].all()
            label = frame.objects[place]
            assert label.amodal_box is not None
            x, _, w, _ = info["bbox_obj"]
            if label.amodal_box[0] > 0 and label.amodal_box[2] < 96 and label.amodal_box[1] > 0:
                np.testing.assert_allclose([x, x + w], label.amodal_box[::2], atol=1.5)
            assert info["px_count_visib"] == label.pixels and 0 <= info["visib_fract"] <= 1
        with Image.open(folder / "depth" / f"{frame.index:06d}.png") as image:
            depth = np.array(image)
        there = np.isfinite(frame.depth)
        np.testing.assert_allclose(depth[there], frame.depth[there] * 1000, atol=0.51)
        assert not depth[~there].any()


def test_a_scene_is_written_as_a_blend_file(tmp_path: Path) -> None:
    bpy = pytest.importorskip("bpy", reason="needs Blender's module")
    config = {
        "extends": "smoke",
        "classes": ["mug"],
        "camera": {"resolution": [40, 32]},
        "background": {"kind": "ground"},
        "render": {"samples": 1, "denoise": False},
    }
    render_set(config, tmp_path / "set", images=2, workers=1)
    ran = CliRunner().invoke(export, [str(tmp_path / "set"), str(tmp_path / "x/scene.blend"), "--blend", "1"])
    assert ran.exit_code == 0, ran.output
    with bpy.data.libraries.load(str(tmp_path / "x/scene.blend")) as (there, _):
        assert {"camera", "item.00"} <= set(there.objects)
        assert there.meshes and there.materials and there.worlds
    for words, said in (
        (["scene.png", "--blend", "1"], "ends in .blend"),
        (["scene.blend", "--blend", "2"], "no number 2"),
        (["out"], "give --format"),
    ):
        ran = CliRunner().invoke(export, [str(tmp_path / "set"), *words])
        assert isinstance(ran.exception, InputError) and said in str(ran.exception)


def test_a_lens_with_distortion_is_told_or_refused(tmp_path: Path) -> None:
    """COCO's file names the coefficients, and BOP has no place for them."""
    data = make_dataset(tmp_path / "set", count=1, shard_size=1)
    frame = data.frame(0)
    bent = replace(frame.scene.camera, distortion=Distortion("brown", (-0.1, 0, 0, 0, 0, 0, 0, 0), 1.0))
    data = redrawn(data, 0, [replace(frame, scene=replace(frame.scene, camera=bent))])
    export_dataset(data, tmp_path / "coco", "coco")
    (image,) = json.loads((tmp_path / "coco/annotations/instances.json").read_text())["images"]
    assert image["distortion"] == {"model": "brown", "coefficients": [-0.1, 0, 0, 0, 0, 0, 0, 0]}
    with pytest.raises(InputError, match="picture 0 has a lens with distortion, bop knows none"):
        write_bop([data.frame(0)], CLASSES, tmp_path / "bop", 0, None)  # type: ignore[arg-type]

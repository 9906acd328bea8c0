"""Masks of classes in the layouts of public sets, and in data sets of blendmill."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as rle

from render.dataset.export.coco import finish_coco, write_coco
from scenes.errors import InputError
from segment.classes.sets import open_classes, renumbered
from segment.config import SegmentConfig
from segment.datasets import open_datasets
from segment.ignored import IGNORED
from tests.frames import CLASSES, make_dataset
from tests.segment.shapes_of_classes import NAMES, shapes


def saved(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return path


RGB = np.full((40, 50, 3), 90, np.uint8)


def test_a_data_set_of_blendmill_has_its_category_label_and_its_objects(tmp_path: Path) -> None:
    frames = list(make_dataset(tmp_path / "set", 3).frames())
    pictures = open_classes(tmp_path / "set")
    assert pictures.classes == ("background", *CLASSES) and pictures.size == 3
    for k, frame in enumerate(frames):
        picture = pictures.read(k)
        assert picture.ids is not None and picture.instances is not None and picture.mask is None
        assert np.array_equal(picture.ids, frame.category) and np.array_equal(picture.instances, frame.instance)
        assert np.array_equal(picture.rgb, frame.rgb)


def test_an_export_to_coco_is_read_like_the_set_itself(tmp_path: Path) -> None:
    frames = list(make_dataset(tmp_path / "set", 3).frames())
    lines = write_coco(frames, CLASSES, tmp_path / "coco", 0)
    finish_coco(lambda: iter(lines), CLASSES, tmp_path / "coco")
    ours, theirs = open_classes(tmp_path / "set"), open_classes(tmp_path / "coco")
    assert theirs.classes == ours.classes
    for k in range(3):
        one, other = ours.read(k), theirs.read(k)
        assert np.array_equal(one.ids, other.ids)
        pairs = np.unique(np.stack([one.instances, other.instances]).reshape(2, -1), axis=1)
        assert len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]


def test_coco_with_polygons_runs_crowds_and_ids_with_gaps(tmp_path: Path) -> None:
    saved(tmp_path / "val2017" / "a.jpg", RGB)
    small = np.zeros((40, 50), np.uint8, order="F")
    small[20:24, 12:16] = 1
    packed = rle.encode(small)
    crowd = {"size": [40, 50], "counts": [0, 40 * 5, 40 * 45]}
    data = {
        "images": [{"id": 7, "file_name": "a.jpg", "height": 40, "width": 50}],
        "categories": [{"id": 90, "name": "cup"}, {"id": 3, "name": "car"}],
        "annotations": [
            {"image_id": 7, "category_id": 3, "segmentation": {**packed, "counts": packed["counts"].decode()}},
            {"image_id": 7, "category_id": 90, "segmentation": [[10, 10, 30, 10, 30, 30, 10, 30]]},
            {"image_id": 7, "category_id": 3, "segmentation": crowd, "iscrowd": 1},
        ],
    }
    (tmp_path / "annotations").mkdir()
    path = tmp_path / "annotations" / "instances_val2017.json"
    path.write_text(json.dumps(data))
    pictures = open_classes(tmp_path)
    picture = pictures.read(0)
    assert pictures.classes == ("background", "car", "cup") and picture.ids is not None
    wanted = np.zeros((40, 50), np.uint8)
    wanted[10:30, 10:30] = 2
    wanted[small > 0] = 1  # the smaller object is seen
    wanted[:, :5] = IGNORED
    assert np.array_equal(picture.ids, wanted)
    assert picture.instances is not None and picture.instances[21, 13] == 1 and picture.instances[10, 10] == 2
    for change, words in (
        ({"images": [{**data["images"][0], "file_name": "../b.jpg"}]}, "names the picture '../b.jpg'"),
        (
            {"annotations": [*data["annotations"], {"image_id": 7, "category_id": 3}]},
            "an annotation cannot be read: KeyError('segmentation')",
        ),
        ({"annotations": [{"image_id": 7, "category_id": 5, "segmentation": []}]}, "KeyError(5)"),
        ({"categories": 3}, "not COCO's annotations"),
    ):
        path.write_text(json.dumps({**data, **change}))
        with pytest.raises(InputError, match=r"^[^\n]*$") as told:
            open_classes(tmp_path).read(0)
        assert words in str(told.value)


def test_cityscapes(tmp_path: Path) -> None:
    labels = np.full((40, 50), 7, np.uint8)
    labels[:, 20:30] = 26
    labels[:5] = 3  # out of the region of interest
    things = labels.astype(np.uint16)
    things[10:20, 20:30], things[20:30, 20:30] = 26001, 26000
    for split, city in (("train", "aachen"), ("val", "ulm")):
        stem = f"{split}/{city}/{city}_000001_000019"
        saved(tmp_path / "leftImg8bit" / f"{stem}_leftImg8bit.png", RGB)
        saved(tmp_path / "gtFine" / f"{stem}_gtFine_labelIds.png", labels)
        saved(tmp_path / "gtFine" / f"{stem}_gtFine_instanceIds.png", things)
    pictures = open_classes(tmp_path)
    assert len(pictures.classes) == 19 and pictures.size == 2 and pictures.classes[13] == "car"
    picture = pictures.read(0)
    assert picture.ids is not None and picture.ids[30, 0] == 0 and picture.ids[30, 25] == 13
    assert (picture.ids[:5] == IGNORED).all()
    assert picture.instances is not None and picture.instances[15, 25] == 2 and picture.instances[25, 25] == 1
    assert picture.instances[35, 25] == 0
    config = SegmentConfig(data={"source": [{"where": str(tmp_path), "split": "val"}], "holdout": 0}, classes="all")
    opened = open_datasets(config)
    assert opened.source[0].pictures.where(0).endswith("picture val/ulm/ulm_000001_000019")
    assert opened.classes == pictures.classes
    with pytest.raises(InputError, match="no split 'vall', did you mean 'val'"):
        open_datasets(config.model_validate({**config.model_dump(), "data": {"source": [
            {"where": str(tmp_path), "split": "vall"}]}}))  # fmt: skip


def test_ade20k(tmp_path: Path) -> None:
    (tmp_path / "objectInfo150.txt").write_text("Idx\tRatio\tName\n1\t0.1\twall\n2\t0.2\tbuilding, edifice\n")
    saved(tmp_path / "images" / "validation" / "v1.jpg", RGB)
    values = np.repeat(np.uint8([[0] * 10 + [1] * 20 + [2] * 20]), 40, axis=0)
    mask = saved(tmp_path / "annotations" / "validation" / "v1.png", values)
    pictures = open_classes(tmp_path)
    assert pictures.classes == ("wall", "building")
    picture = pictures.read(0)
    assert picture.ids is not None and picture.ids[0, [0, 15, 45]].tolist() == [IGNORED, 0, 1]
    saved(mask, values + 1)
    with pytest.raises(InputError, match=r"v1.png: has the value 3, but objectInfo150.txt has 2 classes"):
        pictures.read(0)


def test_numbers_in_a_folder_have_names_and_a_value_that_counts_nowhere(tmp_path: Path) -> None:
    root = shapes(tmp_path / "set", 1, 0)
    (root / "classes.txt").unlink()
    with pytest.raises(InputError, match=r"nobody names its classes; write classes.txt there"):
        open_classes(root)
    pictures = open_classes(root, NAMES, ignore=4)
    ids = np.asarray(Image.open(root / "mask" / "0.png"))
    assert pictures.classes == NAMES
    assert np.array_equal(pictures.read(0).ids, np.where(ids == 4, IGNORED, ids))
    with pytest.raises(InputError, match=r"has the value 4, but there are 4 classes, ground to bar; .* are 255"):
        open_classes(root, NAMES[:4]).read(0)
    Image.fromarray(ids).convert("P").save(root / "mask" / "0.png")
    assert np.array_equal(open_classes(root, NAMES).read(0).ids, ids)
    Image.fromarray(ids).convert("RGB").save(root / "mask" / "0.png")
    assert np.array_equal(open_classes(root, NAMES).read(0).ids, ids)  # three equal channels are one number
    saved(root / "mask" / "0.png", ids[:-1])
    with pytest.raises(InputError, match="its mask has 48 x 47, its picture 48 x 48 pixels"):
        open_classes(root, NAMES).read(0)
    (root / "classes.txt").write_text("a\na\n")
    with pytest.raises(InputError, match="names a class twice"):
        open_classes(root)


def test_classes_are_matched_by_name(tmp_path: Path) -> None:
    root = shapes(tmp_path / "set", 1, 0)
    before = open_classes(root)
    after = renumbered(before, ("frame", "ground"))
    ids, found = before.read(0).ids, after.read(0).ids
    assert ids is not None and found is not None and after.classes == ("frame", "ground")
    wanted = np.select([ids == NAMES.index("frame"), ids == NAMES.index("ground")], [0, 1], IGNORED)
    assert np.array_equal(found, wanted) and after.digest != before.digest
    with pytest.raises(InputError, match="has no class 'fram', did you mean 'frame'"):
        renumbered(before, ("fram",))


def panoptic(folder: Path) -> dict[str, Any]:
    """A set in COCO's panoptic layout: a sky, two cups, one of them a crowd, and pixels that nobody labeled."""
    saved(folder / "val2017" / "a.jpg", RGB)
    ids = np.zeros((40, 50), np.int64)
    ids[:20], ids[20:30, :10], ids[20:30, 20:30], ids[30:, :10] = 70_000, 300, 5, 9
    colors = np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=-1).astype(np.uint8)
    saved(folder / "annotations" / "panoptic_val2017" / "a.png", colors)
    segments = [
        {"id": 70_000, "category_id": 187},
        {"id": 300, "category_id": 47},
        {"id": 5, "category_id": 47, "iscrowd": 0},
        {"id": 9, "category_id": 47, "iscrowd": 1},
    ]
    data: dict[str, Any] = {
        "images": [{"id": 7, "file_name": "a.jpg", "height": 40, "width": 50}],
        "categories": [{"id": 187, "name": "sky", "isthing": 0}, {"id": 47, "name": "cup", "isthing": 1}],
        "annotations": [{"image_id": 7, "file_name": "a.png", "segments_info": segments}],
    }
    write(folder, data)
    return data


def write(folder: Path, data: dict[str, Any]) -> None:
    (folder / "annotations" / "panoptic_val2017.json").write_text(json.dumps(data))


def test_coco_panoptic_has_things_stuff_crowds_and_pixels_that_nobody_labeled(tmp_path: Path) -> None:
    panoptic(tmp_path)
    pictures = open_classes(tmp_path)
    picture = pictures.read(0)
    assert pictures.classes == ("cup", "sky") and pictures.names == ("a",)
    classes = np.full((40, 50), IGNORED, np.uint8)
    classes[:20], classes[20:30, :10], classes[20:30, 20:30] = 1, 0, 0
    assert np.array_equal(picture.ids, classes)
    assert picture.instances is not None and (picture.instances[:20] == 0).all()
    things = [np.unique(picture.instances[20:30, part]).tolist() for part in (slice(0, 10), slice(20, 30))]
    assert [len(each) for each in things] == [1, 1] and things[0] != things[1] and 0 not in (*things[0], *things[1])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data["annotations"][0]["segments_info"].pop(1), "has the id 300, which no segment"),
        (lambda data: data["annotations"][0].update(file_name="../../../a.png"), "is not in panoptic_val2017/"),
        (lambda data: data["annotations"][0].update(file_name="b.png"), "is not in panoptic_val2017/"),
        (lambda data: data["categories"].pop(0), "a segment of its annotation cannot be read: KeyError"),
        (lambda data: data["categories"][0].pop("isthing"), "'isthing'.* is missing or wrong"),
        (lambda data: data.update(annotations=[]), "no picture of its panoptic annotations is labeled"),
    ],
)
def test_what_is_wrong_with_panoptic_annotations_is_told(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], told: str
) -> None:
    data = panoptic(tmp_path / "set")
    change(data)
    write(tmp_path / "set", data)
    saved(tmp_path / "a.png", RGB)  # what a path that leaves the folder would find
    with pytest.raises(InputError, match=told):
        open_classes(tmp_path / "set").read(0)


def test_instances_of_coco_come_before_panoptic_ones(tmp_path: Path) -> None:
    panoptic(tmp_path)
    data = {
        "images": [{"id": 7, "file_name": "a.jpg", "height": 40, "width": 50}],
        "categories": [{"id": 1, "name": "car"}],
        "annotations": [],
    }
    (tmp_path / "annotations" / "instances_val2017.json").write_text(json.dumps(data))
    assert open_classes(tmp_path).classes == ("background", "car")


def test_bdd100k_has_the_classes_of_cityscapes(tmp_path: Path) -> None:
    saved(tmp_path / "images/10k/train/a.jpg", RGB)
    mask = np.full(RGB.shape[:2], 13, np.uint8)
    mask[:5] = IGNORED
    saved(tmp_path / "labels/sem_seg/masks/train/a.png", mask)
    saved(tmp_path / "labels/sem_seg/colormaps/train/a.png", RGB)
    pictures = open_classes(tmp_path)
    ids = pictures.read(0).ids
    assert pictures.names == ("train/a",) and pictures.classes[13] == "car"
    assert ids is not None and np.array_equal(ids, mask)
    saved(tmp_path / "labels/sem_seg/masks/train/a.png", mask + 7)
    with pytest.raises(InputError, match="has the value 20, which is no class of Cityscapes for training"):
        open_classes(tmp_path).read(0)


def test_labels_of_which_nothing_counts_are_told(tmp_path: Path) -> None:
    """Masks of another set, in the layout of Cityscapes: its numbers 0 to 6 are no classes for training."""
    saved(tmp_path / "leftImg8bit/train/a_leftImg8bit.png", RGB)
    saved(tmp_path / "gtFine/train/a_gtFine_labelIds.png", np.full(RGB.shape[:2], 3, np.uint8))
    assert "no pixel of its labels has a class that counts" in open_classes(tmp_path).notes[0]


def test_objects_of_voc_lie_beside_its_classes(tmp_path: Path) -> None:
    """The border counts nowhere and is no object."""
    ids, objects = (np.zeros(RGB.shape[:2], np.uint8) for _ in range(2))
    ids[10:20], ids[20:22], objects[10:15], objects[15:20], objects[20:22] = 1, 255, 3, 5, 255
    saved(tmp_path / "JPEGImages/a.jpg", RGB)
    for name, values in (("Class", ids), ("Object", objects)):
        saved(tmp_path / f"Segmentation{name}/a.png", values)
    (tmp_path / "labelmap.txt").write_text("background:::\ncrack:::\n")
    picture = open_classes(tmp_path).read(0)
    assert picture.instances is not None and picture.ids is not None
    assert np.array_equal(picture.instances, np.where(objects == 255, 0, np.searchsorted([0, 3, 5], objects)))


@pytest.mark.parametrize("place", [("train/{k}.png", "targets/{k}.png"), ("{k}_sat.png", "{k}_classes.png")])
def test_masks_without_a_telling_name_are_known_by_their_few_numbers(tmp_path: Path, place: tuple[str, str]) -> None:
    rng = np.random.default_rng(0)
    for k in range(3):
        saved(tmp_path / place[0].format(k=k), rng.integers(0, 256, RGB.shape, np.uint8))
        saved(tmp_path / place[1].format(k=k), np.full(RGB.shape[:2], k, np.uint8))
    pictures = open_classes(tmp_path, ("sky", "road", "car"))
    assert pictures.labeled and pictures.size == 3 and "are taken for the masks of" in pictures.notes[0]
    assert [int(pictures.read(k).ids[0, 0]) for k in range(3)] == [0, 1, 2]

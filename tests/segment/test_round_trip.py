"""What `blendmill export` writes is read again with the same labels, pixel by pixel, or refused."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from render.dataset.dataset import Dataset
from render.dataset.export import export_dataset
from render.dataset.export.masks import foreground
from scenes.errors import InputError
from segment.classes.sets import open_classes
from segment.sets import open_set
from tests.frames import CLASSES, make_dataset
from training.data.sources import open_pictures


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("data") / "set", count=5, shard_size=2, objects=3)


def index(name: str) -> int:
    """Of a picture, from its name in any format: `mug/000003`, `mug_000003.png`, `3`."""
    return int(name.removesuffix(".png").rpartition("/")[2].rpartition("_")[2].rpartition(":")[2])


@pytest.mark.parametrize("kind", ["folder", "coco", "yolo-segment", "hdf5-per-image"])
def test_classes_and_objects(dataset: Dataset, tmp_path: Path, kind: str) -> None:
    export_dataset(dataset, tmp_path / "out", kind)
    pictures = open_classes(tmp_path / "out")
    assert pictures.classes == ("background", *CLASSES) and pictures.size == 5 and not pictures.left_out
    for k, name in enumerate(pictures.names):
        frame, picture = dataset.frame(index(name)), pictures.read(k)
        assert np.array_equal(picture.rgb, frame.rgb) and np.array_equal(picture.ids, frame.category)
        if kind != "folder":
            # Numbers may differ; which pixels are of one object may not. Objects of no class are in one format alone.
            objects = frame.instance if kind == "hdf5-per-image" else frame.instance * (frame.category > 0)
            pairs = np.unique(np.stack([objects, picture.instances]).reshape(2, -1), axis=1)
            assert len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]


def test_masks(dataset: Dataset, tmp_path: Path) -> None:
    export_dataset(dataset, tmp_path / "out", "masks")
    pictures = open_set(tmp_path / "out")
    for k, name in enumerate(pictures.names):
        assert np.array_equal(pictures.read(k).mask, foreground(dataset.frame(index(name)), CLASSES))


@pytest.mark.parametrize(("kind", "split"), [("folder", "all"), ("s2rda", "synthetic"), ("webdataset", "all")])
def test_classes_of_pictures(dataset: Dataset, tmp_path: Path, kind: str, split: str) -> None:
    export_dataset(dataset, tmp_path / "out", kind)
    pictures = open_pictures(tmp_path / "out", split=split)
    assert len(pictures) == 5
    for i in range(5):
        frame = dataset.frame(index(pictures.key(i)))
        assert np.array_equal(pictures.read(i), frame.rgb)
        assert pictures.classes[pictures.labels[i]] == CLASSES[frame.label]


@pytest.mark.parametrize("kind", ["coco", "yolo", "masks"])
def test_pictures_without_a_class_are_no_classes(dataset: Dataset, tmp_path: Path, kind: str) -> None:
    export_dataset(dataset, tmp_path / "out", kind)
    with pytest.raises(InputError, match="have pictures and labels of their parts, and no class for each picture"):
        open_pictures(tmp_path / "out")
    if kind == "yolo":
        with pytest.raises(InputError, match=r"data.yaml: has boxes or lines only"):
            open_classes(tmp_path / "out")
        # Keypoints that follow a box are no outline.
        path = tmp_path / "out/data.yaml"
        path.write_text(path.read_text() + "kpt_shape: [1, 3]\n")
        for labels in (tmp_path / "out/labels/train").iterdir():
            labels.write_text("".join(f"{line} 0.5 0.5 2\n" for line in labels.read_text().splitlines()))
        with pytest.raises(InputError, match=r"data.yaml: has boxes or lines only"):
            open_classes(tmp_path / "out")


def test_masks_of_0_and_255_with_names_of_numbers_are_told(dataset: Dataset, tmp_path: Path) -> None:
    export_dataset(dataset, tmp_path / "out", "masks")
    notes = open_classes(tmp_path / "out", ("background", "object")).notes
    assert "count nowhere, and all others are of one class; if 255 is the number of a class" in notes[-1]


def test_a_broken_file_of_blenderproc_is_one_line(dataset: Dataset, tmp_path: Path) -> None:
    export_dataset(dataset, tmp_path / "out", "hdf5-per-image")
    (tmp_path / "out/0.hdf5").write_bytes(b"nothing")
    with h5py.File(tmp_path / "out/1.hdf5", "a") as file:
        del file["instance_segmaps"]
    pictures = open_classes(tmp_path / "out")
    assert pictures.size == 4 and "0.hdf5: has no instance_attribute_maps" in pictures.left_out[0]
    with pytest.raises(InputError, match=r"1.hdf5: cannot be read: .*; render it with colors, category_id_segmaps"):
        pictures.read(0)

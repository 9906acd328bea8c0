from __future__ import annotations

import json
import tarfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from pycocotools import mask as rle
from pycocotools.coco import COCO

from render.cli.dataset import export
from render.dataset.dataset import Dataset
from render.dataset.export import FORMATS, coco, export_dataset
from render.dataset.export.coco import _inside
from render.dataset.shard import Shard
from render.frame import LABELS, PICTURES
from render.object_label import Keypoint
from scenes.errors import InputError
from tests.frames import CLASSES, listing, make_dataset, make_frame, redrawn


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("data") / "set", count=5, shard_size=2, objects=3)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def opened(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


@pytest.mark.parametrize("kind", [name for name in FORMATS if name != "bop"])  # these frames have no models
def test_a_rerun_touches_nothing_and_the_bytes_repeat(dataset: Dataset, tmp_path: Path, kind: str) -> None:
    assert export_dataset(dataset, tmp_path / "a", kind) is True
    first = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")}
    assert export_dataset(dataset, tmp_path / "a", kind) is False
    assert first == {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")}
    assert len(first) > 1 and listing(tmp_path) == ["a"]
    export_dataset(dataset, tmp_path / "b", kind)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    other = next(name for name in FORMATS if name != kind)
    with pytest.raises(InputError, match="holds another export"):
        export_dataset(dataset, tmp_path / "a", other)


def test_what_is_there_is_never_overwritten(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(InputError, match="no export of blendmill"):
        export_dataset(dataset, tmp_path / "mine", "coco")
    with pytest.raises(InputError, match="did you mean 'coco'"):
        export_dataset(dataset, tmp_path / "new", "cocoo")
    assert contents(tmp_path) == {"mine/notes.txt": b"keep"}


def test_an_error_half_way_leaves_nothing(tmp_path: Path) -> None:
    broken = make_dataset(tmp_path / "set", count=4, shard_size=2)
    whole = broken.shard_path(1).read_bytes()
    broken.shard_path(1).write_bytes(whole[:-100])
    with pytest.raises(InputError, match="sha256 differs"):
        export_dataset(broken, tmp_path / "out", "folder")
    broken.shard_path(1).unlink()
    with pytest.raises(InputError, match=r"00001\.h5: not there, 1 shards are missing"):
        export_dataset(broken, tmp_path / "new", "folder")
    assert listing(tmp_path) == [".out.export", "set"]
    broken.shard_path(0).write_bytes(b"")
    broken.shard_path(1).write_bytes(whole[:-100])
    with pytest.raises(InputError, match="sha256 differs"):
        export_dataset(broken, tmp_path / "none", "folder")
    assert listing(tmp_path) == [".out.export", "set"]  # what has nothing of use is gone


@pytest.mark.parametrize("kind", [name for name in FORMATS if name != "bop"])
def test_an_interrupted_export_goes_on_where_it_was(
    dataset: Dataset, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_dataset(dataset, tmp_path / "whole", kind, samples_per_tar=2)

    def stop(done: int, of: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_dataset(dataset, tmp_path / "out", kind, samples_per_tar=2, tell=stop)
    assert not (tmp_path / "out").exists()
    with pytest.raises(KeyboardInterrupt):
        export_dataset(dataset, tmp_path / "out", kind, samples_per_tar=2, tell=stop)
    read: list[int] = []
    real = Shard.places
    monkeypatch.setattr(Shard, "places", lambda self, indices: real(self, [read.append(k) or k for k in indices]))
    export_dataset(dataset, tmp_path / "out", kind, samples_per_tar=2)
    assert read == [4]
    assert contents(tmp_path / "out") == contents(tmp_path / "whole") and listing(tmp_path) == ["out", "whole"]


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("coco", {"rgb", "instance", "objects", "scene"}),
        ("s2rda", {"rgb"}),
        ("masks", {"rgb", "instance"}),
        ("yolo", {"rgb", "objects"}),
        ("yolo-segment", {"rgb", "instance", "objects"}),
        ("yolo-pose", {"rgb", "objects"}),
        ("hdf5-per-image", {label.path for label in PICTURES.values() if label.blenderproc} | {"objects"}),
        ("webdataset", set(PICTURES) | {"objects", "scene"}),
        ("folder", set(PICTURES) | {"objects", "scene"}),
    ],
)
def test_a_format_reads_the_labels_that_it_has_alone(
    dataset: Dataset, tmp_path: Path, kind: str, labels: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Counter[tuple[str, str, int]] = Counter()

    def counting(real: Callable[..., Any]) -> Callable[..., Any]:
        def seen(shard: Shard, name: str, place: int, *more: int) -> Any:
            read[shard.path.name, name, place] += 1
            return real(shard, name, place, *more)

        return seen

    for method in ("picture", "_read_texts"):
        monkeypatch.setattr(Shard, method, counting(getattr(Shard, method)))
    export_dataset(dataset, tmp_path / "out", kind)
    assert {name for _, name, _ in read} == labels & {name for name in LABELS if dataset.shard(0).has(name)}
    assert set(read.values()) == {1}, "nothing is read twice"
    texts = [place for _, name, place in read if name not in PICTURES]
    assert not any(texts), "all texts of a shard are read at once"


def test_an_interrupted_export_of_something_else_is_begun_anew(dataset: Dataset, tmp_path: Path) -> None:
    def stop(done: int, of: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_dataset(dataset, tmp_path / "out", "masks", tell=stop)
    export_dataset(dataset, tmp_path / "out", "coco")
    assert listing(tmp_path / "out") == ["annotations", "blendmill_export.json", "images"]


@pytest.mark.parametrize("kind", ["coco", "yolo-pose"])
def test_any_number_of_processes_writes_the_same_bytes(dataset: Dataset, tmp_path: Path, kind: str) -> None:
    for workers in (1, 2):
        export_dataset(dataset, tmp_path / str(workers), kind, workers=workers)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_coco_parses_the_entry_of_each_picture_once(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    spy = SimpleNamespace(dumps=json.dumps, loads=lambda text: parsed.append(text) or json.loads(text))
    monkeypatch.setattr(coco, "json", spy)
    export_dataset(dataset, tmp_path / "out", "coco", workers=1)
    assert sum("file_name" in text for text in parsed) == 5 and len(parsed) == 5 + 3, "pictures, and shards"


def test_folder_is_an_image_folder_with_labels_beside(dataset: Dataset, tmp_path: Path) -> None:
    export_dataset(dataset, tmp_path / "out", "folder")
    # What torchvision's ImageFolder does: the folders under the root are the classes, in alphabetical order.
    found = {p.stem: p for p in sorted((tmp_path / "out" / "images").glob("*/*.png"))}
    assert len(found) == 5
    for frame in dataset.frames():
        path = found[f"{frame.index:06d}"]
        name = f"{CLASSES[frame.label]}/{path.stem}"
        assert path.parent.name == CLASSES[frame.label]
        np.testing.assert_array_equal(opened(path), frame.rgb)
        for tree in ("instance", "category", "part", "alpha", "background"):
            picture = opened(tmp_path / "out" / tree / f"{name}.png")
            np.testing.assert_array_equal(picture, getattr(frame, tree))
        with np.load(tmp_path / "out" / "geometry" / f"{name}.npz") as arrays:
            np.testing.assert_array_equal(arrays["depth"], frame.depth)
            np.testing.assert_array_equal(arrays["normals"], frame.normals)
        meta = json.loads((tmp_path / "out" / "meta" / f"{name}.json").read_text())
        assert meta["class"] == CLASSES[frame.label] and len(meta["objects"]) == 3
        assert meta["scene"]["camera"]["width"] == 64


def test_labels_of_cracks_are_exported(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "set", count=1, shard_size=1)
    plain = make_frame(0)
    frame = replace(
        plain, width=(plain.instance * 1.5).astype(np.float16), skeleton=(plain.instance == 1).view(np.uint8)
    )
    data = redrawn(data, 0, [frame])
    for kind in ("folder", "webdataset"):
        export_dataset(data, tmp_path / kind, kind)
    name = f"{CLASSES[frame.label]}/000000"
    with np.load(tmp_path / "folder" / "geometry" / f"{name}.npz") as arrays:
        assert set(arrays) == {"depth", "normals", "width"}
        np.testing.assert_array_equal(arrays["width"], frame.width)
    np.testing.assert_array_equal(opened(tmp_path / "folder" / "skeleton" / f"{name}.png"), frame.skeleton)
    with tarfile.open(tmp_path / "webdataset" / "shard-000000.tar") as tar:
        member = tar.extractfile("000000.npz")
        assert member is not None
        with np.load(BytesIO(member.read())) as arrays:
            np.testing.assert_array_equal(arrays["width"], frame.width)
            np.testing.assert_array_equal(arrays["skeleton"], frame.skeleton)


def test_coco_agrees_with_the_masks(dataset: Dataset, tmp_path: Path) -> None:
    export_dataset(dataset, tmp_path / "out", "coco")
    coco = COCO(str(tmp_path / "out" / "annotations" / "instances.json"))
    assert sorted(coco.getImgIds()) == [0, 1, 2, 3, 4]
    hidden = 0
    for frame in dataset.frames():
        image = coco.loadImgs(frame.index)[0]
        np.testing.assert_array_equal(opened(tmp_path / "out" / "images" / image["file_name"]), frame.rgb)
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[frame.index]))
        listed = [label for label in frame.objects if label.category in CLASSES]
        assert len(annotations) == len(listed) == 2  # the third is clutter of no listed class
        for annotation, label in zip(annotations, listed, strict=True):
            mask = frame.instance == label.instance
            np.testing.assert_array_equal(coco.annToMask(annotation).astype(bool), mask)
            encoded = coco.annToRLE(annotation)
            assert rle.area(encoded) == annotation["area"] == mask.sum()
            assert rle.toBbox(encoded).tolist() == annotation["bbox"]
            assert (frame.category[mask] == annotation["category_id"]).all()
            category = coco.loadCats(annotation["category_id"])[0]
            assert category["name"] == label.category
            if label.category != "car":
                assert category["keypoints"] == ["centre", "top"]
                triplets = np.reshape(annotation["keypoints"], (-1, 3))
                for name, (x, y, v) in zip(category["keypoints"], triplets, strict=True):
                    point = label.keypoints[name]
                    assert (x, y, v) == (point.x, point.y, 2 if point.visible else 1)
                    hidden += v == 1
                assert annotation["num_keypoints"] == (triplets[:, 2] > 0).sum()
    assert hidden, "no hidden keypoint was tried"


def test_coco_keypoints_outside_the_picture_are_not_labelled() -> None:
    frame = make_frame(0)
    height, width = frame.instance.shape
    points = {"in": Keypoint(0, 0, False), "right": Keypoint(width, 1, False), "above": Keypoint(1, -0.1, False)}
    label = replace(frame.objects[0], keypoints=points)
    assert list(_inside(label.keypoints, width, height)) == ["in"]


def test_webdataset_reads_its_tars(dataset: Dataset, tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    export_dataset(dataset, tmp_path / "out", "webdataset", samples_per_tar=2)
    tars = sorted(str(path) for path in (tmp_path / "out").glob("*.tar"))
    assert len(tars) == 3
    samples = list(webdataset.WebDataset(tars, shardshuffle=False).decode("rgb8"))
    assert [sample["__key__"] for sample in samples] == [f"{i:06d}" for i in range(5)]
    for sample, frame in zip(samples, dataset.frames(), strict=True):
        np.testing.assert_array_equal(sample["png"], frame.rgb)
        assert sample["cls"] == frame.label and sample["json"]["index"] == frame.index
        np.testing.assert_array_equal(sample["npz"]["instance"], frame.instance)
        np.testing.assert_array_equal(sample["npz"]["depth"], frame.depth)
    with tarfile.open(tars[0]) as tar:
        assert {(member.mtime, member.uid, member.uname) for member in tar} == {(0, 0, "")}


def test_s2rda_lists_its_pictures(dataset: Dataset, tmp_path: Path) -> None:
    export_dataset(dataset, tmp_path / "out", "s2rda")
    lines = (tmp_path / "out" / "splits" / "synthetic_train.txt").read_text().splitlines()
    assert len(lines) == 5
    for line, frame in zip(lines, dataset.frames(), strict=True):
        name = CLASSES[frame.label]
        assert line == f"synthetic/{name}/{name}_{frame.index:06d}.png"
        np.testing.assert_array_equal(opened(tmp_path / "out" / line), frame.rgb)


def test_a_picture_without_a_class(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "set", count=1, shard_size=1)
    bare = replace(make_frame(0), label=-1)
    data = redrawn(data, 0, [bare])
    with pytest.raises(InputError, match="picture 0 has no main object, s2rda needs a class"):
        export_dataset(data, tmp_path / "out", "s2rda")
    export_dataset(data, tmp_path / "out", "folder")
    assert listing(tmp_path / "out" / "images") == ["unlabelled"]


def test_hdf5_per_image_has_blenderprocs_keys(dataset: Dataset, tmp_path: Path) -> None:
    export_dataset(dataset, tmp_path / "out", "hdf5-per-image")
    for frame in dataset.frames():
        with h5py.File(tmp_path / "out" / f"{frame.index}.hdf5") as file:
            data = {key: np.array(file[key]) for key in file}
        np.testing.assert_array_equal(data["colors"], frame.rgb)
        hit = np.isfinite(frame.depth)
        assert data["depth"].dtype == np.float32 and (data["depth"][~hit] == np.float32(1e10)).all()
        np.testing.assert_array_equal(data["depth"][hit], frame.depth[hit])
        # The wall faces the camera: that is +z in Blender's camera axes, (0.5, 0.5, 1) in BlenderProc's colours.
        wall = hit & (frame.instance == 0)
        assert wall.any() and (data["normals"][wall] == (0.5, 0.5, 1.0)).all()
        assert (data["normals"][~hit & (frame.instance == 0)] == 0.5).all()
        # The upper half of a sphere faces up: green above one half.
        main = frame.objects[0]
        rows = np.nonzero(frame.instance == main.instance)[0]
        top = (frame.instance == main.instance) & (np.arange(len(hit))[:, None] == rows.min())
        assert (data["normals"][top][:, 1] > 0.7).all()
        np.testing.assert_array_equal(data["category_id_segmaps"], frame.category)
        np.testing.assert_array_equal(data["instance_segmaps"], frame.instance)
        # As BlenderProc's writer tutorial reads its JSON.
        attributes = json.loads(np.array(data["instance_attribute_maps"]).tobytes())
        assert attributes[0] == {"idx": 0, "category_id": 0, "name": "background"}
        for entry in attributes[1:]:
            assert (frame.category[frame.instance == entry["idx"]] == entry["category_id"]).all()
        # Blender's camera looks along its -z.
        forward = -data["cam2world_matrix"][:3, 2]
        np.testing.assert_allclose(forward, frame.world_to_camera[2, :3], atol=1e-12)


@pytest.mark.parametrize("classes", [CLASSES, ("mug", "crack", "car")])
def test_masks_are_0_and_255(tmp_path: Path, classes: tuple[str, ...]) -> None:
    data = make_dataset(tmp_path / "set", count=4, objects=3, classes=classes)
    export_dataset(data, tmp_path / "out", "masks")
    drawn = 0
    for frame in data.frames():
        mask = opened(tmp_path / "out" / "mask" / f"{frame.index:06d}.png")
        expected = frame.category == 2 if "crack" in classes else frame.instance > 0
        assert mask.dtype == np.uint8 and set(np.unique(mask)) <= {0, 255}
        np.testing.assert_array_equal(mask == 255, expected)
        np.testing.assert_array_equal(opened(tmp_path / "out" / "img" / f"{frame.index:06d}.png"), frame.rgb)
        drawn += expected.any()
    assert drawn


@pytest.mark.parametrize("name", ["../escape", "..", "a/b", ""])
def test_no_class_name_leaves_the_folder(tmp_path: Path, name: str) -> None:
    data = make_dataset(tmp_path / "set", count=1, shard_size=1, classes=(name,), objects=1)
    for kind in ("folder", "s2rda"):
        with pytest.raises(InputError, match="cannot be a folder's name"):
            export_dataset(data, tmp_path / "out", kind)
    assert listing(tmp_path) == ["set"]


def test_command(dataset: Dataset, tmp_path: Path) -> None:
    run = CliRunner().invoke(
        export, [str(dataset.folder), str(tmp_path / "x" / "out"), "--format", "coco"]
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    assert run.output == f"{tmp_path / 'x' / 'out'}: 5 pictures as coco\n"
    run = CliRunner().invoke(export, [str(dataset.folder), str(tmp_path / "x" / "out"), "--format", "coco"])
    assert "there already" in run.output
    run = CliRunner().invoke(export, [str(dataset.folder), str(tmp_path / "y"), "--format", "voc"])
    assert run.exit_code == 2 and "'voc' is not one of" in run.output

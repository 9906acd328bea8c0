"""Sets of pictures in larger files: WebDataset's tars, tables of the Hugging Face Hub, and what is not read."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image

from scenes.errors import InputError
from training.data.sources import open_pictures

NAMES = ("cat", "dog", "owl")


def picture(k: int) -> bytes:
    with io.BytesIO() as file:
        Image.new("RGB", (24, 20), (10 * k, 0, 0)).save(file, "PNG")
        return file.getvalue()


def tar(path: Path, members: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w") as file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return path


def test_webdataset_has_numbers_or_names(tmp_path: Path) -> None:
    for shard in range(2):
        members: dict[str, bytes] = {}
        for k in (2 * shard, 2 * shard + 1):
            stem = f"./train/{k:03d}"
            members |= {f"{stem}.cls": str(k % 3).encode(), f"{stem}.seg.png": b"other", f"{stem}.png": picture(k)}
        tar(tmp_path / f"shard-{shard}.tar", members)
    with pytest.raises(InputError, match="its classes are numbers without names; give the names as `classes`"):
        open_pictures(tmp_path)
    pictures = open_pictures(tmp_path, NAMES)
    assert pictures.labels.tolist() == [0, 1, 2, 0] and pictures.classes == NAMES
    assert [int(pictures.read(k)[0, 0, 0]) for k in range(4)] == [0, 10, 20, 30]
    assert pictures.read(0, 10).shape == (10, 12, 3) and pictures.key(3) == "shard-1.tar:train/003"
    assert len(open_pictures(tmp_path, labels=False)) == 4
    named = {"0.jpg": picture(1), "0.json": json.dumps({"class": "dog", "label": 7}).encode(), "0.cls": b"7"}
    one = open_pictures(tar(tmp_path / "one.tar", {**named, "1.jpg": b"no picture", "1.cls": b"owl"}))
    assert one.classes == ("dog", "owl") and one.labels.tolist() == [0, 1]
    with pytest.raises(InputError, match=r"one.tar: picture one.tar:1: is not a picture of a known format"):
        one.read(1)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"0.png": b"", "0.json": b"{"}, r"0.json: not JSON"),
        ({"0.png": b"", "0.json": b'{"class": [1]}'}, r"0.json: its class is \[1\], neither a number nor a name"),
        ({"0.png": b"", "0.cls": b"3"}, r"has the class 3, but there are 3 names, numbered from 0"),
        ({"0.cls": b"1"}, r"no pictures"),
    ],
)
def test_a_wrong_tar_is_one_line(tmp_path: Path, members: Mapping[str, bytes], told: str) -> None:
    with pytest.raises(InputError, match=rf"^[^\n]*{told}[^\n]*$"):
        open_pictures(tar(tmp_path / "a.tar", members), NAMES)
    (tmp_path / "a.tar").write_bytes(b"x" * 2000)
    with pytest.raises(InputError, match=r"a.tar: cannot be read as a tar file without compression"):
        open_pictures(tmp_path / "a.tar", NAMES)


def table(path: Path, rows: int, first: int = 0, **changes: object) -> None:
    """A file as `Dataset.to_parquet` of datasets 5 writes it: several groups of rows, and its features as metadata."""
    pa, parquet = (pytest.importorskip(name, exc_type=ImportError) for name in ("pyarrow", "pyarrow.parquet"))
    features = {"image": {"_type": "Image"}, "label": {"names": list(NAMES), "_type": "ClassLabel"}}
    numbers = range(first, first + rows)
    columns = {"image": [{"bytes": picture(k), "path": f"{k}.png"} for k in numbers], "label": [k % 3 for k in numbers]}
    made = pa.table({name: pa.array(values) for name, values in (columns | changes).items()})
    info = json.dumps({"info": {"features": features}})
    parquet.write_table(made.replace_schema_metadata({"huggingface": info}), path, row_group_size=3)


def test_parquet_of_the_hub(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    table(tmp_path / "data/train-00000-of-00002.parquet", 7)
    table(tmp_path / "data/train-00001-of-00002.parquet", 2, first=7)
    table(tmp_path / "data/test-00000-of-00001.parquet", 4)
    with pytest.raises(InputError, match="has the splits test, train; give one"):
        open_pictures(tmp_path)
    pictures = open_pictures(tmp_path, split="train")
    assert len(pictures) == 9 and pictures.classes == NAMES and pictures.labels.tolist() == [k % 3 for k in range(9)]
    assert [int(pictures.read(k)[0, 0, 0]) for k in range(9)] == [10 * k for k in range(9)]
    assert pictures.key(8) == "train-00001-of-00002.parquet:1"
    assert len(open_pictures(tmp_path, split="test")) == 4
    assert open_pictures(tmp_path / "data/test-00000-of-00001.parquet", ("owl", "cat")).labels.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"image": [{"bytes": None, "path": "a.png"}] * 2}, "has no bytes, perhaps only a path; embed the pictures"),
        ({"image": [{"bytes": b"x", "path": ""}] * 2}, "a.parquet:0: is not a picture of a known format"),
        ({"label": [0, 9]}, "has the class 9, but there are 3 names"),
    ],
)
def test_a_wrong_table_is_one_line(tmp_path: Path, changes: dict[str, object], told: str) -> None:
    table(tmp_path / "a.parquet", 2, **changes)
    with pytest.raises(InputError, match=told):
        open_pictures(tmp_path).read(0)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"a.parquet: cannot be read"):
        open_pictures(tmp_path)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_metadata_beside_pictures_has_the_classes(tmp_path: Path, kind: str) -> None:
    (tmp_path / "train").mkdir()
    for k in range(3):
        (tmp_path / f"train/{k}.png").write_bytes(picture(k))
    rows = [{"file_name": f"train/{k}.png", "label": NAMES[2 - k]} for k in range(3)]
    header = "file_name,label\n" + "".join(f"{row['file_name']},{row['label']}\n" for row in rows)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    file = tmp_path / f"metadata.{kind}"
    file.write_text(header if kind == "csv" else lines)
    pictures = open_pictures(tmp_path)
    assert pictures.classes == NAMES and pictures.labels.tolist() == [2, 1, 0]
    file.write_text((header if kind == "csv" else lines).replace("2.png", "9.png"))
    with pytest.raises(InputError, match=r"file not found: .*train/9.png"):
        open_pictures(tmp_path)
    # Captions are no classes: the folders are.
    file.write_text(file.read_text().replace("label", "text"))
    assert open_pictures(tmp_path).classes == ("train",)


def test_lines_of_json_that_are_wrong_are_told(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(picture(0))
    for text, told in (
        ("[1]", "line 1: is no object with file_name and label"),
        ('{"file_name": "0.png", "label": [1]}', r"line 1: has the path 0.png and the class \[1\]"),
        ('{"label": 1}', "line 1: no column has the paths of the pictures"),
        ('{"file_name": "0.png", "label": "a"}\n{', "line 2: not JSON"),
    ):
        (tmp_path / "metadata.jsonl").write_text(text)
        with pytest.raises(InputError, match=told):
            open_pictures(tmp_path / "metadata.jsonl")


def test_pickles_and_tfrecords_are_not_read(tmp_path: Path) -> None:
    for names, told in (
        (("data_batch_1", "batches.meta"), "holds CIFAR as pickles, which are not read, because they can run any code"),
        (("train", "test", "meta"), "holds CIFAR as pickles"),
        (("train.tfrecord-00000-of-00001",), "TFRecord files are not read; write the pictures into class folders"),
    ):
        folder = tmp_path / names[0]
        folder.mkdir()
        for name in names:
            (folder / name).write_bytes(b"\x80\x04")
        with pytest.raises(InputError, match=told):
            open_pictures(folder)

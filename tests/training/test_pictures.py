"""Where pictures come from: data sets, class folders, folders of photos, lists; and what is said of bad ones."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from render.dataset.shard_file import FORMAT
from scenes.errors import InputError
from tests.frames import CLASSES, forget_sums, make_dataset, make_frame, redrawn
from training.data.decode import decoded, resized
from training.data.pictures import ImageDataset, chosen, joined, require_labels
from training.data.sources import open_pictures
from training.data.splits import halves, parted

ROOT = Path(__file__).resolve().parents[2]


def picture(seed: int = 0, width: int = 24, height: int = 16) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def tree(root: Path, counts: Mapping[str, int], ending: str = "png") -> Path:
    """Class folders of so many pictures each, all different."""
    for number, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True)
        for i in range(count):
            picture(1000 * number + i).save(root / name / f"{name}_{i:03d}.{ending}")
    return root


def keys(pictures: ImageDataset) -> list[str]:
    return [pictures.key(i) for i in range(len(pictures))]


def said(call: Callable[[], object]) -> str:
    """The one line of an InputError."""
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Data sets of ours -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("rendered") / "set", count=5, shard_size=2).folder


def test_a_data_set_is_its_pictures_and_the_classes_of_their_main_objects(rendered: Path) -> None:
    pictures = open_pictures(rendered)
    frames = [make_frame(i) for i in range(5)]
    assert pictures.classes == CLASSES and len(pictures) == 5 and keys(pictures) == list("01234")
    assert pictures.labels.tolist() == [frame.label for frame in frames] and pictures.labels.dtype == np.int64
    for i, frame in enumerate(frames):
        assert np.array_equal(pictures.read(i), frame.rgb)
    assert pictures.read(0, 24).shape == (24, 32, 3)
    assert pictures.where(4) == f"{rendered / 'shards' / '00002.h5'}: picture 4"


def test_the_main_object_is_cut_out(rendered: Path) -> None:
    cut = open_pictures(rendered, margin=0.0)
    seen = 0
    for i in range(5):
        frame = make_frame(i)
        x0, y0, x1, y1 = frame.objects[0].box or (0, 0, 64, 48)
        part = cut.read(i)
        assert abs(max(part.shape[:2]) - max(x1 - x0, y1 - y0)) <= 1
        # What is cut out holds the main object whole, which is all of its color.
        seen += (frame.rgb[int(y0) : int(y1), int(x0) : int(x1)].sum(0) > 0).any() and part.size < frame.rgb.size
    assert seen == 5
    assert cut.digest != open_pictures(rendered).digest


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda shard: shard.write_bytes(shard.read_bytes()[:-4000]), "00001.h5: truncated; delete it and rerun"),
        (lambda shard: shard.unlink(), "00001.h5: no such shard; rerun the render command"),
        (lambda shard: shard.write_text("not one"), "00001.h5: not an HDF5 file"),
        (lambda shard: _attribute(shard, "format", 99), f"00001.h5: shard format 99, this version reads {FORMAT}"),
        (lambda shard: _attribute(shard, "seed", 5), "00001.h5: seed 5 is not the data set's 0"),
        (
            lambda shard: _label(shard, 3),
            "00001.h5: a label is not one of the set's 3 classes; delete",
        ),
        (lambda shard: _label(shard, -2), "00001.h5: a label is not one of the set's 3 classes"),
    ],
)
def test_a_bad_shard_is_one_line(
    rendered: Path, tmp_path: Path, damage: Callable[[Path], object], message: str
) -> None:
    shutil.copytree(rendered, tmp_path / "set")
    forget_sums(tmp_path / "set")
    damage(tmp_path / "set" / "shards" / "00001.h5")
    assert message in said(lambda: open_pictures(tmp_path / "set"))


def _attribute(shard: Path, name: str, value: int) -> None:
    with h5py.File(shard, "r+") as file:
        file.attrs[name] = value


def _label(shard: Path, value: int) -> None:
    with h5py.File(shard, "r+") as file:
        file["label"][1] = value


def test_a_picture_without_main_object_has_no_class(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "set", count=3, shard_size=3)
    frames = (replace(make_frame(i), label=-1 if i == 1 else 0) for i in range(3))
    redrawn(data, 0, frames)
    pictures = open_pictures(tmp_path / "set")
    assert pictures.labels.tolist() == [0, -1, 0]
    assert "1 of 3 pictures have no class" in said(lambda: require_labels(pictures))
    require_labels(chosen(pictures, np.array([0, 2]), "those with a class"))


# Class folders and photographs -----------------------------------------------------------------------------------


def test_class_folders_are_read_like_s2rdas(tmp_path: Path) -> None:
    """Classes in the order of the alphabet, mixed endings, folders in folders, nothing that is hidden or no picture."""
    tree(tmp_path, {"mug": 2, "car": 1})
    picture(7).save(tmp_path / "mug" / "b.JPEG")
    (tmp_path / "mug" / "deep").mkdir()
    picture(8).save(tmp_path / "mug" / "deep" / "c.jpg")
    (tmp_path / "empty").mkdir()
    for name in ("car/.hidden.png", ".cache/x.png", "car/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no picture")
    pictures = open_pictures(tmp_path)
    assert pictures.classes == ("car", "empty", "mug")
    assert keys(pictures) == ["car/car_000.png", "mug/b.JPEG", "mug/deep/c.jpg", "mug/mug_000.png", "mug/mug_001.png"]
    assert pictures.labels.tolist() == [0, 2, 2, 2, 2]
    assert np.array_equal(pictures.read(0), np.asarray(picture(1000)))
    assert pictures.where(1) == str(tmp_path / "mug" / "b.JPEG")


def test_folders_of_other_programs_are_no_classes(tmp_path: Path) -> None:
    """macOS' archives, thumbnails of a network drive, copies of a notebook."""
    tree(tmp_path, {"cat": 2, "dog": 2, "__MACOSX": 1, "@eaDir": 1, ".ipynb_checkpoints": 1})
    tree(tmp_path / "cat", {"@eaDir": 1, ".thumbnails": 1})
    picture(0).save(tmp_path / "dog" / "._dog_000.png")
    found = open_pictures(tmp_path)
    assert found.classes == ("cat", "dog")
    assert keys(found) == ["cat/cat_000.png", "cat/cat_001.png", "dog/dog_000.png", "dog/dog_001.png"]


def test_a_folder_of_photos_has_no_classes(tmp_path: Path) -> None:
    for i in range(3):
        picture(i).save(tmp_path / f"{i}.png")
    pictures = open_pictures(tmp_path, ("car", "mug"))
    assert pictures.labels.tolist() == [-1] * 3 and pictures.classes == ("car", "mug")
    assert "3 of 3 pictures have no class" in said(lambda: require_labels(pictures))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: None, "no pictures; accepted: files .bmp"),
        (lambda root: (root / "car").mkdir(), "no pictures; accepted"),
        (
            lambda root: picture().save(tree(root, {"car": 1}) / "x.png"),
            "both next to the class folders (x.png) and in",
        ),
        (lambda root: root.rmdir(), "does not exist; give a data set, a folder of pictures, or a list file"),
    ],
)
def test_an_empty_or_mixed_folder_is_one_line(tmp_path: Path, make: Callable[[Path], object], message: str) -> None:
    (tmp_path / "data").mkdir()
    make(tmp_path / "data")
    assert message in said(lambda: open_pictures(tmp_path / "data"))


@pytest.mark.parametrize("folder", ["images", "101_ObjectCategories"])
def test_one_folder_around_the_classes_is_no_class(tmp_path: Path, folder: str) -> None:
    tree(tmp_path / folder, {"car": 1, "mug": 2})
    (tmp_path / "Annotations").mkdir()
    pictures = open_pictures(tmp_path)
    assert pictures.classes == ("car", "mug") and pictures.labels.tolist() == [0, 1, 1]
    assert open_pictures(tmp_path, (folder,)).classes == (folder,)
    assert open_pictures(tmp_path, ("kart",), rename={folder: "kart"}).labels.tolist() == [0, 0, 0]


def test_parts_of_a_set_are_no_classes(tmp_path: Path) -> None:
    for part in ("train", "val"):
        tree(tmp_path / part, {"car": 1, "mug": 2})
    assert "folders train, val are parts of a set" in said(lambda: open_pictures(tmp_path))
    assert len(open_pictures(tmp_path, labels=False)) == 6


def test_photographs_without_labels_may_lie_anywhere(tmp_path: Path) -> None:
    picture().save(tree(tmp_path, {"car": 1}) / "x.png")
    (tmp_path / "loop").symlink_to(tmp_path)  # which would show all pictures a second time
    found = open_pictures(tmp_path, labels=False)
    assert keys(found) == ["x.png", "car/car_000.png"] and found.labels.tolist() == [-1, -1]


# Lists -----------------------------------------------------------------------------------------------------------


def lists(root: Path, text: str) -> Path:
    tree(root / "real", {"car": 2, "mug": 2})
    (root / "splits").mkdir()
    (root / "splits" / "some.txt").write_bytes(text.encode())
    return root / "splits" / "some.txt"


@pytest.mark.parametrize(
    ("text", "labels", "classes"),
    [
        # As in S2RDA: paths from the folder above; blanks in names; as editors save them.
        ("real/mug/mug_001.png\nreal/car/car_000.png\n", [1, 0], ("car", "mug")),
        ("\ufeffreal/mug/mug_001.png\r\n\r\nreal/mug/mug_000.png", [0, 0], ("mug",)),
        # As in tllib: numbers of classes, not in the order of the alphabet.
        ("real/mug/mug_001.png 0\nreal/car/car_000.png 1\n", [0, 1], ("mug", "car")),
        ("real/mug/mug_001.png,1\nreal/car/car_000.png,\t0\n", [1, 0], ("car", "mug")),
        # Names of classes, and separators of Windows.
        ("real/mug/mug_001.png coffee mug\nreal/car/car_000.png car\n", [1, 0], ("car", "coffee mug")),
        ("real\\mug\\mug_001.png 0\r\nreal\\car\\car_000.png 1\r\n", [0, 1], ("mug", "car")),
    ],
)
def test_lists_with_and_without_classes(tmp_path: Path, text: str, labels: list[int], classes: tuple[str, ...]) -> None:
    pictures = open_pictures(lists(tmp_path, text))
    assert pictures.labels.tolist() == labels and pictures.classes == classes
    assert pictures.where(0) == str(tmp_path / "real" / "mug" / "mug_001.png")
    assert pictures.read(0).shape == (16, 24, 3)


def test_blanks_in_names_are_no_columns(tmp_path: Path) -> None:
    listed = lists(tmp_path, "real/mug/coffee mug_1.png\nreal/mug/mug 7 8.png\n")
    for name in ("coffee mug_1.png", "mug 7 8.png"):
        picture().save(tmp_path / "real" / "mug" / name)
    assert keys(open_pictures(listed)) == ["real/mug/coffee mug_1.png", "real/mug/mug 7 8.png"]


def test_numbers_without_folders_are_named_by_the_classes(tmp_path: Path) -> None:
    listed = lists(tmp_path, "real/mug/mug_000.png 1\nreal/mug/mug_001.png 0\nreal/car/car_000.png -1\n")
    pictures = open_pictures(listed, ("a", "b"))
    assert pictures.labels.tolist() == [1, 0, -1] and pictures.classes == ("a", "b")
    assert "do not match the folders one to one" in said(lambda: open_pictures(listed))
    assert "picture 1 has class 1, but there are 1 classes" in said(lambda: open_pictures(listed, ("a",)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "some.txt: empty"),
        ("real/car/car_000.png\nreal/car/gone.png\nreal/car/too.png", "real/car/gone.png and 1 more of 3; complete"),
        (
            "real/car/car_000.png 0\nreal/car/car_001.png",
            "line 2: 'real/car/car_001.png' lacks a class, unlike 1",
        ),
        ("../secret.png", "line 1: '../secret.png' leads out of the list's folder"),
        ("real/car/car_000.png\n/etc/passwd.png", "line 2: '/etc/passwd.png' leads out"),
        ("..\\secret.png", "line 1: '../secret.png' leads out of the list's folder"),
        ("real/car/car_000.png 0 3", "line 1: 'real/car/car_000.png 0 3' has more than a path and one class"),
    ],
)
def test_a_bad_list_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    listed = lists(tmp_path, text)
    assert re.sub("unlike line", "unlike", said(lambda: open_pictures(listed))).find(message) > 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train.csv", "id,Filename,split,label\n7,mug/mug_001.png,a,cup\n8,car/car_000.png,b,auto\n"),
        ("train.csv", "mug/mug_001.png,cup\ncar/car_000.png,auto\n"),
        ("train.csv", 'file_name;category\n"mug/mug_001.png";cup\ncar/car_000.png;auto\n'),
        ("train.tsv", "image\tclass\nmug\\mug_001.png\tcup\ncar\\car_000.png\tauto\n"),
    ],
)
def test_tables_are_read_by_their_columns(tmp_path: Path, name: str, text: str) -> None:
    # As Kaggle has them: the table lies beside the folder that its paths are relative to.
    tree(tmp_path / "images", {"car": 2, "mug": 2})
    (tmp_path / name).write_text(text)
    pictures = open_pictures(tmp_path / name)
    assert pictures.classes == ("auto", "cup") and pictures.labels.tolist() == [1, 0]
    assert keys(pictures) == ["mug/mug_001.png", "car/car_000.png"]
    unnamed = tmp_path / "unnamed.csv"
    unnamed.write_text("id,label\n7,cup\n")
    assert "line 1: no column has the paths of the pictures" in said(lambda: open_pictures(unnamed))


def test_a_list_of_other_bytes_is_one_line(tmp_path: Path) -> None:
    listed = lists(tmp_path, "")
    listed.write_bytes(b"real/\xff.png")
    assert "byte 5 is not UTF-8" in said(lambda: open_pictures(listed))


# Classes ---------------------------------------------------------------------------------------------------------


def test_classes_are_chosen_and_ordered(tmp_path: Path) -> None:
    pictures = open_pictures(tree(tmp_path, {"car": 1, "lamp": 2, "mug": 3}), ("mug", "car"))
    assert pictures.classes == ("mug", "car") and pictures.labels.tolist() == [1, 0, 0, 0]
    assert all(pictures.key(i).startswith(pictures.classes[pictures.labels[i]]) for i in range(4))
    assert pictures.read(0).shape == (16, 24, 3)


def test_names_that_differ_are_one_line_with_the_near_miss(tmp_path: Path) -> None:
    root = tree(tmp_path, {"car": 1, "motorbike": 2})
    asked = ("car", "motorcycle")
    message = said(lambda: open_pictures(root, asked))
    assert message.startswith(f"{root}: no class 'motorcycle'") and message.endswith("did you mean 'motorbike'?")
    assert message == said(lambda: open_pictures(root, asked, labels=False)), "a target's names must agree, too"
    renamed = open_pictures(root, asked, rename={"motorbike": "motorcycle"})
    assert renamed.classes == asked and renamed.labels.tolist() == [0, 1, 1]


def test_a_class_without_pictures_is_no_error(tmp_path: Path) -> None:
    pictures = open_pictures(tree(tmp_path, {"car": 2}), ("car", "mug"))
    assert pictures.classes == ("car", "mug") and pictures.labels.tolist() == [0, 0]


def test_without_labels_folders_may_be_called_anything(tmp_path: Path) -> None:
    dates = open_pictures(tree(tmp_path / "dates", {"2024": 2, "2025": 1}), ("car", "mug"), labels=False)
    assert dates.labels.tolist() == [-1] * 3 and dates.classes == ("car", "mug")
    # Where they are classes, those that are not asked for stay out.
    named = open_pictures(tree(tmp_path / "named", {"car": 2, "mug": 1, "sofa": 4}), ("car", "mug"), labels=False)
    assert named.labels.tolist() == [-1] * 3


def test_sets_are_joined(tmp_path: Path) -> None:
    one, two = (open_pictures(tree(tmp_path / name, {"car": 2, "mug": 1})) for name in "ab")
    both = joined([one, two])
    assert both.labels.tolist() == [0, 0, 1] * 2 and len(both) == 6
    assert both.where(4) == two.where(1) and np.array_equal(both.read(4), two.read(1))
    assert len(set(keys(both))) == 6 and joined([one]) is one
    other = open_pictures(tree(tmp_path / "c", {"car": 1, "lamp": 1}))
    assert "'lamp' is in only one of them" in said(lambda: joined([one, other]))


# Splits ----------------------------------------------------------------------------------------------------------


class Named:
    """ImageDataset of which only names and labels matter."""

    name, digest = "some", "0"

    def __init__(self, names: Iterable[str], labels: Iterable[int]):
        self._names, self.labels = list(names), np.array(list(labels), np.int64)
        self.classes = tuple(str(k) for k in range(self.labels.max() + 1)) if len(self.labels) else ()

    def __len__(self) -> int:
        return len(self._names)

    def read(self, i: int, short: int | None = None) -> np.ndarray:
        raise NotImplementedError

    where = read  # type: ignore[assignment]

    def key(self, i: int) -> str:
        return self._names[i]


SETS = st.dictionaries(st.text(max_size=5), st.integers(0, 3), min_size=1, max_size=25)


@settings(max_examples=40)
@given(SETS, st.integers(0, 5), st.randoms(use_true_random=False))
def test_a_part_depends_on_names_alone_and_lies_in_larger_ones(found: dict[str, int], seed: int, random) -> None:  # type: ignore[no-untyped-def]
    pictures = Named(found, found.values())
    shuffled = list(found.items())
    random.shuffle(shuffled)
    others = Named(*zip(*shuffled, strict=True))
    before: set[str] = set()
    for share in (0, 0.05, 0.1, 0.25, 0.5, 1):
        part, rest = parted(pictures, share, seed=seed)
        names = set(keys(part))
        assert before <= names and names.isdisjoint(keys(rest)) and names | set(keys(rest)) == set(found)
        assert names == set(keys(parted(others, share, seed=seed)[0]))
        for label in set(found.values()):
            size = sum(value == label for value in found.values())
            taken = int((part.labels == label).sum())
            assert abs(taken - share * size) <= (0.5 if share * size >= 0.5 else 1) and (taken > 0) == (share > 0)
        before = names
    assert before == set(found)


@settings(max_examples=40)
@given(SETS)
def test_halves_are_halves_of_each_class(found: dict[str, int]) -> None:
    adapt, test = halves(Named(found, found.values()))
    assert set(keys(adapt)) | set(keys(test)) == set(found) and len(adapt) + len(test) == len(found)
    for label in set(found.values()):
        assert 0 <= (test.labels == label).sum() - (adapt.labels == label).sum() <= 1


def test_parts_of_different_purpose_or_seed_are_independent() -> None:
    pictures = Named([f"{i}" for i in range(2000)], [0] * 2000)
    test = set(keys(halves(pictures)[1]))
    for other in (parted(pictures, 0.5)[0], halves(pictures, seed=1)[1]):
        assert 430 < len(test & set(keys(other))) < 570


def test_splits_by_name(tmp_path: Path) -> None:
    root = tree(tmp_path / "data", {"car": 8, "mug": 5})
    adapt, test = (open_pictures(root, split=part) for part in ("adapt", "test"))
    assert sorted(keys(adapt) + keys(test)) == sorted(keys(open_pictures(root))) and (len(adapt), len(test)) == (6, 7)
    quarter = open_pictures(root, split="adapt/25%")
    assert set(keys(quarter)) < set(keys(adapt)) and np.bincount(quarter.labels).tolist() == [1, 1]
    blind = open_pictures(root, ("mug", "car"), split="adapt", labels=False)
    assert set(keys(blind)) == set(keys(adapt)) and set(blind.labels.tolist()) == {-1}
    assert "no split 'adopt', did you mean 'adapt'?" in said(lambda: open_pictures(root, split="adopt"))
    assert "from 0% to 100%" in said(lambda: open_pictures(root, split="adapt/a lot"))
    assert "no pictures are left of split 'all/0%'" in said(lambda: open_pictures(root, split="all/0%"))


def test_the_digest_tells_sets_apart_wherever_they_lie(tmp_path: Path) -> None:
    root = tree(tmp_path / "here", {"car": 4, "mug": 4})
    shutil.copytree(root, tmp_path / "there")
    asked = [{}, {"split": "adapt"}, {"split": "test"}, {"split": "adapt/50%"}, {"labels": False},
             {"classes": ("mug", "car")}, {"classes": ("mug",)}, {"split": "adapt", "seed": 1}]  # fmt: skip
    here, there = ([open_pictures(at, **how).digest for how in asked] for at in (root, tmp_path / "there"))  # type: ignore[arg-type]
    assert here == there and len(set(here)) == len(asked)
    (tmp_path / "there" / "car" / "car_000.png").unlink()
    assert open_pictures(tmp_path / "there").digest not in here


# Pixels ----------------------------------------------------------------------------------------------------------


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 40))
def test_pictures_are_resized_as_torchvision_does(width: int, height: int, short: int) -> None:
    image = picture(3, width, height)
    if max(width, height) > 50 * min(width, height):
        return
    long = int(short * max(width, height) / min(width, height))
    expected = image.resize((short, long) if width <= height else (long, short), Image.Resampling.BILINEAR)
    assert np.array_equal(resized(np.asarray(image), short), np.asarray(expected))


def test_a_file_gives_pillows_pixels(tmp_path: Path) -> None:
    for name, options in (("a.png", {}), ("a.jpg", {"quality": 95}), ("a.webp", {"lossless": True})):
        picture(1, 90, 60).save(tmp_path / name, **options)
        with Image.open(tmp_path / name) as image:
            expected = np.asarray(image.convert("RGB").resize((60, 40), Image.Resampling.BILINEAR))
        assert np.array_equal(decoded(tmp_path / name, 40), expected)


def test_a_large_jpeg_is_decoded_small_and_looks_the_same(tmp_path: Path, shared: Path) -> None:
    with Image.open(sorted((shared / "caltech13" / "real" / "car").iterdir())[0]) as photo:
        large = photo.convert("RGB").resize((photo.width * 8, photo.height * 8), Image.Resampling.BICUBIC)
    large.save(tmp_path / "large.jpg", quality=92)
    quick = decoded(tmp_path / "large.jpg", 100)
    with Image.open(tmp_path / "large.jpg") as image:
        slow = np.asarray(image.resize(quick.shape[1::-1], Image.Resampling.BILINEAR))
    assert quick.shape == slow.shape
    assert np.abs(quick.astype(int) - slow).mean() < 1 and np.abs(quick.astype(int) - slow).max() < 24


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_all_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("x.tif" if mode == "CMYK" else "x.png")
    if mode == "I;16":
        Image.fromarray(np.linspace(0, 65535, 12 * 9).astype(np.uint16).reshape(9, 12)).save(path)
    else:
        picture(2, 12, 9).convert(mode).save(path)
    pixels = decoded(path)
    assert pixels.shape == (9, 12, 3) and pixels.dtype == np.uint8 and pixels.max() > 200 and pixels.min() < 50
    if mode == "I;16":
        assert abs(float(pixels.mean()) - 127) < 3, "16 bits must be scaled, not cut off"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_come_upright(tmp_path: Path, orientation: int) -> None:
    back = {1: [], 2: [0], 3: [3], 4: [1], 5: [5], 6: [2], 7: [6], 8: [4]}[orientation]
    stored = picture(4, 24, 16)
    for operation in back:
        stored = stored.transpose(Image.Transpose(operation))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "x.png", exif=exif)
    assert np.array_equal(decoded(tmp_path / "x.png"), np.asarray(picture(4, 24, 16)))


def test_harmless_damage_is_not_told(tmp_path: Path) -> None:
    """Pillow warns of it on standard error."""
    picture().save(tmp_path / "x.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\x02\0\x12\x01")
    code = "import sys, pathlib; from training.data.decode import decoded; decoded(pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(tmp_path / "x.jpg")]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


BROKEN = {"png": b"", "jpg": b"", "webp": b"", "bmp": b"", "tif": b""}


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(
    st.sampled_from(sorted(BROKEN)),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=12),
    st.integers(0, 3000),
)
def test_damage_is_pixels_or_one_line(tmp_path_factory, kind: str, changes: list[tuple[int, int]], cut: int) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.getbasetemp() / "damage"
    folder.mkdir(exist_ok=True)
    path = folder / f"x.{kind}"
    if not BROKEN[kind]:
        picture(5, 30, 20).save(path)
        BROKEN[kind] = path.read_bytes()
    data = bytearray(BROKEN[kind])
    for place, value in changes:
        data[place % len(data)] = value
    path.write_bytes(data[: cut or None])
    try:
        assert decoded(path, 10).shape[2] == 3
    except InputError as error:
        assert str(error).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; repair or delete the file"),
        (b"<html>", "is not a picture of a known format"),
        (None, "no such picture"),
    ],
)
def test_a_file_that_is_no_picture_is_one_line(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "x.png").write_bytes(content)
    assert message in said(lambda: decoded(tmp_path / "x.png"))


def test_a_cut_off_or_endless_picture_is_one_line(tmp_path: Path) -> None:
    picture(6, 200, 100).save(tmp_path / "x.jpg")
    whole = (tmp_path / "x.jpg").read_bytes()
    (tmp_path / "x.jpg").write_bytes(whole[: len(whole) // 2])
    assert "cannot be decoded: image file is truncated" in said(lambda: decoded(tmp_path / "x.jpg"))
    Image.new("RGB", (2000, 2)).save(tmp_path / "long.png")
    assert "2000 x 2 pixels are too long and thin" in said(lambda: decoded(tmp_path / "long.png", 256))


def test_real_photographs_and_their_halves(shared: Path) -> None:
    root = shared / "caltech13" / "real"
    pictures = open_pictures(root)
    assert len(pictures) == 1895 and len(pictures.classes) == 13
    adapt, test = (open_pictures(root, pictures.classes, split=part) for part in ("adapt", "test"))
    assert set(keys(adapt)).isdisjoint(keys(test)) and len(adapt) + len(test) == 1895
    assert min(pictures.read(i, 64).shape[:2] for i in range(0, 1895, 100))[0] >= 64

"""Masks and folders of others: the layouts of public sets, and masks of any two values."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

from scenes.errors import InputError
from segment.cli import measure
from segment.sets import open_set
from segment.tree import listed

H, W = 40, 64


def truth(k: int) -> NDArray[np.bool_]:
    """A line of 3 px: 7.5 % of the picture."""
    mask = np.zeros((H, W), bool)
    mask[10 + k : 13 + k] = True
    return mask


def picture(k: int) -> Image.Image:
    gray = np.random.default_rng(k).integers(100, 180, (H, W, 1)) - 60 * truth(k)[..., None]
    return Image.fromarray(np.repeat(gray, 3, 2).astype(np.uint8))


def levels(k: int, low: int = 0, high: int = 255) -> Image.Image:
    return Image.fromarray(np.where(truth(k), high, low).astype(np.uint8))


def save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def check(folder: Path, count: int, mask_value: int | None = None) -> tuple[str, ...]:
    """All pictures are found with their own masks; returns the notes."""
    pictures = open_set(folder, mask_value)
    assert pictures.labeled and pictures.size == count and pictures.left_out == ()
    for i in range(count):
        found = pictures.read(i)
        k = int(found.name[-1])
        assert found.mask is not None
        np.testing.assert_array_equal(found.mask, truth(k), err_msg=found.name)
        # The picture is its own, not another one: its line is darker.
        assert found.rgb[found.mask].mean() < found.rgb[~found.mask].mean() - 30
    return pictures.notes


# Where public sets have their pictures and masks, as their pages and loaders say.
LAYOUTS = {
    "ours": ("img/{k}.png", "mask/{k}.png"),
    "CrackSeg9k": ("Images/{k}.jpg", "Masks/{k}.png"),
    "CamVid": ("train/{k}.png", "trainannot/{k}.png"),
    "DeepCrack": ("train_img/{k}.jpg", "train_lab/{k}.png"),
    "DeepCrack, unpacked twice": ("DeepCrack/test_img/{k}.jpg", "DeepCrack/test_lab/{k}.png"),
    "CFD, converted": ("image/{k}.jpg", "gt/{k}.png"),
    "CrackForest, converted": ("image/{k}.jpg", "groundTruth/{k}.png"),
    "CrackForest, with words": ("image/{k}.jpg", "seg/{k}_label.png"),
    "Crack500": ("traincrop/{k}.jpg", "traincrop/{k}.png"),
    "Crack500, whole": ("traindata/{k}.jpg", "traindata/{k}_mask.png"),
    "GAPs384": ("croppedimg/{k}.jpg", "croppedgt/{k}.png"),
    "CrackTree200": ("cracktree200rgb/{k}.jpg", "cracktree200_gt/{k}.bmp"),
    "CrackLS315": ("CrackLS315/{k}.jpg", "CrackLS315_gt/{k}.bmp"),
    "Concrete of Mendeley": ("rgb/{k}.jpg", "BW/{k}.png"),
    "VOC": ("JPEGImages/{k}.jpg", "SegmentationClass/{k}.png"),
    "Roboflow": ("train/{k}.jpg", "train/{k}_mask.png"),
    "img and ann": ("ds/img/{k}.jpg", "ds/ann/{k}.png"),
    "beside in a folder": ("{k}.jpg", "labels/{k}.png"),
    "split inside": ("images/train/{k}.jpg", "annotations/train/{k}.png"),
    "words in names": ("images/IMG_{k}.jpg", "masks/MASK_{k}.png"),
    "a dot before the word": ("{k}.jpg", "{k}.mask.png"),
    "the picture's suffix before the mask's": ("img/{k}.jpg", "mask/{k}.jpg.png"),
    "both suffixes, beside": ("{k}.jpg", "{k}.jpg.png"),
    "words with a space": ("Original/{k}.jpg", "Ground Truth/{k}.png"),
    "a set in a folder of originals": ("original/img/{k}.jpg", "original/mask/{k}.png"),
    "Supervisely, without its files": ("ds/img/{k}.jpg", "ds/masks_machine/{k}.png"),
}  # fmt: skip


# No name tells what is a mask.
BARE = {
    "nnU-Net": ("imagesTr/case{k}_0000.png", "labelsTr/case{k}.png"),
    "Mapillary": ("training/images/{k}.jpg", "training/v2.0/labels/{k}.png"),
    "ISIC": ("ISIC_Training_Input/ISIC_{k}.jpg", "ISIC_Training_GroundTruth/ISIC_{k}_segmentation.png"),
    "KITTI": ("training/image_2/{k}_10.png", "training/semantic/{k}_10.png"),
    "DeepGlobe": ("train/{k}_sat.jpg", "train/{k}_mark.png"),
    "LabelMe's converter": ("{k}_json/img.png", "{k}_json/label.png"),
    "frames": ("frames/{k}.png", "masks/{k}.png"),
    "words before": ("data/image{k}.png", "data/label{k}.png"),
}


@pytest.mark.parametrize("name", BARE)
def test_masks_without_a_telling_name_are_known_by_their_few_values(tmp_path: Path, name: str) -> None:
    for k in range(3):
        for part, image in zip(BARE[name], (picture(k), levels(k)), strict=True):
            save(image, tmp_path / "set" / part.format(k=f"{k:03d}"))
    pictures = open_set(tmp_path / "set")
    assert pictures.labeled and pictures.size == 3 and pictures.left_out == ()
    assert "are taken for the masks of" in pictures.notes[0]
    for k in range(3):
        found = pictures.read(k)
        np.testing.assert_array_equal(found.mask, truth(k))
        assert found.rgb[truth(k)].mean() < found.rgb[~truth(k)].mean() - 30


def test_files_of_no_pair_are_told(tmp_path: Path) -> None:
    for k in range(4):
        save(picture(k), tmp_path / "in" / f"{k}.jpg")
        if k < 3:
            save(levels(k), tmp_path / "out" / f"{k}.png")
    save(levels(0), tmp_path / "out" / "9.png")
    pictures = open_set(tmp_path)
    assert pictures.names == ("in/0", "in/1", "in/2")
    assert sorted(line.partition(": ")[0] for line in pictures.left_out) == [
        str(tmp_path / "in" / "3.jpg"),
        str(tmp_path / "out" / "9.png"),
    ]


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_of_public_sets(tmp_path: Path, name: str) -> None:
    for k in range(3):
        for part, image in zip(LAYOUTS[name], (picture(k), levels(k)), strict=True):
            save(image, tmp_path / "set" / part.format(k=k))
    assert check(tmp_path / "set", 3) == ()


def test_splits_are_taken_together(tmp_path: Path) -> None:
    for k, split in enumerate(("train", "val", "test")):
        save(picture(k), tmp_path / split / "images" / f"{k}.jpg")
        save(levels(k), tmp_path / split / "masks" / f"{k}.png")
    check(tmp_path, 3)
    assert open_set(tmp_path).names == ("test/2", "train/0", "val/1")


def test_two_splits_of_deepcrack_are_taken_together(tmp_path: Path) -> None:
    for k, split in enumerate(("test", "train")):
        save(picture(k), tmp_path / f"{split}_img" / f"{k}.jpg")
        save(levels(k), tmp_path / f"{split}_lab" / f"{k}.png")
    check(tmp_path, 2)
    assert open_set(tmp_path).names == ("test/0", "train/1")


def test_folders_of_other_programs_are_left_alone(tmp_path: Path) -> None:
    for k in range(2):
        for place in ("", "__MACOSX", "@eaDir", "img/@eaDir", "img/.ipynb_checkpoints"):
            save(picture(k), tmp_path / place / "img" / f"{k}.jpg")
            save(levels(k), tmp_path / place / "mask" / f"{k}.png")
    check(tmp_path, 2)


def test_links_that_go_round_end(tmp_path: Path) -> None:
    save(picture(0), tmp_path / "walls" / "0.jpg")
    (tmp_path / "walls" / "again").symlink_to(tmp_path)
    assert open_set(tmp_path).names[0] == "walls/0"


def test_photographs_of_two_formats_are_no_masks(tmp_path: Path) -> None:
    for k in range(3):
        picture(k).save(tmp_path / f"{k}.jpg")
        picture(k).save(tmp_path / f"{k}.png")
    pictures = open_set(tmp_path)
    assert not pictures.labeled and pictures.size == 3 and len(pictures.left_out) == 3


def test_labels_of_yolo_are_no_masks(tmp_path: Path) -> None:
    for k in range(2):
        save(picture(k), tmp_path / "images" / f"{k}.jpg")
        (tmp_path / "labels").mkdir(exist_ok=True)
        (tmp_path / "labels" / f"{k}.txt").write_text("0 0.5 0.5 1 1")
    pictures = open_set(tmp_path)
    (line,) = pictures.left_out
    assert not pictures.labeled and pictures.size == 2 and "labels: holds no masks that can be read" in line


def test_masks_that_are_not_wanted_are_not_read(tmp_path: Path) -> None:
    made(tmp_path, lambda k: picture(k).convert("L"))
    (tmp_path / "mask/0.png").write_bytes(b"")
    assert not open_set(tmp_path, masks=False).labeled
    with pytest.raises(InputError, match=r"0.png: is empty"):
        open_set(tmp_path).read(0)


def palette(k: int) -> Image.Image:
    image = levels(k, 0, 38).convert("P")
    image.putpalette([value for index in range(256) for value in (index, 255 - index, 90)])
    image.putdata((truth(k) * 38).ravel().tolist())
    return image


def colors(k: int, crack: tuple[int, ...], rest: tuple[int, ...]) -> Image.Image:
    return Image.fromarray(np.where(truth(k)[..., None], crack, rest).astype(np.uint8))


KINDS: Mapping[str, Callable[[int], Image.Image]] = {
    "0 and 1": lambda k: levels(k, 0, 1),
    "1 and 2": lambda k: levels(k, 1, 2),
    "0 and 2": lambda k: levels(k, 0, 2),
    "0 and 38": lambda k: levels(k, 0, 38),
    "one bit": lambda k: levels(k).convert("1"),
    "sixteen bits": lambda k: Image.fromarray(np.where(truth(k), 65535, 0).astype(np.uint16)),
    "a palette": palette,
    "red on black": lambda k: colors(k, (255, 0, 0), (0, 0, 0)),
    "blue on white": lambda k: colors(k, (0, 0, 255), (255, 255, 255)),
    "white on black, opaque": lambda k: colors(k, (255, 255, 255, 255), (0, 0, 0, 255)),
    "white on nothing": lambda k: colors(k, (255, 255, 255, 255), (255, 255, 255, 0)),
    "black on nothing": lambda k: colors(k, (0, 0, 0, 255), (0, 0, 0, 0)),
    "red on nothing": lambda k: colors(k, (200, 0, 0, 255), (0, 0, 0, 0)),
    "gray with opacity": lambda k: levels(k).convert("LA"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_masks_of_any_two_values(tmp_path: Path, kind: str) -> None:
    for k in range(3):
        save(picture(k), tmp_path / "img" / f"{k}.png")
        save(KINDS[kind](k), tmp_path / "mask" / f"{k}.png")
    check(tmp_path, 3)


def made(folder: Path, mask: Callable[[int], Image.Image], count: int = 3, suffix: str = "png") -> Path:
    for k in range(count):
        save(picture(k), folder / "img" / f"{k}.png")
        save(mask(k), folder / "mask" / f"{k}.{suffix}")
    return folder


def test_masks_of_0_and_1_beside_masks_of_0_and_255(tmp_path: Path) -> None:
    """As in sets that were put together from several."""
    assert check(made(tmp_path, lambda k: levels(k, 0, (1, 255, 255)[k])), 3) == ()


def test_an_inverted_mask_is_read_and_told(tmp_path: Path) -> None:
    (note,) = check(made(tmp_path, lambda k: levels(k, 255, 0)), 3)
    assert "cracks are taken to be 0, which covers 7.5%, less than 255" in note and "--mask-value 255" in note


def test_jpeg_masks_are_rounded(tmp_path: Path) -> None:
    """What JPEG changes least is blocks of 8 px: there, nothing may differ. An empty mask stays empty."""
    band = np.repeat((np.arange(H) // 8 == 2)[:, None], W, axis=1)
    for k in range(3):
        save(picture(k), tmp_path / "img" / f"{k}.png")
        save(Image.fromarray(np.where(band & (k < 2), 250, 3).astype(np.uint8)), tmp_path / "mask" / f"{k}.jpg")
    diagonal = np.abs(np.arange(W)[None] - np.arange(H)[:, None] - 9) < 3
    save(Image.fromarray(np.where(diagonal, 255, 0).astype(np.uint8)), tmp_path / "mask" / "1.jpg")
    masks = [open_set(tmp_path).read(k).mask for k in range(3)]
    np.testing.assert_array_equal(masks[0], band)
    assert (masks[1] != diagonal).mean() < 0.005 and not masks[2].any()  # type: ignore[union-attr]


def test_one_mask_of_mostly_crack_is_not_inverted(tmp_path: Path) -> None:
    """The value is found in all masks together, and an empty mask stays empty."""
    made(tmp_path, levels, 8)
    save(
        Image.fromarray(np.where(np.arange(H * W).reshape(H, W) % 5, 255, 0).astype(np.uint8)), tmp_path / "mask/0.png"
    )
    save(Image.new("L", (W, H)), tmp_path / "mask/1.png")
    pictures = open_set(tmp_path)
    shares = [pictures.read(k).mask.mean() for k in range(3)]  # type: ignore[union-attr]
    assert shares == pytest.approx([0.8, 0, 3 / H])


def test_the_user_overrules(tmp_path: Path) -> None:
    made(tmp_path, lambda k: levels(k, 255, 0))
    pictures = open_set(tmp_path, 255)
    np.testing.assert_array_equal(pictures.read(0).mask, ~truth(0))
    assert pictures.notes == () and pictures.digest != open_set(tmp_path).digest
    with pytest.raises(InputError, match=r"no mask has the value 7 of --mask-value; there are 0, 255$"):
        open_set(tmp_path, 7)


def test_more_than_two_values_need_the_user(tmp_path: Path) -> None:
    def classes(k: int) -> Image.Image:
        values = np.where(truth(k), 2, 0).astype(np.uint8)
        values[-3:] = 1
        return Image.fromarray(values)

    made(tmp_path, classes)
    with pytest.raises(InputError, match=r"masks have 3 values \(0, 1, 2\), .* give its value with --mask-value$"):
        open_set(tmp_path)
    check(tmp_path, 3, 2)
    run = CliRunner().invoke(measure, [str(tmp_path), "--mask-value", "0x2"])
    assert run.exit_code == 0, run.output
    run = CliRunner().invoke(measure, [str(tmp_path), "--mask-value", "red"])
    assert run.exit_code == 2 and "'red' is not a number" in run.output


def test_a_strange_value_in_a_late_mask_is_named(tmp_path: Path) -> None:
    made(tmp_path, levels, 70)
    unseen = sorted(set(range(70)) - set(np.linspace(0, 69, 64).round().astype(int)))[0]
    name = open_set(tmp_path).names[unseen]
    save(levels(int(name), 0, 9), tmp_path / "mask" / f"{name}.png")
    pictures = open_set(tmp_path)
    with pytest.raises(InputError, match=rf"mask/{name}.png: has the value 9; other masks have 0 and 255"):
        pictures.read(unseen)


@pytest.mark.parametrize(("value", "word"), [(0, "empty"), (255, "full")])
def test_masks_that_show_nothing_are_told(tmp_path: Path, value: int, word: str) -> None:
    made(tmp_path, lambda k: Image.new("L", (W, H), value))
    (note,) = open_set(tmp_path).notes
    assert f"3 of 3 masks looked at are {word}" in note
    run = CliRunner().invoke(measure, [str(tmp_path)])
    assert run.exit_code == 0 and f"looked at are {word}" in run.output


def test_a_mask_of_another_size_is_one_line(tmp_path: Path) -> None:
    made(tmp_path, lambda k: levels(k).resize((W // 2, H)))
    with pytest.raises(InputError, match=r"0.png: has 32 x 40 but its picture 64 x 40 pixels; scale it to the picture"):
        open_set(tmp_path).read(0)


def test_a_folder_is_listed_once_and_links_do_not_show_a_file_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(picture(0), tmp_path / "elsewhere" / "1.jpg")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path)
    save(picture(0), tmp_path / "set" / "walls" / "0.jpg")
    (tmp_path / "set" / "again").symlink_to("walls")
    (tmp_path / "set" / "more").symlink_to("../elsewhere")
    (tmp_path / "set" / "lost.jpg").symlink_to("nothing.jpg")
    tree = listed(tmp_path / "set")
    names = [path.relative_to(tmp_path / "set").as_posix() for path in tree.pictures]
    assert names == ["more/1.jpg", "walls/0.jpg"]
    assert tree.lost == (f"{tmp_path / 'set' / 'lost.jpg'}: is a link to nothing, or no file",)
    for k in range(2):
        save(picture(0), tmp_path / "set" / f"day{k}" / "0.jpg")
    calls: list[str] = []
    for name in ("scandir", "listdir"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda place, real=real: (calls.append(str(place)), real(place))[1])
    open_set(tmp_path / "set")
    within = [place for place in calls if place.startswith(str(tmp_path / "set"))]
    assert sorted(within) == sorted(
        map(str, (tree.folder, *(tree.folder / name for name in ("walls", "more", "day0", "day1"))))
    )

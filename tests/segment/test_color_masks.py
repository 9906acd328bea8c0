"""Masks of classes in colors: in the folders and with the files of public sets and tools."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from scenes.errors import InputError
from segment.classes.public import voc_color
from segment.classes.sets import open_classes
from segment.config import SegmentConfig
from segment.datasets import open_datasets
from segment.ignored import IGNORED
from segment.sets import open_set

H, W = 40, 64
COLORS = {"sky": (70, 130, 180), "road": (128, 64, 128), "car": (0, 0, 142), "void": (0, 0, 0)}
NAMES = ("sky", "road", "car")


def truth(k: int) -> NDArray[np.uint8]:
    ids = np.zeros((H, W), np.uint8)
    ids[20:], ids[24:34, 10 + k : 30 + k], ids[36:, :8] = 1, 2, 3
    return ids


def wanted(k: int) -> NDArray[np.uint8]:
    return np.where(truth(k) == 3, IGNORED, truth(k)).astype(np.uint8)


def colored(k: int) -> Image.Image:
    return Image.fromarray(np.array(list(COLORS.values()), np.uint8)[truth(k)])


def indexed(k: int, order: tuple[int, ...] = (0, 1, 2, 3)) -> Image.Image:
    """Indices in another order than the classes, whose palette has the right colors."""
    image = Image.fromarray(np.array(order, np.uint8)[truth(k)])
    image.putpalette([level for place in range(4) for level in list(COLORS.values())[order.index(place)]])
    return image


def save(image: Image.Image, path: Path, **options: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)


def picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (H, W, 3), np.uint8))


def text(pattern: str) -> str:
    return "".join(pattern.format(name=name, r=r, g=g, b=b) + "\n" for name, (r, g, b) in COLORS.items())


VISTAS = {"labels": [{"readable": name, "name": f"a--{name}", "color": color} for name, color in COLORS.items()]}
META = {"label_map": {str(k): name for k, name in enumerate(COLORS)}, "segmentation_colors": [*COLORS.values()]}
ROWS = "name,r,g,b\n" + text("{name},{r},{g},{b}")
SPACED = "name, r, g, b\n" + text("{name}, {r}, {g}, {b}")
LABELMAP = "# label:color_rgb:parts:actions\n" + text("{name}:{r},{g},{b}::")
TABS = text("{r} {g} {b}\t\t{name}")
TABLE = "Class;Red;Green;Blue\n" + text("{name};{r};{g};{b}")
# Where pictures and masks lie, and the file that says what colors mean, as the sets' own pages and converters have it.
SETS = {
    "CamVid of Kaggle": ("train/{k}.png", "train_labels/{k}_L.png", "class_dict.csv", ROWS),
    "CamVid": ("701_StillsRaw_full/01TP_{k}.png", "LabeledApproved_full/01TP_{k}_L.png", "label_colors.txt", TABS),
    "SegNet's CamVid": ("train/{k}.png", "trainannot/{k}.png", "label_colors.txt", text("{r} {g} {b} {name}")),
    "DeepGlobe": ("train/{k}_sat.jpg", "train/{k}_mask.png", "class_dict.csv", ROWS),
    "drone pictures": ("original_images/{k}.jpg", "label_images/{k}.png", "class_dict_seg.csv", SPACED),
    "CVAT": ("JPEGImages/{k}.jpg", "SegmentationClass/{k}.png", "labelmap.txt", LABELMAP),
    "names and colors": ("img/{k}.png", "mask/{k}.png", "classes.txt", text("{name} {r} {g} {b}")),
    "colors and names": ("img/{k}.png", "mask/{k}.png", "classes.txt", text("{r}, {g}, {b}: {name}")),
    "a semicolon": ("img/{k}.png", "mask/{k}.png", "labels.csv", TABLE),
    "datumaro": ("images/{k}.png", "masks/{k}.png", "dataset_meta.json", json.dumps(META)),
    "Mapillary": ("training/images/{k}.jpg", "training/v2.0/labels/{k}.png", "config_v2.0.json", json.dumps(VISTAS)),
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("mask", [colored, indexed, lambda k: indexed(k, (2, 0, 3, 1))], ids=["rgb", "own", "other"])
def test_colors_of_public_sets(tmp_path: Path, name: str, mask: object) -> None:
    """The same classes come from colors, from indices in the order of the file, and from indices in another order."""
    where, masks, file, content = SETS[name]
    for k in range(2):
        save(picture(), tmp_path / where.format(k=f"00{k}"))
        save(mask(k), tmp_path / masks.format(k=f"00{k}"))  # type: ignore[operator]
        # Other pictures of the same labels.
        save(picture().quantize(4), tmp_path / "SegmentationObject" / f"00{k}.png")
    (tmp_path / file).write_text(content)
    pictures = open_classes(tmp_path)
    assert pictures.classes == NAMES and pictures.size == 2 and pictures.labeled
    for k in range(2):
        assert np.array_equal(pictures.read(k).ids, wanted(k))
    assert any("pixels of 'void' count nowhere" in note for note in pictures.notes)


def test_colors_in_the_config_come_before_files(tmp_path: Path) -> None:
    save(picture(), tmp_path / "img/0.png")
    save(colored(0), tmp_path / "mask/0.png")
    with pytest.raises(InputError, match=r"nobody names its classes; .* fields classes or colors"):
        open_classes(tmp_path)
    (tmp_path / "classes.txt").write_text("nothing\n")
    with pytest.raises(InputError, match=r"0.png: has colors, and .*classes.txt gives none; list them"):
        open_classes(tmp_path)
    data = {"source": [{"where": str(tmp_path)}], "holdout": 0}
    config = SegmentConfig(data=data, classes=("road", "sky"), colors=COLORS)
    ids = open_datasets(config).source[0].pictures.read(0).ids
    assert ids is not None and ids[0, 0] == 1 and ids[22, 0] == 0 and ids[28, 20] == IGNORED
    with pytest.raises(ValueError, match="less than or equal to 255"):
        SegmentConfig(data=data, colors={"road": (0, 0, 256)})


@pytest.mark.parametrize("quality", [95, 75])
def test_jpeg_and_soft_edges_have_the_nearest_color_or_count_nowhere(tmp_path: Path, quality: int) -> None:
    """Between a white and a black area lies gray, which is the sky's color: a blend is nobody's class."""
    colors = COLORS | {"sky": (128, 128, 128), "wall": (255, 255, 255)}
    ids = truth(0)
    ids[:20, 32:] = 4
    rgb = Image.fromarray(np.array(list(colors.values()), np.uint8)[ids])
    kinds = {"jpg": rgb, "png": rgb.resize((2 * W, 2 * H), Image.Resampling.BILINEAR).resize((W, H))}
    for suffix, image in kinds.items():
        root = tmp_path / suffix
        save(picture(), root / "img/0.png")
        save(image, root / f"mask/0.{suffix}", quality=quality)
        pictures = open_classes(root, colors=colors)
        found = pictures.read(0).ids
        assert found is not None
        right = np.select([ids == 3, ids == 4], [IGNORED, 3], ids)
        wrong = (found != right) & (found != IGNORED)
        assert not wrong.any() and (found == right).mean() > 0.75
        assert "have a color near that of a class and are taken for it" in pictures.notes[-1]


def test_colors_that_no_class_has_are_one_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    for k in range(2):
        save(picture(), tmp_path / f"img/{k}.png")
        save(colored(k), tmp_path / f"mask/{k}.png")
    rgb = np.array(colored(1))
    rgb[:10, :40] = 255, 0, 0
    save(Image.fromarray(rgb), tmp_path / "mask/1.png")
    pictures = open_classes(tmp_path, colors=COLORS)
    assert np.array_equal(pictures.read(0).ids, wanted(0))
    with pytest.raises(
        InputError, match=r"1.png: 15.6% of its pixels .* does not list, most of them \[255, 0, 0\]; add"
    ):
        pictures.read(1)
    rgb = np.array(colored(1))
    rgb[:2, :9] = 255, 0, 0  # a few count nowhere, and are told
    save(Image.fromarray(rgb), tmp_path / "mask/1.png")
    pictures = open_classes(tmp_path, colors=COLORS)
    ids = pictures.read(1).ids
    assert ids is not None and (ids[:2, :9] == IGNORED).all() and np.array_equal(ids[3:], wanted(1)[3:])
    assert "0.35% have other colors, such as [255, 0, 0], and count nowhere" in pictures.notes[-1]


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("class_dict.csv", "name,r,g,b\nroad,1,2\n", "row 1 has 3 columns, the first line has 4"),
        ("class_dict.csv", "name,r,g,b\nroad,1,2,300\n", r"class 'road' has the color \['1', '2', '300'\]; give three"),
        ("labelmap.txt", "road:1,2::\n", r"class 'road' has the color \['1', '2'\]"),
        ("label_colors.txt", "1 2 3 road\n1 2 3 sky\n", r"gives the color \[1, 2, 3\] to two classes, one is 'sky'"),
        ("label_colors.txt", "1 2 3 road\n4 5 6 road\n", "names a class twice: 'road'"),
        ("category_id.txt", "1 road\n1 sky\n", "gives the number 1 to two classes"),
        ("dataset_meta.json", "{", "not JSON"),
    ],
)  # fmt: skip
def test_a_wrong_file_of_colors_is_one_line(tmp_path: Path, file: str, content: str, told: str) -> None:
    save(picture(), tmp_path / "img/0.png")
    save(colored(0), tmp_path / "mask/0.png")
    (tmp_path / file).write_text(content)
    with pytest.raises(InputError, match=rf"^[^\n]*{file}[^\n]*{told}"):
        open_classes(tmp_path)


def test_files_of_numbers(tmp_path: Path) -> None:
    """FoodSeg103, Roboflow, Supervisely, LoveDA and COCO-Stuff number their classes each in its own way."""
    machine = json.dumps({name: [k + 1] * 3 for k, name in enumerate(COLORS)})
    listed = "".join(f"{k}\t{name}\n" for k, name in enumerate(COLORS))
    table = "Pixel Value, Class\n" + listed.replace("\t", ", ")
    stuff = "0: unlabeled\n1: person\n" + "".join(f"{k}: {name}\n" for k, name in enumerate(COLORS, 2))
    for root, (where, masks, file, content, first) in {
        "food": ("Images/img_dir/train/{k}.jpg", "Images/ann_dir/train/{k}.png", "category_id.txt", listed, 0),
        "roboflow": ("{k}.jpg", "{k}_mask.png", "_classes.csv", table, 0),
        "stuff": ("images/{k}.jpg", "annotations/{k}.png", "labels.txt", stuff, 1),
        "machine": ("ds/img/{k}.jpg", "ds/masks_machine/{k}.png", "obj_class_to_machine_color.json", machine, 1),
        "loveda": ("Train/Urban/images_png/{k}.png", "Train/Urban/masks_png/{k}.png", "", "", 0),
    }.items():
        for k in range(2):
            save(picture(), tmp_path / root / where.format(k=k))
            save(Image.fromarray(truth(k) + np.uint8(first)), tmp_path / root / masks.format(k=k))
        if file:
            (tmp_path / root / file).write_text(content)
        pictures = open_classes(tmp_path / root)
        for k in range(2):
            ids = pictures.read(k).ids
            assert ids is not None
            if root == "loveda":  # 0 is no data, and 1 is the background
                assert (
                    np.array_equal(ids, np.where(truth(k) == 0, IGNORED, truth(k) - 1)) and len(pictures.classes) == 7
                )
            else:
                names = np.array([*pictures.classes, *[""] * 256])
                assert np.array_equal(names[ids], np.array([*NAMES, ""])[truth(k)]), root


def test_voc_has_indices_or_colors_and_a_border(tmp_path: Path) -> None:
    assert [voc_color(k) for k in (1, 2, 15, 20)] == [(128, 0, 0), (0, 128, 0), (192, 128, 128), (0, 64, 128)]
    ids = truth(0) * np.uint8(5)
    ids[38] = 255
    palette = np.array([voc_color(k) for k in range(255)] + [(224, 224, 192)], np.uint8)
    image = Image.fromarray(ids)
    image.putpalette(palette.tobytes())
    (tmp_path / "ImageSets/Main").mkdir(parents=True)
    save(picture(), tmp_path / "JPEGImages/0.jpg")
    for mask in (image, Image.fromarray(palette[ids])):
        save(mask, tmp_path / "SegmentationClass/0.png")
        pictures = open_classes(tmp_path)
        assert len(pictures.classes) == 21 and "are taken to be those of VOC" in pictures.notes[0]
        assert np.array_equal(pictures.read(0).ids, ids)


POTSDAM, ISAID = ("2_Ortho_RGB/top_potsdam_2_{k}_RGB.tif", "5_Labels_all/top_potsdam_2_{k}_label.tif"), (
    "train/images/P{k}.png", "train/Semantic_masks/images/P{k}_instance_color_RGB.png")  # fmt: skip
SUIM = "train_val/images/d_{k}.jpg", "train_val/masks/d_{k}.bmp"


@pytest.mark.parametrize(
    ("places", "colors", "ids"),
    [
        (POTSDAM, [(255, 255, 255), (0, 0, 255), (0, 255, 255), (0, 255, 0)], [0, 1, 2, 3]),
        (ISAID, [(0, 0, 0), (0, 0, 63), (0, 63, 63), (0, 63, 0)], [0, 1, 2, 3]),
        (SUIM, [(0, 0, 0), (0, 0, 255), (0, 255, 0), (255, 0, 255)], [0, 1, 2, 5]),
    ],
    ids=["Potsdam", "iSAID", "SUIM"],
)
def test_fixed_colors_of_public_sets(
    tmp_path: Path, places: tuple[str, str], colors: list[tuple[int, int, int]], ids: list[int]
) -> None:
    table = np.array(colors, np.uint8)
    for k in (10, 11):
        save(picture(), tmp_path / places[0].format(k=k))
        save(Image.fromarray(table[truth(k - 10)]), tmp_path / places[1].format(k=k))
        other = places[1].replace("Semantic", "Instance").replace("color", "id")
        if other != places[1]:
            save(Image.fromarray(table[truth(k - 10)[::-1]]), tmp_path / other.format(k=k))
    pictures = open_classes(tmp_path)
    assert pictures.size == 2 and any("its classes are taken to be those of" in note for note in pictures.notes)
    assert np.array_equal(pictures.read(1).ids, np.array(ids)[truth(1)])


def test_colors_of_two_public_sets_are_a_question(tmp_path: Path) -> None:
    save(picture(), tmp_path / "img/0.png")
    colors = np.array([(0, 0, 0), (255, 0, 0)], np.uint8)
    save(Image.fromarray(colors[(truth(0) > 1).astype(int)]), tmp_path / "mask/0.png")
    with pytest.raises(InputError, match="colors of Potsdam and Vaihingen and of SUIM; say what they mean"):
        open_classes(tmp_path)


def test_a_jpeg_keeps_no_numbers(tmp_path: Path) -> None:
    save(picture(), tmp_path / "img/0.png")
    with BytesIO() as file:
        Image.fromarray(truth(0)).save(file, "JPEG")
        (tmp_path / "mask").mkdir()
        (tmp_path / "mask/0.jpg").write_bytes(file.getvalue())
    with pytest.raises(InputError, match=r"0.jpg: is a JPEG, which does not keep the numbers of classes"):
        open_classes(tmp_path, ("a", "b", "c", "d"))


def test_kitti_has_cityscapes_numbers(tmp_path: Path) -> None:
    labels = np.full((H, W), 7, np.uint8)
    labels[:, 20:40] = 26
    things = labels.astype(np.uint16) * 256
    things[10:20, 20:40] += 2
    save(picture(), tmp_path / "training/image_2/000_10.png")
    save(Image.fromarray(labels), tmp_path / "training/semantic/000_10.png")
    save(Image.fromarray(things), tmp_path / "training/instance/000_10.png")
    for root in (tmp_path, tmp_path / "training"):
        found = open_classes(root).read(0)
        assert found.ids is not None and found.ids[0, 0] == 0 and found.ids[0, 30] == 13
        assert found.instances is not None and np.unique(found.instances).tolist() == [0, 1]


def test_numbers_of_cityscapes_come_before_its_colors(tmp_path: Path) -> None:
    stem = "train/ulm/ulm_000_000"
    save(picture(), tmp_path / "leftImg8bit" / f"{stem}_leftImg8bit.png")
    at = tmp_path / "gtFine" / f"{stem}_gtFine_labelIds.png"
    rgb = np.array([(70, 130, 180), (128, 64, 128), (0, 0, 142), (111, 74, 0)], np.uint8)[truth(0)]
    save(
        Image.fromarray(np.dstack([rgb, np.full((H, W), 255, np.uint8)])), at.with_name("ulm_000_000_gtFine_color.png")
    )
    pictures = open_classes(tmp_path)
    of = np.array([10, 0, 13, IGNORED])[truth(0)]
    assert np.array_equal(pictures.read(0).ids, of) and "license plates are cars" in pictures.notes[0]
    save(Image.fromarray(of.astype(np.uint8)), at.with_name("ulm_000_000_gtFine_labelTrainIds.png"))
    assert np.array_equal(open_classes(tmp_path).read(0).ids, of) and open_classes(tmp_path).notes == ()
    save(Image.fromarray(np.array([23, 7, 26, 35], np.uint8)[truth(0)]), at)
    with pytest.raises(InputError, match=r"labelIds.png: has the value 35, which is no label of Cityscapes"):
        open_classes(tmp_path).read(0)


def test_a_file_of_classes_says_which_color_is_a_crack(tmp_path: Path) -> None:
    """No mask shows a crack here: the rarer of two colors would be the spall."""
    save(picture(), tmp_path / "JPEGImages/0.jpg")
    (tmp_path / "labelmap.txt").write_text("background:0,0,0::\nCrack:128,64,128::\nspall:70,130,180::\n")
    table = np.array([(70, 130, 180), (128, 64, 128), (0, 0, 0), (0, 0, 0)], np.uint8)
    for ids in (truth(0), np.where(truth(0) == 1, 2, truth(0))):
        save(Image.fromarray(table[ids]), tmp_path / "SegmentationClass/0.png")
        pictures = open_set(tmp_path)
        assert np.array_equal(pictures.read(0).mask, ids == 1)
        assert any("cracks are 'Crack' of labelmap.txt" in note for note in pictures.notes)
    assert np.array_equal(open_set(tmp_path, 0x4682B4).read(0).mask, truth(0) == 0)
    # A list of another kind is told; two values need none.
    (tmp_path / "labelmap.txt").write_text("0.jpg:wall\n0.jpg:wall\n")
    pictures = open_set(tmp_path)
    assert pictures.labeled and "labelmap.txt: class '0.jpg' has the color" in pictures.notes[0]


def test_photographs_without_masks_need_no_names(tmp_path: Path) -> None:
    save(picture(), tmp_path / "0.png")
    (tmp_path / "labels.txt").write_text("\n\nwhat is in the pictures\n")
    assert open_classes(tmp_path).names == ("0",)

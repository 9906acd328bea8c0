"""Objects listed in JSON files of COCO's and Supervisely's layouts, as masks of classes and of cracks."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scenes.errors import InputError
from segment.classes.sets import open_classes
from segment.ignored import IGNORED
from segment.sets import open_set, pictures_in

H, W = 40, 50


def save(path: Path, data: Any = None) -> None:
    """JSON data, or a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if data is None:
        Image.new("RGB", (W, H), (90, 90, 90)).save(path)
    else:
        path.write_text(json.dumps(data))


def packed(mask: np.ndarray[Any, Any], pack: Callable[[bytes], bytes] = zlib.compress) -> str:
    file = BytesIO()
    Image.fromarray(mask).save(file, "PNG")
    return base64.b64encode(pack(file.getvalue())).decode()


def figure(title: str, kind: str = "", **more: Any) -> dict[str, Any]:
    return (
        {"classTitle": title, "points": {"exterior": [], "interior": []}}
        | ({"geometryType": kind} if kind else {})
        | more
    )


def points(*exterior: tuple[float, float], holes: tuple[Any, ...] = ()) -> dict[str, Any]:
    return {"points": {"exterior": exterior, "interior": holes}}


def project(folder: Path, *figures: dict[str, Any], name: str = "a.jpg.json", at: str = ".") -> Path:
    """A project of one picture, in the data set `at`."""
    shapes = {"wall": "polygon", "Crack": "bitmap", "sign": "any"}
    save(folder / "meta.json", {"classes": [{"title": title, "shape": shape} for title, shape in shapes.items()]})
    save(folder / at / "img" / "a.jpg")
    save(folder / at / "ann" / name, {"size": {"height": H, "width": W}, "tags": [], "objects": figures})
    return folder


BAR = np.ones((2, 20), bool)


@pytest.mark.parametrize(
    "bitmap", [BAR, BAR.astype(np.uint8) * 7, np.dstack([np.zeros((2, 20, 3), np.uint8), BAR * 200])]
)
@pytest.mark.parametrize("pack", [zlib.compress, bytes])
def test_bitmaps_of_supervisely(tmp_path: Path, bitmap: np.ndarray[Any, Any], pack: Callable[[bytes], bytes]) -> None:
    """The origin is x, y; what reaches over the picture's edge is cut off."""
    data = packed(bitmap.astype(bitmap.dtype if bitmap.dtype == bool else np.uint8), pack)
    at = ([10, 5], [40, 30], [-15, -1])
    project(tmp_path, *(figure("Crack", "bitmap", bitmap={"origin": origin, "data": data}) for origin in at))
    mask = np.zeros((H, W), bool)
    mask[5:7, 10:30] = mask[30:32, 40:] = mask[:1, :5] = True
    pictures = open_set(tmp_path)
    assert np.array_equal(pictures.read(0).mask, mask) and "cracks are the objects of 'Crack'" in pictures.notes[0]
    assert pictures_in(tmp_path) == {"a": tmp_path / "img" / "a.jpg"}


def test_outlines_of_supervisely_have_holes_and_lie_over_each_other(tmp_path: Path) -> None:
    """The values are those that the package supervisely 6.73 draws. A crack counts where another object covers it."""
    square, hole = ((0, 0), (20, 0), (20, 30), (0, 30)), ((5, 5), (10, 5), (10, 10), (5, 10))
    project(
        tmp_path,
        figure("Crack", bitmap={"origin": [18, 20], "data": packed(BAR)}),  # before there were geometry types
        figure("wall", **points(*square, holes=(hole,))),
        figure("sign", "line", **points((30, 2), (45, 2))),
        figure("sign", "rectangle", **points((40, 30), (44, 34))),
        figure("sign", "point", **points((25, 25))),
        figure("sign", "multipolygon", parts=[{"exterior": [(30, 10), (32, 10), (32, 12), (30, 12)]}]),
        name="a.json",
    )
    pictures = open_classes(tmp_path)
    wanted = np.zeros((H, W), np.uint8)
    wanted[20:22, 18:38] = 2
    wanted[:31, :21] = 1
    wanted[5:11, 5:11] = 0
    wanted[2, 30:46], wanted[10:13, 30:33], wanted[30:35, 40:45] = 3, 3, IGNORED
    assert pictures.classes == ("background", "wall", "Crack", "sign")
    assert np.array_equal(pictures.read(0).ids, wanted)
    crack = open_set(tmp_path).read(0).mask
    assert crack is not None and crack.sum() == BAR.size and crack[20:22, 18:38].all()
    with pytest.raises(InputError, match="has a crack that is a box or a line, which does not say its pixels"):
        open_set(tmp_path, 3).read(0)


def test_data_sets_of_a_project_are_splits_and_each_opens_alone(tmp_path: Path) -> None:
    bar = figure("Crack", "bitmap", bitmap={"origin": [10, 5], "data": packed(BAR)})
    for at in ("train", "test", "test/datasets/walls"):
        project(tmp_path, bar, at=at)
    save(tmp_path / "train/img/b.jpg")
    pictures = open_set(tmp_path)
    assert pictures.names == ("test/a", "test/walls/a", "train/a")
    assert [line.rpartition("/")[2] for line in pictures.left_out] == ["b.jpg: has no annotation"]
    assert open_set(tmp_path / "train").names == ("a",) and open_set(tmp_path / "train").read(0).mask is not None


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (figure("crakc"), "has the class 'crakc', which meta.json does not name"),
        (figure("Crack", "bitmap", bitmap={"origin": [1, 1], "data": "????"}), "object 1 cannot be read"),
        (figure("Crack", "bitmap", bitmap={"origin": [1], "data": packed(BAR)}), "object 1 cannot be read: ValueError"),
        (figure("Crack", "bitmap"), "object 1 cannot be read: KeyError"),
        (figure("Crack", "polygon"), "object 1 cannot be read: ValueError"),
    ],
)
def test_a_wrong_annotation_of_supervisely_is_one_line(tmp_path: Path, wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=rf"^[^\n]*ann/a.jpg.json: {told}[^\n]*$"):
        open_set(project(tmp_path, wrong)).read(0)


def test_a_packed_bitmap_cannot_fill_the_memory(tmp_path: Path) -> None:
    bomb = base64.b64encode(zlib.compress(bytes(1 << 28))).decode()
    project(tmp_path, figure("Crack", "bitmap", bitmap={"origin": [1, 1], "data": bomb}))
    with pytest.raises(InputError, match="object 1 cannot be read: UnidentifiedImageError"):
        open_set(tmp_path).read(0)


SQUARE = [[10, 10, 30, 10, 30, 30, 10, 30]]


def coco(titles: tuple[str, ...], *objects: dict[str, Any], file: str = "a.jpg") -> dict[str, Any]:
    return {
        "images": [{"id": "x7", "file_name": file, "height": H, "width": W}],
        "categories": [{"id": k, "name": title} for k, title in enumerate(titles)],
        "annotations": [{"image_id": "x7", "category_id": len(titles) - 1, **entry} for entry in objects],
    }


def test_cracks_in_annotations_of_roboflow(tmp_path: Path) -> None:
    """Its files lie beside the pictures of each split; class 0 is the project, which no object has."""
    for split in ("train", "valid"):
        save(tmp_path / split / "a.jpg")
        save(tmp_path / split / "_annotations.coco.json", coco(("walls-7fRk", "crack"), {"segmentation": SQUARE}))
    pictures = open_set(tmp_path)
    assert pictures.names == ("train/a", "valid/a") and pictures.classes == ()
    mask = pictures.read(0).mask
    assert mask is not None and mask.sum() == 400 and mask[10:30, 10:30].all()
    assert open_classes(tmp_path / "train").names == ("a",)


@pytest.mark.parametrize("file", ["C:\\photos\\a.jpg", "/home/me/photos/a.jpg", "images/a.jpg", "images\\a.jpg"])
def test_paths_of_other_machines(tmp_path: Path, file: str) -> None:
    save(tmp_path / "images/a.jpg")
    save(tmp_path / "result.json", coco(("Crack",), {"segmentation": SQUARE}, file=file))
    assert open_set(tmp_path).read(0).mask is not None


def test_pictures_of_one_name_in_two_splits_are_two_and_a_lost_one_is_told(tmp_path: Path) -> None:
    for split in ("train", "val"):
        save(tmp_path / split / "a.jpg")
        data = coco(("crack",), {"segmentation": SQUARE})
        data["images"].append({"id": 8, "file_name": "lost.jpg", "height": H, "width": W})
        save(tmp_path / "annotations" / f"instances_{split}.json", data)
    pictures = open_classes(tmp_path)
    assert pictures.names == ("train/a", "val/a") and len(pictures.left_out) == 2
    assert "names the picture 'lost.jpg', which is not in images/ or train/" in pictures.left_out[0]


def test_which_class_is_a_crack(tmp_path: Path) -> None:
    save(tmp_path / "images/a.jpg")
    path, entry = tmp_path / "annotations/instances.json", {"segmentation": SQUARE}
    save(path, coco(("rust", "spall"), entry))
    with pytest.raises(InputError, match=r"called crack; .* --mask-value: 1 for rust, 2 for spall$"):
        open_set(tmp_path)
    with pytest.raises(InputError, match=r"has no class 3 of --mask-value; it has 1 for rust, 2 for spall$"):
        open_set(tmp_path, 3)
    for number, count in ((1, 0), (2, 400)):
        assert np.count_nonzero(open_set(tmp_path, number).read(0).mask) == count
    save(path, coco(("damage",), entry))
    assert np.count_nonzero(open_set(tmp_path).read(0).mask) == 400
    assert not open_set(tmp_path, masks=False).labeled


def test_boxes_are_no_outlines(tmp_path: Path) -> None:
    """One among outlines counts nowhere; a file that has nothing else is of no use."""
    save(tmp_path / "images/a.jpg")
    path, box = tmp_path / "annotations/instances.json", {"segmentation": [], "bbox": [35, 5, 10, 20]}
    save(path, coco(("sign",), {"segmentation": SQUARE}, box))
    ids = open_classes(tmp_path).read(0).ids
    assert ids is not None and (ids == 1).sum() == 400 and (ids[5:25, 35:45] == IGNORED).all()
    save(path, coco(("sign",), box))
    for read in (open_classes, open_set):
        with pytest.raises(InputError, match="has boxes only; a mask needs the outlines of its objects"):
            read(tmp_path)
    # Photographs whose labels nobody asks for are photographs.
    assert open_set(tmp_path, masks=False).size == 1 and not open_set(tmp_path, masks=False).labeled


def test_masks_come_before_outlines(tmp_path: Path) -> None:
    save(tmp_path / "images/a.jpg")
    save(tmp_path / "annotations/instances.json", coco(("crack",), {"segmentation": SQUARE}))
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.eye(H, W, dtype=bool)).save(tmp_path / "masks/a.png")
    assert np.count_nonzero(open_set(tmp_path).read(0).mask) == H


def written(file: Path, *polygons: list[float], picture: str = "a.jpg", **more: Any) -> None:
    entries = [{"id": k, "image_id": 1, "category_id": 1, "segmentation": [one]} for k, one in enumerate(polygons)]
    image = {"id": 1, "file_name": picture, "height": H, "width": W}
    categories = [{"id": 1, "name": "crack"}]
    save(file, {"images": [image], "categories": categories, "annotations": entries, **more})


@pytest.mark.parametrize("file", ["annotations/instances_default.json", "_annotations.coco.json", "walls.json"])
def test_an_old_copy_of_annotations_must_say_the_same(tmp_path: Path, file: str) -> None:
    save(tmp_path / "images" / "a.jpg")
    path = tmp_path / file
    written(path, *SQUARE)
    old = path.with_name("instances_default (old).json")
    written(old, *SQUARE)
    assert open_set(tmp_path).names == ("a",) and open_set(tmp_path).left_out == ()
    written(old, [1, 1, 9, 1, 9, 9])
    with pytest.raises(InputError, match=r"^[^\n]*: says something else of a.jpg than [^\n]*$"):
        open_set(tmp_path)


def test_of_two_formats_a_note_says_which_is_read(tmp_path: Path) -> None:
    """Beside them lies what folders have besides: the files of a desktop, a read me, an archive, a list of classes."""
    save(tmp_path / "images" / "a.jpg")
    written(tmp_path / "annotations" / "instances_default.json", *SQUARE)
    texts = {
        "data.yaml": "names: [crack]", "labels/a.txt": "0 0.1 0.1 0.9 0.1 0.5 0.9", "classes.txt": "crack",
        "README.md": "# Walls", "README.txt": "1", "Thumbs.db": "", ".DS_Store": "", "images.zip": "PK",
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    told = f"{tmp_path}: COCO (annotations/instances_default.json) is read; YOLO (data.yaml) beside it is not"
    for found in (open_set(tmp_path), open_classes(tmp_path)):
        assert found.notes == (told,) and found.names == ("a",) and found.left_out == ()
    written(
        tmp_path / "annotations" / "instances_default.json",
        annotations=[{"image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}],
    )
    found = open_set(tmp_path)
    assert (
        found.labeled
        and "has boxes only" in found.notes[0]
        and found.notes[0].endswith("YOLO (data.yaml) is read instead")
    )
    (tmp_path / "mask").mkdir()
    Image.new("1", (W, H)).save(tmp_path / "mask" / "a.png")
    assert f"{tmp_path}: its masks are read; COCO (" in open_set(tmp_path).notes[0]


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("labels/a.txt", "0 0.2 0.3 0.4 0.1 0.48 0.225 0.28 0.425", "data.yaml: its objects are turned boxes"),
        ("keypoints.json", {"bbox": [1, 1, 5, 5], "keypoints": [1, 1, 2]}, "has boxes and keypoints only"),
        ("a.json", [{"image": "a.jpg", "annotations": [{"label": "crack", "coordinates": {}}]}], "has boxes only"),
        ("walls-export.json", {"name": "w", "videoSettings": {}, "tags": []}, "is of VoTT, which is not read"),
        ("labelTxt/a.txt", "1 1 9 1 9 9 1 9 crack 0", "labelTxt: has turned boxes only"),
        ("a.xml", "<annotation><filename>a.jpg</filename><object><name>crack</name><bndbox><xmin>1</xmin><ymin>1</ymin>"
         "<xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>", "a.xml: has boxes only"),
    ],
)  # fmt: skip
def test_what_has_no_outlines_is_one_line_and_never_a_mask(tmp_path: Path, file: str, content: Any, told: str) -> None:
    save(tmp_path / "images" / "a.jpg")
    if file == "keypoints.json":
        written(tmp_path / file, annotations=[{"id": 1, "image_id": 1, "category_id": 1, **content}])
    elif isinstance(content, str):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(content)
    else:
        save(tmp_path / file, content)
    (tmp_path / "data.yaml").write_text("names: [crack]\n")
    for open_ in (open_set, open_classes):
        with pytest.raises(InputError, match=rf"^[^\n]*{told}[^\n]*$"):
            open_(tmp_path)
    assert not open_set(tmp_path, masks=False).labeled


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("annotations/instances_train.json", "", "instances_train.json: "),
        ("walls.json", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "pointer of Git LFS"),
    ],
)
def test_a_file_of_annotations_that_is_not_whole_is_one_line(
    tmp_path: Path, file: str, content: str, told: str
) -> None:
    save(tmp_path / "images" / "a.jpg")
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(content)
    with pytest.raises(InputError, match=rf"^[^\n]*{told}[^\n]*$"):
        open_classes(tmp_path)


def test_a_file_of_an_unknown_tool_is_told(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg")
    save(tmp_path / "a.json", {"marks": [[1, 2], [3, 4]]})
    for found in (open_set(tmp_path), open_classes(tmp_path)):
        assert not found.labeled and found.left_out[0].startswith(
            f"{tmp_path / 'a.json'}: of no tool that is known here"
        )
    save(tmp_path / "a.json", {"imageData": "A" * (1 << 17), "imagePath": "a.jpg", "imageHeight": H, "imageWidth": W,
                               "shapes": [{"label": "crack", "points": [[1, 1], [30, 1], [30, 30]]}]})  # fmt: skip
    assert open_set(tmp_path).labeled


def test_annotations_without_any_object_are_told(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.jpg")
    written(tmp_path / "instances.json")
    assert "lists no object; all pixels are taken for the background" in open_set(tmp_path).notes[0]


def test_masks_of_lvis_and_sa1b(tmp_path: Path) -> None:
    """LVIS gives the address of a picture. Masks of SA-1B have no class, and smaller ones lie over larger ones."""
    save(tmp_path / "lvis" / "train2017" / "000000000009.jpg")
    image = {"id": 9, "coco_url": "http://images.cocodataset.org/train2017/000000000009.jpg", "height": H, "width": W}
    polygon = {"id": 1, "image_id": 9, "category_id": 1, "segmentation": SQUARE, "area": 400.0}
    categories = [{"id": 1, "name": "crack_of_glass", "synset": "crack.n.01", "frequency": "r"}]
    save(tmp_path / "lvis" / "lvis_v1_train.json",
         {"images": [image], "annotations": [polygon], "categories": categories})  # fmt: skip
    pictures = open_set(tmp_path / "lvis")
    mask = pictures.read(0).mask
    assert pictures.names == ("train2017/000000000009",) and mask is not None and mask.sum() == 400
    save(tmp_path / "sa" / "sa_1.jpg")
    whole, part = ([10 * H, 20 * H, 20 * H], [20 * H + 5, 10, H * W - 20 * H - 15])
    entries = [
        {"id": k, "segmentation": {"size": [H, W], "counts": counts}, "area": counts[1], "predicted_iou": 0.9}
        for k, counts in enumerate((part, whole))
    ]
    image = {"image_id": 1, "file_name": "sa_1.jpg", "height": H, "width": W}
    save(tmp_path / "sa" / "sa_1.json", {"image": image, "annotations": entries})
    picture = open_classes(tmp_path / "sa").read(0)
    assert picture.ids is not None and picture.instances is not None
    assert picture.ids.sum() == 20 * H and (picture.instances == 2).sum() == 10 and picture.instances[5, 20] == 2
    assert "cracks are the objects of 'object'" in open_set(tmp_path / "sa").notes[0]


def test_colors_of_supervisely_are_in_its_meta_file(tmp_path: Path) -> None:
    save(tmp_path / "img" / "a.jpg")
    mask = np.zeros((H, W, 3), np.uint8)
    mask[3:5], mask[20:] = (0xD0, 0x02, 0x1B), (0x41, 0x75, 0x05)
    (tmp_path / "masks").mkdir()
    Image.fromarray(mask).save(tmp_path / "masks" / "a.png")
    colors = (("crack", "#D0021B"), ("wall", "#417505"))
    save(
        tmp_path / "meta.json", {"classes": [{"title": name, "shape": "any", "color": color} for name, color in colors]}
    )
    pictures = open_classes(tmp_path)
    ids = pictures.read(0).ids
    assert pictures.classes == ("background", "crack", "wall") and ids is not None
    assert [int(ids[row, 0]) for row in (0, 3, 30)] == [0, 1, 2]
    crack = open_set(tmp_path).read(0).mask
    assert crack is not None and crack.sum() == 2 * W

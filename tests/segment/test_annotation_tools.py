"""Outlines in the files of annotation tools, as masks of cracks and of classes.

All tools have the same picture: a wall with a triangle, and a crack over it. Values of a tool's own are named.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw
from pycocotools import mask as rle

from scenes.errors import InputError
from segment.classes.sets import open_classes
from segment.ignored import IGNORED
from segment.sets import open_set

H, W = 40, 50
WALL = [(10.25, 5.75), (30.25, 8.25), (22.75, 33.25)]
CRACK = [(18.0, 10.0), (44.0, 10.0), (44.0, 13.0), (18.0, 13.0)]
SHAPES = (("wall", WALL), ("crack", CRACK))
CLASSES = ("background", "crack", "wall")


def wanted() -> np.ndarray[Any, Any]:
    ids = np.zeros((H, W), np.uint8)
    ids[rle.decode(rle.merge(rle.frPyObjects([np.ravel(WALL).tolist()], H, W))) > 0] = 2
    ids[10:13, 18:44] = 1
    return ids


def wanted_of_labelme() -> np.ndarray[Any, Any]:
    """What `labelme.utils.shape_to_mask` draws: the pixels of the border belong to a shape."""
    image = Image.new("L", (W, H))
    for title, points in SHAPES:
        ImageDraw.Draw(image).polygon(points, outline=CLASSES.index(title), fill=CLASSES.index(title))
    assert np.count_nonzero(image) > np.count_nonzero(wanted())
    return np.asarray(image)


def wanted_of_darwin() -> np.ndarray[Any, Any]:
    """What `darwin.utils.convert_polygons_to_mask` draws: corners are whole pixels, and borders belong to a shape."""
    ids = wanted()
    drawn = cv2.fillPoly(np.zeros((H, W), np.uint8), [np.round(WALL).astype(np.int32)], 1)
    return np.where((ids == 2) | (drawn > 0) & (ids != 1), 2 * drawn, ids)


def save(folder: Path, file: str, content: str | dict[str, Any] | list[Any]) -> Path:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def picture(folder: Path, file: str) -> None:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (W, H), (90, 90, 90)).save(path)


def labelme(folder: Path) -> Path:
    picture(folder, "photos/a.jpg")
    shapes = [{"label": name, "points": points, "shape_type": "polygon"} for name, points in SHAPES]
    data = {"version": "5.4.1", "shapes": shapes, "imagePath": "..\\photos\\a.jpg", "imageHeight": H, "imageWidth": W}
    return save(folder, "ann/a_1.json", data)


def cvat(folder: Path) -> Path:
    picture(folder, "images/train/a.jpg")
    wall = ";".join(f"{x},{y}" for x, y in WALL)
    labels = "".join(f"<label><name>{name}</name></label>" for name in CLASSES[1:])
    return save(
        folder,
        "annotations.xml",
        f"""<?xml version="1.0"?>
        <annotations><version>1.1</version><meta><task><labels>{labels}</labels></task></meta>
        <image id="0" name="train/a.jpg" width="{W}" height="{H}">
        <mask label="crack" rle="0, 78" left="18" top="10" width="26" height="3" z_order="1"></mask>
        <polygon label="wall" points="{wall}" z_order="0"></polygon>
        <points label="wall" points="1,2"></points></image></annotations>""",
    )


def via(folder: Path) -> Path:
    picture(folder, "a.jpg")
    regions = []
    for name, points in SHAPES:
        x, y = zip(*points, strict=True)
        shape = {"name": "polygon", "all_points_x": x, "all_points_y": y}
        regions.append({"shape_attributes": shape, "region_attributes": {"class": name, "note": ""}})
    entry = {"filename": "a.jpg", "size": 1234, "regions": regions, "file_attributes": {}}
    return save(folder, "via_region_data.json", {"a.jpg1234": entry})


def via_table(folder: Path) -> Path:
    regions = json.loads(via(folder).read_text())["a.jpg1234"]["regions"]
    (folder / "via_region_data.json").unlink()
    keys = ("shape_attributes", "region_attributes")
    cells = [[json.dumps(one[key]).replace('"', '""') for key in keys] for one in regions]
    rows = "".join(f'a.jpg,1234,"{{}}",2,{k},"{shape}","{of}"\n' for k, (shape, of) in enumerate(cells))
    header = "#filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
    return save(folder, "via.csv", header + rows)


def percent(points: list[tuple[float, float]]) -> list[list[float]]:
    return [[100 * x / W, 100 * y / H] for x, y in points]


def region(kind: str, title: str, **value: Any) -> dict[str, Any]:
    size = {"original_width": W, "original_height": H, "image_rotation": 0}
    return {"id": title, "type": kind, "value": {**value, kind: [title]}, **size}


def label_studio(folder: Path) -> Path:
    picture(folder, "images/a.jpg")
    result = [region("polygonlabels", name, points=percent(points)) for name, points in SHAPES]
    task = {"id": 1, "data": {"image": "/data/upload/3/12345678-a.jpg"}, "annotations": [{"result": result}]}
    return save(folder, "project-1.json", [task])


def label_studio_min(folder: Path) -> Path:
    task = json.loads(label_studio(folder).read_text())[0]
    (folder / "project-1.json").unlink()
    regions = [{**one["value"], "original_width": W, "original_height": H} for one in task["annotations"][0]["result"]]
    return save(folder, "min.json", [{"image": "/data/local-files/?d=photos%2Fa.jpg", "id": 1, "label": regions}])


def labelbox(folder: Path) -> Path:
    picture(folder, "a.jpg")
    objects = [
        {"name": name, "annotation_kind": "ImagePolygon", "polygon": [{"x": x, "y": y} for x, y in points]}
        for name, points in SHAPES
    ]
    row = {
        "data_row": {"id": "1", "external_id": "a.jpg", "row_data": "https://example.com/1"},
        "media_attributes": {"width": W, "height": H},
        "projects": {"p": {"labels": [{"annotations": {"objects": objects}}]}},
    }
    return save(folder, "export.ndjson", json.dumps(row) + "\n")


def yolo(folder: Path) -> Path:
    picture(folder, "images/train/a.jpg")
    save(folder, "data.yaml", "train: images/train\nnames: [crack, wall]\n")
    lines = [f"{k} " + " ".join(f"{x / W:.6f} {y / H:.6f}" for x, y in points) for k, points in ((1, WALL), (0, CRACK))]
    return save(folder, "labels/train/a.txt", "\n".join(lines) + "\n")


def roboflow(folder: Path) -> Path:
    yolo(folder)
    for kind, end in (("images", "jpg"), ("labels", "txt")):
        (folder / "train").mkdir(exist_ok=True)
        (folder / kind / "train").rename(folder / "train" / kind)
        (folder / kind).rmdir()
        assert (folder / "train" / kind / f"a.{end}").is_file()
    save(folder, "data.yaml", "names:\n  0: crack\n  1: wall\ntrain: ../train/images\n")
    return folder / "train/labels/a.txt"


def yolo_of_label_studio(folder: Path) -> Path:
    """Without data.yaml; the names are in classes.txt."""
    path = yolo(folder)
    (folder / "data.yaml").unlink()
    save(folder, "classes.txt", "crack\nwall\n")
    save(folder, "notes.json", {"categories": [{"id": 0, "name": "crack"}], "info": {"version": "1.0"}})
    return path


def yolo_with_lists(folder: Path) -> Path:
    path = yolo(folder)
    save(
        folder,
        "data.yaml",
        "path: ../walls\ntrain: lists/train.txt\nval: lists/val.txt\nnames: [crack, wall]\n",
    )
    save(folder, "lists/train.txt", "../images/train/a.jpg\n")
    save(folder, "lists/val.txt", "\n")
    return path


def via_3(folder: Path) -> Path:
    """A project as VIA 3.0 writes it (3.1 adds `data_format_version`), with an attribute of the file."""
    picture(folder, "a.jpg")
    attribute = {"aname": "class", "anchor_id": "FILE1_Z0_XY1", "type": 3, "options": {"0": "wall", "1": "crack"}}
    shapes = [(str(k), [7, *np.ravel(points).tolist()]) for k, (_, points) in enumerate(SHAPES)]
    metadata = {f"1_{k}": {"vid": "1", "flg": 0, "z": [], "xy": xy, "av": {"1": k}} for k, xy in shapes}
    project = {
        "project": {"pid": "__VIA_PROJECT_ID__", "rev_timestamp": "0", "vid_list": ["1"]},
        "config": {"file": {"loc_prefix": {"1": ""}}},
        "attribute": {"1": attribute, "2": {"aname": "note", "anchor_id": "FILE1_Z0_XY0", "type": 1, "options": {}}},
        "file": {"1": {"fid": 1, "fname": "a.jpg", "type": 2, "loc": 1, "src": "a.jpg"}},
        "metadata": {**metadata, "1_n": {"vid": "1", "flg": 0, "z": [], "xy": [], "av": {"2": "dry"}}},
        "view": {"1": {"fid_list": ["1"]}},
    }
    return save(folder, "via_project.json", project)


def cvat_of_a_video(folder: Path) -> Path:
    picture(folder, "images/frame_000006.png")
    tracks = []
    for number, (name, points) in enumerate(SHAPES):
        corners = ";".join(f"{x},{y}" for x, y in points)
        shape = f'<polygon frame="%d" outside="%d" keyframe="1" points="{corners}" z_order="{number}"></polygon>'
        tracks.append(f'<track id="{number}" label="{name}" source="manual">{shape % (6, 0)}</track>')
    labels = "".join(f"<label><name>{name}</name></label>" for name in CLASSES[1:])
    meta = f"<meta><task><labels>{labels}</labels></task></meta>"
    return save(folder, "annotations.xml", f"<annotations><version>1.1</version>{meta}{''.join(tracks)}</annotations>")


def voc(folder: Path, corner: str = "<x{k}>{x}</x{k}><y{k}>{y}</y{k}>") -> Path:
    picture(folder, "train/a.jpg")
    objects = ""
    for name, points in SHAPES:
        corners = "".join(corner.format(k=k, x=x, y=y) for k, (x, y) in enumerate(points, start=1))
        box = "<bndbox><xmin>1</xmin><xmax>3</xmax><ymin>1</ymin><ymax>3</ymax></bndbox>"
        objects += f"<object><name>{name}</name>{box}<polygon>{corners}</polygon></object>"
    return save(folder, "train/a.xml", f"<annotation><folder/><filename>a.jpg</filename>{objects}</annotation>")


def labelme_xml(folder: Path) -> Path:
    return voc(folder, "<pt><x>{x}</x><y>{y}</y></pt>")


def darwin(folder: Path) -> Path:
    picture(folder, "a.jpg")
    (_, wall), _ = SHAPES
    runs = [0, 10 * W + 18, *(1, 26, 0, W - 26) * 2, 1, 26, 0, 27 * W + 6]
    layer = {"dense_rle": runs, "mask_annotation_ids_mapping": {"2": 1}, "total_pixels": H * W}
    entries = [
        {"id": "1", "name": "wall", "polygon": {"paths": [[{"x": x, "y": y} for x, y in wall]]}, "bounding_box": {}},
        {"id": "2", "name": "crack", "mask": {}, "slot_names": ["0"]},
        {"id": "3", "name": "__raster_layer__", "raster_layer": layer},
    ]
    slot = {"type": "image", "slot_name": "0", "width": W, "height": H, "source_files": [{"file_name": "a.jpg"}]}
    item = {"name": "a.jpg", "path": "/", "slots": [slot]}
    schema = "https://darwin-public.s3.eu-west-1.amazonaws.com/darwin_json/2.0/schema.json"
    return save(folder, "a.json", {"version": "2.0", "schema_ref": schema, "item": item, "annotations": entries})


def fiftyone(folder: Path) -> Path:
    """FiftyOne's COCO: labels.json beside data/."""
    picture(folder, "data/a.jpg")
    entries = [
        {"id": k, "image_id": 1, "category_id": 1 - k, "segmentation": [np.ravel(points).tolist()], "area": 9 - k}
        for k, (_, points) in enumerate(SHAPES)
    ]
    categories = [{"id": k, "name": name, "supercategory": None} for k, name in enumerate(CLASSES[1:])]
    images = [{"id": 1, "file_name": "a.jpg", "height": H, "width": W}]
    return save(folder, "labels.json", {"info": {}, "categories": categories, "images": images, "annotations": entries})


TOOLS = (
    labelme, cvat, via, via_table, label_studio, label_studio_min, labelbox, yolo, roboflow, yolo_of_label_studio,
    yolo_with_lists, via_3, cvat_of_a_video, voc, labelme_xml, darwin, fiftyone,
)  # fmt: skip

YOLOS = (yolo, roboflow, yolo_of_label_studio, yolo_with_lists)
NAMED = {
    cvat: "train/a", labelme: "photos/a", cvat_of_a_video: "frame_000006", voc: "train/a", labelme_xml: "train/a",
    fiftyone: "a", **dict.fromkeys(YOLOS, "train/a"),
}  # fmt: skip


@pytest.mark.parametrize("tool", TOOLS)
def test_outlines_are_classes_and_cracks(tmp_path: Path, tool: Callable[[Path], Path]) -> None:
    tool(tmp_path)
    pictures = open_classes(tmp_path)
    assert pictures.classes == CLASSES and pictures.labeled and pictures.left_out == ()
    assert pictures.names == (NAMED.get(tool, "a"),)
    picture, ids = pictures.read(0), {labelme: wanted_of_labelme, darwin: wanted_of_darwin}.get(tool, wanted)()
    assert np.array_equal(picture.ids, ids)
    assert np.array_equal(open_set(tmp_path).read(0).mask, ids == 1)
    assert picture.instances is not None and len(np.unique(picture.instances)) == 3


@pytest.mark.parametrize("tool", TOOLS)
def test_a_file_that_is_cut_off_or_names_a_lost_picture_is_one_line(
    tmp_path: Path, tool: Callable[[Path], Path]
) -> None:
    path = tool(tmp_path)
    whole = path.read_text()
    if tool in YOLOS:
        (tmp_path / "b.jpg").write_bytes(next(tmp_path.rglob("a.jpg")).read_bytes())
        assert [line.rpartition("/")[2] for line in open_classes(tmp_path).left_out] == [
            "b.jpg: has no .txt file of labels"
        ]
        path.write_text(whole.replace("0 0.36", "7 0.36"))
        with pytest.raises(InputError, match=r"^[^\n]*a.txt: line 2: has the class 7, there are 2[^\n]*$"):
            open_classes(tmp_path).read(0)
        return
    if tool not in (cvat_of_a_video, voc, labelme_xml):  # whose pictures are found by other names
        path.write_text(whole.replace("a.jpg", "lost.jpg"))
        with pytest.raises(InputError, match=r"^[^\n]*names the picture '[^\n]*lost.jpg', which is not there$"):
            open_classes(tmp_path)
    path.write_text(whole[: len(whole) * 3 // 4])
    with pytest.raises(InputError, match=rf"^[^\n]*{path.name}[^\n]*$"):
        open_classes(tmp_path).read(0)


def test_shapes_of_labelme_have_the_pixels_that_it_draws(tmp_path: Path) -> None:
    """A circle is what `shape_to_mask` of LabelMe 6.3 draws; boxes and `__ignore__` count nowhere."""
    path = labelme(tmp_path)
    data = json.loads(path.read_text())
    with BytesIO() as file:
        Image.fromarray(np.eye(4, dtype=bool)).save(file, "PNG")
        mask = base64.b64encode(file.getvalue()).decode()
    data["shapes"] = [
        {"label": "hole", "points": [[25, 20], [32.5, 20]], "shape_type": "circle"},
        {"label": "_background_", "points": [[24, 19], [26, 19], [26, 21], [24, 21]], "shape_type": "polygon"},
        {"label": "sign", "points": [[2, 3], [5, 6]], "shape_type": "mask", "mask": mask},
        {"label": "sign", "points": [[40, 0], [45, 5]], "shape_type": "rectangle"},
        {"label": "__ignore__", "points": [[40, 30], [45, 30], [45, 35], [40, 35]], "shape_type": "polygon"},
    ]
    path.write_text(json.dumps(data))
    ids = open_classes(tmp_path).read(0).ids
    assert ids is not None
    assert (ids == 1).sum() == 200 - 9 and (ids == 2).sum() == 4 and ids[3, 2] == ids[6, 5] == 2
    assert (ids[2:5, 41:44] == IGNORED).all() and (ids[31:35, 41:45] == IGNORED).all()


def test_a_brush_of_label_studio(tmp_path: Path) -> None:
    """The list is what `label_studio_sdk.converter.brush.mask2rle` makes of the mask."""
    packed = [
        0, 0, 31, 64, 57, 27, 255, 4, 15, 0, 201, 255, 249, 220, 3, 39, 255, 240, 177, 112, 12, 39, 255, 172, 192, 48,
        159, 254, 179, 0, 194, 127, 250, 204, 3, 9, 255, 235, 48, 12, 39, 255, 172, 192, 48, 159, 254, 179, 0, 194,
        127, 250, 204, 3, 9, 255, 235, 48, 12, 39, 255, 172, 192, 48, 159, 255, 7, 227, 0, 0,
    ]  # fmt: skip
    mask = np.zeros((H, W), bool)
    mask[5:7, 10:30] = mask[20:30, 40:45] = True
    path = label_studio(tmp_path)
    task = json.loads(path.read_text())[0]
    task["annotations"][0]["result"] = [region("brushlabels", "Crack", format="rle", rle=packed)]
    path.write_text(json.dumps([task, {**task, "id": 2, "annotations": []}]))
    pictures = open_set(tmp_path)
    assert np.array_equal(pictures.read(0).mask, mask)
    assert [line.partition(": ")[2] for line in pictures.left_out] == ["task 2 has no annotation"]
    for rle_, told in ((packed[:20], "a brush ends too early"), ([0, 0, 0, 9, *packed[4:]], "a brush of 9 levels")):
        task["annotations"][0]["result"] = [region("brushlabels", "Crack", format="rle", rle=rle_)]
        path.write_text(json.dumps([task]))
        with pytest.raises(InputError, match=told):
            open_set(tmp_path).read(0)


def test_boxes_and_masks_at_urls_are_no_outlines(tmp_path: Path) -> None:
    path = yolo(tmp_path / "yolo")
    path.write_text("0 0.5 0.5 0.2 0.2\n")
    with pytest.raises(InputError, match=r"data.yaml: has boxes or lines only"):
        open_classes(tmp_path / "yolo")
    path = labelbox(tmp_path / "labelbox")
    row = json.loads(path.read_text())
    objects = row["projects"]["p"]["labels"][0]["annotations"]["objects"]
    objects.append(
        {"name": "crack", "annotation_kind": "ImageSegmentationMask", "mask": {"url": "https://example.com"}}
    )
    path.write_text(json.dumps(row))
    with pytest.raises(InputError, match=r"object 3 cannot be read: .*at a URL that needs an account; export polygons"):
        open_classes(tmp_path / "labelbox").read(0)
    path = cvat(tmp_path / "cvat")
    path.write_text(path.read_text().replace("<image ", "<track/><image "))
    with pytest.raises(InputError, match=r"is of a video, and its pictures frame_000000.png, … are not there"):
        open_classes(tmp_path / "cvat")
    path.write_text('<!DOCTYPE x [<!ENTITY a "b">]><annotations>' + " " * 9 + "</annotations>")
    with pytest.raises(InputError, match="declares a document type"):
        open_classes(tmp_path / "cvat")


def test_the_hull_of_a_cuboid_counts_nowhere(tmp_path: Path) -> None:
    path = cvat(tmp_path)
    corners = {f"{side}1": (0 if "l" in side else 6, 30 if "t" in side else 36) for side in ("tl", "tr", "bl", "br")}
    corners |= {side.replace("1", "2"): (x + 4, y) for side, (x, y) in corners.items()}
    ends = " ".join(f'x{side}="{x}" y{side}="{y}"' for side, (x, y) in corners.items())
    path.write_text(path.read_text().replace("</image>", f'<cuboid label="wall" {ends}></cuboid></image>'))
    ids = open_classes(tmp_path).read(0).ids
    assert ids is not None and (ids[30:36, :10] == IGNORED).all() and (ids == IGNORED).sum() == 60


def test_tracks_of_a_video_end_and_must_have_a_shape_in_each_frame(tmp_path: Path) -> None:
    path = cvat_of_a_video(tmp_path)
    for number in (0, 3, 9):
        picture(tmp_path, f"images/frame_{number:06d}.png")
    corners = ";".join(f"{x},{y}" for x, y in CRACK)
    shape = f'<polygon frame="%d" outside="%d" points="{corners}"></polygon>'
    whole = path.read_text()
    for frames, names, told in (
        (((0, 0), (3, 1), (6, 0), (9, 1)), ("frame_000000", "frame_000003", "frame_000006", "frame_000009"), ()),
        (((0, 0), (9, 1)), ("frame_000000", "frame_000009"), ("goes through frame 3", "goes through frame 6")),
    ):
        track = f'<track id="7" label="crack">{"".join(shape % one for one in frames)}</track>'
        path.write_text(whole.replace("</annotations>", f"{track}</annotations>"))
        pictures = open_set(tmp_path)
        assert pictures.names == names
        assert all(f"track 7 {word}" in line for word, line in zip(told, pictures.left_out, strict=True))
        masks = [pictures.read(k).mask for k in range(pictures.size)]
        assert [mask is not None and int(mask.sum()) for mask in masks][:2] == [78, 0]
    picture(tmp_path, "old/frame_000006.png")
    with pytest.raises(
        InputError, match=r"frame 000006 is there twice, as .*; put each video into a folder of its own"
    ):
        open_set(tmp_path)


def test_masks_of_labelme_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for name, column in (("a", 3), ("b", 30)):
        picture(tmp_path, f"Images/{name}/1.jpg")
        mask = np.zeros((H, W), bool)
        mask[:, column] = True
        (tmp_path / "Masks" / name).mkdir(parents=True)
        Image.fromarray(mask).save(tmp_path / "Masks" / name / "1_mask_0.png")
        crack = "<object><name>crack</name><deleted>0</deleted><segm><mask>1_mask_0.png</mask></segm></object>"
        gone = crack.replace("<deleted>0", "<deleted>1").replace("crack", "gone")
        head = f"<filename>1.jpg</filename><folder>{name}</folder>"
        save(tmp_path, f"Annotations/{name}/1.xml", f"<annotation>{head}{crack}{gone}</annotation>")
    pictures = open_set(tmp_path)
    masks = [pictures.read(k).mask for k in range(2)]
    assert pictures.names == ("a/1", "b/1")
    assert [mask is not None and np.flatnonzero(mask.any(axis=0)).tolist() for mask in masks] == [[3], [30]]


def test_bop_and_open_images_have_a_picture_for_each_mask(tmp_path: Path) -> None:
    """In BOP, object 1 of picture 3 is of model 5. A mask of Open Images may be smaller than its picture."""
    scene, mask = tmp_path / "bop/test/000001", wanted() == 1
    for place in ("bop/test/000001/rgb/000003.png", "open/images/a.jpg"):
        picture(tmp_path, place)
    for file in (
        scene / "mask_visib/000003_000000.png",
        scene / "mask_visib/000003_000001.png",
        tmp_path / "open/m.png",
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        small = Image.fromarray(mask if "000001.png" in file.name else wanted() > 0)
        (small.resize((W // 2, H // 2), Image.Resampling.NEAREST) if file.name == "m.png" else small).save(file)
    save(scene, "scene_gt.json", {"3": [{"obj_id": 2, "cam_R_m2c": []}, {"obj_id": 5, "cam_R_m2c": []}]})
    found = open_classes(tmp_path / "bop")
    assert found.classes == ("background", "obj_000002", "obj_000005") and found.names == ("test/000001/rgb/000003",)
    assert np.array_equal(found.read(0).ids, np.where(mask, 2, (wanted() > 0).astype(np.uint8)))
    (scene / "mask_visib/000003_000001.png").unlink()
    with pytest.raises(InputError, match=r"000003.png: has no mask mask_visib/000003_000001.png; make it with bop_"):
        open_classes(tmp_path / "bop")
    rows = (
        "MaskPath,ImageID,LabelName,BoxID,BoxXMin,BoxXMax,BoxYMin,BoxYMax,PredictedIoU,Clicks",
        "m.png,a,/m/01,,,,,,,",
    )
    save(tmp_path / "open", "train-annotations-object-segmentation.csv", "\n".join(rows))
    save(tmp_path / "open", "oidv6-class-descriptions.csv", "/m/01,Wall\n")
    found = open_classes(tmp_path / "open")
    ids = found.read(0).ids
    assert found.classes == ("background", "Wall") and ids is not None and ids.shape == (H, W)
    assert np.array_equal(ids[::2, ::2], (wanted() > 0)[1::2, 1::2])

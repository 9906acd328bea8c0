"""Pascal VOC's XML, one file for each picture, with polygons as Roboflow, V7 and MIT's LabelMe write them.

A polygon has `<x1>`, `<y1>`, … or `<pt>` with `<x>` and `<y>`. LabelMe may have a picture of a mask in Masks/ instead.
Boxes do not say which pixels are meant. Sets with masks in SegmentationClass/ are read as masks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from scenes.errors import shortened
from segment.annotations import drawing
from segment.annotations.drawing import Size
from segment.annotations.kinds import Kinds
from segment.annotations.listing import OfOne, Pictures, Shape, collected
from segment.annotations.objects import Mask, Objects
from segment.annotations.xml import Element, root_of
from segment.tree import Tree

_DEPTH, _MASKS = 4, "Masks"


def voc_files(tree: Tree, kinds: Kinds) -> Sequence[Path]:
    """The XML files of a folder; empty if none has an outline, or if SegmentationClass/ has masks."""
    masks = any(one.name == "SegmentationClass" and one.pictures for one in tree.walk(_DEPTH))
    outlined = [*kinds.get("VOC's polygons", ()), *kinds.get("VOC's masks", ())]
    return () if masks or not outlined else [*outlined, *kinds.get("Pascal VOC", ())]


def voc_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of files of VOC. Raises InputError."""
    masks = tree.at(_MASKS)
    pictures = Pictures.of(masks) if masks else None
    return collected(tree, files, OfOne(root_of, _about, partial(_shapes, pictures))).objects()


def _about(pictures: Pictures, path: Path, root: Element) -> tuple[Path, None]:
    """The picture beside a file with its own name, or with the name that it gives."""
    beside = (pictures.at(path.parent, f"{path.stem}{suffix}") for suffix in (".jpg", ".jpeg", ".png"))
    given = _in_folder(root, root.findtext("filename", ""))
    return next(filter(None, beside), None) or pictures.find(given, path.parent), None


def _in_folder(root: Element, name: str) -> str:
    """The path of a file by the name of its folder in Images/ or Masks/, which tells files of one name apart."""
    return "/".join(filter(None, (root.findtext("folder", "").strip(), name.strip())))


def _shapes(masks: Pictures | None, root: Element) -> Iterator[Shape]:
    for one in root.iterfind("object"):
        if one.findtext("deleted", "0").strip() == "1":
            continue
        title, polygon = one.findtext("name", "").strip(), one.find("polygon")
        if polygon is not None:
            yield Shape(title, partial(_polygon, _points(polygon)))
        elif file := one.findtext("segm/mask", "").strip():
            if masks is None:
                raise ValueError(f"names the mask '{shortened(file)}', and there is no {_MASKS}/")
            yield Shape(title, partial(drawing.from_file, masks.find(_in_folder(root, file))))
        elif (box := one.find("bndbox")) is not None:
            ends = tuple(float(box.findtext(name, "")) for name in ("xmin", "ymin", "xmax", "ymax"))
            yield Shape(title, partial(_box, ends), vague=True)


def _points(polygon: Element) -> list[tuple[float, float]]:
    listed = polygon.findall("pt")
    if listed:
        return [(float(one.findtext("x", "")), float(one.findtext("y", ""))) for one in listed]
    numbers = [float(one.text or "") for one in polygon if one.tag[:1] in "xy" and one.tag[1:].isdecimal()]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _polygon(points: list[tuple[float, float]], size: Size) -> Mask:
    return drawing.polygon(points, size)


def _box(ends: tuple[float, ...], size: Size) -> Mask:
    left, top, right, bottom = ends
    return drawing.box(size, left, top, right - left, bottom - top)

"""CVAT's XML 1.1 for images: `annotations.xml` beside images/, or another XML file with `<image>` entries.

Polygons, masks (run lengths, row by row in their box) and ellipses have pixels; boxes and polylines do not say which.
What has a higher z_order lies on top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from scenes.errors import InputError, shortened
from scenes.files import first_of, read_regular
from segment.annotations import drawing
from segment.annotations.drawing import Size
from segment.annotations.listing import FAULTS, Entry, Pictures, Shape, objects_of, refuse_vague
from segment.annotations.objects import Mask, Objects
from segment.tree import Tree

_LARGEST = 1 << 30
_Element = ElementTree.Element


def cvat_files(tree: Tree) -> list[Path]:
    """The XML files of CVAT in a folder."""
    return [path for path in tree.beside((".xml",)) if b"<annotations>" in first_of(path, 4096)]


def cvat_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of files of CVAT. Raises InputError."""
    folder, pictures = tree.folder, Pictures.of(tree)
    entries: dict[str, Entry] = {}
    left_out: list[str] = []
    titles: list[str] = []
    vague: list[bool] = []
    for path in files:
        root = _root(path)
        if root.find("track") is not None:
            raise InputError(f"{path}: is of a video; export the task as 'CVAT for images 1.1'")
        titles += [label.findtext("name", "") for label in root.iterfind("meta//labels/label")]
        for image in root.iterfind("image"):
            try:
                picture = pictures.find(image.attrib["name"])
                size = int(image.attrib["height"]), int(image.attrib["width"])
            except FAULTS as error:
                left_out.append(f"{path}: {error if isinstance(error, ValueError) else repr(error)}")
                continue
            entries[pictures.name(picture)] = Entry(picture, size, partial(_shapes, image))
            drawn = [element for element in image if element.tag in _DRAWN]
            titles += [element.attrib.get("label", "") for element in drawn]
            vague += [element.tag in _VAGUE for element in drawn]
    refuse_vague(folder, vague)
    return objects_of(folder, entries, titles, left_out)


def _root(path: Path) -> _Element:
    content = read_regular(path, _LARGEST)
    if b"<!ENTITY" in content or b"<!DOCTYPE" in content:
        raise InputError(f"{path}: declares a document type, which files of CVAT never do")
    try:
        return ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise InputError(f"{path}: not XML: {error}") from None


def _shapes(image: _Element) -> Iterator[Shape]:
    drawn = [element for element in image if element.tag in _DRAWN]
    for element in sorted(drawn, key=lambda one: int(one.attrib.get("z_order", 0))):
        yield Shape(element.attrib["label"], partial(_DRAWN[element.tag], element.attrib), element.tag in _VAGUE)


def _points(of: dict[str, str]) -> list[tuple[float, float]]:
    pairs = (pair.split(",") for pair in of["points"].split(";"))
    return [(float(x), float(y)) for x, y in pairs]


def _numbers(of: dict[str, str], *names: str) -> list[float]:
    return [float(of[name]) for name in names]


def _box(of: dict[str, str], size: Size) -> Mask:
    left, top, right, bottom = _numbers(of, "xtl", "ytl", "xbr", "ybr")
    return drawing.box(size, left, top, right - left, bottom - top)


def _ellipse(of: dict[str, str], size: Size) -> Mask:
    x, y, across, down = _numbers(of, "cx", "cy", "rx", "ry")
    return drawing.ellipse(size, x, y, across, down, float(of.get("rotation", 0)))


def _mask(of: dict[str, str], size: Size) -> Mask:
    left, top, width, height = (int(float(of[name])) for name in ("left", "top", "width", "height"))
    if not (0 < width <= size[1] and 0 < height <= size[0]):
        raise ValueError(f"a mask of {shortened((width, height))} pixels in a picture of {size[::-1]}")
    return drawing.placed(drawing.runs([int(one) for one in of["rle"].split(",")], (height, width)), left, top, size)


_DRAWN: dict[str, Callable[[dict[str, str], Size], Mask]] = {
    "polygon": lambda of, size: drawing.polygon(_points(of), size),
    "polyline": lambda of, size: drawing.line(_points(of), size),
    "mask": _mask,
    "ellipse": _ellipse,
    "box": _box,
}
_VAGUE = ("box", "polyline")

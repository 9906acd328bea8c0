"""VIA 2 (VGG Image Annotator): its JSON and CSV files, beside the pictures.

Polygons, circles and ellipses have pixels; boxes and lines do not say which. The class is the region attribute of the
usual name (`class`, `label`, `name`, …), or the only one. Regions without attributes are of the class `object`.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scenes.errors import InputError, shortened
from scenes.files import first_of, read_regular
from scenes.plain_json import parse_json
from segment.annotations import drawing
from segment.annotations.drawing import Size
from segment.annotations.listing import FAULTS, Entry, Pictures, Shape, objects_of, refuse_vague
from segment.annotations.objects import Mask, Objects
from segment.tree import Tree

_LARGEST, _VALUES = 1 << 30, 50_000_000
_UNNAMED = "object"
# Attributes that hold the class, the likeliest first.
_USUAL = ("class", "label", "name", "type", "category", "object")
_HEADER = ("region_shape_attributes", "region_attributes")
_Regions = dict[str, list[tuple[Any, Any]]]


def via_files(tree: Tree) -> list[Path]:
    """The files of VIA in a folder."""
    return [path for path in tree.beside((".json", ".csv")) if _is_via(path)]


def via_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of files of VIA; of a project and its export, those of the first. Raises InputError."""
    folder, pictures = tree.folder, Pictures.of(tree)
    entries: dict[str, Entry] = {}
    left_out: list[str] = []
    regions: _Regions = {}
    for path in files:
        for file, found in _regions(path).items():
            regions.setdefault(file, found)
    where = files[0]
    try:
        attribute = _attribute(where, regions)
        for file, found in regions.items():
            try:
                picture = pictures.find(file)
            except ValueError as error:
                left_out.append(f"{where}: {error}")
                continue
            entries[pictures.name(picture)] = Entry(picture, None, partial(_shapes, found, attribute))
        titles = sorted({_title(of, attribute) for found in regions.values() for _, of in found})
        refuse_vague(where, (shape["name"] in _VAGUE for found in regions.values() for shape, _ in found))
    except FAULTS as error:
        raise InputError(f"{where}: not a file of VIA: {error!r} is missing or wrong") from None
    return objects_of(folder, entries, titles, left_out)


def _is_via(path: Path) -> bool:
    content = first_of(path, 1 << 16)
    if path.suffix.lower() == ".csv":
        return all(name.encode() in content.split(b"\n")[0] for name in _HEADER)
    return b'"_via_' in content or (b'"regions"' in content and b'"filename"' in content)


def _regions(path: Path) -> _Regions:
    """The shapes and attributes of each picture of a file. Raises InputError."""
    content = read_regular(path, _LARGEST)
    try:
        if path.suffix.lower() == ".csv":
            return _of_table(content.decode("utf-8-sig"))
        data = parse_json(content, str(path), _VALUES)
        found: _Regions = {}
        for entry in data.get("_via_img_metadata", data).values():
            regions = entry["regions"]
            # VIA 1 has a mapping.
            listed = regions.values() if isinstance(regions, dict) else regions
            found[str(entry["filename"])] = [(one["shape_attributes"], one["region_attributes"]) for one in listed]
    except (*FAULTS, csv.Error) as error:
        raise InputError(f"{path}: not a file of VIA: {shortened(repr(error), 160)} is missing or wrong") from None
    return found


def _of_table(content: str) -> _Regions:
    found: _Regions = {}
    for row in csv.DictReader(content.lstrip("#").splitlines()):
        of = found.setdefault(row["filename"], [])
        shape, attributes = (json.loads(row[name] or "{}") for name in _HEADER)
        if shape:
            of.append((shape, attributes))
    return found


def _attribute(where: Path, regions: _Regions) -> str | None:
    """The attribute that holds the class; None where no region has any. Raises InputError for a choice."""
    names = {str(name) for found in regions.values() for _, of in found for name in of}
    usual = [name for known in _USUAL for name in sorted(names) if name.lower() == known]
    if not usual and len(names) > 1:
        raise InputError(
            f"{where}: its regions have the attributes {shortened(', '.join(sorted(names)))}; call the one that holds "
            "the class 'class'"
        )
    return next(iter(usual or names), None)


def _title(of: Any, attribute: str | None) -> str:
    value = of.get(attribute, "") if attribute else ""
    if isinstance(value, Mapping):  # a checkbox
        value = next((name for name, chosen in value.items() if chosen), "")
    return str(value).strip() or _UNNAMED


def _shapes(regions: list[tuple[Any, Any]], attribute: str | None) -> Iterator[Shape]:
    for shape, of in regions:
        if shape["name"] != "point":
            yield Shape(_title(of, attribute), partial(_drawn, shape), shape["name"] in _VAGUE)


def _drawn(shape: Any, size: Size) -> Mask:
    kind = shape["name"]
    if kind in ("polygon", "polyline"):
        points = list(zip(shape["all_points_x"], shape["all_points_y"], strict=True))
        return drawing.polygon(points, size) if kind == "polygon" else drawing.line(points, size)
    if kind == "rect":
        return drawing.box(size, *(float(shape[name]) for name in ("x", "y", "width", "height")))
    if kind == "circle":
        return drawing.ellipse(size, *(float(shape[name]) for name in ("cx", "cy", "r", "r")))
    if kind == "ellipse":
        x, y, across, down = (float(shape[name]) for name in ("cx", "cy", "rx", "ry"))
        return drawing.ellipse(size, x, y, across, down, math.degrees(float(shape.get("theta", 0))))
    raise ValueError(f"the shape {kind!r} is not known")


_VAGUE = ("rect", "polyline", "point")

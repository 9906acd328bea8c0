"""VIA (VGG Image Annotator): the JSON and CSV files of versions 1 and 2, and projects of version 3.

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
from scenes.files import read_regular
from scenes.plain_json import parse_json
from segment.annotations import drawing
from segment.annotations.drawing import Size
from segment.annotations.listing import FAULTS, Collected, Shape
from segment.annotations.objects import Mask, Objects
from segment.tree import Tree

_LARGEST, _VALUES = 1 << 30, 50_000_000
_UNNAMED = "object"
# Attributes that hold the class, the likeliest first.
_USUAL = ("class", "label", "name", "type", "category", "object")
_HEADER = ("region_shape_attributes", "region_attributes")
# The shapes of VIA 3, and the fields of those that are no points. Four extreme points (8) are those of a box.
_NUMBERED = {1: "point", 2: "rect", 3: "circle", 4: "ellipse", 5: "polyline", 6: "polyline", 7: "polygon", 8: "extreme"}
_FIELDS = {
    "point": ("cx", "cy"), "rect": ("x", "y", "width", "height"), "circle": ("cx", "cy", "r"),
    "ellipse": ("cx", "cy", "rx", "ry"),
}  # fmt: skip
_VAGUE = ("rect", "polyline", "point", "extreme")
_Regions = dict[str, list[tuple[Any, Any]]]


def via_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of files of VIA. Raises InputError."""
    found = Collected(tree)
    for path in files:
        regions = _regions(path)
        attribute = _attribute(path, regions)
        for file, listed in regions.items():
            try:
                picture = found.pictures.find(file, path.parent)
            except ValueError as error:
                found.left_out.append(f"{path}: {error}")
                continue
            try:
                shapes = list(_shapes(listed, attribute))
            except FAULTS as error:
                raise InputError(f"{path}: not a file of VIA: {error!r} is missing or wrong") from None
            found.take(path, picture, None, shapes, shapes.copy)
    return found.objects()


def _regions(path: Path) -> _Regions:
    """The shapes and attributes of each picture of a file. Raises InputError."""
    content = read_regular(path, _LARGEST)
    try:
        if path.suffix.lower() == ".csv":
            return _of_table(content.decode("utf-8-sig"))
        data = parse_json(content, str(path), _VALUES)
        if "_via_img_metadata" not in data and "metadata" in data:
            return _of_project(data)
        found: _Regions = {}
        for entry in data.get("_via_img_metadata", data).values():
            regions = entry["regions"]
            # VIA 1 has a mapping.
            listed = regions.values() if isinstance(regions, dict) else regions
            found[str(entry["filename"])] = [(one["shape_attributes"], one["region_attributes"]) for one in listed]
    except (*FAULTS, csv.Error) as error:
        raise InputError(f"{path}: not a file of VIA: {shortened(repr(error), 160)} is missing or wrong") from None
    return found


def _of_project(data: Any) -> _Regions:
    """The regions of a project of VIA 3, written as those of VIA 2. In videos, `z` has the times of a region."""
    names = {number: entry for number, entry in data["attribute"].items() if entry["anchor_id"] == "FILE1_Z0_XY1"}
    files = {view: data["file"][str(entry["fid_list"][0])] for view, entry in data["view"].items()}
    found: _Regions = {str(file["fname"]): [] for file in files.values()}
    for region in data["metadata"].values():
        if not region["xy"] or region["z"]:
            continue
        attributes = {
            str(names[number]["aname"]): str(names[number].get("options", {}).get(value, value))
            for number, value in region["av"].items()
            if number in names
        }
        found[str(files[str(region["vid"])]["fname"])].append((_shape_of(*region["xy"]), attributes))
    return found


def _shape_of(number: int, *xy: float) -> dict[str, Any]:
    """A shape of VIA 3, written as one of VIA 2."""
    name = _NUMBERED.get(number, f"of number {number}")
    if name in _FIELDS:
        return {"name": name, **dict(zip(_FIELDS[name], xy, strict=True))}
    return {"name": name, "all_points_x": xy[::2], "all_points_y": xy[1::2]}


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
    if kind in ("polygon", "polyline", "extreme"):
        points = list(zip(shape["all_points_x"], shape["all_points_y"], strict=True))
        if kind == "extreme":
            (left, right), (top, bottom) = ((min(values), max(values)) for values in zip(*points, strict=True))
            return drawing.box(size, left, top, right - left, bottom - top)
        return drawing.polygon(points, size) if kind == "polygon" else drawing.line(points, size)
    if kind == "rect":
        return drawing.box(size, *(float(shape[name]) for name in ("x", "y", "width", "height")))
    if kind == "circle":
        return drawing.ellipse(size, *(float(shape[name]) for name in ("cx", "cy", "r", "r")))
    if kind == "ellipse":
        x, y, across, down = (float(shape[name]) for name in ("cx", "cy", "rx", "ry"))
        return drawing.ellipse(size, x, y, across, down, math.degrees(float(shape.get("theta", 0))))
    raise ValueError(f"the shape {kind!r} is not known")

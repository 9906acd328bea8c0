"""Reads the files in which sets and tools say what the values of masks mean.

- `classes.txt`, `class_names.txt`, `labels.txt`: `road` on each line, in the order of the numbers; or `1 road`; or with
  a color, `road 128 64 128` or `128 64 128 road`. LabelMe's converter writes the first, FoodSeg103 the second
  (`category_id.txt`), CamVid the last (`label_colors.txt`).
- `labelmap.txt` of CVAT and datumaro: `road:128,64,128::`.
- `class_dict.csv` of Kaggle and DeepGlobe, `_classes.csv` of Roboflow, and other tables of classes: a first line with
  `name` and `r,g,b`, or with `Pixel Value` and `Class`.
- `config.json` of Mapillary Vistas, `obj_class_to_machine_color.json` of Supervisely (masks_machine/) or else the
  colors in its `meta.json`, and `dataset_meta.json` of datumaro.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from scenes.errors import InputError, shortened
from scenes.files import read_regular
from scenes.plain_json import parse_json
from segment.annotations.objects import BACKGROUND
from segment.classes.found import lines_of
from segment.classes.legend import Color, Legend, Row, legend_of
from segment.classes.public import BORDER, voc_legend
from segment.tree import Tree

NAMES = "classes.txt"
"""The file with the names of a folder's classes."""

_LARGEST = 1 << 24
_COLOR_LAST = re.compile(r"(?P<name>.*\S)[\s,;:]+(?P<r>\d{1,3})[\s,;]+(?P<g>\d{1,3})[\s,;]+(?P<b>\d{1,3})")
_COLOR_FIRST = re.compile(r"(?P<r>\d{1,3})[\s,;]+(?P<g>\d{1,3})[\s,;]+(?P<b>\d{1,3})[\s,;:]+(?P<name>\S.*)")
_NUMBER_FIRST = re.compile(r"(?P<number>\d{1,5})(?:\s*[:,;]\s*|\s+)(?P<name>\S.*)")
_COCO_STUFF = [Row("unlabeled", 0), Row("person", 1)]
# Names of the columns of tables, in lower case.
_NAMES = ("name", "class", "class_name", "class name", "label", "label_name", "category")
_NUMBERS = ("pixel value", "pixel_value", "value", "id", "class_id", "label_id", "index")
_CHANNELS = (("r", "red"), ("g", "green"), ("b", "blue"))


def legend_in(tree: Tree) -> Legend | None:
    """The legend in a folder, in its folders (which must agree), or else in the folder around it. None without one.

    Raises InputError for a file that cannot be read, and where the folders disagree.
    """
    if (here := _legend_among(tree.here)) is not None:
        return here
    found = [legend for one in tree.folders if (legend := _legend_among(one.here)) is not None]
    for other in found[1:]:
        if (other.classes, other.numbers, other.colors) != (found[0].classes, found[0].numbers, found[0].colors):
            raise InputError(f"{other.where}: says something else than {found[0].where}; open one folder at a time")
    around = tree.folder.resolve().parent
    return found[0] if found else _legend_among(path for path in sorted(around.iterdir()) if path.is_file())


def _legend_among(files: Iterable[Path]) -> Legend | None:
    named = {path.name: path for path in files}
    for name, read in _READERS.items():
        if name in named:
            return read(named[name])
    for path in named.values():
        if path.suffix == ".csv" and re.search("class|label", path.name, re.IGNORECASE):
            rows = _table(path)
            if rows:
                return legend_of(str(path), rows)
    return None


def _text(path: Path) -> Legend:
    """One class on each line: a name, a number and a name, or a color and a name in any order."""
    lines = [line.strip() for line in lines_of(path)]
    if not lines or not all(lines):
        raise InputError(f"{path}: is empty, or has an empty line between the names")
    listed = [line for line in lines if not line.startswith("#")]
    for pattern in (_COLOR_FIRST, _COLOR_LAST):
        found = [pattern.fullmatch(line) for line in listed]
        if found and all(found):
            return _checked(
                path, [Row(match["name"], k, _color(path, match)) for k, match in enumerate(found) if match]
            )
    numbered = [_NUMBER_FIRST.fullmatch(line) for line in listed]
    if numbered and all(numbered):
        rows = [Row(match["name"], int(match["number"])) for match in numbered if match]
        return _checked(path, _of_coco_stuff(rows) if rows[:2] == _COCO_STUFF else rows)
    # LabelMe lists what counts nowhere first, as number -1, and then what it calls _background_.
    first = -1 if lines[0] == "__ignore__" else 0
    lines = [BACKGROUND if line == "_background_" else line for line in lines]
    return _checked(path, [Row(name, k) for k, name in enumerate(lines, first) if k >= 0])


def _of_coco_stuff(rows: list[Row]) -> list[Row]:
    """Its pictures of labels (stuffthingmaps) have numbers one below those of its labels.txt, and 255 for unlabeled."""
    return [Row(row.name, (row.number or 256) - 1) for row in rows]


def _labelmap(path: Path) -> Legend:
    """`name:r,g,b:parts:actions`, as CVAT and datumaro write it. Without any color, the classes have VOC's."""
    lines = [line.strip() for line in lines_of(path)]
    fields = [line.split(":") for line in lines if line and not line.startswith("#")]
    if not any(len(parts) > 1 for parts in fields):
        return _text(path)
    if not any(parts[1].strip() for parts in fields if len(parts) > 1):
        return voc_legend(str(path), [parts[0].strip() for parts in fields])
    rows = []
    for number, parts in enumerate(fields):
        channels = parts[1].split(",") if len(parts) > 1 and parts[1].strip() else None
        rows.append(Row(parts[0].strip(), number, None if channels is None else _channels(path, parts[0], channels)))
    return _checked(path, rows, [BORDER])


def _table(path: Path) -> list[Row]:
    """The rows of a table; none if its first line has no column of names beside colors or numbers."""
    lines = lines_of(path)
    separator = max(",;\t", key=lines[0].count) if lines else ","
    try:
        cells = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator, strict=True)]
    except csv.Error as error:
        raise InputError(f"{path}: {error}") from None
    if not cells:
        return []
    titles = [cell.lower() for cell in cells[0]]
    name, number = (_column(titles, known) for known in (_NAMES, _NUMBERS))
    channels = [_column(titles, known) for known in _CHANNELS]
    if name is None or (number is None and None in channels):
        return []
    rows = []
    for count, row in enumerate(line for line in cells[1:] if any(line)):
        if len(row) < len(titles):
            raise InputError(f"{path}: row {count + 1} has {len(row)} columns, the first line has {len(titles)}")
        color = None if None in channels else _channels(path, row[name], [row[k] for k in channels if k is not None])
        if number is not None and not row[number].isdecimal():
            raise InputError(f"{path}: row {count + 1}: {cells[0][number]} is '{shortened(row[number])}', no number")
        rows.append(Row(row[name], count if number is None else int(row[number]), color))
    return rows


def _column(titles: Sequence[str], known: Sequence[str]) -> int | None:
    return next((titles.index(name) for name in known if name in titles), None)


def _of_json(rows: Callable[[Any], Iterator[tuple[str, int | None, Any]]]) -> Callable[[Path], Legend | None]:
    """A reader of a JSON file. rows: name, number and color of each class; raises LookupError, TypeError or ValueError
    for a file of another kind."""

    def read(path: Path) -> Legend | None:
        data = parse_json(read_regular(path, _LARGEST), str(path))
        try:
            found = list(rows(data))
        except (LookupError, TypeError, ValueError, AttributeError):
            return None
        return _checked(path, [Row(name, k, None if c is None else _channels(path, name, c)) for name, k, c in found])

    return read


def _vistas(data: Any) -> Iterator[tuple[str, int, Any]]:
    titles = [str(entry["readable"]) for entry in data["labels"]]
    for number, (title, entry) in enumerate(zip(titles, data["labels"], strict=True)):
        yield title if titles.count(title) == 1 else str(entry["name"]), number, entry["color"]


def _machine(data: Any) -> Iterator[tuple[str, int | None, Any]]:
    """Gray colors, which are the numbers. What no object covers is 0."""
    yield BACKGROUND, 0, (0, 0, 0)
    for name, color in data.items():
        yield str(name), color[0] if len(set(color)) == 1 else None, color


def _meta(data: Any) -> Iterator[tuple[str, int, Any]]:
    colors = data.get("segmentation_colors")
    for place, (number, name) in enumerate(data["label_map"].items()):
        yield str(name), int(number), colors[place] if colors else None


def _supervisely(data: Any) -> Iterator[tuple[str, None, Any]]:
    """Colors for the eye, such as #D0021B. What no object covers is black."""
    yield BACKGROUND, None, (0, 0, 0)
    for entry in data["classes"]:
        yield str(entry["title"]), None, tuple(bytes.fromhex(entry["color"].lstrip("#")))


_READERS: dict[str, Callable[[Path], Legend | None]] = {
    NAMES: _text, "class_names.txt": _text, "labelmap.txt": _labelmap, "label_colors.txt": _text,
    "category_id.txt": _text, "labels.txt": _text, "dataset_meta.json": _of_json(_meta),
    "obj_class_to_machine_color.json": _of_json(_machine), "config_v2.0.json": _of_json(_vistas),
    "config_v1.2.json": _of_json(_vistas), "config.json": _of_json(_vistas), "meta.json": _of_json(_supervisely),
}  # fmt: skip


def vistas_legend(path: Path) -> Legend | None:
    """The legend of a config of Mapillary Vistas; None for another file. Raises InputError."""
    return _of_json(_vistas)(path)


def _checked(path: Path, rows: list[Row], borders: Sequence[Color] = ()) -> Legend:
    names = [row.name for row in rows]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}: names a class twice: '{shortened(twice)}'")
    return legend_of(str(path), rows, borders)


def _color(path: Path, match: re.Match[str]) -> Color:
    return _channels(path, match["name"], [match[channel] for channel in "rgb"])


def _channels(path: Path, name: str, values: Sequence[object]) -> Color:
    try:
        red, green, blue = (int(str(value)) for value in values)
        if not all(0 <= value <= 255 for value in (red, green, blue)):
            raise ValueError
    except ValueError:
        raise InputError(
            f"{path}: class '{shortened(name)}' has the color {shortened(values)}; give three numbers from 0 to 255"
        ) from None
    return red, green, blue

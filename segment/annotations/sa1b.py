"""SA-1B (Segment Anything): one JSON file for each picture, with the run lengths of masks that have no class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scenes.files import read_regular
from scenes.plain_json import parse_json
from segment.annotations.coco import shape_of
from segment.annotations.drawing import Size
from segment.annotations.listing import OfOne, Pictures, Shape, collected
from segment.annotations.objects import Objects
from segment.tree import Tree

_LARGEST, _VALUES = 1 << 28, 10_000_000
_UNNAMED = "object"


def sa1b_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of files of SA-1B, with smaller masks over larger ones. Raises InputError."""
    return collected(tree, files, OfOne(_load, _about, _shapes)).objects()


def _load(path: Path) -> Any:
    return parse_json(read_regular(path, _LARGEST), str(path), _VALUES)


def _about(pictures: Pictures, path: Path, data: Any) -> tuple[Path, Size]:
    image = data["image"]
    return pictures.find(str(image["file_name"]), path.parent), (int(image["height"]), int(image["width"]))


def _shapes(data: Any) -> Iterator[Shape]:
    for one in sorted(data["annotations"], key=lambda one: -float(one["area"])):
        yield Shape(_UNNAMED, partial(shape_of, one["segmentation"]))

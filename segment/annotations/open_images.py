"""Open Images: `*-annotations-object-segmentation.csv`, and a file of each mask, which may be smaller than the picture.

A table of class descriptions (`*class-descriptions*.csv`) beside it names the classes; without it, they are called by
their ids, such as /m/01g317.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from scenes.errors import InputError, shortened
from segment.annotations import drawing
from segment.annotations.listing import FAULTS, Collected, Shape, lines_of
from segment.annotations.objects import Objects
from segment.tree import Tree


def open_images_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of tables of masks. Raises InputError."""
    found = Collected(tree)
    ids = {picture.stem: picture for picture in tree.pictures}
    names = _names(tree)
    for path in files:
        listed: dict[str, list[Shape]] = {}
        for number, row in enumerate(csv.DictReader(lines_of(path)), start=2):
            try:
                mask = found.pictures.find(row["MaskPath"])
                title = names.get(row["LabelName"], row["LabelName"])
                listed.setdefault(row["ImageID"], []).append(
                    Shape(title, partial(drawing.from_file, mask, scaled=True))
                )
            except FAULTS as error:
                raise InputError(f"{path}: line {number}: {str(error).replace('picture', 'mask')}") from None
        for name, shapes in listed.items():
            if name in ids:
                found.take(path, ids[name], None, shapes, shapes.copy)
            else:
                found.left_out.append(f"{path}: names the picture '{shortened(name)}', which is not there")
    return found.objects()


def _names(tree: Tree) -> dict[str, str]:
    """The names of classes by their ids."""
    tables = [path for path in tree.ending((".csv",)) if "class-descriptions" in path.name]
    return {row[0]: row[1] for path in tables for row in csv.reader(lines_of(path)) if len(row) == 2}

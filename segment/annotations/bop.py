"""BOP's data sets of poses, as sets of instance masks.

A scene has `scene_gt.json`, which lists the objects of each picture, rgb/ (or gray/), and mask_visib/ with a mask of
the visible pixels of each object: `000003_000001.png` is that of object 1 in picture 3, counted from 0. A class has the
name `obj_` and the number of its model, like the files of models.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from scenes.errors import InputError
from scenes.files import read_regular
from scenes.plain_json import parse_json
from segment.annotations import drawing
from segment.annotations.listing import FAULTS, Collected, Shape
from segment.annotations.objects import Objects
from segment.tree import Tree
from training.progress import Progress

_LISTS, _MASKS, _PICTURES = "scene_gt.json", "mask_visib", ("rgb", "gray")
_LARGEST, _VALUES = 1 << 30, 100_000_000
_DEPTH = 4


def bop_files(tree: Tree) -> list[Path]:
    """The lists of objects of all scenes with masks."""
    return [path for one in tree.walk(_DEPTH) if one.at(_MASKS) and (path := one.file(_LISTS))]


def bop_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of all scenes. Raises InputError."""
    found = Collected(tree)
    scenes = {one.folder: one for one in tree.walk(_DEPTH)}
    with Progress(f"{tree.folder}: reading scene", len(files), 10.0) as progress:
        for done, path in enumerate(files):
            progress.update(done)
            _take_scene(found, path, scenes[path.parent])
    return found.objects()


def _take_scene(found: Collected, path: Path, scene: Tree) -> None:
    masks, seen = scene.at(_MASKS), next(filter(None, map(scene.at, _PICTURES)), None)
    there = {file.stem: file for file in masks.here} if masks else {}
    pictures = {int(file.stem): file for file in (seen.pictures if seen else ()) if file.stem.isdecimal()}
    data = parse_json(read_regular(path, _LARGEST), str(path), _VALUES)
    try:
        listed = {int(number): [int(one["obj_id"]) for one in objects] for number, objects in data.items()}
    except FAULTS as error:
        raise InputError(f"{path}: not a list of BOP: {error!r} is missing or wrong") from None
    for number, objects in listed.items():
        names = [f"{number:06d}_{place:06d}" for place in range(len(objects))]
        lost = next((name for name in names if name not in there), None)
        if number not in pictures:
            found.left_out.append(f"{path}: names the picture {number:06d}, which is not in rgb/ or gray/")
        elif lost is not None:
            found.left_out.append(f"{pictures[number]}: has no mask {_MASKS}/{lost}.png; make it with bop_toolkit")
        else:
            shapes = [
                Shape(f"obj_{kind:06d}", partial(drawing.from_file, there[name]))
                for kind, name in zip(objects, names, strict=True)
            ]
            found.take(path, pictures[number], None, shapes, shapes.copy)

"""BlenderProc's files: `0.hdf5`, `1.hdf5`, … with a picture and its labels each. `blendmill export` writes such, too.

`category_id_segmaps` has the number of the class of each pixel. A class has the name that `instance_attribute_maps`
gives all its objects, or else its number as its name: BlenderProc gives each object a name of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from scenes.errors import InputError
from scenes.plain_json import parse_json
from segment.annotations.objects import BACKGROUND
from segment.classes.found import counted
from segment.ignored import IGNORED
from segment.sets import Picture, PictureSet, check_size, shown_name
from training.data.pictures import fingerprint
from training.progress import Progress

_COLORS, _CLASSES, _OBJECTS, _NAMES = "colors", "category_id_segmaps", "instance_segmaps", "instance_attribute_maps"
_FAULTS = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError)


def blenderproc_files(folder: Path) -> list[Path]:
    """The files of a folder, in the order of their numbers."""
    found = [path for path in folder.glob("*.hdf5") if path.stem.isdecimal() and path.is_file()]
    return sorted(found, key=lambda path: int(path.stem))


def blenderproc_set(folder: Path) -> PictureSet:
    """The pictures of a folder. Raises InputError if none of its files can be read."""
    files: list[Path] = []
    names: dict[int, set[str]] = {}
    left_out: list[str] = []
    found = blenderproc_files(folder)
    with Progress(f"{folder}: reading names of classes, file", len(found), 10.0) as progress:
        for done, path in enumerate(found, start=1):
            try:
                for number, name in _named(path):
                    names.setdefault(number, set()).add(name)
                files.append(path)
            except InputError as error:
                left_out.append(str(error))
            progress.update(done)
    if not files:
        raise InputError(left_out[0])
    names[0] = {BACKGROUND}
    if max(names) >= IGNORED:
        raise InputError(f"{folder}: has the class {max(names)}, at most {IGNORED - 1} can be told apart")
    titles = {number: min(given) if len(given) == 1 else str(number) for number, given in names.items()}
    classes = tuple(titles.get(number, str(number)) for number in range(max(names) + 1))

    def read(k: int) -> Picture:
        rgb, ids, objects = _labels(files[k])
        check_size(str(files[k]), rgb)
        if (ids >= len(classes)).any():
            raise InputError(f"{files[k]}: {_CLASSES} has the class {ids.max()}, which {_NAMES} does not have")
        return Picture(files[k].stem, rgb, None, ids.astype(np.uint8), counted(objects.astype(np.int64)))

    sizes = [(path.name, path.stat().st_size) for path in files]
    numbers = tuple(path.stem for path in files)
    return PictureSet(
        shown_name(folder), True, numbers, tuple(left_out), read, fingerprint(sizes, classes), (), classes
    )


def _named(path: Path) -> list[tuple[int, str]]:
    """The number and the name of the class of each object of a file."""
    try:
        with h5py.File(path, "r") as file:
            content = bytes(file[_NAMES][()])
        return [(int(one["category_id"]), str(one["name"])) for one in parse_json(content, f"{path}: {_NAMES}")]
    except _FAULTS as error:
        raise InputError(f"{path}: has no {_NAMES} as BlenderProc writes them: {error}") from None


def _labels(path: Path) -> tuple[np.ndarray, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The picture, the classes and the objects of a file."""
    try:
        with h5py.File(path, "r") as file:
            rgb, ids, objects = (np.asarray(file[name]) for name in (_COLORS, _CLASSES, _OBJECTS))
    except _FAULTS as error:
        raise InputError(f"{path}: cannot be read: {error}; render it with {_COLORS}, {_CLASSES}, {_OBJECTS}") from None
    if rgb.ndim != 3 or rgb.dtype != np.uint8 or ids.shape != rgb.shape[:2] or objects.shape != ids.shape:
        raise InputError(f"{path}: its pictures have the shapes {rgb.shape}, {ids.shape} and {objects.shape}")
    return rgb[..., :3], ids, objects

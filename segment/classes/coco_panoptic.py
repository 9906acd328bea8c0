"""COCO's panoptic layout as masks of classes: `annotations/panoptic*.json`, and a PNG of ids for each picture.

The PNG lies in a folder that is named like the JSON file, beside it. The id of a segment is R + 256 G + 65,536 B
(Kirillov et al., Panoptic Segmentation, CVPR 2019; format of cocodataset.org). All pixels have a class, so there is no
background. Pixels with id 0, which nobody labeled, and those of crowds count nowhere. Segments of stuff, such as sky,
are no things.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.assets.image_files import opened
from scenes.errors import InputError, LoadError, shortened
from scenes.files import read_regular
from scenes.plain_json import parse_json
from segment.annotations.coco import LARGEST, VALUES, picture_of
from segment.annotations.listing import Pictures
from segment.classes.found import Found, Labels
from segment.ignored import IGNORED
from segment.tree import Tree


def panoptic_files(tree: Tree) -> list[Path]:
    """The panoptic annotation files of a folder in COCO's layout; empty if it has none."""
    annotations = tree.at("annotations")
    return [path for path in (annotations.here if annotations else ()) if fnmatch(path.name, "panoptic*.json")]


def panoptic_in(tree: Tree, files: Sequence[Path]) -> Found:
    """The pictures of panoptic annotation files. Raises InputError."""
    folder, there = tree.folder, Pictures.of(tree)
    categories: list[tuple[int, str, bool]] = []
    pictures: dict[str, Path] = {}
    masks: dict[str, tuple[Path, list[Any]]] = {}
    for path in files:
        data = parse_json(read_regular(path, LARGEST), str(path), VALUES)
        try:
            here = sorted((int(one["id"]), str(one["name"]), bool(one["isthing"])) for one in data["categories"])
            labeled = {int(one["image_id"]): (str(one["file_name"]), list(one["segments_info"]))
                       for one in data["annotations"]}  # fmt: skip
            images = [(int(one["id"]), str(one["file_name"])) for one in data["images"]]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}: not COCO's panoptic annotations: {error!r} is missing or wrong") from None
        if categories and here != categories:
            raise InputError(f"{path}: has other categories than {files[0].name}")
        categories = here
        if len(categories) > IGNORED:
            raise InputError(f"{path}: has {len(categories)} categories, at most {IGNORED} can be told apart")
        for number, file in images:
            if number in labeled:
                name = Path(file).with_suffix("").as_posix()
                picture = picture_of(there, path, file)
                if isinstance(picture, str):
                    raise InputError(picture)
                pictures[name] = picture
                masks[name] = (_mask(folder, path, labeled[number][0]), labeled[number][1])
    if not pictures:
        raise InputError(f"{folder}: no picture of its panoptic annotations is labeled")
    numbers = {number: (k, thing) for k, (number, _, thing) in enumerate(categories)}

    def read(name: str) -> Labels:
        return _labels(*masks[name], numbers)

    return Found(tuple(name for _, name, _ in categories), pictures, read, ())


def _mask(folder: Path, annotations: Path, file: str) -> Path:
    """Where the PNG of a picture lies."""
    path = annotations.with_suffix("") / file
    if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
        return path
    raise InputError(
        f"{annotations}: names the mask '{shortened(file)}', which is not in {annotations.stem}/ beside it; unpack it "
        "there"
    )


def _labels(path: Path, segments: list[Any], numbers: dict[int, tuple[int, bool]]) -> Labels:
    ids = _ids(path)
    there, inverse = np.unique(ids, return_inverse=True)
    classes, things = np.full(len(there), IGNORED, np.uint8), np.zeros(len(there), np.uint16)
    places = {number: place for place, number in enumerate(there.tolist())}
    named = {0}
    try:
        for count, segment in enumerate(segments, 1):
            number, (category, thing) = int(segment["id"]), numbers[int(segment["category_id"])]
            named.add(number)
            if number in places and not segment.get("iscrowd", 0):
                classes[places[number]], things[places[number]] = category, count * thing
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(f"{path}: a segment of its annotation cannot be read: {error!r}") from None
    if unknown := places.keys() - named:
        raise InputError(f"{path}: has the id {min(unknown)}, which no segment of its annotation has")
    return Labels(classes[inverse].reshape(ids.shape), things[inverse].reshape(ids.shape))


def _ids(path: Path) -> NDArray[np.int64]:
    """(h, w) the id of each pixel. Raises InputError."""
    try:
        with opened(path) as image:
            if image.mode != "RGB":
                raise InputError(f"{path}: is a picture in {image.mode}; panoptic ids are colors, in RGB")
            return np.asarray(image).astype(np.int64) @ np.array([1, 256, 65536])
    except LoadError as error:
        raise InputError(f"{path}: {error}") from error

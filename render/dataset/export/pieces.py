"""The work of writing a piece of an export, for `render.dataset.crew`, and the formats by name.

A format is two functions. `write` writes the files of some pictures, and returns lines of text that only the whole
export can use. `finish` gets the lines of all pieces in order, as often as it wants. Neither holds more than a piece in
memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from render.catalogue import open_catalogue
from render.dataset.dataset import Dataset
from render.dataset.export.bop import finish_bop, write_bop
from render.dataset.export.coco import finish_coco, write_coco
from render.dataset.export.folder import finish_folder, write_folder
from render.dataset.export.masks import write_masks
from render.dataset.export.parts import Finish, Write, nothing_more
from render.dataset.export.per_image import write_per_image
from render.dataset.export.s2rda import finish_s2rda, write_s2rda
from render.dataset.export.webdataset import write_webdataset
from render.dataset.export.yolo import (
    finish_yolo,
    finish_yolo_pose,
    finish_yolo_segment,
    write_yolo,
    write_yolo_pose,
    write_yolo_segment,
)
from render.frame import Frame
from scenes.config.loading import validate
from scenes.config.objects import Config
from scenes.errors import InputError
from scenes.mesh import Model
from scenes.outputs import told


class Format(NamedTuple):
    """How a layout is written, and what is left to do when all its pictures are there."""

    write: Write
    finish: Finish = nothing_more


FORMATS: Mapping[str, Format] = {
    "folder": Format(write_folder, finish_folder),
    "coco": Format(write_coco, finish_coco),
    "webdataset": Format(write_webdataset),
    "s2rda": Format(write_s2rda, finish_s2rda),
    "hdf5-per-image": Format(write_per_image),
    "masks": Format(write_masks),
    "yolo": Format(write_yolo, finish_yolo),
    "yolo-segment": Format(write_yolo_segment, finish_yolo_segment),
    "yolo-pose": Format(write_yolo_pose, finish_yolo_pose),
    "bop": Format(write_bop, finish_bop),
}


def open_work(folder: str, kind: str, out: str, lines: str) -> Callable[[tuple[int, list[int]]], None]:
    """The function that writes a piece, given its number and the indices of its pictures, ascending.

    folder: the data set. out: the folder for the files. lines: the folder for the pieces' lines.
    """
    dataset, checked = Dataset.open(Path(folder)), set[int]()
    more = needs(dataset, kind)

    def frames(indices: list[int]) -> Iterator[Frame]:
        for shard, some in groupby(indices, lambda index: index // dataset.manifest.shard_size):
            if shard not in checked:
                dataset.check_sum(shard)
                checked.add(shard)
            with dataset.shard(shard) as opened:
                # A format reads the labels that it has, and no others.
                yield from opened.lazy_frames(opened.places(some))

    def write(piece: tuple[int, list[int]]) -> None:
        number, indices = piece
        with told(Path(out)):
            found = FORMATS[kind].write(frames(indices), dataset.manifest.classes, Path(out), number, **more)
            if found:
                Path(lines, f"{number:06d}").write_text("".join(f"{line}\n" for line in found), encoding="utf-8")

    return write


def needs(dataset: Dataset, kind: str) -> dict[str, Any]:
    """What the functions of a format get beside pictures and lines. Raises InputError where the set has it not."""
    return {"model": _models(dataset)} if kind == "bop" else {}


def _models(dataset: Dataset) -> Callable[[str], Model]:
    """The models of the set's objects, read from where they were when the set was drawn."""
    config = validate(dataset.manifest.config, str(dataset.folder))
    if not isinstance(config, Config):
        raise InputError(f"{dataset.folder}: has no objects, bop needs some; use --format masks")
    return open_catalogue(config).model

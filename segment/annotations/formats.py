"""The formats of annotation tools that are read, and what is said of those that are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from scenes.files import POINTER
from segment.annotations.bop import bop_files, bop_in
from segment.annotations.coco import coco_files, coco_in
from segment.annotations.cvat import cvat_in
from segment.annotations.darwin import darwin_in
from segment.annotations.kinds import POINTERS, UNKNOWN, Kinds
from segment.annotations.label_studio import label_studio_in
from segment.annotations.labelbox import labelbox_in
from segment.annotations.labelme import labelme_in
from segment.annotations.objects import Objects, WithoutOutlines
from segment.annotations.open_images import open_images_in
from segment.annotations.sa1b import sa1b_in
from segment.annotations.supervisely import supervisely_files, supervisely_in
from segment.annotations.via import via_in
from segment.annotations.voc import voc_files, voc_in
from segment.annotations.yolo import yolo_files, yolo_in
from segment.tree import Tree


class Format(NamedTuple):
    """find: the files of a folder that are read; empty for a folder without the format. read: the objects that they
    list; it raises InputError."""

    name: str
    find: Callable[[Tree, Kinds], Sequence[Path]]
    read: Callable[[Tree, Sequence[Path]], Objects]


def _of(kind: str) -> Callable[[Tree, Kinds], Sequence[Path]]:
    return lambda _, kinds: kinds.get(kind, ())


# The first that a folder has is read. What tells the outlines of single objects best comes first.
FORMATS = (
    Format("BOP", lambda tree, _: bop_files(tree), bop_in),
    Format("COCO", coco_files, coco_in),
    Format("Supervisely", lambda tree, _: supervisely_files(tree), supervisely_in),
    Format("CVAT", _of("CVAT"), cvat_in),
    Format("YOLO", lambda tree, _: yolo_files(tree), yolo_in),
    Format("Labelbox", _of("Labelbox"), labelbox_in),
    Format("Label Studio", _of("Label Studio"), label_studio_in),
    Format("VIA", lambda _, kinds: [*kinds.get("VIA", ()), *kinds.get("VIA 3", ())], via_in),
    Format("LabelMe", _of("LabelMe"), labelme_in),
    Format("Darwin", _of("Darwin"), darwin_in),
    Format("SA-1B", _of("SA-1B"), sa1b_in),
    Format("Open Images", _of("Open Images"), open_images_in),
    Format("Pascal VOC", voc_files, voc_in),
)

_UNREAD = {
    "CreateML": "has boxes only; a mask needs the outlines of its objects",
    "Pascal VOC": "has boxes only; a mask needs the outlines of its objects",
    "table of boxes": "has boxes only; a mask needs the outlines of its objects",
    POINTERS: POINTER,
    "VoTT": "is of VoTT, which is not read; convert it to COCO's JSON, for example with datumaro",
    "Datumaro": "is of Datumaro, which is not read; convert it to COCO's JSON with `datum convert -f coco_instances`",
}


_DEPTH = 4


class _Files(NamedTuple):
    format: Format
    files: Sequence[Path]

    def shown(self, folder: Path) -> str:
        first = self.files[0]
        place = first.relative_to(folder).as_posix() if first.is_relative_to(folder) else first.name
        return f"{self.format.name} ({place}{', …' if len(self.files) > 1 else ''})"


def objects_in(tree: Tree, kinds: Kinds) -> Objects | None:
    """The objects of a folder in a format of this package; None if it has none. kinds: as `kinds_in` tells.

    Of several formats, the first that has masks is read, and a note says so. Raises InputError; WithoutOutlines if none
    has any.
    """
    there = _there(tree, kinds)
    faults: list[WithoutOutlines] = []
    for place, one in enumerate(there):
        try:
            objects = one.format.read(tree, one.files)
        except WithoutOutlines as error:
            faults.append(error)
            continue
        return replace(objects, notes=(*objects.notes, *_choice(tree, one, there[place + 1 :], faults)))
    if faults:
        raise faults[0]
    if turned := [one.folder for one in tree.walk(_DEPTH) if one.name == "labelTxt"]:
        raise WithoutOutlines(f"{turned[0]}: has turned boxes only (DOTA); a mask needs the outlines of its objects")
    for kind, fault in _UNREAD.items():
        if kind in kinds:
            raise WithoutOutlines(f"{kinds[kind][0]}: {fault}")
    return None


def unknown_in(kinds: Kinds) -> tuple[str, ...]:
    """A line about files that may hold annotations, in a folder that has none of a format of this package."""
    files = [path for path in kinds.get(UNKNOWN, ()) if path.suffix.lower() != ".csv"]
    more = f" and {len(files) - 1} more files" if len(files) > 1 else ""
    return tuple(
        f"{path}{more}: of no tool that is known here; if objects are outlined there, convert them to COCO's JSON"
        for path in files[:1]
    )


def notes_beside_masks(tree: Tree, kinds: Kinds) -> tuple[str, ...]:
    """A note if a folder whose masks are read has objects in a format of this package, too."""
    there = _there(tree, kinds)
    return tuple(f"{tree.folder}: its masks are read; {_listed(tree, there)} beside them is not" for _ in there[:1])


def _there(tree: Tree, kinds: Kinds) -> list[_Files]:
    return [_Files(one, files) for one in FORMATS if (files := one.find(tree, kinds))]


def _choice(tree: Tree, chosen: _Files, others: Sequence[_Files], faults: Sequence[WithoutOutlines]) -> list[str]:
    notes = [f"{fault}; {chosen.shown(tree.folder)} is read instead" for fault in faults]
    if others:
        notes.append(f"{tree.folder}: {chosen.shown(tree.folder)} is read; {_listed(tree, others)} beside it is not")
    return notes


def _listed(tree: Tree, files: Sequence[_Files]) -> str:
    return " and ".join(one.shown(tree.folder) for one in files)

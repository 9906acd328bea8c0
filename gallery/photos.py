"""Photographs as a set of the page. They have no labels; the names of their folders are not read as classes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.columns import Described
from gallery.scripts import Json, packed, written
from gallery.tiles import FACTORS, RGB, jpeg, smaller
from scenes.assets.image_files import IMAGE_SUFFIXES
from scenes.assets.walking import below
from scenes.errors import InputError
from segment.layouts import label_folders, layout_of
from segment.masks import looks_like_mask
from segment.tree import listed
from training.data.pictures import ImageDataset, chosen
from training.data.sources import open_pictures

_KEPT = 64

_UNREAD = frozenset({
    ".avif", ".heic", ".heif", ".jp2", ".jxl", ".exr", ".hdr", ".psd", ".svg", ".tga",
    ".arw", ".cr2", ".cr3", ".dng", ".nef",
})  # fmt: skip
"""Suffixes of picture files that are not read, in lower case."""


def left_out(where: Path) -> list[tuple[str, str | None]]:
    """The picture files of a folder that are not shown, with the reasons; None for a picture of labels."""
    if not where.is_dir():
        return []
    shown = photographs(where)
    names = {shown.key(k) for k in range(len(shown))}
    found: list[tuple[str, str | None]] = []
    for path in below(where):
        name, suffix = path.relative_to(where).as_posix(), path.suffix.lower()
        if suffix in _UNREAD:
            found.append((name, f"{suffix} is not read; convert it to JPEG or PNG"))
        elif suffix in IMAGE_SUFFIXES and name not in names and not path.is_dir():
            found.append((name, None if path.is_file() else "no file, or a link to nothing"))
    return found


def photographs(where: Path) -> ImageDataset:
    """The photographs of a folder or a list without their labels. Masks that lie beside them are left out.

    Raises InputError where there are none.
    """
    pictures = open_pictures(where, labels=False)
    if not where.is_dir():
        return pictures
    files = [Path(pictures.where(k)) for k in range(len(pictures))]
    tree = listed(where)
    labels = label_folders(tree)
    shown = {path for path in files if not any(path.is_relative_to(folder) for folder in labels)}
    try:
        layout = layout_of(tree, looks_like_mask)
    except InputError:
        pass  # folders that are named like masks, without pictures beside them: classes
    else:
        if layout.masks:
            shown &= {*layout.pictures.values(), *layout.bare}
    if not shown:
        raise InputError(f"{where}: holds pictures of labels, but no photograph")
    if len(shown) == len(files):
        return pictures
    return chosen(pictures, np.array([k for k, path in enumerate(files) if path in shown]), "no masks")


class Photos:
    """The items of a folder of photographs, in the order of their names; a `gallery.sets.Source`.

    Raises InputError where there are none.
    """

    kinds: Mapping[str, Mapping[str, str]] = {RGB: {"drawn": "picture", "meaning": "photograph"}}

    def __init__(self, where: Path, side: int):
        self.pictures, self._side = photographs(where), side
        self._read = lru_cache(_KEPT)(self._decoded)

    def items(self, index: int, kinds: Collection[str]) -> dict[str, Json]:
        picture, fault = self._read(index)
        name = packed(written([["file", self.pictures.key(index)]]).encode())
        shown = written({"fault": fault}) if picture is None else jpeg(picture)
        return {kind: shown if kind == RGB else name if kind == FACTORS else written(None) for kind in kinds}

    def described(self, index: int) -> Described:
        picture, fault = self._read(index)
        return Described({"file": "cannot be read" if fault else "read"}, picture, fault)

    def _decoded(self, index: int) -> tuple[NDArray[np.uint8] | None, str]:
        """The photograph, or None and the reason why it cannot be read."""
        try:
            return smaller(self.pictures.read(index), self._side), ""
        except InputError as error:
            # A page is passed on: it tells the file, but not where the set lies on this machine.
            return None, str(error).replace(self.pictures.where(index), self.pictures.key(index), 1)

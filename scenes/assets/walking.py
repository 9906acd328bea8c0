"""Walks the folders of model files by their names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from scenes.assets.formats import ARCHIVES, AXES, UNREAD, suffix_of
from scenes.assets.mirror import Entry, mirror_of
from scenes.assets.synsets import SYNSETS
from scenes.files import is_hidden

Layout = Literal["auto", "class-folders", "shapenet", "modelnet", "flat"]


def is_file(place: str) -> bool:
    """Whether a file is there, be it in an object store."""
    mirror = mirror_of(place)
    if mirror is not None:
        entry = mirror.entry(place)
        return entry is not None and entry.is_file()
    return os.path.isfile(place)  # noqa: PTH113  # of 51,300 models, Path takes a second


def below(folder: Path) -> list[Path]:
    """All that lies below a folder and is not hidden, sorted."""
    mirror = mirror_of(str(folder))
    found = sorted(folder.rglob("*")) if mirror is None else mirror.below(folder)
    return [path for path in found if not any(map(is_hidden, path.relative_to(folder).parts))]


@dataclass(frozen=True)
class Walk:
    """Lists files by their names. lost: gets what cannot be listed or lies in the wrong place, with the reason."""

    lost: dict[str, str]

    def classes(self, root: str, layout: Layout, category: str) -> Iterator[tuple[str, str]]:
        """The name and the folder of each class."""
        if layout == "flat":
            yield category, root
            return
        for one in self.subfolders(root):
            yield (SYNSETS.get(one.name, one.name) if layout == "shapenet" else one.name), one.path
        if layout == "class-folders":
            for other in self._entries(root):
                if other.is_file() and suffix_of(other.name) in (*AXES, *UNREAD, *ARCHIVES):
                    self.lost[other.path] = "lies in no class folder; move it into one"

    def within(self, folder: str, layout: Layout, there: Callable[[str], bool]) -> Iterator[str]:
        """Each file that may be a model, in the folder of a class. Collections say which one file of a model is read.

        there: whether a file is there.
        """
        if layout == "shapenet":
            for model in self.subfolders(folder):
                for place in (f"{model.path}/models/model_normalized.obj", f"{model.path}/model.obj"):
                    if there(place):
                        yield place
                        break
        elif layout == "modelnet":
            for split in self.subfolders(folder):
                if split.name in ("test", "train"):
                    files = (entry.path for entry in self._entries(split.path) if entry.is_file())
                    yield from (place for place in files if place.lower().endswith(".off"))
        else:
            yield from self.files(folder)

    def files(self, folder: str) -> Iterator[str]:
        """All files below a folder, or a file itself. Links to folders are not followed: they may lead in a circle."""
        if is_file(folder):
            yield folder
            return
        folders = [folder]
        while folders:
            for entry in self._entries(folders.pop()):
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_file():
                    yield entry.path

    def subfolders(self, folder: str) -> Iterator[os.DirEntry[str] | Entry]:
        return (entry for entry in self._entries(folder) if entry.is_dir())

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str] | Entry]:
        mirror = mirror_of(folder)
        try:
            with os.scandir(folder) if mirror is None else nullcontext(mirror.entries(folder)) as found:
                yield from (entry for entry in found if not is_hidden(entry.name))
        except OSError as error:
            self.lost[folder] = f"cannot be read: {error.strerror or error}"

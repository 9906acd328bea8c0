"""A folder of pictures, listed once. All that looks for layouts and for files of annotations asks the listing."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from scenes.assets.image_files import IMAGE_SUFFIXES
from scenes.errors import InputError
from scenes.files import is_hidden


@dataclass(frozen=True)
class Tree:
    """A folder and all that lies below it and is not hidden.

    here: its files, by name. folders: the folders in it, by name. lost: what cannot be read, here and below, each with
    the reason.
    """

    folder: Path
    here: tuple[Path, ...]
    folders: tuple[Tree, ...]
    lost: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The files here and below, in the order of their paths."""
        parts = [(path.name, (path,)) for path in self.here] + [(one.name, one.files) for one in self.folders]
        return tuple(chain.from_iterable(files for _, files in sorted(parts, key=lambda part: part[0])))

    @cached_property
    def pictures(self) -> tuple[Path, ...]:
        """The files here and below whose suffixes are those of pictures."""
        return tuple(self.ending(IMAGE_SUFFIXES))

    def ending(self, suffixes: Collection[str]) -> list[Path]:
        """The files here and below with one of some suffixes, which are in lower case."""
        return [path for path in self.files if path.suffix.lower() in suffixes]

    def beside(self, suffixes: Collection[str]) -> list[Path]:
        """The files here with one of some suffixes, which are in lower case."""
        return [path for path in self.here if path.suffix.lower() in suffixes]

    def at(self, *names: str) -> Tree | None:
        """A folder below; None if it is not there."""
        found: Tree | None = self
        for name in names:
            found = next((one for one in found.folders if one.name == name), None) if found else None
        return found

    def file(self, name: str) -> Path | None:
        """A file here; None if it is not there."""
        return next((path for path in self.here if path.name == name), None)

    def walk(self, depth: int) -> Iterator[Tree]:
        """This folder and those below it, at most so many folders deep."""
        yield self
        for one in self.folders if depth else ():
            yield from one.walk(depth - 1)


def listed(folder: Path) -> Tree:
    """List a folder. Links to folders elsewhere are followed; links within the folder would show its files twice.

    Raises InputError if the folder cannot be listed.
    """
    root = folder.resolve()
    tree = _listed(folder, root, (root,))
    if isinstance(tree, str):
        raise InputError(tree)
    return tree


def _listed(folder: Path, root: Path, above: tuple[Path, ...]) -> Tree | str:
    """above: the folders that are being listed. Returns a line if the folder cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry for entry in entries if not is_hidden(entry.name)), key=lambda entry: entry.name)
    except OSError as error:
        return f"{folder}: cannot be listed: {error.strerror or error}"
    here: list[Path] = []
    folders: list[Tree] = []
    lost: list[str] = []
    for entry in found:
        path = folder / entry.name
        if not entry.is_dir():
            if entry.is_file():
                here.append(path)
            else:
                lost.append(f"{path}: is a link to nothing, or no file")
            continue
        within = above
        if entry.is_symlink():
            target = path.resolve()
            if target.is_relative_to(root) or any(one.is_relative_to(target) for one in above):
                continue
            within = (*above, target)
        tree = _listed(path, root, within)
        if isinstance(tree, str):
            lost.append(tree)
        else:
            folders.append(tree)
            lost += tree.lost
    return Tree(folder, tuple(here), tuple(folders), tuple(lost))

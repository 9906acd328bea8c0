"""Pictures in files: class folders, a folder of photos, list files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError
from scenes.files import is_hidden
from training.data.decode import EXTENSIONS, decoded
from training.data.pictures import NONE, fingerprint

_LABELED = re.compile(r"(?P<path>.*[^\s,])[\s,]+(?P<label>-?[0-9]{1,9})")


class Files:
    """Picture files in a folder; a `training.data.pictures.ImageDataset`.

    paths: POSIX paths relative to `root`, in the order of the set. labels: for each path an index into `classes`, or
    -1. name: for messages; by default the folder. complete: refuse missing files. Otherwise such a file, for instance a
    link to nothing, is a picture that cannot be read. Raises InputError if `paths` is empty.
    """

    def __init__(
        self,
        root: Path,
        paths: Sequence[str],
        labels: Sequence[int],
        classes: Sequence[str],
        name: str = "",
        *,
        complete: bool = True,
    ):
        self._root, self._paths, self._complete = root, list(paths), complete
        self.name = name or str(root)
        if not self._paths:
            raise InputError(f"{self.name}: no pictures; accepted: files {', '.join(sorted(EXTENSIONS))}")
        self.classes = tuple(classes)
        self.labels: NDArray[np.int64] = np.array(labels, np.int64)
        self.digest = fingerprint(self.classes, list(zip(self._paths, self._sizes(), labels, strict=True)))

    def _sizes(self) -> list[int]:
        sizes, missing = [], []
        for path in self._paths:
            try:
                sizes.append(os.stat(f"{self._root}/{path}").st_size)  # noqa: PTH116  Path.stat is much slower
            except OSError:
                missing.append(path)
                sizes.append(-1)
        if missing and self._complete:
            more = f" and {len(missing) - 1} more of {len(self._paths)}" if len(missing) > 1 else ""
            raise InputError(
                f"{self.name}: file not found: {self._root / missing[0]}{more}; complete the copy, or correct the list"
            )
        return sizes

    def __len__(self) -> int:
        return len(self._paths)

    def read(self, i: int, short: int | None = None) -> NDArray[np.uint8]:
        return decoded(self._root / self._paths[i], short)

    def where(self, i: int) -> str:
        return str(self._root / self._paths[i])

    def key(self, i: int) -> str:
        return self._paths[i]


def class_folders(root: Path, *, name: str = "", mixed: bool = False) -> Files:
    """Pictures in `<root>/<class>/…`, at any depth. The classes are in alphabetical order.

    If only `root` itself holds pictures, they have no class. mixed: take pictures both in `root` and in its folders;
    those in `root` have no class and come first. Hidden files, files of other kinds and links to a folder around `root`
    are ignored. Raises InputError if there is no picture, or if pictures lie in both places and `mixed` is False.
    """
    around = root.resolve()
    folders = sorted(
        path.name
        for path in root.iterdir()
        if path.is_dir() and not is_hidden(path.name) and not around.is_relative_to(path.resolve())
    )
    inside = {folder: sorted(_pictures(root, folder)) for folder in folders}
    beside = sorted(path.name for path in root.iterdir() if _is_picture(path.name) and path.is_file())
    if not any(inside.values()):
        return Files(root, beside, [NONE] * len(beside), (), name)
    if beside and not mixed:
        raise InputError(
            f"{root}: pictures lie both next to the class folders ({beside[0]}) and in them; move all of them into "
            "folders, or none"
        )
    paths = [*beside, *(path for folder in folders for path in inside[folder])]
    labels = [NONE] * len(beside) + [label for label, folder in enumerate(folders) for _ in inside[folder]]
    return Files(root, paths, labels, folders, name, complete=False)


def _is_picture(name: str) -> bool:
    return not is_hidden(name) and PurePosixPath(name).suffix.lower() in EXTENSIONS


def _pictures(root: Path, folder: str) -> Iterator[str]:
    for where, folders, names in os.walk(root / folder):
        folders[:] = [name for name in folders if not is_hidden(name)]
        for name in names:
            if _is_picture(name):
                yield Path(where, name).relative_to(root).as_posix()


def listed(file: Path, classes: Sequence[str] | None = None, *, root: Path | None = None) -> Files:
    """Pictures of a list file. Each line holds a path, or a path and a class number.

    Paths are relative to `root`. By default that is the folder of the list or its parent, whichever holds the first
    picture. Without numbers, the class of a picture is the name of its folder. With numbers, class names are taken from
    the folders if each number belongs to exactly one folder. Otherwise a number is an index into `classes`. Raises
    InputError if the list cannot be read, is empty, mixes both kinds of lines, leads out of `root`, or names missing
    files.
    """
    lines = _lines(file)
    paths, numbers = _parsed(file, lines)
    if root is None:
        root = next((at for at in (file.parent, file.parent.parent) if (at / paths[0]).exists()), file.parent)
    folders = [PurePosixPath(path).parent.name for path in paths]
    if numbers is None:
        names = sorted(set(folders))
        index = {name: number for number, name in enumerate(names)}
        return Files(root, paths, [index[folder] for folder in folders], names, str(file))
    return Files(root, paths, numbers, _named(file, numbers, folders, classes), str(file))


def _lines(file: Path) -> list[tuple[int, str]]:
    """The non-empty lines with their line numbers."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{file}: no such list file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not a list file: byte {error.start} is not UTF-8") from None
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise InputError(f"{file}: empty; a list file holds the path of a picture in each line")
    return lines


def _parsed(file: Path, lines: Sequence[tuple[int, str]]) -> tuple[list[str], list[int] | None]:
    """The paths, and the class numbers if the lines have them."""
    found = [(number, line, _LABELED.fullmatch(line)) for number, line in lines]
    numbered = found[0][2] is not None
    paths, labels = [], []
    for number, line, match in found:
        if (match is not None) != numbered:
            raise InputError(f"{file}: line {number}: '{line}' {'lacks' if numbered else 'has'} a class number, "
                             f"unlike line {found[0][0]}")  # fmt: skip
        path = match["path"] if match else line
        if "\0" in path or path.startswith(("/", "~")) or ".." in PurePosixPath(path).parts:
            raise InputError(f"{file}: line {number}: '{path}' leads out of the list's folder; write relative paths")
        paths.append(PurePosixPath(path).as_posix())
        labels.append(int(match["label"]) if match else NONE)
    return paths, labels if numbered else None


def _named(file: Path, numbers: list[int], folders: list[str], classes: Sequence[str] | None) -> Sequence[str]:
    """The names of the classes 0, 1, …"""
    pairs = set(zip(numbers, folders, strict=True))
    names = dict(pairs)
    if len(pairs) == len(names) == len(set(folders)) and set(names) == set(range(len(names))):
        return [names[number] for number in range(len(names))]
    if classes is None:
        raise InputError(
            f"{file}: the class numbers do not match the folders one to one, so they have no names; "
            "give the names as `classes`"
        )
    if not NONE <= min(numbers) <= max(numbers) < len(classes):
        wrong = next(i for i, number in enumerate(numbers) if not NONE <= number < len(classes))
        raise InputError(
            f"{file}: picture {wrong + 1} has class {numbers[wrong]}, but there are {len(classes)} classes, "
            "numbered from 0"
        )
    return classes

"""Pictures in files: class folders, or a folder of photos."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from scenes.assets.image_files import IMAGE_SUFFIXES
from scenes.errors import InputError
from scenes.files import is_hidden
from training.data.decode import decoded
from training.data.pictures import NONE, fingerprint


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
            raise InputError(f"{self.name}: no pictures; accepted: files {', '.join(sorted(IMAGE_SUFFIXES))}")
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


def class_folders(root: Path, *, name: str = "", known: Collection[str] = (), mixed: bool = False) -> Files:
    """Pictures in `<root>/<class>/…`, at any depth. The classes are in alphabetical order.

    If only one folder of `root` holds pictures, and these lie in several folders, then those are the classes, as in
    `images/<class>/` (Office-31) and `101_ObjectCategories/<class>/` (Caltech-101), unless `known` has the name of the
    one folder. If only `root` itself holds pictures, they have no class. mixed: take pictures both in `root` and in its
    folders; those in `root` have no class and come first. Hidden files, files of other kinds and links to a folder
    around `root` are ignored. Raises InputError if there is no picture, or if pictures lie in both places and `mixed`
    is False.
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
    wrappers = [folder for folder in folders if inside[folder]]
    if len(wrappers) == 1 and wrappers[0] not in known:
        within = _by_folder(inside[wrappers[0]])
        if len(within) > 1:
            folders, inside = list(within), within
    paths = [*beside, *(path for folder in folders for path in inside[folder])]
    labels = [NONE] * len(beside) + [label for label, folder in enumerate(folders) for _ in inside[folder]]
    return Files(root, paths, labels, folders, name, complete=False)


def _by_folder(paths: Sequence[str]) -> dict[str, list[str]]:
    """Paths by the name of their second folder, in alphabetical order. Empty if one has no second folder."""
    found: dict[str, list[str]] = {}
    for path in paths:
        parts = path.split("/")
        if len(parts) < 3:
            return {}
        found.setdefault(parts[1], []).append(path)
    return dict(sorted(found.items()))


def _is_picture(name: str) -> bool:
    return not is_hidden(name) and PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES


def _pictures(root: Path, folder: str) -> Iterator[str]:
    for where, folders, names in os.walk(root / folder):
        folders[:] = [name for name in folders if not is_hidden(name)]
        for name in names:
            if _is_picture(name):
                yield Path(where, name).relative_to(root).as_posix()

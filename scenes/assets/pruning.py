"""Keeps the cache small: says what it holds, and deletes what was not used for longest.

A file goes as a whole, and counts as absent when it is gone: whoever needs it then makes it again. So any number of
processes, on any number of machines, may read, write and prune one cache.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scenes.assets.mirror import FOLDER
from scenes.errors import InputError
from scenes.files import UNFINISHED
from scenes.outputs import told

CONTENTS = {
    "models": "models",
    "textures": "color maps of models",
    "images": "pictures that Blender reads wrong, written anew",
    "pictures": "photographs of surfaces, continued",
    "files": "notes on files",
    "indexes": "indexes from object stores",
    FOLDER: "files from object stores",
    "unfinished": "unfinished",
}
"""What the folders of a cache hold. Nothing else in it is counted or deleted."""

UNUSED_HOURS = 72.0
"""What was used more lately stays: a worker that still runs may draw from it."""

# An unfinished file that is older than this is of a process that was killed.
_DEAD_HOURS = 24.0

_OURS = re.compile(rf"[0-9a-f]{{64}}\.\w+({re.escape(UNFINISHED)}.*)?")


@dataclass(frozen=True)
class Held:
    """Files of a cache. bytes: their size. oldest: when the one that was not used for longest was used, in seconds
    since 1970; None if there are none."""

    files: int = 0
    bytes: int = 0
    oldest: float | None = None


@dataclass(frozen=True)
class _File:
    used: float
    size: int
    path: str
    folder: str


def held(cache: Path, tell: Callable[[int], None] = lambda count: None) -> dict[str, Held]:
    """What each folder of a cache holds. tell: is called with the number of files that were counted since."""
    found = {name: Held() for name in CONTENTS}
    for file in _files(cache, tell):
        so_far = found[file.folder]
        oldest = file.used if so_far.oldest is None else min(so_far.oldest, file.used)
        found[file.folder] = Held(so_far.files + 1, so_far.bytes + file.size, oldest)
    return found


def prune(
    cache: Path,
    most_bytes: int | None,
    most_files: int | None,
    unused_hours: float = UNUSED_HOURS,
    tell: Callable[[int], None] = lambda count: None,
) -> Held:
    """Delete what was not used for longest, until a cache holds no more than these limits. Returns what went.

    Files that were used within `unused_hours` stay, even if the cache is too large then. Unfinished files go if nobody
    can be writing them any more. Raises InputError where a file may not be deleted.
    """
    files = sorted(_files(cache, tell), key=lambda file: file.used)
    count, size, now = len(files), sum(file.size for file in files), time.time()
    gone: list[_File] = []
    for file in files:
        too_much = (most_bytes is not None and size > most_bytes) or (most_files is not None and count > most_files)
        half = UNFINISHED in file.path
        if (half or too_much) and now - file.used > (_DEAD_HOURS if half else unused_hours) * 3600:
            with told(Path(file.path)):
                Path(file.path).unlink(missing_ok=True)
            count, size = count - 1, size - file.size
            gone.append(file)
    return Held(len(gone), sum(file.size for file in gone), gone[0].used if gone else None)


def _files(cache: Path, tell: Callable[[int], None]) -> Iterator[_File]:
    for name in CONTENTS:
        if name == FOLDER:
            yield from _fetched(cache / name, tell)
            continue
        for folder in (str(cache / name), *_subfolders(cache / name)):
            count = 0
            for entry in _entries(folder):
                if _OURS.fullmatch(entry.name):
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:  # another process prunes too
                        continue
                    yield _File(status.st_mtime, status.st_size, entry.path, name)
                    count += 1
            tell(count)


def _fetched(folder: Path, tell: Callable[[int], None]) -> Iterator[_File]:
    """What a mirror has below its folder. Its time of change says which content it is, so reading counts as use."""
    waiting = [str(folder)]
    while waiting:
        count = 0
        for entry in _entries(waiting.pop()):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # another process prunes too
                continue
            yield _File(max(status.st_mtime, status.st_atime), status.st_size, entry.path, FOLDER)
            count += 1
        tell(count)


def _subfolders(folder: Path) -> list[str]:
    return [entry.path for entry in _entries(str(folder)) if entry.is_dir(follow_symlinks=False)]


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"cache {folder}: cannot be read: {error.strerror or error}; set BLENDMILL_CACHE") from None

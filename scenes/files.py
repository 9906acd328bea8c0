"""Atomic writes, paths that cannot leave a folder, and digests."""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from scenes.errors import InputError, shortened

UNFINISHED = ".tmp-"
"""The suffix of the name of an unfinished file."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The errors of writing where a disk is full, or a limit of size is reached."""

POINTER_START = b"version https://git-lfs"
POINTER = "is a pointer of Git LFS instead of the file: run `git lfs pull` where it comes from"
"""How a file begins that Git LFS has not fetched, and what is said of it."""

_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS)
"""The errors of a link between two disks, to another's file, and on file systems that know few links or none."""


def unfinished(path: Path) -> Path:
    """The name of the unfinished file next to `path`, unique for each process on each machine: `path`.tmp-host-pid."""
    return path.with_name(f"{path.name}{UNFINISHED}{platform.node()}-{os.getpid()}")


@contextmanager
def replacing(path: Path, folder: Path | None = None) -> Iterator[Path]:
    """A temporary path beside `path` to write to; what is there when the block ends becomes `path`, at once and
    durably. When the block raises, the temporary file goes and `path` stays as it was.

    folder: where the temporary file is, on the same disk, if not beside `path`.
    """
    temporary = unfinished((folder or path.parent) / path.name)
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def linked(path: Path, name: Path) -> bool:
    """Give a file a second name (a hard link) that is not there yet. False where the disk or its rights have it not.

    Both names have one content: this is for files that are replaced as a whole, never changed in place.
    """
    try:
        os.link(path.resolve(), name)  # what a symbolic link leads to, not the link itself
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        return False
    return True


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, data: bytes, folder: Path | None = None) -> None:
    """Write a file that any number of processes may be writing, in a folder that need not be there yet.

    folder: where the temporary file is, as in `replacing`.
    """
    for each in (path.parent, folder or path.parent):
        each.mkdir(parents=True, exist_ok=True)
    with replacing(path, folder) as temporary:
        temporary.write_bytes(data)


def read_regular(path: Path, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes.

    Raises InputError for any other: reading a pipe or a device may never end. Its cause is the OSError, if one is.
    """
    with _regular(path) as (file, size):
        if size > limit:
            raise InputError(f"{path}: has {size:,} bytes, a file of this kind has at most {limit:,}")
        return file.read(limit)


def first_of(path: Path, count: int) -> bytes:
    """The first bytes of a regular file of any size, at most `count`, to find out what it is. Raises InputError."""
    with _regular(path) as (file, _):
        return file.read(count)


@contextmanager
def _regular(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """A regular file that is open for reading, and its size in bytes. Whatever fails in the block is an InputError."""
    try:
        # Without O_NONBLOCK, opening a pipe waits for its other end.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError(f"{path}: is not a regular file")
            yield file, status.st_size
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError:
        raise InputError(f"{shortened(str(path))}: is not a path") from None


def inside(root: Path, relative: str, start: Path | None = None) -> Path:
    """The path `relative`, seen from `start` or else from `root`, links resolved.

    Raises ValueError if it is absolute, or leads out of the root.
    """
    text = relative.replace("\\", "/")
    if not text.strip() or "\0" in text:
        raise ValueError(f"{relative!r} is not a path")
    if text.startswith("/") or text[1:2] == ":":
        raise ValueError(f"'{relative}' is absolute, write it relative to {root.resolve().name}")
    try:
        path = ((start or root).resolve() / text).resolve()
    except RuntimeError:
        raise ValueError(f"'{relative}' is a loop of links") from None
    if not path.is_relative_to(root.resolve()):
        raise ValueError(f"'{relative}' leads out of {root.resolve().name}")
    return path


# Folders of other programs: macOS' archives, Synology's thumbnails, Windows' and Linux' own.
_OF_PROGRAMS = frozenset(("__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found"))


def is_hidden(name: str) -> bool:
    """Whether a file or folder is not the user's own: its name begins with a dot, or a program makes folders of it."""
    return name.startswith(".") or name.lower() in _OF_PROGRAMS


def is_utf8(path: Path) -> bool:
    """Whether a path is text. One that is not cannot be kept in JSON and come back the same."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def sha256(path: Path) -> str:
    """The hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_pointer(path: Path) -> bool:
    """Whether a file is a pointer of Git LFS. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(POINTER_START)) == POINTER_START


def file_stat(path: Path) -> list[int] | None:
    """Size in bytes and time of change in ns, by which a file is known again; None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return [stat.st_size, stat.st_mtime_ns]

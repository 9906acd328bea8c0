"""Where a data set's files lie, by their names inside it: a folder here, a URL in `render/dataset/remote.py`."""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from scenes.errors import InputError
from scenes.files import NO_ROOM, UNFINISHED, file_stat, linked, read_regular, replacing, unfinished
from scenes.leftovers import remove_dead

_HOLD = ".hold-"
# What making a file says in /proc, in a loop of links, or on file systems that know fewer names, as FAT does.
_NO_PLACE = (errno.ENOENT, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.EOPNOTSUPP)
_LARGEST = 1 << 28
"""Bytes of a file that is read whole: dataset.json, the log of a run, the record of a picture."""


class Journal(Protocol):
    """A file that grows by whole lines; `flush` lets others see them."""

    def write(self, data: bytes, /) -> int: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...


class Listing(NamedTuple):
    """What lies in a folder. stamp: from a name to what the file is known again by, None where there is none."""

    names: set[str]
    stamp: Callable[[str], str | None]


class Storage(Protocol):
    """Files by name, "/" between folders. Whatever appears under a name is whole. Failures are an InputError each."""

    url: str

    def names(self, folder: str = "") -> set[str]:
        """The names of what lies in a folder, in one listing; empty where there is no such folder."""

    def listing(self, folder: str) -> Listing:
        """The names, and what each file is known again by, which no further call over a network finds out."""

    def has(self, name: str) -> bool:
        """Whether there is a file of a name."""

    def read(self, name: str) -> bytes | None:
        """A file's content, None where there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Put a file there, in place of the one that is."""

    def create(self, name: str, content: bytes) -> bool:
        """Put a file there unless there is one; whether it was put there. Of many calls at once one succeeds."""

    def remove(self, *names: str) -> None:
        """Delete files, those that are there, and the folders they were in if those are empty now."""

    def target(self, name: str) -> AbstractContextManager[Path]:
        """A local path to write a file to as `replacing` does; when the block ends it is in the storage."""

    def source(self, name: str) -> AbstractContextManager[Path]:
        """A local path to read a file from. Raises InputError where it is missing."""

    def stamps(self, folder: str, names: Collection[str]) -> dict[str, str]:
        """What those files of a folder that are there are known again by. Each is asked for; nothing is listed."""

    def changed(self, folder: str) -> dict[str, float]:
        """When each file of a folder last changed, by the clock of `now`; those of which the place tells it."""

    def now(self) -> float | None:
        """Seconds since 1970 by the clock that dates the files. None where nothing can be written or it is untold."""

    def journal(self, name: str) -> Journal:
        """A new file that grows."""

    def hold(self, part: str) -> AbstractContextManager[None]:
        """Keep other runs of the same part out, where the place can."""

    def sweep(self, *, everything: bool = False) -> None:
        """Delete what processes of this host that are no more left behind; or all but what its live ones have."""


class Folder:
    """A Storage on this machine's disks, or on one that many machines share."""

    def __init__(self, folder: Path):
        self.folder, self.url = folder, str(folder)

    def names(self, folder: str = "") -> set[str]:
        try:
            with os.scandir(self.folder / folder) as entries:
                # The listing tells links from files. One that leads nowhere is no file: its target was moved.
                return {entry.name for entry in entries if not entry.is_symlink() or Path(entry).exists()}
        except FileNotFoundError:
            return set()
        except NotADirectoryError:
            raise InputError(f"{self.folder / folder}: is a file; give a folder") from None
        except PermissionError:
            raise InputError(f"{self.folder / folder}: no permission to read it; change its owner") from None
        except OSError as error:
            raise InputError(f"{self.folder / folder}: cannot be read: {error.strerror}") from None

    def listing(self, folder: str) -> Listing:
        return Listing(self.names(folder), partial(self._stamp, folder))

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()

    def read(self, name: str) -> bytes | None:
        path = self.folder / name
        try:
            return read_regular(path, _LARGEST)
        except InputError as error:
            # Other processes make and delete it at any moment, so a second look could see another state. A link that
            # leads nowhere is a fault.
            if isinstance(error.__cause__, FileNotFoundError | NotADirectoryError) and not path.is_symlink():
                return None
            raise

    def write(self, name: str, content: bytes) -> None:
        with self.target(name) as path, replacing(path) as temporary:
            temporary.write_bytes(content)

    def create(self, name: str, content: bytes) -> bool:
        path = self.folder / name
        with disk_errors(self.folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = unfinished(path)
            try:
                with temporary.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                if not linked(temporary, path):
                    temporary.replace(path)  # the file system knows no links: it is exFAT or the like, seldom shared
            except FileExistsError:
                return False
            finally:
                temporary.unlink(missing_ok=True)
        return True

    def remove(self, *names: str) -> None:
        paths = [self.folder / name for name in names]
        with disk_errors(self.folder):
            for path in paths:
                path.unlink(missing_ok=True)
            for parent in {path.parent for path in paths} - {self.folder}:
                try:
                    parent.rmdir()  # the system knows at once whether it is empty; a listing is as long as the folder
                except OSError as error:
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
                        raise

    @contextmanager
    def target(self, name: str) -> Iterator[Path]:
        path = self.folder / name
        with disk_errors(self.folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                yield path
            except BaseException:
                # A process that wrote to it for us may have been killed.
                self._remove_dead(list(path.parent.glob(f"{path.name}{UNFINISHED}*")))
                raise

    @contextmanager
    def source(self, name: str) -> Iterator[Path]:
        path = self.folder / name
        if not path.is_file():
            raise InputError(f"{path}: {'is not a regular file; move it away' if path.exists() else 'missing'}")
        yield path

    def stamps(self, folder: str, names: Collection[str]) -> dict[str, str]:
        found = {name: self._stamp(folder, name) for name in names}
        return {name: stamp for name, stamp in found.items() if stamp is not None}

    def _stamp(self, folder: str, name: str) -> str | None:
        stat = file_stat(self.folder / folder / name)
        return None if stat is None else repr(stat)

    def changed(self, folder: str) -> dict[str, float]:
        found = {name: file_stat(self.folder / folder / name) for name in self.names(folder)}
        return {name: stat[1] / 1e9 for name, stat in found.items() if stat is not None}

    def now(self) -> float | None:
        # A server of files has its own clock. The name is one that `Store.create` takes for ours, of this thread alone.
        path = unfinished(self.folder / f"dataset.json{UNFINISHED}clock{threading.get_ident()}")
        try:
            path.touch()
            return path.stat().st_mtime
        except OSError:
            return None
        finally:
            with suppress(OSError):
                path.unlink()

    def journal(self, name: str) -> Journal:
        path = self.folder / name
        with disk_errors(self.folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            return _LocalJournal(path, "a")

    @contextmanager
    def hold(self, part: str) -> Iterator[None]:
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"{_HOLD}{part.replace('/', '-of-')}"
            descriptor = _lock(path)
            if descriptor is None:  # a sweep has it for a moment
                time.sleep(0.2)
                descriptor = _lock(path)
        if descriptor is None:
            owner = (self.read(path.name) or b"another process").decode()
            raise InputError(f"{self.folder}: already being rendered by {owner}; wait for it or stop it")
        try:
            os.truncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()} on {platform.node()}".encode())
            yield
        finally:
            # While it is still locked: whoever opened it before finds another file, or none, under the name.
            path.unlink(missing_ok=True)
            os.close(descriptor)

    def sweep(self, *, everything: bool = False) -> None:
        with disk_errors(self.folder):
            folders = (self.folder, *(path for path in self.folder.glob("*") if path.is_dir()))
            self._remove_dead([path for folder in folders for path in folder.glob(f"*{UNFINISHED}*")], everything)
            for path in self.folder.glob(f"{_HOLD}*") if everything else ():
                descriptor = _lock(path)
                if descriptor is not None:
                    path.unlink(missing_ok=True)
                    os.close(descriptor)

    def _remove_dead(self, paths: Sequence[Path], everything: bool = False) -> None:
        if paths:
            now = self.now()
            ahead = 0.0 if now is None else now - time.time()
            for path in paths:
                remove_dead(path, everything, ahead)


class _LocalJournal(FileIO):
    def write(self, data: Any) -> int:
        with disk_errors(Path(os.fsdecode(self.name)).parent):
            return super().write(data)


def _lock(path: Path) -> int | None:
    """A descriptor of the file, locked; None where another has the lock."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:
            # Some cluster file systems have no locks. Two runs then draw the same shards twice and harm nothing.
            if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
            return descriptor
        if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
        os.close(descriptor)  # the one who had it deleted it in between


# Errors --------------------------------------------------------------------------------------------------------------


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Failures of the disk as one line that says what to do."""
    try:
        yield
    except PermissionError:
        raise InputError(f"{folder}: no permission to write there; give another folder or change its owner") from None
    except IsADirectoryError as error:
        raise InputError(f"{error.filename}: is a folder, and should be a file; move it away") from None
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"{folder}: is a file or lies in one, --out names a folder") from None
    except FileNotFoundError:
        if folder.exists():
            raise  # it is another file that is missing
        raise InputError(removed(folder)) from None
    except OSError as error:
        if error.errno in _NO_PLACE:
            reason = os.strerror(error.errno)
            raise InputError(f"{folder}: no files can be made there ({reason}); give another folder") from None
        if error.errno == errno.EROFS:
            raise InputError(f"{folder}: is on a read-only file system; give another folder") from None
        if error.errno not in NO_ROOM:
            raise
        free = _free(folder)
        reason = os.strerror(error.errno)
        raise InputError(f"{folder}: {reason} ({free}); finished shards are whole, rerun to complete") from None


def removed(place: Path | str) -> str:
    """What is said of a data set that is gone while it is being drawn."""
    return f"{place}: was removed while this run was writing to it; give the same command again to draw it anew"


def _free(folder: Path) -> str:
    existing = next(parent for parent in (folder, *folder.resolve().parents) if parent.exists())
    return f"{shutil.disk_usage(existing).free / 1e9:.1f} GB free"

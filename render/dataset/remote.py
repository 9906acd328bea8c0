"""A data set behind a URL, in an object store that fsspec knows: what is written is uploaded whole, read back, and only
then given its name.

Credentials and endpoints are fsspec's own: AWS_ACCESS_KEY_ID, FSSPEC_S3_ENDPOINT_URL, ~/.config/fsspec and the like.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from render.dataset.local import Journal, Listing, disk_errors
from scenes.errors import InputError
from scenes.files import UNFINISHED, sha256, unfinished
from scenes.leftovers import own_name, process_alive
from scenes.urls import fault, filesystem

T = TypeVar("T")

_SCRATCH = "blendmill-store-"
_UPLOADS = "unfinished"
"""The folder of what is on its way. It is nearly empty, so a sweep need not list a million pictures' shards."""

_ASKING = 8
"""Files that are asked for at once."""

_STAMP = frozenset({"size", "etag", "md5hash", "mtime", "lastmodified", "last_modified", "updated", "created"})
"""What file systems tell of a file in a listing that changes when the file does, in small letters."""

_TIMES = ("lastmodified", "last_modified", "updated", "mtime", "created")
"""The times of change among these. What has no time but that of its making is never changed in place."""


class Remote:
    """A Storage behind an fsspec URL.

    tries: how often anything is tried before it counts as failed. wait: seconds before the second try, doubled before
    each further one.
    """

    def __init__(self, url: str, tries: int = 5, wait: float = 0.5):
        self._files, self._root = _filesystem(url)
        self.url, self.tries, self.wait = url.rstrip("/"), tries, wait

    def names(self, folder: str = "") -> set[str]:
        return set(self._listed(folder))

    def _listed(self, folder: str) -> dict[str, dict[str, Any]]:
        """What lies in a folder by its name, with what a listing tells of it."""
        path = f"{self._root}/{folder}".rstrip("/")

        def listing() -> dict[str, dict[str, Any]]:
            self._files.invalidate_cache()
            try:
                entries = self._files.ls(path, detail=True)
            except FileNotFoundError:
                return {}
            # Object stores may list an object that stands for the folder itself. Keys of others may lie in what looks
            # like a folder of a shard's name.
            ours = (entry for entry in entries if not folder or entry.get("type") != "directory")
            named = {entry["name"]: entry for entry in ours if entry["name"].strip("/") != path.strip("/")}
            return {name.rstrip("/").rpartition("/")[2]: entry for name, entry in named.items()}

        return self._tried("listing", listing)

    def listing(self, folder: str) -> Listing:
        entries = self._listed(folder)
        return Listing(set(entries), lambda name: _stamp(entries[name]) if name in entries else None)

    def has(self, name: str) -> bool:
        return self._tried(f"asking for {name}", lambda: self._entry(name) is not None)

    def _entry(self, name: str) -> dict[str, Any] | None:
        """What the file system tells of a file, as a listing does; None where there is none."""
        self._files.invalidate_cache()
        try:
            return dict(self._files.info(self._path(name)))
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes | None:
        def content() -> bytes | None:
            try:
                return bytes(self._files.cat_file(self._path(name)))
            except FileNotFoundError:
                return None

        return self._tried(f"reading {name}", content)

    def write(self, name: str, content: bytes) -> None:
        digest = hashlib.sha256(content).hexdigest()
        self._commit(name, digest, lambda path: self._files.pipe_file(path, content))

    def create(self, name: str, content: bytes) -> bool:
        def put() -> bool:
            try:
                self._files.pipe_file(self._path(name), content, mode="create")
            except FileExistsError:
                return self.read(name) == content  # ours, if an answer was lost on the way and this is the next try
            return True

        return self._tried(f"writing {name}", put)

    def remove(self, *names: str) -> None:
        def delete() -> None:
            try:
                self._files.rm([self._path(name) for name in names])  # object stores delete a thousand with one call
            except FileNotFoundError:
                for name in names:
                    with suppress(FileNotFoundError):
                        self._files.rm_file(self._path(name))

        if names:
            self._tried(f"deleting {names[0]}" + (f" and {len(names) - 1} more" if names[1:] else ""), delete)

    @contextmanager
    def target(self, name: str) -> Iterator[Path]:
        with _scratch() as folder:
            path = folder / Path(name).name
            with disk_errors(folder.parent):
                yield path
            self._commit(name, sha256(path), lambda key: self._files.put_file(str(path), key))

    @contextmanager
    def source(self, name: str) -> Iterator[Path]:
        with _scratch() as folder:
            path = folder / Path(name).name

            def download() -> bool:
                try:
                    self._files.get_file(self._path(name), str(path))
                except FileNotFoundError:
                    return False
                return True

            with disk_errors(folder.parent):
                if not self._tried(f"reading {name}", download):
                    raise InputError(f"{self.url}/{name}: missing")
            yield path

    def stamps(self, folder: str, names: Collection[str]) -> dict[str, str]:
        def told(name: str) -> dict[str, Any] | None:
            return self._tried(f"asking for {name}", lambda: self._entry(f"{folder}/{name}"))

        with ThreadPoolExecutor(_ASKING) as pool:
            found = zip(names, pool.map(told, names), strict=True)
        return {name: _stamp(entry) for name, entry in found if entry is not None}

    def changed(self, folder: str) -> dict[str, float]:
        found = {name: _changed(entry) for name, entry in self._listed(folder).items()}
        return {name: when for name, when in found.items() if when is not None}

    def now(self) -> float | None:
        name = f"{_UPLOADS}/{unfinished(Path(f'clock{threading.get_ident()}'))}"

        def asked() -> float | None:
            try:
                self._files.pipe_file(self._path(name), b"?")
                return _changed(self._entry(name) or {})
            except PermissionError:
                return None

        try:
            return self._tried("asking for the time", asked)
        finally:
            self._discard(self._path(name))

    def journal(self, name: str) -> Journal:
        return _RemoteJournal(lambda content: self._pipe(name, content))

    def hold(self, part: str) -> AbstractContextManager[None]:
        return nullcontext()

    def sweep(self, *, everything: bool = False) -> None:
        now = time.time()
        left = {name: own_name(name) for name in self.names(_UPLOADS)}
        dead = {name for name, pid in left.items() if pid is not None and not process_alive(pid, now)}
        self.remove(*(f"{_UPLOADS}/{name}" for name in (left if everything else dead)))
        for path in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*{UNFINISHED}{platform.node()}-*"):
            pid = own_name(path.name)
            if pid is not None and not process_alive(pid, now):
                shutil.rmtree(path, ignore_errors=True)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _pipe(self, name: str, content: bytes) -> None:
        self._tried(f"writing {name}", lambda: self._files.pipe_file(self._path(name), content))

    def _commit(self, name: str, digest: str, put: Callable[[str], None]) -> None:
        """Upload under a temporary key of this process, compare what arrived, and move it to its name."""
        temporary = f"{self._root}/{_UPLOADS}/{unfinished(Path(name.replace('/', '.')))}"

        def once() -> None:
            try:
                put(temporary)
                self._move(temporary, name, digest)
            except BaseException:
                self._discard(temporary)
                raise

        self._tried(f"uploading {name}", once)

    def _move(self, temporary: str, name: str, digest: str) -> None:
        try:
            with self._files.open(temporary, "rb") as file:
                arrived = hashlib.file_digest(file, "sha256").hexdigest()
            if arrived != digest:
                raise OSError(f"sha256 of what arrived is {arrived[:12]}…, of what was sent {digest[:12]}…")
            _renamed(self._files, temporary, self._path(name))
        except FileNotFoundError as error:  # swept by one that found the data set complete: not a missing bucket
            raise OSError(f"{temporary} was gone before it was moved") from error

    def _discard(self, path: str) -> None:
        try:
            self._files.rm_file(path)
        except Exception:  # what made the upload fail is told; what it left behind, the next sweep deletes
            return

    def _tried(self, action: str, do: Callable[[], T]) -> T:
        """What `do` returns, once it succeeds. Raises InputError where it is refused, or fails too often."""
        for attempt in range(self.tries):
            try:
                return do()
            except InputError:
                raise
            except FileNotFoundError as error:
                reason = f"no such bucket or folder ({fault(error)}); make it first"
                raise InputError(f"{self.url}: {action}: {reason}") from error
            except Exception as error:  # the packages behind fsspec raise all kinds for a network's faults
                if isinstance(error, PermissionError) or "Credentials" in type(error).__name__:
                    refused = f"access refused ({fault(error)}); check credentials"
                    raise InputError(f"{self.url}: {action}: {refused}") from error
                if attempt == self.tries - 1:
                    raise InputError(
                        f"{self.url}: {action} failed {self.tries} times, at last with {fault(error)}; "
                        "finished shards are whole, rerun to complete"
                    ) from error
            time.sleep(self.wait * 2**attempt)
        raise ValueError("nothing is tried less than once")


def _renamed(files: Any, path: str, name: str) -> None:
    """Give a file another name. Raises FileNotFoundError where it is not there."""
    from fsspec.spec import AbstractFileSystem

    if type(files).mv is AbstractFileSystem.mv:  # an object store, which only copies: mv lists both names before
        files.cp_file(path, name)
        files.rm_file(path)
    else:
        files.mv(path, name)


class _RemoteJournal:
    """Object stores append nothing: the journal is kept here, and uploaded as a whole."""

    def __init__(self, upload: Callable[[bytes], None]):
        self._content, self._upload = b"", upload

    def write(self, data: bytes, /) -> int:
        self._content += data
        return len(data)

    def flush(self) -> None:
        self._upload(self._content)

    def close(self) -> None:
        self._content = b""


@contextmanager
def _scratch() -> Iterator[Path]:
    """A new folder on this machine, named so that it is known for a leftover should this process be killed."""
    suffix = unfinished(Path("x")).name[1:]
    with disk_errors(Path(tempfile.gettempdir())):
        folder = tempfile.TemporaryDirectory(prefix=_SCRATCH, suffix=suffix)
    with folder as path:
        yield Path(path)


def _filesystem(url: str) -> tuple[Any, str]:
    """The file system of a URL that names a folder, and the path in it."""
    files, root = filesystem(url)
    if not root.strip("/"):
        raise InputError(f"{url}: names no bucket; write {url.partition('://')[0]}://bucket/folder")
    return files, root.rstrip("/")


def _changed(entry: dict[str, Any]) -> float | None:
    """When a file changed, in seconds since 1970, from what its file system tells of it."""
    told = {key.lower(): value for key, value in entry.items()}
    found = next((told[name] for name in _TIMES if told.get(name) is not None), None)
    if isinstance(found, str):
        with suppress(ValueError):
            found = datetime.fromisoformat(found)
    if isinstance(found, datetime):
        return found.timestamp()
    return float(found) if isinstance(found, int | float) else None


def _stamp(entry: dict[str, Any]) -> str:
    told = {key.lower(): value for key, value in entry.items()}
    # Asked for one file, object stores tell whole seconds, and some tell more in a listing.
    times = {name: value.replace(microsecond=0) for name, value in told.items() if isinstance(value, datetime)}
    return repr(sorted((name, str(value)) for name, value in {**told, **times}.items() if name in _STAMP))

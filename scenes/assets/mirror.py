"""Folders of assets in object stores, such as `s3://bucket/models`: any kind of URL that fsspec knows.

All names are listed at once, by pages, when a catalogue is opened. They are kept in the cache, so that a process which
gets its work from another one need not list them again (`listings`, `trust`). A file is fetched when a picture needs
it, to its path below a folder of the cache, which stands for the URL (`place`). From there on it is read like any other
file, so the pictures are those of a local folder with the same name and content.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from scenes.assets.cache import Cache
from scenes.errors import InputError, printable, shortened
from scenes.files import UNFINISHED, file_stat
from scenes.outputs import told, written
from scenes.urls import download, fault, filesystem, is_url

T = TypeVar("T")

FOLDER = "remote"
"""The folder of the cache that holds what was fetched."""

# Tries, and seconds before the second one, doubled before each further one.
_TRIES, _WAIT = 4, 0.5
# Bytes of the parts and of the whole of a path, which file systems have as limits. Object stores allow 1,024 in all.
_PART, _WHOLE = 200, 1024


class StoreError(InputError):
    """An object store does not answer, or refuses. This says nothing about the file that was wanted."""


@dataclass(frozen=True)
class Entry:
    """What lies in a folder, with the part of `os.DirEntry` that is needed."""

    name: str
    path: str
    folder: bool

    def is_dir(self, follow_symlinks: bool = True) -> bool:
        return self.folder

    def is_file(self) -> bool:
        return not self.folder


class Mirror:
    """A folder behind a URL, and the folder of the cache that stands for it. It is pickled without the names.

    left_out: keys that no file here can have, with the reason.
    """

    def __init__(self, url: str, root: Path, cache: Cache):
        self.url, self.root, self._cache = url.rstrip("/"), root, cache
        self.left_out: dict[str, str] = {}
        self._sure: dict[str, bool] = {}
        self._entries: dict[str, dict[str, Entry]] = {}

    def __reduce__(self) -> tuple[type[Mirror], tuple[str, Path, Cache]]:
        return Mirror, (self.url, self.root, self._cache)

    def learn(self, names: Iterable[str]) -> None:
        """Take in the names of the files, below the folder."""
        names = list(names)
        folders = {name[:end] for name in names for end, letter in enumerate(name) if letter == "/"}
        entries: dict[str, dict[str, Entry]] = defaultdict(dict)
        for name in names:
            reason = _unsafe(name) or ("is a file and a folder at once" if name in folders else "")
            if reason:
                self.left_out[f"{self.url}/{name}"] = f"{reason}; rename it"
                continue
            parts = name.split("/")
            for depth, part in enumerate(parts, 1):
                where, inner = "/".join((str(self.root), *parts[: depth - 1])), depth < len(parts)
                entries[where][part] = Entry(part, f"{where}/{part}", inner)
        self._entries = dict(entries)

    def entries(self, folder: str) -> Iterator[Entry]:
        """What lies in a folder."""
        yield from self._entries.get(folder, {}).values()

    def entry(self, place: str) -> Entry | None:
        folder, _, name = place.rpartition("/")
        return self._entries.get(folder, {}).get(name)

    def below(self, folder: Path) -> list[Path]:
        """All that lies below a folder, sorted."""
        found, waiting = [], [str(folder)]
        while waiting:
            for entry in self.entries(waiting.pop()):
                found.append(Path(entry.path))
                if entry.folder:
                    waiting.append(entry.path)
        return sorted(found)

    def bring(self, path: Path) -> bool:
        """Whether there is a file; it is at its path then, as the store has it now. Each is asked for once.

        What was fetched before counts as long as the store knows it by the same mark (an ETag, or size and time).
        Raises StoreError.
        """
        try:
            name = path.relative_to(self.root).as_posix()
        except ValueError:
            return path.is_file()
        if name not in self._sure:
            self._sure[name] = not _unsafe(name) and self._brought(name, path)
        return self._sure[name]

    def otherwise(self, path: Path) -> Path:
        """The file of that name in other letters, as `references` looks for it; else the path itself."""
        if not path.is_relative_to(self.root):
            return path
        name = path.relative_to(self.root).as_posix()
        files, start = filesystem(f"{self.url}/{name.rpartition('/')[0]}".rstrip("/"))
        beside = _tried(self.url, "listed", lambda: _or_none(lambda: files.ls(start, detail=False))) or []
        names = sorted(one.rstrip("/").rpartition("/")[2] for one in beside)
        same = [one for one in names if one.casefold() == path.name.casefold() and not _unsafe(one)]
        return path.with_name(same[0]) if same else path

    def _brought(self, name: str, path: Path) -> bool:
        files, key = filesystem(f"{self.url}/{name}")
        about = _tried(f"{self.url}/{shortened(name)}", "asked for", lambda: _or_none(lambda: files.info(key)))
        if about is None or about["type"] != "file":
            path.unlink(missing_ok=True)
            return False
        mark = [about["size"], str(about.get("ETag") or files.ukey(key))]
        note = hashlib.sha256(f"fetched {path.absolute()}".encode()).hexdigest()
        kept = self._cache.note(note)
        if kept is not None and kept["mark"] == mark and kept["stat"] == file_stat(path):
            return True

        def fetch() -> None:
            with written(path) as temporary:
                download(files, key, temporary, about["size"])

        _tried(f"{self.url}/{shortened(name)}", "fetched", fetch)
        self._cache.keep_note(note, {"mark": mark, "stat": file_stat(path)})
        return True


def _tried(url: str, what: str, do: Callable[[], T]) -> T:
    """What `do` returns, once it succeeds. Raises StoreError where it is refused, or fails too often."""
    for attempt in range(_TRIES):
        try:
            return do()
        except InputError:
            raise
        except Exception as error:  # the packages behind fsspec raise all kinds for a network's faults
            refused = isinstance(error, PermissionError) or "Credentials" in type(error).__name__
            if refused or attempt == _TRIES - 1:
                remedy = "check the credentials" if refused else "check the network, then give the same command again"
                raise StoreError(f"{url}: cannot be {what}: {fault(error)}; {remedy}") from error
        time.sleep(_WAIT * 2**attempt)
    raise ValueError("nothing is tried less than once")


_OPEN: dict[str, Mirror] = {}
"""The mirrors that this process has listed, by their folders."""

_LISTED: dict[str, str] = {}
"""Of each URL that this process has opened, the note of the cache that has its names."""

_TRUSTED: dict[str, str] = {}
"""The same of the process that gave this one its work."""


def listings() -> dict[str, str]:
    """By URL, the notes of the cache that hold the names which this process has listed."""
    return dict(_LISTED)


def trust(listings: Mapping[str, str]) -> None:
    """Take names from notes of the cache, instead of listing them. Where a note is not there, they are listed.

    listings: what `listings` returned in the process that gives the work. So both see the same names, too.
    """
    _TRUSTED.update(listings)


def noted(listings: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The notes that `listings` names, by their keys, for machines with another cache. `keep` takes them there."""
    notes = {key: Cache().note(key) for key in listings.values()}
    return {key: note for key, note in notes.items() if note is not None}


def keep(notes: Mapping[str, dict[str, Any]]) -> None:
    """Put notes of another machine into the cache. Raises InputError where it has no room."""
    for key, note in notes.items():
        Cache().keep_note(key, note)


def place(value: Path | str, what: str) -> Path:
    """The folder or file on this machine that stands for one of a config. A path stands for itself.

    what: the field, at the beginning of messages. Raises InputError for a URL with nothing behind it.
    """
    if not is_url(value):
        return Path(value)
    asked = str(value).rstrip("/")
    cache = Cache(Cache().folder.absolute().resolve())
    key = _TRUSTED.get(asked, "")
    listing = cache.note(key) if key else None
    if listing is None:
        listing = _listed(asked, what)
        key = hashlib.sha256(repr(("listing", listing)).encode()).hexdigest()
        cache.keep_note(key, listing)
    _LISTED[asked] = key
    url = listing["url"]
    root = cache.folder / FOLDER / hashlib.sha256(url.encode()).hexdigest() / listing["name"]
    mirror = Mirror(url, root, cache)
    with told(mirror.root):
        mirror.root.mkdir(parents=True, exist_ok=True)
    mirror.learn(listing["keys"])
    _OPEN[str(mirror.root)] = mirror
    if url == asked:
        return mirror.root
    alone = mirror.root / asked.rpartition("/")[2]
    mirror.bring(alone)
    return alone


def _listed(url: str, what: str) -> dict[str, Any]:
    """The URL of a folder, its name, and the keys of all files below it. Raises InputError where there is none."""
    files, start = filesystem(url, f"{what} ")
    found = [path.strip("/") for path in _tried(f"{what} {url}", "listed", lambda: files.find(start))]
    start = start.strip("/")
    if not found:
        raise InputError(f"{what} {url}: holds no file")
    if found == [start]:  # it names a file
        url, start = url.rpartition("/")[0], start.rpartition("/")[0]
    name = start.rpartition("/")[2]
    if _unsafe(name):
        raise InputError(f"{what} {printable(url)}: its last part is no name of a folder; write s3://bucket/folder")
    return {"url": url, "name": name, "keys": [path[len(start) + 1 :] for path in found]}


def mirror_of(place: str) -> Mirror | None:
    """The mirror that a path lies in."""
    return next((one for root, one in _OPEN.items() if place == root or place.startswith(f"{root}/")), None)


def left_out(folder: Path) -> dict[str, str]:
    """The keys below a folder's URL that no file here can have, with the reason; none for a folder of this machine."""
    mirror = mirror_of(str(folder))
    return {} if mirror is None else mirror.left_out


def fetch(paths: Iterable[Path]) -> None:
    """Bring those of some files that lie in a mirror. Raises StoreError."""
    for path in paths if _OPEN else ():
        mirror = mirror_of(str(path))
        if mirror is not None:
            mirror.bring(path)


def _or_none(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except FileNotFoundError:
        return None


def _unsafe(name: str) -> str:
    """Why a key can be no path below a folder; empty if it can."""
    parts = name.split("/")
    if "" in parts or "." in parts or ".." in parts or "\\" in name:
        return "is no path below its folder"
    if not name.isprintable() or UNFINISHED in name:
        return "has characters that no file name should have"
    if len(name.encode()) > _WHOLE or max(len(part.encode()) for part in parts) > _PART:
        return "is too long for a path"
    return ""

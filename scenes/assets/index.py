"""The index of a collection of assets: one SQLite file that says what reading each of them once has shown.

It is SQLite because one file is enough, an asset is found in it without reading the rest, Python's standard library has
it, and any tool can query it. It appears whole and never changes (`write_index`). So it is opened as immutable: without
locks, which network file systems do not keep reliably, and without a journal beside it.

A run takes from it which files are of no use, so that it need not read them to learn so (`KnownAssets`). Whatever is
drawn passes the readers and gates all the same. So an index that is old or wrong cannot bring a file into a picture,
and with an index or without one, the pictures are the same.
"""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from scenes.assets.cache import Cache
from scenes.assets.index_fetch import fetched
from scenes.errors import InputError, choices, shortened
from scenes.files import file_stat, is_utf8, sha256
from scenes.outputs import written

INDEX = "assets_index.sqlite"
"""The name of an index in the folder of the assets that it is about."""

# "blnd" and the version of the table, in the header of the file.
_APPLICATION, _VERSION = 0x626C6E64, 1
_HEADER = 100
_LONGEST = 1 << 20
"""Bytes of a value. A model that names a thousand files needs a tenth of it."""


class Seen(BaseModel):
    """What a file is known again by: its size in bytes, its time of change in ns, and its sha256, "" if unreadable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    mtime: int
    sha256: str = Field(pattern=r"^([0-9a-f]{64})?$")

    def same(self, path: Path) -> bool:
        """Whether a file is as it was. One of the same size but another time of change, as a copy has, is read."""
        now = file_stat(path)
        if now is None or now[0] != self.size or not path.is_file():
            return False
        try:
            return now[1] == self.mtime or (self.sha256 != "" and sha256(path) == self.sha256)
        except OSError:
            return False


class IndexEntry(BaseModel):
    """What is known of an asset. A texture has an entry for each of its maps, `<id>#<map>`.

    path: below the folder of its collection. size, mtime, sha256: of the file, as in `Seen`. others: the further files
    that it refers to, below the same folder; None for one that was not there. settings: a digest of all that decides,
    beside the files, whether it can be used. extent: (x, y, z) sides of the model's box, in meters if the collection
    says its unit, else in the unit of the file. reason: why it cannot be used; empty if it can. warnings: what was
    mended or is missing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    id: str = Field(min_length=1)
    kind: Literal["model", "hdri", "texture", "image"]
    category: str = ""
    path: str
    size: int
    mtime: int
    sha256: str = Field(pattern=r"^([0-9a-f]{64})?$")
    others: Mapping[str, Seen | None] = {}
    settings: str
    triangles: int = Field(default=0, ge=0)
    extent: tuple[float, float, float] | None = None
    parts: tuple[str, ...] = ()
    keypoints: Mapping[str, tuple[float, float, float]] = {}
    license: str = ""
    reason: str = ""
    warnings: tuple[str, ...] = ()

    @field_validator("path")
    @classmethod
    def _check_path(cls, path: str) -> str:
        return _below(path)

    @field_validator("others")
    @classmethod
    def _check_others(cls, others: Mapping[str, Seen | None]) -> Mapping[str, Seen | None]:
        for path in others:
            _below(path)
        return others

    def same(self, path: Path, root: Path) -> bool:
        """Whether the asset's files are as they were. path: the asset's file. root: the folder of its collection."""
        mine = Seen(size=self.size, mtime=self.mtime, sha256=self.sha256)
        return mine.same(path) and all(
            file_stat(root / name) is None if seen is None else seen.same(root / name)
            for name, seen in self.others.items()
        )


# These columns are JSON texts.
_TEXTS = ("others", "extent", "parts", "keypoints", "warnings")
_INTEGERS = ("size", "mtime", "triangles")
_COLUMNS = ", ".join(
    f"{name} {'INTEGER' if name in _INTEGERS else 'TEXT'} NOT NULL" for name in IndexEntry.model_fields
)
_USELESS = "reason <> ''"
_SCHEMA = (
    f"CREATE TABLE assets ({_COLUMNS}, PRIMARY KEY (id)) WITHOUT ROWID",
    f"CREATE INDEX useless ON assets (id) WHERE {_USELESS}",
)


def write_index(path: Path, entries: Iterable[IndexEntry]) -> None:
    """Write an index, whole or not at all. Equal entries give equal bytes."""
    connection = sqlite3.connect(":memory:")
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {_VERSION}")
    for statement in _SCHEMA:
        connection.execute(statement)
    marks = ", ".join("?" * len(IndexEntry.model_fields))
    with connection:
        connection.executemany(f"INSERT INTO assets VALUES ({marks})", map(_row, sorted(entries, key=lambda e: e.id)))
    content = connection.serialize()
    connection.close()
    with written(path) as temporary:
        temporary.write_bytes(content)


class Index:
    """An index that is there; a context manager. Any number of processes may read one.

    Raises InputError for a file that is no index, is of another version, or is damaged.
    """

    def __init__(self, path: Path):
        self.path = path
        _check_header(path)
        try:
            self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
        except sqlite3.Error as error:
            raise self._damaged(error) from None
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)

    def __enter__(self) -> Self:
        try:
            # The file may come from anywhere: nothing that its schema says may be carried out.
            for setting in ("trusted_schema = OFF", "cell_size_check = ON", "query_only = ON", "mmap_size = 0"):
                self._asked(f"PRAGMA {setting}")
            if [sql for (sql,) in self._asked("SELECT sql FROM sqlite_schema")] != list(_SCHEMA):
                raise InputError(f"{self.path}: has other tables than an index has; {_REMEDY}")
        except InputError:
            self._connection.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def found(self, where: Sequence[str] = (), values: Sequence[object] = ()) -> list[IndexEntry]:
        """The entries for which all conditions hold, sorted by id. Raises InputError where the index is damaged.

        where: SQL conditions, which are part of the program and never of a user's input. values: of their `?`.
        """
        clause = f" WHERE {' AND '.join(where)}" if where else ""
        return [self._parsed(row) for row in self._asked(f"SELECT * FROM assets{clause} ORDER BY id", *values)]

    def useless(self) -> list[IndexEntry]:
        """The entries of what cannot be used."""
        return self.found([_USELESS])

    def entry(self, asset_id: str) -> IndexEntry:
        """The entry of an asset. Raises InputError for an id that is not there."""
        found = self.found(["id = ?"], [asset_id])
        if not found:
            raise InputError(f"{self.path}: has no asset '{asset_id}', {choices(asset_id, self.values('id'))}")
        return found[0]

    def beginning(self, start: str) -> set[str]:
        """The ids that begin with a text. The others are not read."""
        if not is_utf8(Path(start)):  # no index can hold it
            return set()
        after = start[:-1] + chr(ord(start[-1]) + 1)
        return {str(name) for (name,) in self._asked("SELECT id FROM assets WHERE id >= ? AND id < ?", start, after)}

    def values(self, column: str) -> list[str]:
        """The different values of a column of text, sorted. column: part of the program, never of a user's input."""
        return [str(value) for (value,) in self._asked(f"SELECT DISTINCT {column} FROM assets ORDER BY 1")]

    def _asked(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(question, values).fetchall()
        except (sqlite3.Error, UnicodeError) as error:
            raise self._damaged(error) from None

    def _parsed(self, row: tuple[Any, ...]) -> IndexEntry:
        fields = dict(zip(IndexEntry.model_fields, row, strict=True))
        try:
            return IndexEntry.model_validate({**fields, **{name: json.loads(fields[name]) for name in _TEXTS}})
        except ValidationError as error:
            fault = error.errors()[0]
            place = f"asset '{shortened(fields['id'])}': field {'.'.join(map(str, fault['loc']))}"
            raise InputError(f"{self.path}: {place}: {fault['msg']}; {_REMEDY}") from None
        except (ValueError, TypeError, RecursionError) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> InputError:
        return InputError(f"{self.path}: is damaged ({error}); {_REMEDY}")


class KnownAssets:
    """What a run takes from indexes. Of what they know, only the useless assets are read when this is made."""

    def __init__(self, indexes: Iterable[Path]):
        self._indexes = tuple(indexes)
        self._useless: dict[str, IndexEntry] = {}
        for path in self._indexes:
            with Index(path) as index:
                self._useless |= {entry.id: entry for entry in index.useless()}

    def beginning(self, start: str) -> set[str]:
        """The ids that begin with a text."""
        found: set[str] = set()
        for path in self._indexes:
            with Index(path) as index:
                found |= index.beginning(start)
        return found

    def reason(self, asset_id: str, path: Path, root: Path, settings: str) -> str:
        """Why an asset cannot be used, as an index says; empty if none does.

        A file that has changed since, or that was read with other settings, is not known. The arguments are those of
        `IndexEntry`.
        """
        entry = self._useless.get(asset_id)
        known = entry is not None and entry.settings == settings and entry.same(path, root)
        return entry.reason if entry is not None and known else ""


def indexes_of(folders: Iterable[Path], cache: Cache) -> list[Path]:
    """The index that $BLENDMILL_INDEX names, a path or a URL, or else those that lie in some folders, or beside files.

    cache: where an index behind a URL is kept. Raises InputError where it cannot be fetched.
    """
    named = os.environ.get("BLENDMILL_INDEX")
    if named:
        return [fetched(named, cache) if "://" in named else Path(named)]
    places = [(folder if folder.is_dir() else folder.parent) / INDEX for folder in folders]
    return [path for path in dict.fromkeys(places) if path.is_file()]


_REMEDY = "make it anew with `blendmill assets index`, or delete it"


def _check_header(path: Path) -> None:
    """Raise InputError unless a file begins as an index does. It is looked at before SQLite opens it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            header = file.read(_HEADER) if regular else b""
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(header) < _HEADER or header[:16] != b"SQLite format 3\0" or _number(header, 68) != _APPLICATION:
        raise InputError(f"{path}: is not an index of assets; {_REMEDY}")
    if _number(header, 60) != _VERSION:
        raise InputError(f"{path}: is an index of version {_number(header, 60)}, not {_VERSION}; {_REMEDY}")


def _number(header: bytes, place: int) -> int:
    return int.from_bytes(header[place : place + 4], "big")


def _row(entry: IndexEntry) -> tuple[object, ...]:
    plain = entry.model_dump(mode="json")
    return tuple(json.dumps(plain[name]) if name in _TEXTS else plain[name] for name in plain)


def _below(path: str) -> str:
    parts = PurePosixPath(path)
    if not path or "\0" in path or parts.is_absolute() or ".." in parts.parts:
        raise ValueError(f"'{path}' is no path below the folder")
    return path

"""Tables with a column of pictures: the parquet files of the Hugging Face Hub, and the arrow files of `save_to_disk`.

A picture is a struct of `bytes` and `path`, as `datasets` writes its feature Image, or plain bytes. The schema's
metadata of `datasets` names the classes of the feature ClassLabel. The files of a split have its name and a hyphen in
front (`train-00000-of-00002.parquet`), or lie in a folder of its name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from scenes.assets.image_files import fault
from scenes.errors import InputError, choices, shortened
from scenes.files import is_hidden
from training.data.packed import Packed, numbered
from training.data.pictures import ImageDataset
from training.data.splits import ALL

SUFFIXES = (".parquet", ".arrow")
# Groups of rows that are kept; `datasets` writes 100 to 1000 rows into one.
_KEPT = 4
_LABELS = ("label", "labels", "class", "category", "fine_label", "target")


def table_files(where: Path) -> list[Path]:
    """The tables at a place: a file, or those in a folder and its folders; without the caches of `datasets`."""
    if where.is_file():
        return [where] if where.suffix.lower() in SUFFIXES else []
    tables, folders = _listed(where)
    tables += [path for folder in folders for path in _listed(folder)[0]]
    tables.sort(key=lambda path: SUFFIXES.index(path.suffix))
    return [path for path in tables if path.is_file() and not path.name.startswith("cache-")]


def _listed(folder: Path) -> tuple[list[Path], list[Path]]:
    """The tables and the folders in a folder. It is listed once: it may be a class of very many pictures."""
    tables, folders = list[str](), list[str]()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(entry.name)
                elif entry.name.endswith(SUFFIXES) and not is_hidden(entry.name):
                    tables.append(entry.name)
    except (FileNotFoundError, PermissionError):  # whoever opens the pictures tells it
        pass
    return [folder / name for name in sorted(tables)], [folder / name for name in sorted(folders)]


def table_pictures(
    where: Path, part: str, classes: Sequence[str] | None, labeled: bool = True
) -> tuple[ImageDataset, str]:
    """The pictures of the tables at a place, and what of `part` is still to be done. part: a split of the set, or `all`
    where there is one only. classes: names of numbers that the tables do not name. labeled: False leaves classes out.

    Raises InputError if the files cannot be read, have no pictures, or are of several splits.
    """
    splits: dict[str, list[Path]] = {}
    for path in table_files(where):
        alone = path.parent == where or where.is_file() or path.parent.name == "data"
        splits.setdefault(path.stem.partition("-")[0] if alone else path.parent.name, []).append(path)
    if part in splits:
        return _pictures(where, splits[part], classes, labeled), ALL
    if len(splits) > 1:
        raise InputError(f"{where}: has the splits {', '.join(sorted(splits))}; give one, {choices(part, splits)}")
    return _pictures(where, next(iter(splits.values())), classes, labeled), part


def _pictures(where: Path, files: Sequence[Path], classes: Sequence[str] | None, labeled: bool) -> Packed:
    tables = [_Table(path) for path in files]
    column, label = _columns(tables[0])
    label = label if labeled else None
    rows = [(table, group, row) for table in tables for group, count in enumerate(table.counts) for row in range(count)]
    labels = [value for table in tables for value in (table.column(label) if label else [None] * sum(table.counts))]
    names = tables[0].names.get(label or "")
    numbers, titles = numbered(str(where), [None if value == -1 else value for value in labels], names or classes)
    keys = [f"{table.path.name}:{sum(table.counts[:group]) + row}" for table, group, row in rows]

    def content(i: int) -> bytes:
        table, group, row = rows[i]
        return table.content(group, row, column, keys[i])

    return Packed(str(where), keys, numbers, titles, content, [path.stat().st_size for path in files])


class _Table:
    """A table whose groups of rows are read when they are needed. counts: the rows of each. names: of the classes, by
    column. pictures: the columns that `datasets` calls images."""

    def __init__(self, path: Path):
        self.path = path
        try:
            import pyarrow
            import pyarrow.ipc
            import pyarrow.parquet
        except ImportError as error:
            # Later versions need NumPy 2.
            raise InputError(f"{path}: needs pyarrow ({error}); install it: pip install 'pyarrow<19'") from None
        self._read: Callable[[int, list[str]], Any]
        self._fault = (pyarrow.ArrowException, OSError)
        try:
            if path.suffix.lower() == ".parquet":
                file = pyarrow.parquet.ParquetFile(path)
                self.schema = file.schema_arrow
                self.counts = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
                self._read = lambda group, columns: file.read_row_group(group, columns=columns)
            else:
                batches = list(pyarrow.ipc.open_stream(pyarrow.memory_map(str(path))))
                self.schema = batches[0].schema if batches else pyarrow.schema([])
                self.counts = [batch.num_rows for batch in batches]
                self._read = lambda group, columns: batches[group].select(columns)
        except self._fault as error:
            raise InputError(f"{path}: cannot be read: {fault(error)}") from None
        self.group = lru_cache(_KEPT)(self._group)
        features = _features(self.schema)
        self.names = {name: one["names"] for name, one in features.items() if one.get("_type") == "ClassLabel"}
        self.pictures = [name for name, one in features.items() if one.get("_type") == "Image"]

    def _group(self, group: int, column: str) -> Any:
        try:
            return self._read(group, [column]).column(column if self.path.suffix == ".parquet" else 0)
        except self._fault as error:
            raise InputError(f"{self.path}: rows cannot be read: {fault(error)}") from None

    def column(self, name: str) -> list[Any]:
        """All values of a short column."""
        if name not in self.schema.names:
            raise InputError(f"{self.path}: has no column '{name}', which other files of the set have")
        return [value for group in range(len(self.counts)) for value in self._group(group, name).to_pylist()]

    def content(self, group: int, row: int, column: str, key: str) -> bytes:
        """The picture file of a row. Raises InputError."""
        value = self.group(group, column)[row].as_py()
        if isinstance(value, dict):
            value = value.get("bytes")
        if not isinstance(value, bytes):
            raise InputError(f"{self.path}: picture {key} has no bytes, perhaps only a path; embed the pictures")
        return value


def _features(schema: Any) -> dict[str, dict[str, Any]]:
    """What `datasets` notes on the columns; empty if others wrote the file."""
    try:
        info = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        return {name: one for name, one in info["info"]["features"].items() if isinstance(one, dict)}
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def _columns(table: _Table) -> tuple[str, str | None]:
    """The columns of pictures and of classes."""
    named = list(table.schema.names)
    known = [name for name in ("image", "img", "picture", "png", "jpg") if name in named]
    found = [*table.pictures, *known]
    if not found:
        raise InputError(f"{table.path}: no column has pictures, called image; there are {shortened(', '.join(named))}")
    labels = [*table.names, *(name for name in _LABELS if name in named)]
    return found[0], labels[0] if labels else None

"""Model files as assets: read, normalized and kept once, or quarantined with a reason.

For each path, a note in the cache records size and time of the file and of all files it refers to, and the result of
reading it. So a warm start reads no model. The key of the cache entry comes from the content of these files.

A file is read, normalized and stored in a process of its own, which has one limit of time and memory for each file
(`scenes.assets.reader`): `python -m scenes.assets.file_source`.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from scenes.assets.cache import Cache
from scenes.assets.loading import Importers, load
from scenes.assets.normalize import VERSION, describe, from_file
from scenes.assets.reader import Reader, serve
from scenes.assets.references import References, references
from scenes.assets.sources import FileAsset
from scenes.errors import LoadError
from scenes.files import file_stat, is_utf8, sha256
from scenes.leftovers import scratch_name

_READER = Reader("scenes.assets.file_source")


@dataclass(frozen=True)
class Settled:
    """The result of reading a file: the key of its cache entry, or the reason why it cannot be used.

    stats: `file_stat` of the file and of all that it refers to, by absolute path, as they were then.
    """

    entry: str = ""
    reason: str = ""
    warnings: tuple[str, ...] = ()
    stats: Mapping[str, list[int] | None] = field(default_factory=dict)


def settle(asset: FileAsset, cache: Cache, importers: Importers) -> Settled:
    """Look the file up in the cache, or read it. importers: functions of modules, which another process can find."""
    if not is_utf8(asset.path):
        return Settled(reason="has a name that is not UTF-8: rename it")
    key = _key(asset, importers)
    note = cache.note(key)
    if asset.mirror is not None:
        for path in (str(asset.path), *(note["stats"] if note is not None else ())):
            asset.mirror.bring(Path(path))
    if note is not None and all(file_stat(Path(path)) == stat for path, stat in note["stats"].items()):
        settled = _settled(note)
        if settled.reason or cache.holds(settled.entry):
            return settled
    before = file_stat(asset.path)
    try:
        # The process stays in the folder that it was started in.
        there = replace(asset, path=asset.path.absolute(), root=asset.root.absolute())
        note = _READER.ask((there, Cache(cache.folder.absolute()), importers))
    except LoadError as error:
        # The process was lost.
        note = {"stats": {str(asset.path.absolute()): before}, "entry": "", "reason": str(error), "warnings": []}
    cache.keep_note(key, note)
    return _settled(note)


def read_now(asset: FileAsset, cache: Cache, importers: Importers) -> dict[str, Any]:
    """Read the file in this process, without limits, and store the model. Returns the note to keep."""
    stats = {str(asset.path.absolute()): file_stat(asset.path)}
    try:
        refers = references(asset.path, asset.root, asset.mirror)
        stats |= {str(path.absolute()): file_stat(path) for path in refers.watched}
        settled = _read(asset, refers, cache, importers)
    except LoadError as error:
        settled = Settled(reason=str(error))
    return _note(stats, settled)


def give_up(asset: FileAsset, cache: Cache, importers: Importers, reason: str) -> None:
    """Note that a file cannot be used, until it changes. No process need read it again to learn so."""
    stats = {str(asset.path.absolute()): file_stat(asset.path)}
    cache.keep_note(_key(asset, importers), _note(stats, Settled(reason=reason)))


def settings(asset: FileAsset, importers: Importers) -> str:
    """A digest of all that decides, beside the files, whether a model can be used."""
    can_read = asset.path.suffix.lower() in importers
    about = (VERSION, asset.path.suffix, asset.up, asset.front, asset.need_textures, asset.sha256, can_read)
    return hashlib.sha256(repr(about).encode()).hexdigest()[:16]


def _key(asset: FileAsset, importers: Importers) -> str:
    can_read = asset.path.suffix.lower() in importers
    return hashlib.sha256(repr((VERSION, asset, str(asset.path.absolute()), can_read)).encode()).hexdigest()


def _settled(note: Mapping[str, Any]) -> Settled:
    return Settled(note["entry"], note["reason"], tuple(note["warnings"]), note["stats"])


def _note(stats: Mapping[str, object], settled: Settled) -> dict[str, Any]:
    return {"stats": stats, "entry": settled.entry, "reason": settled.reason, "warnings": settled.warnings}


def _read(asset: FileAsset, refers: References, cache: Cache, importers: Importers) -> Settled:
    digest = refers.digest(asset.path)
    if asset.sha256 and sha256(asset.path) != asset.sha256:
        raise LoadError("has another sha256 than the manifest says")
    settings = f"{VERSION} {asset.path.suffix} {asset.up} {asset.front} {asset.need_textures}"
    entry = hashlib.sha256(f"{digest} {settings}".encode()).hexdigest()
    known = cache.info(entry)
    if known is None:
        with tempfile.TemporaryDirectory(prefix=scratch_name()) as scratch:
            loaded = load(asset.path, refers, Path(scratch), importers, asset.need_textures)
            model, diagonal, mended = from_file(loaded.model, asset.up, asset.front)
            known = describe(model, meters=diagonal, sha256=digest, warnings=(*loaded.lost, *loaded.notes, *mended))
            cache.store(entry, known, model)
    return Settled(entry, warnings=known.warnings)


if __name__ == "__main__":
    serve(lambda request: read_now(*request))

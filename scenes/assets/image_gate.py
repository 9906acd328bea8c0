"""The one gate for image files that users bring: each is decoded once, in a process of its own, before it is used.

A verdict is kept in the cache by the content of the file. A note for each path records size and time of the file and
the hash of its content, so a warm start reads no picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

from scenes.assets.cache import Cache, mark_used
from scenes.assets.image_files import first_bytes
from scenes.assets.mirror import fetch
from scenes.assets.reader import Reader
from scenes.errors import InputError, LoadError
from scenes.files import file_stat, is_utf8, sha256
from scenes.machine import cores

Use = Literal["light", "map", "photo", "surface"]
"""light: environment maps. map: the maps of textures. photo: backgrounds. surface: photographs that are drawn on."""

# Part of the keys of verdicts: to be raised when other files pass, or pass in another form.
_VERSION = 2
_SECONDS = 30
_MEMORY = 4 << 30
# Threads of BLAS would take a share of the memory each.
_THREADS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_JUDGES = [Reader("scenes.assets.image_judge", _SECONDS, _MEMORY, environment=_THREADS) for _ in range(8)]
# So many files are worth another process.
_EACH = 8


@dataclass(frozen=True)
class Verdict:
    """reason: why a file is not used; empty if it is. path: the file to draw from, in the cache if the file itself is
    of a kind that Blender reads wrong."""

    path: Path
    reason: str = ""


class ImageGate:
    """Judges image files. cache: where verdicts are kept; by default that of `scenes.assets.cache.Cache`."""

    def __init__(self, cache: Cache | None = None):
        self._cache = cache or Cache()
        self._folder = self._cache.folder / "images"

    def judged(self, paths: Iterable[Path], use: Use) -> dict[Path, Verdict]:
        """The verdict on each file, in the given order."""
        files = list(dict.fromkeys(paths))
        fetch(files)
        known = {path: self._remembered(path, use) for path in files}
        new = [path for path, verdict in known.items() if verdict is None]
        known |= zip(new, self._tried(new, use), strict=True)
        return {path: verdict for path, verdict in known.items() if verdict is not None}

    def _remembered(self, path: Path, use: Use) -> Verdict | None:
        """The verdict on a file that is as it was; None if it is new or has changed."""
        note = self._cache.note(_key("path", use, str(path.absolute())))
        if note is None or note["stat"] != file_stat(path):
            return None
        return self._of_content(path, note["sha256"], use)

    def _of_content(self, path: Path, digest: str, use: Use) -> Verdict | None:
        note = self._cache.note(_key("content", use, digest))
        if note is None:
            return None
        if not note["plain"]:
            return Verdict(path, note["reason"])
        plain = Path(note["plain"])
        mark_used(plain)
        return Verdict(plain, note["reason"]) if plain.is_file() else None

    def _tried(self, paths: list[Path], use: Use) -> list[Verdict]:
        count = min(len(_JUDGES), cores(), -(-len(paths) // _EACH))
        if count < 2:
            return [self._judged(path, use, _JUDGES[0]) for path in paths]
        free: SimpleQueue[Reader] = SimpleQueue()
        for judge in _JUDGES[:count]:
            free.put(judge)

        def tried(path: Path) -> Verdict:
            judge = free.get()
            try:
                return self._judged(path, use, judge)
            finally:
                free.put(judge)

        with ThreadPoolExecutor(count) as threads:
            return list(threads.map(tried, paths))

    def _judged(self, path: Path, use: Use, judge: Reader) -> Verdict:
        if not is_utf8(path):
            return Verdict(path, "has a name that is not UTF-8: rename it")
        before = file_stat(path)
        try:
            first_bytes(path)
            digest = sha256(path)
        except LoadError as error:
            return Verdict(path, str(error))
        except OSError as error:
            return Verdict(path, f"cannot be read: {error.strerror or error}")
        try:
            found = self._of_content(path, digest, use) or self._decoded(path, digest, use, judge)
            if file_stat(path) == before:
                self._cache.keep_note(_key("path", use, str(path.absolute())), {"stat": before, "sha256": digest})
        except OSError as error:
            raise InputError(f"cache {self._folder}: {error}; make room there, or set BLENDMILL_CACHE") from error
        return found

    def _decoded(self, path: Path, digest: str, use: Use, judge: Reader) -> Verdict:
        self._folder.mkdir(parents=True, exist_ok=True)
        answer = {"reason": "", "plain": ""}
        try:
            answer["plain"] = judge.ask((path.absolute(), use, str((self._folder / digest).absolute())))
        except LoadError as error:
            answer["reason"] = str(error)
        self._cache.keep_note(_key("content", use, digest), answer)
        return Verdict(Path(answer["plain"] or path), answer["reason"])


def settings(use: Use) -> str:
    """What decides, beside its content, whether a file can be used."""
    return f"{use} {_VERSION}"


def _key(kind: str, use: Use, name: str) -> str:
    return hashlib.sha256(f"image {kind} {_VERSION} {use} {name}".encode(errors="surrogatepass")).hexdigest()

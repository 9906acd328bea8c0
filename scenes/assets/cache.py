"""Normalized models on disk, one file for each content hash, shared by any number of processes.

A damaged entry counts as absent and is made again. Color maps are stored next to the entries, named by content.

A model is one file in `models/`. Each of its color maps is one in `textures/`, what is known of a file of the user's is
one in `files/`, and a picture that took long to make is one in `pictures/`. All lie in subfolders by the first two
digits of their names. `scenes/assets/pruning.py` keeps the cache small.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from scenes.assets.image_files import Picture, read_picture
from scenes.assets.info import AssetInfo
from scenes.assets.packing import DAMAGE, pack, unpack, unpack_about
from scenes.errors import InputError, LoadError
from scenes.files import UNFINISHED, sha256, write_atomically
from scenes.leftovers import remove_dead
from scenes.mesh import Model, Part


def default_folder() -> Path:
    """$BLENDMILL_CACHE, or ~/.cache/blendmill."""
    return Path(os.environ.get("BLENDMILL_CACHE") or Path.home() / ".cache" / "blendmill")


# An entry that is used gets a new time of change once in a while, by which pruning knows it.
_USED_AGAIN = 12 * 3600.0


class Cache:
    """The entries in one folder. An entry that cannot be read completely is reported as absent (None)."""

    def __init__(self, folder: Path | None = None):
        self.folder = folder or default_folder()
        self._unfinished = self.folder / "unfinished"

    def info(self, key: str) -> AssetInfo | None:
        """What is known of the entry's model."""
        try:
            return AssetInfo.from_json(unpack_about(self._entry(key))["info"])
        except DAMAGE:
            return None

    def model(self, key: str) -> Model | None:
        """The entry's model, its color maps checked against their names."""
        try:
            model, _ = unpack(self._entry(key), self._map)
            maps = {path for part in model.parts if part.appearance for path in part.appearance.files}
            if not all(_is_whole(path) for path in maps):
                return None
            for path in (self._entry(key), *maps):
                mark_used(path)
            return model
        except DAMAGE:
            return None

    def holds(self, key: str) -> bool:
        """Whether there is an entry, whole or not."""
        return self._entry(key).is_file()

    def drop(self, key: str) -> None:
        """Delete a damaged entry."""
        self._entry(key).unlink(missing_ok=True)

    def store(self, key: str, info: AssetInfo, model: Model) -> Model:
        """Keep a model with its color maps; returns it as it will be read back."""
        model = replace(model, parts=tuple(self._with_own_maps(part) for part in model.parts))
        self._write(self._entry(key), pack(model, info=info.to_json()))
        return model

    def note(self, key: str) -> dict[str, Any] | None:
        """A small JSON record kept by `keep_note`."""
        try:
            note = json.loads(self._note(key).read_bytes())
            mark_used(self._note(key))
        except (OSError, ValueError):
            return None
        return note if isinstance(note, dict) else None

    def keep_note(self, key: str, note: Mapping[str, Any]) -> None:
        self._write(self._note(key), json.dumps(note).encode())

    def picture(self, key: str, make: Callable[[], Picture]) -> Picture:
        """The (H, W, 3) uint8 picture that `make` makes, kept under a key that says all that decides it."""
        name = hashlib.sha256(key.encode()).hexdigest()
        path = self.folder / "pictures" / name[:2] / f"{name}.png"
        try:
            kept = read_picture(path)
            mark_used(path)
            return kept
        except (LoadError, OSError):
            made, data = make(), io.BytesIO()
            Image.fromarray(made).save(data, "PNG", compress_level=1)
            self._write(path, data.getvalue())
            return made

    def sweep(self) -> None:
        """Delete what processes of this machine that are no more left half written."""
        for folder in (self._unfinished, self.folder / "images"):
            for left in folder.glob(f"*{UNFINISHED}*"):
                remove_dead(left)

    def _write(self, path: Path, data: bytes) -> None:
        try:
            # In one folder for all, so that what is left of killed processes is found without looking everywhere.
            write_atomically(path, data, self._unfinished)
        except OSError as error:
            reason = error.strerror or error
            raise InputError(f"cache {self.folder}: {reason}; make room there, or set BLENDMILL_CACHE") from None

    def _entry(self, key: str) -> Path:
        return self.folder / "models" / key[:2] / f"{key}.npz"

    def _note(self, key: str) -> Path:
        return self.folder / "files" / key[:2] / f"{key}.json"

    def _map(self, name: str) -> Path:
        return self.folder / "textures" / name[:2] / name

    def _with_own_maps(self, part: Part) -> Part:
        if part.appearance is None:
            return part
        return replace(part, appearance=part.appearance.with_files(self._own))

    def _own(self, source: Path) -> Path:
        """The copy of an image in this folder."""
        data = source.read_bytes()
        kept = self._map(f"{hashlib.sha256(data).hexdigest()}{source.suffix.lower()}")
        if not _is_whole(kept):
            self._write(kept, data)
        return kept


def _is_whole(path: Path) -> bool:
    """Whether a file has the content that it is named by. False if it is not there: others may prune it at any time."""
    try:
        return sha256(path) == path.stem
    except OSError:
        return False


def mark_used(path: Path) -> None:
    """Let pruning know that a file of a cache is in use, at most twice a day."""
    with suppress(OSError):  # others may own the cache, or prune it now
        if time.time() - path.stat().st_mtime > _USED_AGAIN:
            os.utime(path)

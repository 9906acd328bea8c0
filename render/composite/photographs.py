"""Finds photographs and style references in folders, and reads them as 8-bit RGB."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from render.composite.texture_synthesis import WAY, continued
from scenes.assets.cache import Cache
from scenes.assets.image_files import Picture, read_picture
from scenes.assets.image_gate import ImageGate
from scenes.assets.mirror import left_out, place
from scenes.assets.texture_sets import find_texture_sets
from scenes.errors import InputError, LoadError, choices
from scenes.files import sha256
from scenes.names import Candidates
from scenes.streams import Streams

_MEMORY = 512 << 20


class Photographs:
    """Photographs by asset id, which is the path below their folder. The last used ones stay decoded.

    A file is decoded on trial when it is chosen for a picture.

    paths: file by asset id. rejected: the files that are left out, as far as that is known, each with the reason.
    names: the ids to choose from. folders: the ids of each folder by its name, where the folders have shares.
    """

    def __init__(
        self,
        field: str,
        paths: Mapping[str, Path],
        rejected: Mapping[str, str],
        folders: Mapping[str, Iterable[str]] = MappingProxyType({}),
    ):
        self._field, self.paths, self.rejected = field, dict(paths), dict(rejected)
        self.names = Candidates(self.paths, self._usable, self._lost)
        self.folders = {name: Candidates(ids, self._usable, self._lost) for name, ids in folders.items()}
        self._gate, self._cache = ImageGate(), Cache()
        self._judged: dict[str, bool] = {}
        self._kept: OrderedDict[tuple[str, int], Picture] = OrderedDict()

    def _usable(self, name: str) -> bool:
        if name not in self._judged:
            path = self.paths[name]
            reason = self._gate.judged([path], "surface")[path].reason
            self._judged[name] = not reason
            if reason:
                self.rejected[str(path)] = reason
        return self._judged[name]

    def _lost(self) -> InputError:
        path, reason = next(iter(self.rejected.items()))
        return InputError(
            f"field {self._field}: none of {len(self.paths)} pictures can be used; the first: {path}: {reason}"
        )

    def picture(self, name: str) -> Picture:
        """Read a picture as (H, W, 3) uint8 sRGB. Raises InputError if the file can no longer be read."""
        return self._remembered((name, 0), lambda: self._read(name))

    def continued(self, name: str, side: int) -> Picture:
        """(H, W, 3) uint8 sRGB: the picture enlarged by `texture_synthesis.continued`, with the same result each time.

        This takes longer than all other steps together, so the result is kept in the cache, for all processes.
        Raises InputError as `picture` does.
        """

        def made() -> Picture:
            # The random numbers depend only on the file, not on earlier pictures.
            content = sha256(self.paths[name])
            rng = Streams(0, side).generator(content)
            return self._cache.picture(f"{content} {side} {WAY}", lambda: continued(self.picture(name), side, rng))

        return self._remembered((name, side), made)

    def _read(self, name: str) -> Picture:
        if name not in self.paths:  # somebody edited the record
            raise InputError(f"field {self._field}: no picture has the id '{name}', {choices(name, self.paths)}")
        try:
            return read_picture(self.paths[name])
        except LoadError as error:
            raise InputError(f"{self.paths[name]}: can no longer be read: {error}") from error

    def _remembered(self, key: tuple[str, int], make: Callable[[], Picture]) -> Picture:
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = make()
            while len(self._kept) > 1 and sum(one.nbytes for one in self._kept.values()) > _MEMORY:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found


def find_photographs(field: str, folders: Iterable[Path | str] | Mapping[Path | str, float]) -> Photographs:
    """Find the pictures in folders and their subfolders, by their names. A folder may be a URL of an object store.

    A scanned texture set counts as one picture, its color map. Folders with shares keep their ids apart. Raises
    InputError if a folder does not exist or contains no picture.
    """
    found: dict[str, Path] = {}
    rejected: dict[str, str] = {}
    apart: dict[str, list[str]] = {}
    for one_of in folders:
        folder = place(one_of, f"field {field}:")
        if not folder.is_dir():
            raise InputError(f"field {field}: {folder} is not a folder")
        scanned = find_texture_sets(folder)
        reasons = {str(path): reason for path, reason in scanned.rejected.items()}
        ids = apart.setdefault(_free(folder.resolve().name, apart), [])
        for one in scanned.sets:
            ids.append(_free(f"{folder.resolve().name}/{one.name}", found))
            found[ids[-1]] = one.maps["color"]
        rejected |= reasons | left_out(folder)
        if not scanned.sets:
            why = f": {next(iter(reasons))} {next(iter(reasons.values()))}" if reasons else ""
            raise InputError(f"field {field}: {folder} contains no usable picture{why}")
    return Photographs(field, found, rejected, apart if isinstance(folders, Mapping) else {})


def _free(name: str, taken: Mapping[str, object]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name}~{number}", number + 1
    return free

"""Finds environment maps, texture sets and pictures in folders, names them and checks their first bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from scenes.assets.cache import Cache
from scenes.assets.manifest import Manifest
from scenes.assets.normalize import VERSION
from scenes.assets.texture_sets import TextureSet, find_texture_sets
from scenes.errors import InputError, choices
from scenes.files import file_stat
from scenes.names import Names

HDRI_SUFFIXES = (".hdr", ".exr")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
_HDRI_STARTS = (b"#?", b"v/1\x01")
_IMAGE_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*", b"RIFF")


class Pictures:
    """All that is not a model, by id: `<folder>/<path below it>`, `studio:<name>`, or the manifest's name.

    rejected: file or folder to the reason why it is left out.
    """

    def __init__(
        self,
        manifest: Manifest,
        hdris: Iterable[Path],
        studio: Path | None,
        textures: Iterable[Path],
        images: Iterable[Path],
        cache: Cache,
    ):
        self._cache = cache
        self.rejected: dict[str, str] = {}
        self._licenses: dict[str, str] = {}
        self._hdris = self._files("hdris", hdris, HDRI_SUFFIXES, _HDRI_STARTS)
        self._images = self._files("images", images, IMAGE_SUFFIXES, _IMAGE_STARTS)
        self._sets: dict[str, TextureSet] = {}
        for folder in textures:
            name = _existing("textures", folder).resolve().name
            self._sets |= {_free(f"{name}/{one.name}", self._sets): one for one in self._scanned(folder)}
        if studio is not None:
            self._hdris |= {f"studio:{p.stem}": p for p in sorted(studio.glob("*.exr"))}
            self._licenses |= {f"studio:{p.stem}": "CC0-1.0" for p in studio.glob("*.exr")}
        self._add_manifest(manifest)
        self.hdris = Names(sorted(self._hdris))
        self.textures = Names(sorted(self._sets))
        self.images = Names(sorted(self._images))

    def path(self, asset_id: str) -> Path:
        found = self._hdris.get(asset_id) or self._images.get(asset_id)
        if found is None:
            raise InputError(f"no picture has the id '{asset_id}', {choices(asset_id, [*self._hdris, *self._images])}")
        return found

    def texture_set(self, asset_id: str) -> TextureSet:
        if asset_id not in self._sets:
            raise InputError(f"no texture has the id '{asset_id}', {choices(asset_id, self._sets)}")
        return self._sets[asset_id]

    def licenses(self) -> dict[str, str]:
        """The license of each picture, texture and map of a texture, by asset id; a map has its texture's."""
        maps = {f"{i}#{name}": self._licenses.get(i, "") for i, one in self._sets.items() for name in one.maps}
        return {**{i: self._licenses.get(i, "") for i in (*self.hdris, *self.textures, *self.images)}, **maps}

    def files(self) -> dict[str, Path]:
        """Every file that can be drawn from, by asset id; the maps of a texture as `<id>#<map>`."""
        maps = {f"{i}#{name}": path for i, one in self._sets.items() for name, path in one.maps.items()}
        return {**self._hdris, **self._images, **maps}

    def _files(
        self, field: str, folders: Iterable[Path], suffixes: tuple[str, ...], starts: tuple[bytes, ...]
    ) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for folder in folders:
            base = _existing(field, folder)
            for path in [base] if base.is_file() else sorted(base.rglob("*")):
                if path.suffix.lower() not in suffixes or path.name.startswith("."):
                    continue
                name = path.name if base.is_file() else f"{base.resolve().name}/{path.relative_to(base).as_posix()}"
                if self._usable(path, starts):
                    found[_free(name, found)] = path
        return found

    def _usable(self, path: Path, starts: tuple[bytes, ...]) -> bool:
        with path.open("rb") as file:
            if file.read(8).startswith(starts):
                return True
        self.rejected[str(path)] = f"is not what its suffix {path.suffix} says, or is empty"
        return False

    def _scanned(self, folder: Path) -> list[TextureSet]:
        """The folder's texture sets. Every picture is decoded for that once, not again until a file changes."""
        stats = {str(path.absolute()): file_stat(path) for path in sorted(folder.rglob("*")) if path.is_file()}
        key = hashlib.sha256(f"textures {VERSION} {folder.absolute()}".encode()).hexdigest()
        note = self._cache.note(key)
        if note is None or note["stats"] != stats:
            sets, rejected = find_texture_sets(folder)
            note = {
                "stats": stats,
                "sets": {one.name: {kind: str(path) for kind, path in one.maps.items()} for one in sets},
                "rejected": {str(path): reason for path, reason in rejected.items()},
            }
            self._cache.keep_note(key, note)
        self.rejected |= note["rejected"]
        return [
            TextureSet(name, {kind: Path(path) for kind, path in maps.items()}) for name, maps in note["sets"].items()
        ]

    def _add_manifest(self, manifest: Manifest) -> None:
        for kind, found, starts in (("hdri", self._hdris, _HDRI_STARTS), ("image", self._images, _IMAGE_STARTS)):
            for entry in manifest.of_kind(kind):
                path = manifest.content(entry)
                if not path.is_file():
                    self.rejected[str(path)] = "does not exist"
                elif self._usable(path, starts):
                    found[entry.name] = path
                    self._licenses[entry.name] = entry.license
        for entry in manifest.of_kind("texture"):
            path = manifest.content(entry)
            if path.is_file() and self._usable(path, _IMAGE_STARTS):
                sets = [TextureSet(entry.name, {"color": path})]
            elif path.is_dir():
                sets = self._scanned(path)
            else:
                self.rejected.setdefault(str(path), "does not exist")
                continue
            names = [entry.name] if len(sets) == 1 else [f"{entry.name}/{one.name}" for one in sets]
            self._sets |= zip(names, sets, strict=True)
            self._licenses |= dict.fromkeys(names, entry.license)


def _existing(field: str, path: Path) -> Path:
    if not path.exists():
        raise InputError(f"field {field}: {path} does not exist")
    return path


def _free(name: str, taken: Mapping[str, object]) -> str:
    """The name, or the name with the first number that makes it new."""
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}~{number}", number + 1
    return free

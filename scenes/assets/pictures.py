"""Finds environment maps, texture sets and pictures in folders, names them and leaves out those that cannot be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from scenes.assets.cache import Cache
from scenes.assets.image_gate import ImageGate, Use
from scenes.assets.manifest import Manifest
from scenes.assets.texture_sets import TextureSet, find_texture_sets
from scenes.errors import InputError, choices
from scenes.names import Names

HDRI_SUFFIXES = (".hdr", ".exr")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
# The kinds of the manifest's entries, as the gate for image files has them.
_USES: Mapping[str, Use] = {"hdri": "light", "image": "photo"}


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
        self._gate = ImageGate(cache)
        # The files to draw from, by the files that were found.
        self._drawn: dict[Path, Path] = {}
        self.rejected: dict[str, str] = {}
        self._licenses: dict[str, str] = {}
        self._hdris = self._files("hdris", hdris, HDRI_SUFFIXES, "light")
        self._images = self._files("images", images, IMAGE_SUFFIXES, "photo")
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
        return self._drawn.get(found, found)

    def texture_set(self, asset_id: str) -> TextureSet:
        if asset_id not in self._sets:
            raise InputError(f"no texture has the id '{asset_id}', {choices(asset_id, self._sets)}")
        found = self._sets[asset_id]
        return TextureSet(found.name, {kind: self._drawn.get(path, path) for kind, path in found.maps.items()})

    def licenses(self) -> dict[str, str]:
        """The license of each picture, texture and map of a texture, by asset id; a map has its texture's."""
        maps = {f"{i}#{name}": self._licenses.get(i, "") for i, one in self._sets.items() for name in one.maps}
        return {**{i: self._licenses.get(i, "") for i in (*self.hdris, *self.textures, *self.images)}, **maps}

    def files(self) -> dict[str, Path]:
        """Every file that can be drawn from, by asset id; the maps of a texture as `<id>#<map>`."""
        maps = {f"{i}#{name}": path for i, one in self._sets.items() for name, path in one.maps.items()}
        return {**self._hdris, **self._images, **maps}

    def _files(self, field: str, folders: Iterable[Path], suffixes: tuple[str, ...], use: Use) -> dict[str, Path]:
        named: list[tuple[str, Path]] = []
        for folder in folders:
            base = _existing(field, folder)
            for path in [base] if base.is_file() else sorted(base.rglob("*")):
                if path.suffix.lower() in suffixes and not path.name.startswith("."):
                    inside = f"{base.resolve().name}/{path.relative_to(base).as_posix()}"
                    named.append((path.name if base.is_file() else inside, path))
        usable = self._usable([path for _, path in named], use)
        found: dict[str, Path] = {}
        for name, path in named:
            if path in usable:
                found[_free(name, found)] = path
        return found

    def _usable(self, paths: Iterable[Path], use: Use) -> set[Path]:
        """Those of the files that can be used; the others are rejected with their reason."""
        verdicts = self._gate.judged(paths, use)
        self.rejected |= {str(path): verdict.reason for path, verdict in verdicts.items() if verdict.reason}
        usable = {path: verdict.path for path, verdict in verdicts.items() if not verdict.reason}
        self._drawn |= usable
        return set(usable)

    def _scanned(self, folder: Path) -> tuple[TextureSet, ...]:
        found = find_texture_sets(folder, self._gate)
        self.rejected |= {str(path): reason for path, reason in found.rejected.items()}
        self._drawn |= found.drawn
        return found.sets

    def _add_manifest(self, manifest: Manifest) -> None:
        for kind, found in (("hdri", self._hdris), ("image", self._images)):
            for entry in manifest.of_kind(kind):
                path = manifest.content(entry)
                if not path.is_file():
                    self.rejected[str(path)] = "does not exist"
                elif self._usable([path], _USES[kind]):
                    found[entry.name] = path
                    self._licenses[entry.name] = entry.license
        for entry in manifest.of_kind("texture"):
            path = manifest.content(entry)
            if path.is_file() and self._usable([path], "map"):
                sets: tuple[TextureSet, ...] = (TextureSet(entry.name, {"color": path}),)
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

"""Finds environment maps, texture sets and pictures in folders, names them and leaves out those that cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from scenes.assets.cache import Cache
from scenes.assets.formats import ARCHIVE, ARCHIVES
from scenes.assets.image_files import IMAGE_SUFFIXES
from scenes.assets.image_gate import ImageGate, Use, Verdict, settings
from scenes.assets.index import IndexEntry, KnownAssets
from scenes.assets.indexing import picture_entry
from scenes.assets.manifest import Manifest
from scenes.assets.mirror import left_out
from scenes.assets.texture_sets import TextureSet, find_texture_sets, judged
from scenes.assets.walking import below
from scenes.errors import InputError, choices
from scenes.names import Candidates

HDRI_SUFFIXES = (".hdr", ".exr")

_USES: dict[str, Use] = {"hdri": "light", "image": "photo", "texture": "map"}
_STUDIO = "studio:"
# Files that are judged before an index notes them.
_AT_ONCE = 64


class Pictures:
    """All that is not a model, by id: `<folder>/<path below it>`, `studio:<name>`, or the manifest's name.

    A file is decoded on trial when it is chosen for a picture, not before.

    rejected: file or folder to the reason why it is left out, as far as that is known.
    """

    def __init__(
        self,
        manifest: Manifest,
        hdris: Iterable[Path],
        studio: Path | None,
        textures: Iterable[Path],
        images: Iterable[Path],
        cache: Cache,
        known: KnownAssets,
    ):
        self._known = known
        self._gate = ImageGate(cache)
        self._verdicts: dict[Path, Verdict] = {}
        self._maps: dict[str, dict[str, Verdict]] = {}
        self.rejected: dict[str, str] = {}
        self._licenses: dict[str, str] = {}
        self._hdris = _files("hdris", hdris, HDRI_SUFFIXES, self.rejected)
        self._images = _files("images", images, IMAGE_SUFFIXES, self.rejected)
        self._sets: dict[str, TextureSet] = {}
        for folder in textures:
            name = _existing("textures", folder).resolve().name
            self._sets |= {_free(f"{name}/{one.name}", self._sets): one for one in self._scanned(folder)}
        if studio is not None:
            trusted = {f"{_STUDIO}{path.stem}": path for path in sorted(studio.glob("*.exr"))}
            self._hdris |= trusted
            self._verdicts |= {path: Verdict(path) for path in trusted.values()}
            self._licenses |= dict.fromkeys(trusted, "CC0-1.0")
        for folder in (*hdris, *images, *textures):
            self.rejected |= left_out(folder)
        self._add_manifest(manifest)
        self.hdris = self._candidates("environment map", self._hdris, self._usable)
        self.images = self._candidates("picture", self._images, self._usable)
        self.textures = self._candidates("texture set", self._sets, lambda name: bool(self._usable_maps(name)))

    def path(self, asset_id: str) -> Path:
        """The file to draw a picture from. Raises InputError where it cannot be used."""
        verdict = self._verdict(asset_id)
        if verdict.reason:
            raise InputError(f"{self._file(asset_id)} {verdict.reason}")
        return verdict.path

    def texture_set(self, asset_id: str) -> TextureSet:
        """The files to draw a texture from. Raises InputError where it cannot be used."""
        maps = self._usable_maps(asset_id)
        if not maps:
            color = self._sets[asset_id].maps["color"]
            raise InputError(f"{color} {self.rejected[str(color)]}")
        return TextureSet(self._sets[asset_id].name, {kind: verdict.path for kind, verdict in maps.items()})

    def licenses(self, ids: Iterable[str]) -> dict[str, str]:
        """The licenses of some, by the ids that `files` has; a map has its texture's."""
        return {name: self._licenses.get(name.partition("#")[0], "") for name in self.files(ids)}

    def files(self, ids: Iterable[str]) -> dict[str, Path]:
        """The files of some of the assets by id; those of a texture that are used as `<id>#<map>`."""
        found: dict[str, Path] = {}
        for name in ids:
            if name in self._sets:
                found |= {f"{name}#{kind}": self._sets[name].maps[kind] for kind in self._usable_maps(name)}
            else:
                found[name] = self._file(name)
        return found

    @property
    def count(self) -> int:
        """The number of the files, without those that come with Blender."""
        return len(self._listed())

    def entries(self) -> Iterator[tuple[str, IndexEntry | None]]:
        """The id of each file, and what an index holds of it. Several are judged at once."""
        listed = self._listed()
        for start in range(0, len(listed), _AT_ONCE):
            for kind, use in _USES.items():
                some = {name: path for name, of, path in listed[start : start + _AT_ONCE] if of == kind}
                verdicts = self._gate.judged(some.values(), use)
                for name, path in some.items():
                    license = self._licenses.get(name.partition("#")[0], "")
                    yield name, picture_entry(name, kind, path, verdicts[path], settings(use), license)

    def judge_all(self) -> None:
        """Look at all files, several at once."""
        for found, use in ((self._hdris, "light"), (self._images, "photo")):
            self._judge([path for path in found.values() if path not in self._verdicts], use)  # type: ignore[arg-type]
        self._gate.judged([path for one in self._sets.values() for path in one.maps.values()], "map")
        for name in self._sets:
            self._usable_maps(name)

    def _candidates(self, what: str, found: Mapping[str, object], usable: Callable[[str], bool]) -> Candidates:
        def lost() -> InputError:
            path, reason = next(iter(self.rejected.items()))
            return InputError(f"field assets: no {what} of {len(found)} can be used; {path}: {reason}")

        return Candidates(sorted(found), usable, lost)

    def _file(self, asset_id: str) -> Path:
        found = self._hdris.get(asset_id) or self._images.get(asset_id)
        if found is None:
            raise InputError(f"no picture has the id '{asset_id}', {choices(asset_id, [*self._hdris, *self._images])}")
        return found

    def _usable(self, asset_id: str) -> bool:
        return not self._verdict(asset_id).reason

    def _verdict(self, asset_id: str) -> Verdict:
        path, use = self._file(asset_id), _USES["hdri" if asset_id in self._hdris else "image"]
        if path not in self._verdicts:
            known = self._known_useless({asset_id: path}, use)
            self._verdicts |= known
            self.rejected |= {str(path): verdict.reason for path, verdict in known.items()}
        if path not in self._verdicts:
            self._judge([path], use)
        return self._verdicts[path]

    def _known_useless(self, files: Mapping[str, Path], use: Use) -> dict[Path, Verdict]:
        """The verdicts on those of some files, by id, that an index knows to be of no use."""
        reasons = {path: self._known.reason(i, path, path.parent, settings(use)) for i, path in files.items()}
        return {path: Verdict(path, reason) for path, reason in reasons.items() if reason}

    def _listed(self) -> list[tuple[str, str, Path]]:
        """Id, kind and path of each file that an index can hold."""
        maps = {f"{name}#{kind}": path for name, one in self._sets.items() for kind, path in one.maps.items()}
        own = {name: path for name, path in self._hdris.items() if not name.startswith(_STUDIO)}
        kinds = (("hdri", own), ("image", self._images), ("texture", maps))
        return [(name, kind, path) for kind, files in kinds for name, path in sorted(files.items())]

    def _judge(self, paths: list[Path], use: Use) -> None:
        verdicts = self._gate.judged(paths, use)
        self.rejected |= {str(path): verdict.reason for path, verdict in verdicts.items() if verdict.reason}
        self._verdicts |= verdicts

    def _usable_maps(self, asset_id: str) -> dict[str, Verdict]:
        """The maps of a texture that can be used, by kind. There are none where its color cannot."""
        if asset_id not in self._sets:
            raise InputError(f"no texture has the id '{asset_id}', {choices(asset_id, self._sets)}")
        if asset_id not in self._maps:
            one = self._sets[asset_id]
            known = self._known_useless({f"{asset_id}#{kind}": path for kind, path in one.maps.items()}, "map")
            self._maps[asset_id], rejected = judged(one, self._gate, known)
            self.rejected |= {str(path): reason for path, reason in rejected.items()}
        return self._maps[asset_id]

    def _scanned(self, folder: Path) -> tuple[TextureSet, ...]:
        found = find_texture_sets(folder)
        self.rejected |= {str(path): reason for path, reason in found.rejected.items()}
        return found.sets

    def _add_manifest(self, manifest: Manifest) -> None:
        for kind, found in (("hdri", self._hdris), ("image", self._images)):
            for entry in manifest.of_kind(kind):
                path = manifest.content(entry)
                if path.is_file():
                    found[entry.name] = path
                    self._licenses[entry.name] = entry.license
                else:
                    self.rejected[str(path)] = "does not exist"
        for entry in manifest.of_kind("texture"):
            path = manifest.content(entry)
            if path.is_file():
                sets: tuple[TextureSet, ...] = (TextureSet(entry.name, {"color": path}),)
            elif path.is_dir():
                sets = self._scanned(path)
            else:
                self.rejected[str(path)] = "does not exist"
                continue
            names = [entry.name] if len(sets) == 1 else [f"{entry.name}/{one.name}" for one in sets]
            self._sets |= zip(names, sets, strict=True)
            self._licenses |= dict.fromkeys(names, entry.license)


def _files(field: str, folders: Iterable[Path], suffixes: tuple[str, ...], rejected: dict[str, str]) -> dict[str, Path]:
    """The files of some kinds by id. rejected: gets the archives among the others."""
    found: dict[str, Path] = {}
    for folder in folders:
        base = _existing(field, folder)
        for path in [base] if base.is_file() else below(base):
            if path.suffix.lower() in suffixes:
                inside = f"{base.resolve().name}/{path.relative_to(base).as_posix()}"
                found[_free(path.name if base.is_file() else inside, found)] = path
            elif path.suffix.lower() in ARCHIVES:
                rejected[str(path)] = ARCHIVE
    return found


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

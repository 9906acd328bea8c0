"""Finds the model files in a folder and the class of each."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from scenes.assets.synsets import SPELLINGS, SYNSETS
from scenes.errors import InputError, choices

Layout = Literal["auto", "class-folders", "shapenet", "modelnet", "flat"]

READ_HERE = (".obj", ".stl", ".off", ".ply")
GLTF = (".glb", ".gltf")
IMPORTED = (".fbx", ".usd", ".usda", ".usdc", ".usdz", ".blend")
# Default up and front axes of each format; Blender's importers turn theirs to z and -y.
AXES = {s: ("y", "z") if s in (".obj", *GLTF) else ("z", "-y") for s in (*READ_HERE, *GLTF, *IMPORTED)}
# ShapeNetCore turned its models between its versions, which are told apart by the names of the files.
SHAPENET_AXES = {"model_normalized.obj": ("y", "-z"), "model.obj": ("y", "x")}
# Models too, but nobody here reads them.
UNREAD = (
    ".3ds", ".3mf", ".abc", ".c4d", ".ctm", ".dae", ".dxf", ".iges", ".igs", ".lwo", ".ma", ".max", ".mb", ".ms3d",
    ".skp", ".step", ".stp", ".wrl", ".x3d", ".zae",
)  # fmt: skip


@dataclass(frozen=True)
class ModelFolder:
    """A folder of model files.

    Parameters
    ----------
    path : Path
        The folder, or one model file.
    layout : "auto", "class-folders", "shapenet", "modelnet" or "flat"
        How the folder is arranged. "auto" finds out.
    category : str
        The class of all models, for the layout "flat". A single file without one is a class named like the file.
    up, front : str
        Axes such as "y" or "-z". "auto" takes those of the file format. If only `up` is given, the front is -y for
        z up and z for y up.
    unit : float, optional
        Meters per unit of the files. None if it is unknown.
    need_textures : bool
        Whether a model is rejected if one of its color maps is missing.
    license : str
        The license of the models.

    Examples
    --------
    >>> from pathlib import Path
    >>> from blendmill import ModelFolder
    >>> ModelFolder(Path("chairs"), layout="flat", category="chair").up
    'auto'
    """

    path: Path
    layout: Layout = "auto"
    category: str = ""
    up: str = "auto"
    front: str = "auto"
    unit: float | None = None
    need_textures: bool = False
    license: str = ""


@dataclass(frozen=True, slots=True)
class FileAsset:
    """One model file. root: folder that must contain all files it refers to. sha256: checksum of the file, if known."""

    id: str
    category: str
    path: Path
    root: Path
    up: str
    front: str
    unit: float | None = None
    need_textures: bool = False
    license: str = ""
    source: str = ""
    sha256: str | None = None


@lru_cache
def axes(suffix: str, up: str, front: str, default: tuple[str, str] | None = None) -> tuple[str, str]:
    """(up, front) with "auto" filled in. Raises InputError for axes that are unknown or not perpendicular."""
    own_up, own_front = default or AXES[suffix]
    if up == "auto":
        up = own_up
    if front == "auto":
        usual = {"x": "-y", "y": "z", "z": "-y"}
        front = own_front if up == own_up else usual.get(up.removeprefix("-"), "")
    for name, axis in (("up", up), ("front", front)):
        if axis.removeprefix("-") not in ("x", "y", "z"):
            raise InputError(f"field {name}: '{axis}' is no axis, {choices(axis, ['x', 'y', 'z', '-x', '-y', '-z'])}")
    if up.removeprefix("-") == front.removeprefix("-"):
        raise InputError(f"field front: '{front}' lies along the up axis '{up}', choose one of the other two")
    return up, front


@dataclass(frozen=True)
class Listing:
    """The models of a folder, by their names alone. found: class and path by id, sorted by id. left_out: what is not
    read, with the reason."""

    folder: ModelFolder
    layout: Layout
    found: dict[str, tuple[str, str]]
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def assets(self) -> list[FileAsset]:
        """All models, sorted by id."""
        return [self.asset(name) for name in self.found]

    def asset(self, name: str) -> FileAsset:
        """A model by its id. It is put together when it is asked for: a path takes 30 times as long as its text."""
        (category, place), folder = self.found[name], self.folder
        path = Path(place)
        up, front = _axes(folder, self.layout, place)
        return FileAsset(
            id=name,
            category=category,
            path=path,
            root=path.parent if folder.path == path else folder.path,
            up=up,
            front=front,
            unit=folder.unit,
            need_textures=folder.need_textures,
            license=folder.license,
            source=folder.path.name,
        )


def discover(folder: ModelFolder, prefix: str, known: Collection[str] = ()) -> Listing:
    """The folder's models, named `<prefix>/<path below the folder>`. Raises InputError where there are none.

    One walk of the folder lists them. No file is opened. known: ids that an index has. In ShapeNet's layout, each other
    model is looked for by itself, which takes long on a network file system.
    """
    if folder.path.is_file():
        return _alone(folder, prefix)
    if not folder.path.is_dir():
        raise InputError(f"models folder {folder.path} does not exist")
    layout = _detect(folder.path) if folder.layout == "auto" else folder.layout
    if layout == "flat" and not folder.category:
        raise InputError(f"models folder {folder.path}: field category is needed, its models lie in no class folders")
    root = str(folder.path)
    start = len(root.rstrip("/")) + 1
    walk = _Walk({}, lambda place: f"{prefix}/{place[start:]}" in known) if known else _Walk({})
    checked: set[str] = set()
    found: dict[str, tuple[str, str]] = {}
    foreign: list[str] = []
    for category, place in walk.models(root, layout, folder.category):
        suffix = _suffix(place)
        if suffix in AXES:
            kind = place.rpartition("/")[2] if layout == "shapenet" else suffix
            if kind not in checked:
                _axes(folder, layout, place)  # raises
                checked.add(kind)
            found[f"{prefix}/{place[start:]}"] = SPELLINGS.get(category, category), place
        elif suffix in UNREAD:
            foreign.append(place)
    if not found:
        others = sorted({_suffix(place) for place in foreign})
        remedy = f"; {', '.join(others)} files are not read, convert them to .glb" if others else ""
        lost = next((f"; {place} {reason}" for place, reason in walk.lost.items()), "")
        raise InputError(f"models folder {folder.path} holds no model in the layout '{layout}'{remedy}{lost}")
    unread = {
        str(Path(place)): f"is a {Path(place).suffix} file, which is not read; convert it to .glb"
        for place in sorted(foreign)
    }
    return Listing(folder, layout, dict(sorted(found.items())), {**unread, **walk.lost})


class Files(Mapping[str, FileAsset]):
    """The model files by id: those of folders, and those of the manifest."""

    def __init__(self, listings: Iterable[Listing], others: Iterable[FileAsset]):
        self._homes: dict[str, Listing | FileAsset] = {name: one for one in listings for name in one.found}
        self._homes |= {asset.id: asset for asset in others}

    def __getitem__(self, name: str) -> FileAsset:
        home = self._homes[name]
        return home.asset(name) if isinstance(home, Listing) else home

    def __contains__(self, name: object) -> bool:
        return name in self._homes

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)

    def categories(self) -> Iterator[tuple[str, str]]:
        """The id and the class of each."""
        for name, home in self._homes.items():
            yield name, home.found[name][0] if isinstance(home, Listing) else home.category


def _axes(folder: ModelFolder, layout: Layout, place: str) -> tuple[str, str]:
    default = SHAPENET_AXES[place.rpartition("/")[2]] if layout == "shapenet" else None
    return axes(_suffix(place), folder.up, folder.front, default)


def _alone(folder: ModelFolder, prefix: str) -> Listing:
    if folder.path.suffix.lower() not in AXES:
        raise InputError(f"models file {folder.path} is of no format that is read, {choices('', AXES)}")
    _axes(folder, "flat", str(folder.path))  # raises
    category = folder.category or folder.path.stem
    return Listing(folder, "flat", {prefix: (SPELLINGS.get(category, category), str(folder.path))})


def _detect(folder: Path) -> Layout:
    subfolders = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    if any(re.fullmatch(r"\d{8}", path.name) for path in subfolders):
        return "shapenet"
    if any((path / split).is_dir() for path in subfolders for split in ("train", "test")):
        return "modelnet"
    below = (file for path in subfolders for file in _Walk({}).files(str(path)))
    return "class-folders" if any(_suffix(file) in AXES for file in below) else "flat"


@dataclass(frozen=True)
class _Walk:
    """Lists files by their names. lost: gets the folders that cannot be read, with the reason. known: whether a file is
    known to be there."""

    lost: dict[str, str]
    known: Callable[[str], bool] = lambda place: False

    def models(self, root: str, layout: Layout, category: str) -> Iterator[tuple[str, str]]:
        """Class and path of each file that may be a model. Collections say which one file of a model is read."""
        if layout == "flat":
            yield from ((category, place) for place in self.files(root))
        elif layout == "shapenet":
            for synset in self._subfolders(root):
                name = SYNSETS.get(synset.name, synset.name)
                for model in self._subfolders(synset.path):
                    for place in (f"{model.path}/models/model_normalized.obj", f"{model.path}/model.obj"):
                        if self.known(place) or os.path.isfile(place):  # noqa: PTH113  # of 51,300 models, Path takes a second
                            yield name, place
                            break
        elif layout == "modelnet":
            for one in self._subfolders(root):
                for split in self._subfolders(one.path):
                    if split.name in ("test", "train"):
                        files = (entry.path for entry in self._entries(split.path) if entry.is_file())
                        yield from ((one.name, place) for place in files if place.lower().endswith(".off"))
        else:
            for one in self._subfolders(root):
                yield from ((one.name, place) for place in self.files(one.path))
            for other in self._entries(root):
                if other.is_file() and _suffix(other.name) in (*AXES, *UNREAD):
                    self.lost[other.path] = "lies in no class folder; move it into one"

    def files(self, folder: str) -> Iterator[str]:
        """All files below a folder. Links to folders are not followed, because they may lead in a circle."""
        folders = [folder]
        while folders:
            for entry in self._entries(folders.pop()):
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_file():
                    yield entry.path

    def _subfolders(self, folder: str) -> Iterator[os.DirEntry[str]]:
        return (entry for entry in self._entries(folder) if entry.is_dir())

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as found:
                return [entry for entry in found if not entry.name.startswith((".", "__MACOSX"))]
        except OSError as error:
            self.lost[folder] = f"cannot be read: {error.strerror or error}"
            return []


def _suffix(name: str) -> str:
    return f".{name.rpartition('.')[2].lower()}"

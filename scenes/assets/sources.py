"""Finds the model files in a folder and the class of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path

from scenes.assets.copies import copies, holds_copies, no_object
from scenes.assets.formats import ARCHIVE, ARCHIVES, AXES, SHAPENET_AXES, UNREAD, suffix_of
from scenes.assets.mirror import Mirror, left_out, mirror_of
from scenes.assets.synsets import SPELLINGS
from scenes.assets.walking import Layout, Walk, is_file
from scenes.errors import InputError, choices

Known = Callable[[str], Collection[str]]
"""From a text to the ids of an index that begin with it."""


def _nothing(start: str) -> Collection[str]:
    return ()


@dataclass(frozen=True)
class ModelFolder:
    """A folder of model files.

    Parameters
    ----------
    path : str or Path
        The folder, or one model file.
    layout : "auto", "class-folders", "shapenet", "modelnet" or "flat"
        How the folder is arranged. "auto" finds out.
    category : str
        The class of all models, for the layout "flat". A single file without one is a class named like the file.
    up, front : str
        Axes such as "y" or "-z". "auto" takes those of the file format. If only `up` is given, the front is -y for
        z up and z for y up.
    unit : float, optional
        Meters per unit of the files. None if it is unknown; it is 0.001 then where a `models_info.json` lies beside
        the files, as in the format of BOP.
    need_textures : bool
        Whether a model is rejected if one of its color maps is missing.
    license : str
        The license of the models.

    Examples
    --------
    >>> from blendmill import ModelFolder
    >>> ModelFolder("chairs", layout="flat", category="chair").path.name
    'chairs'
    """

    path: Path
    layout: Layout = "auto"
    category: str = ""
    up: str = "auto"
    front: str = "auto"
    unit: float | None = None
    need_textures: bool = False
    license: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))


@dataclass(frozen=True, slots=True)
class FileAsset:
    """One model file. root: folder that must contain all files it refers to. sha256: checksum of the file, if
    known. mirror: what the root is a mirror of, if it is one."""

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
    mirror: Mirror | None = field(default=None, repr=False, compare=False)


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


class Listing:
    """The models of a folder, by their names alone. `discover` makes it.

    The folder of a class is listed when something is asked of the class, so that a picture costs the names of its own
    classes. classes: those that have a model, with their folders. left_out: what is not read, as far as it was listed,
    with the reason.
    """

    def __init__(self, folder: ModelFolder, layout: Layout, prefix: str, known: Known):
        self.folder, self.layout, self.prefix, self._known = folder, layout, prefix, known
        self._root, self._walk = str(folder.path), Walk({})
        self._start = len(self._root.rstrip("/")) + 1
        self._checked: set[str] = set()
        self._found: dict[str, dict[str, str]] = {}
        self.left_out = self._walk.lost
        self.left_out |= left_out(folder.path)
        self.classes: dict[str, tuple[str, ...]] = {}
        for name, place in self._walk.classes(self._root, layout, folder.category):
            category = SPELLINGS.get(name, name)
            if next(self._models(place), None) is not None:
                self.classes[category] = (*self.classes.get(category, ()), place)
        self._category = {place: name for name, places in self.classes.items() for place in places}

    def of_class(self, category: str) -> dict[str, str]:
        """The path of each model of a class, by id, sorted by id."""
        if category not in self._found:
            found: dict[str, str] = {}
            for folder in self.classes.get(category, ()):
                there = partial(self._there, known=self._known(f"{self._id(folder)}/"))
                places = list(self._models(folder, there))
                found |= {self._id(place): place for place in self._own(folder, places)}
            self._found[category] = {name: found[name] for name in sorted(found)}
        return self._found[category]

    def category(self, name: str) -> str | None:
        """The class of a model by its id; None for one that is not here."""
        prefix, _, below = name.partition("/")
        if prefix != self.prefix:
            return None
        first = self._root if self.layout == "flat" else f"{self._root.rstrip('/')}/{below.partition('/')[0]}"
        category = self._category.get(first)
        return category if category is not None and name in self.of_class(category) else None

    @property
    def found(self) -> dict[str, tuple[str, str]]:
        """Class and path of each model by id, sorted by id. Lists all classes."""
        every = {name: (one, place) for one in self.classes for name, place in self.of_class(one).items()}
        return {name: every[name] for name in sorted(every)}

    @property
    def assets(self) -> list[FileAsset]:
        """All models, sorted by id."""
        return [self._asset(name, *where) for name, where in self.found.items()]

    def asset(self, name: str) -> FileAsset:
        """A model by its id. It is put together when it is asked for: a path takes 30 times as long as its text."""
        category = self.category(name)
        if category is None:
            raise KeyError(name)
        return self._asset(name, category, self.of_class(category)[name])

    def _asset(self, name: str, category: str, place: str) -> FileAsset:
        folder, path = self.folder, Path(place)
        # Models of the BOP challenge are in millimeters, and lie beside a file of this name.
        millimeters = folder.unit is None and is_file(f"{place.rpartition('/')[0]}/models_info.json")
        up, front = _axes(folder, self.layout, place)
        return FileAsset(
            id=name,
            category=category,
            path=path,
            root=path.parent if folder.path == path else folder.path,
            up=up,
            front=front,
            unit=0.001 if millimeters else folder.unit,
            need_textures=folder.need_textures,
            license=folder.license,
            source=folder.path.name,
            mirror=mirror_of(place),
        )

    def _id(self, place: str) -> str:
        return f"{self.prefix}/{place[self._start :]}" if place != self._root else self.prefix

    def _there(self, place: str, known: Collection[str]) -> bool:
        return self._id(place) in known or is_file(place)

    def _own(self, folder: str, places: list[str]) -> list[str]:
        """Those of the files in the folder of a class that are no copies of others. The copies are told."""
        if self.layout not in ("class-folders", "flat") or places == [folder]:
            return places
        below = {place.removeprefix(folder).lstrip("/"): place for place in places}
        others = copies(below)
        self.left_out |= {below[copy]: f"is a copy of '{best}', which is read" for copy, best in others.items()}
        return [place for name, place in below.items() if name not in others]

    def _models(self, folder: str, there: Callable[[str], bool] = is_file) -> Iterator[str]:
        """The paths of the models in the folder of a class. Raises InputError where they cannot have the axes asked.

        there: see `Walk.within`.
        """
        for path in self._walk.within(folder, self.layout, there):
            suffix = suffix_of(path)
            reason = no_object(path.removeprefix(folder)) if suffix in AXES and path != self._root else ""
            if reason:
                self.left_out[path] = reason
            elif suffix in AXES:
                kind = path.rpartition("/")[2] if self.layout == "shapenet" else suffix
                if kind not in self._checked:
                    _axes(self.folder, self.layout, path)  # raises
                    self._checked.add(kind)
                yield path
            elif suffix in UNREAD:
                self.left_out[path] = f"is a {Path(path).suffix} file, which is not read; convert it to .glb"
            elif suffix in ARCHIVES:
                self.left_out[path] = ARCHIVE


def discover(folder: ModelFolder, prefix: str, known: Known = _nothing) -> Listing:
    """The folder's models, named `<prefix>/<path below the folder>`. Raises InputError where there are none.

    No file is opened, and of each class one model is looked for at first. known: the ids of an index. In ShapeNet's
    layout, each other model is looked for by itself, which takes long on a network file system.
    """
    if folder.path.is_file():
        return _alone(folder, prefix)
    if not folder.path.is_dir():
        raise InputError(f"models folder {folder.path} does not exist")
    layout = _detect(folder.path) if folder.layout == "auto" else folder.layout
    if layout == "flat" and not folder.category:
        raise InputError(f"models folder {folder.path}: field category is needed, its models lie in no class folders")
    listing = Listing(folder, layout, prefix, known)
    if not listing.classes:
        suffixes = sorted({suffix_of(place) for place in listing.left_out if suffix_of(place) in UNREAD})
        remedy = f"; {', '.join(suffixes)} files are not read, convert them to .glb" if suffixes else ""
        others = (f"; {place} {why}" for place, why in listing.left_out.items() if suffix_of(place) not in UNREAD)
        raise InputError(
            f"models folder {folder.path} holds no model in the layout '{layout}'{remedy}{next(others, '')}"
        )
    return listing


def listings(folders: Iterable[ModelFolder], known: Known) -> list[Listing]:
    """What is in some folders, as `discover` finds it, with ids that begin with the name of the folder."""
    found: list[Listing] = []
    taken: dict[str, int] = {}
    for folder in folders:
        name = folder.path.resolve().name
        taken[name] = taken.get(name, 0) + 1
        # A second folder of the same name must not hide the first one's assets.
        found.append(discover(folder, name if taken[name] == 1 else f"{name}~{taken[name]}", known))
    return found


class Files(Mapping[str, FileAsset]):
    """The model files by id: those of folders, and those of the manifest. Looking at all of them lists all folders."""

    def __init__(self, listings: Iterable[Listing], others: Iterable[FileAsset]):
        self._listings = tuple(listings)
        self._others = {asset.id: asset for asset in others}

    def __getitem__(self, name: str) -> FileAsset:
        if name in self._others:
            return self._others[name]
        return next(one for one in self._listings if one.category(name) is not None).asset(name)

    def __contains__(self, name: object) -> bool:
        return name in self._others or any(one.category(str(name)) is not None for one in self._listings)

    def __iter__(self) -> Iterator[str]:
        listed = (name for one in self._listings for name in one.found if name not in self._others)
        return chain(listed, self._others)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def classes(self) -> set[str]:
        """The classes that have a file."""
        return {name for one in self._listings for name in one.classes} | {a.category for a in self._others.values()}

    def of_class(self, category: str) -> list[str]:
        """The ids of a class's files: those of each folder, sorted, then those of the manifest."""
        listed = (name for one in self._listings for name in one.of_class(category) if name not in self._others)
        return [*listed, *(name for name, asset in self._others.items() if asset.category == category)]


def _axes(folder: ModelFolder, layout: Layout, place: str) -> tuple[str, str]:
    default = SHAPENET_AXES[place.rpartition("/")[2]] if layout == "shapenet" else None
    return axes(suffix_of(place), folder.up, folder.front, default)


def _alone(folder: ModelFolder, prefix: str) -> Listing:
    if folder.path.suffix.lower() not in AXES:
        raise InputError(f"models file {folder.path} is of no format that is read, {choices('', AXES)}")
    named = replace(folder, category=folder.category or folder.path.stem)
    return Listing(named, "flat", prefix, _nothing)


def _detect(folder: Path) -> Layout:
    subfolders = sorted(entry.path for entry in Walk({}).subfolders(str(folder)))
    if any(re.fullmatch(r"\d{8}", place.rpartition("/")[2]) for place in subfolders):
        return "shapenet"
    if any(below.name in ("train", "test") for place in subfolders for below in Walk({}).subfolders(place)):
        return "modelnet"
    classes = (place for place in subfolders if not holds_copies(place.rpartition("/")[2]))
    below = (file for place in classes for file in Walk({}).files(place))
    return "class-folders" if any(suffix_of(file) in (*AXES, *UNREAD, *ARCHIVES) for file in below) else "flat"

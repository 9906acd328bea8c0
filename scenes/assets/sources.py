"""Finds the model files in a folder and the class of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
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


def discover(folder: ModelFolder, prefix: str) -> list[FileAsset]:
    """The folder's models sorted by id, `<prefix>/<path below the folder>`. Raises InputError where there are none."""
    if folder.path.is_file():
        return [_alone(folder, prefix)]
    if not folder.path.is_dir():
        raise InputError(f"models folder {folder.path} does not exist")
    layout = _detect(folder.path) if folder.layout == "auto" else folder.layout
    if layout == "flat" and not folder.category:
        raise InputError(f"models folder {folder.path}: field category is needed, its models lie in no class folders")
    found = []
    for category, path in sorted(_walk(folder, layout)):
        default = SHAPENET_AXES[path.name] if layout == "shapenet" else None
        name = f"{prefix}/{path.relative_to(folder.path).as_posix()}"
        found.append(_asset(folder, name, category, path, folder.path, default))
    if not found:
        others = sorted({path.suffix.lower() for path in unread(folder)})
        remedy = f"; {', '.join(others)} files are not read, convert them to .glb" if others else ""
        raise InputError(f"models folder {folder.path} holds no model in the layout '{layout}'{remedy}")
    return sorted(found, key=lambda asset: asset.id)


def unread(folder: ModelFolder) -> list[Path]:
    """The files in a folder that are models of a format that nobody here reads, sorted."""
    # The layouts of collections say which one file of a model is read; what else they hold is no loss.
    if folder.path.is_file() or folder.layout in ("shapenet", "modelnet"):
        return []
    return [path for path in _files(folder.path) if path.suffix.lower() in UNREAD]


def _alone(folder: ModelFolder, prefix: str) -> FileAsset:
    if folder.path.suffix.lower() not in AXES:
        raise InputError(f"models file {folder.path} is of no format that is read, {choices('', AXES)}")
    return _asset(folder, prefix, folder.category or folder.path.stem, folder.path, folder.path.parent, None)


def _asset(
    folder: ModelFolder, name: str, category: str, path: Path, root: Path, default: tuple[str, str] | None
) -> FileAsset:
    up, front = axes(path.suffix.lower(), folder.up, folder.front, default)
    return FileAsset(
        id=name,
        category=SPELLINGS.get(category, category),
        path=path,
        root=root,
        up=up,
        front=front,
        unit=folder.unit,
        need_textures=folder.need_textures,
        license=folder.license,
        source=folder.path.name,
    )


def _detect(folder: Path) -> Layout:
    subfolders = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    if any(re.fullmatch(r"\d{8}", path.name) for path in subfolders):
        return "shapenet"
    if any((path / split).is_dir() for path in subfolders for split in ("train", "test")):
        return "modelnet"
    return "class-folders" if any(True for path in subfolders for _ in _models(path)) else "flat"


def _walk(folder: ModelFolder, layout: Layout) -> Iterator[tuple[str, Path]]:
    root = folder.path
    if layout == "flat":
        yield from ((folder.category, path) for path in _models(root))
    elif layout == "shapenet":
        for synset in _subfolders(root):
            for model in _subfolders(synset):
                for path in (model / "models" / "model_normalized.obj", model / "model.obj"):
                    if path.is_file():
                        yield SYNSETS.get(synset.name, synset.name), path
                        break
    elif layout == "modelnet":
        for category in _subfolders(root):
            for split in ("test", "train"):
                yield from ((category.name, path) for path in sorted((category / split).glob("*.off")))
    else:
        for category in _subfolders(root):
            yield from ((category.name, path) for path in _models(category))


def _subfolders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "__MACOSX")))


def _models(folder: Path) -> Iterator[Path]:
    """All model files below a folder."""
    yield from (path for path in _files(folder) if path.suffix.lower() in AXES)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith((".", "__MACOSX")) for part in path.relative_to(folder).parts)
        if not hidden and path.is_file():
            yield path

"""Imports USD files into Blender's scene, and lets no file take part that lies outside of the root of its models."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path
from typing import Any

import bpy

from scenes.assets.references import MAX_BYTES
from scenes.errors import LoadError
from scenes.files import inside

_LAYERS = (".usd", ".usda", ".usdc")


def read_usd(source: Path, root: Path, scratch: Path) -> tuple[Path, Path]:
    """Import a file whose layers lie below `root`.

    Returns the file beside which its pictures lie and the folder that holds them all: of a package, the copies in
    `scratch`.
    """
    main = source.resolve()
    if source.suffix.lower() == ".usdz":
        root = (scratch / "package").resolve()
        main = _unpacked(source, root)
    check_layers(main, root)
    # Curves have no surface, and some crash Blender.
    bpy.ops.wm.usd_import(
        filepath=str(main),
        import_cameras=False,
        import_lights=False,
        import_curves=False,
        import_textures_mode="IMPORT_NONE",
    )
    return main, root


def check_layers(main: Path, root: Path) -> None:
    """Raises LoadError if a layer that the file is composed of lies outside of the root.

    All layers are found by USD itself, so it does not matter how they are referred to, or whether they are packed.
    """
    bpy.utils.expose_bundled_modules()
    from pxr import Tf, Usd

    try:
        _check_named(main, root, set())
        stage = Usd.Stage.Open(str(main))
    except Tf.ErrorException:
        raise LoadError("is no USD file that can be read") from None
    for layer in stage.GetUsedLayers(includeClipLayers=True):
        if not layer.anonymous:
            _inside(layer.realPath, root)


def _check_named(path: Path, root: Path, seen: set[Path]) -> None:
    """Raises LoadError for a layer that is named, outside or no regular file. USD would wait for a pipe forever."""
    from pxr import UsdUtils

    seen.add(path)
    for name in {name for kind in UsdUtils.ExtractExternalReferences(str(path)) for name in kind}:
        target = (path.parent / name).resolve()
        if target.suffix.lower() in (*_LAYERS, ".usdz", ".abc"):
            _inside(str(target), root)
            if target.suffix.lower() in _LAYERS and target not in seen:
                _check_named(target, root, seen)


def _inside(path: str, root: Path) -> None:
    # What lies in a package is named after it, in brackets.
    real = Path(path.partition("[")[0]).resolve()
    if not real.is_relative_to(root):
        raise LoadError(f"refers to a file outside its folder: '{real.name}'")
    if not real.is_file():
        raise LoadError(f"needs '{real.name}', which is not there")


def _unpacked(source: Path, folder: Path) -> Path:
    """The files of a package, which is a zip archive. Returns the first, which is the model."""
    try:
        with zipfile.ZipFile(source) as package:
            files = [one for one in package.infolist() if not one.is_dir()]
            if sum(one.file_size for one in files) > MAX_BYTES:
                raise LoadError(f"has more than {MAX_BYTES >> 20} MiB inside")
            for one in files:
                _unpack(package, one, folder)
    except LoadError:
        raise
    # Damage, encryption, and a name that leads out of the folder.
    except (zipfile.BadZipFile, ValueError, EOFError, RuntimeError, NotImplementedError) as error:
        raise LoadError(f"is no USD package that can be read: {str(error)[:100]}") from None
    first = files[0].filename if files else ""
    if Path(first).suffix.lower() not in _LAYERS:
        raise LoadError("is no USD package: its first file is no USD file")
    return inside(folder, first)


def _unpack(package: Any, member: zipfile.ZipInfo, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    # A package must not be compressed; what is compressed may be a bomb.
    if member.compress_type != zipfile.ZIP_STORED:
        raise LoadError("is no USD package: its files are compressed")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise LoadError("is no USD package: it holds a link")
    path = inside(folder, member.filename)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(package.read(member))

"""Sets of crack pictures: data sets of blendmill, and folders with or without masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from render.composite.photographs import read_picture
from render.dataset.dataset import MANIFEST, Dataset
from render.dataset.export.masks import foreground
from scenes.assets.pictures import IMAGE_SUFFIXES
from scenes.errors import InputError
from segment.statistics.lines import Mask
from training.data.pictures import fingerprint

_PICTURES, _MASKS = ("img", "images"), ("mask", "masks")
# Smallest side in pixels. Dark lines are measured from a length of 32 px on.
_SMALLEST = 32


@dataclass(frozen=True)
class Picture:
    """rgb: (H, W, 3) uint8 sRGB. mask: (H, W) bool, True on cracks; None if the picture is not labeled."""

    name: str
    rgb: NDArray[np.uint8]
    mask: Mask | None


@dataclass(frozen=True)
class PictureSet:
    """Pictures that are read one by one.

    name: shown to users. labeled: whether the pictures have masks. names: the names of the pictures. left_out: one line
    for each file that is not used, with the reason. read: returns picture k, counted from 0; raises InputError if it
    cannot be used. digest: hash of the names and file sizes, not of the pixels; it does not depend on where the set
    lies.
    """

    name: str
    labeled: bool
    names: tuple[str, ...]
    left_out: tuple[str, ...]
    read: Callable[[int], Picture]
    digest: str

    @property
    def size(self) -> int:
        """Number of pictures."""
        return len(self.names)

    def spread(self, count: int | None) -> list[int]:
        """Indices of up to `count` pictures, evenly from the first to the last; None for all."""
        if count is None or count >= self.size:
            return list(range(self.size))
        return np.linspace(0, self.size - 1, count).round().astype(int).tolist()


def open_set(folder: Path) -> PictureSet:
    """Open a set of crack pictures.

    Parameters
    ----------
    folder : Path
        A data set of blendmill, or a folder of pictures. A folder has its pictures in `img/` or `images/` and their
        masks, if any, under the same names in `mask/` or `masks/`. Without these subfolders, all pictures in the
        folder and below it are taken, without masks. A mask pixel is crack if it is 1 in a mask of 0 and 1, or above
        half of full scale otherwise.

    Returns
    -------
    PictureSet
        The pictures. `read(k)` returns a `Picture` with `rgb` (H, W, 3) uint8 sRGB and `mask` (H, W) bool or None.

    Raises
    ------
    InputError
        If the folder does not exist, if it holds no picture, or if there are masks but no picture has one.

    Examples
    --------
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from blendmill import open_set
    >>> for kind in ("img", "mask"):
    ...     Path("cracks", kind).mkdir(parents=True)
    ...     Image.new("L", (48, 32), 255).save(f"cracks/{kind}/wall.png")
    >>> pictures = open_set(Path("cracks"))
    >>> pictures.names, pictures.labeled
    (('wall',), True)
    >>> pictures.read(0).mask.shape
    (32, 48)
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: {'not a folder' if folder.exists() else 'does not exist'}")
    return _of_dataset(folder) if (folder / MANIFEST).is_file() else _of_folder(folder)


def _of_dataset(folder: Path) -> PictureSet:
    dataset = Dataset.open(folder)
    classes = dataset.manifest.classes
    there = [index for shard in dataset.present() for index in dataset.manifest.pictures(shard)]
    if not there:
        raise InputError(f"{folder}: no picture is finished yet; rerun the command that renders the data set")

    def read(k: int) -> Picture:
        frame = dataset.frame(there[k])
        _check_size(f"{folder}: picture {there[k]}", frame.rgb)
        return Picture(str(there[k]), frame.rgb, foreground(frame, classes))

    manifest = dataset.manifest
    digest = fingerprint(manifest.config_hash, manifest.seed, there, classes, sorted(manifest.shards.items()))
    return PictureSet(_name(folder), True, tuple(map(str, there)), (), read, digest)


def _of_folder(folder: Path) -> PictureSet:
    masks = _first(folder, _MASKS)
    pictures = _first(folder, _PICTURES)
    if masks is not None and pictures is None:
        raise InputError(f"{folder}: has {masks.name}/ but no {' or '.join(f'{n}/' for n in _PICTURES)} next to it")
    left_out: list[str] = []
    files = _files(pictures or folder, left_out)
    labels = _files(masks, left_out) if masks else {}
    if not files:
        raise InputError(f"{pictures or folder}: holds no picture; accepted: {', '.join(IMAGE_SUFFIXES)}")
    if masks is not None:
        left_out += [f"{path}: has no picture" for name, path in labels.items() if name not in files]
        left_out += [f"{path}: has no mask" for name, path in files.items() if name not in labels]
        files = {name: path for name, path in files.items() if name in labels}
        if not files:
            raise InputError(f"{folder}: no picture has a mask of its name: {left_out[0]}")
    names = tuple(files)

    def read(k: int) -> Picture:
        rgb = _decoded(files[names[k]], read_picture)
        _check_size(str(files[names[k]]), rgb)
        if masks is None:
            return Picture(names[k], rgb, None)
        mask = _decoded(labels[names[k]], _read_mask)
        if mask.shape != rgb.shape[:2]:
            sizes = " but its picture ".join(f"{shape[1]} x {shape[0]}" for shape in (mask.shape, rgb.shape))
            raise InputError(f"{labels[names[k]]}: has {sizes} pixels")
        return Picture(names[k], rgb, mask)

    sizes = [(name, *(part[name].stat().st_size for part in (files, labels) if name in part)) for name in names]
    return PictureSet(_name(folder), masks is not None, names, tuple(left_out), read, fingerprint(sizes))


def _name(folder: Path) -> str:
    """The names of the parent folder and the folder, such as `data/cracks`."""
    return "/".join(part for part in folder.resolve().parts[-2:] if part != "/")


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_dir()), None)


def _files(folder: Path, left_out: list[str]) -> dict[str, Path]:
    """The picture files in a folder and below it, by relative path without suffix."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith("."):
            if not path.is_file():
                left_out.append(f"{path}: is a link to nothing, or no file")
                continue
            name = path.relative_to(folder).with_suffix("").as_posix()
            if name in found:
                left_out.append(f"{path}: has the same name as {found[name].name}")
            else:
                found[name] = path
    return found


def _decoded(path: Path, read: Callable[[Path], NDArray[Any]]) -> NDArray[Any]:
    try:
        return read(path)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def _read_mask(path: Path) -> Mask:
    with Image.open(path) as image:
        values = np.asarray(image.convert("RGB") if image.mode not in ("1", "L", "I", "F", "I;16") else image)
    if values.ndim == 3:
        values = values.max(axis=2)
    top = float(values.max())
    full = 1.0 if top <= 1 else 255.0 if top <= 255 else 65535.0
    return np.asarray(values > full / 2)


def _check_size(where: str, rgb: NDArray[np.uint8]) -> None:
    height, width = rgb.shape[:2]
    if min(height, width) < _SMALLEST:
        raise InputError(f"{where}: has {width} x {height} pixels; at least {_SMALLEST} on each side are needed")

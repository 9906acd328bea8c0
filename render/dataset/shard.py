"""The HDF5 shard: N frames stacked, written whole or not at all, readable by any HDF5 reader without plugins.

Every picture is one chunk, as `render.dataset.chunks` makes them.

| dataset | shape, dtype | meaning |
| --- | --- | --- |
| `rgb` | (N, H, W, 3) uint8 | as in `render.frame.Frame`, like all pictures below |
| `depth` | (N, H, W) float32 | metres, inf where nothing is hit |
| `instance`, `category`, `part` | (N, H, W) uint16, uint8, uint8 | 0 background |
| `normals` | (N, H, W, 3) float16 | OpenCV camera axes |
| `alpha` | (N, H, W) uint8 | coverage of the foreground |
| `background` | (N, H, W, 3) uint8 | only where the frames have a clean plate |
| `width`, `skeleton` | (N, H, W) float16, uint8 | of cracks only: mm from lip to lip; 1 on the middle line |
| `camera/intrinsics`, `camera/world_to_camera` | (N, 3, 3), (N, 4, 4) float64 | OpenCV |
| `index`, `label` | (N,) int64, (N,) int16 | the sample's index; class of the main object, -1 if none |
| `objects`, `scene` | (N,) utf-8 | JSON: the list of ObjectLabels; the Scene, or the Composition |
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import lru_cache
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from isal.igzip_lib import IsalError
from numpy.typing import NDArray
from pydantic import TypeAdapter

from render.dataset.chunks import append_picture, create_pictures, inflated
from render.frame import Frame, ObjectLabel, scene_from_json
from scenes.errors import InputError, choices
from scenes.files import replacing, sha256

FORMAT = 1
"""Version of the layout above, the attribute `format` of every shard."""

PICTURES: Mapping[str, tuple[np.dtype[Any], int]] = {
    "rgb": (np.dtype("<u1"), 3),
    "depth": (np.dtype("<f4"), 1),
    "instance": (np.dtype("<u2"), 1),
    "category": (np.dtype("<u1"), 1),
    "part": (np.dtype("<u1"), 1),
    "normals": (np.dtype("<f2"), 3),
    "alpha": (np.dtype("<u1"), 1),
    "background": (np.dtype("<u1"), 3),
    "width": (np.dtype("<f2"), 1),
    "skeleton": (np.dtype("<u1"), 1),
}
"""The fields of a Frame stored one chunk a picture: element type and number of channels."""


def write_shard(path: Path, frames: Iterable[Frame], *, attributes: Mapping[str, str | int]) -> str:
    """Write frames to a shard, one by one as they come, and return the sha256 of the file.

    attributes: go into the file beside `format` (see `render.dataset.dataset.Manifest.attributes`). All frames have
    the same picture size, and all or none a clean plate; ValueError otherwise, and when there is none. On any
    error, a full disk included, nothing is left and a shard that was there stays. Same frames and attributes, same
    bytes (on one kind of processor: ISA-L may pack the same data differently on another; the data are the same).
    """
    with replacing(path) as temporary:
        with _Disk(temporary, "w+") as disk:
            # The oldest layout that does the job: no time stamps, and every HDF5 reader knows it.
            with h5py.File(disk, "w", libver=("earliest", "v110")) as file:
                for key, value in sorted({**attributes, "format": FORMAT}.items()):
                    file.attrs[key] = value
                _fill(file, frames, disk)
            disk.check()
        return sha256(temporary)


class _Disk(FileIO):
    """The file under HDF5, keeping the first error of a write for `check`.

    HDF5 must not see it: a file it cannot flush it can never close, and what raised would be lost.
    """

    failed: OSError | None = None

    def write(self, data: Any) -> int:
        written = 0
        while self.failed is None and written < len(data):
            try:
                written += super().write(data[written:])
            except OSError as error:
                self.failed = error
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.failed = self.failed or error
            return size or 0

    def check(self) -> None:
        """Raise the OSError of the first write that failed."""
        if self.failed is not None:
            raise self.failed


def _fill(file: h5py.File, frames: Iterable[Frame], disk: _Disk) -> None:
    pictures: dict[str, h5py.Dataset] = {}
    rows: list[dict[str, Any]] = []
    for frame in frames:
        if not pictures:
            pictures = {name: create_pictures(file, name, *kind) for name, kind in _kinds(frame).items()}
            size = frame.rgb.shape[:2]
        _check(frame, size, set(pictures))
        for name, dataset in pictures.items():
            append_picture(dataset, getattr(frame, name))
        disk.check()
        rows.append(_row(frame))
    if not rows:
        raise ValueError("a shard needs at least one frame")
    for name, dtype in _ROWS.items():
        file.create_dataset(name, data=[row[name] for row in rows], dtype=dtype)


_ROWS: Mapping[str, Any] = {
    "camera/intrinsics": np.dtype("<f8"),
    "camera/world_to_camera": np.dtype("<f8"),
    "index": np.dtype("<i8"),
    "label": np.dtype("<i2"),
    "objects": h5py.string_dtype(),
    "scene": h5py.string_dtype(),
}


def _row(frame: Frame) -> dict[str, Any]:
    return {
        "camera/intrinsics": frame.intrinsics,
        "camera/world_to_camera": frame.world_to_camera,
        "index": frame.index,
        "label": frame.label,
        "objects": objects_to_json(frame.objects),
        "scene": frame.scene.to_json(),
    }


def _kinds(frame: Frame) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Shape and type of every picture of a frame, from the size of its rgb."""
    height, width = frame.rgb.shape[:2]
    return {
        name: ((height, width) if channels == 1 else (height, width, channels), dtype)
        for name, (dtype, channels) in PICTURES.items()
        if getattr(frame, name) is not None
    }


def _check(frame: Frame, size: tuple[int, ...], names: set[str]) -> None:
    kinds = _kinds(frame)
    if set(kinds) != names:
        raise ValueError(f"frame {frame.index}: all frames of a shard have a clean plate, width, skeleton, or none has")
    if frame.rgb.shape[:2] != size:
        raise ValueError(f"frame {frame.index}: {frame.rgb.shape[:2]} pixels in a shard of {size}")
    for name, (shape, dtype) in kinds.items():
        array = getattr(frame, name)
        if array.shape != shape or array.dtype != dtype:
            raise ValueError(f"frame {frame.index}: {name} is {array.shape} {array.dtype}, not {shape} {dtype}")


def objects_to_json(objects: tuple[ObjectLabel, ...]) -> str:
    """The objects' labels as JSON. Raises ValueError where a number is not finite."""
    return json.dumps([asdict(label) for label in objects], allow_nan=False, separators=(",", ":"))


@lru_cache(maxsize=1)
def _objects_adapter() -> TypeAdapter[tuple[ObjectLabel, ...]]:
    return TypeAdapter(tuple[ObjectLabel, ...])


class Shard:
    """A shard open for reading; a context manager.

    path: the file. attributes: its attributes. Raises InputError where the file is missing, not HDF5, truncated,
    damaged, or of another format version.
    """

    def __init__(self, path: Path):
        self.path = path
        self._file = _open(path)
        self.attributes: dict[str, str | int] = {
            key: value if isinstance(value, str) else int(value) for key, value in self._file.attrs.items()
        }
        if self.attributes.get("format") != FORMAT:
            found = self.attributes.get("format")
            self.close()
            raise InputError(
                f"{path}: not a blendmill shard, it has no format attribute"
                if found is None
                else f"{path}: shard format {found}, this version reads {FORMAT}; use the version that wrote it"
            )
        self._datasets = {name: self._file[name] for name in (*PICTURES, *_ROWS) if name in self._file}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._dataset("index"))

    def close(self) -> None:
        self._file.close()

    def picture(self, name: str, i: int) -> NDArray[Any]:
        """One picture: (H, W) or (H, W, 3) of a name in `PICTURES`. Raises IndexError outside the shard."""
        dataset = self._dataset(name)
        if not 0 <= i < len(dataset):
            raise IndexError(f"{self.path} holds {len(dataset)} pictures, there is no number {i}")
        try:
            _, chunk = dataset.id.read_direct_chunk((i,) + (0,) * (dataset.ndim - 1))
            return inflated(chunk, dataset.dtype, dataset.shape[1:])
        except (ValueError, OSError, RuntimeError, IsalError) as error:  # type: ignore[misc]  # the stub is wrong
            raise InputError(f"{self.path}: {name} of picture {i} is damaged; delete the file and rerun") from error

    def arrays(self, name: str) -> NDArray[Any]:
        """A whole dataset: (N, …) of any name in the table above; utf-8 comes as (N,) objects of type str."""
        if name in PICTURES:
            return np.stack([self.picture(name, i) for i in range(len(self))])
        dataset = self._dataset(name)
        return np.asarray(dataset.asstr()[:] if h5py.check_string_dtype(dataset.dtype) else dataset[:])

    def frame(self, i: int) -> Frame:
        """The i-th frame of the shard, 0-based. Raises IndexError outside the shard."""
        pictures: dict[str, Any] = {name: self.picture(name, i) for name in PICTURES if name in self._datasets}
        return Frame(
            **{"background": None, **pictures},
            intrinsics=self._dataset("camera/intrinsics")[i],
            world_to_camera=self._dataset("camera/world_to_camera")[i],
            index=int(self._dataset("index")[i]),
            label=int(self._dataset("label")[i]),
            objects=_objects_adapter().validate_json(self._dataset("objects")[i]),
            scene=scene_from_json(self._dataset("scene")[i]),
        )

    def _dataset(self, name: str) -> h5py.Dataset:
        found = self._datasets.get(name)
        if found is None:
            raise InputError(f"{self.path}: no dataset '{name}', {choices(name, [*PICTURES, *_ROWS])}")
        return found


def _open(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r", locking=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such shard; rerun the render command to draw it") from None
    except OSError as error:
        if "truncated" in str(error):
            raise InputError(f"{path}: truncated; delete it and rerun the render command") from error
        if "signature not found" in str(error):
            raise InputError(f"{path}: not an HDF5 file") from error
        raise InputError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from error

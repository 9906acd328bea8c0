"""Writes a shard, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import FileIO
from pathlib import Path
from typing import Any

import h5py

from render.dataset.chunks import append_picture, create_pictures
from render.dataset.shard_file import FORMAT
from render.frame import VALUES, Frame, pictures, present
from render.label import Label
from scenes.files import replacing, sha256


def write_shard(path: str | Path, frames: Iterable[Frame], *, attributes: Mapping[str, str | int]) -> str:
    """Write frames to a shard, one after the other.

    If anything fails, no partial file is left, and an existing shard stays as it was. The same frames and attributes
    give the same bytes on one kind of processor. On another kind ISA-L may compress the same data differently.

    Parameters
    ----------
    path : str or Path
        The HDF5 file to write.
    frames : iterable of Frame
        The pictures. All have the same size and the same labels.
    attributes : mapping of str to str or int
        Attributes of the file, from `Manifest.attributes`. `format` is added.

    Returns
    -------
    str
        The sha256 of the file.

    Raises
    ------
    ValueError
        There is no frame, or the frames differ in size or labels.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> import blendmill
    >>> Path("walls").mkdir()
    >>> Image.fromarray(np.full((64, 64, 3), 150, np.uint8)).save("walls/wall.png")
    >>> text = "renderer: composite\\nassets: {textures: [walls]}\\nresolution: [32, 32]\\n"
    >>> _ = Path("cracks.yaml").write_text(text)
    >>> config = blendmill.load_config("cracks.yaml")
    >>> sampler, renderer = blendmill.open_renderer(config)
    >>> frames = (renderer.draw(sampler.sample(0, index)) for index in range(2))
    >>> digest = blendmill.write_shard("cracks.h5", frames, attributes={"seed": 0})
    >>> len(digest)
    64
    """
    with replacing(Path(path)) as temporary:
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
    datasets: dict[str, h5py.Dataset] = {}
    rows: list[dict[str, Any]] = []
    for frame in frames:
        arrays = pictures(frame)
        if not rows:
            labels, size = present(frame), frame.rgb.shape[:2]
            datasets = {
                name: create_pictures(file, labels[name].path, array.shape, array.dtype)
                for name, array in arrays.items()
            }
        _check(frame, labels, size)
        for name, array in arrays.items():
            append_picture(datasets[name], array)
        disk.check()
        rows.append({name: label.encoded(getattr(frame, name)) for name, label in present(frame, VALUES).items()})
    if not rows:
        raise ValueError("a shard needs at least one frame")
    for name in rows[0]:
        dtype = h5py.string_dtype() if labels[name].text else labels[name].element
        file.create_dataset(labels[name].path, data=[row[name] for row in rows], dtype=dtype)


def _check(frame: Frame, labels: Mapping[str, Label], size: tuple[int, ...]) -> None:
    """Raise ValueError for a frame that does not stack with the shard's first, of these labels and (H, W) size."""
    differing = present(frame).keys() ^ labels.keys()
    if differing:
        raise ValueError(
            f"frame {frame.index}: either all frames of a shard have {', '.join(sorted(differing))}, or none has"
        )
    if frame.rgb.shape[:2] != size:
        raise ValueError(f"frame {frame.index}: {frame.rgb.shape[:2]} pixels in a shard of {size}")

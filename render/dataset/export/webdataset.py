"""WebDataset: tars `shard-000000.tar`, … of at most a thousand samples.

Each sample has `.png` (the picture), `.cls` (class index, -1 without a main object), `.json` (camera, objects,
keypoints, the Scene) and `.npz` (the picture's labels by name: depth, instance, …, exact). The tars' headers carry
neither time nor owner: the same data set gives the same bytes.

Hugging Face `datasets` reads them with `load_dataset("webdataset", data_files=..., streaming=True)`. Without streaming,
it wants the same fields in each .json, and scenes differ in theirs.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

from render.dataset.export.parts import metadata, npz, png, stem
from render.frame import Frame, pictures


def write_webdataset(frames: Iterable[Frame], classes: tuple[str, ...], out: Path, piece: int) -> list[str]:
    """Write a tar into `out`."""
    with tarfile.open(out / f"shard-{piece:06d}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        for frame in frames:
            for suffix, content in _members(frame, classes):
                member = tarfile.TarInfo(f"{stem(frame)}.{suffix}")
                member.size = len(content)
                tar.addfile(member, BytesIO(content))
    return []


def _members(frame: Frame, classes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    yield "png", png(frame.rgb)
    yield "cls", str(frame.label).encode()
    yield "json", json.dumps(metadata(frame, classes)).encode()
    yield "npz", npz({name: array for name, array in pictures(frame).items() if name != "rgb"})

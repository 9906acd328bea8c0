"""Fabricates finished data sets of any size in seconds, for `benchmarks/million.py`.

A hundred crack pictures of 32 x 32 pixels are drawn once. Each shard holds these pictures with indices of its own, as
bytes that are patched into a copy of the first shard. So each shard is one that blendmill reads, with its own checksum.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from render.dataset.manifest import Manifest
from render.dataset.shard_writer import write_shard
from render.farm.job import Job
from render.frame import Frame
from render.renderer import open_renderer
from scenes.config.loading import AnyConfig, load_config
from scenes.record.composite import Composition

SIZE = 100
"""Pictures in one shard."""

_DIGITS = 9
_FIRST = 10 ** (_DIGITS - 1)
_SKIPPED = 2
"""Of so many shards, one lacks its last picture, as if it had been given up."""


def config_of(folder: Path) -> AnyConfig:
    """The config of the sets, with the one texture that its pictures show, in a folder."""
    walls = folder / "walls"
    walls.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((64, 64, 3), 150, np.uint8)).save(walls / "wall.png")
    path = folder / "cracks.yaml"
    path.write_text("renderer: composite\nassets: {textures: [walls]}\nresolution: [32, 32]\n")
    return load_config(str(path))


@dataclass(frozen=True)
class _Template:
    """A shard's bytes, and where in them the indices stand: as numbers, and as text of nine characters each."""

    content: bytes
    numbers: int
    texts: tuple[int, ...]

    def shard(self, first: int) -> bytes:
        """The shard of the pictures from `first` on."""
        patched = bytearray(self.content)
        indices = first + np.arange(len(self.texts))
        patched[self.numbers : self.numbers + indices.nbytes] = indices.astype("<i8").tobytes()
        for place, index in zip(self.texts, indices.tolist(), strict=True):
            patched[place : place + _DIGITS] = b"%*d" % (_DIGITS, index)  # JSON allows spaces before a number
        return bytes(patched)


def _template(scratch: Path, manifest: Manifest, config: AnyConfig, pictures: int) -> _Template:
    sampler, renderer = open_renderer(config)
    drawn = [renderer.draw(sampler.sample(0, index)) for index in range(pictures)]
    frames = (_renumbered(frame, _FIRST + k) for k, frame in enumerate(drawn))
    path = scratch / "template.h5"
    write_shard(path, frames, attributes=manifest.attributes())
    with h5py.File(path) as file:
        numbers = file["index"].id.get_offset()
    content = path.read_bytes()
    path.unlink()
    texts = tuple(content.index(b"%d" % (_FIRST + k)) for k in range(pictures))
    return _Template(content, numbers, texts)


def _renumbered(frame: Frame, index: int) -> Frame:
    assert isinstance(frame.scene, Composition)
    return replace(frame, index=index, scene=replace(frame.scene, index=index))


def fabricate(folder: Path, counts: list[int]) -> Iterator[tuple[int, Path]]:
    """Make finished sets of some numbers of pictures, the largest first. Yields each number and its folder.

    The shards of the smaller sets are links to those of the largest. One picture of each second shard was skipped.
    """
    config = config_of(folder)
    sampler = open_renderer(config)[0]
    largest = max(counts)
    for count in sorted(counts, reverse=True):
        out = folder / str(count)
        shards = out / "shards"
        manifest = Job(config, 0, count, str(out), SIZE).manifest(sampler)
        if not shards.exists():
            shards.mkdir(parents=True)
            if count == largest:
                _write(shards, manifest, config, folder)
            else:
                for shard in range(manifest.shard_count):
                    name = manifest.shard_name(shard)
                    os.link(folder / str(largest) / "shards" / name, shards / name)
            whole = Manifest.load(folder / str(largest)) if count != largest else None
            sums = whole.shards if whole else _sums(shards, manifest)
            skipped = tuple(manifest.indices(k)[-1] for k in range(_SKIPPED - 1, manifest.shard_count, _SKIPPED))
            kept = {manifest.shard_name(k): sums[manifest.shard_name(k)] for k in range(manifest.shard_count)}
            manifest.model_copy(update={"shards": kept, "skipped": skipped}).save(out)
        yield count, out


def _write(shards: Path, manifest: Manifest, config: AnyConfig, scratch: Path) -> None:
    full = _template(scratch, manifest, config, min(SIZE, manifest.count))
    short = _template(scratch, manifest, config, SIZE - 1)
    for shard in range(manifest.shard_count):
        template = short if shard % _SKIPPED == _SKIPPED - 1 else full
        (shards / manifest.shard_name(shard)).write_bytes(template.shard(shard * SIZE))


def _sums(shards: Path, manifest: Manifest) -> dict[str, str]:
    names = [manifest.shard_name(shard) for shard in range(manifest.shard_count)]
    return {name: hashlib.sha256((shards / name).read_bytes()).hexdigest() for name in names}

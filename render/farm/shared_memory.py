"""Frames in slots of shared memory, through which a worker passes on what it drew.

A slot holds a frame's pictures one after the other; its other labels travel as JSON.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from mmap import ACCESS_READ, mmap
from typing import Any

import numpy as np

from render.frame import PICTURES, VALUES, Frame, pictures, present
from scenes import machine
from scenes.config.loading import AnyConfig
from scenes.errors import InputError

# Every picture in a slot begins at a multiple of this.
_ALIGNMENT = 64


@dataclass(frozen=True)
class _Place:
    """Where in its slot a picture lies: from `offset` on, `bytes` of them."""

    offset: int
    bytes: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@lru_cache(maxsize=8)
def _places(height: int, width: int, names: tuple[str, ...]) -> tuple[Mapping[str, _Place], int]:
    """Where a frame's pictures lie in their slot, and the bytes that they take of it."""
    found: dict[str, _Place] = {}
    offset = 0
    for name in names:
        label = PICTURES[name]
        shape = label.shape_at(height, width)
        found[name] = _Place(offset, math.prod(shape) * label.element.itemsize, shape, label.element)
        offset += -(-found[name].bytes // _ALIGNMENT) * _ALIGNMENT
    return found, offset


def slot_size(config: AnyConfig) -> int:
    """Bytes that hold any frame of a config."""
    width, height = config.resolution
    return frame_size(height, width)


def frame_size(height: int, width: int) -> int:
    """Bytes that hold any frame of (H, W) pixels."""
    return _places(height, width, tuple(PICTURES))[1]


def put_frame(frame: Frame, memory: int, slot: int, size: int) -> dict[str, Any]:
    """Write a frame's pictures into a slot of shared memory; the rest of it is returned as JSON data.

    memory: file descriptor. size: bytes a slot. Raises ValueError for a frame too large for its slot, or whose arrays
    are not as `Frame` has them, and OSError where memory is full.
    """
    height, width = frame.rgb.shape[:2]
    arrays = pictures(frame)
    places, taken = _places(height, width, tuple(arrays))
    if taken > size:
        raise ValueError(f"frame {frame.index}: {height} x {width} pixels do not fit a slot of {size} bytes")
    for name, place in places.items():
        array = np.ascontiguousarray(arrays[name])
        if os.pwrite(memory, array.data, slot * size + place.offset) != place.bytes:
            raise OSError(f"shared memory is full at slot {slot}")
    values = {name: label.encoded(getattr(frame, name)) for name, label in present(frame, VALUES).items()}
    return {"size": [height, width], "pictures": list(arrays), "values": values}


class Memory:
    """Room for `slots` frames of up to `size` bytes, in memory that processes share by its file descriptor, `file`.

    It has no name, and goes with the last process that holds it. Raises InputError where there is not enough.
    """

    def __init__(self, size: int, slots: int):
        self.size, self.slots = size, slots
        there = machine.memory()
        if size * slots > there:  # asking for more would not fail, but get processes killed
            raise InputError(
                f"{slots} pictures in shared memory take {size * slots >> 20} MiB of the {there >> 20} MiB that are "
                "free; draw fewer ahead"
            )
        self.file = _nameless()
        os.ftruncate(self.file, size * slots)
        self._map = mmap(self.file, size * slots, access=ACCESS_READ)

    def take(self, labels: Mapping[str, Any], slot: int) -> Frame:
        """The frame that `put_frame` put into a slot, copied out of it. labels: what `put_frame` returned."""
        frame: dict[str, Any] = {name: VALUES[name].decoded(stored) for name, stored in labels["values"].items()}
        for name, place in _places(*labels["size"], tuple(labels["pictures"]))[0].items():
            start = slot * self.size + place.offset
            flat = np.frombuffer(self._map, place.dtype, place.bytes // place.dtype.itemsize, start)
            frame[name] = flat.reshape(place.shape).copy()
        return Frame(**frame)

    def close(self) -> None:
        """Let go of the memory; frames that were taken stay good."""
        os.close(self.file)
        del self._map


def _nameless() -> int:
    if sys.platform == "linux":
        return os.memfd_create("blendmill")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())

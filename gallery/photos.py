"""Photographs as a set of the page. They have no labels; the names of their folders are not read as classes."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.columns import Row
from gallery.scripts import packed
from gallery.tiles import FACTORS, RGB, jpeg, smaller
from scenes.errors import InputError
from training.data.sources import open_pictures

_GRAY = 128
_KEPT = 64


class Photos:
    """The items of a folder of photographs, in the order of their names; a `gallery.sets.Source`.

    Raises InputError where there are none.
    """

    kinds: Mapping[str, Mapping[str, str]] = {RGB: {"drawn": "picture", "meaning": "photograph"}}

    def __init__(self, where: Path, side: int):
        self.pictures, self._side = open_pictures(where, labels=False), side
        self._read = lru_cache(_KEPT)(self._decoded)

    def items(self, index: int, kinds: Collection[str]) -> dict[str, Any]:
        name = packed(json.dumps([["file", self.pictures.key(index)]]).encode())
        return {kind: jpeg(self._read(index)) if kind == RGB else name if kind == FACTORS else None for kind in kinds}

    def row(self, index: int) -> tuple[Row, NDArray[np.uint8]]:
        return {}, self._read(index)

    def _decoded(self, index: int) -> NDArray[np.uint8]:
        """The photograph; a gray square where it cannot be read, as the page says by itself of no other picture."""
        try:
            return smaller(self.pictures.read(index), self._side)
        except InputError:
            return np.full((16, 16, 3), _GRAY, np.uint8)

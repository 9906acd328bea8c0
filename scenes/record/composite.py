"""The Composition: everything that decides a picture of a crack drawn on a photograph, as plain frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from scenes.streams import Streams

CRACK = "crack"
"""The class of cracks."""


@dataclass(frozen=True)
class Composition:
    """One composed picture before it is drawn: of (seed, index), width x height pixels of `mm_per_pixel`.

    texture: asset id of the surface. steps: for each step that is done its parameters' values. margin, threshold:
    as in `ComposeConfig`.
    """

    seed: int
    index: int
    width: int
    height: int
    mm_per_pixel: float
    margin: float
    threshold: float
    texture: str
    steps: Mapping[str, Mapping[str, Any]]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in mm."""
        return self.width * self.mm_per_pixel, self.height * self.mm_per_pixel

    def intrinsics(self) -> np.ndarray:
        """(3, 3) float64: a nominal camera that looks straight at the surface from one metre."""
        focal = 1000.0 / self.mm_per_pixel
        return np.array([[focal, 0.0, self.width / 2], [0.0, focal, self.height / 2], [0.0, 0.0, 1.0]])

    def world_to_camera(self) -> np.ndarray:
        """(4, 4) float64: the nominal camera is the world."""
        return np.eye(4)

    def streams(self) -> Streams:
        """The streams of this picture, for what takes more than one number."""
        return Streams(self.seed, self.index)

    def to_json(self) -> str:
        return _adapter().dump_json(self).decode()

    def to_data(self) -> dict[str, Any]:
        """The same as `to_json`, not yet written out."""
        return _adapter().dump_python(self, mode="json")

    @staticmethod
    def from_json(text: str | bytes) -> Composition:
        return _adapter().validate_json(text)


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Composition]:
    return TypeAdapter(Composition)

"""The Composition: everything that decides a picture of a crack drawn on a photograph, as plain frozen data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from scenes.record.record import CRACK, CrackMask, Factor, leaves
from scenes.streams import Streams


@dataclass(frozen=True)
class NominalCamera:
    """A camera that looks straight at a surface from one meter and sees `mm_per_pixel` of it; the world's axes are its.

    Nobody knows what a photograph was taken with: this one has the right scale.
    """

    width: int
    height: int
    mm_per_pixel: float
    fstop: float = 0.0

    def intrinsics(self) -> np.ndarray:
        """(3, 3) float64."""
        focal = 1000.0 / self.mm_per_pixel
        return np.array([[focal, 0.0, self.width / 2], [0.0, focal, self.height / 2], [0.0, 0.0, 1.0]])

    def world_to_camera(self) -> np.ndarray:
        """(4, 4) float64."""
        return np.eye(4)


@dataclass(frozen=True)
class Composition:
    """One composed picture before it is drawn, a `scenes.record.record.Record`.

    It is the picture of (seed, index), width x height pixels of `mm_per_pixel`.

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

    @property
    def camera(self) -> NominalCamera:
        return NominalCamera(self.width, self.height, self.mm_per_pixel)

    @property
    def subject(self) -> str:
        return CRACK

    @property
    def crack_mask(self) -> CrackMask:
        return "instance"

    @property
    def unknown_labels(self) -> frozenset[str]:
        """A photograph tells neither depth nor normals."""
        return frozenset({"depth", "normals"})

    def factors(self) -> Iterator[Factor]:
        """The values of every step but the style's reference, which is an asset."""
        yield "mm_per_pixel", self.mm_per_pixel
        for step, values in self.steps.items():
            yield from leaves(step, {name: value for name, value in values.items() if name != "reference"})

    def assets(self) -> Iterator[str]:
        """The surface's texture, the style's reference."""
        yield self.texture
        yield from (str(values["reference"]) for values in self.steps.values() if "reference" in values)

    @property
    def cracked(self) -> bool:
        """Whether a crack is drawn, be it seen or not."""
        return "crack" in self.steps

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

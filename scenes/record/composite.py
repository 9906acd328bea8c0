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
    """A camera one meter in front of a surface, with a pixel size of `mm_per_pixel`. Its axes are the world axes.

    The real camera of a photograph is unknown. This one has the right scale.
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
    """Everything that decides one picture of a crack on a photograph.

    Parameters
    ----------
    seed, index : int
        Seed of the data set and index of the picture.
    width, height : int
        Size of the picture in pixels.
    mm_per_pixel : float
        Length that a pixel covers, in mm, before the step "zoom".
    margin, threshold : float
        As in `ComposeConfig`.
    texture : str
        Asset id of the photograph.
    steps : mapping of str to mapping
        The values of the parameters of each step that is done.
    least : float
        As in `ComposeConfig`. Records of earlier versions have none, and label all.

    Examples
    --------
    >>> from blendmill import Composition
    >>> Composition(0, 0, 200, 100, 0.5, 0.8, 0.5, "walls/brick", {}).size
    (100.0, 50.0)
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
    least: float = 0.0

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in mm, before the step "zoom"."""
        return self.width * self.mm_per_pixel, self.height * self.mm_per_pixel

    @property
    def zoom(self) -> float:
        """The scale at which the finished picture is shown; 1 without the step "zoom"."""
        return float(self.steps["zoom"]["factor"]) if "zoom" in self.steps else 1.0

    @property
    def camera(self) -> NominalCamera:
        return NominalCamera(self.width, self.height, self.mm_per_pixel / self.zoom)

    @property
    def subject(self) -> str:
        return CRACK

    @property
    def crack_mask(self) -> CrackMask:
        return "instance"

    @property
    def unknown_labels(self) -> frozenset[str]:
        """Depth and normals: a photograph does not contain them."""
        return frozenset({"depth", "normals"})

    def factors(self) -> Iterator[Factor]:
        """The values of every step, except the reference of the style, which is an asset."""
        yield "mm_per_pixel", self.mm_per_pixel
        for step, values in self.steps.items():
            yield from leaves(step, {name: value for name, value in values.items() if name != "reference"})

    def assets(self) -> Iterator[str]:
        """The surface's texture, the style's reference."""
        yield self.texture
        yield from (str(values["reference"]) for values in self.steps.values() if "reference" in values)

    @property
    def cracked(self) -> bool:
        """Whether a crack is drawn, visible or not."""
        return "crack" in self.steps

    def streams(self) -> Streams:
        """The random streams of this picture, for steps that need more than one number."""
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

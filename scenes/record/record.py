"""The interface of every record of a picture. Code for data sets works with any kind of record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any, Literal, Protocol

import numpy as np

CRACK = "crack"
"""The class of cracks."""

Factor = tuple[str, float | str]
"""Name and value of something that varies between pictures. Numbers are numbers, everything else is text."""

CrackMask = Literal["", "instance", "category"]


class Viewpoint(Protocol):
    """Where a picture is seen from. Pixel centers are at +0.5; camera axes are OpenCV's."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    @property
    def fstop(self) -> float:
        """The aperture; 0 where everything is in focus."""

    def intrinsics(self) -> np.ndarray:
        """(3, 3) float64."""

    def world_to_camera(self) -> np.ndarray:
        """(4, 4) float64."""


class Record(Protocol):
    """Everything that decides one picture, as plain data. Same record, same picture."""

    @property
    def seed(self) -> int: ...

    @property
    def index(self) -> int: ...

    @property
    def camera(self) -> Viewpoint: ...

    @property
    def subject(self) -> str | None:
        """The class of the main object; None without one."""

    @property
    def crack_mask(self) -> CrackMask:
        """The mask that shows the crack; empty for pictures that are not about cracks.

        "instance": the crack is the object. "category": the crack lies in an object. Then the category and alpha masks
        show the crack, and the instance and part masks show the object. If the mask shows no crack, the picture has no
        main object.
        """

    @property
    def cracked(self) -> bool:
        """Whether a crack is drawn, visible or not."""

    @property
    def unknown_labels(self) -> frozenset[str]:
        """The labels that are unknown for this picture. They are filled with their value for "nothing"."""

    def factors(self) -> Iterator[Factor]:
        """All that varies in the picture."""

    def assets(self) -> Iterator[str]:
        """The ids of all assets in the picture, once for each use."""

    def to_json(self) -> str: ...

    def to_data(self) -> dict[str, Any]:
        """The same as `to_json`, not yet written out."""


def leaves(name: str, value: Any) -> Iterator[Factor]:
    """The numbers and words inside of a value, each under its path: `name.key`, `name.x`, `name.r`; None has none.

    Dataclasses are taken apart as mappings are. Most values are plain numbers: they need no call of their own.
    """
    if isinstance(value, (bool, str)):
        yield name, str(value)
        return
    inside: Mapping[str, Any]
    if isinstance(value, (tuple, list)):
        inside = dict(zip("rgb" if name.endswith("color") else "xyz", value, strict=False))
    elif is_dataclass(value):
        inside = vars(value)
    elif isinstance(value, Mapping):
        inside = value
    else:
        if value is not None:
            yield name, float(value)
        return
    if inside.keys() == {"family", "parameters"}:
        yield f"{name}.family", inside["family"]
        return
    for key, inner in inside.items():
        if type(inner) is float:
            yield f"{name}.{key}", inner
        else:
            yield from leaves(f"{name}.{key}", inner)

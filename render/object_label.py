"""The labels of one object in one picture: boxes, keypoints, parts, pose."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, TypeAdapter

Coordinate = Annotated[float, Field(ge=-1e12, le=1e12)]
"""A place in the picture or far beside it, in pixels. Sums and differences of such numbers are numbers."""

Box = tuple[Coordinate, Coordinate, Coordinate, Coordinate]

Size = tuple[Coordinate, Coordinate, Coordinate]
Row = tuple[Coordinate, Coordinate, Coordinate, Coordinate]
Pose = tuple[Row, Row, Row, Row]


@dataclass(frozen=True)
class Keypoint:
    """A named point of an object in the picture.

    Attributes
    ----------
    x, y : float
        Position in pixels, x to the right and y down. Pixel centers are at +0.5.
    visible : bool
        Whether the point is inside the picture and a ray from the camera reaches it. Keypoints can lie a little below
        the surface, so their own object may begin up to 3 % of its diagonal before them. No other object may.

    Examples
    --------
    >>> from blendmill import Keypoint
    >>> tip = Keypoint(x=12.5, y=30.5, visible=True)
    >>> int(tip.x), int(tip.y)  # the column and the row of its pixel
    (12, 30)
    """

    x: float
    y: float
    visible: bool


@dataclass(frozen=True)
class ObjectLabel:
    """The labels of one object in one picture.

    Boxes are x0, y0, x1, y1 in pixels; x1 and y1 are exclusive.

    Attributes
    ----------
    instance : int
        Id of the object in the instance mask, from 1.
    asset : str
        Id of the asset.
    category : str
        Name of the class.
    purpose : str
        The role of the object in the scene, such as "main".
    box : tuple of 4 floats or None
        Box around the visible pixels, or None if no pixel is visible.
    amodal_box : tuple of 4 floats or None
        Box around the whole projection, hidden parts included. It is not clipped to the picture. What is nearer than
        the camera's near plane (a thousandth of the distance to its target) is not drawn, and is cut off first. None if
        the whole object is behind that plane.
    pixels : int
        Number of visible pixels.
    share : float
        Share of the picture's pixels that these are, 0 to 1.
    visibility : float
        Share of the object's pixels inside the picture that are visible, 0 to 1.
    truncation : float
        Share of the area of `amodal_box` that is outside the picture, 0 to 1. It is 1 if there is no such box.
    keypoints : mapping of str to Keypoint
        Keypoints by name. Those behind the camera's near plane have no place in the picture, and are left out.
    parts : tuple of str
        Names of the parts. Part `n` of the part mask is ``parts[n - 1]``.
    glass : tuple of str
        Names of the parts that light passes through, such as glass.
    pose : 4 x 4 tuple of float or None
        Rotation and translation in meters from the object's own axes to the camera's (OpenCV: x right, y down, z
        forward). The object's origin is the middle of its box, and its front looks along its -y. None for cracks, which
        have no axes.
    extent : tuple of 3 floats or None
        Lengths in meters of the object's box along its own axes. The whole object lies within half of them around the
        origin of its pose.

    Examples
    --------
    >>> import numpy as np
    >>> from blendmill import ObjectLabel
    >>> mug = ObjectLabel(
    ...     instance=1, asset="mug_03", category="mug", purpose="main", box=(4.0, 2.0, 20.0, 18.0),
    ...     amodal_box=(3.6, 1.8, 20.1, 17.9), pixels=180, share=0.18, visibility=0.9, truncation=0.0,
    ...     keypoints={}, parts=("body",), extent=(0.08, 0.08, 0.1),
    ...     pose=((1, 0, 0, 0), (0, 0, -1, 0), (0, 1, 0, 0.5), (0, 0, 0, 1)),
    ... )
    >>> x0, y0, x1, y1 = mug.box
    >>> (x1 - x0) * (y1 - y0)
    256.0
    >>> mug.corners().min(axis=0).round(3).tolist(), mug.corners().max(axis=0).round(3).tolist()
    ([-0.04, -0.05, 0.46], [0.04, 0.05, 0.54])
    """

    instance: int
    asset: str
    category: str
    purpose: str
    box: Box | None
    amodal_box: Box | None
    pixels: int
    share: float
    visibility: float
    truncation: float
    keypoints: Mapping[str, Keypoint]
    parts: tuple[str, ...]
    glass: tuple[str, ...] = ()
    pose: Pose | None = None
    extent: Size | None = None

    def corners(self) -> NDArray[np.float64]:
        """(8, 3) corners of the object's box in camera axes, in meters: x changes slowest, z fastest.

        Raises ValueError for an object without a pose.
        """
        if self.pose is None or self.extent is None:
            raise ValueError(f"object {self.instance} ({self.category}) has no pose")
        pose = np.array(self.pose)
        halves = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * np.array(self.extent) / 2
        return np.asarray(halves @ pose[:3, :3].T + pose[:3, 3])


@lru_cache(maxsize=1)
def _objects() -> TypeAdapter[tuple[ObjectLabel, ...]]:
    return TypeAdapter(tuple[ObjectLabel, ...], config=ConfigDict(allow_inf_nan=False))


def objects_to_json(objects: tuple[ObjectLabel, ...]) -> str:
    """The labels of a picture's objects as text."""
    return json.dumps([asdict(label) for label in objects], allow_nan=False, separators=(",", ":"))


def objects_from_json(text: str | bytes) -> tuple[ObjectLabel, ...]:
    """The labels of such a text. Raises pydantic's ValidationError."""
    return _objects().validate_json(text)

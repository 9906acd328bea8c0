"""The Frame: one drawn picture with all its labels, and the one table that says what each label is.

A new label is a new field of `Frame`, with its `Label`: it is then stored, read, streamed, shown, checked and exported.
What draws it fills it in. What must hold between labels is in `render.dataset.checks`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import Annotated, Any, get_type_hints

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from render import false_color
from render.label import H, Label, Text, W, above_zero, finite_lengths, zero_or_one
from scenes.record.reading import scene_from_json
from scenes.record.record import Record

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Keypoint:
    """A named point in the picture: x, y in pixels (pixel centers at +0.5), and whether it is seen."""

    x: float
    y: float
    visible: bool


@dataclass(frozen=True)
class ObjectLabel:
    """What is known of one object in one picture.

    instance: its 1-based id in the instance mask. box: x0, y0, x1, y1 in pixels around its visible pixels, x1 and y1
    exclusive, or None when nothing of it is seen. amodal_box: around its whole projection, seen or not, not clipped
    to the picture. pixels: visible ones. visibility: visible share of its pixels inside the picture's frame, in
    [0, 1]. truncation: share of its amodal box's area outside the frame. parts: names by 1-based id in the part mask.
    """

    instance: int
    asset: str
    category: str
    purpose: str
    box: Box | None
    amodal_box: Box
    pixels: int
    visibility: float
    truncation: float
    keypoints: Mapping[str, Keypoint]
    parts: tuple[str, ...]


@lru_cache(maxsize=1)
def _objects() -> TypeAdapter[tuple[ObjectLabel, ...]]:
    return TypeAdapter(tuple[ObjectLabel, ...])


def _objects_to_json(objects: tuple[ObjectLabel, ...]) -> str:
    return json.dumps([asdict(label) for label in objects], allow_nan=False, separators=(",", ":"))


def _objects_from_json(text: str | bytes) -> tuple[ObjectLabel, ...]:
    return _objects().validate_json(text)


def _scene_to_json(scene: Record) -> str:
    return scene.to_json()


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture of (H, W) pixels and its labels. The `Label` of each field says what it is.

    The fields are in the order in which a shard stores them. Labels that default to None are of some pictures only.
    """

    rgb: Annotated[
        NDArray[np.uint8],
        Label("<u1", (H, W, 3), "sRGB", blenderproc="colors"),
    ]
    depth: Annotated[
        NDArray[np.float32],
        Label("<f4", (H, W), "planar z in meters along the optical axis, inf where nothing is hit",
              show=false_color.depth, valid=above_zero, blenderproc="depth"),
    ]  # fmt: skip
    instance: Annotated[
        NDArray[np.uint16],
        Label("<u2", (H, W), "0 background, else the id of the object there",
              show=false_color.ids, blenderproc="instance_segmaps"),
    ]  # fmt: skip
    category: Annotated[
        NDArray[np.uint8],
        Label("<u1", (H, W), "0 background, else 1 + class index of what is there",
              show=false_color.class_ids, blenderproc="category_id_segmaps"),
    ]  # fmt: skip
    part: Annotated[
        NDArray[np.uint8],
        Label("<u1", (H, W), "0 background, else the 1-based part of the object there", show=false_color.ids),
    ]
    normals: Annotated[
        NDArray[np.float16],
        Label("<f2", (H, W, 3), "unit, camera axes x right, y down, z forward; 0 where nothing is hit",
              show=false_color.normals, blenderproc="normals"),
    ]  # fmt: skip
    alpha: Annotated[
        NDArray[np.uint8],
        Label("<u1", (H, W), "anti-aliased coverage of the foreground, 255 is full", show=false_color.as_it_is),
    ]
    background: Annotated[
        NDArray[np.uint8] | None,
        Label("<u1", (H, W, 3), "clean plate: the picture without the foreground", show=false_color.as_it_is),
    ] = None
    width: Annotated[
        NDArray[np.float16] | None,
        Label("<f2", (H, W), "of cracks: mm from lip to lip, 0 off the crack",
              show=false_color.crack_width, valid=finite_lengths),
    ] = None  # fmt: skip
    skeleton: Annotated[
        NDArray[np.uint8] | None,
        Label("<u1", (H, W), "of cracks: 1 on the middle line, which is one pixel wide",
              show=false_color.mask, valid=zero_or_one),
    ] = None  # fmt: skip
    intrinsics: Annotated[
        NDArray[np.float64],
        Label("<f8", (3, 3), "OpenCV, pixel centers at +0.5", path="camera/intrinsics"),
    ]
    world_to_camera: Annotated[
        NDArray[np.float64],
        Label("<f8", (4, 4), "OpenCV, meters", path="camera/world_to_camera"),
    ]
    index: Annotated[int, Label("<i8", (), "index of the picture")]
    label: Annotated[int, Label("<i2", (), "class index of the main object, -1 if none")]
    objects: Annotated[
        tuple[ObjectLabel, ...],
        Label("text", (), "the ObjectLabels", text=Text(_objects_to_json, _objects_from_json)),
    ]
    scene: Annotated[
        Record,
        Label("text", (), "the record: every factor's value", text=Text(_scene_to_json, scene_from_json)),
    ]


def _table() -> Iterator[tuple[str, Label]]:
    declared = get_type_hints(Frame, include_extras=True)
    for entry in fields(Frame):
        (label,) = declared[entry.name].__metadata__
        yield entry.name, replace(label, path=label.path or entry.name, optional=entry.default is None)


LABELS: Mapping[str, Label] = dict(_table())
"""The table of labels: what each field of a Frame is, in the order in which shards store them."""

PICTURES: Mapping[str, Label] = {name: label for name, label in LABELS.items() if label.is_picture}
"""The labels with a value for each pixel."""

VALUES: Mapping[str, Label] = {name: label for name, label in LABELS.items() if not label.is_picture}
"""The labels with one value for the whole picture."""


def present(frame: Frame, labels: Mapping[str, Label] = LABELS) -> dict[str, Label]:
    """Those of some labels that a frame has."""
    return {name: label for name, label in labels.items() if getattr(frame, name) is not None}


def pictures(frame: Frame) -> dict[str, NDArray[Any]]:
    """The arrays of the pictures that a frame has, by name. Raises ValueError where one is not as its label says."""
    height, width = frame.rgb.shape[:2]
    found: dict[str, NDArray[Any]] = {}
    for name, label in present(frame, PICTURES).items():
        array, shape = getattr(frame, name), label.shape_at(height, width)
        if array.shape != shape or array.dtype != label.element:
            raise ValueError(f"frame {frame.index}: {name} is {array.shape} {array.dtype}, not {shape} {label.dtype}")
        found[name] = array
    return found

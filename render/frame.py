"""The Frame: one picture with all its labels, and the table that declares the labels.

To add a label, add a field with a `Label` to `Frame`, and fill it in the renderers. Storage, streams, sheets, checks
and exports read the table and need no change. Rules between labels are in `render.dataset.checks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from io import BytesIO
from typing import Annotated, Any, get_type_hints

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from render import false_color
from render.image.flow import Motion, optical_flow, seen_in
from render.label import (
    H,
    Label,
    Text,
    W,
    above_zero,
    finite,
    finite_lengths,
    lengths_if_known,
    not_infinite,
    poses,
    zero_or_one,
)  # fmt: skip
from render.object_label import ObjectLabel, objects_from_json, objects_to_json
from scenes.errors import InputError
from scenes.record.camera import Camera
from scenes.record.reading import scene_from_json
from scenes.record.record import Record
from scenes.record.scene import Item, Scene


def _scene_to_json(scene: Record) -> str:
    return scene.to_json()


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture of (H, W) pixels with its labels.

    A shard stores the fields in this order. The `Label` of each field declares its type and meaning; see `LABELS`.
    Cameras follow OpenCV: x right, y down, z forward.

    Attributes
    ----------
    rgb : (H, W, 3) uint8
        The picture, in sRGB.
    depth : (H, W) float32
        Distance along the optical axis in meters; inf where no surface is hit.
    instance : (H, W) uint16
        Id of the object at each pixel, 0 for background.
    category : (H, W) uint16
        1 + class index at each pixel, 0 for background.
    part : (H, W) uint16
        Part of the object at each pixel, from 1; 0 for background.
    normals : (H, W, 3) float16
        Unit surface normals in camera axes; 0 where no surface is hit.
    alpha : (H, W) uint8
        Anti-aliased coverage by the foreground times its opacity; 255 hides what is behind.
    background : (H, W, 3) uint8 or None
        The picture without the foreground (clean plate), in sRGB.
    flow : (H, W, 2) float32 or None
        Optical flow to the next view of the scene: how far right and down, in pixels, its camera shows the same point.
        The place may be hidden there, or outside. NaN where no point is known, and in a last view.
    disparity : (H, W) float32 or None
        In pictures of a stereo pair, how far left of its place in the left picture the right one shows the same point,
        in pixels. 0 for the sky, NaN where no point is known.
    width : (H, W) float16 or None
        Width of the crack in mm from lip to lip, on the surface that it is in; 0 off the crack. Only for pictures of
        cracks.
    skeleton : (H, W) uint8 or None
        1 on the center line of the crack, which is one pixel wide. Only for pictures of cracks.
    intrinsics : (3, 3) float64
        Camera matrix in pixels. Pixel centers are at +0.5.
    world_to_camera : (4, 4) float64
        Rigid transform from world to camera axes, in meters.
    index : int
        Index of the picture in its data set.
    label : int
        Class index of the main object, or -1 if there is none.
    objects : tuple of ObjectLabel
        The labels of each object.
    scene : Scene or Composition
        The record that the picture was drawn from.

    Examples
    --------
    >>> import numpy as np
    >>> from blendmill import Composition, Frame
    >>> empty = np.zeros((4, 6), np.uint16)
    >>> frame = Frame(
    ...     rgb=np.zeros((4, 6, 3), np.uint8), depth=np.full((4, 6), np.inf, np.float32),
    ...     instance=empty, category=empty, part=empty, normals=np.zeros((4, 6, 3), np.float16),
    ...     alpha=empty.astype(np.uint8), intrinsics=np.eye(3), world_to_camera=np.eye(4), index=0, label=-1,
    ...     objects=(), scene=Composition(seed=0, index=0, width=6, height=4, mm_per_pixel=1.0, margin=0.0,
    ...                                   threshold=0.5, texture="", steps={}),
    ... )
    >>> frame.rgb.shape, frame.background is None
    ((4, 6, 3), True)
    >>> frame.show("instance").size
    (528, 198)
    """

    rgb: Annotated[
        NDArray[np.uint8],
        Label("<u1", (H, W, 3), "sRGB", blenderproc="colors"),
    ]
    depth: Annotated[
        NDArray[np.float32],
        Label("<f4", (H, W), "distance along the optical axis in meters, inf where no surface is hit",
              show=false_color.depth, valid=above_zero, blenderproc="depth"),
    ]  # fmt: skip
    instance: Annotated[
        NDArray[np.uint16],
        Label("<u2", (H, W), "0 background, else the id of the object",
              show=false_color.ids, blenderproc="instance_segmaps"),
    ]  # fmt: skip
    category: Annotated[
        NDArray[np.uint16],
        Label("<u2", (H, W), "0 background, else 1 + class index",
              show=false_color.class_ids, blenderproc="category_id_segmaps"),
    ]  # fmt: skip
    part: Annotated[
        NDArray[np.uint16],
        Label("<u2", (H, W), "0 background, else the part of the object, from 1", show=false_color.ids),
    ]
    normals: Annotated[
        NDArray[np.float16],
        Label("<f2", (H, W, 3), "unit normals, camera axes x right, y down, z forward; 0 where no surface is hit",
              show=false_color.normals, valid=finite, blenderproc="normals"),
    ]  # fmt: skip
    alpha: Annotated[
        NDArray[np.uint8],
        Label("<u1", (H, W), "anti-aliased coverage of the foreground times its opacity", show=false_color.as_it_is),
    ]
    background: Annotated[
        NDArray[np.uint8] | None,
        Label("<u1", (H, W, 3), "clean plate: the picture without the foreground", show=false_color.as_it_is),
    ] = None
    flow: Annotated[
        NDArray[np.float32] | None,
        Label("<f4", (H, W, 2), "pixels right and down to the same point in the next view, NaN where it is not known",
              show=false_color.flow, valid=not_infinite, blenderproc="forward_flow"),
    ] = None  # fmt: skip
    disparity: Annotated[
        NDArray[np.float32] | None,
        Label("<f4", (H, W), "pixels from the same point in the right picture of a pair to that in the left one; NaN "
              "where it is not known", show=false_color.disparity, valid=lengths_if_known),
    ] = None  # fmt: skip
    width: Annotated[
        NDArray[np.float16] | None,
        Label("<f2", (H, W), "width of the crack in mm, 0 off the crack",
              show=false_color.crack_width, valid=finite_lengths),
    ] = None  # fmt: skip
    skeleton: Annotated[
        NDArray[np.uint8] | None,
        Label("<u1", (H, W), "1 on the center line of the crack, which is one pixel wide",
              show=false_color.mask, valid=zero_or_one),
    ] = None  # fmt: skip
    intrinsics: Annotated[
        NDArray[np.float64],
        Label("<f8", (3, 3), "OpenCV, pixel centers at +0.5", path="camera/intrinsics", valid=finite),
    ]
    world_to_camera: Annotated[
        NDArray[np.float64],
        Label("<f8", (4, 4), "OpenCV, meters", path="camera/world_to_camera", valid=poses),
    ]
    index: Annotated[int, Label("<i8", (), "index of the picture")]
    label: Annotated[int, Label("<i2", (), "class index of the main object, -1 if none")]
    objects: Annotated[
        tuple[ObjectLabel, ...],
        Label("text", (), "the labels of each object", text=Text(objects_to_json, objects_from_json)),
    ]
    scene: Annotated[
        Record,
        Label(
            "text",
            (),
            "the record, with the value of each factor",
            text=Text(_scene_to_json, scene_from_json),
        ),
    ]

    def pose(self, item: Item) -> NDArray[np.float64]:
        """(4, 4) rotation and translation in meters from an object's own axes to the camera's (OpenCV).

        item: one of `scene.items`. The object's origin is the middle of its box; its size, `item.scale`, is left out.
        `objects` has the same, for each object, as `pose`.
        """
        return np.asarray(self.world_to_camera @ item.pose())

    def flow_to(self, other: Frame) -> NDArray[np.float32]:
        """(H, W, 2) optical flow to any other picture of the same scene, as the label `flow` has it to the next view.

        Raises InputError if the other picture shows another scene.
        """
        scene, camera, motion = _one_scene(self, other)
        return optical_flow(self.depth, scene, camera, motion)

    def seen_in(self, other: Frame) -> NDArray[np.bool_]:
        """(H, W) whether another picture of the same scene shows the point of each pixel, too.

        It does if the point is inside of the picture, and no farther than what the picture shows there. Points of the
        sky count, those of backgrounds without a place do not. Raises InputError for a picture of another scene.
        """
        scene, camera, motion = _one_scene(self, other)
        return seen_in(self.depth, scene, camera, other.depth, motion)

    def show(self, *labels: str) -> Image.Image:
        """The picture beside some of its labels, in false colors. A notebook shows the image that is returned.

        labels: names of labels such as "depth"; all per-pixel labels where none is given. Raises InputError for a name
        that is none.
        """
        from render.image.sheets import shown  # sheets are made of frames

        return shown(self, labels)

    def _repr_png_(self) -> bytes:
        """The picture, for a notebook."""
        buffer = BytesIO()
        Image.fromarray(self.rgb).save(buffer, "PNG")
        return buffer.getvalue()


def _one_scene(frame: Frame, other: Frame) -> tuple[Scene, Camera, Motion | None]:
    """The scene of a picture, the camera of another picture of it, and how items move from the one to the other."""
    scene, shown = frame.scene, other.scene
    if not isinstance(scene, Scene) or not isinstance(shown, Scene) or _things(scene) != _things(shown):
        raise InputError(f"pictures {frame.index} and {other.index} show two scenes; give two views of one")
    poses = [(item.location, item.rotation) for item in shown.items]
    moved = poses != [(item.location, item.rotation) for item in scene.items]
    return scene, shown.camera, (frame.instance, poses) if moved else None


def _things(scene: Scene) -> Scene:
    """A scene without what differs between its views."""
    items = tuple(replace(item, location=(0, 0, 0), rotation=(1, 0, 0, 0)) for item in scene.items)
    return replace(scene, index=0, items=items, camera=None, next_camera=None, next_poses=())  # type: ignore[arg-type]


def _table() -> Iterator[tuple[str, Label]]:
    declared = get_type_hints(Frame, include_extras=True)
    for entry in fields(Frame):
        (label,) = declared[entry.name].__metadata__
        yield entry.name, replace(label, path=label.path or entry.name, optional=entry.default is None)


LABELS: Mapping[str, Label] = dict(_table())
"""The declaration of each field of a Frame, by name, in the order in which shards store the fields."""

PICTURES: Mapping[str, Label] = {name: label for name, label in LABELS.items() if label.is_picture}
"""The labels that have a value for each pixel."""

VALUES: Mapping[str, Label] = {name: label for name, label in LABELS.items() if not label.is_picture}
"""The labels that have one value for the whole picture."""


def present(frame: Frame, labels: Mapping[str, Label] = LABELS) -> dict[str, Label]:
    """The given labels that are not None in a frame."""
    return {name: label for name, label in labels.items() if getattr(frame, name) is not None}


def pictures(frame: Frame) -> dict[str, NDArray[Any]]:
    """The per-pixel arrays of a frame, by name. Raises ValueError if a shape or dtype does not match its label."""
    height, width = frame.rgb.shape[:2]
    found: dict[str, NDArray[Any]] = {}
    for name, label in present(frame, PICTURES).items():
        array, shape = getattr(frame, name), label.shape_at(height, width)
        if array.shape != shape or array.dtype != label.element:
            raise ValueError(f"frame {frame.index}: {name} is {array.shape} {array.dtype}, not {shape} {label.dtype}")
        found[name] = array
    return found

"""Whether a frame's labels agree with one another: one short check for each thing that must hold.

What must hold for the values of one label alone is declared in the table of labels, as `Label.valid`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from render.frame import LABELS, Frame, present
from render.object_label import ObjectLabel
from scenes.record.record import CRACK

Check = Callable[[Frame, tuple[str, ...]], Iterator[str]]


def _values(frame: Frame, classes: tuple[str, ...]) -> Iterator[str]:
    for name, label in present(frame, LABELS).items():
        wrong = 0 if label.valid is None else int((~label.valid(getattr(frame, name))).sum())
        if wrong:
            yield f"{name} has {wrong} impossible values; it is {label.meaning}"


def _ids(frame: Frame, classes: tuple[str, ...]) -> Iterator[str]:
    ids = [label.instance for label in frame.objects]
    if len(set(ids)) < len(ids):
        yield "two objects share an instance id"
    strangers = set(np.unique(frame.instance).tolist()) - {0, *ids}
    if strangers:
        yield f"instance ids {sorted(strangers)} belong to no object"


def _categories(frame: Frame, classes: tuple[str, ...]) -> Iterator[str]:
    if frame.scene.crack_mask == "category":
        return
    for label, mask in _masks(frame):
        expected = 1 + classes.index(label.category) if label.category in classes else 0
        if (frame.category[mask] != expected).any():
            yield f"the category mask of {_called(label)} is not {expected} throughout"
    if frame.category[frame.instance == 0].any():
        yield "the category mask is not 0 throughout the background"


def _parts(frame: Frame, classes: tuple[str, ...]) -> Iterator[str]:
    for label, mask in _masks(frame):
        found = frame.part[mask]
        if len(found) and not 1 <= found.min() <= found.max() <= len(label.parts):
            yield f"part ids of {_called(label)} span {found.min()} to {found.max()}, it has {len(label.parts)} parts"
    if frame.part[frame.instance == 0].any():
        yield "the part mask is not 0 throughout the background"


def _depths(frame: Frame, classes: tuple[str, ...]) -> Iterator[str]:
    seen = frame.depth[frame.instance > 0]
    if "depth" not in frame.scene.unknown_labels and not np.isfinite(seen).all():
        yield f"depth is not finite at {int((~np.isfinite(seen)).sum())} pixels of objects"


def _normals(frame: Frame, classes: tuple[str, ...]) -> Iterator[str]:
    length = np.linalg.norm(frame.normals.astype(np.float32), axis=-1)
    unknown = (frame.instance == 0) | ("normals" in frame.scene.unknown_labels)
    wrong = ~np.isclose(length, 1, atol=3e-3) & ~((length == 0) & unknown)
    if wrong.any():
        yield f"normals are not unit at {int(wrong.sum())} pixels"


def _hits(frame: Frame, classes: tuple[str, ...]) -> Iterator[str]:
    differing = np.isfinite(frame.depth) != frame.normals.any(axis=-1)
    if differing.any():
        yield f"at {int(differing.sum())} pixels there is a depth or a normal, but not both"


def _alphas(frame: Frame, classes: tuple[str, ...]) -> Iterator[str]:
    # Out of focus the picture is blurred and the masks are not: they differ by design.
    # A sliver of a clear pane can round to 0.
    solid = [label.instance for label in frame.objects if not label.glass]
    bare = (frame.alpha == 0) & np.isin(frame.instance, solid)
    focused, of_objects = frame.scene.camera.fstop == 0, frame.scene.crack_mask != "category"
    if focused and of_objects and bare.any():
        yield f"alpha is 0 at {int(bare.sum())} pixels of objects"


def _boxes(frame: Frame, classes: tuple[str, ...]) -> Iterator[str]:
    for label, mask in _masks(frame):
        rows, columns = np.nonzero(mask)
        if label.pixels != len(rows):
            yield f"{_called(label)} shows {len(rows)} pixels, its label says {label.pixels}"
        if label.share != len(rows) / mask.size:
            yield f"{_called(label)} has a share of {len(rows) / mask.size:g}, its label says {label.share:g}"
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if len(rows) else None
        if (box is None) != (label.box is None) or (box and label.box and tuple(map(float, box)) != label.box):
            yield f"the box of {_called(label)} is {label.box}, its mask's is {box}"


def _records(frame: Frame, classes: tuple[str, ...]) -> Iterator[str]:
    scene = frame.scene
    if scene.index != frame.index:
        yield f"its scene is of index {scene.index}"
    camera = scene.camera
    if (camera.height, camera.width) != frame.rgb.shape[:2]:
        yield f"its scene's camera has {camera.width} x {camera.height} pixels"
    if not np.allclose(frame.intrinsics, camera.intrinsics()):
        yield "intrinsics are not its scene's"
    if not np.allclose(frame.world_to_camera, camera.world_to_camera()):
        yield "world_to_camera is not its scene's"
    main = _main(frame)
    if frame.label != (classes.index(main) if main in classes else -1):
        yield f"label {frame.label} is not the class of its main object, {main}"


def _poses(frame: Frame, classes: tuple[str, ...]) -> Iterator[str]:
    items = getattr(frame.scene, "items", ())
    for label in frame.objects:
        if label.pose is None or not 1 <= label.instance <= len(items):
            continue
        if not np.allclose(label.pose, frame.pose(items[label.instance - 1]), atol=1e-6):
            yield f"the pose of {_called(label)} is not its scene's"
        if label.extent is None or min(label.extent) < 0:
            yield f"the extent of {_called(label)} is {label.extent}, not three lengths"


def _main(frame: Frame) -> str | None:
    """The class that the picture is of: a crack must show for it."""
    mask = frame.scene.crack_mask
    shows = not mask or getattr(frame, mask).any()
    return frame.scene.subject if shows else None


def _cracks(frame: Frame, classes: tuple[str, ...]) -> Iterator[str]:
    if frame.width is None or frame.skeleton is None:
        return
    bare = (frame.category == 1 + classes.index(CRACK)) & (frame.width == 0) if CRACK in classes else np.array(False)
    if bare.any():
        yield f"the width is 0 at {int(bare.sum())} pixels of cracks"
    stray = (frame.skeleton > 0) & (frame.width == 0)
    if stray.any():
        yield f"the middle line runs through {int(stray.sum())} pixels without a crack"


CHECKS: dict[str, Check] = {
    "values are possible": _values,
    "instance ids belong to objects": _ids,
    "categories agree with instances": _categories,
    "parts agree with instances": _parts,
    "depth is finite on objects": _depths,
    "normals are unit": _normals,
    "depth and normals agree on what is hit": _hits,
    "alpha covers the objects": _alphas,
    "boxes and areas equal the masks": _boxes,
    "camera and label equal the scene": _records,
    "poses equal the scene's": _poses,
    "width and middle line lie on the crack": _cracks,
}
"""Each yields what is wrong with a frame, given the class names."""


def _masks(frame: Frame) -> Iterator[tuple[ObjectLabel, np.ndarray]]:
    for label in frame.objects:
        yield label, frame.instance == label.instance


def _called(label: ObjectLabel) -> str:
    return f"object {label.instance} ({label.category})"

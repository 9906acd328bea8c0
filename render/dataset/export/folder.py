"""Folders by class, as torchvision's ImageFolder reads them, with the labels in parallel trees beside.

    images/<class>/000000.png      what ImageFolder is given
    instance/<class>/000000.png    16 bit, the instance mask; likewise category/, part/, alpha/ (8 bit), background/
    geometry/<class>/000000.npz    depth (float32 metres, inf where nothing is hit) and normals (float16), exact
    meta/<class>/000000.json       camera, objects, keypoints, the Scene

Pictures without a main object are under the class "unlabelled".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from render.dataset.export.parts import arrays, class_folder, metadata, stem, write_png
from render.frame import Frame

_TREES = {
    "images": "rgb", "instance": "instance", "category": "category", "part": "part", "alpha": "alpha",
    "background": "background",
}  # fmt: skip


def write_folder(frames: Iterable[Frame], classes: tuple[str, ...], out: Path) -> None:
    """Write the trees above into `out`."""
    for frame in frames:
        name = Path(class_folder(frame, classes)) / stem(frame)
        for tree, field in _TREES.items():
            array = getattr(frame, field)
            if array is not None:
                write_png(out / tree / f"{name}.png", array)
        _write(out / "geometry" / f"{name}.npz", arrays(frame, "depth", "normals"))
        _write(out / "meta" / f"{name}.json", json.dumps(metadata(frame, classes)).encode())


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)

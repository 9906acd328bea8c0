"""One HDF5 file for each picture with BlenderProc's keys: `0.hdf5`, `1.hdf5`, …

| key | shape, dtype | convention, as BlenderProc's writer has it |
| --- | --- | --- |
| `colors` | (H, W, 3) uint8 | sRGB |
| `depth` | (H, W) float32 | planar z in meters, 1e10 where nothing is hit |
| `normals` | (H, W, 3) float32 | (n + 1) / 2, n in Blender's camera axes: right, up, to the viewer; 0.5 for none |
| `category_id_segmaps`, `instance_segmaps` | (H, W) uint8, uint16 above 255 classes or objects | 0 background |
| `instance_attribute_maps` | bytes | JSON: idx, category_id, name of the background and each visible object |
| `cam_K`, `cam2world_matrix` | (3, 3), (4, 4) float64 | the latter of Blender's camera axes |
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from render.dataset.chunks import deflated
from render.frame import PICTURES, Frame, present

_NOTHING = np.float32(1e10)
# OpenCV's camera axes to Blender's: y and z change sign.
_FLIP = np.array([1.0, -1.0, -1.0])


def write_per_image(frames: Iterable[Frame], classes: tuple[str, ...], out: Path, piece: int) -> list[str]:
    """Write the files into `out`."""
    for frame in frames:
        # In memory: HDF5 cannot close a file that the disk has no room for.
        content = io.BytesIO()
        with h5py.File(content, "w", libver=("earliest", "v110")) as file:
            for name, picture in _pictures(frame, classes).items():
                dataset = file.create_dataset(
                    name, picture.shape, picture.dtype, chunks=picture.shape, compression="gzip", shuffle=True
                )
                dataset.id.write_direct_chunk((0,) * picture.ndim, deflated(picture))
            file["instance_attribute_maps"] = np.bytes_(json.dumps(_attributes(frame, classes)))
            file["cam_K"] = frame.intrinsics
            file["cam2world_matrix"] = np.linalg.inv(frame.world_to_camera) @ np.diag([*_FLIP, 1.0])
        (out / f"{frame.index}.hdf5").write_bytes(content.getvalue())
    return []


def _pictures(frame: Frame, classes: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """The labels that have a key of BlenderProc's, as its writer has them."""
    keyed = {name: label for name, label in PICTURES.items() if label.blenderproc}
    keys = {name: label.blenderproc for name, label in present(frame, keyed).items()}
    largest = {"category_id_segmaps": len(classes), "instance_segmaps": len(frame.objects)}
    found = {key: _CONVERT.get(key, _same)(getattr(frame, name)) for name, key in keys.items()}
    return {key: _narrow(array, largest[key]) if key in largest else array for key, array in found.items()}


def _same(array: NDArray[Any]) -> NDArray[Any]:
    return array


def _depth(depth: NDArray[Any]) -> NDArray[Any]:
    return np.where(np.isfinite(depth), depth, _NOTHING)


def _normals(normals: NDArray[Any]) -> NDArray[Any]:
    return (normals * _FLIP * 0.5 + 0.5).astype(np.float32)


def _narrow(ids: NDArray[Any], largest: int) -> NDArray[Any]:
    return ids.astype(np.uint8 if largest < 256 else np.uint16)


# Labels that BlenderProc has in another convention, by its keys.
_CONVERT: Mapping[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "depth": _depth,
    "normals": _normals,
}


def _attributes(frame: Frame, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    visible = [label for label in frame.objects if label.pixels > 0]
    return [{"idx": 0, "category_id": 0, "name": "background"}] + [
        {
            "idx": label.instance,
            "category_id": 1 + classes.index(label.category) if label.category in classes else 0,
            "name": label.category,
            "asset": label.asset,
        }
        for label in visible
    ]

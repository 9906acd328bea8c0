"""A model as one .npz: the arrays of all parts end to end, and a JSON text that says where each part begins.

The checksums of the archive reveal a damaged file. No pickle is read.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from scenes.mesh import Appearance, Model, Part, Picture

# What reading a damaged file may raise.
DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error, NotImplementedError)


def pack(model: Model, **about: Any) -> bytes:
    """The model, and JSON data about it. Of color maps, only the names of their files are kept."""
    text = json.dumps({**about, "model": _contents(model)}, default=_name).encode()
    return _npz({"about": np.frombuffer(text, np.uint8), **_arrays(model)})


def _name(path: Any) -> str:
    if isinstance(path, Path):
        return path.name
    raise TypeError(f"{type(path).__name__} has no place in a packed model")


def unpack(path: Path, maps: Callable[[str], Path]) -> tuple[Model, dict[str, Any]]:
    """A model and what was packed with it; `maps`: from the name of a color map to its file. Raises one of DAMAGE."""
    with np.load(path, allow_pickle=False) as arrays:
        about = json.loads(arrays["about"].tobytes())
        return _model(about["model"], {name: arrays[name] for name in arrays.files}, maps), about


def unpack_about(path: Path) -> dict[str, Any]:
    """What was packed with the model, without its arrays. Raises one of DAMAGE."""
    with np.load(path, allow_pickle=False) as arrays:
        about: dict[str, Any] = json.loads(arrays["about"].tobytes())
        return about


def _contents(model: Model) -> dict[str, Any]:
    parts = []
    for part in model.parts:
        look = None
        if part.appearance is not None:
            look = asdict(part.appearance.with_files(lambda path: Path(path.name)))
        parts.append(
            {
                "name": part.name,
                "role": part.role,
                "vertices": len(part.vertices),
                "faces": len(part.faces),
                "layers": 0 if part.uvs is None else part.uvs.shape[2] // 2,
                "colors": part.colors is not None,
                "appearance": look,
            }
        )
    return {
        "parts": parts,
        "keypoints": {name: np.asarray(p).tolist() for name, p in model.keypoints.items()},
        "parameters": {k: v.item() if isinstance(v, np.generic) else v for k, v in model.parameters.items()},
    }


def _arrays(model: Model) -> dict[str, np.ndarray]:
    # Importers hand over float64 positions, far from the origin at times; unit models are float32.
    kind = np.result_type(*(part.vertices.dtype for part in model.parts))
    uvs = [
        layer for part in model.parts if part.uvs is not None for layer in np.split(part.uvs, part.uvs.shape[2] // 2, 2)
    ]
    colors = [part.colors for part in model.parts if part.colors is not None]
    return {
        "vertices": np.concatenate([part.vertices for part in model.parts]).astype(kind),
        "faces": np.concatenate([part.faces for part in model.parts]).astype(np.int32),
        "normals": np.concatenate([part.normals for part in model.parts]).astype(np.float32),
        "uvs": np.concatenate([*uvs, np.empty((0, 3, 2))]).astype(np.float32),
        "colors": np.concatenate([*colors, np.empty((0, 3, 4))]).astype(np.float32),
    }


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    # Level 1 is a quarter of the size for 5 ms; numpy's own savez_compressed knows only the slow level 6.
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            plain = io.BytesIO()
            np.save(plain, array, allow_pickle=False)
            archive.writestr(f"{name}.npy", plain.getvalue())
    return packed.getvalue()


def _model(contents: Mapping[str, Any], arrays: Mapping[str, np.ndarray], maps: Callable[[str], Path]) -> Model:
    parts, vertex, face, textured, colored = [], 0, 0, 0, 0
    for row in contents["parts"]:
        vertices, faces = slice(vertex, vertex + row["vertices"]), slice(face, face + row["faces"])
        uvs = slice(textured, textured + row["faces"] * row["layers"])
        colors = slice(colored, colored + row["faces"]) if row["colors"] else None
        parts.append(
            Part(
                row["name"],
                arrays["vertices"][vertices],
                arrays["faces"][faces],
                arrays["normals"][faces],
                np.concatenate(np.split(arrays["uvs"][uvs], row["layers"]), axis=2) if row["layers"] else None,
                row["role"],
                _appearance(row["appearance"], maps),
                None if colors is None else arrays["colors"][colors],
            )
        )
        vertex, face = vertices.stop, faces.stop
        textured = uvs.stop
        colored = colored if colors is None else colors.stop
    points = {name: np.array(p) for name, p in contents["keypoints"].items()}
    return Model(tuple(parts), points, contents["parameters"])


def _appearance(row: Mapping[str, Any] | None, maps: Callable[[str], Path]) -> Appearance | None:
    if row is None:
        return None
    values = {name: _tupled(value) for name, value in row.items()}
    inputs = {name: _tupled(value) for name, value in row["inputs"].items()}
    pictures = {
        name: Picture(**{key: _tupled(value) for key, value in one.items()}) for name, one in row["pictures"].items()
    }
    # The names come from a file: only their last part counts.
    return Appearance(**{**values, "inputs": inputs, "pictures": pictures}).with_files(lambda p: maps(Path(p).name))


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value

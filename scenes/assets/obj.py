"""Wavefront OBJ files: polygons of any shape, relative indices, several libraries of materials, colors of vertices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenes.assets.appearance import Mtl
from scenes.assets.polygons import triangles
from scenes.assets.references import MAX_PARTS, References, decoded, libraries
from scenes.errors import LoadError

if TYPE_CHECKING:
    import trimesh


@dataclass
class _Lines:
    """What the lines of a file say. The corners of all polygons lie end to end: place, UV and normal, 0-based, -1 for
    none. `material` is the number of each polygon's in `materials`. `paint` has the color of each vertex as ZBrush
    writes it: eight hexadecimal digits, of which the last six are red, green and blue."""

    places: list[list[str]] = field(default_factory=list)
    uvs: list[list[str]] = field(default_factory=list)
    normals: list[list[str]] = field(default_factory=list)
    corners: list[tuple[int, int, int]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    material: list[int] = field(default_factory=list)
    materials: dict[str, int] = field(default_factory=lambda: {"": 0})
    paint: list[str] = field(default_factory=list)
    others: bool = False


def read_obj(data: bytes, refers: References) -> trimesh.Scene:
    """The file as a scene with a mesh for each material. refers: where its libraries are.

    A mesh has its corner normals in the vertex attribute "normal", its colors, linear RGBA, in "color", and its
    material, a `Mtl`, in the metadata.
    """
    import trimesh

    lines = _lines(decoded(data))
    if not lines.corners:
        return trimesh.Scene([trimesh.PointCloud([[0, 0, 0]])] if lines.others or lines.places else [])
    places, colors = _places(lines.places, lines.paint)
    corners = np.array(lines.corners, dtype=np.int64).reshape(-1, 3)
    if corners[:, 0].max() >= len(places):
        raise LoadError(f"has a face that refers to vertex {int(corners[:, 0].max()) + 1} of {len(places)}")
    cut, polygon = triangles(places, corners[:, 0], np.array(lines.counts))
    uvs = _numbers(lines.uvs, 2)
    normals = _numbers(lines.normals, 3)
    known = _materials(data, refers)
    chosen = np.array(lines.material)[polygon]
    order = np.argsort(chosen, kind="stable")
    groups = np.split(cut[order], np.searchsorted(chosen[order], np.arange(1, len(lines.materials))))
    scene = trimesh.Scene()
    for name, mine in zip(lines.materials, groups, strict=True):
        if len(mine):
            rows, index = np.unique(corners[mine.reshape(-1)], axis=0, return_inverse=True)
            mesh = trimesh.Trimesh(places[rows[:, 0]], index.reshape(-1, 3), process=False, validate=False)
            if colors is not None:
                mesh.vertex_attributes["color"] = colors[rows[:, 0]]
            normal = _looked_up(normals, rows[:, 2])
            if normal is not None:
                mesh.vertex_attributes["normal"] = normal
            _dress(mesh, known.get(name), _looked_up(uvs, rows[:, 1]), refers)
            scene.add_geometry(mesh, geom_name=name or "surface")
    return scene


def _lines(text: str) -> _Lines:
    found = _Lines()
    current = 0
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        words = line.partition("#")[0].split()
        if not words:
            if line.startswith("#MRGB"):
                found.paint += re.findall(r"[0-9a-fA-F]{8}", line[5:])
            continue
        key, *values = words
        if key == "v":
            found.places.append(values)
        elif key == "vt":
            found.uvs.append(values)
        elif key == "vn":
            found.normals.append(values)
        elif key in ("f", "fo"):
            found.corners += _corners(values, len(found.places), len(found.uvs), len(found.normals))
            found.counts.append(len(values))
            found.material.append(current)
        elif key == "usemtl":
            # A name may hold a #, so it is the rest of the line.
            name = line.strip()[len("usemtl") :].strip()
            current = found.materials.setdefault(name, len(found.materials))
            # One stands for faces before the first name.
            if len(found.materials) > MAX_PARTS + 1:
                raise LoadError(f"has more than {MAX_PARTS} materials")
        elif key in ("l", "p", "curv", "surf"):
            found.others = True
    return found


def _corners(words: list[str], *counts: int) -> Iterator[tuple[int, int, int]]:
    """Corners such as 1, 1/2, 1//3 or -1/-1/-1. Negative numbers count back from what was read so far."""
    for word in words:
        numbers = [-1, -1, -1]
        for k, text in enumerate(word.split("/")[:3]):
            if text:
                number = int(text)
                numbers[k] = number - 1 if number > 0 else counts[k] + number if number else -1
                if k == 0 and numbers[0] < 0:
                    raise LoadError(f"has a face that refers to vertex {number} of {counts[0]}")
        yield numbers[0], numbers[1], numbers[2]


def _places(rows: list[list[str]], paint: list[str]) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """(n, 3) vertices, and (n, 4) their linear colors; None where they have none. Six numbers or seven: x y z r g b,
    x y z r g b a."""
    places = _numbers(rows, 3)
    if paint and len(paint) == len(rows):
        digits = np.frombuffer(bytes.fromhex("".join(paint)), dtype=np.uint8).reshape(-1, 4)
        return places, linear_colors(digits[:, 1:] / 255)
    wide = [len(row) >= 6 for row in rows]
    if not any(wide):
        return places, None
    colors = np.ones((len(rows), 3))
    colors[wide] = np.array([row[3:6] for row in rows if len(row) >= 6], dtype=np.float64)
    return places, linear_colors(colors)


def linear_colors(display: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """(n, 4) linear RGBA of display colors (n, 3), whether they go to 1 or to 255; None if they are no colors."""
    if not np.isfinite(display).all() or display.min() < 0:
        return None
    scaled = display / 255 if display.max() > 1 else display
    if (scaled == 1).all():
        return None
    linear = np.where(scaled <= 0.04045, scaled / 12.92, ((scaled + 0.055) / 1.055) ** 2.4)
    return np.concatenate([linear.clip(0, 1), np.ones((len(linear), 1))], axis=1)


def _numbers(rows: list[list[str]], width: int) -> NDArray[np.float64]:
    """(n, width) the first numbers of each row; a UV of one number gets 0 as its second."""
    padded = [row[:width] if len(row) >= width else [*row, *["0"] * (width - len(row))] for row in rows]
    return np.array(padded, dtype=np.float64).reshape(-1, width)


def _looked_up(values: NDArray[np.float64], index: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """The values by index; zeros where a corner has none, None where no corner has one."""
    good = (index >= 0) & (index < len(values))
    if not good.any():
        return None
    found = np.zeros((len(index), values.shape[1]))
    found[good] = values[index[good]]
    return found


def _materials(data: bytes, refers: References) -> dict[str, Mtl]:
    """The materials of all libraries by name."""
    files = [file for name in libraries(data) if (file := refers.file(name))]
    return {one.name: one for file in files for one in _of_library(decoded(file.read_bytes()))}


def _of_library(text: str) -> list[Mtl]:
    found: list[tuple[str, dict[str, str]]] = []
    for line in text.splitlines():
        key, _, rest = line.strip().replace("\t", " ").partition(" ")
        if key.lower() == "newmtl":
            found.append((rest.strip(), {}))
        elif found and rest.strip():
            found[-1][1][key.lower()] = rest.strip()
    return [Mtl(name, values) for name, values in found]


def _dress(mesh: trimesh.Trimesh, material: Mtl | None, uvs: NDArray[np.float64] | None, refers: References) -> None:
    """Give a mesh its UVs and its material, if a library has it."""
    from trimesh.visual import TextureVisuals

    if material is not None:
        mesh.metadata["material"] = material
        if uvs is not None:
            scale, offset = material.tiling(refers)
            uvs = uvs * scale + offset
    if uvs is not None:
        mesh.visual = TextureVisuals(uv=uvs)

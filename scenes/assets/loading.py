"""Model files to arrays: OBJ, OFF and PLY here, STL through trimesh, all else through importers handed in.

A part is made for each material, in the file's own axes and units, with the file's own UVs, colors and normals.
Normals that the file does not have are zero.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenes.assets.appearance import Mtl, painted, role_of, without_blank
from scenes.assets.formats import READ_HERE
from scenes.assets.model_maps import Maps
from scenes.assets.obj import linear_colors, read_obj
from scenes.assets.off import read_off
from scenes.assets.ply import read_ply
from scenes.assets.references import MAX_PARTS, References
from scenes.errors import LoadError, in_plain_words
from scenes.mesh import Appearance, Model, Part

if TYPE_CHECKING:
    import trimesh

MAX_LOADED = 5_000_000


@dataclass(frozen=True)
class Loaded:
    """A model as its file has it. lost: the maps that are missing or cannot be read, a line for each. notes: lines on
    whatever else of the file is not drawn."""

    model: Model
    lost: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


# Reads a file of a kind that Blender must read, with the files that it refers to; the second path is an empty folder
# for maps it unpacks.
Importer = Callable[[Path, References, Path], Loaded]
Importers = Mapping[str, Importer]


def load(path: Path, refers: References, scratch: Path, importers: Importers, need_textures: bool = False) -> Loaded:
    """Read a model file. `scratch` is an empty folder that takes color maps from inside the file.

    A color map that is missing or broken leaves the material's plain color; where that is no color either (white or
    gray), the material is dropped, so that it may be replaced. With `need_textures` it is a reason to refuse the file.
    Raises LoadError, and nothing else, for a file that cannot be used.
    """
    suffix = path.suffix.lower()
    loaded = importers[suffix](path, refers, scratch) if suffix in importers else _parsed(path, refers, scratch)
    if not loaded.model.parts:
        raise LoadError("is empty: it holds no triangles")
    if loaded.model.triangles > MAX_LOADED:
        raise LoadError(f"has {loaded.model.triangles} triangles, the limit is {MAX_LOADED}")
    if len(loaded.model.parts) > MAX_PARTS:
        raise LoadError(f"has {len(loaded.model.parts)} materials, the limit is {MAX_PARTS}")
    if loaded.lost and need_textures:
        raise LoadError(f"misses a color map: {loaded.lost[0]}")
    if loaded.lost:
        parts = tuple(without_blank(part) for part in loaded.model.parts)
        return replace(loaded, model=replace(loaded.model, parts=parts))
    return loaded


def _parsed(path: Path, refers: References, scratch: Path) -> Loaded:
    lost = [f"'{name}' is missing" for name in refers.missing]
    scene = _scene(path, refers)
    parts = tuple(_parts(scene, refers, scratch, lost))
    if not parts:
        raise LoadError(_instead(scene))
    return Loaded(Model(parts), tuple(dict.fromkeys(lost)))


def _scene(path: Path, refers: References) -> trimesh.Scene:
    import trimesh

    suffix = path.suffix.lower().removeprefix(".")
    if f".{suffix}" not in READ_HERE:
        raise LoadError(f"needs Blender to read .{suffix} files: install the extra 'render'")
    with _quiet():
        try:
            if suffix == "obj":
                return read_obj(path.read_bytes(), refers)
            if suffix == "off":
                return read_off(path.read_bytes())
            if suffix == "ply":
                return read_ply(path.read_bytes())
            with path.open("rb") as file:
                return trimesh.load_scene(file, file_type=suffix, process=False)
        except LoadError:
            raise
        # A parser can raise any exception for a damaged or hostile file. Each means that the file cannot be used.
        except Exception as error:
            raise LoadError(f"cannot be parsed: {_line(error)}") from None


def _instead(scene: trimesh.Scene) -> str:
    """What a scene without triangles holds."""
    kinds = {type(geometry).__name__ for geometry in scene.geometry.values()}
    return "holds only points or lines" if kinds - {"Trimesh"} else "is empty: it holds no triangles"


def _parts(scene: trimesh.Scene, refers: References, scratch: Path, lost: list[str]) -> Iterator[Part]:
    """The scene's triangles, a part for each material."""
    groups: dict[Mtl | None, list[_Piece]] = {}
    for piece in _pieces(scene):
        groups.setdefault(piece.material, []).append(piece)
    maps = Maps(scratch, lost)
    taken: set[str] = set()
    for material, pieces in groups.items():
        name = material.name if material else ""
        label = unused(name or pieces[0].name, taken)
        look = None
        if material is not None:
            look = material.look(refers, maps, any(piece.uv is not None for piece in pieces))
        elif any(piece.colors is not None for piece in pieces):
            look = painted(np.ones(3))
        yield _joined(label, role_of(name, look is not None), look, pieces)


@dataclass(frozen=True)
class _Piece:
    name: str
    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    uv: NDArray[np.float64] | None
    colors: NDArray[np.float64] | None
    normals: NDArray[np.float64] | None
    material: Mtl | None


def _pieces(scene: trimesh.Scene) -> Iterator[_Piece]:
    import trimesh

    with _quiet():
        try:
            for node in scene.graph.nodes_geometry:
                matrix, name = scene.graph[node]
                mesh = scene.geometry[name]
                if isinstance(mesh, trimesh.Trimesh) and len(mesh.faces):
                    yield _piece(str(name), mesh, np.asarray(matrix, dtype=np.float64))
        except LoadError:
            raise
        except Exception as error:
            raise LoadError(f"cannot be parsed: {_line(error)}") from None


def _piece(name: str, mesh: trimesh.Trimesh, matrix: NDArray[np.float64]) -> _Piece:
    vertices, faces = np.asarray(mesh.vertices, dtype=np.float64), np.asarray(mesh.faces, dtype=np.int64)
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise LoadError(f"has a face that refers to vertex {int(faces.max())} of {len(vertices)}")
    used, faces = np.unique(faces, return_inverse=True)
    vertices = vertices[used] @ matrix[:3, :3].T + matrix[:3, 3]
    if not np.isfinite(vertices).all():
        raise LoadError("has a vertex that is not a number")
    faces = faces.reshape(-1, 3)
    normals = mesh.vertex_attributes.get("normal")
    if normals is not None:
        normals = np.asarray(normals)[used][faces] @ np.linalg.pinv(matrix[:3, :3])
    colors = _colors(mesh)
    if np.linalg.det(matrix[:3, :3]) < 0:
        faces = faces[:, ::-1]
        colors = None if colors is None else colors[:, ::-1]
        normals = None if normals is None else normals[:, ::-1]
    uv = getattr(mesh.visual, "uv", None)
    if uv is not None:
        uv = np.asarray(uv, dtype=np.float64)
        good = uv.ndim == 2 and uv.shape[1] >= 2 and len(uv) == len(mesh.vertices) and np.isfinite(uv[used]).all()
        uv = uv[used, :2] if good else None
    # What has UVs but no material is gray.
    material = mesh.metadata.get("material") or (Mtl() if mesh.visual.kind == "texture" else None)
    return _Piece(name, vertices, faces, uv, colors, normals, material)


def _colors(mesh: trimesh.Trimesh) -> NDArray[np.float64] | None:
    """(m, 3, 4) the linear color of each corner, if the vertices or the faces have colors."""
    faces = np.asarray(mesh.faces)
    if "color" in mesh.vertex_attributes:
        return np.asarray(mesh.vertex_attributes["color"])[faces]
    if "color" in mesh.face_attributes:
        return np.repeat(np.asarray(mesh.face_attributes["color"])[:, None], 3, axis=1)
    if mesh.visual.kind not in ("vertex", "face"):
        return None
    of_faces = mesh.visual.kind == "face"
    shown = np.asarray(mesh.visual.face_colors if of_faces else mesh.visual.vertex_colors, dtype=np.float64)
    colors = linear_colors(shown[:, :3] / 255)
    if colors is None:
        return None
    return np.repeat(colors[:, None], 3, axis=1) if of_faces else colors[faces]


def _joined(name: str, role: str, look: Appearance | None, pieces: list[_Piece]) -> Part:
    starts = np.cumsum([0] + [len(piece.vertices) for piece in pieces])
    faces = np.concatenate([piece.faces + start for piece, start in zip(pieces, starts, strict=False)])
    uvs = _of_all([None if piece.uv is None else piece.uv[piece.faces] for piece in pieces], pieces, np.zeros(2))
    colors = _of_all([piece.colors for piece in pieces], pieces, np.ones(4))
    normals = _of_all([piece.normals for piece in pieces], pieces, np.zeros(3))
    # Vertices stay float64 until the model is scaled: a file may put its model far from the origin.
    vertices = np.concatenate([piece.vertices for piece in pieces])
    if normals is None:
        normals = np.zeros((len(faces), 3, 3), dtype=np.float32)
    return Part(name, vertices, faces.astype(np.int32), normals, uvs, role, look, colors)


def _of_all(
    values: list[NDArray[np.float64] | None], pieces: list[_Piece], blank: NDArray[np.float64]
) -> NDArray[np.float32] | None:
    """(m, 3, k) the values of all pieces' corners, `blank` for a piece that has none; None if no piece has any."""
    if all(value is None for value in values):
        return None
    filled = [
        np.broadcast_to(blank, (len(piece.faces), 3, len(blank))) if value is None else value
        for value, piece in zip(values, pieces, strict=True)
    ]
    return np.concatenate(filled).astype(np.float32)


def unused(name: str, taken: set[str]) -> str:
    """The name, or the name with the first number that makes it new. It is taken then."""
    free, number = name, 2
    while free in taken:
        free, number = f"{name}.{number}", number + 1
    taken.add(free)
    return free


def _line(error: Exception) -> str:
    return in_plain_words(error, (" ".join(str(error).split()) or type(error).__name__)[:160])


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences warnings of the parsers. Errors are reported as a LoadError."""
    log = logging.getLogger("trimesh")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)

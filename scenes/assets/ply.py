"""PLY files: polygons of any shape and of any mixture, with colors, UVs and normals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scenes.assets.appearance import Mtl
from scenes.assets.obj import linear_colors
from scenes.assets.polygons import triangles
from scenes.assets.references import decoded
from scenes.errors import LoadError, shortened

if TYPE_CHECKING:
    import trimesh

_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4",
    "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float32": "f4", "float64": "f8",
}  # fmt: skip
_UVS = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"))


@dataclass(frozen=True)
class _Column:
    """A property of all rows of an element: values end to end, and how many each row has; 1 each if it is no list."""

    values: NDArray[Any]
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class _Property:
    name: str
    kind: str
    count: str | None


Element = tuple[str, int, list[_Property]]


def read_ply(data: bytes) -> trimesh.Scene:
    """The file as a scene with one mesh; its corner normals, its colors and its material as `read_obj` gives them."""
    import trimesh

    head, form, elements, body = _head(data)
    tables = _of_text(body, elements) if form == "ascii" else _of_bytes(body, elements, form)
    vertex, face = tables.get("vertex", {}), tables.get("face", {})
    if not {"x", "y", "z"} <= vertex.keys() or not len(vertex["x"].counts):
        return trimesh.Scene()
    places = _stacked(vertex, ("x", "y", "z"))
    loops = face.get("vertex_indices") or face.get("vertex_index")
    if loops is None or not len(loops.values):
        return trimesh.Scene([trimesh.PointCloud(places[:1])])
    corners = loops.values.astype(np.int64)
    if not 0 <= corners.min() <= corners.max() < len(places):
        raise LoadError(f"has a face that refers to vertex {int(corners.max())} of {len(places)}")
    cut, polygon = triangles(places, corners, loops.counts)
    uvs = _uvs(vertex, face, corners, loops.counts)
    if uvs is None:
        rows, index = np.arange(len(places)), corners[cut]
    else:
        # A vertex for each place and UV.
        used = np.column_stack([corners[cut.reshape(-1)], uvs[cut.reshape(-1)]])
        _, first, number = np.unique(used, axis=0, return_index=True, return_inverse=True)
        rows, index = corners[cut.reshape(-1)][first], number.reshape(-1, 3)
        uvs = uvs[cut.reshape(-1)][first]
    mesh = trimesh.Trimesh(places[rows], index, process=False, validate=False)
    if {"nx", "ny", "nz"} <= vertex.keys():
        mesh.vertex_attributes["normal"] = _stacked(vertex, ("nx", "ny", "nz"))[rows]
    of_vertices, of_faces = _colors(vertex), _colors(face)
    if of_vertices is not None:
        mesh.vertex_attributes["color"] = of_vertices[rows]
    elif of_faces is not None:
        mesh.face_attributes["color"] = of_faces[polygon]
    if uvs is not None:
        mesh.visual = trimesh.visual.TextureVisuals(uv=uvs)
        mesh.metadata["material"] = _material(head)
    return trimesh.Scene([mesh])


def _head(data: bytes) -> tuple[str, str, list[Element], bytes]:
    match = re.search(rb"(?:^|\n)end_header[ \t]*\r?\n", data[:1_000_000])
    if not data.startswith(b"ply") or match is None:
        raise LoadError("cannot be parsed: its header is no PLY header")
    head = decoded(data[: match.start()])
    form, elements = "", list[Element]()
    for line in head.splitlines():
        words = line.split()
        if words[:1] == ["format"]:
            form = words[1]
        elif words[:1] == ["element"]:
            elements.append((words[1], int(words[2]), []))
        elif words[:2] == ["property", "list"]:
            elements[-1][2].append(_Property(words[4], _TYPES[words[3]], _TYPES[words[2]]))
        elif words[:1] == ["property"]:
            elements[-1][2].append(_Property(words[2], _TYPES[words[1]], None))
    if form not in ("ascii", "binary_little_endian", "binary_big_endian"):
        raise LoadError(f"cannot be parsed: its format is '{form[:20]}'")
    return head, form, elements, data[match.end() :]


def _of_text(body: bytes, elements: list[Element]) -> dict[str, dict[str, _Column]]:
    lines = [line for line in body.split(b"\n") if line.strip()]
    words = _declared(lines, elements) if len(lines) == sum(rows for _, rows, _ in elements) else body.split()
    tables, at = {}, 0
    for name, rows, properties in elements:
        if all(one.count is None for one in properties):
            block = np.array(words[at : at + rows * len(properties)], dtype=np.float64).reshape(rows, len(properties))
            at += block.size
            ones = np.ones(rows, dtype=np.int64)
            tables[name] = {one.name: _Column(block[:, k].astype(one.kind), ones) for k, one in enumerate(properties)}
            continue
        found: list[tuple[list[bytes], list[int]]] = [([], []) for _ in properties]
        for _ in range(rows):
            for one, (values, counts) in zip(properties, found, strict=True):
                count = 1
                if one.count is not None:
                    count, at = int(words[at]) if at < len(words) else 1, at + 1
                if at + count > len(words):
                    raise LoadError(f"is truncated: it ends inside of element '{shortened(name)}'")
                values += words[at : at + count]
                counts.append(count)
                at += count
        tables[name] = {
            one.name: _Column(np.array(values, dtype=np.float64).astype(one.kind), np.array(counts, dtype=np.int64))
            for one, (values, counts) in zip(properties, found, strict=True)
        }
    return tables


def _declared(lines: list[bytes], elements: list[Element]) -> list[bytes]:
    """The words of all rows, one row a line, without what follows in a line on what the header declares.

    MeshLab once wrote the colors of a face's corners there, and declared one color of the face.
    """
    words, left = list[bytes](), iter(lines)
    for _, rows, properties in elements:
        lists = any(one.count is not None for one in properties)
        for _ in range(rows):
            row = next(left).split()
            end = 0
            for one in properties if lists else ():
                end += 1 if one.count is None else 1 + int(row[end]) if end < len(row) else 1
            words += row[: end if lists else len(properties)]
    return words


def _of_bytes(body: bytes, elements: list[Element], form: str) -> dict[str, dict[str, _Column]]:
    order = "<" if form == "binary_little_endian" else ">"
    tables, at = {}, 0
    for name, rows, properties in elements:
        tables[name], at = _rows_of_bytes(body, at, rows, properties, order, name)
    return tables


def _rows_of_bytes(
    body: bytes, at: int, rows: int, properties: list[_Property], order: str, name: str
) -> tuple[dict[str, _Column], int]:
    """The rows of one element from byte `at` on, and where they end. Rows whose lists are all as long as in the row
    before are read together: in most files that is all of them."""
    blocks: list[tuple[NDArray[Any], list[int]]] = []
    left = rows
    while left:
        fields, counts, size = [], [], 0
        for k, one in enumerate(properties):
            count = 1
            if one.count is not None:
                kind = np.dtype(order + one.count)
                if at + size + kind.itemsize > len(body):
                    raise LoadError(f"is truncated: it ends inside of element '{shortened(name)}'")
                count = int(np.frombuffer(body, kind, 1, at + size)[0])
                fields.append((f"n{k}", kind, (1,)))
                size += kind.itemsize
            fields.append((f"v{k}", np.dtype(order + one.kind), (count,)))
            counts.append(count)
            size += np.dtype(one.kind).itemsize * count
        whole = min(left, (len(body) - at) // size) if size else 0
        if whole < 1:
            raise LoadError(f"is truncated: it ends inside of element '{shortened(name)}'")
        # A short look first, so that mixed polygons are not looked through again and again.
        for length in (min(whole, 64), whole):
            block = np.frombuffer(body, np.dtype(fields), length, at)
            same = np.ones(length, dtype=bool)
            for k, one in enumerate(properties):
                if one.count is not None:
                    same &= block[f"n{k}"][:, 0] == counts[k]
            good = length if same.all() else int(same.argmin())
            if good < length:
                break
        blocks.append((block[:good], counts))
        at += good * size
        left -= good
    columns = {}
    for k, one in enumerate(properties):
        values = [block[f"v{k}"].reshape(-1).astype(one.kind) for block, _ in blocks]
        lengths = [np.full(len(block), counts[k], dtype=np.int64) for block, counts in blocks]
        columns[one.name] = _Column(
            np.concatenate([*values, np.empty(0, one.kind)]), np.concatenate([*lengths, np.empty(0, np.int64)])
        )
    return columns, at


def _stacked(table: dict[str, _Column], names: tuple[str, ...]) -> NDArray[np.float64]:
    return np.stack([table[name].values for name in names], axis=1).astype(np.float64)


def _colors(table: dict[str, _Column]) -> NDArray[np.float64] | None:
    """(n, 4) linear colors of the rows, if they have any. Whole numbers go to the largest of their kind."""
    for names in (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b")):
        if set(names) <= table.keys():
            kind = table[names[0]].values.dtype
            return linear_colors(_stacked(table, names) / (np.iinfo(kind).max if kind.kind in "iu" else 1.0))
    return None


def _uvs(
    vertex: dict[str, _Column], face: dict[str, _Column], corners: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """(k, 2) the UV of each corner, from the faces or from the vertices."""
    listed = face.get("texcoord")
    if listed is not None and np.array_equal(listed.counts, 2 * counts):
        return listed.values.reshape(-1, 2).astype(np.float64)
    names = next((names for names in _UVS if set(names) <= vertex.keys()), None)
    return None if names is None else _stacked(vertex, names)[corners]


def _material(head: str) -> Mtl:
    """The color map that the header names, as a material."""
    named = re.search(r"^comment[ \t]+TextureFile[ \t]+([^\r\n]+)", head, re.MULTILINE)
    return Mtl(values={"map_kd": named[1]} if named else {})

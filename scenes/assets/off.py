"""OFF files: polygons of any shape and of any mixture, with colors and normals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from scenes.assets.obj import linear_colors
from scenes.assets.polygons import triangles
from scenes.assets.references import decoded
from scenes.errors import LoadError

if TYPE_CHECKING:
    import trimesh


def read_off(data: bytes) -> trimesh.Scene:
    """The file as a scene with one mesh, its corner normals and colors as `read_obj` gives them.

    The letters before OFF say what a vertex has beside its place: N a normal, C a color, ST a UV, in this order.
    """
    import trimesh

    rows = [words for line in decoded(data).splitlines() if (words := line.partition("#")[0].split())]
    # Some files have the counts right behind the word.
    head = re.fullmatch(r"(ST)?(C)?(N)?OFF(\d*)", rows[0][0]) if rows else None
    if head is None:
        raise LoadError("cannot be parsed: it does not begin with OFF")
    beside = [word for word in (head[4], *rows[0][1:]) if word]
    counts, body = (beside, rows[1:]) if beside else (rows[1], rows[2:])
    vertices, polygons = int(counts[0]), int(counts[1])
    if not polygons:
        return trimesh.Scene([trimesh.PointCloud([[0, 0, 0]])] if vertices else [])
    if not _one_each(body, vertices, polygons):
        if head[1] or head[2]:
            raise LoadError(f"is truncated: it announces {vertices + polygons} lines, and not all of them are whole")
        body = _rows(body, vertices, polygons, 6 if head[3] else 3)
    values = np.array(body[:vertices], dtype=np.float64)
    loops = [row[1 : int(row[0]) + 1] for row in body[vertices : vertices + polygons]]
    corners = np.array([int(word) for loop in loops for word in loop])
    if not len(corners):
        raise LoadError("cannot be parsed: its faces have no corners")
    if not 0 <= corners.min() <= corners.max() < vertices:
        raise LoadError(f"has a face that refers to vertex {int(corners.max())} of {vertices}")
    cut, polygon = triangles(values[:, :3], corners, np.array([len(loop) for loop in loops]))
    mesh = trimesh.Trimesh(values[:, :3], corners[cut], process=False, validate=False)
    at = 6 if head[3] else 3
    if head[3]:
        mesh.vertex_attributes["normal"] = values[:, 3:6]
    painted = [row[int(row[0]) + 1 :][:3] for row in body[vertices : vertices + polygons]]
    if head[2]:
        colors = linear_colors(values[:, at : at + 3])
        if colors is not None:
            mesh.vertex_attributes["color"] = colors
    elif all(len(row) == 3 for row in painted):
        colors = linear_colors(np.array(painted, dtype=np.float64))
        if colors is not None:
            mesh.face_attributes["color"] = colors[polygon]
    return trimesh.Scene([mesh])


def _one_each(body: list[list[str]], vertices: int, polygons: int) -> bool:
    """Whether each vertex and each face has a line of its own."""
    faces = body[vertices : vertices + polygons]
    return len(faces) == polygons and all(len(row) > int(row[0]) for row in faces)


def _rows(body: list[list[str]], vertices: int, polygons: int, width: int) -> list[list[str]]:
    """The rows of a file that breaks its lines elsewhere, as Geomview reads it: by the number of words alone."""
    words = [word for row in body for word in row]
    rows = [words[k * width : (k + 1) * width] for k in range(min(vertices, len(words) // width))]
    at = len(rows) * width
    while len(rows) < vertices + polygons:
        end = at + 1 + int(words[at]) if at < len(words) else at + 1
        if end > len(words):
            raise LoadError(f"is truncated: it has {len(rows)} of {vertices + polygons} vertices and faces")
        rows.append(words[at:end])
        at = end
    return rows

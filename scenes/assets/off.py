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
    if len(body) < vertices + polygons:
        raise LoadError(f"cannot be parsed: it announces {vertices + polygons} lines and has {len(body)}")
    if not polygons:
        return trimesh.Scene([trimesh.PointCloud([[0, 0, 0]])] if vertices else [])
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

"""Models uploaded to Blender: one mesh per model, cached by asset id."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from render.blender import parts
from scenes.mesh import Appearance, Geometry, Model, Part

# All cached meshes together have at most this many triangles, about 350 MB here and in Blender.
TRIANGLES_KEPT = 2_000_000


@dataclass(frozen=True)
class Uploaded:
    """A model in Blender: its mesh and its triangles, the material of each part as its file describes it, and whether a
    part has colors."""

    mesh: bpy.types.Mesh
    geometry: Geometry
    appearances: tuple[Appearance | None, ...]
    colored: tuple[bool, ...]


class MeshStore:
    """Cache of uploaded models by asset id. It frees the least recently used ones if there are too many triangles."""

    def __init__(self, model: Callable[[str], Model], triangles_kept: int = TRIANGLES_KEPT):
        self._model = model
        self._kept: OrderedDict[str, Uploaded] = OrderedDict()
        self._limit = triangles_kept

    def get(self, asset: str) -> Uploaded:
        if asset not in self._kept:
            model = self._model(asset)
            appearances = tuple(part.appearance for part in model.parts)
            colored = tuple(part.colors is not None for part in model.parts)
            self._kept[asset] = Uploaded(upload(asset, model), model.geometry, appearances, colored)
        self._kept.move_to_end(asset)
        return self._kept[asset]

    def trim(self) -> None:
        """Free meshes above the limit. Call it between pictures, when no mesh is in use."""
        while len(self._kept) > 1 and sum(len(kept.geometry.faces) for kept in self._kept.values()) > self._limit:
            _, oldest = self._kept.popitem(last=False)
            bpy.data.meshes.remove(oldest.mesh)


def upload(name: str, model: Model) -> bpy.types.Mesh:
    """A mesh with one material slot a part, the parts' corner normals, and the UV layers "uv" and "box".

    "uv" is the model's own (zeros where a part has none), and "uv1" and so on its further layers. "box" projects every
    face along its main axis, in model units, so that image textures lie sensibly on models without UVs. Parts with
    colors of their own have them in the color attribute "tint" (Cycles does not find one named "color"). The faces
    carry the codes of their parts.
    """
    whole = model.geometry
    normals = np.concatenate([part.normals for part in model.parts]).astype(np.float32)
    vertices, faces, shading = split(whole.vertices.astype(np.float32), whole.faces.astype(np.int32), normals)
    slots = np.repeat(np.arange(len(model.parts), dtype=np.int32), [len(part.faces) for part in model.parts])
    mesh = triangles(name, vertices, faces, slots)
    for _ in model.parts:
        mesh.materials.append(None)
    mesh.attributes.new(parts.ATTRIBUTE, "FLOAT_VECTOR", "FACE").data.foreach_set(
        "vector", parts.codes(slots + 1).ravel()
    )
    for layer in range(max(1, *(0 if part.uvs is None else part.uvs.shape[2] // 2 for part in model.parts))):
        _set_uvs(mesh, uv_name(layer), np.concatenate([_own_uvs(part, layer) for part in model.parts]))
    _set_uvs(mesh, "box", box_uvs(vertices, faces))
    if any(part.colors is not None for part in model.parts):
        colors = np.concatenate([_own_colors(part) for part in model.parts])
        mesh.color_attributes.new("tint", "FLOAT_COLOR", "CORNER").data.foreach_set("color", colors.ravel())
    # A float attribute of this name overrides the normals as they are; the packed kind would round them.
    mesh.attributes.new("custom_normal", "FLOAT_VECTOR", "POINT").data.foreach_set("vector", shading.ravel())
    return mesh


def triangles(
    name: str, vertices: NDArray[np.float32], faces: NDArray[np.int32], slots: NDArray[np.int32]
) -> bpy.types.Mesh:
    """A mesh of vertices (n, 3), faces (m, 3) into them and the faces' material slots (m,). It has no edges.

    Cycles needs none. `mesh.update(calc_edges=True)` makes them.
    """
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(vertices))
    mesh.loops.add(faces.size)
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", np.arange(0, faces.size, 3, dtype=np.int32))
    # Attributes take an array as it is. The properties of vertices, loops and polygons take it number by number.
    mesh.attributes["position"].data.foreach_set("vector", vertices.ravel())
    mesh.attributes[".corner_vert"].data.foreach_set("value", faces.ravel())
    mesh.attributes.new("material_index", "INT", "FACE").data.foreach_set("value", slots)
    return mesh


def split(
    vertices: NDArray[np.float32], faces: NDArray[np.int32], normals: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
    """Vertices divided where their corners' normals differ, since Cycles shades with one normal a vertex.

    Returns vertices (n', 3), faces (m, 3) into them, and the vertices' normals (n', 3). Normals of one vertex that
    agree to a two-thousandth are taken as one.
    """
    x, y, z = np.round((normals.reshape(-1, 3) + 1) * 1000).astype(np.int64).T
    key = (faces.reshape(-1).astype(np.int64) << 33) | (x << 22) | (y << 11) | z
    _, first, corner = np.unique(key, return_index=True, return_inverse=True)
    old = faces.reshape(-1)[first]
    return vertices[old], corner.reshape(-1, 3).astype(np.int32), normals.reshape(-1, 3)[first]


def box_uvs(vertices: NDArray[np.floating], faces: NDArray[np.integer]) -> NDArray[np.float32]:
    """(m, 3, 2) corner UVs: each face seen along the axis its normal is nearest to, upright on walls."""
    corners = np.asarray(vertices)[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    axis = np.abs(normals).argmax(axis=1)
    across = np.array([1, 0, 0])[axis]
    up = np.array([2, 2, 1])[axis]
    row = np.arange(len(faces))
    u, v = corners[row, :, across], corners[row, :, up]
    # Mirrored on one side of each pair, so that prints read the right way round from outside.
    sign = np.sign(normals[row, axis]) * np.array([1, -1, 1])[axis]
    return np.stack([u * np.where(sign == 0, 1, sign)[:, None], v], axis=-1).astype(np.float32)


def uv_name(layer: int) -> str:
    """The name in Blender of a layer of the model's own UVs."""
    return f"uv{layer}" if layer else "uv"


def _own_uvs(part: Part, layer: int) -> NDArray[np.float32]:
    own = None if part.uvs is None else part.uvs[..., 2 * layer : 2 * layer + 2].astype(np.float32)
    return own if own is not None and own.shape[2] else np.zeros((len(part.faces), 3, 2), np.float32)


def _own_colors(part: Part) -> NDArray[np.float32]:
    return np.ones((len(part.faces), 3, 4), np.float32) if part.colors is None else part.colors.astype(np.float32)


def _set_uvs(mesh: bpy.types.Mesh, name: str, uvs: NDArray[np.float32]) -> None:
    mesh.uv_layers.new(name=name).uv.foreach_set("vector", np.ascontiguousarray(uvs).ravel())

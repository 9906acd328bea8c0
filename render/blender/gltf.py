"""Reads a glTF file inside of Blender's own process: the triangles by Blender's importer, the materials by ours.

Blender gets the file without pictures and materials, so it decodes no picture that our renderer does not use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from render.blender.importers import Piece, joined, pieces
from scenes.assets.appearance import role_of
from scenes.assets.gltf import Buffers, Tree, as_list, check, check_places, expanded, notes, shapes
from scenes.assets.gltf_check import check_parts, needed
from scenes.assets.gltf_images import Images
from scenes.assets.gltf_materials import Layer, Surface, surface
from scenes.assets.loading import Loaded, unused
from scenes.assets.model_maps import Maps
from scenes.assets.references import gltf_tree
from scenes.errors import LoadError
from scenes.mesh import Appearance, Model, Part

# From Blender's axes to those of the file.
_TO_FILE = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
# A material of the format without any entry would be a rough metal, which nobody means.
_COLORED = Appearance(color=(1.0, 1.0, 1.0))


def read_gltf(source: Path, found: Mapping[str, Path], scratch: Path) -> Loaded:
    """Read a glTF file into parts, one per material. found: the file that each address in it means.

    Raises LoadError, or anything that Blender's importer raises.
    """
    data = source.read_bytes()
    tree = gltf_tree(data)
    check(tree)
    check_parts(tree)
    tree = expanded(tree, Buffers(tree, data, found))
    buffers = Buffers(tree, data, found)
    check_places(tree, buffers)
    _import(tree, buffers, scratch)
    lost: list[str] = []
    told = notes(tree)
    maps = Maps(scratch, lost)
    images = Images(tree, buffers, found, maps)
    groups: dict[tuple[int | None, bool], list[Piece]] = {}
    for piece in pieces():
        groups.setdefault((_number(piece), bool(piece.colors)), []).append(piece)
    parts, taken = [], set[str]()
    for (number, colored), group in groups.items():
        made = Surface() if number is None else surface(tree, number, images, told)
        look = made.look or (_COLORED if colored else None)
        if look is not None and look.texture is not None and look.mode != "OPAQUE":
            look = replace(look, opacity=maps.opacity(look.texture))
        name = unused(made.name or group[0].item, taken)
        parts.append(_part(joined(name, role_of(made.name, look is not None), look, group), made.layers, group))
    return Loaded(Model(tuple(parts)), tuple(dict.fromkeys(lost)), tuple(dict.fromkeys(told)))


def _import(tree: Tree, buffers: Buffers, scratch: Path) -> None:
    """Hand the shapes in the file to Blender's importer."""
    folder = scratch / "shapes"
    folder.mkdir()
    names = {number: buffers.link(number, folder) for number in range(len(as_list(tree.get("buffers"))))}
    for number, name in names.items():
        size = (folder / name).stat().st_size
        if size < needed(tree, number):
            raise LoadError(f"is truncated: buffer {number} has {size} bytes of {needed(tree, number)}")
    (folder / "shapes.gltf").write_text(json.dumps(shapes(tree, names)))
    bpy.ops.import_scene.gltf(filepath=str(folder / "shapes.gltf"), disable_bone_shape=True)


def _number(piece: Piece) -> int | None:
    """The number of the material in the file. Blender puts a dot behind a name that it has twice."""
    name = piece.material.name.split(".")[0] if piece.material else ""
    return int(name) if name.isdecimal() else None


def _part(part: Part, layers: tuple[Layer, ...], group: list[Piece]) -> Part:
    """The part in the axes of the file, with its layers of UVs and its colors."""
    uvs = None
    if layers:
        uvs = np.concatenate([layer.of(_corners(group, "uvs", _uv_map(layer), 0.0, 2)) for layer in layers], axis=2)
    colors = _corners(group, "colors", "Color", 1.0, 4) if group[0].colors else None
    vertices, normals = part.vertices @ _TO_FILE.T, part.normals @ _TO_FILE.T
    return replace(part, vertices=vertices, normals=normals.astype(np.float32), uvs=uvs, colors=colors)


def _uv_map(layer: Layer) -> str:
    return f"UVMap.{layer.number:03d}" if layer.number else "UVMap"


def _corners(group: list[Piece], kind: str, name: str, blank: float, width: int) -> NDArray[np.float32]:
    """The values of a layer at the corners of all pieces, `blank` in those that lack it."""
    none = (np.full((len(piece.corners), 3, width), blank, dtype=np.float32) for piece in group)
    return np.concatenate([getattr(piece, kind).get(name, n) for piece, n in zip(group, none, strict=True)])

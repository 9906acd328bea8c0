"""What our reader or Blender's importer finds in a model file, in a process of its own, for `benchmarks.readers`."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from render.blender.importers import IMPORTERS, pieces
from scenes.assets.loading import load
from scenes.assets.reader import serve
from scenes.assets.references import references
from scenes.mesh import Floats


def _side(request: Mapping[str, str]) -> dict[str, Any]:
    path, root = Path(request["path"]), Path(request["root"])
    return _ours(path, root) if request["side"] == "ours" else _theirs(path)


def _ours(path: Path, root: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        loaded = load(path, references(path, root), Path(scratch), IMPORTERS)
    parts = []
    for part in loaded.model.parts:
        look = part.appearance
        maps = [] if look is None else [*(["color"] if look.texture else []), *look.pictures]
        corners = np.asarray(part.vertices, dtype=np.float64)[part.faces]
        parts.append(_part(corners, maps, part.uvs is not None, part.colors is not None, part.name))
    return _whole(parts, [*loaded.lost, *loaded.notes])


def _theirs(path: Path) -> dict[str, Any]:
    import bpy

    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    name, suffix = str(path), path.suffix.lower()
    axes = {"forward_axis": "Y", "up_axis": "Z"}
    if suffix == ".obj":
        bpy.ops.wm.obj_import(filepath=name, **axes)
    elif suffix == ".ply":
        bpy.ops.wm.ply_import(filepath=name, **axes)
    elif suffix == ".stl":
        bpy.ops.wm.stl_import(filepath=name, **axes)
    elif suffix == ".fbx":
        bpy.ops.wm.fbx_import(filepath=name)
    elif suffix == ".blend":
        bpy.ops.wm.open_mainfile(filepath=name, load_ui=False, use_scripts=False)
    else:
        bpy.ops.wm.usd_import(filepath=name, import_textures_mode="IMPORT_NONE")
    parts = []
    for piece in pieces():
        shown = piece.material.name if piece.material else ""
        parts.append(_part(piece.corners, _maps(piece.material), bool(piece.uvs), bool(piece.colors), shown))
    return _whole(parts, [])


def _maps(material: Any) -> list[str]:
    """The inputs of the shader that an image feeds."""
    nodes = material.node_tree.nodes if material and material.node_tree else []
    found = []
    for node in nodes:
        for socket in node.inputs if node.type == "BSDF_PRINCIPLED" else ():
            waiting = [link.from_node for link in socket.links]
            while waiting:
                one = waiting.pop()
                if one.type == "TEX_IMAGE" and _is_there(one.image):
                    found.append(socket.name.lower().replace(" ", "_").replace("base_color", "color"))
                    break
                waiting += [link.from_node for inner in one.inputs for link in inner.links]
    return found


def _is_there(image: Any) -> bool:
    import bpy

    return image is not None and bool(image.packed_file or Path(bpy.path.abspath(image.filepath)).is_file())


def _part(corners: Floats, maps: list[str], uvs: bool, colors: bool, name: str) -> dict[str, Any]:
    low, high = corners.reshape(-1, 3).min(axis=0), corners.reshape(-1, 3).max(axis=0)
    # Blender's importers leave out what is there twice, and some of what has no area.
    corners = _once(corners)
    crosses = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    corners = corners[np.linalg.norm(crosses, axis=1) > 0]
    area = float(np.linalg.norm(crosses, axis=1).sum() / 2)
    return {
        "name": name, "triangles": len(corners), "low": low.tolist(), "high": high.tolist(), "area": area,
        "maps": sorted(maps), "uvs": uvs, "colors": colors,
    }  # fmt: skip


def _once(corners: Floats) -> Floats:
    """The triangles without those that join the same three places as another."""
    places = np.ascontiguousarray(corners.reshape(-1, 3), dtype=np.float32)
    number = np.unique(places, axis=0, return_inverse=True)[1].reshape(-1, 3)
    return corners[np.unique(np.sort(number, axis=1), axis=0, return_index=True)[1]]


def _whole(parts: list[dict[str, Any]], told: list[str]) -> dict[str, Any]:
    return {
        "triangles": sum(part["triangles"] for part in parts),
        "low": np.min([part["low"] for part in parts], axis=0).tolist() if parts else [],
        "high": np.max([part["high"] for part in parts], axis=0).tolist() if parts else [],
        "area": sum(part["area"] for part in parts),
        "maps": sorted({name for part in parts for name in part["maps"]}),
        "uvs": any(part["uvs"] for part in parts),
        "colors": any(part["colors"] for part in parts),
        "materials": sorted({part["name"] for part in parts}),
        "told": told,
    }


if __name__ == "__main__":
    serve(_side)

"""What a glTF file says besides its materials: the part of it that Blender gets, its bytes, and what is not read."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from scenes.assets import meshopt
from scenes.errors import LoadError

Tree = dict[str, Any]

MAX_NODES, MAX_DEPTH = 100_000, 200
"""Nodes of a file, and how deep they may lie in each other: Blender's importer calls itself for each level."""
_FLOAT = 5126
# What Blender's importer makes triangles from.
_SHAPES = {"KHR_draco_mesh_compression", "KHR_mesh_quantization", "EXT_mesh_gpu_instancing"}
# What `gltf_materials` reads.
_LOOKS = {
    "EXT_texture_webp",
    "KHR_materials_anisotropy",
    "KHR_materials_clearcoat",
    "KHR_materials_emissive_strength",
    "KHR_materials_ior",
    "KHR_materials_pbrSpecularGlossiness",
    "KHR_materials_sheen",
    "KHR_materials_specular",
    "KHR_materials_transmission",
    "KHR_materials_unlit",
    "KHR_texture_transform",
}
# What says nothing of how a still object looks, or is a choice of which the default is taken.
_NO_LOOKS = {
    "KHR_animation_pointer",
    "KHR_lights_punctual",
    "KHR_materials_variants",
    "KHR_xmp",
    "KHR_xmp_json_ld",
}
# What is told for each map that has only such a picture.
_PICTURES = {"KHR_texture_basisu", "MSFT_texture_dds"}
_OF_MATERIALS = "KHR_materials_"
_MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")


def check(tree: Tree) -> None:
    """Raises LoadError for a file of which the triangles cannot be read, or that would keep Blender busy forever."""
    version = str(as_dict(tree.get("asset")).get("version", ""))
    if not version.startswith("2."):
        raise LoadError(f"is glTF {version[:20] or 'without a version'}: export it as glTF 2.0")
    needed = _extensions(tree, "extensionsRequired")
    unknown = needed - _SHAPES - _LOOKS - _NO_LOOKS - _PICTURES - {*_MESHOPT}
    unknown = {name for name in unknown if not name.startswith(_OF_MATERIALS)}
    if unknown:
        raise LoadError(f"needs the extension {min(unknown)[:60]}, which is not read: export the file without it")
    _check_nodes([as_dict(node) for node in as_list(tree.get("nodes"))])


def notes(tree: Tree) -> list[str]:
    """A line for each extension that the file uses and that is not read."""
    unread = _extensions(tree, "extensionsUsed") - _SHAPES - _LOOKS - _NO_LOOKS - _PICTURES - {*_MESHOPT}
    # Those of materials are told for each material that has them.
    return [f"the extension {name[:60]} is not read" for name in sorted(unread) if not name.startswith(_OF_MATERIALS)]


def shapes(tree: Tree, buffers: Mapping[int, str]) -> Tree:
    """The file without its pictures; each material is only named, by its number. buffers: a file for each buffer."""
    kept: Tree = {key: tree[key] for key in ("scene", "scenes", "accessors", "bufferViews", "skins") if key in tree}
    kept["asset"] = {"version": "2.0"}
    kept["extensionsUsed"] = sorted(_SHAPES)
    kept["buffers"] = [
        {"uri": buffers[number], "byteLength": as_dict(buffer).get("byteLength", 1)}
        for number, buffer in enumerate(as_list(tree.get("buffers")))
    ]
    kept["materials"] = [{"name": str(number)} for number in range(len(as_list(tree.get("materials"))))]
    kept["meshes"] = [_shaped_mesh(as_dict(mesh)) for mesh in as_list(tree.get("meshes"))]
    kept["nodes"] = [_shaped(as_dict(node), {"camera"}) for node in as_list(tree.get("nodes"))]
    kept["animations"] = [_moving(as_dict(one)) for one in as_list(tree.get("animations"))]
    return {key: value for key, value in kept.items() if value != []}


class Buffers:
    """The bytes of a file's buffers. found: the file that each address means."""

    def __init__(self, tree: Tree, data: bytes, found: Mapping[str, Path]):
        self.tree, self._found = tree, found
        self._bin = _bin_chunk(data)

    def link(self, number: int, folder: Path) -> str:
        """The buffer as a file in `folder`. Returns its name."""
        uri = as_dict(as_list(self.tree.get("buffers"))[number]).get("uri")
        target = folder / f"buffer{number}.bin"
        if isinstance(uri, str) and not uri.startswith("data:"):
            target.symlink_to(self._found[unquote(uri)].resolve())
        else:
            target.write_bytes(self._bin if uri is None else from_data(uri))
        return target.name

    def view(self, number: Any) -> bytes:
        """The bytes of a buffer view. Raises one of LookupError, TypeError, ValueError, OSError if it has none."""
        view = self.tree["bufferViews"][number]
        uri = self.tree["buffers"][view["buffer"]].get("uri")
        start = view.get("byteOffset", 0)
        return self.bytes_of(uri)[start : start + view["byteLength"]]

    def bytes_of(self, uri: str | None) -> bytes:
        """What an address means; without one, the buffer inside of the file. Raises like `view`."""
        if uri is None:
            return self._bin
        return from_data(uri) if uri.startswith("data:") else self._found[unquote(uri)].read_bytes()


def expanded(tree: Tree, buffers: Buffers) -> Tree:
    """The tree with its compressed views decoded, into a buffer at the end. Buffers that no view is in are emptied.

    Raises LoadError.
    """
    views = [as_dict(view) for view in as_list(tree.get("bufferViews"))]
    packed = [_packed(view) for view in views]
    if not any(packed):
        return tree
    decoded, made, whole = len(as_list(tree.get("buffers"))), [], bytearray()
    for number, (view, how) in enumerate(zip(views, packed, strict=True)):
        if how:
            content = _decoded(how, buffers, number)
            view = {"buffer": decoded, "byteOffset": len(whole), "byteLength": len(content)} | {
                key: view[key] for key in ("byteStride", "target") if key in view
            }
            whole += content + bytes(-len(content) % 4)
            if len(whole) > meshopt.LARGEST:
                raise LoadError(f"has over {meshopt.LARGEST} bytes when it is decompressed")
        made.append(view)
    used = {view.get("buffer") for view in made}
    kept = [buffer if k in used else _inline(b"\0") for k, buffer in enumerate(as_list(tree.get("buffers")))]
    return {**tree, "bufferViews": made, "buffers": [*kept, _inline(bytes(whole))]}


def _packed(view: Tree) -> Tree:
    """How a view is compressed; empty if it is not."""
    extensions = as_dict(view.get("extensions"))
    return next((as_dict(extensions[name]) for name in _MESHOPT if name in extensions), {})


def _decoded(how: Tree, buffers: Buffers, number: int) -> bytes:
    sizes = [how.get(key, 0) for key in ("count", "byteStride", "byteOffset", "byteLength")]
    if not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise LoadError(f"is damaged: the sizes of view {number} are {sizes}"[:200])
    count, stride, start, length = sizes
    try:
        data = buffers.bytes_of(as_dict(buffers.tree["buffers"][how["buffer"]]).get("uri"))[start : start + length]
    except (LookupError, TypeError, ValueError, OSError):
        raise LoadError(f"is damaged: view {number} is compressed in a buffer that cannot be read") from None
    return meshopt.decoded(str(how.get("mode")), str(how.get("filter", "NONE")), count, stride, data)


def _inline(data: bytes) -> Tree:
    address = "data:application/octet-stream;base64," + base64.b64encode(data).decode()
    return {"byteLength": len(data), "uri": address}


def check_places(tree: Tree, buffers: Buffers) -> None:
    """Raises LoadError if a vertex has no place: Blender's importer would put it at the origin."""
    accessors = as_list(tree.get("accessors"))
    primitives = [p for mesh in as_list(tree.get("meshes")) for p in as_list(as_dict(mesh).get("primitives"))]
    numbers = {as_dict(as_dict(primitive).get("attributes")).get("POSITION") for primitive in primitives}
    for number in numbers:
        accessor = as_dict(accessors[number]) if isinstance(number, int) and 0 <= number < len(accessors) else {}
        if accessor.get("componentType") == _FLOAT and "bufferView" in accessor:
            view = as_dict(tree["bufferViews"][accessor["bufferView"]])
            data = buffers.view(accessor["bufferView"])[accessor.get("byteOffset", 0) :]
            step = view.get("byteStride", 12) // 4
            values = np.frombuffer(data[: len(data) // 4 * 4], dtype="<f4")[: accessor["count"] * step]
            if not all(np.isfinite(values[axis::step]).all() for axis in range(3)):
                raise LoadError("has a vertex that is not a number")


def from_data(uri: str) -> bytes:
    """The bytes in a data URI. Raises ValueError."""
    head, _, body = uri.partition(",")
    try:
        return base64.b64decode(unquote(body)) if head.endswith(";base64") else unquote(body).encode("latin-1")
    except binascii.Error:
        raise ValueError("its data is no base64") from None


def _bin_chunk(data: bytes) -> bytes:
    """The buffer inside of a .glb file, or nothing."""
    if data[:4] != b"glTF":
        return b""
    start = 20 + struct.unpack_from("<I", data, 12)[0]
    if len(data) < start + 8 or data[start + 4 : start + 8] != b"BIN\0":
        return b""
    return data[start + 8 : start + 8 + struct.unpack_from("<I", data, start)[0]]


def _shaped(item: Tree, without: set[str]) -> Tree:
    """A part of the tree with only the extensions that say something of shapes."""
    kept = {key: value for key, value in item.items() if key not in {"extensions", "extras", *without}}
    extensions = {k: v for k, v in as_dict(item.get("extensions")).items() if k in _SHAPES}
    return {**kept, "extensions": extensions} if extensions else kept


def _shaped_mesh(mesh: Tree) -> Tree:
    return {**_shaped(mesh, set()), "primitives": [_shaped(as_dict(p), set()) for p in as_list(mesh.get("primitives"))]}


def _moving(animation: Tree) -> Tree:
    """An animation without its channels that change something else than nodes."""
    channels = [
        channel
        for channel in as_list(animation.get("channels"))
        if as_dict(as_dict(channel).get("target")).get("path") in ("translation", "rotation", "scale", "weights")
    ]
    return {**animation, "channels": channels}


def _check_nodes(nodes: list[Tree]) -> None:
    """Raises LoadError unless the nodes are trees: Blender's importer follows them without looking."""
    if len(nodes) > MAX_NODES:
        raise LoadError(f"has {len(nodes)} nodes, the limit is {MAX_NODES}")
    parents = [0] * len(nodes)
    for child in _children(nodes):
        if not isinstance(child, int) or not 0 <= child < len(nodes):
            raise LoadError(f"has a node that is not there: {str(child)[:20]}")
        parents[child] += 1
        if parents[child] > 1:
            raise LoadError(f"is damaged: node {child} has two parents")
    level = [number for number, count in enumerate(parents) if count == 0]
    reached, depth = len(level), 1
    while level:
        level = [child for number in level for child in as_list(nodes[number].get("children"))]
        reached, depth = reached + len(level), depth + 1
        if depth > MAX_DEPTH:
            raise LoadError(f"nests its nodes more than {MAX_DEPTH} deep")
    if reached < len(nodes):
        raise LoadError("is damaged: its nodes go round in a circle")


def _children(nodes: list[Tree]) -> Iterator[Any]:
    for node in nodes:
        yield from as_list(node.get("children"))


def _extensions(tree: Tree, key: str) -> set[str]:
    return {name for name in as_list(tree.get(key)) if isinstance(name, str)}


def as_dict(value: Any) -> Tree:
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

"""Says in plain words what is damaged in a glTF file: numbers that name nothing, and arrays that do not fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scenes.assets.gltf import Tree, as_dict, as_list
from scenes.errors import LoadError, shortened

_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_BYTES = {5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4}
_PLACES = {"matrix": 16, "translation": 3, "rotation": 4, "scale": 3}


def check_parts(tree: Tree) -> None:
    """Raises LoadError if what makes up the shapes names what is not there, lacks a field or ends too early.

    Only what Blender's importer reads is looked at: it would stop there, with words of its own code.
    """
    if "scene" in tree:
        _there(tree, "the file", "scenes", tree["scene"])
    for number, scene in enumerate(as_list(tree.get("scenes"))):
        for node in as_list(as_dict(scene).get("nodes")):
            _there(tree, f"scene {number}", "nodes", node)
    for number, buffer in enumerate(as_list(tree.get("buffers"))):
        if not isinstance(as_dict(buffer).get("uri", ""), str):
            raise LoadError(f"is damaged: the uri of buffer {number} is no text")
    for number, node in enumerate(as_list(tree.get("nodes"))):
        _check_node(tree, f"node {number}", as_dict(node))
    for number, mesh in enumerate(as_list(tree.get("meshes"))):
        for primitive in as_list(as_dict(mesh).get("primitives")):
            _check_primitive(tree, f"mesh {number}", as_dict(primitive))


def needed(tree: Tree, buffer: int) -> int:
    """The bytes of a buffer that the views into it need."""
    views = [as_dict(view) for view in as_list(tree.get("bufferViews"))]
    mine = [view for view in views if view.get("buffer") == buffer]
    return max((_whole(view, "byteOffset", 0) + _whole(view, "byteLength") for view in mine), default=0)


def _check_node(tree: Tree, owner: str, node: Tree) -> None:
    for key, names in (("mesh", "meshes"), ("skin", "skins")):
        if key in node:
            _there(tree, owner, names, node[key])
    for key, count in _PLACES.items():
        if key in node and (len(as_list(node[key])) != count or not all(isinstance(x, int | float) for x in node[key])):
            raise LoadError(f"is damaged: the {key} of {owner} is not {count} numbers")


def _check_primitive(tree: Tree, owner: str, primitive: Tree) -> None:
    if not isinstance(primitive.get("attributes"), dict):
        raise LoadError(f"is damaged: {owner} has triangles without attributes")
    if primitive.get("mode", 4) not in range(7):
        raise LoadError(
            f"is damaged: {owner} has the mode {shortened(str(primitive['mode']))}, which is none of 0 to 6"
        )
    if "material" in primitive:
        _there(tree, owner, "materials", primitive["material"])
    for number in _arrays(primitive):
        _there(tree, owner, "accessors", number)
        _check_accessor(tree, f"accessor {number}", as_dict(tree["accessors"][number]))


def _arrays(primitive: Tree) -> Iterator[Any]:
    yield from primitive["attributes"].values()
    if "indices" in primitive:
        yield primitive["indices"]


def _check_accessor(tree: Tree, owner: str, accessor: Tree) -> None:
    width, size = _WIDTHS.get(str(accessor.get("type"))), _BYTES.get(accessor.get("componentType", 0))
    for key, good in (("type", width), ("componentType", size)):
        if good is None:
            raise LoadError(f"is damaged: the {key} of {owner} is {shortened(str(accessor.get(key, 'missing')))}")
    count = _whole(accessor, "count")
    if "bufferView" not in accessor:  # all zeros, or compressed with Draco
        return
    _there(tree, owner, "bufferViews", accessor["bufferView"])
    view = as_dict(tree["bufferViews"][accessor["bufferView"]])
    _there(tree, f"buffer view {accessor['bufferView']}", "buffers", view.get("buffer"))
    assert width is not None and size is not None
    row = width * size
    ends = _whole(accessor, "byteOffset", 0) + (_whole(view, "byteStride", 0) or row) * (count - 1) + row
    if count and ends > _whole(view, "byteLength"):
        raise LoadError(f"is damaged: {owner} needs {ends} bytes, and its buffer view has {view['byteLength']}")


def _there(tree: Tree, owner: str, names: str, number: Any) -> None:
    """Raises LoadError unless a list of the file has an item of that number. owner: what refers to it."""
    count = len(as_list(tree.get(names)))
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < count:
        raise LoadError(
            f"is damaged: {owner} refers to {names}[{shortened(str(number))}], and the file has {count} {names}"
        )


def _whole(item: Tree, key: str, default: int | None = None) -> int:
    value = item.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise LoadError(f"is damaged: a {key} is {'missing' if value is None else shortened(str(value))}")
    return value

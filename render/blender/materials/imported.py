"""The material of a model file, with all its maps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from render.blender.materials.nodes import Nodes, Wire
from render.blender.meshes import uv_name
from scenes.mesh import Appearance, Picture

_EXTENSIONS = {"REPEAT": "REPEAT", "MIRROR": "MIRROR", "CLAMP": "EXTEND"}


@dataclass(frozen=True)
class Look:
    """What decides the node tree of such a material: all but its values and the files of its images.

    inputs: the inputs beside the color, and whether each is a color. pictures: by input, without
    their files. colored: whether the color attribute of the mesh multiplies the color and the opacity.
    """

    mode: str
    unlit: bool
    colored: bool
    inputs: tuple[tuple[str, bool], ...]
    pictures: tuple[tuple[str, Picture], ...]


def look_of(own: Appearance, colored: bool) -> tuple[Look, dict[str, Any], dict[str, Path]]:
    """The node tree to use, the values of its inputs, and its image files by input."""
    pictures = dict(own.pictures)
    for name, path, channel in (("color", own.texture, "RGB"), ("opacity", own.opacity, "R")):
        if path is not None:
            pictures[name] = Picture(path, channel, 0, own.wrap, own.nearest)
    values: dict[str, Any] = {"color": (*own.color, 1.0)}
    if own.mode != "OPAQUE":
        values["alpha"] = own.alpha
    if own.mode == "MASK":
        values["cutoff"] = own.cutoff
    inputs = {} if own.unlit else {"metallic": own.metallic, "roughness": own.roughness, **own.inputs}
    values |= {name: (*value, 1.0) if isinstance(value, tuple) else value for name, value in inputs.items()}
    used = {"color", "opacity"} & set(pictures) if own.unlit else set(pictures)
    if own.mode == "OPAQUE":
        used.discard("opacity")
    look = Look(
        own.mode,
        own.unlit,
        colored,
        tuple(sorted((name, isinstance(value, tuple)) for name, value in inputs.items())),
        tuple((name, _without_file(pictures[name])) for name in sorted(used)),
    )
    return look, values, {name: pictures[name].path for name in used}


def _without_file(picture: Picture) -> Picture:
    return replace(picture, path=Path())


def own(tree: Nodes, look: Look) -> Wire:
    """The material of the model file: a value times a map for each input, times the colors of the mesh. No more."""
    pictures = dict(look.pictures)
    corner = tree.add("Attribute", out="Color", attribute_name="tint") if look.colored else None
    color = _value(tree, "color", True, pictures.get("color"))
    if corner is not None:
        color = color * corner
    if look.mode != "OPAQUE":
        alpha = _mapped(tree, tree["alpha"], "opacity", pictures.get("opacity"))
        if corner is not None:
            alpha = alpha * tree.other(corner, "Alpha")
        tree.soft = look.mode == "BLEND"
        tree.opacity = alpha if tree.soft else 1.0 - tree.math("LESS_THAN", alpha, tree["cutoff"])
    if look.unlit:
        black = (0.0, 0.0, 0.0)
        return tree.principled(black, 1.0, specular_ior_level=0.0, emission_color=color, emission_strength=1.0)
    inputs = {name: _value(tree, name, is_color, pictures.get(name)) for name, is_color in look.inputs}
    return tree.principled(color, inputs.pop("roughness"), **inputs)


def _value(tree: Nodes, name: str, is_color: bool, picture: Picture | None) -> Wire:
    return _mapped(tree, tree.color_input(name) if is_color else tree[name], name, picture)


def _mapped(tree: Nodes, value: Wire, name: str, picture: Picture | None) -> Wire:
    """The value of an input with its map, as `Picture` says."""
    if picture is None:
        return value
    seen = _sampled(tree, name, picture, tree.add("UVMap", uv_map=uv_name(picture.layer)))
    if picture.channel == "NORMAL":
        along = uv_name(picture.tangents)
        return tree.add("NormalMap", {"Color": seen, "Strength": value}, space="TANGENT", uv_map=along)
    if picture.channel == "RGB":
        return value * seen
    if picture.channel in ("A", "1-A"):
        share = value * tree.other(seen, "Alpha")
        return 1.0 - share if picture.channel == "1-A" else share
    return value * tree.split(seen)["RGB".index(picture.channel)]


def _sampled(tree: Nodes, name: str, picture: Picture, at: Wire) -> Wire:
    across, up = picture.wrap
    if across != up:
        # One image node has one way to go on beyond its edges.
        u, v, _ = tree.split(at)
        at = tree.xyz(_wrapped(tree, u, across), _wrapped(tree, v, up), 0.0)
    extension = _EXTENSIONS[across] if across == up else "EXTEND"
    interpolation = "Closest" if picture.nearest else "Linear"
    image = tree.add("TexImage", {"Vector": at}, extension=extension, interpolation=interpolation)
    tree.images[name] = image.socket.node
    return image


def _wrapped(tree: Nodes, value: Wire, how: str) -> Wire:
    if how == "CLAMP":
        return value
    return tree.math("PINGPONG", value, 1.0) if how == "MIRROR" else tree.math("WRAP", value, 1.0, 0.0)

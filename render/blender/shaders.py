"""Materials of Blender's scene, as its importers of FBX and USD and .blend files leave them, as appearances.

What feeds an input of the principled shader is read as a value times a picture. Nodes that compute something else are
told, and the input keeps what it would be without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from scenes.assets.model_maps import Maps
from scenes.mesh import Appearance, Picture

# Inputs of the shader beside color, opacity and normals. Those that need lengths, as light below the surface does, are
# left out: a model has no size of its own.
_NUMBERS = (
    "Metallic", "Roughness", "IOR", "Specular IOR Level", "Anisotropic", "Anisotropic Rotation", "Coat Weight",
    "Coat Roughness", "Sheen Weight", "Sheen Roughness", "Transmission Weight", "Emission Strength",
)  # fmt: skip
_COLORS = ("Specular Tint", "Sheen Tint", "Emission Color")
_WRAPS = {"REPEAT": "REPEAT", "MIRROR": "MIRROR"}
_CHANNELS = {"Red": "R", "Green": "G", "Blue": "B"}
_AS_IS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


@dataclass(frozen=True)
class Layer:
    """UVs of a picture: the name of the layer of the mesh, "" for the one that is drawn where no node names another,
    and a (2, 3) matrix that acts on it."""

    name: str = ""
    matrix: tuple[tuple[float, ...], ...] = _AS_IS

    def of(self, uvs: dict[str, NDArray[np.float32]], count: int) -> NDArray[np.float32]:
        """(count, 3, 2) from the layers of a piece; zeros if it has none."""
        blank = np.zeros((count, 3, 2), np.float32)
        found = uvs.get(self.name, next(iter(uvs.values()), blank))
        matrix = np.array(self.matrix)
        return (found @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


@dataclass(frozen=True)
class Surface:
    """A material: how it looks, the layers of UVs that its pictures lie on, and the layer of colors that is its color,
    if one is."""

    look: Appearance
    layers: tuple[Layer, ...] = (Layer(),)
    colors: str | None = None


def surface(material: Any, keep: Callable[[Any], Path | None], maps: Maps, notes: list[str]) -> Surface | None:
    """The material as a surface; None if the file does not say how it looks, or in a way that is not read.

    keep: from an image of Blender to a file that can be drawn. notes: takes a line for each thing that is not drawn.
    """
    shader = _principled(material)
    if shader is None:
        r, g, b, a = material.diffuse_color
        if np.allclose((r, g, b, a), (0.8, 0.8, 0.8, 1.0)):
            notes.append(f"material '{material.name[:40]}': it has no shader that is read")
            return None
        return Surface(Appearance((r, g, b), material.metallic, material.roughness, **plain_opacity(a)))
    return _Reading(material.name, shader, keep, maps, notes).surface()


def plain_opacity(alpha: float) -> dict[str, Any]:
    """The fields of an Appearance for a plain number. A fully invisible material means fully opaque."""
    return {"alpha": alpha, "mode": "BLEND"} if 0 < alpha < 1 else {}


@dataclass
class _Reading:
    name: str
    shader: Any
    keep: Callable[[Any], Path | None]
    maps: Maps
    notes: list[str]
    layers: list[Layer] = field(default_factory=list)
    inputs: dict[str, float | tuple[float, ...]] = field(default_factory=dict)
    pictures: dict[str, Picture] = field(default_factory=dict)

    def surface(self) -> Surface:
        # First of all, so that the color and its opacity lie on the first layer.
        base = self.shader.inputs["Base Color"]
        color, colors = self._color(base), _color_layer(base)
        opacity = self._opacity(self.shader.inputs["Alpha"])
        for name in _NUMBERS:
            self._number(name)
        for name in _COLORS:
            self._tint(name)
        if not self._shines():
            for name in ("emission_strength", "emission_color"):
                self.inputs.pop(name, None)
                self.pictures.pop(name, None)
        for name in ("Normal", "Coat Normal"):
            self._normal(name)
        shown = self.pictures.pop("color", None)
        look = Appearance(
            color=color,
            metallic=float(self.inputs.pop("metallic", 0.0)),  # type: ignore[arg-type]
            roughness=float(self.inputs.pop("roughness", 0.5)),  # type: ignore[arg-type]
            texture=shown.path if shown else None,
            wrap=shown.wrap if shown else ("REPEAT", "REPEAT"),
            nearest=bool(shown and shown.nearest),
            inputs=self.inputs,
            pictures=self.pictures,
            **opacity,
        )
        return Surface(look, tuple(self.layers) or (Layer(),), colors)

    def _shines(self) -> bool:
        color = self.inputs.get("emission_color")
        return bool(self.inputs.get("emission_strength")) and isinstance(color, tuple) and any(color)

    def _color(self, socket: Any) -> tuple[float, float, float]:
        found = self._picture("color", socket, "RGB")
        if found or _color_layer(socket) is not None:
            return _factor(socket)
        return _rgb(socket.default_value)

    def _number(self, name: str) -> None:
        socket, key = self.shader.inputs[name], _key(name)
        if not socket.is_linked:
            value = float(socket.default_value)
            if name in ("Metallic", "Roughness"):
                value = min(max(value, 0.0), 1.0)
            if name in ("Metallic", "Roughness", "Emission Strength") or value != _defaults()[name]:
                self.inputs[key] = value
        elif self._picture(key, socket, "R"):
            self.inputs[key] = _factor(socket)[0]

    def _tint(self, name: str) -> None:
        socket, key = self.shader.inputs[name], _key(name)
        if not socket.is_linked:
            if _rgb(socket.default_value) != _defaults()[name] or name == "Emission Color":
                self.inputs[key] = _rgb(socket.default_value)
        elif self._picture(key, socket, "RGB"):
            self.inputs[key] = _factor(socket)

    def _normal(self, name: str) -> None:
        socket = self.shader.inputs[name]
        node = next((link.from_node for link in _behind(socket) if link.from_node.type == "NORMAL_MAP"), None)
        if node is None or node.space != "TANGENT":
            if socket.is_linked:
                self._tell(name, "is computed by nodes that are not read")
            return
        key = _key(name)
        if self._picture(key, node.inputs["Color"], "NORMAL"):
            strength = node.inputs["Strength"]
            self.inputs[key] = 1.0 if strength.is_linked else float(strength.default_value)
            along = node.uv_map or self.layers[self.pictures[key].layer].name
            self.pictures[key] = replace(self.pictures[key], tangents=self._numbered(Layer(along)))

    def _opacity(self, socket: Any) -> dict[str, Any]:
        """The fields of an Appearance for the nodes that feed the socket Alpha."""
        if not socket.is_linked:
            return plain_opacity(float(socket.default_value))
        links = list(_behind(socket))
        image = next((link for link in links if _shows_image(link)), None)
        picture = None if image is None else self.keep(image.from_node.image)
        if image is None or picture is None:
            return {}
        opacity = self.maps.opacity(picture, ("alpha" if image.from_socket.name == "Alpha" else "brightness",))
        self._numbered(_layer(image.from_node))
        steps = [link.from_node for link in links if link.from_node.type == "MATH"]
        alpha = float(np.prod([_constant(step, 1.0) for step in steps if step.operation == "MULTIPLY"]))
        cuts = [step for step in steps if step.operation in ("ROUND", "LESS_THAN", "GREATER_THAN")]
        if cuts:
            cutoff = 0.5 if cuts[0].operation == "ROUND" else _constant(cuts[0], 0.5)
            return {"alpha": alpha, "mode": "MASK", "cutoff": cutoff, "opacity": opacity}
        return {"alpha": alpha, "mode": "BLEND" if opacity or alpha < 1 else "OPAQUE", "opacity": opacity}

    def _picture(self, key: str, socket: Any, channel: str) -> bool:
        """Note the picture that feeds a socket. Returns whether there is one that can be drawn.

        channel: what of it is used where no node takes one of its channels.
        """
        links = list(_behind(socket))
        link = next((one for one in links if _shows_image(one)), None)
        if link is None:
            if any(one.from_node.type == "TEX_IMAGE" for one in links):
                # The importer of USD leaves a texture empty whose file is not where it says.
                self.maps.lost.append(f"the {key} map of the material '{self.name}' is missing")
            elif links and _color_layer(socket) is None:
                self._tell(key, "is computed by nodes that are not read")
            return False
        if any(one.from_node.type == "INVERT" or _subtracts(one.from_node) for one in links) and channel != "NORMAL":
            self._tell(key, "is turned to its opposite by nodes, which is not drawn")
            return False
        path = self.keep(link.from_node.image)
        if path is None:
            return False
        node = link.from_node
        if channel == "R":
            taken = (one.from_socket.name for one in links if one.from_node.type in ("SEPARATE_COLOR", "SEPRGB"))
            channel = "A" if link.from_socket.name == "Alpha" else _CHANNELS.get(next(taken, "Red"), "R")
        wrap = _WRAPS.get(node.extension, "CLAMP")
        nearest = node.interpolation == "Closest"
        self.pictures[key] = Picture(path, channel, self._numbered(_layer(node)), (wrap, wrap), nearest)
        return True

    def _numbered(self, layer: Layer) -> int:
        if layer not in self.layers:
            self.layers.append(layer)
        return self.layers.index(layer)

    def _tell(self, key: str, what: str) -> None:
        self.notes.append(f"material '{self.name[:40]}': its {key.lower().replace('_', ' ')} {what}")


def _principled(material: Any) -> Any:
    """The principled shader of what a render shows, or the first one."""
    if not material.use_nodes or material.node_tree is None:
        return None
    output = material.node_tree.get_output_node("ALL")
    shown = [] if output is None else [link.from_node for link in _behind(output.inputs["Surface"])]
    return next((node for node in (*shown, *material.node_tree.nodes) if node.type == "BSDF_PRINCIPLED"), None)


@cache
def _defaults() -> dict[str, float | tuple[float, float, float]]:
    """The values of a new principled shader by the name of the input."""
    tree = bpy.data.node_groups.new("defaults", "ShaderNodeTree")  # type: ignore[attr-defined]
    shader = tree.nodes.new("ShaderNodeBsdfPrincipled")
    found: dict[str, Any] = {name: shader.inputs[name].default_value for name in _NUMBERS}
    found |= {name: _rgb(shader.inputs[name].default_value) for name in _COLORS}
    bpy.data.node_groups.remove(tree)
    return found


def _key(name: str) -> str:
    """The name of an input in an Appearance."""
    return name.lower().replace(" ", "_")


def _rgb(value: Any) -> tuple[float, float, float]:
    r, g, b = (float(c) for c in value[:3])
    return r, g, b


def _behind(socket: Any) -> Iterator[Any]:
    """The links that lead to a socket, directly or through other nodes, the nearest first; none behind a texture."""
    waiting, seen = list(socket.links), set()
    while waiting:
        link = waiting.pop(0)
        yield link
        if link.from_node.name not in seen and link.from_node.type != "TEX_IMAGE":
            seen.add(link.from_node.name)
            waiting += [before for way in link.from_node.inputs for before in way.links]


def _shows_image(link: Any) -> bool:
    return link.from_node.type == "TEX_IMAGE" and link.from_node.image is not None


def _subtracts(node: Any) -> bool:
    """Whether a node takes what it gets from a number."""
    return node.type == "MATH" and node.operation == "SUBTRACT" and node.inputs[1].is_linked


def _color_layer(socket: Any) -> str | None:
    """The layer of colors that feeds a socket; None if none does."""
    for link in _behind(socket):
        node = link.from_node
        if node.type == "VERTEX_COLOR":
            return str(node.layer_name)
        if node.type == "ATTRIBUTE" and link.from_socket.name == "Color":
            return str(node.attribute_name)
    return None


def _factor(socket: Any) -> tuple[float, float, float]:
    """What multiplies a picture or the colors of a mesh between it and a socket: plain colors and numbers."""
    found = np.ones(3)
    for link in _behind(socket):
        node = link.from_node
        if (node.type in ("VECT_MATH", "MATH") and node.operation == "MULTIPLY") or (
            node.type == "MIX" and node.data_type == "RGBA" and node.blend_type == "MULTIPLY"
        ):
            sockets = node.inputs[6:8] if node.type == "MIX" else node.inputs[:2]
            for free in (one for one in sockets if not one.is_linked):
                found *= np.resize(np.array(free.default_value, dtype=np.float64), 4)[:3]
    return float(found[0]), float(found[1]), float(found[2])


def _constant(step: Any, default: float) -> float:
    """The number in a math node that no other node feeds."""
    free = [socket.default_value for socket in step.inputs[:2] if not socket.is_linked]
    return float(free[0]) if free else default


def _layer(image: Any) -> Layer:
    """The UVs that a texture is drawn with: of the layer that a node names, such as UsdPrimvarReader_float2 of USD,
    moved by the nodes Mapping before the texture, such as UsdTransform2d."""
    nodes = [link.from_node for link in _behind(image.inputs["Vector"])]
    names = {"UVMAP": "uv_map", "ATTRIBUTE": "attribute_name"}
    named = next((getattr(node, names[node.type]) for node in nodes if node.type in names), "")
    matrix = np.eye(3)
    # The node that is nearest to the texture comes last.
    for node in reversed(nodes):
        if node.type == "MAPPING" and node.vector_type == "POINT":
            place, turn, scale = (node.inputs[name].default_value for name in ("Location", "Rotation", "Scale"))
            step = np.array(Matrix.LocRotScale(place, turn, scale))
            matrix = step[np.ix_([0, 1, 3], [0, 1, 3])] @ matrix
    return Layer(named, tuple(tuple(float(x) for x in row) for row in matrix[:2]))

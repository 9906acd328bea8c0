"""A short notation for shader node trees: wires with arithmetic, and the nodes that the materials use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

import bpy

from render.blender.materials.dials import Dials

Input = Union["Wire", float, Sequence[float]]


@dataclass(frozen=True)
class Wire:
    """An output socket. Arithmetic adds a math node, or a vector math node for vectors and colors."""

    nodes: Nodes
    socket: bpy.types.NodeSocket

    def __add__(self, other: Input) -> Wire:
        return self.nodes.math("ADD", self, other)

    def __radd__(self, other: Input) -> Wire:
        return self.nodes.math("ADD", self, other)

    def __sub__(self, other: Input) -> Wire:
        return self.nodes.math("SUBTRACT", self, other)

    def __rsub__(self, other: Input) -> Wire:
        return self.nodes.math("SUBTRACT", other, self)

    def __mul__(self, other: Input) -> Wire:
        return self.nodes.math("MULTIPLY", self, other)

    def __rmul__(self, other: Input) -> Wire:
        return self.nodes.math("MULTIPLY", self, other)

    def __truediv__(self, other: Input) -> Wire:
        return self.nodes.math("DIVIDE", self, other)

    @property
    def is_vector(self) -> bool:
        return self.socket.type in ("VECTOR", "RGBA")


class Nodes:
    """Builds the node tree of one material family.

    `nodes["hue"]` is the number "hue", which is set from outside. The first access creates it. It is an input of the
    group. If the tree is not `shared`, it is a node inside. `opacity` is the opacity of the surface, or None if it is
    opaque everywhere; it is `soft` if it can be between 0 and 1. `glass` is whether light passes through the surface.
    """

    def __init__(self, name: str, *, shared: bool = True):
        self.shared = shared
        self.tree = bpy.data.node_groups.new(name, "ShaderNodeTree")
        self.images: dict[str, bpy.types.Node] = {}
        self.outputs: dict[str, Wire] = {}
        self.opacity: Wire | None = None
        self.soft = self.glass = False
        self._inputs = self.tree.nodes.new("NodeGroupInput")
        self._known: dict[str, Wire] = {}
        self._numbers: dict[str, Wire] = {}

    def __getitem__(self, name: str) -> Wire:
        if self.shared:
            return self.number_input(name)
        if name not in self._numbers:
            self._numbers[name] = self.add("Value")
        return self._numbers[name]

    def number_input(self, name: str) -> Wire:
        return self._input(name, "NodeSocketFloat")

    def vector_input(self, name: str) -> Wire:
        return self._input(name, "NodeSocketVector")

    def color_input(self, name: str) -> Wire:
        return self._input(name, "NodeSocketColor")

    def shader_input(self, name: str) -> Wire:
        return self._input(name, "NodeSocketShader")

    def _input(self, name: str, kind: str) -> Wire:
        if name not in self._known:
            self.tree.interface.new_socket(name, in_out="INPUT", socket_type=kind)
            self._known[name] = Wire(self, self._inputs.outputs[name])
        return self._known[name]

    def output(self, name: str, value: Wire) -> None:
        """Add an output to the group, for the AOV of this name."""
        self.outputs[name] = value

    def finish(self, surface: Wire | None) -> bpy.types.NodeTree:
        """The node group, with the outputs "surface" and "opacity" as far as there are any, and those for AOVs."""
        wires = {"surface": surface, "opacity": self.opacity, **self.outputs}
        there = {name: wire for name, wire in wires.items() if wire is not None}
        kinds = {"SHADER": "NodeSocketShader", "VALUE": "NodeSocketFloat"}
        for name, wire in there.items():
            kind = kinds.get(wire.socket.type, "NodeSocketColor")
            self.tree.interface.new_socket(name, in_out="OUTPUT", socket_type=kind)
        output = self.tree.nodes.new("NodeGroupOutput")
        for name, wire in there.items():
            self.tree.links.new(wire.socket, output.inputs[name])
        return self.tree

    def add(self, kind: str, inputs: Mapping[Any, Input] | None = None, out: str | int = 0, **properties: Any) -> Wire:
        """A node of type ShaderNode<kind> with properties and inputs (by name or index) set; its output `out`."""
        node = self.tree.nodes.new(f"ShaderNode{kind}")
        for name, value in properties.items():
            setattr(node, name, value)
        for name, source in (inputs or {}).items():
            if isinstance(source, Wire):
                self.tree.links.new(source.socket, node.inputs[name])
            else:
                socket = node.inputs[name]
                if socket.type == "RGBA" and isinstance(source, Sequence) and len(source) == 3:
                    source = (*source, 1.0)
                socket.default_value = source
        return Wire(self, node.outputs[out])

    def other(self, wire: Wire, out: str) -> Wire:
        """Another output of the node that a wire comes from."""
        return Wire(self, wire.socket.node.outputs[out])

    def dials(self, prefix: str = "") -> list[Dials]:
        """The numbers inside a tree that is not shared, each with the prefix before its name."""
        return [Dials(wire.socket.node.outputs, [f"{prefix}{name}"]) for name, wire in self._numbers.items()]

    # Numbers and vectors ---------------------------------------------------------------------------------------

    def math(self, operation: str, *values: Input) -> Wire:
        if any(isinstance(value, Wire) and value.is_vector for value in values):
            filled = [value if _is_triple(value) else self.xyz(value, value, value) for value in values]
            return self.add("VectorMath", dict(enumerate(filled)), operation=operation)
        return self.add("Math", dict(enumerate(values)), operation=operation)

    def fract(self, value: Input) -> Wire:
        return self.math("FRACT", value)

    def floor(self, value: Input) -> Wire:
        return self.math("FLOOR", value)

    def greater(self, value: Input, than: Input) -> Wire:
        return self.math("GREATER_THAN", value, than)

    def attribute(self, name: str) -> Wire:
        """A numeric attribute of the vertices of the mesh."""
        return self.add("Attribute", out="Fac", attribute_name=name)

    def length(self, vector: Wire) -> Wire:
        return self.add("VectorMath", {0: vector}, out="Value", operation="LENGTH")

    def distance(self, first: Wire, second: Input) -> Wire:
        return self.add("VectorMath", {0: first, 1: second}, out="Value", operation="DISTANCE")

    def xyz(self, x: Input, y: Input, z: Input) -> Wire:
        return self.add("CombineXYZ", {0: x, 1: y, 2: z})

    def split(self, vector: Wire) -> tuple[Wire, Wire, Wire]:
        x = self.add("SeparateXYZ", {0: vector})
        return x, self.other(x, "Y"), self.other(x, "Z")

    def ramp(self, value: Input, low: Input, high: Input, to_low: Input = 0.0, to_high: Input = 1.0) -> Wire:
        """Map `value` from [low, high] to [to_low, to_high] by a smooth step, clamped."""
        inputs = {"Value": value, "From Min": low, "From Max": high, "To Min": to_low, "To Max": to_high}
        return self.add("MapRange", inputs, interpolation_type="SMOOTHSTEP")

    def mix(self, factor: Input, first: Input, second: Input) -> Wire:
        """Numbers, vectors or colors: `first` where factor is 0, `second` where it is 1."""
        wires = [value for value in (first, second) if isinstance(value, Wire)]
        kind = wires[0].socket.type if wires else ("RGBA" if _is_triple(first) else "FLOAT")
        kind = {"VALUE": "FLOAT"}.get(kind, kind)
        a, b, out = (2, 3, 0) if kind == "FLOAT" else (4, 5, 1) if kind == "VECTOR" else (6, 7, 2)
        return self.add("Mix", {0: factor, a: first, b: second}, out=out, data_type=kind)

    # Colors ---------------------------------------------------------------------------------------------------

    def color(self, hue: Input, saturation: Input, value: Input) -> Wire:
        """Linear RGB of a display color in HSV. It is constant in a picture, so Cycles evaluates it only once."""
        channels = {0: self.fract(hue), 1: self.math("MINIMUM", saturation, 1.0), 2: self.math("MINIMUM", value, 1.0)}
        return self.add("Gamma", {0: self.add("CombineColor", channels, mode="HSV"), 1: 2.2})

    def own_color(self, hue: float = 0.0, saturation: float = 1.0, value: Input = 1.0, suffix: str = "") -> Wire:
        """The color of the parameters hue, saturation and value, with the hue shifted and the others multiplied."""
        return self.color(
            self[f"hue{suffix}"] + hue, self[f"saturation{suffix}"] * saturation, self[f"value{suffix}"] * value
        )

    def tinted(self, color: Wire, brightness: Input) -> Wire:
        """The color times a number."""
        return self.add("VectorMath", {0: color, "Scale": brightness}, operation="SCALE")

    def stepped(self, value: Input, colors: Sequence[tuple[float, Sequence[float]]]) -> Wire:
        """Linear RGB: the last of `colors`, (start, RGB) in rising order, whose start is at most `value`."""
        chosen = self.add("ValToRGB", {0: value}, out="Color")
        ramp = chosen.socket.node.color_ramp
        ramp.interpolation = "CONSTANT"
        while len(ramp.elements) < len(colors):
            ramp.elements.new(1.0)
        for element, (start, color) in zip(ramp.elements, colors, strict=True):
            element.position, element.color = start, (*color, 1.0)
        return chosen

    # Coordinates -----------------------------------------------------------------------------------------------

    def object(self) -> Wire:
        """Model coordinates. The unit is the box diagonal for objects, and a meter for grounds."""
        return self.add("TexCoord", out="Object")

    def place(self, moved: Wire | None = None) -> Wire:
        """Model coordinates (or `moved`) times the parameter scale, shifted by the parameter seed."""
        seed = self["seed"]
        away = self.xyz(seed, seed * 1.71 + 3.3, seed * 2.37 + 7.7)
        return self.math(
            "MULTIPLY_ADD", moved or self.object(), self.xyz(self["scale"], self["scale"], self["scale"]), away
        )

    def along(self, axis: Wire, vector: Wire) -> Wire:
        """Rotate `vector` by the Euler angles `axis`, in degrees."""
        radians = axis * (0.0174533, 0.0174533, 0.0174533)
        return self.add("VectorRotate", {"Vector": vector, "Rotation": radians}, rotation_type="EULER_XYZ")

    def box(self) -> tuple[Wire, Wire]:
        """Model coordinates in the plane that the surface faces most: u is horizontal, v points up on walls."""
        x, y, z = self.split(self.object())
        faces_x, faces_z = self.facing()
        return self.mix(faces_x, x, y), self.mix(faces_z, z, y)

    def facing(self) -> tuple[Wire, Wire]:
        """Whether the surface faces mostly along x, and along z (0 or 1 each)."""
        normal = self.add("TexCoord", out="Normal")
        x, y, z = self.split(self.math("ABSOLUTE", normal))
        return self.greater(x, self.math("MAXIMUM", y, z)), self.greater(z, self.math("MAXIMUM", x, y))

    def unfolded(self) -> Wire:
        """`box` times scale, moved by seed, as a vector (u, v, 0)."""
        u, v = self.box()
        scale, seed = self["scale"], self["seed"]
        return self.xyz(u * scale + seed, v * scale + seed * 0.37, 0.0)

    # Textures --------------------------------------------------------------------------------------------------

    def noise(
        self, at: Wire, scale: Input = 1.0, detail: float = 2.0, roughness: float = 0.5, distortion: float = 0.0
    ) -> Wire:
        """Fractal noise in [0, 1], mostly within 0.3 to 0.7."""
        inputs = {"Vector": at, "Scale": scale, "Detail": detail, "Roughness": roughness, "Distortion": distortion}
        return self.add("TexNoise", inputs, noise_dimensions="3D", normalize=True)

    def grain(
        self, at: Wire, scale: Input = 1.0, detail: float = 2.0, roughness: float = 0.5, distortion: float = 0.0
    ) -> Wire:
        """`noise` in the plane of x and y, at half the cost: for flat surfaces."""
        inputs = {"Vector": at, "Scale": scale, "Detail": detail, "Roughness": roughness, "Distortion": distortion}
        return self.add("TexNoise", inputs, noise_dimensions="2D", normalize=True)

    def cells(self, at: Wire, scale: Input = 1.0, randomness: float = 1.0, out: str = "Distance") -> Wire:
        """Voronoi cells in the plane of `unfolded`; `out` is Distance, Color (random for each cell) or Position."""
        inputs: dict[Any, Input] = {"Vector": at, "Scale": scale, "Randomness": randomness}
        return self.add("TexVoronoi", inputs, out=out, voronoi_dimensions="2D")

    # Surfaces --------------------------------------------------------------------------------------------------

    def bump(self, height: Wire, depth: Input) -> Wire:
        """A bump normal. A `height` of 1 is `depth` units of the scaled coordinates, for objects of any size."""
        unit = self.add(
            "VectorTransform", {0: (1.0, 0.0, 0.0)}, vector_type="VECTOR", convert_from="OBJECT", convert_to="WORLD"
        )
        distance = self.length(unit) / self["scale"] * depth
        return self.add("Bump", {"Height": height, "Distance": distance, "Strength": 1.0})

    def upward(self) -> Wire:
        """How far the surface faces up, -1 to 1."""
        return self.split(self.add("NewGeometry", out="Normal"))[2]

    def principled(self, color: Input, roughness: Input, normal: Wire | None = None, **more: Input) -> Wire:
        """A principled surface; further inputs by name in lower case with underscores."""
        inputs: dict[Any, Input] = {"Base Color": color, "Roughness": roughness}
        inputs |= {name.replace("_", " ").title().replace("Ior", "IOR"): value for name, value in more.items()}
        self.glass = self.glass or more.get("transmission_weight", 0.0) != 0.0
        if normal is not None:
            inputs["Normal"] = normal
        if "Anisotropic" not in inputs:
            # Cycles computes an unlinked tangent at each hit, also where nothing uses it. This one is constant.
            inputs["Tangent"] = self.xyz(0.0, 0.0, 1.0)
        return self.add("BsdfPrincipled", inputs)


def _is_triple(value: Input) -> bool:
    return value.is_vector if isinstance(value, Wire) else isinstance(value, Sequence)

"""Blender materials for the materials of a scene: built once per family, then reused with new values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy

from render.blender.materials import cloth, coats, images, imported, metals, mineral, natural, overlays, surfaces
from render.blender.materials.dials import Dials
from render.blender.materials.images import COLOR_MAPS, ImageCache
from render.blender.materials.labels import LabelNodes
from render.blender.materials.nodes import Nodes, Wire
from scenes.assets.texture_sets import TextureSet
from scenes.errors import InputError, choices, shortened
from scenes.materials.families import FAMILIES
from scenes.mesh import Appearance
from scenes.record.material import Material

_MODULES = (metals, coats, natural, cloth, mineral, surfaces, images, imported)
BUILDERS: dict[str, Callable[..., Wire]] = {
    family: next(getattr(module, family) for module in _MODULES if hasattr(module, family)) for family in FAMILIES
}
"""The node tree of each family: the function of its name in one of the modules."""
OVERLAYS: dict[str, Callable[[Nodes, Wire], Wire]] = {
    "deposit": overlays.deposit, "mark": overlays.mark, "filler": overlays.filler, "decal": overlays.decal,
}  # fmt: skip
"""Overlays for any family: each takes a surface and returns another. All their parameters are numbers."""

IMAGE_FAMILIES = ("pbr", "image", "own")

Recipe = tuple[Any, ...]


@dataclass
class _Pooled:
    """A Blender material and what is set on it.

    dials: the parameters of the family by name, those of overlays by level and name, and ":foreground". surface: the
    socket that takes the surface. opacity: the socket that gives its opacity, or None if it has none. soft: whether the
    opacity can be between 0 and 1. glass: whether light passes through the surface.
    """

    material: bpy.types.Material
    dials: list[Dials]
    images: Mapping[str, bpy.types.Node]
    surface: bpy.types.NodeSocket
    opacity: bpy.types.NodeSocket | None
    soft: bool
    glass: bool


class Palette:
    """Hands out Blender materials for one picture at a time.

    textures: from an asset id to its texture set; it raises InputError for an unknown id.
    limit: bytes of decoded images to keep.

    Every material writes three AOVs: "coverage" (value), 1 on the crack of a surface and 0 elsewhere, and two colors,
    only in the sample through the center of the pixel: "normal", the interpolated surface normal in world axes, without
    bump, and "part", the code of the part (`parts.codes`). `labels` sets what the materials must know of the picture
    for that.
    """

    def __init__(self, textures: Callable[[str], TextureSet], limit: int = 1 << 30):
        self._textures = textures
        self.labels = LabelNodes()
        self._images = ImageCache(limit)
        self._groups: dict[Recipe, Nodes] = {}
        self._free: dict[Recipe, list[_Pooled]] = defaultdict(list)
        self._lent: dict[bpy.types.Material, tuple[Recipe, _Pooled]] = {}

    def checkout(
        self,
        spec: Material,
        *,
        pass_index: int = 0,
        foreground: bool = False,
        appearance: Appearance | None = None,
        colored: bool = False,
        overlays: Sequence[Material] = (),
        pictures: Mapping[str, bpy.types.Image] | None = None,
    ) -> bpy.types.Material:
        """A Blender material for `spec`, covered by `overlays` in order. It is valid until `release`.

        foreground: whether it is the crack of a surface. appearance: the material from the model file, for the family
        "own". colored: whether the color attribute of the mesh multiplies it. pictures: images of the overlays, by
        name.
        Raises InputError for an unknown family, a missing or unknown parameter, or a missing texture.
        """
        if spec.family not in BUILDERS:
            raise InputError(f"material family '{spec.family}' is unknown, {choices(spec.family, BUILDERS)}")
        recipe, values, files = self._asked(spec, appearance or Appearance(), colored)
        for level, overlay in enumerate(overlays):
            recipe = (*recipe, _Over(overlay.family, level))
            values |= {f"{level}.{name}": _socket_value(value) for name, value in overlay.parameters.items()}
        free = self._free[recipe]
        pooled = free.pop() if free else self._built(recipe)
        self._lent[pooled.material] = recipe, pooled
        for kind, node in pooled.images.items():
            given = (pictures or {}).get(kind)
            picture = self._images.get(files[kind], kind not in COLOR_MAPS) if given is None else given
            if node.image != picture:
                node.image = picture
        values[":foreground"] = foreground
        for dials in pooled.dials:
            dials.turn(values)
        pooled.material.pass_index = pass_index
        return pooled.material

    def is_cut(self, material: bpy.types.Material) -> bool:
        """Whether a material of the picture has an opacity."""
        return self._lent[material][1].opacity is not None

    def is_glass(self, material: bpy.types.Material) -> bool:
        """Whether light passes through a material of the picture."""
        return self._lent[material][1].glass

    @property
    def soft(self) -> bool:
        """Whether a material of the picture can be half transparent."""
        return any(pooled.soft for _, pooled in self._lent.values())

    def release(self) -> None:
        """Take back all materials. Call it between pictures."""
        for recipe, pooled in self._lent.values():
            self._free[recipe].append(pooled)
        self._lent.clear()
        self._images.trim()

    def _asked(
        self, spec: Material, own: Appearance, colored: bool
    ) -> tuple[Recipe, dict[str, Any], Mapping[str, Path]]:
        """The node tree to use, the values of its inputs, and its image files by kind of map."""
        if spec.family == "own":
            look, values, files = imported.look_of(own, colored)
            return ("own", look), values, files
        _check(spec)
        numbers = {name: _socket_value(value) for name, value in spec.parameters.items() if not isinstance(value, str)}
        if spec.family not in IMAGE_FAMILIES:
            names = (value for value in spec.parameters.values() if isinstance(value, str))
            return (spec.family, *names), numbers, {}
        maps = self._textures(str(spec.parameters["texture"])).maps
        return (("pbr", tuple(sorted(maps))) if spec.family == "pbr" else ("image",)), numbers, maps

    def _built(self, recipe: Recipe) -> _Pooled:
        *rest, last = recipe
        if isinstance(last, _Over):
            return self._covered(self._built(tuple(rest)), last.family, last.level)
        family = recipe[0]
        if family in IMAGE_FAMILIES:
            # Images cannot be inputs of a shared group, so each of these materials has its own group.
            return self._pooled(family, _group(recipe))
        if recipe not in self._groups:
            self._groups[recipe] = _group(recipe)
        return self._pooled(family, self._groups[recipe])

    def _pooled(self, name: str, nodes: Nodes) -> _Pooled:
        """A material of one group node, the surface output and the AOVs."""
        material = bpy.data.materials.new(name)
        material.use_nodes = True
        tree = material.node_tree
        tree.nodes.clear()
        surface, center = _node(tree, nodes.tree), _node(tree, self.labels.center)
        taken = tree.nodes.new("ShaderNodeOutputMaterial").inputs["Surface"]
        center.inputs["opacity"].default_value = 1.0
        opacity = None
        if "opacity" in surface.outputs:
            cut = _node(tree, self.labels.cut)
            opacity = cut.outputs["opacity"]
            tree.links.new(surface.outputs["opacity"], cut.inputs["opacity"])
            tree.links.new(opacity, center.inputs["opacity"])
            tree.links.new(cut.outputs["surface"], taken)
            taken = cut.inputs["surface"]
        tree.links.new(surface.outputs["surface"], taken)
        coverage = tree.nodes.new("ShaderNodeOutputAOV")
        coverage.aov_name = "coverage"
        for labeled in center.outputs:
            _write(tree, labeled.name, labeled)
        dials = [
            Dials(surface.inputs, [socket.name for socket in surface.inputs]),
            Dials(coverage.inputs, [":foreground" if socket.name == "Value" else None for socket in coverage.inputs]),
        ]
        return _Pooled(material, dials, nodes.images, taken, opacity, nodes.soft, nodes.glass)

    def _covered(self, pooled: _Pooled, family: str, level: int) -> _Pooled:
        """Insert an overlay on the surface of a material. It is cut with the surface."""
        nodes = Nodes(f"blendmill.{family}", shared=False)
        group = nodes.finish(OVERLAYS[family](nodes, nodes.shader_input("under")))
        tree = pooled.material.node_tree
        over = _node(tree, group)
        (link,) = pooled.surface.links
        tree.links.new(link.from_socket, over.inputs["under"])
        tree.links.new(over.outputs["surface"], pooled.surface)
        for name in nodes.outputs:
            there = over.outputs[name]
            if pooled.opacity is not None:
                scale = tree.nodes.new("ShaderNodeVectorMath")
                scale.operation = "SCALE"
                tree.links.new(there, scale.inputs[0])
                tree.links.new(pooled.opacity, scale.inputs["Scale"])
                there = scale.outputs[0]
            _write(tree, name, there)
        dials = [*pooled.dials, *nodes.dials(f"{level}.")]
        return replace(pooled, dials=dials, images={**pooled.images, **nodes.images})


@dataclass(frozen=True)
class _Over:
    """The end of a recipe for a material with an overlay."""

    family: str
    level: int


def _group(recipe: Recipe) -> Nodes:
    family, *variant = recipe
    nodes = Nodes(".".join(("blendmill", family, *map(str, variant))))
    nodes.finish(BUILDERS[family](nodes, *variant))
    return nodes


def _node(tree: bpy.types.NodeTree, group: bpy.types.NodeTree) -> bpy.types.Node:
    node = tree.nodes.new("ShaderNodeGroup")
    node.node_tree = group
    return node


def _write(tree: bpy.types.NodeTree, name: str, color: bpy.types.NodeSocket) -> None:
    """Write a color to the AOV of a name."""
    aov = tree.nodes.new("ShaderNodeOutputAOV")
    aov.aov_name = name
    tree.links.new(color, aov.inputs["Color"])


def _check(spec: Material) -> None:
    """Raise InputError unless the parameters are exactly those of the family, with known kinds."""
    known = FAMILIES[spec.family]
    for name in spec.parameters:
        if name not in known:
            raise InputError(
                f"material family '{spec.family}' has no parameter '{shortened(name)}', {choices(name, known)}"
            )
    for name, distribution in known.items():
        if name not in spec.parameters:
            raise InputError(f"material of family '{spec.family}' lacks the parameter '{name}': give it a value")
        value = spec.parameters[name]
        if name == "kind" and value not in distribution.support():
            raise InputError(
                f"{spec.family} of kind '{value}' is unknown, {choices(str(value), distribution.support())}"
            )


def _socket_value(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, tuple)) else float(value)

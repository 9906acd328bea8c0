"""Materials of glTF files as appearances, by the rules of the format: a factor times a map for each input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.assets.gltf import Tree, as_dict, as_list
from scenes.mesh import Appearance, Picture

_AS_IS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
_NEAREST, _LINEAR = {9728, 9984, 9986}, {9729, 9985, 9987}

# Extensions of which no input of the shader is left to say: (name, what is not drawn).
_UNSEEN = {
    "KHR_materials_volume": "the absorption of light inside of it",
    "KHR_materials_iridescence": "its thin film",
    "KHR_materials_dispersion": "its dispersion",
    "KHR_materials_diffuse_transmission": "the light that it lets through diffusely",
}
# What an input is taken for if its map is lost: the factor alone is 1 most of the time, and would make all metal.
_UNKNOWN = {"metallic": 0.0, "roughness": 0.5}
_KNOWN = {
    "KHR_materials_anisotropy", "KHR_materials_clearcoat", "KHR_materials_emissive_strength", "KHR_materials_ior",
    "KHR_materials_pbrSpecularGlossiness", "KHR_materials_sheen", "KHR_materials_specular",
    "KHR_materials_transmission", "KHR_materials_unlit",
}  # fmt: skip


@dataclass(frozen=True)
class Layer:
    """UVs of a material: a set of the file, and a (2, 3) matrix that acts on it in glTF's axes (v down)."""

    number: int
    matrix: tuple[tuple[float, ...], ...]

    def of(self, uvs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(m, 3, 2) UVs with v up, transformed."""
        matrix = np.array(self.matrix)
        down = np.stack([uvs[..., 0], 1 - uvs[..., 1]], axis=-1).astype(np.float64)
        moved = down @ matrix[:, :2].T + matrix[:, 2]
        return np.stack([moved[..., 0], 1 - moved[..., 1]], axis=-1).astype(np.float32)


@dataclass(frozen=True)
class Surface:
    """A material: its name, how it looks, and the layers of UVs that its maps lie on."""

    name: str = ""
    look: Appearance | None = None
    layers: tuple[Layer, ...] = ()


def surface(tree: Tree, number: int, image: Callable[[Any], Path | None], notes: list[str]) -> Surface:
    """The material of that number. image: from the number of an image to its file. notes: takes a line for each thing
    that is not drawn."""
    material = as_dict(tree["materials"][number])
    return _Reading(tree, material, image, notes).surface()


@dataclass
class _Reading:
    tree: Tree
    material: Tree
    image: Callable[[Any], Path | None]
    notes: list[str]
    layers: list[Layer] = field(default_factory=list)
    inputs: dict[str, float | tuple[float, ...]] = field(default_factory=dict)
    pictures: dict[str, Picture] = field(default_factory=dict)

    def surface(self) -> Surface:
        name = str(self.material.get("name") or "")
        plain = as_dict(self.material.get("pbrMetallicRoughness"))
        shiny = self._extension("KHR_materials_pbrSpecularGlossiness")
        base, key = (plain, "baseColor") if shiny is None else (shiny, "diffuse")
        factor = _numbers(base.get(f"{key}Factor"), (1.0, 1.0, 1.0, 1.0))
        # First of all, so that the color and its opacity lie on the first layer.
        self._picture("color", base.get(f"{key}Texture"), "RGB")
        if shiny is None:
            self._number("metallic", plain, "metallicFactor", 1.0, "metallicRoughnessTexture", "B")
            self._number("roughness", plain, "roughnessFactor", 1.0, "metallicRoughnessTexture", "G")
        else:
            self._glossy(shiny)
        self._normal("normal", self.material.get("normalTexture"))
        self._emission()
        self._extensions()
        mode = self.material.get("alphaMode")
        shown = self.pictures.pop("color", None)
        look = Appearance(
            color=(factor[0], factor[1], factor[2]),
            metallic=float(self.inputs.pop("metallic", 0.0)),  # type: ignore[arg-type]
            roughness=float(self.inputs.pop("roughness")),  # type: ignore[arg-type]
            alpha=min(factor[3], 1.0) if mode in ("MASK", "BLEND") else 1.0,
            mode=mode if mode in ("MASK", "BLEND") else "OPAQUE",
            cutoff=_number(self.material.get("alphaCutoff"), 0.5),
            texture=shown.path if shown else None,
            wrap=shown.wrap if shown else ("REPEAT", "REPEAT"),
            nearest=bool(shown and shown.nearest),
            unlit=self._extension("KHR_materials_unlit") is not None,
            inputs=self.inputs,
            pictures=self.pictures,
        )
        self._tell_unseen(name)
        return Surface(name, look, tuple(self.layers))

    def _glossy(self, shiny: Tree) -> None:
        """Specular and glossiness as dielectric with a reflection of that color: with this index of refraction the
        shader reflects the tint itself."""
        self.inputs["ior"] = 1000.0
        self.inputs["specular_tint"] = _numbers(shiny.get("specularFactor"), (1.0, 1.0, 1.0))
        self._picture("specular_tint", shiny.get("specularGlossinessTexture"), "RGB")
        gloss = _number(shiny.get("glossinessFactor"), 1.0)
        # With a map, the number is the glossiness that multiplies it; see `scenes.mesh.Picture`.
        found = self._picture("roughness", shiny.get("specularGlossinessTexture"), "1-A")
        self.inputs["roughness"] = gloss if found else 1.0 - gloss

    def _emission(self) -> None:
        factor = _numbers(self.material.get("emissiveFactor"), (0.0, 0.0, 0.0))
        if max(factor) > 0 and not self._lost("emission_color", self.material.get("emissiveTexture"), "RGB"):
            more = self._extension("KHR_materials_emissive_strength") or {}
            self.inputs["emission_color"] = factor
            self.inputs["emission_strength"] = _number(more.get("emissiveStrength"), 1.0)

    def _extensions(self) -> None:
        if (coat := self._extension("KHR_materials_clearcoat")) is not None:
            self._number("coat_weight", coat, "clearcoatFactor", 0.0, "clearcoatTexture", "R")
            self._number("coat_roughness", coat, "clearcoatRoughnessFactor", 0.0, "clearcoatRoughnessTexture", "G")
            self._normal("coat_normal", coat.get("clearcoatNormalTexture"))
        if (clear := self._extension("KHR_materials_transmission")) is not None:
            self._number("transmission_weight", clear, "transmissionFactor", 0.0, "transmissionTexture", "R")
        if (specular := self._extension("KHR_materials_specular")) is not None:
            self._number("specular_ior_level", specular, "specularFactor", 1.0, "specularTexture", "A", scale=0.5)
            self.inputs["specular_tint"] = _numbers(specular.get("specularColorFactor"), (1.0, 1.0, 1.0))
            self._picture("specular_tint", specular.get("specularColorTexture"), "RGB")
        if (sheen := self._extension("KHR_materials_sheen")) is not None:
            self.inputs["sheen_weight"] = 1.0
            self.inputs["sheen_tint"] = _numbers(sheen.get("sheenColorFactor"), (0.0, 0.0, 0.0))
            self._picture("sheen_tint", sheen.get("sheenColorTexture"), "RGB")
            self._number("sheen_roughness", sheen, "sheenRoughnessFactor", 0.0, "sheenRoughnessTexture", "A")
        if (index := self._extension("KHR_materials_ior")) is not None:
            self.inputs["ior"] = _number(index.get("ior"), 1.5)
        if (brushed := self._extension("KHR_materials_anisotropy")) is not None:
            self.inputs["anisotropic"] = _number(brushed.get("anisotropyStrength"), 0.0)
            self.inputs["anisotropic_rotation"] = _number(brushed.get("anisotropyRotation"), 0.0) / (2 * np.pi)

    def _tell_unseen(self, name: str) -> None:
        owner = f"material '{name[:40]}'" if name else "a material"
        for extension in as_dict(self.material.get("extensions")):
            if extension in _UNSEEN:
                self.notes.append(f"{owner}: {_UNSEEN[extension]} is not drawn ({extension})")
            elif extension.startswith("KHR_materials_") and extension not in _KNOWN:
                self.notes.append(f"{owner}: {extension[:60]} is not drawn")
        brushed = self._extension("KHR_materials_anisotropy")
        if brushed and "anisotropyTexture" in brushed:
            self.notes.append(f"{owner}: its map of anisotropy is not drawn")

    def _extension(self, name: str) -> Tree | None:
        found = as_dict(self.material.get("extensions")).get(name)
        return found if isinstance(found, dict) else None

    def _number(
        self, name: str, holder: Tree, factor: str, default: float, texture: str, channel: str, scale: float = 1.0
    ) -> None:
        if not self._lost(name, holder.get(texture), channel):
            self.inputs[name] = _number(holder.get(factor), default) * scale
        elif name in _UNKNOWN:
            self.inputs[name] = _UNKNOWN[name]

    def _lost(self, name: str, info: Any, channel: str) -> bool:
        """Note the map of an input. Returns whether it should have one, and that cannot be drawn."""
        return not self._picture(name, info, channel) and info is not None

    def _normal(self, name: str, info: Any) -> None:
        if self._picture(name, info, "NORMAL"):
            self.inputs[name] = _number(as_dict(info).get("scale"), 1.0)
            # A transform of the picture does not turn the tangents of the surface.
            plain = Layer(self.layers[self.pictures[name].layer].number, _AS_IS)
            self.pictures[name] = replace(self.pictures[name], tangents=self._numbered(plain))

    def _picture(self, name: str, info: Any, channel: str) -> bool:
        """Note the map of an input. Returns whether it has one that can be drawn."""
        texture = self._texture(info)
        if texture is None:
            # No map is no loss; one that names no texture is told like one that names no picture.
            if as_dict(info):
                self.image(None)
            return False
        path = self.image(_source(texture))
        if path is None:
            return False
        samplers = as_list(self.tree.get("samplers"))
        at = texture.get("sampler")
        sampler = as_dict(samplers[at]) if isinstance(at, int) and 0 <= at < len(samplers) else {}
        wrap = (_wrap(sampler, "wrapS"), _wrap(sampler, "wrapT"))
        layer = self._layer(as_dict(info))
        self.pictures[name] = Picture(path, channel, layer, wrap, _nearest(sampler))
        return True

    def _texture(self, info: Any) -> Tree | None:
        number, textures = as_dict(info).get("index"), as_list(self.tree.get("textures"))
        return as_dict(textures[number]) if isinstance(number, int) and 0 <= number < len(textures) else None

    def _layer(self, info: Tree) -> int:
        move = as_dict(as_dict(info.get("extensions")).get("KHR_texture_transform"))
        number = move.get("texCoord", info.get("texCoord", 0))
        x, y = _numbers(move.get("offset"), (0.0, 0.0))
        across, down = _numbers(move.get("scale"), (1.0, 1.0))
        turn = _number(move.get("rotation"), 0.0)
        c, s = float(np.cos(turn)), float(np.sin(turn))
        matrix = ((c * across, s * down, x), (-s * across, c * down, y))
        return self._numbered(Layer(number if isinstance(number, int) else 0, matrix))

    def _numbered(self, layer: Layer) -> int:
        if layer not in self.layers:
            self.layers.append(layer)
        return self.layers.index(layer)


def _source(texture: Tree) -> Any:
    """The number of a texture's image; the plain one if there are several."""
    extensions = as_dict(texture.get("extensions"))
    others = (as_dict(one).get("source") for one in extensions.values())
    return texture.get("source", next(others, None))


def _wrap(sampler: Tree, key: str) -> str:
    return {33071: "CLAMP", 33648: "MIRROR"}.get(sampler.get(key, 0), "REPEAT")


def _nearest(sampler: Tree) -> bool:
    """Whether the map is drawn without interpolation: as one of the two filters says, and the other does not object."""
    filters = {sampler.get("minFilter"), sampler.get("magFilter")}
    return bool(filters & _NEAREST) and not filters & _LINEAR


def _numbers(value: Any, default: tuple[float, ...]) -> tuple[float, ...]:
    """As many numbers as the default has, or the default."""
    good = isinstance(value, list) and len(value) >= len(default) and all(_is_number(x) for x in value)
    return tuple(float(x) for x in value[: len(default)]) if good else default


def _number(value: Any, default: float) -> float:
    return float(value) if _is_number(value) else default


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and bool(np.isfinite(value))

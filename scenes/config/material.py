"""The config of what objects are made of, and of what is behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from scenes.annotations import flags, names, numbers
from scenes.distributions import Distribution, parse
from scenes.errors import choices
from scenes.materials.families import FAMILIES
from scenes.section import Section

DEFAULT_FAMILIES = {
    "choice": {
        "plastic": 0.16, "painted": 0.16, "metal": 0.10, "brushed_metal": 0.05, "rusty_metal": 0.05, "wood": 0.10,
        "fabric": 0.08, "leather": 0.06, "ceramic": 0.06, "stone": 0.04, "concrete": 0.03, "moss": 0.02,
        "fingerprints": 0.03, "patterned": 0.06,
    }
}  # fmt: skip
GROUNDS = {
    "choice": ["planks", "concrete", "asphalt", "grass", "tiles", "carpet", "stone", "plaster", "fabric", "soil"]
}


Parameters = Mapping[str, Mapping[str, Any]]
"""Distributions of material parameters in their YAML form, by family and name."""


def _known(value: Parameters) -> Parameters:
    for family, parameters in value.items():
        if family not in FAMILIES:
            raise ValueError(f"unknown material family '{family}', {choices(family, FAMILIES)}")
        for name, distribution in parameters.items():
            if name not in FAMILIES[family]:
                raise ValueError(f"{family} has no parameter '{name}', {choices(name, FAMILIES[family])}")
            parse(distribution)
    return value


def parsed(parameters: Parameters) -> dict[str, dict[str, Distribution]]:
    """The distributions themselves."""
    return {family: {name: parse(value) for name, value in given.items()} for family, given in parameters.items()}


ParametersField = Annotated[dict[str, dict[str, Any]], AfterValidator(_known)]
"""A field of a section that holds such distributions."""


def _folders(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _folder(value: str) -> str:
    if not value.strip("/"):
        raise ValueError("a folder of textures has a name")
    return value.strip("/")


FoldersField = Annotated[
    tuple[Annotated[str, AfterValidator(_folder)], ...], BeforeValidator(_folders), Field(min_length=1)
]
"""Folders of textures; one may be written without a list."""


class MaterialConfig(Section):
    """What objects are made of."""

    mode: Annotated[Any, names("own", "whole", "per_part")] = {"choice": {"own": 0.5, "whole": 0.25, "per_part": 0.25}}
    """"own" keeps the kind of each part's material and varies its color and finish, "whole" makes the object of one
    family, "per_part" makes each role of one."""
    family: Annotated[Any, names(*FAMILIES)] = DEFAULT_FAMILIES
    """The material family, where the mode is "whole" or "per_part"."""
    texture: Annotated[Any, names()] | None = None
    """Asset id of a texture for the families "pbr" and "image"; null draws evenly over all."""
    textures: dict[str, FoldersField] = {}
    """The folders that textures come from, by role of the part, by class, or for all others ("*"), in place of all:
    `{car: pbr/paint, wood: [pbr/oak, pbr/pine], "*": walls}`. A texture in the folder pbr of `assets.textures` has an
    id such as pbr/paint/red, and any beginning of it is a folder."""
    parameters: ParametersField = {}
    """Distributions of single parameters of the objects' materials, by family and name, instead of the family's own."""

    @model_validator(mode="after")
    def _one_choice(self) -> MaterialConfig:
        if self.texture is not None and self.textures:
            raise ValueError("give either texture or textures, not both; write texture: null to use textures")
        return self


class BackgroundConfig(Section):
    """What is behind the objects."""

    kind: Annotated[Any, names("hdri", "ground", "room", "image", "color", "white", "none")] = {
        "choice": {"hdri": 0.4, "ground": 0.35, "room": 0.25}
    }
    """The environment map, a ground under the sky, a room, a picture, one color, plain white with the objects'
    shadows on it as in a catalog of goods, or nothing."""
    shadow: Annotated[Any, flags()] = True
    """Whether an invisible ground catches shadows, for the kinds "hdri", "image" and "white"."""
    ground: Annotated[Any, names(*FAMILIES)] = GROUNDS
    """Material family of the ground and of a room's floor."""
    walls: Annotated[Any, names(*FAMILIES)] = {
        "choice": {"plaster": 0.35, "painted": 0.25, "brick": 0.1, "concrete": 0.1, "planks": 0.1, "patterned": 0.1}
    }
    """Material family of a room's walls."""
    texture: Annotated[Any, names()] | None = None
    """Asset id of a texture for a ground or walls of the families "pbr" and "image"; null draws evenly over all."""
    parameters: ParametersField = {}
    """As `material.parameters`, but of the ground and the walls."""
    image: Annotated[Any, names()] | None = None
    """Asset id of a picture; null draws evenly over all."""
    hue: Annotated[Any, numbers(0, 1, unit="share of the color circle")] = {"uniform": [0, 1]}
    """Hue of the color, for the kind "color"."""
    saturation: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0, 0.8]}
    """Saturation of the color."""
    value: Annotated[Any, numbers(0, 1, unit="share of full scale")] = {"uniform": [0.1, 1.0]}
    """Brightness of the color."""
    room_width: Annotated[Any, numbers(0.1, 1000, unit="m")] = {"uniform": [4, 8]}
    """Width of a room; a room always holds the objects and the camera."""
    room_depth: Annotated[Any, numbers(0.1, 1000, unit="m")] = {"uniform": [4, 8]}
    """Depth of a room."""
    room_height: Annotated[Any, numbers(0.1, 1000, unit="m")] = {"uniform": [2.4, 4]}
    """Height of a room."""

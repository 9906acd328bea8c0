"""What the parts of objects are made of: roles, each a choice of material families, and the draw of a material."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from scenes.distributions import Uniform
from scenes.errors import InputError, choices
from scenes.materials.families import ANY_HUE, FAMILIES, Parameters, mix, parsed
from scenes.record.material import Material, Parameter
from scenes.streams import Streams


@dataclass(frozen=True)
class Make:
    """One thing a role can be made of: the family, how often, and all its parameters' distributions."""

    family: str
    weight: float
    parameters: Parameters


def _make(name: str, weight: float = 1.0, **overrides: Any) -> Make:
    return Make(name, weight, family_parameters(name, parsed(**overrides)))


def draw_family(family: str, streams: Streams, key: str, overrides: Parameters | None = None) -> Material:
    """A material of a family: parameter p is decided by the stream "<key>.<family>.<p>".

    overrides: distributions that replace the family's own. Raises InputError for an unknown family or parameter.
    """
    return _drawn(family, family_parameters(family, overrides or {}), streams, key)


def draw_role(role: str, streams: Streams, key: str) -> Material:
    """A material for a part's role; what follows a colon in the role is ignored. The stream "<key>.family" decides
    what it is made of. Raises InputError for an unknown role."""
    name = role.partition(":")[0]
    if name not in ROLES:
        raise InputError(f"material role '{name}' is unknown, {choices(name, ROLES)}")
    makes = ROLES[name]
    make = makes[0]
    if len(makes) > 1:
        u = streams.quantile(f"{key}.family")
        for make in makes:
            u -= make.weight
            if u < 0:
                break
    return _drawn(make.family, make.parameters, streams, key)


def family_parameters(family: str, overrides: Parameters) -> Parameters:
    """The family's distributions with `overrides` in place."""
    if family not in FAMILIES:
        raise InputError(f"material family '{family}' is unknown, {choices(family, FAMILIES)}")
    defaults = FAMILIES[family]
    for name in overrides:
        if name not in defaults:
            raise InputError(f"material family '{family}' has no parameter '{name}', {choices(name, defaults)}")
    return {**defaults, **overrides} if overrides else defaults


def _drawn(family: str, parameters: Parameters, streams: Streams, key: str) -> Material:
    names = _streams_of(key, family, tuple(parameters))
    values: dict[str, Parameter] = {}
    for (name, distribution), stream in zip(parameters.items(), names, strict=True):
        values[name] = streams.value(stream, distribution)
    return Material(family, values)


@lru_cache(maxsize=4096)
def _streams_of(key: str, family: str, parameters: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{key}.{family}.{name}" for name in parameters)


_VIVID = Uniform(0.5, 0.92)
_GRAY = Uniform(0.0, 0.06)
_WHITE: dict[str, Any] = {"saturation": Uniform(0.0, 0.08), "value": Uniform(0.82, 0.95)}
_BLACK: dict[str, Any] = {"saturation": Uniform(0.0, 0.12), "value": Uniform(0.07, 0.22)}
_BLUE_RED = mix((0.4, Uniform(0.55, 0.64)), (0.4, Uniform(-0.02, 0.03)), (0.2, ANY_HUE))
_DARK_WOOD: dict[str, Any] = {"saturation": Uniform(0.45, 0.75), "value": Uniform(0.14, 0.4)}

LIQUIDS = frozenset({"lacquer:drink"})
"""Roles, whole, of parts that no crack runs through."""

ROLES: dict[str, tuple[Make, ...]] = {
    "own": (_make("own"),),
    "painted": (_make("painted", 0.75), _make("painted", 0.25, **_WHITE)),
    "car_paint": (
        _make("car_paint", 0.3, saturation=_VIVID, hue=_BLUE_RED),
        _make("car_paint", 0.45, saturation=_GRAY),
        _make("car_paint", 0.25),
    ),
    "hull_paint": (_make("painted", 0.5, **_WHITE), _make("painted", 0.5, saturation=_VIVID, hue=_BLUE_RED)),
    "lacquer": (
        _make("car_paint", 0.7, flakes=0.0, peel=Uniform(0.0, 0.15), **_BLACK),
        _make("wood", 0.22, gloss=Uniform(0.7, 1.0), **_DARK_WOOD),
        _make("car_paint", 0.08, flakes=0.0, peel=Uniform(0.0, 0.15), **_WHITE),
    ),
    "plastic": (_make("plastic", 0.85), _make("fingerprints", 0.15)),
    "dark_plastic": (_make("plastic", 0.9, **_BLACK), _make("fingerprints", 0.1, **_BLACK)),
    "decal": (_make("painted", hue=_BLUE_RED, saturation=_VIVID, wear=Uniform(0.0, 0.15)),),
    "rubber": (_make("rubber"),),
    "tyre": (_make("rubber", value=Uniform(0.08, 0.16), dust=Uniform(0.1, 0.9)),),
    "metal": (
        _make("metal", 0.5),
        _make("brushed_metal", 0.3),
        _make("painted", 0.15, saturation=_GRAY),
        _make("rusty_metal", 0.05),
    ),
    "chrome": (_make("metal", saturation=Uniform(0.0, 0.03), value=Uniform(0.8, 0.92), roughness=Uniform(0.03, 0.1)),),
    "steel": (
        _make("metal", 0.5, saturation=Uniform(0.0, 0.06), value=Uniform(0.66, 0.84)),
        _make("brushed_metal", 0.5, saturation=Uniform(0.0, 0.06), value=Uniform(0.68, 0.86)),
    ),
    "aluminium": (
        _make("metal", 0.45, saturation=Uniform(0.0, 0.03), value=Uniform(0.82, 0.97), roughness=Uniform(0.2, 0.45)),
        _make("brushed_metal", 0.55, saturation=Uniform(0.0, 0.03), value=Uniform(0.82, 0.97)),
    ),
    "brass": (
        _make("metal", hue=Uniform(0.105, 0.13), saturation=Uniform(0.32, 0.5), value=Uniform(0.75, 0.95)),
    ),
    "gold": (
        _make(
            "metal", hue=Uniform(0.11, 0.128), saturation=Uniform(0.4, 0.55), value=Uniform(0.92, 1.0),
            roughness=Uniform(0.06, 0.25),
        ),
    ),
    "glass": (_make("glass"),),
    "tinted_glass": (_make("pane", value=Uniform(0.1, 0.5)),),
    "headlight": (_make("glass", saturation=Uniform(0.0, 0.04), value=Uniform(0.93, 0.99), roughness=0.0),),
    "taillight": (
        _make("plastic", hue=Uniform(-0.02, 0.015), saturation=Uniform(0.85, 0.95), value=Uniform(0.35, 0.7),
              roughness=Uniform(0.06, 0.2), grain=0.0),
    ),
    "screen": (_make("screen"),),
    "screen_print": (_make("screen", kind="page"),),
    "bulb": (
        _make("emission", 0.6),
        _make("glass", 0.4, saturation=0.02, roughness=Uniform(0.3, 0.6)),
    ),
    "lampshade": (
        _make("fabric", 0.5, saturation=Uniform(0.0, 0.3), value=Uniform(0.6, 0.92)),
        _make("paper", 0.2),
        _make("painted", 0.3),
    ),
    "wood": (_make("wood"),),
    "dark_wood": (_make("wood", **_DARK_WOOD),),
    "deck": (_make("planks", saturation=Uniform(0.2, 0.5), gloss=Uniform(0.0, 0.3), scale=Uniform(16.0, 30.0)),),
    "ebony": (_make("wood", saturation=Uniform(0.1, 0.35), value=Uniform(0.06, 0.14), contrast=Uniform(0.1, 0.3)),),
    "ivory": (
        _make("plastic", hue=Uniform(0.1, 0.14), saturation=Uniform(0.02, 0.12), value=Uniform(0.85, 0.94),
              roughness=Uniform(0.15, 0.35)),
    ),
    "fabric": (_make("fabric", 0.85), _make("patterned", 0.15, roughness=Uniform(0.75, 0.95))),
    "sailcloth": (
        _make("fabric", 0.85, contrast=Uniform(0.05, 0.2), scale=Uniform(110.0, 160.0), **_WHITE),
        _make("fabric", 0.15, hue=_BLUE_RED, saturation=_VIVID, scale=Uniform(110.0, 160.0)),
    ),
    "rope": (
        _make("fabric", hue=Uniform(0.08, 0.12), saturation=Uniform(0.05, 0.4), value=Uniform(0.5, 0.9),
              scale=Uniform(60.0, 100.0)),
    ),
    "leather": (_make("leather"),),
    "wicker": (_make("wicker"),),
    "ceramic": (_make("ceramic"),),
    "patterned_ceramic": (
        _make("patterned", 0.75, roughness=Uniform(0.08, 0.25)),
        _make("ceramic", 0.25, speckle=Uniform(0.4, 1.0)),
    ),
    "stone": (_make("stone", 0.75), _make("concrete", 0.25)),
    "terracotta": (
        _make("concrete", hue=Uniform(0.03, 0.06), saturation=Uniform(0.5, 0.72), value=Uniform(0.5, 0.78),
              pores=Uniform(0.0, 0.4)),
    ),
    "soil": (_make("soil"),),
    "bark": (_make("bark"),),
    "foliage": (_make("foliage"),),
    "blossom": (
        _make(
            "foliage", hue=mix((0.35, Uniform(0.88, 1.02)), (0.35, Uniform(0.08, 0.16)), (0.3, Uniform(0.7, 0.85))),
            saturation=mix((0.3, Uniform(0.0, 0.12)), (0.7, Uniform(0.4, 0.85))), value=Uniform(0.7, 0.95),
            contrast=Uniform(0.1, 0.4),
        ),
    ),
    "paper": (_make("paper"),),
}  # fmt: skip

"""The fields of a config that decide the factors of a picture: their values and units."""

from __future__ import annotations

import re
from typing import Any

from scenes.annotations import Checked
from scenes.config.reference import metadata
from scenes.distributions import Distribution
from scenes.section import Section


def field_of(factor: str) -> str:
    """The config field of a factor: `lighting.sun.energy` of the first sun's `lighting.sun.0.energy`."""
    return re.sub(r"\.\d+(?=\.|$)", "", factor)


def value_at(config: Section, factor: str, quantile: float) -> str:
    """The value of a factor at a quantile, with its unit, for a caption.

    Of a factor that no field of the config describes, such as the direction of the jitter, the quantile itself.
    """
    section: Any = config
    *path, name = field_of(factor).split(".")
    for part in path:
        section = getattr(section, part, None)
    field = type(section).model_fields.get(name) if isinstance(section, Section) else None
    distribution = getattr(section, name) if field else None
    if field is None or not isinstance(distribution, Distribution):
        return f"quantile {quantile:.2f}"
    value = distribution.at(quantile)
    unit = _unit(next((one.unit for one in metadata(field) if isinstance(one, Checked)), ""), path)
    return (
        f"{value:.4g} {unit}".strip() if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
    )


def _unit(unit: str, path: list[str]) -> str:
    """The unit of a field in a section. "W; suns W/m^2" is W, but W/m^2 in the section `sun`."""
    usual, *others = unit.split("; ")
    for other in others:
        things, _, its = other.partition(" ")
        if things.removesuffix("s") in path:
            return its
    return usual

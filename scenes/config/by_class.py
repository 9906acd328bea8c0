"""Factors of single classes: what a config says of one class, over what it says of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from scenes.config.explaining import explained
from scenes.config.merging import is_section, merged
from scenes.errors import choices
from scenes.section import Section

SECTIONS = ("objects", "material", "lighting", "camera", "background", "sensor")
"""The sections whose fields a class may have of its own."""

_SHARED = {
    "objects.category",
    "objects.crack",
    "camera.resolution",
    "camera.poses",
    "camera.views",
    "camera.calibration",
    "camera.path",
    "camera.stereo",
}

ByClass = dict[str, dict[str, Any]]
"""By class: sections, each with the fields that differ for the class."""


def sections_of(name: str, given: Mapping[str, Any], sections: Mapping[str, Section]) -> dict[str, Section]:
    """The sections that differ for a class. given: what is said of it. sections: those of all classes.

    Raises ValueError in the form "field by_class.guitar.camera.rol: unknown key, did you mean 'roll'".
    """
    changed = {}
    for part, fields in given.items():
        at = f"by_class.{name}.{part}"
        if part not in SECTIONS:
            raise ValueError(f"field {at}: unknown key, {choices(part, SECTIONS)}")
        if not is_section(fields):
            raise ValueError(f"field {at}: give the fields that differ, such as {{{_first(sections[part])}: …}}")
        for field in fields:
            if f"{part}.{field}" in _SHARED:
                raise ValueError(f"field {at}.{field}: this is the same for all classes; set {part}.{field} instead")
        kind = type(sections[part])
        try:
            changed[part] = kind.model_validate(merged(sections[part].model_dump(mode="json"), fields))
        except ValidationError as error:
            raise ValueError(explained(error, kind, at)) from None
    return changed


def written_out(given: Mapping[str, Any], sections: Mapping[str, Section]) -> dict[str, Any]:
    """What is given of a class, in the form in which the config is stored: two spellings of a value become one."""
    return {part: _same_fields(fields, sections[part].model_dump(mode="json")) for part, fields in given.items()}


def _same_fields(given: Any, plain: Any) -> Any:
    if not is_section(given) or not is_section(plain):
        return plain
    return {name: _same_fields(value, plain[name]) for name, value in given.items()}


def _first(section: Section) -> str:
    return next(iter(type(section).model_fields))

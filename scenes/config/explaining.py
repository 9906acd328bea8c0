"""Says in one line what is wrong with a config."""

from __future__ import annotations

import types
import typing
from typing import Any

from pydantic import BaseModel, ValidationError

from scenes.errors import choices, shortened
from scenes.section import joined

_WANTED = {
    "string_type": "text is wanted, in quotes if it looks like something else",
    "tuple_type": "a list is wanted, in [ ]",
    "list_type": "a list is wanted, in [ ]",
    "dict_type": "a mapping of names to values is wanted",
    "model_type": "a mapping of names to values is wanted",
    "missing": "is missing",
    "too_long": "the list has too many entries",
}
"""What the field takes, by the kind of error, where pydantic's words are those of a programmer."""


def explained(error: ValidationError, kind: type[BaseModel], at: str = "") -> str:
    """The first error, with its field as a dotted path, and the most similar name where a key is unknown.

    at: dotted path of the part of the config that the error is about; empty for a whole one.
    """
    first = error.errors()[0]
    names = [str(part) for part in first["loc"]]
    field = joined(at, *names) or "config"
    if first["type"] == "extra_forbidden":
        return f"field {field}: unknown key, {choices(names[-1], _fields_at(kind, names[:-1]))}"
    value = "" if isinstance(first["input"], (dict, BaseModel)) else f" (got {shortened(repr(first['input']))})"
    message = _WANTED.get(first["type"]) or " ".join(first["msg"].removeprefix("Value error, ").split())
    if message.startswith("field "):
        return message  # it was explained where it was found
    return f"field {field}: {message}{value if first['type'] != 'value_error' else ''}"


def _fields_at(kind: type[BaseModel], names: list[str]) -> list[str]:
    """The keys that the section at a dotted place of a config accepts."""
    section: Any = kind
    for name in names:
        if name.isdigit():
            continue
        field = section.model_fields.get(name)
        inner = (
            [t for t in _types(field.annotation) if isinstance(t, type) and issubclass(t, BaseModel)] if field else []
        )
        if not inner:
            return []
        section = inner[0]
    return list(section.model_fields)


def _types(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, tuple, list):
        return [t for part in typing.get_args(annotation) for t in _types(part)]
    return [annotation]

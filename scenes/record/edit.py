"""Changes of single values in a record, which is frozen: the result is a new record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from scenes.errors import InputError, choices, shortened

R = TypeVar("R")


def edited(record: R, changes: Mapping[str, Any]) -> R:
    """Change values of a scene, or of any other record, by their dotted paths.

    Parameters
    ----------
    record : Scene, Composition, Camera, Item or another record
        It stays as it is.
    changes : mapping of str to any
        New values by path, such as "camera.focal_length" or "items.0.location". Places in a tuple count from 0.

    Returns
    -------
    the type of `record`
        The changed copy.

    Raises
    ------
    InputError
        There is nothing at a path, or the value does not fit there.

    Examples
    --------
    >>> import blendmill
    >>> camera = blendmill.Camera((0, -2, 0), (0, 0, 0), roll=0, focal_length=50, width=64, height=64)
    >>> blendmill.edited(camera, {"focal_length": 85, "location": (0, -3, 1)}).location
    (0.0, -3.0, 1.0)
    """
    for path, value in changes.items():
        record = _edited(record, path.split("."), value, path)
    kind = type(record)
    # Read anew from plain data: so numbers become floats, lists become tuples, and what does not fit is told.
    adapter: TypeAdapter[R] = TypeAdapter(kind)
    try:
        return adapter.validate_python(adapter.dump_python(record, warnings=False))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(f"field {field}: {first['msg']} (got {shortened(repr(first['input']))})") from None


def _edited(thing: Any, path: Sequence[str], value: Any, whole: str) -> Any:
    if not path:
        return value
    name, rest = path[0], path[1:]
    if is_dataclass(thing) and not isinstance(thing, type):
        names = [field.name for field in fields(thing)]
        if name in names:
            return replace(thing, **{name: _edited(getattr(thing, name), rest, value, whole)})
    elif isinstance(thing, Mapping):
        names = list(thing)
        if name in thing or not rest:
            return {**thing, name: _edited(thing.get(name), rest, value, whole)}
    elif isinstance(thing, tuple):
        names = [str(place) for place in range(len(thing))]
        if name in names:
            place = int(name)
            return (*thing[:place], _edited(thing[place], rest, value, whole), *thing[place + 1 :])
    else:
        names = []
    raise InputError(f"field {whole}: there is no '{name}', {choices(name, names)}")

"""Records of any kind, read back from their JSON."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter

from scenes.record.composite import Composition
from scenes.record.record import Record
from scenes.record.scene import Scene

# The first kind that the data fits: neither kind has the fields that the other one needs. To try both takes four times
# as long.
_ANY = Annotated[Scene | Composition, Field(union_mode="left_to_right")]


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Scene | Composition]:
    return TypeAdapter(_ANY, config=ConfigDict(allow_inf_nan=False))


def scene_from_json(text: str | bytes) -> Record:
    """The record that a picture was drawn from, of whichever kind it is, from its JSON."""
    return _adapter().validate_json(text)

"""The reader of JSON files that may come from anywhere: plain data, within limits that no honest file comes near."""

from __future__ import annotations

import json
from typing import Any

from scenes.errors import InputError
from scenes.plain_yaml import DEPTH

MOST = 4_000_000
"""Values of a file. A data set of a million shards has about a million."""


def parse_json(content: bytes, where: str, most: int = MOST) -> Any:
    """Plain data of a JSON text. Raises InputError, which begins with `where`, if it is none or goes beyond a limit.
    most: the limit on the number of values.

    The message holds nothing of the content.
    """
    if sum(map(content.count, (b",", b"[", b"{"))) > most:
        raise InputError(f"{where}: has over {most:,} values")
    try:
        data = json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from None
    level = [data]
    for _ in range(DEPTH):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, dict | list)]
        if not level:
            return data
    raise InputError(f"{where}: nested too deeply, at most {DEPTH} lists and objects may be within each other")


def _inside(outer: Any) -> Any:
    return outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number")

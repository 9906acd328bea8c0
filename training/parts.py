"""Sets of pictures as commands write them: DATA, or DATA@SPLIT for a part of it."""

from __future__ import annotations

import json
from pathlib import Path


def split_of(data: str) -> tuple[str, str]:
    """Divide DATA@SPLIT into data and split. A path that exists is no DATA@SPLIT, whatever its name."""
    where, at, split = data.rpartition("@")
    return (where, split) if at and where and not Path(data).exists() else (data, "all")


def part(data: str) -> str:
    """DATA@SPLIT as the YAML text of a config part."""
    where, split = split_of(data)
    return json.dumps({"where": where, "split": split})

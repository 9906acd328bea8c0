"""Which code made which result: so that a study whose code changed half-way can tell."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import import_module
from pathlib import Path

from scenes.files import read_regular
from scenes.outputs import written
from scenes.plain_json import parse_json

_PACKAGES = ("scenes", "render", "training", "classify", "segment")
_LARGEST = 1 << 20


@cache
def code() -> str:
    """A digest of all code and presets that decide a result."""
    found = hashlib.sha256()
    for package in _PACKAGES:
        root = Path(str(import_module(package).__file__)).parent
        for path in sorted((*root.rglob("*.py"), *root.rglob("*.yaml"))):
            found.update(f"{package}/{path.relative_to(root)}\0".encode())
            found.update(path.read_bytes())
    return found.hexdigest()[:12]


def note(out: Path, where: str) -> None:
    """Note that this code begins a set or run of the study in `out`, or goes on with it. where: its folder there."""
    name = Path(where).name
    known = made_with(out, name) if (out / where).exists() else []
    if code() not in known:
        with written(_file(out, name)) as temporary:
            temporary.write_text(json.dumps([*known, code()]) + "\n", encoding="utf-8")


def made_with(out: Path, name: str) -> list[str]:
    """The digests of the code that worked on a set or run, in order; empty if nothing was noted."""
    path = _file(out, name)
    return [str(digest) for digest in parse_json(read_regular(path, _LARGEST), str(path))] if path.exists() else []


def _file(out: Path, name: str) -> Path:
    return out / "made" / f"{name}.json"

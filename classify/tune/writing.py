"""The tuned config: a file that extends the untuned one and sets only what moved."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classify.tune.factors import Place
from scenes.config.loading import preset_names
from scenes.config.merging import ALTERNATIVES
from scenes.distributions import Distribution
from scenes.outputs import written
from scenes.plain_yaml import yaml_text


@dataclass(frozen=True)
class Change:
    """A distribution that moved. comment: lines on what it was, and how sure it is."""

    place: Place
    distribution: Distribution
    comment: tuple[str, ...]


def write_config(path: Path, extends: str | Path, config: Any, changes: Sequence[Change], head: Sequence[str]) -> None:
    """Write a config that changes another one. extends: name of a preset, or path of the file of that config.

    What a config sets for all classes replaces what the one that it extends set for a single class. So where a field
    moved for all classes, what single classes have of it is written again. head: lines of comment.
    """
    base = os.path.relpath(extends, path.parent) if isinstance(extends, Path) else extends
    tree: dict[str, Any] = {}
    for name, value in _kept(config, changes):
        _put(tree, name, _Leaf(value, ("As it was: what is set for all classes would replace it.",)))
    for change in changes:
        _put(tree, change.place.name, _Leaf(change.distribution.plain(), change.comment))
    lines = [*(f"# {line}" for line in head), f"extends: {flow(base)}", *_lines(tree, "")]
    with written(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def base_of(source: str) -> str | Path:
    """What `extends` names for a config that was given as a command's argument."""
    return source if source in preset_names() else Path(source).resolve()


@dataclass(frozen=True)
class _Leaf:
    value: Any
    comment: tuple[str, ...]


def _put(tree: dict[str, Any], name: str, leaf: _Leaf) -> None:
    *path, last = name.split(".")
    for part in path:
        tree = tree.setdefault(part, {})
    tree[last] = leaf


def _kept(config: Any, changes: Sequence[Change]) -> Iterator[tuple[str, Any]]:
    """What single classes have of the fields that moved for all: path and plain value.

    A field also replaces its alternative, as `side` replaces `yaw`.
    """
    for change in changes:
        if change.place.category:
            continue
        *path, field = change.place.field.split(".")
        for category, given in getattr(config, "by_class", {}).items():
            section: Any = given
            for part in path:
                section = section.get(part, {}) if isinstance(section, Mapping) else {}
            for name in {field, ALTERNATIVES.get(field, field)} & set(section):
                yield ".".join(("by_class", category, *path, name)), section[name]


def _lines(tree: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, _Leaf):
            yield from (f"{indent}# {line}" for line in value.comment)
            yield f"{indent}{name}: {flow(value.value)}"
        else:
            yield f"{indent}{name}:"
            yield from _lines(value, indent + "  ")


def flow(value: Any) -> str:
    """Plain data as YAML on one line."""
    text = yaml_text(value, default_flow_style=True, width=float("inf"))
    return text.removesuffix("\n").removesuffix("...").rstrip()

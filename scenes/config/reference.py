"""What a config may say, read from the config models: each field with its type, unit, range, default and meaning."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from scenes.annotations import Checked
from scenes.config.composite import ComposeConfig
from scenes.config.loading import PRESETS, preset_names
from scenes.config.objects import Config
from scenes.distributions import Distribution
from scenes.plain_yaml import yaml_text
from scenes.section import Section, joined

KINDS: Mapping[str, type[Section]] = {"blender": Config, "composite": ComposeConfig}
"""The config of each renderer."""


@dataclass(frozen=True)
class Entry:
    """A field of a config. path: dotted. default: in YAML. varies: whether it takes a distribution. inner: a section.

    accepts: the type, the unit and the range, in words.
    """

    path: str
    accepts: str
    default: str
    meaning: str
    varies: bool = False
    inner: bool = False


def entries(kind: type[Section], path: str = "", section: Section | None = None) -> Iterator[Entry]:
    """All fields of a section and of the sections in it, in order. section: an instance with the defaults."""
    said = meanings(kind)
    for name, field in kind.model_fields.items():
        place, meaning = joined(path, name), said.get(name, "")
        default = getattr(section, name) if section is not None else field.default
        inner = _section(field.annotation)
        if inner is None:
            yield _entry(place, field, default, meaning)
            continue
        many = typing.get_origin(field.annotation) is tuple
        given = default if isinstance(default, Section) else None
        accepts = "list of sections" if many else "section" if given is not None else "section or null"
        yield Entry(place, accepts, "[]" if many else "" if given is not None else "null", meaning, inner=True)
        yield from entries(inner, f"{place}[]" if many else place, given or _all_defaults(inner))


def meanings(kind: type[Section]) -> dict[str, str]:
    """What the string below each field of a section says, by field, as one line.

    >>> from scenes.config.camera import SensorConfig
    >>> meanings(SensorConfig)["jpeg"][:12]
    'The quality '
    """
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, Section):
            (body,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
            assert isinstance(body, ast.ClassDef)
            for field, below in pairwise(body.body):
                match field, below:
                    case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                        found[name] = " ".join(text.split())
    return found


def _entry(path: str, field: FieldInfo, default: Any, meaning: str) -> Entry:
    checked = next((one for one in metadata(field) if isinstance(one, Checked)), None)
    null = type(None) in typing.get_args(field.annotation)
    accepts = _one(checked) if checked else _type(field.annotation, field.metadata)
    return Entry(
        path=path,
        accepts=f"{accepts} or null" if null else accepts,
        default="required" if default is PydanticUndefined else in_yaml(default),
        meaning=meaning,
        varies=checked is not None,
    )


def _all_defaults(kind: type[Section]) -> Section | None:
    return None if any(field.is_required() for field in kind.model_fields.values()) else kind()


def _section(annotation: Any) -> type[Section] | None:
    """The section that a field holds: alone, or null, or in a list."""
    for inner in (annotation, *typing.get_args(annotation)):
        if isinstance(inner, type) and issubclass(inner, Section):
            return inner
    return None


def metadata(field: FieldInfo) -> Iterator[Any]:
    """The annotations of a field, also of one that may be null."""
    yield from field.metadata
    for inner in typing.get_args(field.annotation):
        yield from getattr(inner, "__metadata__", ())


def _one(checked: Checked) -> str:
    """A single value of a field that may vary."""
    one, unit = checked.one, f" in {checked.unit}" if checked.unit else ""
    if "enum" in one:
        return f"one of {', '.join(one['enum'])}"
    names = {"string": "name", "boolean": "true or false", "integer": "whole number", "number": "number"}
    return f"{names[one['type']]}{unit}{_range(one.get('minimum'), one.get('maximum'))}"


def _range(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        bound = low if high is None else high
        return "" if bound is None else f", at {'least' if high is None else 'most'} {bound:.10g}"
    return f", {low:.10g} to {high:.10g}"


def _type(annotation: Any, metadata: Sequence[Any]) -> str:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(inner[0], metadata)
    if origin is Literal:
        return f"one of {', '.join(map(str, inner))}"
    if origin in (typing.Union, types.UnionType):
        return next(_type(one, metadata) for one in inner if one is not type(None))
    if origin is tuple and Ellipsis not in inner:
        return f"{len(inner)} values, each a {_type(inner[0], ())}"
    if origin is tuple:
        return f"list, each a {_type(inner[0], ())}"
    if origin is dict:
        return "mapping"
    plain = {bool: "true or false", int: "whole number", float: "number", str: "name", Path: "path"}
    bounds = {name: getattr(one, name) for one in metadata for name in ("ge", "gt", "le", "lt") if hasattr(one, name)}
    above = f", above {bounds['gt']:g}" if "gt" in bounds else ""
    return f"{plain.get(annotation, 'value')}{above}{_range(bounds.get('ge'), bounds.get('le'))}"


def in_yaml(value: Any) -> str:
    """A value as a config has it, on one line."""
    value = value.plain() if isinstance(value, Distribution) else value
    if isinstance(value, tuple):
        value = [item.plain() if isinstance(item, Distribution) else item for item in value]
    text = yaml_text(value, default_flow_style=True, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...")


def sections(kind: type[Section]) -> dict[str, tuple[str, list[Entry]]]:
    """Of each section of a config, by its path: its meaning and its own fields. The config itself is ""."""
    found: dict[str, tuple[str, list[Entry]]] = {"": (next(iter((kind.__doc__ or "").splitlines()), ""), [])}
    for entry in entries(kind, section=kind()):
        if entry.inner:
            found[_bare(entry)] = (entry.meaning, [])
        else:
            found[entry.path.rpartition(".")[0]][1].append(entry)
    return {path: (meaning, fields) for path, (meaning, fields) in found.items() if fields}


def _bare(entry: Entry) -> str:
    return f"{entry.path}[]" if entry.accepts == "list of sections" else entry.path


def markdown() -> str:
    """The reference page of all fields, `docs/config.md`."""
    lines = [
        "# Config",
        "",
        "This page lists every field of a config. `blendmill config --markdown` writes it.",
        "",
        "A field that *varies* takes a value or a distribution: `{uniform: [low, high]}`,",
        "`{log_uniform: [low, high]}`, `{normal: {mean: , std: , low: , high: }}`, `{choice: {a: 0.7, b: 0.3}}` or",
        "`{mixture: [{weight: 0.5, of: 1}, {weight: 0.5, of: {uniform: [2, 3]}}]}`.",
    ]
    for name, kind in KINDS.items():
        lines += ["", f"## `renderer: {name}`"]
        for path, (meaning, fields) in sections(kind).items():
            lines += ["", f"### {path}" if path else "### The config itself", "", meaning, ""]
            lines += ["| field | accepts | default | meaning |", "| --- | --- | --- | --- |"]
            lines += [_row(entry) for entry in fields]
    return "\n".join(lines) + "\n"


def _row(entry: Entry) -> str:
    name, varies = entry.path.rpartition(".")[2], "; varies" if entry.varies else ""
    return f"| `{name}` | {entry.accepts}{varies} | `{entry.default}` | {entry.meaning.replace('|', '/')} |"


_STARTER = ("objects", "material", "lighting.world", "lighting.sun", "camera", "background", "sensor", "render")


def starter(preset: str) -> str:
    """A commented YAML file that builds on a preset: the most used fields with their meaning and class defaults."""
    lines = [
        "# A config of blendmill. It changes nothing yet: take the # away from a line to set a field.",
        "# The values below are the defaults; the preset may set others (blendmill presets show NAME).",
        f"extends: {preset}",
        "",
        "# assets:",
        "#   models: [{path: models, layout: class-folders}]  # folders of 3D models",
        "#   hdris: [hdris]                                   # folders of environment maps",
        "#   textures: [textures]                             # folders of texture sets",
    ]
    opened: list[str] = []
    for path in _STARTER:
        meaning, fields = sections(Config)[path]
        parts = path.split(".")
        for depth, part in enumerate(parts):
            if parts[: depth + 1] != opened[: depth + 1]:
                lines += [] if depth else [""]
                lines.append(f"# {'  ' * depth}{part}:" + (f"  # {meaning}" if depth == len(parts) - 1 else ""))
        opened, indent = parts, "  " * len(parts)
        for entry in fields:
            lines += [f"# {indent}# {line}" for line in textwrap.wrap(f"{entry.accepts}. {entry.meaning}", 100)]
            lines.append(f"# {indent}{entry.path.rpartition('.')[2]}: {entry.default}")
    return "\n".join(lines) + "\n"


def summary(preset: str) -> str:
    """What a preset is for: the first sentence of its comment."""
    comment = takewhile(lambda line: line.startswith("#"), _yaml_of(preset).splitlines())
    return " ".join(line.lstrip("# ") for line in comment).partition(". ")[0].rstrip(".:") + "."


def presets_markdown() -> str:
    """The page of all presets, `docs/presets.md`: a line for each, then their files."""
    lines = [
        "# Presets",
        "",
        "This page shows the configs that come with blendmill. `blendmill presets --markdown` writes it.",
        "",
        "Give the name of a preset in place of a file, or build on it with `extends`. What it does not set has the",
        "default of [Config](config.md).",
        "",
        "| preset | use |",
        "| --- | --- |",
        *(f"| [`{name}`](#{name}) | {summary(name)} |" for name in preset_names()),
    ]
    for name in preset_names():
        lines += ["", f"## {name}", "", "```yaml", _yaml_of(name).rstrip("\n"), "```"]
    return "\n".join(lines) + "\n"


def _yaml_of(preset: str) -> str:
    return (PRESETS / f"{preset}.yaml").read_text(encoding="utf-8")


def schema() -> dict[str, Any]:
    """The JSON schema of a config file, for editors that complete YAML."""
    found = TypeAdapter(Config | ComposeConfig).json_schema(by_alias=False)
    for section in _sections(Section):
        properties = found["$defs"].get(section.__name__, {}).get("properties", {})
        for name, said in meanings(section).items():
            if name in properties:
                properties[name]["description"] = said
    for kind in KINDS.values():
        definition = found["$defs"][kind.__name__]
        definition["properties"]["extends"] = {
            "type": "string",
            "description": "Name of a preset, or path of a .yaml file, that this one builds on.",
        }
    # Without it, a config is one for Blender.
    found["$defs"]["ComposeConfig"]["required"] = ["renderer"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "blendmill config", **found}


def _sections(kind: type[Section]) -> Iterator[type[Section]]:
    for section in kind.__subclasses__():
        yield section
        yield from _sections(section)

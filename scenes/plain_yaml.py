"""The one reader and writer of YAML: plain data, and of files only what is within limits that no config comes near.

Numbers are those that people expect. 1e-3 is one, as in YAML 1.2. Digits that begin with 0 are text, as in the synset
03001627, and so is 16:9.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scenes.errors import InputError, shortened
from scenes.files import read_regular


@dataclass(frozen=True)
class Limits:
    """What a document may have at most. Aliases count as often as they are used.

    Parameters
    ----------
    size : int
        Bytes of the file.
    nodes : int
        Values, keys, lists and mappings.
    """

    size: int = 1 << 20
    nodes: int = 100_000


DEPTH = 64
"""Lists and mappings within each other. Python's own limit would end the process in some readers."""

SCALAR = 10_000
"""Characters of one value."""

INTEGER_BITS = 128
"""Larger numbers are no counts, seeds or sizes. Python refuses to print numbers of over 4,300 digits."""


def read_yaml(path: Path, limits: Limits = Limits()) -> Any:
    """Plain data of a YAML file. An empty file is None.

    Raises InputError if the file is not a regular file, cannot be read, is no YAML or goes beyond the limits. The
    message holds nothing of the file's content: a config may name any file in `extends`.
    """
    return parse_yaml(read_regular(path, limits.size), str(path), limits)


def parse_yaml(text: str | bytes, where: str, limits: Limits = Limits()) -> Any:
    """Plain data of a YAML text. Raises InputError with `where` in front."""
    try:
        _measure(text, limits)
        return yaml.load(text, Loader=_Loader)
    except _TooMuch as error:
        raise InputError(f"{where}: {error}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{where}: not YAML: {_reason(error, text)}") from None


def line_of(path: Path, names: Sequence[str | int]) -> tuple[int, int]:
    """How many of the nested keys `names` a YAML file holds, and the line of the last that it does, from 1.

    An index stands for an entry of a list. The file is one that `read_yaml` reads.
    """
    node, line = yaml.compose(read_regular(path, Limits().size), Loader=_Loader), 1
    for depth, name in enumerate(names):
        found = _entry(node, name)
        if found is None:
            return depth, line
        line, node = found
    return len(names), line


def _entry(node: Any, name: str | int) -> tuple[int, Any] | None:
    """The line and the value of an entry of a mapping or a list."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == name:
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(name, int) and name < len(node.value):
        return node.value[name].start_mark.line + 1, node.value[name]
    return None


def yaml_text(data: Any, **options: Any) -> str:
    """Plain data as YAML that `parse_yaml` reads again, keys in their order. options: those of `yaml.dump`."""
    return str(yaml.dump(data, Dumper=_Dumper, **{"sort_keys": False, "allow_unicode": True, **options}))


class _TooMuch(Exception):
    """The document goes beyond a limit."""


def _measure(text: str | bytes, limits: Limits) -> None:
    """Reads the events of a document, which needs no recursion, and compares its true size with the limits."""
    nodes, open_anchors = 0, list[tuple[str | None, int]]()
    sizes: dict[str, int] = {}
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in open_anchors):
                raise _TooMuch(f"the alias *{shortened(event.anchor)} stands inside of its own value")
            nodes += sizes.get(str(event.anchor), 1)
        elif isinstance(event, yaml.ScalarEvent):
            if len(event.value) > SCALAR:
                raise _TooMuch(f"a value has {len(event.value):,} characters, at most {SCALAR:,} are read")
            nodes += 1
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            open_anchors.append((event.anchor, nodes))
            nodes += 1
            if len(open_anchors) > DEPTH:
                raise _TooMuch(f"nested too deeply, at most {DEPTH} lists and mappings may be within each other")
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_anchors.pop()
            if anchor:
                sizes[anchor] = nodes - before
        if nodes > limits.nodes:
            raise _TooMuch(f"has over {limits.nodes:,} values, with aliases written out")


class _Loader(yaml.CSafeLoader):
    """Builds plain data only. Refuses keys that are given twice, and numbers without measure."""


class _Dumper(yaml.SafeDumper):
    """Quotes the texts that the loader would take for numbers, and those with line breaks that are not kept plain."""


def _written(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = '"' if any(character in text for character in "\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _written)


_EXPONENT = re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+$")
for _each in (_Loader, _Dumper):
    _each.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("-+.0123456789"))


def _number(loader: _Loader, node: yaml.ScalarNode) -> float | str:
    return str(node.value) if ":" in node.value else float(loader.construct_yaml_float(node))


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int | str:
    digits = node.value.lstrip("+-")
    if ":" in digits or re.fullmatch("0[0-9_]+", digits):
        return str(node.value)
    try:
        value = loader.construct_yaml_int(node)
    except ValueError:  # Python reads at most 4,300 decimal digits
        value = None
    if value is None or value.bit_length() > INTEGER_BITS:
        raise _TooMuch(f"line {node.start_mark.line + 1}: a whole number has over {INTEGER_BITS} bits")
    return value


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(node.value)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Any:
    seen: set[Hashable] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
            if key.value in seen:
                raise _TooMuch(f"line {key.start_mark.line + 1}: the key '{shortened(key.value)}' is given twice")
            seen.add(key.value)
    return loader.construct_yaml_map(node)


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
# No field is a date; a name or a license that looks like one is text.
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _text)


_NO_VALUE = "found character that cannot start any token"
_TAG = "could not determine a constructor for the tag"


def _reason(error: Exception, text: str | bytes) -> str:
    """Where the document is wrong, and why. The texts of a scanner or parser are fixed; others may quote the file."""
    if isinstance(error, yaml.reader.ReaderError):
        content = text.encode("utf-8", "replace") if isinstance(text, str) else text
        line = content[: error.position].count(b"\n") + 1
        return f"line {line}: a character is not allowed; save the file as UTF-8, without control characters"
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "a character is not allowed"
    problem = str(getattr(error, "problem", ""))
    if isinstance(error, yaml.composer.ComposerError) and problem == "but found another document":
        return f"{where}: a second document begins; keep one"
    if isinstance(error, yaml.constructor.ConstructorError) and problem.startswith(_TAG):
        return f"{where}: a tag (!name) is not read; write the value without it"
    if mark and problem == _NO_VALUE and _at(text, mark) == "\t":
        return f"{where}: a tab; indent with spaces"
    if mark and problem == _NO_VALUE and _at(text, mark) in ("%", "@", "`"):
        return f"{where}: a value cannot begin with {_at(text, mark)}; put it in quotes"
    if problem in ("did not find expected hexdecimal number", "found unknown escape character"):
        return f"{where}: {problem}; in double quotes \\ begins an escape, so put a path into single quotes"
    if isinstance(error, yaml.scanner.ScannerError | yaml.parser.ParserError):
        return f"{where}: {problem}"
    return where


def _at(text: str | bytes, mark: yaml.Mark) -> str:
    """The character at a mark."""
    content = text.decode("utf-8-sig", "replace") if isinstance(text, bytes) else text
    lines = content.splitlines()
    return lines[mark.line][mark.column : mark.column + 1] if mark.line < len(lines) else ""

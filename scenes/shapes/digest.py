"""A digest of the code of a class of shapes. Shapes are generated again only when this digest changes."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from threading import Lock

# The folder that contains the package `scenes`.
ROOT = Path(__file__).resolve().parents[2]


@lru_cache(maxsize=64)
def class_digest(name: str, root: Path = ROOT) -> str:
    """sha256 of the code of a class: its package and all modules of `scenes` that it imports.

    Comments, docstrings and formatting do not count. The digest is the same in every version of Python.
    """
    digest = hashlib.sha256()
    for path in sorted(_files(name, root)):
        digest.update(f"{path.relative_to(root).as_posix()}\0{_code(path)}\0".encode())
    return digest.hexdigest()


def _files(name: str, root: Path) -> set[Path]:
    """The files of the class's package, and all files that they import directly or indirectly."""
    found: set[Path] = set()
    waiting = list((root / "scenes" / "shapes" / name).rglob("*.py"))
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [file for module in _imports(path, root) for file in _executed(module, root)]
    return found


def _imports(path: Path, root: Path) -> Iterator[str]:
    """Names of the modules that a file imports. Some may be attributes of a module; these have no file."""
    folder = path.relative_to(root).parent.parts
    for node in _statements(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = folder[: len(folder) - node.level + 1] if node.level else ()
            module = ".".join([*start, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements inside a node, at any depth. `ast.walk` would visit ten times as many nodes."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case)):
            yield child
            yield from _statements(child)


def _executed(module: str, root: Path) -> Iterator[Path]:
    """The files that an import executes: the module, and the __init__ of each package that contains it."""
    parts = module.split(".")
    if parts[0] != "scenes":
        return
    for end in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:end])
        yield from (path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file())


_PARSING = Lock()
"""Python 3.11 raises SystemError where two threads make syntax trees at once (CPython issue 106905)."""


@lru_cache(maxsize=256)
def _tree(path: Path) -> ast.Module:
    with _PARSING:
        return ast.parse(path.read_bytes())


@lru_cache(maxsize=256)
def _code(path: Path) -> str:
    """A file's syntax tree as text. `ast.dump` and `ast.unparse` differ from one Python version to the next."""
    words: list[str] = []
    _write(_tree(path), words)
    return " ".join(words)


def _write(node: object, words: list[str]) -> None:
    """Appends a node's name and fields, the entries of a list, or a plain value."""
    if isinstance(node, list):
        words.append("[")
        for entry in node:
            if not _is_text_alone(entry):
                _write(entry, words)
        words.append("]")
    elif isinstance(node, ast.AST):
        words.append(f"{type(node).__name__}(")
        for name in sorted(node._fields):
            value = getattr(node, name, None)
            # A newer Python has more fields. They are empty in code that an older Python can read.
            if value or isinstance(node, ast.Constant):
                words.append(f"{name}=")
                _write(value, words)
        words.append(")")
    else:
        words.append(ascii(node))


def _is_text_alone(node: object) -> bool:
    """Whether a statement is only a string, such as a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)

"""Small faults for a module's code: each mutant is the module with one operator, number, condition or term changed."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SWAPPED: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,), ast.Pow: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,), ast.Mod: (ast.FloorDiv,), ast.BitOr: (ast.BitAnd,), ast.BitAnd: (ast.BitOr,),
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,), ast.And: (ast.Or,), ast.Or: (ast.And,),
}  # fmt: skip
_OTHER_NAMES = {
    one: other
    for pair in (("min", "max"), ("minimum", "maximum"), ("ceil", "floor"), ("sin", "cos"), ("any", "all"),
                 ("log", "exp"), ("argmax", "argmin"), ("mean", "sum"), ("zeros", "ones"))
    for one, other in (pair, pair[::-1])
}  # fmt: skip
_TERMS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)


@dataclass(frozen=True)
class Mutant:
    """line: 1-based. change: "function: old -> new". code: the whole module with the change."""

    line: int
    change: str
    code: str


def mutants(source: str, only: tuple[str, ...] = ()) -> list[Mutant]:
    """All mutants of a module, in the order of its lines. only: names of functions and classes, none for all.

    Messages, docstrings, annotations and decorators stay as they are.
    """
    tree = ast.parse(source)
    whole, found, seen = ast.unparse(tree), [], set()
    for path, name in _places(tree):
        if only and not set(name.split(".")) & set(only):
            continue
        node = _at(tree, path)
        for new in _changes(node):
            changed = copy.deepcopy(tree)
            _put(changed, path, new)
            code = ast.unparse(changed)
            if code != whole and code not in seen:
                seen.add(code)
                found.append(Mutant(node.lineno, f"{name}: {_short(node)} -> {_short(new)}", code))
    return sorted(found, key=lambda mutant: mutant.line)


Path = tuple[tuple[str, int | None], ...]


def _places(tree: ast.Module) -> Iterator[tuple[Path, str]]:
    """The way to each statement and expression that may change, and the functions and classes around it."""

    def walk(node: ast.AST, path: Path, name: str) -> Iterator[tuple[Path, str]]:
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list", "bases", "ctx"):
                continue
            many = isinstance(value, list)
            for k, child in enumerate(value if many else [value]):
                if not isinstance(child, ast.AST) or isinstance(child, (ast.Raise, ast.JoinedStr, ast.Import)):
                    continue
                # Of zip: no input here has sides of unequal length.
                if isinstance(child, ast.keyword) and child.arg == "strict":
                    continue
                # Of names, a union is a type.
                if isinstance(node, ast.Assign) and isinstance(child, ast.BinOp) and isinstance(child.op, ast.BitOr):
                    continue
                inner = name
                if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                    inner = f"{name}.{child.name}".lstrip(".")
                here = (*path, (field, k if many else None))
                if isinstance(child, (ast.stmt, ast.expr)):
                    yield here, inner
                yield from walk(child, here, inner)

    return walk(tree, (), "")


def _at(tree: ast.AST, path: Path) -> Any:
    node: Any = tree
    for field, k in path:
        node = getattr(node, field) if k is None else getattr(node, field)[k]
    return node


def _put(tree: ast.AST, path: Path, new: ast.AST) -> None:
    (*way, (field, k)) = path
    parent = _at(tree, tuple(way))
    if k is None:
        setattr(parent, field, new)
    else:
        getattr(parent, field)[k] = new


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in a node's place."""
    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)):
        for kind in _SWAPPED.get(type(node.op), ()):
            yield _with(node, op=kind())
    if isinstance(node, ast.BinOp) and isinstance(node.op, _TERMS):
        yield node.left
        if not isinstance(node.op, ast.Pow):
            yield node.right
    if isinstance(node, ast.BoolOp):
        yield from node.values
    if isinstance(node, ast.Compare):
        for k, op in enumerate(node.ops):
            for kind in _SWAPPED.get(type(op), ()):
                yield _with(node, ops=[*node.ops[:k], kind(), *node.ops[k + 1 :]])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield node.operand
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.Constant):
        yield from _numbers(node.value)
    if isinstance(node, ast.Call):
        yield from _other_calls(node)
    if isinstance(node, (ast.AugAssign, ast.If)) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        yield ast.copy_location(ast.Pass(), node)


def _numbers(value: object) -> Iterator[ast.AST]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
    elif isinstance(value, float):
        yield ast.Constant(value * 1.5 if value else 1.0)


def _other_calls(node: ast.Call) -> Iterator[ast.AST]:
    name = node.func
    if isinstance(name, ast.Name) and name.id in _OTHER_NAMES:
        yield _with(node, func=ast.Name(_OTHER_NAMES[name.id], ast.Load()))
    elif isinstance(name, ast.Attribute) and name.attr in _OTHER_NAMES:
        yield _with(node, func=_with(name, attr=_OTHER_NAMES[name.attr]))


def _with(node: ast.AST, **fields: object) -> ast.AST:
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:87]}..."

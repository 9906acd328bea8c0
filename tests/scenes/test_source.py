"""Checks of the source: no hidden or unseeded randomness, no pickle files, no shell commands."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path for folder in ("scenes", "render") for path in (ROOT / folder).rglob("*.py"))

BANNED = {
    "np.random.seed", "np.random.rand", "np.random.randn", "np.random.uniform", "np.random.choice",
    "np.random.RandomState",
    "random.random", "random.choice", "random.seed", "random.shuffle", "uuid.uuid4", "os.urandom",
    "pickle.load", "pickle.loads", "os.system", "eval", "exec",
}  # fmt: skip


def calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_hidden_randomness_and_no_code_from_data(path: Path) -> None:
    for call, name in calls(path):
        where = f"{path.name}:{call.lineno}"
        # The reader's process takes requests of its own parent through a pipe, and nothing from a file.
        assert name not in BANNED or (path.name, name) == ("reader.py", "pickle.loads"), f"{where} calls {name}"
        if name.endswith("default_rng"):
            assert call.args, f"{where} makes a generator without a seed"
        for keyword in call.keywords:
            value = getattr(keyword.value, "value", None)
            assert not (keyword.arg in ("shell", "allow_pickle") and value is True), f"{where} sets {keyword.arg}"


def test_there_is_source_to_look_at() -> None:
    assert len(FILES) > 40
    assert sum(1 for path in FILES for _ in calls(path)) > 1000

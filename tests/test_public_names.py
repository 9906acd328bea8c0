"""The public names: each is there, says what it takes and gives, and its example runs."""

from __future__ import annotations

import doctest
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import blendmill

CALLABLE = [name for name in blendmill.__all__ if name not in ("LABELS", "InputError")]


def sections(text: str) -> set[str]:
    """The headings of a numpydoc text."""
    lines = text.split("\n")
    return {lines[k].strip() for k in range(len(lines) - 1) if lines[k + 1].strip().startswith("---")}


@pytest.mark.parametrize("name", CALLABLE)
def test_a_public_name_says_what_it_takes_and_gives(name: str) -> None:
    found: Any = getattr(blendmill, name)
    text = inspect.getdoc(found) or ""
    assert text.strip(), f"{name} has no docstring"
    wanted = {"Examples"}
    taken = [entry for entry in inspect.signature(found).parameters if entry not in ("self", "args", "kwargs", "data")]
    if not inspect.isclass(found):
        wanted |= {"Returns"} | ({"Parameters"} if taken else set())
    elif taken:
        wanted |= {"Parameters"} if not sections(text) & {"Attributes"} else set()
    assert wanted <= sections(text), f"{name} lacks {', '.join(sorted(wanted - sections(text)))}"


@pytest.mark.parametrize("name", ["blendmill", *CALLABLE])
def test_the_example_of_a_public_name_runs(
    name: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    found: Any = blendmill if name == "blendmill" else getattr(blendmill, name)
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    parsed = doctest.DocTestParser().get_doctest(inspect.getdoc(found) or "", {}, name, None, 0)
    assert parsed.examples, f"{name} has no example"
    runner = doctest.DocTestRunner(optionflags=options)
    runner.run(parsed)
    assert runner.summarize(verbose=False).failed == 0, capsys.readouterr().out


def test_importing_it_loads_neither_blender_nor_pytorch() -> None:
    code = "import blendmill, sys; print([m for m in ('bpy', 'torch', 'render', 'scenes') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Scenes'"):
        _ = blendmill.Scenes
    assert {"Scene", "load_config"} <= set(dir(blendmill))


def test_the_types_are_those_of_all_names() -> None:
    """`blendmill/__init__.pyi` tells type checkers and editors what the lazy names are."""
    stub = Path(blendmill.__file__).with_suffix(".pyi").read_text()
    typed = {(module, name) for module, name in re.findall(r"^from ([\w.]+) import (\w+) as \2$", stub, re.MULTILINE)}
    assert typed == {(module, name) for module, names in blendmill._HOMES.items() for name in names}

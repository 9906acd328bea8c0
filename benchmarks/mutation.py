"""How many small faults the tests notice: the share of mutants that a module's tests catch.

Of each module a fixed sample of mutants (benchmarks/mutants.py) is taken. Each is put in the module's place in a copy
of the code, and the module's tests run on it. A mutant is caught where a test fails, or where the tests take many times
their usual time. Mutants that change nothing that anyone can see are listed in EQUIVALENT, with the reason, and do not
count.

Results are kept by module in benchmarks/mutation.json, so that `--record` of one module renews its row alone.

    python -m benchmarks.mutation [--count 20] [--all] [--record] [MODULE ...]
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchmarks.common import record, table
from benchmarks.mutants import Mutant, mutants
from benchmarks.mutation_equivalent import EQUIVALENT

ROOT = Path(__file__).resolve().parents[1]
RECORDED = Path(__file__).with_name("mutation.json")
SEED = 5
_PACKAGES = ("scenes", "render", "training", "classify", "segment", "tests")
# Loaded once, before the process is forked for each mutant: importing them takes longer than the tests.
_HEAVY = ("numpy", "scipy.stats", "scipy.ndimage", "cv2", "trimesh", "embreex", "hypothesis", "pydantic", "torch",
          "pytest", "shapely")  # fmt: skip


@dataclass(frozen=True)
class Target:
    """tests: files that concern the module. only: the functions and classes that are tried, none for all."""

    tests: tuple[str, ...]
    only: tuple[str, ...] = ()


# Quick tests first: most mutants fall at once.
TARGETS = {
    "scenes/distributions.py": Target(("scenes/test_quantiles.py", "scenes/test_distributions.py")),
    "scenes/record/scene.py": Target(("scenes/test_camera_geometry.py",), ("Camera", "Item", "rotation_matrix")),
    "scenes/sampling/placement.py": Target(("scenes/test_placement.py", "scenes/test_camera_geometry.py")),
    "render/image/labels.py": Target(("render/test_object_labels.py",)),
    "render/image/camera_response.py": Target(("render/test_camera_response.py", "render/test_develop.py")),
    "classify/methods/alignment.py": Target(("classify/test_alignment_values.py",)),
    "classify/metrics.py": Target(("classify/test_metrics_values.py",)),
    "segment/metrics.py": Target(("segment/test_metrics.py",)),
    "segment/losses.py": Target(("segment/test_losses.py",), ("dice_and_entropy",)),
}


@click.command()
@click.argument("modules", metavar="[MODULE ...]", nargs=-1)
@click.option("--count", default=20, show_default=True, help="Mutants of each module.")
@click.option("--all", "everything", is_flag=True, help="All mutants instead of a sample.")
@click.option("--record", "write", is_flag=True, help="Write benchmarks/mutation.md and mutation.json.")
def main(modules: tuple[str, ...], count: int, everything: bool, write: bool) -> None:
    """Try mutants of the modules, by default of all, and show which were not caught."""
    results = {}
    with _copied() as copy:
        for module in modules or TARGETS:
            found = _chosen(module, None if everything else count)
            counted = [mutant for mutant in found if mutant.change not in EQUIVALENT.get(module, {})]
            missed = _survivors(copy, module, counted)
            results[module] = {
                "mutants": len(counted),
                "caught": len(counted) - len(missed),
                "equivalent": [mutant.change for mutant in found if mutant not in counted],
                "missed": [f"{mutant.line} {mutant.change}" for mutant in missed],
            }
            click.echo(f"{module}: {len(counted) - len(missed)} of {len(counted)} caught")
    if write:
        known = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
        results = {module: result for module, result in sorted({**known, **results}.items()) if module in TARGETS}
        RECORDED.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
        record("mutation", "Small faults that the tests notice", _report(results))
    else:
        click.echo(_report(results))


def _report(results: dict[str, dict[str, Any]]) -> str:
    """The results as Markdown."""
    rows = [[r["mutants"], r["caught"], len(r["equivalent"])] for r in results.values()]
    total = [sum(column) for column in zip(*rows, strict=True)]
    shares = [
        [name, count, caught, f"{caught / count:.0%}", equivalent]
        for name, (count, caught, equivalent) in zip([*map(_code, results), "all"], [*rows, total], strict=True)
    ]
    missed = [[_code(module), _code(change)] for module, r in results.items() for change in r["missed"]]
    equivalent = [
        [_code(module), _code(change), EQUIVALENT[module][change]]
        for module, r in results.items()
        for change in r["equivalent"]
    ]
    return "\n\n".join(
        [
            "A module's row is from the last run of the command that named the module, or none.",
            table(["module", "mutants", "caught", "share", "equivalent, not counted"], shares),
            "Not caught, by line of the module:",
            table(["module", "change"], missed),
            "Not counted, because nobody can see the change:",
            table(["module", "change", "reason"], equivalent),
        ]
    )


def _code(text: str) -> str:
    return f"`{text}`"


def _chosen(module: str, count: int | None) -> list[Mutant]:
    every = mutants((ROOT / module).read_text(), TARGETS[module].only)
    if count is None or count >= len(every):
        return every
    return sorted(random.Random(f"{SEED} {module}").sample(every, count), key=lambda mutant: mutant.line)


@contextlib.contextmanager
def _copied() -> Iterator[Path]:
    """A copy of the code and its tests, where mutants can take a module's place."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in _PACKAGES:
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        yield copy


def _survivors(copy: Path, module: str, tried: list[Mutant]) -> list[Mutant]:
    """The mutants that all the module's tests pass on."""
    tests, path = [f"tests/{name}" for name in TARGETS[module].tests], copy / module
    # The first run also compiles what it imports.
    broken = _failed(copy, tests, 600, keep=True)
    began = _spent()
    if broken or _failed(copy, tests, 600):
        raise click.ClickException(f"{module}: the tests fail without any fault: run {' '.join(tests)}")
    seconds = int(3 * (_spent() - began)) + 5
    whole, survivors = path.read_text(), []
    try:
        for mutant in tried:
            path.write_text(mutant.code)
            # A mutant may be as long and as old as the module's compiled code says.
            for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
                compiled.unlink()
            if not _failed(copy, tests, seconds):
                survivors.append(mutant)
                click.echo(f"  not caught: {module}:{mutant.line} {mutant.change}", err=True)
    finally:
        path.write_text(whole)
    return survivors


def _spent() -> float:
    """Seconds of processor time that child processes took so far."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime


def _failed(copy: Path, tests: list[str], seconds: int, keep: bool = False) -> bool:
    """Whether a test fails in a process of its own, or needs more than `seconds` of processor time."""
    for name in _HEAVY:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] != 0
    status = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        status = _tested(copy, tests, keep)
    finally:
        os._exit(status)


def _tested(copy: Path, tests: list[str], keep: bool) -> int:
    """Run the tests of the copy in this process; returns pytest's status."""
    import pytest

    os.chdir(copy)
    sys.dont_write_bytecode = not keep
    sys.path[:] = [str(copy), *(entry for entry in sys.path if Path(entry or ".").resolve() != ROOT)]
    for name in [name for name in sys.modules if name.split(".")[0] in (*_PACKAGES, "blendmill")]:
        del sys.modules[name]
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    return int(pytest.main(["-x", "-q", "-p", "no:timeout", "-p", "no:cacheprovider", *tests]))


if __name__ == "__main__":
    main()

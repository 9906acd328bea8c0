"""Runs one function over many hostile inputs, in a child process with an address-space limit and a clock.

A child that dies or hangs is replaced, and the input counts against the function. As a script it is the child.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import selectors
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 1 << 30
"""Bytes that an input may cost on top of what the process needs to start."""
SECONDS = 20.0
"""A clock against hanging. On a quiet machine an input takes milliseconds."""


@dataclass(frozen=True)
class Outcome:
    """What became of one input: `kind` is accepted, refused (InputError), traceback, died or hung."""

    case: str
    kind: str
    said: str = ""


def outcomes(function: str, cases: Sequence[str], seconds: float = SECONDS) -> list[Outcome]:
    """What `module:name`, a function of one text, does with each case."""
    found: list[Outcome] = []
    while len(found) < len(cases):
        found += _one_child(function, cases[len(found) :], seconds)
    return found


def bad(found: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes that no reader may have: anything but an input that is accepted or refused in one short line."""
    return [one for one in found if one.kind not in ("accepted", "refused") or "\n" in one.said or len(one.said) > 1000]


def _one_child(function: str, cases: Sequence[str], seconds: float) -> list[Outcome]:
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    with subprocess.Popen(
        [sys.executable, "-m", "tests.attacks.arena", function],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    ) as child:
        assert child.stdin and child.stdout
        selector = selectors.DefaultSelector()
        selector.register(child.stdout, selectors.EVENT_READ)
        found: list[Outcome] = []
        assert child.stdout.readline() == b"ready\n", f"{function} cannot be loaded"
        for case in cases:
            child.stdin.write(json.dumps(case).encode() + b"\n")
            child.stdin.flush()
            if not selector.select(seconds):
                child.kill()
                return [*found, Outcome(case, "hung")]
            line = child.stdout.readline()
            if not line:
                return [*found, Outcome(case, "died", f"exit {child.wait()}")]
            found.append(Outcome(case, **json.loads(line)))
        child.stdin.close()
        return found


def main(function: str) -> None:
    from scenes.errors import InputError

    module, _, name = function.partition(":")
    attacked = getattr(importlib.import_module(module), name)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a reader prints is no answer
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (in_use + MEMORY, in_use + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        try:
            attacked(json.loads(line))
            answer = {"kind": "accepted"}
        except InputError as error:
            answer = {"kind": "refused", "said": str(error)}
        except BaseException as error:
            answer = {"kind": "traceback", "said": f"{type(error).__name__}: {str(error)[:300]}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

"""Helper processes: how they are started, how they end with the process that started them, and why one ended."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

ATTEMPTS = 3
"""How many processes may die on one file before it is left out. A single death may have another cause than the file."""

_PR_SET_PDEATHSIG = 1


def start_helper(
    module: str,
    *arguments: str,
    stdin: int | IO[Any] = subprocess.DEVNULL,
    stdout: int | IO[Any] = subprocess.DEVNULL,
    stderr: int | IO[Any] | None = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `python -m module`. Its main calls `leave_with_parent`."""
    # Not sys.path: where Blender is loaded, it holds folders of Blender's, from which no other process can load it.
    places = [str(Path(__file__).resolve().parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=stdin, stdout=stdout, stderr=stderr, pass_fds=pass_fds,
        env={**os.environ, **(environment or {}), "PYTHONPATH": os.pathsep.join(places)},
        # A terminal's Ctrl-C is for the parent. A helper that it ended would look as if its file had ended it.
        start_new_session=True,
    )  # fmt: skip


def leave_with_parent(line: int, last: Callable[[], None] | None = None) -> threading.Thread:
    """End this process as soon as its parent process has ended, even if it is stopped or busy then.

    line: descriptor of a pipe or socket of which only the parent has the other end. last: to be done before. Returns
    the thread that waits for it.
    """
    parent = os.getppid()
    if sys.platform == "linux":
        # A stopped process notices nothing. The kernel wakes it when its parent ends.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGCONT)
    watch = select.poll()
    watch.register(line, 0)  # a hang-up is told unasked

    def leave() -> None:
        while os.getppid() == parent and not watch.poll(1000):
            pass
        if last is not None:
            last()
        os._exit(1)

    watcher = threading.Thread(target=leave, name="leave with parent", daemon=True)
    watcher.start()
    return watcher


def why_ended(code: int) -> str:
    """Why a process ended, by its return code."""
    if code == -signal.SIGKILL:
        return "killed (SIGKILL), as the system does when memory runs out"
    if code < 0:
        return f"crashed ({signal.Signals(-code).name})"
    return f"ended with exit code {code}"

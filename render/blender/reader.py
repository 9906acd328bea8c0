"""A Blender process beside this one, which reads model files one after another.

It starts at the first file and ends after a while without work. A file that crashes it several times, or that needs too
much time or memory, costs only one asset: the next file gets a new process.
"""

from __future__ import annotations

import json
import os
import resource
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from scenes.assets.info import LoadError
from scenes.helper import ATTEMPTS, leave_with_parent, start_helper, why_ended
from scenes.leftovers import scratch_name

# A process that got larger than this by its files makes room: the next file gets a new one.
_LARGE = 1 << 30

Request = Mapping[str, Any]


class Reader:
    """Hands requests to the process, and waits for each. module: what runs there; its main calls `serve`."""

    def __init__(self, module: str):
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._lock = threading.Lock()

    def ask(self, request: Request) -> None:
        """Returns when the request is done. Raises LoadError if it failed."""
        with self._lock:
            answer = self._answer(json.dumps(request))
        if answer:
            raise LoadError(answer)

    def _answer(self, line: str) -> str:
        deaths = 0
        while deaths < ATTEMPTS:
            process, start = self._running(), time.monotonic()
            try:
                process.stdin.write(line.encode() + b"\n")  # type: ignore[union-attr]
                process.stdin.flush()  # type: ignore[union-attr]
                answer = process.stdout.readline()  # type: ignore[union-attr]
            except BrokenPipeError:
                answer = b""
            if answer.endswith(b"\n"):
                return str(json.loads(answer))
            self._process = None
            code = process.wait()
            if code == -signal.SIGALRM:
                return f"took Blender more than {time.monotonic() - start:.0f} s to read"
            # With code 0, it had nothing to do for a while and left, just now.
            deaths += code != 0
        return f"ends Blender: {why_ended(code)}"

    def _running(self) -> subprocess.Popen[bytes]:
        # A forked process must not share the pipes of its parent.
        if self._process is None or self._owner != os.getpid():
            self._owner = os.getpid()
            self._process = start_helper(self._module, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._process


def serve(work: Callable[[Request], None], seconds: int = 300, memory: int = 6 << 30, idle: float = 20.0) -> None:
    """The main of the process: calls `work` for each request, and answers "" or why it failed.

    seconds, memory: what one file may take, and bytes in all. idle: seconds without a request after which it ends.
    """
    # Blender keeps a folder of its own for each session: in here, to go with it.
    tempfile.tempdir = os.environ["TMPDIR"] = tempfile.mkdtemp(prefix=scratch_name())
    clear_up = partial(shutil.rmtree, tempfile.tempdir, ignore_errors=True)
    leave_with_parent(0, clear_up)
    # What Blender and its importers print goes nowhere.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Not the address space: each thread reserves some of it that is never used, and machines have many cores.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while select.select([0], [], [], idle)[0]:
        line = _line()
        if not line:
            break
        # The alarm ends the process, whatever it does then and whoever waits for it.
        signal.alarm(seconds)
        answers.write(json.dumps(_failure(work, json.loads(line), memory)) + "\n")
        signal.alarm(0)
        answers.flush()
        if _size() > _LARGE:
            break
    clear_up()
    # sys.exit would hang at times in the cleanup of Blender's USD library.
    os._exit(0)


def _failure(work: Callable[[Request], None], request: Request, memory: int) -> str:
    try:
        work(request)
    except MemoryError:
        return f"needs more than {memory >> 30} GiB of memory to read"
    except LoadError as error:
        return str(error)
    # An importer can raise any exception for a damaged or hostile file. Each means that the file cannot be used.
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return f"cannot be imported: {lines[-1].removeprefix('Error: ').strip()[:160]}"
    return ""


def _line() -> bytes:
    """The next line of the standard input, or nothing at its end. Nothing is read ahead: `select` must see it."""
    line = b""
    while not line.endswith(b"\n"):
        more = os.read(0, 1 << 16)
        if not more:
            return b""
        line += more
    return line


def _size() -> int:
    """Bytes of memory that this process has ever held at once."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

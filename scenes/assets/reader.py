"""A process beside this one, which reads files one after another, with one limit of time and memory for each.

It starts at the first file and ends after a while without work. A file that crashes it several times, or that needs too
much time or memory, costs only one asset: the next file gets a new process.
"""

from __future__ import annotations

import base64
import errno
import json
import os
import pickle
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import psutil

from scenes.assets.mirror import StoreError
from scenes.errors import InputError, LoadError, in_plain_words
from scenes.files import NO_ROOM
from scenes.helper import ATTEMPTS, leave_with_parent, start_helper, why_ended
from scenes.leftovers import scratch_name

SECONDS = 300
MEMORY = 6 << 30
"""What one model file may take, and bytes that its process may hold. The same for all formats."""

# A process that holds more bytes than this after a file makes room: the next file gets a new one. The largest size that
# the system reports, ru_maxrss, is no measure: at first it is that of the process which started this one.
_LARGE = 1 << 30
# Errors of writing that are no fault of the file.
_OURS = (*NO_ROOM, errno.EACCES, errno.EPERM, errno.EROFS)
# Seconds for a process to start, and for one to end itself when its time is up: it may be stopped and hear no alarm.
_START = 120
_GRACE = 10


class Reader:
    """Hands requests to the process, and waits for each.

    module: what runs there; its main calls `serve`. seconds, memory: what one file may take, and bytes that the process
    may hold. idle: seconds without a request after which it ends. environment: of the process, in addition to ours.
    """

    def __init__(
        self,
        module: str,
        seconds: int = SECONDS,
        memory: int = MEMORY,
        idle: int = 20,
        environment: Mapping[str, str] | None = None,
    ):
        self._module, self._seconds, self._environment = module, seconds, environment
        self._limits = tuple(map(str, (seconds, memory, idle)))
        self._process: subprocess.Popen[bytes] | None = None
        self._owner: tuple[int, dict[str, str]] = (0, {})
        self._lock = threading.Lock()

    def ask(self, request: object) -> Any:
        """What the process makes of a request, any object that can be pickled.

        Raises LoadError if the file cannot be used, OSError if its result cannot be written, and InputError if the
        process does not start, or if an object store does not answer.
        """
        with self._lock:
            answer = self._answer(base64.b64encode(pickle.dumps(request)))
        if "unreachable" in answer:
            raise StoreError(answer["unreachable"])
        if "refused" in answer:
            raise LoadError(answer["refused"])
        if "failed" in answer:
            raise OSError(*answer["failed"])
        return answer["result"]

    def _answer(self, line: bytes) -> dict[str, Any]:
        deaths = 0
        while deaths < ATTEMPTS:
            process = self._running()
            try:
                process.stdin.write(line + b"\n")  # type: ignore[union-attr]
                process.stdin.flush()  # type: ignore[union-attr]
                answer = _heard(process, self._seconds + _GRACE)
            except BrokenPipeError:
                answer = b""
            except TimeoutError:
                process.send_signal(signal.SIGALRM)
                process.send_signal(signal.SIGCONT)
                answer = b""
            if answer:
                return dict(json.loads(answer))
            self._process = None
            code = _ended(process)
            if code == -signal.SIGALRM:
                return {"refused": f"takes more than {self._seconds} s to read"}
            # With code 0, it had nothing to do for a while and left, just now.
            deaths += code != 0
        return {"refused": f"ends the process that reads it: {why_ended(code)}"}

    def _running(self) -> subprocess.Popen[bytes]:
        # A forked process must not share the pipes of its parent. Credentials of a store may come in later.
        owner = (os.getpid(), dict(os.environ))
        if self._process is None or self._owner != owner:
            if self._process is not None and self._owner[0] == owner[0]:
                self._process.kill()
                _ended(self._process)
            self._owner, self._process = owner, self._started()
        return self._process

    def _started(self) -> subprocess.Popen[bytes]:
        """A new process. One that is lost before it is ready says nothing about a file."""
        for _ in range(ATTEMPTS):
            process = start_helper(
                self._module, *self._limits, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                environment=self._environment,
            )  # fmt: skip
            try:
                if _heard(process, _START):
                    return process
            except TimeoutError:
                process.kill()
            code = _ended(process)
        raise InputError(
            f"the process that reads files does not start: {why_ended(code)}; "
            f"`{sys.executable} -m {self._module} {' '.join(self._limits)}` says why"
        )


def _heard(process: subprocess.Popen[bytes], seconds: float) -> bytes:
    """The next line of a process, or nothing if it ends before. Raises TimeoutError if it says nothing."""
    assert process.stdout is not None
    poll = select.poll()  # `select.select` knows only small descriptors
    poll.register(process.stdout, select.POLLIN)
    if not poll.poll(1000 * seconds):
        raise TimeoutError
    line = process.stdout.readline()
    return line if line.endswith(b"\n") else b""


def _ended(process: subprocess.Popen[bytes]) -> int:
    """The return code of a process that ends. Its pipes are closed."""
    process.communicate()
    return process.returncode


def serve(work: Callable[[Any], Any]) -> None:
    """The main of the process: calls `work` for each request, and answers its result, plain JSON, or why it failed.

    Its limits are in the command line: see `Reader`.
    """
    seconds, memory, idle = map(int, sys.argv[1:])
    # Blender keeps a folder of its own for each session: in here, to go with it.
    tempfile.tempdir = os.environ["TMPDIR"] = tempfile.mkdtemp(prefix=scratch_name())
    clear_up = partial(shutil.rmtree, tempfile.tempdir, ignore_errors=True)
    leave_with_parent(0, clear_up)
    # What importers print goes nowhere.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Not the address space: each thread reserves some of it that is never used, and machines have many cores.
    allowed = resource.getrlimit(resource.RLIMIT_DATA)[1]
    memory = memory if allowed == resource.RLIM_INFINITY else min(memory, allowed)
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print("ready", file=answers, flush=True)
    while select.select([0], [], [], idle)[0]:
        line = _line()
        if not line:
            break
        # The alarm ends the process, whatever it does then and whoever waits for it.
        signal.alarm(seconds)
        answers.write(json.dumps(_tried(work, pickle.loads(base64.b64decode(line)), memory)) + "\n")
        signal.alarm(0)
        answers.flush()
        if psutil.Process().memory_info().rss > _LARGE:
            break
    clear_up()
    # sys.exit would hang at times in the cleanup of Blender's USD library.
    os._exit(0)


def _tried(work: Callable[[Any], Any], request: object, memory: int) -> dict[str, Any]:
    try:
        return {"result": work(request)}
    except MemoryError:
        return {"refused": f"needs more than {memory >> 30} GiB of memory to read"}
    except LoadError as error:
        return {"refused": str(error)}
    except StoreError as error:
        return {"unreachable": str(error)}
    # A parser can raise any exception for a damaged or hostile file. Each means that the file cannot be used.
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _OURS:
            return {"failed": [error.errno, error.strerror, str(error.filename or "")]}
        return {"refused": f"cannot be read: {_reason(error)}"}


def _reason(error: Exception) -> str:
    """The line that says what went wrong. Blender's operators put a traceback before it, and a place in code behind."""
    lines = [line.strip() for line in str(error).splitlines()]
    lines = [line for line in lines if line and not line.startswith("Location: ")]
    reason = (lines or [type(error).__name__])[-1].removeprefix("Error: ").strip()[:160]
    return in_plain_words(error, reason)


def _line() -> bytes:
    """The next line of the standard input, or nothing at its end. Nothing is read ahead: `select` must see it."""
    line = b""
    while not line.endswith(b"\n"):
        more = os.read(0, 1 << 16)
        if not more:
            return b""
        line += more
    return line

"""A pool of worker processes: it starts, supervises and replaces them, and sends them orders.

The caller (`render.farm.local`, `render.farm.stream`) defines the orders and repeats an order whose worker died.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from render.farm.devices import WorkerSlot
from scenes.assets.mirror import listings
from scenes.errors import InputError
from scenes.helper import why_ended
from scenes.leftovers import scratch_name, sweep_scratch

COMMAND = (sys.executable, "-m", "render.farm.worker")

# The pool gives up if this many workers in a row of one slot die before they are ready.
_STARTS = 3
# Free bytes that scratch in memory needs: a picture of 2048 x 2048 with its passes takes 400 MB.
_ROOM = 1 << 30


@dataclass(frozen=True)
class Event:
    """Something a worker said (see `render.farm.worker`), or `died` with a `reason`, and the `scene` it was at.

    order: the order that the worker had, or None. index: the picture it was drawing, or None.
    """

    worker: int
    kind: str
    data: Mapping[str, Any]
    order: dict[str, Any] | None
    index: int | None


@dataclass
class _Worker:
    """One process. scene: the record of the picture it draws, as JSON data, once it is known. heard: time of its last
    message, on the monotonic clock."""

    worker_slot: WorkerSlot
    folder: Path
    process: subprocess.Popen[bytes]
    line: Connection
    ready: bool = False
    order: dict[str, Any] | None = None
    index: int | None = None
    scene: Any = None
    heard: float = field(default_factory=time.monotonic)


class WorkerPool:
    """Workers for one (config, seed), one a worker_slot. A context manager: at its end no process and no file is left.

    spec: `config` as plain data, `seed` and perhaps `assets`, `reuse` and `listings`, for `render.farm.worker`.
    timeout: seconds without a word after which a worker that starts, draws or writes counts as hung and is killed.
    memory: file descriptor of shared memory that workers inherit.
    """

    def __init__(
        self,
        spec: Mapping[str, Any],
        worker_slots: Sequence[WorkerSlot],
        timeout: float = 600.0,
        memory: int | None = None,
        command: Sequence[str] = COMMAND,
    ):
        self._spec, self._timeout, self._memory, self._command = spec, timeout, memory, tuple(command)
        self._failed_starts = Counter[int]()
        sweep_scratch()
        self._scratch = _scratch_root() / f"{scratch_name()}{secrets.token_hex(3)}"
        self._scratch.mkdir(mode=0o700)
        self._workers: list[_Worker] = []
        try:
            for number, worker_slot in enumerate(worker_slots):
                self._workers.append(self._start(number, worker_slot))
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._workers)

    def pids(self) -> list[int]:
        """The numbers of the processes."""
        return [worker.process.pid for worker in self._workers]

    def idle(self) -> list[int]:
        """The workers without an order. A worker that is still starting accepts an order too."""
        return [number for number, worker in enumerate(self._workers) if worker.order is None]

    def give(self, number: int, order: dict[str, Any]) -> None:
        """Send an order to an idle worker."""
        worker = self._workers[number]
        assert worker.order is None, f"worker {number} is busy"
        worker.order, worker.heard = order, time.monotonic()
        with contextlib.suppress(OSError):  # it may die this moment: `events` will tell, with this order
            worker.line.send_bytes(json.dumps(order).encode())

    def events(self, patience: float = 1.0) -> list[Event]:
        """What the workers said, waiting up to `patience` seconds for the first word. Replaces those that died.

        Raises InputError where workers cannot even start.
        """
        lines = {worker.line: number for number, worker in enumerate(self._workers)}
        events = [self._heard(lines[line]) for line in wait(list(lines), timeout=patience)]  # type: ignore[index]
        now = time.monotonic()
        for number, worker in enumerate(self._workers):
            if (worker.order or not worker.ready) and now - worker.heard > self._timeout:
                events.append(self._bury(number, f"hung: no message for {self._timeout:g} s"))
        return events

    def close(self) -> None:
        """Kill all workers and remove their scratch files."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.wait()
            worker.line.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Life and death --------------------------------------------------------------------------------------------

    def _start(self, number: int, worker_slot: WorkerSlot) -> _Worker:
        folder = self._scratch / f"{number}-{secrets.token_hex(3)}"
        folder.mkdir()
        ours, theirs = socket.socketpair()
        inherited = [theirs.fileno()] + ([self._memory] if self._memory is not None else [])
        with ours, theirs, (folder / "stderr").open("wb") as stderr:
            process = subprocess.Popen(
                [*self._command, *map(str, inherited)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                pass_fds=inherited,
                # Blender keeps a folder of its own for each session: in here, to go with the rest.
                env={**os.environ, **worker_slot.environment, "TMPDIR": str(folder)},
                # A terminal's signals are for the parent.
                start_new_session=True,
            )
            worker = _Worker(worker_slot, folder, process, Connection(ours.detach()))
        spec = {
            "assets": {},
            "reuse": [],
            "listings": listings(),
            **self._spec,
            "device": worker_slot.device.kind,
            "threads": worker_slot.threads,
        }
        with contextlib.suppress(OSError):
            worker.line.send_bytes(json.dumps(spec).encode())
        return worker

    def _heard(self, number: int) -> Event:
        worker = self._workers[number]
        try:
            data = json.loads(worker.line.recv_bytes())
        except (EOFError, OSError):
            return self._bury(number, "")
        worker.heard = time.monotonic()
        order, kind = worker.order, data.pop("event")
        if kind == "ready":
            worker.ready, self._failed_starts[number] = True, 0
        elif kind == "drawing":
            worker.index, worker.scene = data["index"], None
        elif kind == "sampled":
            worker.scene = data["scene"]
        elif kind in ("drawn", "frame"):
            worker.index = None
        elif kind == "failed":
            return self._bury(number, data["reason"])
        index = data.get("index", worker.index)
        if kind in ("done", "refused") or (kind == "frame" and order and index == order["indices"][-1]):
            worker.order = worker.index = None
        return Event(number, kind, data, order, index)

    def _bury(self, number: int, reason: str) -> Event:
        """Replace a worker, and return the event of its death with the reason."""
        worker = self._workers[number]
        if reason:  # it may still be at work
            worker.process.kill()
        code = worker.process.wait()
        worker.line.close()
        reason = reason or why_ended(code)
        if not worker.ready:
            self._failed_starts[number] += 1
            if self._failed_starts[number] >= _STARTS:
                said = _last_words(worker.folder)
                raise InputError(f"workers do not start: {reason}{said}; `blendmill doctor` says what is missing")
        shutil.rmtree(worker.folder, ignore_errors=True)
        self._workers[number] = self._start(number, worker.worker_slot)
        data = {"reason": reason, "pid": worker.process.pid, "scene": worker.scene}
        return Event(number, "died", data, worker.order, worker.index)


def _last_words(folder: Path) -> str:
    lines = (folder / "stderr").read_text(errors="replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return f": {said[-1][:300]}" if said else ""


def _scratch_root() -> Path:
    """/dev/shm if it has enough space, because every render passes through a file; else the temporary folder."""
    shm = Path("/dev/shm")
    roomy = shm.is_dir() and os.access(shm, os.W_OK) and shutil.disk_usage(shm).free > _ROOM
    return shm if roomy else Path(tempfile.gettempdir())

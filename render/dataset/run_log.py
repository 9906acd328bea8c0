"""The log of a render run: JSON lines under `runs/` of its data set, one file a run.

    {"time": 1.0, "event": "run", "host": …, "pid": …, "part": "0/1", "workers": 2, "device": "cpu", "pictures": 100}
    {"time": 1.0, "event": "begin", "shard": 3, "worker": 0}
    {"time": 1.0, "event": "shard", "shard": 3, "sha256": "…", "pictures": 100}
    {"time": 1.0, "event": "failed", "index": 17, "reason": "…", "attempts": 3}
    {"time": 1.0, "event": "beat"}
    {"time": 1.0, "event": "end"}

`time` is in seconds since 1970, by the clock of the machine that runs. A run whose log has not changed for `SILENCE`
seconds counts as dead, by the clock of the place that keeps the log: those of other machines may be wrong.
"""

from __future__ import annotations

import json
import math
import os
import platform
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast

from render.dataset.local import Journal
from scenes.errors import InputError
from scenes.leftovers import process_alive
from scenes.plain_json import parse_json

BEAT = 10.0
"""Seconds between signs of life."""
SILENCE = 60.0


def log_name(part: str = "") -> str:
    """A name for the log of a run of this process: host-pid-time_iofn.jsonl. part: "i/n", or a word."""
    named = f"_{part.replace('/', 'of')}" if "/" in part else ""
    return f"{platform.node()}-{os.getpid()}-{time.time():.6f}{named}.jsonl"


def concerns(name: str, part: tuple[int, int]) -> bool:
    """Whether the run of a log, by its name, may have drawn shards of a part (i, n).

    Shards i, i + n, … and j, j + m, … have some in common if i and j leave the same rest by the largest number that
    divides both n and m. Of a log that tells no part, nobody knows.
    """
    found = re.search(r"_(\d+)of(\d+)\.jsonl$", name)
    if found is None or not int(found[2]):
        return True
    return (int(found[1]) - part[0]) % math.gcd(int(found[2]), part[1]) == 0


class RunLog:
    """Writes a run's log; a context manager. It gives signs of life until it is closed.

    May be used from several threads. Raises InputError where the log cannot be written.

    drawn: the sha256 of each shard that the run has drawn so far.
    """

    def __init__(self, journal: Journal, part: str, beat: float = BEAT):
        self._journal, self._part, self._beat = journal, part, beat
        self.drawn: dict[int, str] = {}
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._beating = threading.Thread(target=self._beats, name="run log", daemon=True)
        self._beating.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def note(self, event: str, **fields: object) -> None:
        """Add a line. The event "run" also tells who runs: host, pid and part. ValueError once the log is closed."""
        who = {"host": platform.node(), "pid": os.getpid(), "part": self._part} if event == "run" else {}
        line = json.dumps({"time": time.time(), "event": event, **who, **fields}) + "\n"
        with self._lock:
            if self._stop.is_set():
                raise ValueError("the run's log is closed")
            self._journal.write(line.encode())
            if event == "shard":
                self.drawn[cast(int, fields["shard"])] = cast(str, fields["sha256"])

    def close(self) -> None:
        """Note the run's end. Closing again does nothing."""
        if self._stop.is_set():
            return
        try:
            self.note("end")
        finally:
            self._stop.set()
            self._beating.join()
            self._journal.close()

    def _beats(self) -> None:
        self._flush()
        while not self._stop.wait(self._beat):
            try:
                self.note("beat")
            except (InputError, ValueError):
                continue  # the disk is full, which the next shard tells, or the log was closed just now
            self._flush()
        self._flush()

    def _flush(self) -> None:
        try:
            self._journal.flush()
        except InputError:
            return  # the next beat tries again; a store that stays out of reach stops the next shard


@dataclass(frozen=True)
class Drawn:
    """A shard a run has put in its storage. time: seconds since 1970."""

    shard: int
    sha256: str
    pictures: int
    time: float


@dataclass(frozen=True)
class Run:
    """What a run's log says. started and seen: seconds since 1970, of the first line and the last, by the run's clock.

    under_way: shards begun and not drawn. failed: reasons by index of the pictures given up. silent: seconds for which
    the log has not changed; endless until `Records.heard` has found out.
    """

    name: str
    host: str
    pid: int
    part: str = ""
    workers: int = 0
    device: str = ""
    pictures: int = 0
    started: float = 0.0
    seen: float = 0.0
    ended: bool = False
    under_way: tuple[int, ...] = ()
    drawn: tuple[Drawn, ...] = ()
    failed: Mapping[int, str] = field(default_factory=dict)
    silent: float = math.inf

    @property
    def alive(self) -> bool:
        """True if the run continues, as far as this machine can know."""
        if self.ended or self.silent > SILENCE:
            return False
        return self.host != platform.node() or process_alive(self.pid, self.started)


def parse_run(name: str, content: bytes) -> Run:
    """The run of a log named by `log_name`. Raises InputError where a line is none of a run's."""
    host, _, rest = name.removesuffix(".jsonl").rpartition("-")[0].rpartition("-")
    try:
        events = [event for line in content.split(b"\n") if (event := _event(line)) is not None]
        return _run(Run(name, host, int(rest)), events)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{name}: not the log of a run ({type(error).__name__}: {error}); delete it") from error


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = parse_json(line, "")
    except InputError:
        return None  # the disk was full, or the run was killed while writing; its other lines are sound
    return event if isinstance(event, dict) else None


def _run(run: Run, events: list[dict[str, Any]]) -> Run:
    fields: dict[str, Any] = {}
    begun: dict[object, int] = {}
    drawn: dict[int, Drawn] = {}
    failed: dict[int, str] = {}
    for event in events:
        match event["event"]:
            case "run":
                fields = {key: event[key] for key in ("part", "workers", "device", "pictures")}
            case "begin":
                begun[event["worker"]] = int(event["shard"])
            case "shard":
                shard = int(event["shard"])
                begun = {worker: other for worker, other in begun.items() if other != shard}
                drawn[shard] = Drawn(shard, str(event["sha256"]), int(event["pictures"]), float(event["time"]))
            case "failed":
                failed[int(event["index"])] = str(event["reason"])
    times = [float(event["time"]) for event in events] or [0.0]
    return Run(
        run.name, run.host, run.pid, **fields, started=times[0], seen=times[-1],
        ended=any(event["event"] == "end" for event in events), under_way=tuple(sorted(set(begun.values()))),
        drawn=tuple(drawn.values()), failed=failed,
    )  # fmt: skip

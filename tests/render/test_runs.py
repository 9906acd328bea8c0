from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.dataset.run_log import SILENCE, RunLog, log_name, parse_run
from render.dataset.store import open_store
from scenes.errors import InputError
from scenes.leftovers import process_alive

HOST = platform.node()


class Kept:
    """A journal in memory: what was written, and what of it was flushed."""

    def __init__(self, fail: Callable[[], bool] = lambda: False):
        self.written, self.flushed, self.closed, self.fail = b"", [b""], False, fail

    def write(self, data: bytes, /) -> int:
        self.written += data
        return len(data)

    def flush(self) -> None:
        if self.fail():
            raise InputError("out of reach")
        self.flushed.append(self.written)

    def close(self) -> None:
        self.closed = True


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_log_tells_the_run(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    before = time.time()
    with store.log("1/4") as log:
        log.note("run", workers=2, device="cpu", pictures=30, part="1/4")
        for shard, worker in ((1, 0), (5, 1), (9, 0)):
            log.note("begin", shard=shard, worker=worker)
        log.note("shard", shard=1, sha256="abc", pictures=10)
        log.note("failed", index=52, reason="killed its worker", attempts=3)
        (run,) = store.runs()
        assert (run.host, run.pid, run.part, run.workers, run.device) == (HOST, os.getpid(), "1/4", 2, "cpu")
        assert run.under_way == (5, 9) and run.failed == {52: "killed its worker"} and run.pictures == 30
        assert [(d.shard, d.sha256, d.pictures) for d in run.drawn] == [(1, "abc", 10)]
        assert before <= run.started <= run.drawn[0].time <= run.seen <= time.time()
        assert not run.ended and store.heard([run])[0].alive
    (run,) = store.runs()
    assert run.ended and not store.heard([run])[0].alive
    log.close()
    with pytest.raises(ValueError, match="closed"):
        log.note("begin", shard=2, worker=0)
    assert [run.ended for run in store.runs()] == [True]


def test_a_shard_begun_again_is_under_way_once() -> None:
    begun = [{"time": t, "event": "begin", "shard": 3, "worker": t} for t in (0, 1)]
    done = {"time": 2, "event": "shard", "shard": 3, "sha256": "a", "pictures": 1}
    other = {"time": 3, "event": "begin", "shard": 4, "worker": 1}
    assert parse_run("a-b-7-1.jsonl", lines(begun[0], other)).under_way == (3, 4)
    run = parse_run("a-b-7-1.jsonl", lines(*begun, done, other))
    assert run.under_way == (4,) and (run.host, run.pid) == ("a-b", 7)
    assert parse_run("a-7-1.jsonl", lines(*begun)).under_way == (3,)


def test_signs_of_life_and_what_others_see() -> None:
    kept = Kept()
    log = RunLog(kept, "0/1", beat=0.01)
    log.note("run", workers=1, device="cpu", pictures=1)
    until(lambda: kept.written.count(b'"beat"') >= 3 and b'"run"' in kept.flushed[-1])
    log.close()
    assert kept.closed and kept.flushed[-1] == kept.written and kept.written.endswith(b'"event": "end"}\n')
    assert not any(thread.name == "run log" for thread in threading.enumerate())


def test_a_store_out_of_reach_does_not_end_the_log() -> None:
    away = True
    kept = Kept(lambda: away)
    log = RunLog(kept, "0/1", beat=0.01)
    log.note("begin", shard=1, worker=0)
    until(lambda: kept.written.count(b'"beat"') >= 2)
    assert kept.flushed == [b""]
    away = False
    until(lambda: b'"begin"' in kept.flushed[-1])
    log.close()


def test_threads_write_whole_lines(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    with store.log("0/1") as log:

        def write(worker: int) -> None:
            for k in range(50):
                log.note("shard", shard=100 * worker + k, sha256="f" * 64, pictures=1)

        threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(store.runs()[0].drawn) == 200


def test_who_lives() -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    now = time.time()

    def alive(host: str, pid: int, silent: float = 0.0, started: float = now) -> bool:
        run = parse_run(f"{host}-{pid}-1.jsonl", lines({"time": started, "event": "beat"}))
        assert not run.alive, "nobody has looked when its log changed"
        return replace(run, silent=silent).alive

    assert alive(HOST, os.getpid()) and alive("elsewhere", 1)
    assert alive("elsewhere", 1, started=now - 3600) and alive("elsewhere", 1, started=now + 3600)
    assert not alive(HOST, dead.pid)
    assert not alive(HOST, os.getpid(), SILENCE + 1)
    assert not alive("elsewhere", 1, SILENCE + 1)
    # The number of a process that is no more, given to another since.
    assert not alive(HOST, os.getpid(), started=1.0)
    assert process_alive(os.getpid(), now) and not process_alive(os.getpid(), 1.0)


@given(st.integers(0, 400))
def test_a_log_cut_anywhere_still_tells_its_whole_lines(cut: int) -> None:
    shards = [{"time": k, "event": "shard", "shard": k, "sha256": "a", "pictures": 1} for k in range(5)]
    whole = lines(*shards)
    run = parse_run("a-7-1.jsonl", whole[:cut])
    # A line that lacks no more than its end is whole as well.
    assert len(run.drawn) in (whole[:cut].count(b"\n"), whole[: cut + 1].count(b"\n"))
    after = parse_run("a-7-1.jsonl", whole[:cut] + b"\n" + lines({"time": 9, "event": "end"}))
    assert after.ended and after.drawn == run.drawn


@pytest.mark.parametrize(
    ("name", "content"),
    [("odd.jsonl", b""), ("a-7-1.jsonl", b"{}\n"), ("a-7-1.jsonl", b'{"time": 1, "event": "shard", "shard": null}\n')],
)
def test_a_file_that_is_no_log_is_told(name: str, content: bytes) -> None:
    with pytest.raises(InputError, match=f"{name}: not the log of a run.*; delete it"):
        parse_run(name, content)


def test_every_log_has_its_own_name() -> None:
    assert len({log_name() for _ in range(100)}) > 90
    run = parse_run(log_name(), b"")
    assert (run.host, run.pid) == (HOST, os.getpid()) and not run.alive

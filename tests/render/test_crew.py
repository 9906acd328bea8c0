"""Helper processes that share the work on shards."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from render.dataset.crew import worked
from scenes.errors import InputError
from tests.farms import make_manifest, render

WORK = "render.dataset.verifying"


def setup(folder: Path) -> dict[str, object]:
    return {"url": str(folder), "skipped": [], "sums": {"00001.h5": ["0" * 64]}}


def test_results_are_the_same_for_any_number_of_processes(tmp_path: Path) -> None:
    render(tmp_path, make_manifest())
    found = [list(worked(WORK, setup(tmp_path), range(5), 5, workers)) for workers in (1, 2)]
    assert found[0] == found[1] and [len(lines) for lines in found[0]] == [0, 1, 0, 0, 0]


def test_what_is_wrong_is_told_by_the_parent_and_no_process_stays(tmp_path: Path) -> None:
    render(tmp_path, make_manifest())
    for workers in (1, 2):
        with pytest.raises(InputError, match=r"00007\.h5: missing"):
            list(worked(WORK, setup(tmp_path), [0, 7], 2, workers))
    assert not helpers()


def test_a_process_that_is_killed_is_replaced(tmp_path: Path) -> None:
    render(tmp_path, make_manifest())
    found = worked(WORK, setup(tmp_path), (k % 5 for k in range(40)), 40, 2)
    lines = [next(found)]
    killed = helpers()
    for helper in killed:
        os.kill(helper.pid, signal.SIGKILL)
    lines += found
    assert len(killed) == 2 and [len(line) for line in lines] == [0, 1, 0, 0, 0] * 8
    assert not helpers()


def test_processes_that_die_one_after_another_end_the_work_with_one_line(tmp_path: Path) -> None:
    render(tmp_path, make_manifest())
    ended = threading.Event()

    def kill() -> None:
        while not ended.is_set():
            for helper in helpers():
                with suppress(ProcessLookupError):
                    os.kill(helper.pid, signal.SIGKILL)
            time.sleep(0.01)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        with pytest.raises(InputError, match=r"3 processes .* killed \(SIGKILL\).*give fewer workers"):
            list(worked(WORK, setup(tmp_path), (k % 5 for k in range(10**6)), 10**6, 2))
    finally:
        ended.set()
        thread.join()


def test_work_is_asked_for_as_it_is_needed(tmp_path: Path) -> None:
    render(tmp_path, make_manifest())
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken % 5

    found = worked(WORK, setup(tmp_path), items(), 1, 1)
    for _ in range(3):
        next(found)
    found.close()  # type: ignore[attr-defined]
    assert 3 <= taken < 60


def helpers() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):  # one that has just ended
            if "render.dataset.crew" in child.cmdline():
                found.append(child)
    return found

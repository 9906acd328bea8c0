"""Helper processes that share the work on shards."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
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


def test_a_process_that_is_killed_ends_the_work_with_one_line(tmp_path: Path) -> None:
    render(tmp_path, make_manifest())

    def kill() -> None:
        while not helpers():
            time.sleep(0.01)
        for helper in helpers():
            os.kill(helper.pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    with pytest.raises(InputError, match=r"killed \(SIGKILL\).*give fewer workers"):
        list(worked(WORK, setup(tmp_path), (k % 5 for k in range(10**6)), 10**6, 2))
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
    return [child for child in psutil.Process().children() if "render.dataset.crew" in " ".join(child.cmdline())]

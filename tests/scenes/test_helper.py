"""Helper processes: they end with the process that started them, and one that dies costs no run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from scenes.assets.catalogue import Catalogue
from scenes.assets.loading import Loaded
from scenes.assets.preparing import prepared
from scenes.assets.references import References
from scenes.assets.sources import ModelFolder
from scenes.errors import InputError
from scenes.helper import why_ended
from scenes.mesh import Model, Part

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], np.int32)


def reads(path: Path, refers: References, scratch: Path) -> Loaded:
    """An importer that some files kill: `always*` each time, `once*` the first time."""
    mark = path.with_suffix(".mark")
    if path.stem.startswith("always") or (path.stem.startswith("once") and not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Loaded(Model((Part("part", CORNERS, FACES, np.ones((4, 3, 3), np.float32)),)))


def waits(mark: Path) -> None:
    mark.with_name(f"{mark.name}-{os.getpid()}").touch()
    time.sleep(60)


def refuses(word: str) -> None:
    raise (InputError if word == "bad" else ValueError)(f"{word} thing")


def test_a_file_that_ends_its_process_is_left_out_and_the_others_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "set" / "ball"
    folder.mkdir(parents=True)
    for name in ("a", "always", "once", "z"):
        (folder / f"{name}.fbx").write_bytes(name.encode())

    def catalogue() -> Catalogue:
        return Catalogue(
            models=[ModelFolder(folder.parent)], importers={".fbx": reads}, cache=tmp_path / "cache", shapes={"mug": 1}
        )

    first, told = catalogue(), []
    first.prepare(lambda done, total, name: told.append((done, total, name)), workers=2)
    assert [done for done, _, _ in told] == [1, 2, 3, 4, 5] and len({name for _, _, name in told}) == 5
    usable = [name for name in first.assets("ball") if first.usable(name)]
    assert usable == ["set/ball/a.fbx", "set/ball/once.fbx", "set/ball/z.fbx"]
    (reason,) = first.left_out.values()
    assert list(first.left_out) == [str(folder / "always.fbx")] and "killed (SIGKILL)" in reason
    # Another process knows it, and does not read the file.
    second = catalogue()
    assert not second.usable("set/ball/always.fbx") and second.left_out == first.left_out
    # A file that has changed is read again.
    (folder / "always.fbx").rename(folder / "mended.fbx")
    assert catalogue().usable("set/ball/mended.fbx")


def test_what_a_job_raises_is_raised_here() -> None:
    with pytest.raises(InputError, match="bad thing"):
        list(prepared(refuses, ["bad", "bad"], 2))
    with pytest.raises(ValueError, match="odd thing") as raised:
        list(prepared(refuses, ["odd"], 1))
    assert "in refuses" in raised.value.__notes__[0]  # where it was raised


def test_processes_that_do_not_start_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenes.assets.preparing.__name__", "scenes.no_such_module")
    with pytest.raises(InputError, match="processes that read assets do not start: ended with exit code 1"):
        list(prepared(print, ["a"], 1))


PARENTS = {
    "preparing": "from scenes.assets.preparing import prepared; from tests.scenes.test_helper import waits; "
    "from pathlib import Path; list(prepared(waits, [Path(MARK)] * 2, 2))",
    "reader": "from scenes.assets.reader import Reader; "
    "Reader('tests.scenes.stand_in_reader').ask({'do': 'wait', 'mark': MARK})",
}


@pytest.fixture
def parent(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """A process that has helpers, and their pids."""
    mark = tmp_path / "helper"
    process = subprocess.Popen([sys.executable, "-c", f"MARK = {str(mark)!r}; {PARENTS[request.param]}"])
    wanted, deadline = 2 if request.param == "preparing" else 1, time.monotonic() + 60
    try:
        while len(found := list(tmp_path.glob("helper-*"))) < wanted:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        yield process, [int(path.name.rpartition("-")[2]) for path in found]
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("parent", list(PARENTS), indirect=True)
def test_helpers_leave_with_a_parent_that_is_killed(
    parent: tuple[subprocess.Popen[bytes], list[int]], stopped: bool
) -> None:
    if stopped and sys.platform != "linux":
        pytest.skip("only Linux wakes a stopped process when its parent ends")
    process, helpers = parent
    if stopped:
        for pid in helpers:
            os.kill(pid, signal.SIGSTOP)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while any(map(psutil.pid_exists, helpers)):
        assert time.monotonic() < deadline, "a helper sleeps on"
        time.sleep(0.1)


def test_why_a_process_ended_is_told() -> None:
    assert why_ended(-signal.SIGSEGV) == "crashed (SIGSEGV)"
    assert why_ended(3) == "ended with exit code 3"

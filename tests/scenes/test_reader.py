"""The process that reads model files: it is kept from file to file, and lost with what it cannot bear."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scenes.assets.reader import Reader
from scenes.errors import InputError, LoadError


@pytest.fixture
def reader() -> Reader:
    return Reader("tests.scenes.stand_in_reader", seconds=1, memory=1 << 30, idle=1)


def number(reader: Reader, folder: Path) -> int:
    reader.ask({"do": "number", "to": str(folder / "pid")})
    return int((folder / "pid").read_text())


def test_one_process_reads_many_files(reader: Reader, tmp_path: Path) -> None:
    first = number(reader, tmp_path)
    reader.ask({"do": "talk"})
    with pytest.raises(LoadError, match="cannot be read: the reason"):
        reader.ask({"do": "fail"})
    with pytest.raises(LoadError, match="cannot be read: it is damaged, or of a kind that its reader does not know"):
        reader.ask({"do": "look up"})
    assert number(reader, tmp_path) == first


def test_a_process_knows_the_environment_of_today(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials of a store may come in after the first file was read."""
    first = number(reader, tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "new")
    assert number(reader, tmp_path) != first
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def test_a_large_parent_does_not_make_the_reader_large(tmp_path: Path) -> None:
    """A worker that has Blender loaded holds a gigabyte. Its reader must still serve for many files."""
    parent = (
        "import pathlib; from scenes.assets.reader import Reader; ballast = bytearray(b'x') * (1200 << 20); "
        "reader, to = Reader('tests.scenes.stand_in_reader'), pathlib.Path(PLACE); "
        "asked = [reader.ask({'do': 'number', 'to': str(to)}) or to.read_text() for _ in range(3)]; "
        "print(len(set(asked)))"
    ).replace("PLACE", repr(str(tmp_path / "pid")))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", parent], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("crash", r"ends the process that reads it: crashed \(SIGSEGV\)"),
        ("hang", "takes more than"),
        ("grow", "memory"),
    ],
)
def test_what_it_cannot_bear_costs_one_file(reader: Reader, tmp_path: Path, what: str, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        reader.ask({"do": what})
    assert number(reader, tmp_path) > 0


def test_a_process_that_another_killed_costs_no_file(reader: Reader, tmp_path: Path) -> None:
    first = number(reader, tmp_path)
    reader.ask({"do": "crash once", "mark": str(tmp_path / "mark")})
    assert number(reader, tmp_path) != first
    # Nor does one that is lost before it has begun.
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    reader.ask({"do": "talk"})


def test_a_process_that_is_stopped_and_hears_no_alarm_costs_one_file(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scenes.assets.reader._GRACE", 0.5)
    with pytest.raises(LoadError, match="takes more than 1 s to read"):
        reader.ask({"do": "stop"})
    assert number(reader, tmp_path) > 0


def test_a_process_that_does_not_start_is_told_and_no_file_is_blamed() -> None:
    with pytest.raises(InputError, match=r"does not start: ended with exit code 1; `.* -m scenes.no_such .*` says why"):
        Reader("scenes.no_such").ask({})


def test_it_leaves_when_idle_and_another_takes_over(reader: Reader, tmp_path: Path) -> None:
    first = number(reader, tmp_path)
    deadline = time.monotonic() + 20
    while Path(f"/proc/{first}/stat").exists() and Path(f"/proc/{first}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert number(reader, tmp_path) != first

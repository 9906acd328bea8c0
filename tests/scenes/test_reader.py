"""The process that reads model files: it is kept from file to file, and lost with what it cannot bear."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from scenes.assets.info import LoadError
from scenes.assets.reader import Reader


@pytest.fixture
def reader() -> Reader:
    return Reader("tests.scenes.stand_in_reader")


def number(reader: Reader, folder: Path) -> int:
    reader.ask({"do": "number", "to": str(folder / "pid")})
    return int((folder / "pid").read_text())


def test_one_process_reads_many_files(reader: Reader, tmp_path: Path) -> None:
    first = number(reader, tmp_path)
    reader.ask({"do": "talk"})
    with pytest.raises(LoadError, match="cannot be imported: the reason"):
        reader.ask({"do": "fail"})
    assert number(reader, tmp_path) == first


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("crash", r"ends the process that reads it: crashed \(SIGSEGV\)"),
        ("hang", "takes more than"),
        ("grow", "memory"),
    ],
)
def test_what_it_cannot_bear_costs_one_file(reader: Reader, tmp_path: Path, what: str, words: str) -> None:
    start = time.monotonic()
    with pytest.raises(LoadError, match=words):
        reader.ask({"do": what})
    assert time.monotonic() - start < 20
    assert number(reader, tmp_path) > 0


def test_a_process_that_another_killed_costs_no_file(reader: Reader, tmp_path: Path) -> None:
    first = number(reader, tmp_path)
    reader.ask({"do": "crash once", "mark": str(tmp_path / "mark")})
    assert number(reader, tmp_path) != first


def test_it_leaves_when_idle_and_another_takes_over(reader: Reader, tmp_path: Path) -> None:
    first = number(reader, tmp_path)
    deadline = time.monotonic() + 20
    while Path(f"/proc/{first}/stat").exists() and Path(f"/proc/{first}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert number(reader, tmp_path) != first

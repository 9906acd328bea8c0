"""What long work shows of its progress: lines in a file, a bar on a terminal."""

from __future__ import annotations

import io
import sys

import pytest

from training.progress import Progress


def test_elsewhere_than_on_a_terminal_there_are_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("step", 3) as progress:
        progress.update(1, "loss 1")
        progress.update(3)
    assert capsys.readouterr().err == "step 1/3  loss 1\nstep 3/3\n"


def test_lines_keep_their_distance_but_for_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("pictures", 9, every=1000) as progress:
        for done in range(10):
            progress.update(done)
    assert capsys.readouterr().err == "pictures 0/9\npictures 9/9\n"


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress("step", 3) as progress:
        progress.update(2, "loss [1]")
    shown = terminal.getvalue()
    assert "━" in shown and "2/3" in shown and "loss [1]" in shown and "\x1b[?25h" in shown, "the cursor is back"

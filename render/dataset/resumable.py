"""A folder that several processes write piece by piece, and that goes on with what is missing after an interruption."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from render.dataset.crew import worked
from render.dataset.local import Folder

Told = Callable[[int, int], object]
"""Is called with the number of pieces that are done, and of all."""

_EVERY = 10.0
"""Seconds between two times that what is written is brought to the disk and noted as done."""


@contextmanager
def being_written(out: Path, kind: str, about: str) -> Iterator[Path]:
    """The folder `.NAME.KIND` beside `out`, for this process alone: with `out`, `lines` and the file `done`.

    about: what is written there, to know it again. The folder goes if it has nothing that would be of use to the next
    process.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = out.with_name(f".{out.name}.{kind}")
    with Folder(folder).hold("0/1"):
        if not (folder / "about").exists() or (folder / "about").read_text() != about:
            for name in ("out", "lines"):
                shutil.rmtree(folder / name, ignore_errors=True)
                (folder / name).mkdir()
            (folder / "done").unlink(missing_ok=True)
            (folder / "about").write_text(about)
        try:
            yield folder
        finally:
            if (folder / "done").exists() and not (folder / "done").read_text():
                shutil.rmtree(folder)


def write_pieces(
    module: str,
    setup: Mapping[str, Any],
    number: int,
    piece: Callable[[int], tuple[Any, ...]],
    done: Path,
    workers: int | None,
    tell: Told,
) -> None:
    """Write the pieces that are not noted in the file `done`, a number a line.

    module: does the work in the processes (`render/dataset/crew.py`). number: of all pieces. piece: what the processes
    are given for each.
    """
    noted = set(map(int, done.read_text().split())) if done.exists() else set()
    missing = [k for k in range(number) if k not in noted]
    found = worked(module, setup, (piece(k) for k in missing), len(missing), workers)
    written: list[int] = []

    def note() -> None:
        os.sync()
        with done.open("a") as file:
            file.writelines(f"{k}\n" for k in written)
        written.clear()

    tell(len(noted), number)
    last = time.monotonic()
    try:
        for place, (k, _) in zip(count(len(noted) + 1), zip(missing, found, strict=True), strict=False):
            written.append(k)
            tell(place, number)
            if time.monotonic() - last > _EVERY:
                note()
                last = time.monotonic()
    finally:
        note()

"""Files and folders that a command was asked to write: each appears whole, or one line says why it does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scenes.errors import InputError
from scenes.files import NO_ROOM, replacing
from scenes.leftovers import sweep_unfinished


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A temporary path to write a file to, as `replacing` gives, in a folder that need not be there yet.

    What killed processes left of the same file goes. Failures of the disk are an InputError each.
    """
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep_unfinished(path)
        with replacing(path) as temporary:
            yield temporary


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Failures of the disk in writing `path`, as one line that says what to do."""
    try:
        yield
    except OSError as error:
        remedy = "make room" if error.errno in NO_ROOM else "give another place, or change its owner"
        raise InputError(f"{path}: cannot be written: {error.strerror or error}; {remedy}") from None

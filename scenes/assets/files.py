"""Files that are whole or absent, paths that stay where they belong, digests."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file that any number of processes may be writing: readers see a whole one or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; a shared cache is read by others.
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def inside(root: Path, relative: str, start: Path | None = None) -> Path:
    """The path `relative`, seen from `start` or else from `root`, links resolved.

    Raises ValueError if it is absolute, or leads out of the root.
    """
    text = relative.replace("\\", "/")
    if not text.strip() or "\0" in text:
        raise ValueError(f"{relative!r} is not a path")
    if text.startswith("/") or text[1:2] == ":":
        raise ValueError(f"'{relative}' is absolute, write it relative to {root.resolve().name}")
    path = ((start or root).resolve() / text).resolve()
    if not path.is_relative_to(root.resolve()):
        raise ValueError(f"'{relative}' leads out of {root.resolve().name}")
    return path


def sha256(path: Path) -> str:
    """The hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_stat(path: Path) -> list[int] | None:
    """Size in bytes and time of change in ns, by which a file is known again; None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return [stat.st_size, stat.st_mtime_ns]

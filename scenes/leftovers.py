"""What processes that were killed leave behind: unfinished files beside their names, and scratch folders."""

from __future__ import annotations

import contextlib
import glob
import os
import platform
import shutil
import tempfile
from pathlib import Path

import psutil

from scenes.files import UNFINISHED

SCRATCH = "blendmill-"
"""Prefix of the names of scratch folders. The number of the process that removes the folder follows."""


def process_alive(pid: int, since: float) -> bool:
    """Whether the process of this machine that was there at a time (seconds since 1970) still is."""
    try:
        # Numbers are used again, in containers at once; start times are known to a second or two.
        return bool(psutil.Process(pid).create_time() < since + 2)
    except psutil.NoSuchProcess:
        return False


def own_name(name: str) -> int | None:
    """The process of this host by which `unfinished` named a file, None where it is of another host."""
    host, _, pid = name.rpartition(UNFINISHED)[2].rpartition("-")
    return int(pid) if host == platform.node() and pid.isdigit() else None


def remove_dead(path: Path, other_hosts: bool = False, ahead: float = 0.0) -> None:
    """Delete an unfinished file or folder if it is of a process of this machine that is no more, or of another machine.

    other_hosts: whether those of other machines go too. ahead: seconds by which the clock that dates the file is ahead
    of the clock of this machine.
    """
    try:
        changed = path.stat().st_mtime - ahead
    except FileNotFoundError:
        return
    pid = own_name(path.name)
    if other_hosts if pid is None else not process_alive(pid, changed):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def sweep_unfinished(path: Path) -> None:
    """Delete what processes of this machine that are no more began to write as `path`."""
    for left in path.parent.glob(f"{glob.escape(path.name)}{UNFINISHED}*"):
        remove_dead(left)


def scratch_name() -> str:
    """The start of the name of a scratch folder of this process, as `sweep_scratch` knows it."""
    return f"{SCRATCH}{os.getpid()}-"


def sweep_scratch() -> None:
    """Remove the scratch folders of this user's processes that have ended."""
    for root in {Path("/dev/shm"), Path(tempfile.gettempdir())}:
        for folder in root.glob(f"{SCRATCH}*-*"):
            pid = folder.name.split("-")[1]
            if not pid.isdigit() or psutil.pid_exists(int(pid)):
                continue
            with contextlib.suppress(FileNotFoundError):  # another process sweeps too
                if folder.stat().st_uid == os.getuid():
                    shutil.rmtree(folder, ignore_errors=True)

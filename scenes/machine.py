"""Cores and memory that this process may use, as the scheduler and the container allow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def cores() -> int:
    """The number of cores that this process may use: its affinity, limited by the quota of the container."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min([allowed, *_quotas()])))


def memory() -> int:
    """Bytes that this process and its children can still use: free memory, limited by the container."""
    return max(0, min([psutil.virtual_memory().available, *_rooms()]))


def _groups() -> Iterator[Path]:
    """This process's control group (version 2) and its visible parents."""
    if not _OWN.is_file():
        return
    own = next((line[3:] for line in _OWN.read_text().splitlines() if line.startswith("0::")), None)
    if own is None:
        return
    folder = _GROUPS / own.lstrip("/")
    yield from (folder, *(parent for parent in folder.parents if parent.is_relative_to(_GROUPS)))


def _quotas() -> Iterator[float]:
    """Cores by each group's cpu.max: allowed microseconds of work in a period, in microseconds."""
    for group in _groups():
        quota, _, period = _read(group / "cpu.max").partition(" ")
        if quota.isdigit():
            yield int(quota) / int(period)


def _rooms() -> Iterator[int]:
    """Bytes left by each group's memory.max. Inactive file cache counts as free."""
    for group in _groups():
        limit = _read(group / "memory.max")
        if limit.isdigit():
            used = int(_read(group / "memory.current") or 0)
            counters = dict(line.split() for line in _read(group / "memory.stat").splitlines())
            yield int(limit) - used + int(counters.get("inactive_file", 0))


def _read(path: Path) -> str:
    """A group's file; empty where the kernel or the group has none."""
    return path.read_text().strip() if path.is_file() else ""

"""Give each worker its own cores.

Blender, its denoiser and their thread pools start one thread for each core that they see, and idle threads spin. Two
workers with one thread each draw 25 % slower if both see two cores than if each sees one (benchmarks/farm.md).
"""

from __future__ import annotations

import os
import socket

from scenes import machine


def claim(threads: int) -> tuple[socket.socket, ...]:
    """Pin this process to `threads` cores that no other worker of this user has claimed.

    Each claim is a named socket. The system frees the name when the process ends. Nothing is claimed in these cases:
    the system is not Linux, the process shall use all cores (threads is 0 or the number of cores), a CPU quota limits
    the process, or too few cores are free.
    """
    if not hasattr(os, "sched_getaffinity"):
        return ()
    allowed = sorted(os.sched_getaffinity(0))
    if not 0 < threads < len(allowed) or machine.cores() < len(allowed):
        return ()
    claims: dict[int, socket.socket] = {}
    for core in allowed:
        named = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            named.bind(f"\0blendmill-core-{os.getuid()}-{core}")
        except OSError:
            named.close()
            continue
        claims[core] = named
        if len(claims) == threads:
            os.sched_setaffinity(0, claims)
            return tuple(claims.values())
    for named in claims.values():
        named.close()
    return ()

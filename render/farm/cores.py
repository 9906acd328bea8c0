"""Cores of its own for each worker.

Blender, its denoiser and their thread pools size themselves by the cores they see, and idle threads spin: two workers
of one thread each, free to roam on two cores, draw a quarter slower than two that each see one (benchmarks/farm.md).
"""

from __future__ import annotations

import os
import socket

from render.farm import limits


def claim(threads: int) -> tuple[socket.socket, ...]:
    """Keep this process to as many cores as it has threads, cores that no other worker of this user has claimed.

    The claim holds as long as the sockets that are returned: they have names, one a core, which the system lets go
    when the process ends, however that comes. Nothing is claimed where that does not help or may harm: on systems
    other than Linux, where the process is to use all it has (threads 0, or as many as there are cores), where a quota
    and not a set of cores is its share, and where others have claimed what there was.
    """
    if not hasattr(os, "sched_getaffinity"):
        return ()
    allowed = sorted(os.sched_getaffinity(0))
    if not 0 < threads < len(allowed) or limits.cores() < len(allowed):
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

"""What a Ray cluster has room for: how many render workers, and what each of them gets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import ray

from render.farm.devices import WORKER_MEMORY, WORKERS_PER_GPU
from scenes.errors import InputError


def needs(nodes: Sequence[Mapping[str, float]], kind: str, workers: int | None) -> dict[str, float]:
    """What a task asks Ray for: CPU, GPU, memory (bytes). The first is also its number of threads.

    nodes: what each has in all. kind: of device. workers: how many in all, None as many as there is room for: one a
    core on the CPU, WORKERS_PER_GPU on a GPU. Cores that are left over go to the workers in equal parts. Raises
    InputError where no node has room for one.
    """
    wanted = {"CPU": 1.0, "memory": float(WORKER_MEMORY)}
    if kind != "cpu":
        gpus = sum(int(node.get("GPU", 0)) for node in nodes)
        if not gpus:
            raise InputError(f"--ray: no node of the cluster has a GPU for --device {kind}; add one, or --device cpu")
        sharing = WORKERS_PER_GPU if workers is None else -(-workers // gpus)
        wanted["GPU"] = math.floor(10000 / sharing) / 10000  # Ray counts in these
    room = capacity(nodes, wanted)
    if not room:
        raise InputError(f"--ray: no node of the cluster has a core and {WORKER_MEMORY >> 20} MiB for a worker")
    while capacity(nodes, more := {**wanted, "CPU": wanted["CPU"] + 1}) >= min(workers or room, room):
        wanted = more
    return wanted


def capacity(nodes: Sequence[Mapping[str, float]], wanted: Mapping[str, float]) -> int:
    """How many tasks that want this much each the nodes can run at once."""
    return sum(min(int(node.get(name, 0.0) / share + 1e-6) for name, share in wanted.items()) for node in nodes)


def alive_nodes() -> list[dict[str, float]]:
    """What each node of the cluster has in all."""
    nodes: list[Any] = ray.nodes()  # type: ignore[no-untyped-call]
    return [node["Resources"] for node in nodes if node["Alive"]]


def slots(nodes: Sequence[Mapping[str, float]], wanted: Mapping[str, float], workers: int | None) -> int:
    """How many render workers draw at once. workers: how many were asked for."""
    room = capacity(nodes, wanted)
    return min(workers or room, room)

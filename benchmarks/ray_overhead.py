"""What Ray costs: local workers draw a job, and as many Ray workers draw the same job; then Ray runs empty tasks.

Ray runs already when a job starts, as on a cluster; its start is measured separately. Both sides start their render
workers anew in each round.
"""

from __future__ import annotations

import logging
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import ray

from benchmarks.common import open_objects, record, spread, table
from render.farm.devices import choose, worker_slots
from render.farm.event_queue import EventQueue
from render.farm.job import Farm, Job, run
from render.farm.local import Local, RetryPolicy
from render.farm.ray import RayFarm
from render.farm.ray_cluster import alive_nodes, needs
from render.farm.ray_driver import ShardDriver

PICTURES = int(sys.argv[1]) if len(sys.argv) > 1 else 200
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
WORKERS = int(sys.argv[3]) if len(sys.argv) > 3 else 2
SHARD = 10
TASKS = 2000


def main() -> None:
    config, sampler = open_objects("s2rda13", ["assets.shapes=4", "camera.resolution=[128, 128]"])
    sampler.catalogue.prepare()

    def seconds(farm: Farm) -> float:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            run(
                Job(config, 0, PICTURES, f"{folder}/set", SHARD),
                sampler,
                farm,
                RetryPolicy(),
                lambda event, **_: None,
            )
            return time.perf_counter() - start

    here = Local(worker_slots(choose("cpu"), WORKERS, pictures=PICTURES))
    local: list[float] = []
    on_ray: list[float] = []
    for number in range(ROUNDS):
        # A Ray of its own each time: its render workers outlive the run, and would keep their cores from the others.
        # Which goes first changes, for the machine may slow down or speed up.
        for onto_ray in (False, True)[:: -1 if number % 2 else 1]:
            if not onto_ray:
                local.append(seconds(here))
                continue
            with own_ray():
                on_ray.append(seconds(RayFarm("local", "cpu", WORKERS)))
    with own_ray() as started:
        deal(50)  # Ray starts its processes
        each = took(lambda: deal(TASKS)) / TASKS
    ratios = [there / here for there, here in zip(on_ray, local, strict=True)]
    rows = [
        ["local workers", f"{spread(local, 2)} s", "1"],
        ["Ray", f"{spread(on_ray, 2)} s", spread(ratios)],
        [
            "overhead",
            f"{statistics.median(on_ray) - statistics.median(local):.2f} s",
            f"{statistics.median(ratios) - 1:.1%}",
        ],
    ]
    note = (
        f"Figures are the median [range] of {ROUNDS} rounds. A task that draws nothing takes {1000 * each:.2f} ms. "
        f"This is the mean of {TASKS} such tasks, given to {WORKERS} workers in the same way as shards. "
        f"The start of Ray took {started:.1f} s."
    )
    record(
        "ray_overhead",
        f"Ray compared with local workers: {PICTURES} pictures of s2rda13 at 128 x 128, {SHARD} per shard, "
        f"{WORKERS} workers",
        f"{table(['', 'the whole run', 'ratio, round by round'], rows)}\n\n{note}",
    )


@contextmanager
def own_ray() -> Iterator[float]:
    """A Ray in this process; gives the seconds it took to start."""
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.ERROR}
        start = time.perf_counter()
        ray.init(address="local", num_cpus=WORKERS, object_store_memory=100 << 20, _temp_dir=folder, **quiet)
        try:
            yield time.perf_counter() - start
        finally:
            ray.shutdown()


def nothing(job: str, board: Any, notes: Any, shard: int) -> tuple[str, str, list[Any]]:
    """A shard whose drawing takes no time."""
    return "", "", []


def deal(tasks: int) -> None:
    """Give out shards that take no time, in the way that a run gives out its shards."""
    run: Any = SimpleNamespace(stopping=lambda: False)
    driver = ShardDriver(run, needs(alive_nodes(), "cpu", WORKERS), WORKERS, set())
    driver._deal(ray.remote(nothing), (ray.put(""), ray.remote(EventQueue).remote(), {}), deque(range(tasks)))


def took(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()

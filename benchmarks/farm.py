"""Workers on one machine: how they scale, how many threads are best for each, how soon each draws its first picture.

A round draws the same pictures with every arrangement of workers and threads, one after another. A rate is measured
between the first and the last picture of a run, so it leaves the start-up out. The start-up is the time from the start
of the workers to the first picture of each.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from benchmarks.common import open_objects, record, spread, table
from render.farm.devices import WorkerSlot, choose
from render.farm.job import Job, run
from render.farm.local import Local, RetryPolicy

# (workers, threads of each)
ARRANGEMENTS = ((1, 1), (2, 1), (1, 2), (2, 2))


class Stopwatch:
    """Receives a run's events. Keeps when each picture was drawn, and by which worker."""

    def __init__(self) -> None:
        self.begun = time.perf_counter()
        self.drawn: list[tuple[float, int]] = []

    def __call__(self, event: str, **fields: Any) -> None:
        if event == "drawn":
            self.drawn.append((time.perf_counter(), fields["worker"]))

    def rate(self, workers: int) -> float:
        """Pictures per second, after each worker's first picture and before the first worker has drawn its last one."""
        firsts = [next(at for at, who in self.drawn if who == worker) for worker in range(workers)]
        lasts = [[at for at, who in self.drawn if who == worker][-1] for worker in range(workers)]
        start, end = max(firsts), min(lasts)
        return sum(start < at <= end for at, _ in self.drawn) / (end - start)

    def starts(self) -> list[float]:
        """Seconds to each worker's first picture."""
        seen: dict[int, float] = {}
        for at, worker in self.drawn:
            seen.setdefault(worker, at - self.begun)
        return list(seen.values())


@click.command()
@click.option("--preset", default="s2rda13", show_default=True)
@click.option("--resolution", default=256, show_default=True)
@click.option("--pictures", default=48, show_default=True, help="Pictures per run.")
@click.option("--rounds", default=5, show_default=True)
def main(preset: str, resolution: int, pictures: int, rounds: int) -> None:
    config, sampler = open_objects(preset, [f"camera.resolution=[{resolution},{resolution}]"])
    sampler.catalogue.prepare()
    rates: dict[tuple[int, int], list[float]] = {arrangement: [] for arrangement in ARRANGEMENTS}
    starts: list[float] = []
    job = Job(config, 0, pictures, "", shard_size=4)
    for number in range(rounds):
        for workers, threads in ARRANGEMENTS:
            folder = Path(tempfile.mkdtemp())
            watch = Stopwatch()
            farm = Local([WorkerSlot(choose("cpu")[0], threads)] * workers)
            run(replace(job, out=str(folder / "set")), sampler, farm, RetryPolicy(), watch)
            shutil.rmtree(folder)
            rates[workers, threads].append(watch.rate(workers))
            starts += watch.starts() if (workers, threads) == (1, 1) else []
        print(number, {f"{w}x{t}": round(values[-1], 3) for (w, t), values in rates.items()}, flush=True)
    rows = [[f"{w} x {t}", spread(values)] for (w, t), values in rates.items()]
    linear = [two / (2 * one) for one, two in zip(rates[1, 1], rates[2, 1], strict=True)]
    against = [two / one for one, two in zip(rates[1, 2], rates[2, 1], strict=True)]
    body = table(["workers x threads of each", f"pictures per second, median [range] of {rounds} rounds"], rows)
    body += f"\n\nTwo workers of one thread each, divided by twice one such worker, round by round: {spread(linear)}."
    body += f"\n\nTwo workers of one thread each, divided by one of two threads, round by round: {spread(against)}."
    body += f"\n\nSeconds from the start of a worker to its first picture: {spread(starts, 2)}."
    record("farm", f"Workers on one machine, {preset} at {resolution} x {resolution}", body)


if __name__ == "__main__":
    main()

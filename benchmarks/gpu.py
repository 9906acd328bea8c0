"""Pictures per second on the GPUs of one machine: kinds of device, workers on each GPU, and some settings of Cycles.

    python -m benchmarks.gpu --minutes 8

One round follows another until the time is over, the best kind of device first. In a round, for each kind:

- one process without a farm draws the same pictures with each setting of Cycles: as blendmill sets it, with persistent
  data, with the denoiser on the CPU, and without it. Persistent data break the law that a picture does not depend on
  the pictures before it, so blendmill leaves them off. This shows what that costs. The first picture is timed apart,
  because it loads the kernels; the very first one of a kind may compile them. All pictures are drawn once before a time
  is taken, and another setting begins in each round;
- the farm draws with 1 to 4 workers on each GPU.

The result is written after each kind of each round, so a run that is stopped has what it has measured. A kind that
fails is named in it. Nothing is read but built-in shapes, so the machine needs no network. `--device cpu` tries the
script without a GPU.
"""

from __future__ import annotations

import multiprocessing
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import click

from benchmarks.common import record, spread, table
from benchmarks.farm import Stopwatch
from render.farm.devices import ASKED, choose, found, worker_slots
from render.farm.job import Job, run
from render.farm.local import Local, RetryPolicy
from render.renderer import open_renderer, open_sampler
from scenes.config.loading import AnyConfig, load_config
from scenes.errors import InputError

WORKERS = (1, 2, 3, 4)
_PERSISTENT = "render.use_persistent_data"
# What a round changes in Cycles, as attributes of the Blender scene.
CYCLES: dict[str, dict[str, bool]] = {
    "as blendmill sets it": {},
    "persistent data": {_PERSISTENT: True},
    "denoiser on the CPU": {"cycles.denoising_use_gpu": False},
    "no denoiser": {"cycles.use_denoising": False},
}


@dataclass
class Found:
    """What was measured. firsts: by kind, the seconds of each process's first picture. rates: by kind and what was
    done, pictures per second. failed: by kind, why there is no more of it."""

    firsts: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    rates: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, what: str, rate: float) -> None:
        self.rates[kind, what].append(rate)
        print(f"{kind}, {what}: {rate:.2f} pictures/s", flush=True)


@click.command()
@click.option("--device", type=click.Choice(ASKED), default="auto", show_default=True, help="auto: every kind of GPU.")
@click.option("--resolution", default=256, show_default=True)
@click.option("--pictures", default=16, show_default=True, help="Pictures of each worker in one measurement.")
@click.option("--minutes", default=8.0, show_default=True, help="No new measurement begins later.")
@click.option("--workers", "counts", multiple=True, type=int, default=WORKERS, show_default=True, help="For each GPU.")
def main(device: str, resolution: int, pictures: int, minutes: float, counts: tuple[int, ...]) -> None:
    """Measure until the time is over, and write benchmarks/gpu.md."""
    kinds = list(dict.fromkeys(each.kind for each in found())) if device == "auto" else [choose(device)[0].kind]
    if not kinds:
        raise click.ClickException("this machine has no GPU that Blender can draw on; --device cpu tries the script")
    config = load_config("s2rda13", [f"camera.resolution=[{resolution},{resolution}]", "assets.shapes=4"])
    until = time.perf_counter() + 60 * minutes
    measured, number = Found(), 0
    while time.perf_counter() < until and len(measured.failed) < len(kinds):
        for kind in kinds:
            if kind in measured.failed or time.perf_counter() > until:
                continue
            try:
                _round(config, kind, pictures, counts, number, until, measured)
            except (InputError, RuntimeError) as error:  # RuntimeError: also a process that died
                measured.failed[kind] = " ".join(str(error).split())
                print(f"{kind}: failed: {measured.failed[kind]}", flush=True)
            record("gpu", f"Pictures per second on GPUs, s2rda13 at {resolution} x {resolution}", report(measured))
        number += 1
    if len(measured.failed) == len(kinds):
        raise click.ClickException("no kind of device could be measured to the end; see benchmarks/gpu.md")


def _round(
    config: AnyConfig, kind: str, pictures: int, counts: tuple[int, ...], number: int, until: float, measured: Found
) -> None:
    first, rates = _apart(config, kind, pictures, number)
    measured.firsts[kind].append(first)
    for name, rate in rates.items():
        measured.add(kind, f"one process, {name}", rate)
    for count in counts:
        if time.perf_counter() < until:
            measured.add(kind, f"farm, {count} workers on each GPU", farm_rate(config, kind, count, pictures))


def _apart(config: AnyConfig, kind: str, pictures: int, number: int) -> tuple[float, dict[str, float]]:
    """`alone` in a fresh process, because a process has one renderer of one kind of device."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(alone, config, kind, pictures, number).result()


def alone(config: AnyConfig, kind: str, pictures: int, number: int) -> tuple[float, dict[str, float]]:
    """The seconds of the first picture, and the pictures per second with each of CYCLES.

    number: of the round. Another setting begins in each.
    """
    sampler, renderer = open_renderer(config, kind)
    start = time.perf_counter()
    renderer.draw(sampler.sample(0, 0))
    first = time.perf_counter() - start
    for index in range(1, 1 + pictures):  # the models are read, and go to Blender
        renderer.draw(sampler.sample(0, index))
    rates = {}
    for name in [*CYCLES, *CYCLES][number % len(CYCLES) :][: len(CYCLES)]:
        with _changed(CYCLES[name]):
            renderer.draw(sampler.sample(0, 0))
            start = time.perf_counter()
            for index in range(1, 1 + pictures):
                renderer.draw(sampler.sample(0, index))
            rates[name] = pictures / (time.perf_counter() - start)
    return first, {name: rates[name] for name in CYCLES}


@contextmanager
def _changed(changes: dict[str, bool]) -> Iterator[None]:
    """Change attributes of the Blender scene. RuntimeError where one did not stay while pictures were drawn."""
    from render.blender import engine

    renew = engine.renew
    if _PERSISTENT in changes:
        engine.renew = lambda scene, keep: None  # it makes Cycles forget, and sets the attribute back
    before = {path: _set(path, value) for path, value in changes.items()}
    try:
        yield
    finally:
        stayed = {path: _set(path, value) for path, value in before.items()}
        engine.renew = renew
    if stayed != changes:
        raise RuntimeError(f"the scene had {stayed} where {changes} was to be measured")


def _set(path: str, value: bool) -> bool:
    """Set an attribute of the Blender scene, and return the value that it had."""
    import bpy

    owner, name = path.split(".")
    settings = getattr(bpy.context.scene, owner)
    before: bool = getattr(settings, name)
    setattr(settings, name, value)
    return before


def farm_rate(config: AnyConfig, kind: str, count: int, pictures: int) -> float:
    """Pictures per second of `count` workers on each GPU, without their start."""
    devices = choose(kind)
    workers = count * len(devices)
    slots = worker_slots(devices, workers, pictures=pictures * workers)
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        job = Job(config, 0, pictures * workers, f"{folder}/set", shard_size=4)
        run(job, open_sampler(config), Local(slots), RetryPolicy(), watch)
    return watch.rate(len(slots))


def report(measured: Found) -> str:
    rows = [[kind, name, spread(values, 2), str(len(values))] for (kind, name), values in measured.rates.items()]
    starts = [
        f"- {kind}: {values[0]:.1f} s" + (f", later {spread(values[1:], 1)} s" if values[1:] else "")
        for kind, values in measured.firsts.items()
    ]
    failed = [f"- {kind} was not measured to the end: {reason}" for kind, reason in measured.failed.items()]
    return "\n".join((
        *_cards(), "",
        table(["device", "what", "pictures per second, median [range]", "rounds"], rows),
        "", "First picture of a process, with the loading of the kernels:", "", *starts, *failed,
    ))  # fmt: skip


def _cards() -> list[str]:
    """What NVIDIA's driver says of the cards, a line each; nothing where there is no such driver."""
    asked = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [f"- {line}" for line in told.splitlines()]


if __name__ == "__main__":
    main()

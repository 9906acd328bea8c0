"""Pictures per second on the GPUs of one machine: kinds of device, workers on each GPU, and two settings of Cycles.

    python -m benchmarks.gpu --minutes 8

One round follows another until the time is over. In a round, for each kind of device:

- one process without a farm draws the same pictures with each setting of Cycles: as blendmill sets it, with
  persistent data, and with the denoiser on the CPU. Persistent data break the law that a picture does not depend on
  the pictures before it, so blendmill leaves them off. This shows what that costs. The first picture is timed apart,
  because it loads the kernels; the very first one of a kind may compile them;
- the farm draws with 1 to 4 workers on each GPU.

Nothing is read but built-in shapes, so the machine needs no network. `--device cpu` tries the script without a GPU.
"""

from __future__ import annotations

import multiprocessing
import subprocess
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor

import click

from benchmarks.common import record, spread, table
from benchmarks.farm import Stopwatch
from render.farm.devices import ASKED, choose, found, worker_slots
from render.farm.job import Job, run
from render.farm.local import Local, RetryPolicy
from render.renderer import open_renderer, open_sampler
from scenes.config.loading import AnyConfig, load_config

WORKERS = (1, 2, 3, 4)
# What a round changes in Cycles, as attributes of the Blender scene.
CYCLES: dict[str, dict[str, bool]] = {
    "as blendmill sets it": {},
    "persistent data": {"render.use_persistent_data": True},
    "denoiser on the CPU": {"cycles.denoising_use_gpu": False},
}
Rates = dict[tuple[str, str], list[float]]


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
    firsts: dict[str, list[float]] = defaultdict(list)
    rates: Rates = defaultdict(list)
    while time.perf_counter() < until:
        for kind in kinds:
            first, found_rates = _apart(config, kind, pictures)
            firsts[kind].append(first)
            for name, rate in found_rates.items():
                rates[kind, f"one process, {name}"].append(rate)
                print(f"{kind}, one process, {name}: {rate:.2f} pictures/s", flush=True)
            for count in counts:
                if time.perf_counter() > until:
                    break
                rate = farm_rate(config, kind, count, pictures)
                rates[kind, f"farm, {count} workers on each GPU"].append(rate)
                print(f"{kind}, farm, {count} workers on each GPU: {rate:.2f} pictures/s", flush=True)
    record("gpu", f"Pictures per second on GPUs, s2rda13 at {resolution} x {resolution}", _report(firsts, rates))


def _apart(config: AnyConfig, kind: str, pictures: int) -> tuple[float, dict[str, float]]:
    """`alone` in a fresh process, because a process has one renderer of one kind of device."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(alone, config, kind, pictures).result()


def alone(config: AnyConfig, kind: str, pictures: int) -> tuple[float, dict[str, float]]:
    """The seconds of the first picture, and the pictures per second with each of CYCLES."""
    sampler, renderer = open_renderer(config, kind)
    start = time.perf_counter()
    renderer.draw(sampler.sample(0, 0))
    first = time.perf_counter() - start
    rates = {}
    for name, changes in CYCLES.items():
        before = {path: _set(path, value) for path, value in changes.items()}
        start = time.perf_counter()
        for index in range(1, 1 + pictures):
            renderer.draw(sampler.sample(0, index))
        rates[name] = pictures / (time.perf_counter() - start)
        for path, value in before.items():
            _set(path, value)
    return first, rates


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


def _report(firsts: dict[str, list[float]], rates: Rates) -> str:
    rows = [[kind, name, spread(values, 2), str(len(values))] for (kind, name), values in rates.items()]
    starts = [
        f"- {kind}: {values[0]:.1f} s, later {spread(values[1:] or values, 1)} s" for kind, values in firsts.items()
    ]
    return "\n".join((
        *_cards(), "",
        table(["device", "what", "pictures per second, median [range]", "rounds"], rows),
        "", "First picture of a process, with the loading of the kernels:", "", *starts,
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

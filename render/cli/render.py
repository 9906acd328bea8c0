"""The command `blendmill render`."""

from __future__ import annotations

import signal
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from render.catalogue import open_catalogue
from render.cli.options import CONFIG, SEED, SET, progress
from render.dataset.store import open_store
from render.farm import limits
from render.farm.devices import KINDS, choose, worker_slots
from render.farm.job import Farm, Job, parse_part, run
from render.farm.local import EventCallback, Local, RetryPolicy
from render.farm.progress import reporter
from scenes.config.loading import load_config
from scenes.errors import InputError
from scenes.sampling.scene import Sampler


class Workers(click.ParamType):
    """A number of workers, or `auto` (None)."""

    name = "N|auto"

    def convert(self, value: str | int | None, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        if value in (None, "auto"):
            return None
        if not str(value).isdigit() or int(value) < 1:
            self.fail(f"{value!r} is neither a number of workers nor auto", param, ctx)
        return int(value)


@click.command()
@CONFIG
@click.option("--out", required=True, help="Folder of the data set, or a URL such as s3://bucket/set.")
@click.option("--images", type=click.IntRange(1), default=100, show_default=True, help="Number of pictures.")
@SEED
@SET
@click.option("--workers", type=Workers(), default="auto", show_default=True, help="Processes that draw.")
@click.option("--device", type=click.Choice(["cpu", *KINDS, "auto"]), default="auto", show_default=True)
@click.option("--shard-size", type=click.IntRange(1), help="Pictures a file; by default up to 100.")
@click.option("--shard", "part", default="0/1", metavar="i/n", help="Draw the i-th of n parts, from 0: for job arrays.")
@click.option("--ray", metavar="auto|ADDRESS", help="Draw on a Ray cluster; `local` starts one here.")
@click.option("--timeout", type=click.FloatRange(1), default=600, show_default=True, help="Seconds for a picture.")
@click.option("--attempts", type=click.IntRange(1), default=3, show_default=True, help="Workers a picture may kill.")
@click.option(
    "--on-failure",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="What to do about a picture that killed all its attempts.",
)
@click.option("--json-logs", is_flag=True, help="Tell what happens as lines of JSON on standard error.")
def render(
    config: str,
    out: str,
    images: int,
    seed: int,
    overrides: tuple[str, ...],
    workers: int | None,
    device: str,
    shard_size: int | None,
    part: str,
    ray: str | None,
    timeout: float,
    attempts: int,
    on_failure: str,
    json_logs: bool,
) -> None:
    """Render a data set from CONFIG, a .yaml file or the name of a preset, with all of the machine.

    A picture depends on the config, the seed and its index alone. The same command run again completes what is
    missing and touches nothing that is there. Ctrl-C finishes the shards that are begun; a second one stops at once.

    Example: blendmill render s2rda13 --out data --images 1000 --set camera.resolution=[128,128]
    """
    settings = load_config(config, overrides)
    policy = RetryPolicy(attempts, on_failure == "skip", timeout)
    slice_ = parse_part(part)
    catalogue = open_catalogue(settings)
    Sampler(settings, catalogue)  # bad input is told before anything starts
    farm: Farm
    if ray is None:
        devices = choose(device)
        kind, farm = devices[0].kind, Local(worker_slots(devices, workers, pictures=images))
    else:
        kind, farm = _cluster(ray, device, workers)
    job = Job(settings, seed, images, out, shard_size or 0, slice_, kind)
    with progress("preparing assets", None) as advance:
        catalogue.prepare(lambda done, total, name: advance(1, total), workers=min(limits.cores(), images))
    for file, reason in catalogue.report.quarantined.items():
        click.echo(f"left out: {file}: {reason}", err=True)
    with reporter(json_logs) as report, interruptible(report) as stopping:
        manifest = run(job, catalogue, farm, policy, report, stopping)
    there = len(open_store(out).present())
    if stopping() and there < manifest.shard_count:
        raise KeyboardInterrupt
    if there < manifest.shard_count:
        click.echo(f"part {part} is done; {there} of {manifest.shard_count} shards are in {out}")
    else:
        skipped = f", {len(manifest.skipped)} skipped" if manifest.skipped else ""
        click.echo(f"{manifest.count - len(manifest.skipped)} pictures in {out}{skipped}")


def _cluster(address: str, device: str, workers: int | None) -> tuple[str, Farm]:
    """Ray, and the kind of device its nodes draw on, which this machine need not have."""
    try:
        from render.farm.ray import RayFarm
    except ModuleNotFoundError as error:
        raise InputError(f"--ray: the package {error.name} is missing: pip install 'blendmill[farm]'") from None
    farm = RayFarm(address, device, workers)
    return farm.kind, farm


@contextmanager
def interruptible(tell: EventCallback) -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C makes the result true, the second raises KeyboardInterrupt, as SIGTERM does at once."""
    asked = False

    def interrupt(number: int, frame: types.FrameType | None) -> None:
        nonlocal asked
        if asked or number == signal.SIGTERM:
            raise KeyboardInterrupt
        asked = True
        tell("stopping")

    kept = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)

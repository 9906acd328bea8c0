"""The command `blendmill render`, and what its short forms share with it."""

from __future__ import annotations

import signal
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from render.cli.options import CONFIG, DEVICE, SEED, SET, WORKERS, adding, counted, opened, progress
from render.dataset.dataset import Dataset
from render.dataset.local import Folder
from render.dataset.manifest import Manifest
from render.dataset.store import Store, open_store
from render.dry_run import PICTURES, estimate
from render.farm.devices import WorkerSlot, choose, worker_slots
from render.farm.job import Farm, Job, parse_part, run
from render.farm.local import EventCallback, Local, RetryPolicy
from render.farm.progress import reporter
from render.renderer import Sampler, device_for
from scenes.config.loading import AnyConfig, load_config
from scenes.errors import InputError
from scenes.record.record import CRACK

_SAMPLED = 500
"""Pictures without a crack whose records are sampled again, to say why they have none."""

_OPTIONS = (
    click.option("--out", required=True, help="Folder of the data set, or a URL such as s3://bucket/set."),
    click.option(
        "--images",
        type=click.IntRange(1),
        default=100,
        show_default=True,
        help="Number of pictures. If the set in OUT has fewer, it grows.",
    ),
    SEED,
    SET,
    WORKERS,
    DEVICE,
    click.option(
        "--shard-size", type=click.IntRange(1), help="Pictures per shard file. Default: as in the set, or up to 100."
    ),
    click.option(
        "--shard", "part", default="0/1", metavar="i/n", help="Draw only part i of n, i from 0, for job arrays."
    ),
    click.option(
        "--reuse",
        multiple=True,
        metavar="SET",
        help="Folder of a finished set. Pictures that it has, too, are copied and not drawn. May be repeated.",
    ),
    click.option("--ray", metavar="auto|ADDRESS", help="Draw on a Ray cluster. `local` starts one here."),
    click.option(
        "--timeout",
        type=click.FloatRange(1),
        default=600,
        show_default=True,
        help="Replace a worker that sends nothing for this many seconds.",
    ),
    click.option(
        "--attempts",
        type=click.IntRange(1),
        default=3,
        show_default=True,
        help="How many workers may die on one picture before it is given up.",
    ),
    click.option(
        "--on-failure",
        type=click.Choice(["stop", "skip"]),
        default="stop",
        show_default=True,
        help="Stop, or skip a picture that is given up.",
    ),
    click.option(
        "--dry-run", is_flag=True, help="Draw nothing: estimate time, disk and memory from ten pictures, and stop."
    ),
    click.option("--json-logs", is_flag=True, help="Write every event as a line of JSON to standard error."),
)


@dataclass(frozen=True)
class Request:
    """What the options of `blendmill render` say, beside the config."""

    out: str
    images: int
    seed: int
    workers: int | None
    device: str
    shard_size: int | None
    part: str
    reuse: tuple[str, ...]
    ray: str | None
    timeout: float
    attempts: int
    on_failure: str
    dry_run: bool
    json_logs: bool


with_options = adding(_OPTIONS)
"""Adds the options of `blendmill render` to a command: `overrides`, and the fields of `Request`."""


@click.command()
@CONFIG
@with_options
def render(config: str, overrides: tuple[str, ...], **options: Any) -> None:
    """Render a data set.

    CONFIG is a .yaml file or the name of a preset. A picture depends only on the config, the seed and its index. If
    you run the same command again, it draws only the missing shards. Ctrl-C finishes the shards that have begun. A
    second Ctrl-C stops at once.

    The field `renderer` of CONFIG selects what draws: `blender`, or `composite` for cracks on photographs.

    \b
    Example:
      blendmill render s2rda13 --out data --images 1000 --workers 2
    """
    render_set(load_config(config, overrides), Request(**options))


def render_set(config: AnyConfig, asked: Request) -> None:
    """Draw what is missing of a data set, and say what there is then."""
    policy = RetryPolicy(asked.attempts, asked.on_failure == "skip", asked.timeout)
    part = parse_part(asked.part)
    device = device_for(config, asked.device)
    sampler = opened(config)  # bad input is told before anything starts
    farm: Farm
    if asked.ray is None:
        devices = choose(device)
        slots = worker_slots(devices, asked.workers, pictures=asked.images)
        if asked.dry_run:
            _tell_estimate(sampler, asked, slots)
            return
        kind, farm = devices[0].kind, Local(slots)
    elif asked.dry_run:
        raise InputError("--dry-run: estimates a run on this machine; leave out --ray")
    else:
        kind, farm = _cluster(asked.ray, device, asked.workers)
    job = Job(config, asked.seed, asked.images, asked.out, asked.shard_size or 0, part, kind, asked.reuse)
    with reporter(asked.json_logs) as report, interruptible(report) as stopping:
        manifest = run(job, sampler, farm, policy, report, stopping)
    store = open_store(asked.out)
    there = len(store.present())
    if there == manifest.shard_count:
        skipped = f", {len(manifest.skipped)} skipped" if manifest.skipped else ""
        pictures = manifest.count - len(manifest.skipped)
        taken = f", {report.taken} of them now copied from other sets" if report.taken else ""
        click.echo(f"{pictures} pictures in {asked.out}{skipped}{taken}{_without_cracks(store, manifest, sampler)}")
    elif stopping():
        raise KeyboardInterrupt
    else:
        click.echo(f"part {asked.part} is done; {there} of {manifest.shard_count} shards are in {asked.out}")


def _tell_estimate(sampler: Sampler, asked: Request, slots: Sequence[WorkerSlot]) -> None:
    with progress("drawing a few pictures", min(PICTURES, asked.images)) as advance:
        found = estimate(sampler, asked.seed, asked.images, slots, advance)
    click.echo("\n".join(found.lines()))


def _without_cracks(store: Store, manifest: Manifest, sampler: Sampler) -> str:
    """How many pictures of a set of cracks show none, for the end of a sentence.

    Nothing for other sets, and nothing for a set behind a URL: its shards would have to be fetched.
    """
    if manifest.classes != (CRACK,) or not isinstance(store.storage, Folder):
        return ""
    with counted("counting pictures without a crack") as tell:
        rows = Dataset(store.storage.folder, manifest).table(tell)
    bare = rows["index"][rows["label"] < 0].tolist()
    sampled = bare[:: max(1, -(-len(bare) // _SAMPLED))]
    unseen = sum(sampler.sample(manifest.seed, index).cracked for index in sampled)
    number = str(unseen) if sampled == bare else f"about {unseen * len(bare) // len(sampled)}"
    return (
        f": {len(bare)} without a crack, {number} of them because theirs lies outside the picture or is too fine for "
        "the mask"
    )


def _cluster(address: str, device: str, workers: int | None) -> tuple[str, Farm]:
    """Ray, and the kind of device its nodes draw on, which this machine need not have."""
    try:
        from render.farm.ray import RayFarm
    except ModuleNotFoundError as error:
        remedy = "in blendmill's checkout: pip install -e '.[farm]'"
        raise InputError(f"--ray: the package {error.name} is missing; {remedy}") from None
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

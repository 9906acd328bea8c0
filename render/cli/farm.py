"""The commands for data sets drawn by many: `status`, `verify`, `merge`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import click

from render.cli.options import counted, progress
from render.dataset.dataset import shard_faults
from render.dataset.manifest import Manifest
from render.dataset.records import noted, unrecorded
from render.dataset.run_log import Run, RunLog
from render.dataset.store import Store, open_store
from scenes.errors import InputError, printable
from scenes.files import linked, replacing, sha256

_WINDOW = 600.0
_COPIES = 8
"""Shards that are copied at once."""


@dataclass(frozen=True)
class Status:
    """How far a data set is. shards, pictures: done and of how many; skipped: pictures that are left out.

    failed: reasons by index of the pictures given up. rate: pictures a second of the runs that go on, over the last ten
    minutes. seconds_left: at that rate; both None while that is not known.
    """

    shards: tuple[int, int]
    pictures: tuple[int, int]
    skipped: int
    failed: dict[int, str]
    running: tuple[Run, ...]
    stopped: tuple[Run, ...]
    rate: float | None
    seconds_left: float | None


def read_status(store: Store) -> Status:
    """Raises InputError where there is no data set."""
    manifest, runs = store.opened(), store.heard(store.runs())
    present = {shard for shard in store.present() if shard < manifest.shard_count}
    failed = {index: str(record.get("reason", "")) for index, record in store.failures().items()}
    skipped = sum(index // manifest.shard_size in present for index in {*failed, *manifest.skipped})
    done = sum(len(manifest.indices(shard)) for shard in present) - skipped
    running = tuple(run for run in runs if run.alive)
    rate = _rate(running)
    return Status(
        shards=(len(present), manifest.shard_count),
        pictures=(done, manifest.count),
        skipped=skipped,
        failed=failed,
        running=running,
        stopped=tuple(run for run in runs if not run.alive and not run.ended),
        rate=rate,
        seconds_left=(manifest.count - skipped - done) / rate if rate else None,
    )


def _rate(runs: Iterable[Run]) -> float | None:
    """Pictures a second since ten minutes ago, or since each run's start."""
    rates = []
    for run in runs:
        until = run.seen + run.silent  # by the clock of the run, as all times of its log are
        since = max(until - _WINDOW, run.started)
        rates.append(sum(drawn.pictures for drawn in run.drawn if drawn.time >= since) / max(until - since, 1e-3))
    return sum(rates) or None


@click.command()
@click.argument("place", metavar="DIR_OR_URL")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(place: str, as_json: bool) -> None:
    """Show the progress, speed and failures of a data set.

    \b
    Example:
      blendmill status s3://bucket/set
    """
    found = read_status(open_store(place))
    click.echo(json.dumps(_plain(found)) if as_json else "\n".join(map(printable, _lines(found))))


def _plain(found: Status) -> dict[str, Any]:
    runs = [*found.running, *found.stopped]
    return {
        **{name: value for name, value in asdict(found).items() if name not in ("running", "stopped")},
        "runs": [
            {name: value for name, value in asdict(run).items() if name not in ("drawn", "ended", "failed")}
            | {"alive": run in found.running, "shards": len(run.drawn)}
            for run in runs
        ],
    }


def _lines(found: Status) -> Iterator[str]:
    (shards, all_shards), (pictures, count) = found.shards, found.pictures
    left_out = f", {found.skipped} skipped" if found.skipped else ""
    yield f"done: {shards} of {all_shards} shards, {pictures} of {count} pictures{left_out}"
    for run in found.running:
        yield f"running: {_who(run)}, {run.workers} workers on {run.device or '?'}, {_under_way(run)}"
    for run in found.stopped:
        yield f"stopped without an end: {_who(run)}, last heard of {_span(run.silent)} ago"
    if found.failed:
        yield f"failed: {len(found.failed)} pictures"
        shown = sorted(found.failed.items())
        yield from (f"  {index}: {reason}" for index, reason in shown[:10])
        if len(shown) > 10:
            yield f"  and {len(shown) - 10} more, see failed/"
    if shards == all_shards:
        yield "complete"
    elif found.rate is not None and found.seconds_left is not None:
        yield f"rate: {found.rate:.2f} pictures/s over the last minutes, {_span(found.seconds_left)} left"
    else:
        yield "rate: not known yet" if found.running else "nobody draws: rerun the render command to go on"


def _who(run: Run) -> str:
    return f"{run.host} process {run.pid}, part {run.part or '?'}"


def _under_way(run: Run) -> str:
    return f"shards {ranges(run.under_way)} under way" if run.under_way else "no shard under way"


def _span(seconds: float) -> str:
    return str(timedelta(seconds=round(max(0, seconds))))


@click.command()
@click.argument("place", metavar="DIR_OR_URL")
@click.option("--all", "everything", is_flag=True, help="Read all shards, also those found sound before.")
@click.pass_context
def verify(context: click.Context, place: str, everything: bool) -> None:
    """Check every shard of a data set against its checksum.

    A shard that this machine has found sound is read again only if its file has changed since. Exits with 1 if a shard
    is missing, damaged or changed.

    \b
    Example:
      blendmill verify data
    """
    store = open_store(place)
    with counted("checking shards") as tell:
        faults = store.verify(tell, everything=everything)
    for fault in faults:
        click.echo(printable(fault))
    if not faults:
        click.echo(f"{store.url}: {store.opened().shard_count} shards, all as recorded")
    context.exit(1 if faults else 0)


@click.command()
@click.argument("place", metavar="DIR_OR_URL")
@click.argument("parts", nargs=-1)
@click.pass_context
def merge(context: click.Context, place: str, parts: tuple[str, ...]) -> None:
    """Collect the shards of one job in one place and finish the set.

    Checks the shards in DIR_OR_URL, and deletes those that are broken. Then copies the shards that are missing from
    PARTS (folders or URLs), and checks each of them. On one disk, a copy is a second name of the same file (a hard
    link), so it takes no room. If a part is of a larger set, the set in DIR_OR_URL grows. Exits with 1 if a shard of
    PARTS is damaged or the set is not complete.

    \b
    Example:
      blendmill merge data part0 part1
    """
    store, sources = open_store(place), [open_store(part) for part in parts]
    for source in sources:
        store.create(_bare(source.opened()))
    own = range(store.opened().shard_count)
    with counted("checking shards") as tell:
        broken = store.discard_broken(sorted(store.present().intersection(own)), tell)
    for reason in broken.values():
        click.echo(f"{printable(reason)}; it is deleted")
    faults = [fault for source in sources for fault in bring(store, source)]
    for fault in faults:
        click.echo(printable(fault))
    manifest = store.finish()
    missing = sorted(set(range(manifest.shard_count)) - store.present())
    if missing:
        pictures = sum(len(manifest.indices(shard)) for shard in missing)
        click.echo(f"still missing: {pictures} pictures, shards {ranges(missing)} of {manifest.shard_count}")
    else:
        click.echo(f"{manifest.count - len(manifest.skipped)} pictures in {store.url}")
    context.exit(1 if faults or missing else 0)


def bring(store: Store, source: Store) -> list[str]:
    """Copy the shards that a store lacks and another of the same job has, of as many pictures or fewer.

    Returns what is wrong with some of them, a line each.

    Raises InputError where the other is of another job.
    """
    manifest, theirs = store.opened(), source.opened()
    manifest.require_same(theirs, store.url)
    # The last shard of a smaller set may be short.
    same = {shard for shard in range(manifest.shard_count) if theirs.indices(shard) == manifest.indices(shard)}
    wanted = sorted((source.present() - store.present()) & same)
    if not wanted:
        return []
    failures = source.failures()
    expected = theirs.model_copy(update={"skipped": tuple(sorted({*theirs.skipped, *failures}))})
    known, notes = noted(theirs, source.runs()), source.notes(unrecorded(theirs, wanted))
    # A finished set does not say which shard has which of its assets.
    notes |= {shard: theirs.provenance for shard in [shard for shard in wanted if shard not in notes][:1]}
    # Before the shards that lack them, so that none lacks a picture without a record.
    for index in (index for shard in wanted for index in expected.skipped_in(shard)):
        store.fail(index, failures.get(index, {"reason": f"was skipped in {source.url}"}))

    def copied(shard: int) -> list[str]:
        if shard in notes:
            store.note_drawn(shard, notes[shard])
        return _copy(store, source, shard, expected, known[shard], log)

    faults: list[str] = []
    with store.log("merge") as log, progress(f"from {source.url}", len(wanted)) as advance:
        pictures = sum(len(expected.pictures(shard)) for shard in wanted)
        log.note("run", workers=1, device=manifest.device, pictures=pictures)
        with ThreadPoolExecutor(_COPIES) as pool:
            for found in pool.map(copied, wanted):
                faults += found
                advance(1)
    store.trust(log.drawn)
    return faults


def _copy(store: Store, source: Store, shard: int, expected: Manifest, known: set[str], log: RunLog) -> list[str]:
    with source.source(shard) as path:
        name = f"{source.url}/shards/{Manifest.shard_name(shard)}"
        faults = list(shard_faults(path, expected, shard, known, name))
        if faults:
            return faults
        digest = next(iter(known)) if len(known) == 1 else sha256(path)
        with store.target(shard) as target, replacing(target) as temporary:
            if not linked(path, temporary):
                shutil.copyfile(path, temporary)
                if sha256(temporary) != digest:
                    raise InputError(
                        f"{store.url}: {target.name} was changed while it was copied; check the disk, rerun"
                    )
    log.note("shard", shard=shard, sha256=digest, pictures=len(expected.pictures(shard)))
    return []


def _bare(manifest: Manifest) -> Manifest:
    """A manifest as it was before the first shard."""
    return manifest.model_copy(update={"shards": {}, "skipped": ()})


def ranges(numbers: Iterable[int], most: int = 12) -> str:
    """Ascending numbers in few words: "0, 3-7, 9"; at most so many ranges."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = [str(a) if a == b else f"{a}-{b}" for a, b in runs[:most]]
    return ", ".join(shown) + (f" and {len(runs) - most} ranges more" if len(runs) > most else "")

"""What runs note beside the shards of a data set: their logs, what each shard is drawn from, the pictures given up."""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from render.dataset.local import Storage
from render.dataset.manifest import Manifest, shard_numbers
from render.dataset.provenance import Provenance
from render.dataset.run_log import Run, RunLog, concerns, log_name, parse_run
from scenes.errors import InputError
from scenes.plain_json import parse_json

K = TypeVar("K")
V = TypeVar("V")

READERS = 8
"""Files of a store that are read at once: over a network, each takes its time to answer."""

WHOLE = (0, 1)
"""The part that all shards are of."""


class Records:
    """The notes of a data set in its storage. Anything that fails is an InputError of one line."""

    def __init__(self, storage: Storage):
        self.storage, self.url = storage, storage.url

    # What shards were drawn from -------------------------------------------------------------------------------------

    def note_drawn(self, shard: int, provenance: Provenance) -> None:
        """Note what a shard is drawn from, before it is there."""
        self.storage.write(note_name(shard), provenance.encoded())

    def with_notes(self) -> set[int]:
        """The shards of which something is noted. A set that is finished has no notes."""
        return set(shard_numbers(self.storage.names("drawn"), "json"))

    def notes(self, shards: Iterable[int]) -> dict[int, Provenance]:
        """What is noted of those of some shards of which something is. Each is asked for; nothing is listed."""
        wanted = sorted(shards)

        def read(shard: int) -> Provenance | None:
            content = self.storage.read(note_name(shard))
            return None if content is None else Provenance.parse(content, f"{self.url}/{note_name(shard)}")

        found = zip(wanted, read_all(read, wanted), strict=True)
        return {shard: note for shard, note in found if note is not None}

    # Runs ------------------------------------------------------------------------------------------------------------

    def log(self, part: str) -> RunLog:
        """A log of this run; a context manager."""
        return RunLog(self.storage.journal(f"runs/{log_name(part)}"), part)

    def runs(self, part: tuple[int, int] = WHOLE) -> tuple[Run, ...]:
        """The runs since the data set was begun, or last finished, in the order of their start.

        part: (i, n), to read only the logs of runs that may have drawn some of its shards.
        """
        logs = (name for name in self.storage.names("runs") if name.endswith(".jsonl"))
        names = sorted(name for name in logs if concerns(name, part))
        found = zip(names, read_all(self.storage.read, [f"runs/{name}" for name in names]), strict=True)
        runs = [parse_run(name, content) for name, content in found if content is not None]
        return tuple(sorted(runs, key=lambda run: (run.started, run.name)))

    def heard(self, runs: Iterable[Run]) -> tuple[Run, ...]:
        """The same runs, each that has not ended with how long its log has been silent.

        The place that keeps the logs dates them and tells what time it is, so no clock of another machine matters.
        Where it tells neither, or nothing can be written there, the clock of this machine takes its place.
        """
        runs = tuple(runs)
        if all(run.ended for run in runs):
            return runs
        changed, now = self.storage.changed("runs"), self.storage.now()
        now = time.time() if now is None else now
        return tuple(
            run if run.ended else replace(run, silent=max(0.0, now - changed.get(run.name, run.seen))) for run in runs
        )

    # Pictures given up -----------------------------------------------------------------------------------------------

    def fail(self, index: int, record: Mapping[str, Any]) -> None:
        """Record a picture that was given up: failed/00000017.json with index, reason, attempts and scene."""
        content = json.dumps({**record, "index": index}, indent=1, sort_keys=True) + "\n"
        self.storage.write(_record(index), content.encode())

    def forgive(self, *indices: int) -> None:
        """Delete the records of pictures that were given up."""
        self.storage.remove(*map(_record, indices))

    def failures(self) -> dict[int, dict[str, Any]]:
        """The records of the pictures given up, by index. Raises InputError where one is not JSON."""
        indices = self.failed()
        found = zip(indices, read_all(self.storage.read, map(_record, indices)), strict=True)
        return {
            index: _parsed(content, f"{self.url}/{_record(index)}") for index, content in found if content is not None
        }

    def failed(self) -> list[int]:
        """The indices of the pictures given up, by the names of their records."""
        names = self.storage.names("failed")
        return sorted(int(name[:-5]) for name in names if re.fullmatch(r"\d{8,}\.json", name))


def noted(manifest: Manifest, runs: tuple[Run, ...]) -> Mapping[int, set[str]]:
    """The checksums of each shard that dataset.json or a run's log tells; several where one was drawn several times."""
    known: defaultdict[int, set[str]] = defaultdict(set)
    for shard in shard_numbers(manifest.shards):
        known[shard].add(manifest.shards[Manifest.shard_name(shard)])
    for drawn in (drawn for run in runs for drawn in run.drawn):
        if drawn.shard < manifest.shard_count:
            known[drawn.shard].add(drawn.sha256)
    return known


def unrecorded(manifest: Manifest, shards: Iterable[int]) -> list[int]:
    """Those of some shards whose checksum dataset.json does not tell: they have been drawn since it was written."""
    return [shard for shard in shards if Manifest.shard_name(shard) not in manifest.shards]


def read_all(read: Callable[[K], V], keys: Iterable[K]) -> list[V]:
    """What is read of each of many small things, several at once: over a network each takes its time to answer."""
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(read, keys))


def note_name(shard: int) -> str:
    return f"drawn/{shard:05d}.json"


def _record(index: int) -> str:
    return f"failed/{index:08d}.json"


def _parsed(content: bytes, where: str) -> dict[str, Any]:
    try:
        record = parse_json(content, where)
    except InputError as error:
        raise InputError(f"{error}; delete it") from None
    if not isinstance(record, dict):
        raise InputError(f"{where}: not the record of a picture; delete it")
    return record

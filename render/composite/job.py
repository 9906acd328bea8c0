"""A data set of composed pictures: shards made by processes, each a pure function of (config, seed, range)."""

from __future__ import annotations

import ctypes
import platform
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from render.composite.photographs import Photographs
from render.composite.renderer import Painter
from render.dataset.dataset import AssetRecord, Manifest
from render.dataset.shard import Shard, write_shard
from render.dataset.store import Store, open_store
from scenes.config.composite import ComposeConfig
from scenes.errors import InputError
from scenes.record.composite import CRACK
from scenes.sampling.composite import Composer

EventCallback = Callable[..., None]

# From malloc.h of the GNU C library.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT = 256 << 20

_SHARDS = 16
_LARGEST = 100


@dataclass(frozen=True)
class Job:
    """What to compose and where to: pictures 0 to count - 1 of (config, seed), shard_size to a file (0: as suits).

    part: (i, n) draws only every n-th shard from the i-th on, for job arrays.
    """

    config: ComposeConfig
    textures: Photographs
    references: Photographs
    seed: int
    count: int
    out: str
    shard_size: int = 0
    part: tuple[int, int] = (0, 1)

    def composer(self) -> Composer:
        return Composer(self.config, self.textures.names, self.references.names)

    def manifest(self) -> Manifest:
        """What the data set's dataset.json says before the first shard."""
        sums = {**self.textures.checksums(), **self.references.checksums()}
        return Manifest(
            config=self.config.plain(),
            config_hash=self.config.digest(),
            seed=self.seed,
            count=self.count,
            shard_size=self.shard_size or min(_LARGEST, -(-self.count // _SHARDS)),
            classes=(CRACK,),
            versions=_versions(),
            device="none",
            assets={name: AssetRecord(sha256=digest, license="") for name, digest in sums.items()},
        )


@dataclass(frozen=True)
class Outcome:
    """A finished data set. bare: pictures without a crack in their mask; empty: those of them that were to have one."""

    manifest: Manifest
    bare: int
    empty: int


def compose(
    job: Job, workers: int, tell: EventCallback, stopping: Callable[[], bool] = lambda: False
) -> Outcome | None:
    """Draw what is missing of the job's part of its data set; None where not all of the set is there then.

    Raises InputError for a place that holds something else, that cannot be written to, or where another process draws
    the same part.
    """
    composer, store = job.composer(), open_store(job.out)
    manifest = store.create(job.manifest())
    number, parts = job.part
    part = f"{number}/{parts}"
    with store.hold(part):
        store.sweep()
        shards, present = range(number, manifest.shard_count, parts), store.present()
        missing = [shard for shard in shards if shard not in present]
        sizes = {shard: len(manifest.indices(shard)) for shard in shards}
        total, left = sum(sizes.values()), sum(sizes[shard] for shard in missing)
        workers = min(workers, len(missing))
        tell("start", pictures=total, done=total - left, workers=workers, device="cpu")
        if missing:
            with store.log(part) as log:
                log.note("run", part=part, workers=workers, device="cpu", pictures=left)
                for shard, digest in _drawn(job, manifest, missing, workers, stopping):
                    log.note("shard", shard=shard, sha256=digest, pictures=sizes[shard])
                    tell("drawn", pictures=sizes[shard], index=manifest.indices(shard)[-1], worker=0)
        tell("end")
        finished = store.finish()
        if len(store.present()) < manifest.shard_count:
            return None
        return Outcome(finished, *_without_cracks(store, finished, composer))


def _drawn(
    job: Job, manifest: Manifest, shards: list[int], workers: int, stopping: Callable[[], bool]
) -> Iterator[tuple[int, str]]:
    """Shard and checksum of each shard as it is done. No shard is begun once `stopping` is true."""
    start = (job.config.model_dump(mode="json"), dict(job.textures.paths), dict(job.references.paths))
    # A process that was forked from one with threads may hang.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, start)
    waiting, running = list(reversed(shards)), set[Future[tuple[int, str]]]()
    try:
        while running or (waiting and not stopping()):
            while waiting and len(running) <= workers and not stopping():
                shard = waiting.pop()
                task = (job.out, shard, job.seed, manifest.indices(shard), manifest.attributes())
                running.add(pool.submit(_shard, *task))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BrokenProcessPool:
        raise InputError(f"{job.out}: a worker process died, perhaps for want of memory; try fewer --workers") from None
    finally:
        pool.shutdown(cancel_futures=True)


_PAINTER: tuple[Composer, Painter] | None = None


def _start(config: Mapping[str, object], textures: dict[str, Path], references: dict[str, Path]) -> None:
    global _PAINTER
    # The parent decides what is finished; pictures are small, and there is a process for each core.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    keep_memory()
    painter = Painter(Photographs(textures), Photographs(references))
    composer = Composer(ComposeConfig.model_validate(config), painter.textures.names, painter.references.names)
    _PAINTER = composer, painter


def keep_memory() -> None:
    """Let the C library keep freed pictures instead of handing them back: a tenth of the time went to page faults."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _KEPT)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT)


def _shard(out: str, shard: int, seed: int, indices: range, attributes: Mapping[str, str | int]) -> tuple[int, str]:
    assert _PAINTER is not None
    composer, painter = _PAINTER
    frames = (painter.draw(composer.sample(seed, index)) for index in indices)
    with open_store(out).target(shard) as path:
        return shard, write_shard(path, frames, attributes=attributes)


def _without_cracks(store: Store, manifest: Manifest, composer: Composer) -> tuple[int, int]:
    """How many pictures have an empty mask, and how many of them were to have a crack."""
    bare: list[int] = []
    for shard in range(manifest.shard_count):
        with store.source(shard) as path, Shard(path) as opened:
            bare += opened.arrays("index")[opened.arrays("label") < 0].tolist()
    return len(bare), sum("crack" in composer.sample(manifest.seed, index).steps for index in bare)


def _versions() -> dict[str, str]:
    """What the pixels depend on, by name."""
    return {
        "blendmill": version("blendmill"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }

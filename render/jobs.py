"""A render job: a data set in a folder, shard by shard, each an idempotent function of (config, seed, range)."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil

from render.dataset import AssetRecord, Dataset, Manifest
from render.frame import Frame
from render.settings import DrawSettings, resolve
from render.shards import sha256, write_shard
from scenes.assets.catalogue import Catalogue
from scenes.config import Config
from scenes.errors import InputError
from scenes.sampling import Sampler

# Called with the number of pictures finished in this run.
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Job:
    """What to draw and where to: pictures 0 to count - 1 of (config, seed), shard_size to a file."""

    config: Config
    seed: int
    count: int
    out: Path
    shard_size: int = 100
    device: str = "cpu"
    threads: int = 0

    @property
    def settings(self) -> DrawSettings:
        return resolve(self.config.render, self.device, self.threads)


def run(job: Job, catalogue: Catalogue, progress: Progress) -> Dataset:
    """Draw what is missing of the job's data set, and record the shards' checksums.

    Raises InputError for a folder that holds something else, or that cannot be written to.
    """
    sampler = Sampler(job.config, catalogue)
    dataset = prepare(job, sampler)
    present = set(dataset.present())
    progress(sum(len(dataset.manifest.indices(shard)) for shard in present))
    sweep(dataset.folder / "shards")
    missing = [shard for shard in range(dataset.manifest.shard_count) if shard not in present]
    if missing:
        # Imported late: Blender takes its time, and bad input is told without it.
        from render.stage import Stage

        stage = Stage(job.settings, catalogue, sampler.classes)
        for shard in missing:
            draw_shard(stage, sampler, dataset, shard, progress)
    return finish(dataset)


def draw_shard(stage: object, sampler: Sampler, dataset: Dataset, shard: int, progress: Progress) -> None:
    """Draw one shard, whole or not at all."""
    manifest = dataset.manifest

    def frames() -> Iterator[Frame]:
        for index in manifest.indices(shard):
            yield stage.draw(sampler.sample(manifest.seed, index))  # type: ignore[attr-defined]
            progress(1)

    with told(dataset.folder):
        write_shard(dataset.shard_path(shard), frames(), attributes=manifest.attributes())


def prepare(job: Job, sampler: Sampler) -> Dataset:
    """The job's folder with its dataset.json; the one that is there if it is of the same job."""
    manifest = Manifest(
        config=job.config.plain(),
        config_hash=job.config.digest(),
        seed=job.seed,
        count=job.count,
        shard_size=job.shard_size,
        classes=sampler.classes,
        versions=versions(),
        device=job.device,
        assets=_records(sampler.catalogue),
    )
    if job.out.exists() and not job.out.is_dir():
        raise InputError(f"{job.out}: is a file, --out names a folder")
    if (job.out / "dataset.json").exists():
        there = Manifest.load(job.out)
        there.require_same(manifest, job.out)
        return Dataset(job.out, there)
    if job.out.is_dir() and any(job.out.iterdir()):
        raise InputError(f"{job.out}: holds other files and no dataset.json; give an empty or new folder")
    with told(job.out):
        (job.out / "shards").mkdir(parents=True, exist_ok=True)
        manifest.save(job.out)
    return Dataset(job.out, manifest)


def sweep(folder: Path) -> None:
    """Delete what processes of this machine that are no more left half written."""
    for path in folder.glob(f"*.tmp-{platform.node()}-*"):
        pid = path.name.rpartition("-")[2]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            path.unlink(missing_ok=True)


def finish(dataset: Dataset) -> Dataset:
    """Record the shards' checksums, each once."""
    known = dict(dataset.manifest.shards)
    for shard in dataset.present():
        path = dataset.shard_path(shard)
        if path.name not in known:
            known[path.name] = sha256(path)
    manifest = dataset.manifest.model_copy(update={"shards": dict(sorted(known.items()))})
    if manifest != dataset.manifest:
        with told(dataset.folder):
            manifest.save(dataset.folder)
    return Dataset(dataset.folder, manifest)


def versions() -> dict[str, str]:
    """What the pixels depend on, by name."""
    return {
        "blendmill": version("blendmill"),
        "blender": version("bpy"),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def _records(catalogue: Catalogue) -> dict[str, AssetRecord]:
    licences = catalogue.licences()
    return {name: AssetRecord(sha256=digest, licence=licences[name]) for name, digest in catalogue.checksums().items()}


@contextlib.contextmanager
def told(folder: Path) -> Iterator[None]:
    """Failures of the disk as one line that says what to do."""
    try:
        yield
    except PermissionError:
        raise InputError(f"{folder}: no permission to write there; give another folder or change its owner") from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EROFS, errno.EDQUOT):
            raise
        free = _free(folder)
        reason = os.strerror(error.errno)
        raise InputError(f"{folder}: {reason} ({free}); finished shards are whole, rerun to complete") from None


def _free(folder: Path) -> str:
    existing = next(parent for parent in (folder, *folder.resolve().parents) if parent.exists())
    return f"{shutil.disk_usage(existing).free / 1e9:.1f} GB free"

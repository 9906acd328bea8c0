"""A render job: a data set in a folder or under a URL, shard by shard, each an idempotent function of
(config, seed, range)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from render.dataset.dataset import AssetRecord, Manifest
from render.dataset.store import Store, open_store
from render.farm.local import EventCallback, RetryPolicy, Run
from render.renderer import Assets, Sampler, versions
from scenes.config.loading import AnyConfig
from scenes.errors import InputError

# A small set's files, so that workers have something to share, and fewest pictures in one: when one of them has to be
# given up, others are left.
_SHARDS = 16
_SMALLEST, _LARGEST = 4, 100


@dataclass(frozen=True)
class Job:
    """What to draw and where to: pictures 0 to count - 1 of (config, seed), shard_size to a file.

    out: a folder, or a URL of any kind that fsspec knows. shard_size: 0 makes some sixteen files of a small set, of
    four pictures at least, and files of a hundred pictures of a large one. part: (i, n) draws only every n-th shard
    from i on, counted from 0, so that n machines share the job. device: the kind that all of its pictures are drawn on.
    """

    config: AnyConfig
    seed: int
    count: int
    out: str
    shard_size: int = 0
    part: tuple[int, int] = (0, 1)
    device: str = "cpu"

    def manifest(self, sampler: Sampler) -> Manifest:
        """What the data set's dataset.json says before the first shard."""
        return Manifest(
            config=self.config.plain(),
            config_hash=self.config.digest(),
            seed=self.seed,
            count=self.count,
            shard_size=self.shard_size or min(_LARGEST, max(_SMALLEST, -(-self.count // _SHARDS))),
            classes=sampler.classes,
            versions=versions(self.config.renderer),
            device=self.device,
            assets=_records(sampler.catalogue),
        )


class Farm(Protocol):
    """Who draws: `render.farm.local.Local`, `render.farm.ray.RayFarm`."""

    @property
    def workers(self) -> int: ...

    def draw(self, run: Run, shards: Sequence[int]) -> None: ...


def run(
    job: Job,
    sampler: Sampler,
    farm: Farm,
    policy: RetryPolicy,
    tell: EventCallback,
    stopping: Callable[[], bool] = lambda: False,
) -> Manifest:
    """Draw what is missing of the job's part of its data set, and finish the set once all parts are there.

    Raises InputError for a place that holds something else, that cannot be written to, or where another process draws
    the same part; and where a picture is given up and the policy is not to go on without it.
    """
    store = open_store(job.out)
    manifest = store.create(job.manifest(sampler))
    number, parts = job.part
    part = f"{number}/{parts}"
    with store.hold(part):
        store.sweep()
        shards = range(number, manifest.shard_count, parts)
        present = store.present()
        missing = [shard for shard in shards if shard not in present]
        sizes = {shard: len(manifest.indices(shard)) for shard in shards}
        total, left = sum(sizes.values()), sum(sizes[shard] for shard in missing)
        workers = min(farm.workers, len(missing)) if missing else 0
        tell("start", pictures=total, done=total - left, workers=workers, device=job.device)
        if missing:
            _forgive(store, manifest, missing)
            spec = {"config": manifest.config, "seed": job.seed}
            with store.log(part) as log:
                log.note("run", part=part, workers=workers, device=job.device, pictures=left)

                def scene(index: int) -> Any:
                    return sampler.sample(job.seed, index).to_data()

                try:
                    farm.draw(Run(spec, store, manifest, policy, log, tell, scene, stopping), missing)
                finally:
                    store.sweep()  # what workers that were stopped had begun
        tell("end")
        return store.finish()


def _forgive(store: Store, manifest: Manifest, shards: Sequence[int]) -> None:
    """Pictures that an earlier run gave up get another chance with their shards."""
    for index in store.failures():
        if index // manifest.shard_size in shards:
            store.forgive(index)


def parse_part(text: str) -> tuple[int, int]:
    """ "i/n" as (i, n). Raises InputError unless 0 <= i < n."""
    number, slash, parts = text.partition("/")
    if not slash or not number.isdigit() or not parts.isdigit() or not int(number) < int(parts):
        raise InputError(f"--shard {text}: write i/n with i from 0 to n - 1, for instance 0/8")
    return int(number), int(parts)


def _records(catalogue: Assets) -> dict[str, AssetRecord]:
    licenses = catalogue.licenses()
    return {name: AssetRecord(sha256=digest, license=licenses[name]) for name, digest in catalogue.checksums().items()}

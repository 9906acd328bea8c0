"""A render job: a data set in a folder or under a URL, shard by shard, each an idempotent function of
(config, seed, range)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from render.dataset.local import removed
from render.dataset.manifest import Manifest, shard_numbers
from render.dataset.provenance import united
from render.dataset.store import Store, open_store
from render.farm.local import EventCallback, RetryPolicy, Run
from render.renderer import Sampler
from render.versions import versions
from scenes.config.loading import AnyConfig
from scenes.errors import InputError, shortened

# A small set's files, so that workers have something to share, and fewest pictures in one: when one of them has to be
# given up, others are left.
_SHARDS = 16
_SMALLEST, _LARGEST = 4, 100


@dataclass(frozen=True)
class Job:
    """A data set to draw: its config, its seed, its number of pictures and its place.

    Parameters
    ----------
    config : Config or ComposeConfig
        What the pictures show.
    seed : int
        Seed of all random draws.
    count : int
        Number of pictures. Their indices are 0 to count - 1. A set of fewer pictures grows to this number.
    out : str
        A folder, or a URL of any kind that fsspec supports.
    shard_size : int
        Pictures in one shard file. 0 takes the size of the set that is there, or else chooses one: about sixteen
        shards, each of 4 to 100 pictures.
    part : (int, int)
        (i, n) draws shards i, i + n, i + 2n and so on, so that n machines can share the job. i counts from 0.
    device : str
        The kind of device that draws all pictures, for instance "cpu" or "optix".
    reuse : tuple of str
        Folders of finished data sets. A picture that one of them has, too, is copied from it and not drawn again.

    Examples
    --------
    >>> import blendmill
    >>> job = blendmill.Job(blendmill.load_config("smoke"), seed=0, count=1000, out="set", part=(2, 8))
    >>> job.part, job.device
    ((2, 8), 'cpu')
    """

    config: AnyConfig
    seed: int
    count: int
    out: str
    shard_size: int = 0
    part: tuple[int, int] = (0, 1)
    device: str = "cpu"
    reuse: tuple[str, ...] = ()

    def manifest(self, sampler: Sampler, there: Manifest | None = None) -> Manifest:
        """The content of dataset.json before the first shard is drawn. there: that of the set in `out`, if any."""
        chosen = there.shard_size if there else min(_LARGEST, max(_SMALLEST, -(-self.count // _SHARDS)))
        return Manifest(
            config=self.config.plain(),
            config_hash=self.config.digest(),
            seed=self.seed,
            count=self.count,
            shard_size=self.shard_size or chosen,
            classes=sampler.classes,
            versions=versions(self.config.renderer),
            device=self.device,
            left_out=sampler.catalogue.left_out,
        )


class Farm(Protocol):
    """Draws shards: `render.farm.local.Local` or `render.farm.ray.RayFarm`."""

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
    """Draw the missing shards of the job's part. Finish the data set if all parts are there.

    A shard that is there and broken is deleted, and drawn again; see `Store.discard_broken` for when it is read.

    Parameters
    ----------
    job : Job
        What to draw, and where.
    sampler : Sampler
        The sampler of the job's config.
    farm : Farm
        Where the workers run, for instance `Local`.
    policy : RetryPolicy
        What to do if a worker dies.
    tell : callable
        Is called as tell(event, **fields) for every event. `render.farm.progress` lists the events.
    stopping : callable
        Returns True as soon as no new shard may begin.

    Returns
    -------
    Manifest
        The content of dataset.json.

    Raises
    ------
    InputError
        The place holds something else or more pictures, or cannot be written to; another process draws the same part;
        or a picture was given up and the policy does not skip it.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> import blendmill
    >>> Path("walls").mkdir()
    >>> Image.fromarray(np.full((64, 64, 3), 150, np.uint8)).save("walls/wall.png")
    >>> text = "renderer: composite\\nassets: {textures: [walls]}\\nresolution: [32, 32]\\n"
    >>> _ = Path("cracks.yaml").write_text(text)
    >>> config = blendmill.load_config("cracks.yaml")
    >>> sampler = blendmill.open_sampler(config)
    >>> slots = blendmill.worker_slots(blendmill.choose("cpu"), 1, pictures=2)
    >>> job = blendmill.Job(config, seed=0, count=2, out="set")
    >>> manifest = blendmill.run(
    ...     job, sampler, blendmill.Local(slots), blendmill.RetryPolicy(), lambda event, **fields: None
    ... )
    >>> manifest.count, sorted(manifest.shards)
    (2, ['00000.h5'])
    """
    store = open_store(job.out)
    manifest = store.create(job.manifest(sampler, store.load()))
    if manifest.count > job.count:
        raise InputError(
            f"{store.url}: holds {manifest.count} pictures, asked are {job.count}; a set can grow but not shrink: ask "
            f"for {manifest.count} or more, or choose another folder"
        )
    number, parts = job.part
    part = f"{number}/{parts}"
    with store.hold(part):
        store.sweep()
        shards = range(number, manifest.shard_count, parts)
        listing = store.listing()
        present = set(shard_numbers(listing.names))
        broken = store.discard_broken(
            [shard for shard in shards if shard in present],
            lambda checked, count: tell("checking", checked=checked, shards=count),
            job.part,
            listing,
        )
        for shard, reason in broken.items():
            tell("broken", shard=shard, reason=reason)
        missing = [shard for shard in shards if shard not in present or shard in broken]
        sizes = {shard: len(manifest.indices(shard)) for shard in shards}
        total, left = sum(sizes.values()), sum(sizes[shard] for shard in missing)
        workers = min(farm.workers, len(missing)) if missing else 0
        tell("start", pictures=total, done=total - left, workers=workers, device=job.device)
        drawn: Mapping[int, str] = {}
        if missing:
            _forgive(store, manifest, missing)
            known = store.drawn_with(manifest, present.intersection(shards))
            assets = {name: record.sha256 for name, record in known.assets.items()}
            reuse = [str(Path(folder).resolve()) for folder in job.reuse]
            spec = {"config": manifest.config, "seed": job.seed, "assets": assets, "reuse": reuse}
            with store.log(part) as log:
                log.note("run", part=part, workers=workers, device=job.device, pictures=left)
                try:
                    farm.draw(Run(spec, store, manifest, policy, log, tell, stopping), missing)
                finally:
                    store.sweep()  # delete unfinished files of stopped workers
            drawn = log.drawn
            if store.load() is not None:
                store.trust(drawn)
            _tell_assets(store, sampler, drawn, tell)
        tell("end")
        if store.load() is None:
            raise InputError(removed(store.url))
        return store.finish(set(range(manifest.shard_count)).difference(present.difference(broken), drawn))


def _tell_assets(store: Store, sampler: Sampler, shards: Collection[int], tell: EventCallback) -> None:
    """Tell what was left out when these shards were drawn, and what was mended or is missing."""
    drawn = united(list(store.notes(shards).values()))
    left_out = {**sampler.catalogue.left_out, **drawn.left_out}
    tell("assets", used=len(drawn.assets), warnings=dict(drawn.warnings), left_out=left_out)


def _forgive(store: Store, manifest: Manifest, shards: Sequence[int]) -> None:
    """Try pictures of these shards again that an earlier run gave up."""
    again = set(shards)
    store.forgive(*(index for index in store.failed() if index // manifest.shard_size in again))


def parse_part(text: str) -> tuple[int, int]:
    """ "i/n" as (i, n). Raises InputError unless 0 <= i < n."""
    number, slash, parts = text.partition("/")
    if not slash or not number.isdigit() or not parts.isdigit() or not int(number) < int(parts):
        raise InputError(f"--shard {shortened(text)}: write i/n with i from 0 to n - 1, for instance 0/8")
    return int(number), int(parts)

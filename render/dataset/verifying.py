"""The work of checking shards, for `render.dataset.crew`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from render.dataset.dataset import shard_faults
from render.dataset.manifest import Manifest
from render.dataset.store import open_store


def open_work(url: str, skipped: Sequence[int], sums: Mapping[str, Sequence[str]]) -> Callable[[int], list[str]]:
    """The function that says what is wrong with a shard of the set at a place, a line each fault.

    skipped: the indices of the pictures that may be missing. sums: what the sha256 of each shard may be, by file name.
    """
    store = open_store(url)
    expected = store.opened().model_copy(update={"skipped": tuple(skipped)})

    def faults(shard: int) -> list[str]:
        name = Manifest.shard_name(shard)
        with store.source(shard) as path:
            return list(shard_faults(path, expected, shard, sums.get(name, ()), f"{url}/shards/{name}"))

    return faults

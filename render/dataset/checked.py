"""Which shards of a data set this machine has read and found sound, so that no rerun reads them again."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from render.dataset.manifest import Manifest
from scenes.assets.cache import Cache


class Checked:
    """The note of a data set in the cache: the stamp of each shard, by which its file is known again, and its sums."""

    def __init__(self, url: str, manifest: Manifest):
        place = url if "://" in url else str(Path(url).resolve())
        about = repr(("shards", place, manifest.config_hash, manifest.seed, manifest.shard_size))
        self._key, self._cache = hashlib.sha256(about.encode()).hexdigest(), Cache()
        self._shards = self._noted()

    def _noted(self) -> dict[str, list[object]]:
        return dict((self._cache.note(self._key) or {}).get("shards", {}))

    def holds(self, shard: int, stamp: str, sums: Collection[str]) -> bool:
        """Whether the shard was sound, and neither its file nor its recorded sums have changed since."""
        return bool(self._shards.get(Manifest.shard_name(shard)) == [stamp, sorted(sums)])

    def keep(self, stamps: Mapping[int, str], sums: Mapping[int, Collection[str]]) -> None:
        """Note shards as sound."""
        self._shards = self._noted()  # runs of other parts note theirs in the same place
        self._shards |= {Manifest.shard_name(shard): [stamp, sorted(sums[shard])] for shard, stamp in stamps.items()}
        with suppress(OSError):  # without a cache, the next run reads them again
            if stamps:
                self._cache.keep_note(self._key, {"shards": self._shards})

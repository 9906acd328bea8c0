"""Reads assets to put them in an index, or only in the cache.

All that was read is in the cache. So a run that was killed and is started again goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from scenes.assets import shapes_source
from scenes.assets.cache import Cache
from scenes.assets.file_source import Settled, give_up, settings, settle
from scenes.assets.image_gate import Verdict
from scenes.assets.index import IndexEntry, Seen
from scenes.assets.info import AssetInfo
from scenes.assets.loading import Importers
from scenes.assets.preparing import A, R, prepared
from scenes.assets.sources import FileAsset
from scenes.errors import InputError
from scenes.files import file_stat, is_utf8, sha256


def each(
    job: Callable[[A], R], assets: Sequence[A], workers: int, given_up: Callable[[A, str], R]
) -> Iterator[tuple[A, R]]:
    """Do the job for each asset, in `workers` processes. Yields the assets as they are done, with their results.

    given_up: is called for an asset that ends each process that reads it, with the reason. Its result counts.
    """
    if workers == 1:
        yield from ((asset, job(asset)) for asset in assets)
        return
    for asset, result, died in prepared(job, assets, workers):
        yield asset, given_up(asset, f"ends each process that reads it: {died}") if died else result  # type: ignore[misc]


def prepare_asset(asset: FileAsset | str, cache: Cache, importers: Importers) -> None:
    """Prepares a file, or a built-in shape by its id. Each task gets its own asset alone, so all take linear time."""
    if isinstance(asset, FileAsset):
        settle(asset, cache, importers)
    elif not cache.holds(shapes_source.entry_key(asset)):
        shapes_source.make(asset, cache)


def lost_asset(asset: FileAsset | str, reason: str, cache: Cache, importers: Importers) -> None:
    """Leaves out a file that ends each process that reads it. Raises InputError for a built-in shape."""
    if isinstance(asset, str):
        raise InputError(f"{asset}: {reason}; leave more memory free")
    give_up(asset, cache, importers, reason)


def model_entry(asset: FileAsset, cache: Cache, importers: Importers) -> IndexEntry | None:
    """Reads a model, unless the cache knows it. None for one whose name is no text: no index can hold it."""
    if not is_utf8(asset.path):
        return None
    settled = settle(asset, cache, importers)
    info = None if settled.reason else cache.info(settled.entry)
    if info is None and not settled.reason:  # its entry is damaged
        cache.drop(settled.entry)
        settled = settle(asset, cache, importers)
        info = None if settled.reason else cache.info(settled.entry)
        if info is None and not settled.reason:
            raise InputError(f"cache {cache.folder}: what is written there cannot be read back")
    return _entry(asset, settled, info, settings(asset, importers))


def lost_entry(asset: FileAsset, reason: str, cache: Cache, importers: Importers) -> IndexEntry | None:
    """The entry of a model that ends each process that reads it. The cache knows it then."""
    give_up(asset, cache, importers, reason)
    return model_entry(asset, cache, importers)


def picture_entry(name: str, kind: str, path: Path, verdict: Verdict, settings: str, license: str) -> IndexEntry | None:
    """The entry of a picture that was judged."""
    seen = _seen(path, file_stat(path))
    if not is_utf8(path) or seen is None:
        return None
    about = {"settings": settings, "license": license, "reason": verdict.reason}
    return IndexEntry.model_validate({"id": name, "kind": kind, "path": path.name, **seen.model_dump(), **about})


def _entry(asset: FileAsset, settled: Settled, info: AssetInfo | None, settings: str) -> IndexEntry | None:
    seen = {path: _seen(Path(path), stat) for path, stat in settled.stats.items()}
    mine = seen.pop(str(asset.path.absolute()), None)
    others = _below(seen, asset.root)
    if mine is None:
        return None
    entry = IndexEntry(
        id=asset.id,
        kind="model",
        category=asset.category,
        path=asset.path.relative_to(asset.root).as_posix(),
        **mine.model_dump(),
        others=others or {},
        # A model that refers to what lies elsewhere is known where it lies, and not by an index.
        settings="" if others is None else settings,
        license=asset.license,
        reason=settled.reason,
        warnings=settled.warnings,
    )
    if info is None:
        return entry
    scale = (info.meters or 1.0) * (asset.unit or 1.0)
    about = {
        "triangles": info.triangles,
        "extent": tuple(float(side) for side in (info.bounds[1] - info.bounds[0]) * scale),
        "parts": info.parts,
        "keypoints": {name: tuple(map(float, point)) for name, point in info.keypoints.items()},
    }
    return entry.model_copy(update=about)


def _below(seen: Mapping[str, Seen | None], root: Path) -> dict[str, Seen | None] | None:
    """The files by their paths below a folder; None if one lies elsewhere."""
    base, found = root.resolve(), {}
    for place, what in seen.items():
        path = Path(place)
        if not path.is_relative_to(base):
            return None
        found[path.relative_to(base).as_posix()] = what
    return found


def _seen(path: Path, stat: list[int] | None) -> Seen | None:
    """What a file is known again by, if it still is as it was when it was read."""
    if stat is None:
        return None
    try:
        digest = sha256(path) if path.is_file() else ""
    except OSError:
        digest = ""
    return Seen(size=stat[0], mtime=stat[1], sha256=digest if file_stat(path) == stat else "")

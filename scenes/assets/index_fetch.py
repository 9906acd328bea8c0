"""Indexes behind a URL, as of an object store: each is fetched once, whole, and kept in the cache."""

from __future__ import annotations

import hashlib
from pathlib import Path

from scenes.assets.cache import Cache, mark_used
from scenes.errors import InputError
from scenes.outputs import written
from scenes.urls import download, fault, filesystem


def fetched(url: str, cache: Cache) -> Path:
    """The local copy of an index behind any URL that fsspec knows. Raises InputError.

    The store says by which mark it knows the content (`ukey`: an ETag, or size and time). As long as the mark is the
    same, nothing is fetched again.
    """
    files, path = filesystem(url, "index ")
    try:
        mark, size = str(files.ukey(path)), files.size(path)
        kept = cache.folder / "indexes" / f"{hashlib.sha256(f'{url} {mark}'.encode()).hexdigest()}.sqlite"
        if kept.is_file():
            mark_used(kept)
            return kept
        with written(kept) as temporary:
            download(files, path, temporary, size)
        return kept
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"index {url}: does not exist; set BLENDMILL_INDEX to one that does") from None
    except Exception as error:  # the packages behind fsspec raise all kinds for a network's faults
        raise InputError(f"index {url}: cannot be fetched: {fault(error)}; run the command again") from error

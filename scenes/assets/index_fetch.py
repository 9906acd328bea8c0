"""Indexes behind a URL, as of an object store: each is fetched once, whole, and kept in the cache."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from scenes.assets.cache import Cache
from scenes.errors import InputError, choices
from scenes.outputs import written


def fetched(url: str, cache: Cache) -> Path:
    """The local copy of an index behind any URL that fsspec knows. Raises InputError.

    The store says by which mark it knows the content (`ukey`: an ETag, or size and time). As long as the mark is the
    same, nothing is fetched again.
    """
    files, path = _filesystem(url)
    try:
        mark, size = str(files.ukey(path)), files.size(path)
        kept = cache.folder / "indexes" / f"{hashlib.sha256(f'{url} {mark}'.encode()).hexdigest()}.sqlite"
        if kept.is_file():
            return kept
        with written(kept) as temporary:
            files.get_file(path, str(temporary))
            if temporary.stat().st_size != size:
                raise OSError(f"{temporary.stat().st_size} bytes arrived of {size}")
        return kept
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"index {url}: does not exist; set BLENDMILL_INDEX to one that does") from None
    except Exception as error:  # the packages behind fsspec raise all kinds for a network's faults
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
        raise InputError(f"index {url}: cannot be fetched: {reason}; run the command again") from error


def _filesystem(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path in it."""
    try:
        import fsspec
    except ImportError:
        raise InputError(f"index {url}: URLs need fsspec; pip install fsspec") from None
    protocol = url.partition("://")[0]
    if protocol not in fsspec.available_protocols():
        raise InputError(f"index {url}: no such kind of URL, {choices(protocol, fsspec.available_protocols())}")
    try:
        files, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except Exception as error:  # each kind of file system looks at its URLs and credentials in its own way
        raise InputError(f"index {url}: cannot be opened: {type(error).__name__}: {error}") from error
    return files, path

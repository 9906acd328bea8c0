"""File systems behind URLs, by fsspec."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from scenes.errors import InputError, choices
from scenes.files import NO_ROOM


def is_url(value: object) -> bool:
    """Whether a value of a config is a URL, and no path."""
    return isinstance(value, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", value) is not None


def filesystem(url: str, about: str = "") -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path in it. Listings are not cached.

    about: what the URL is, at the beginning of messages. Raises InputError for a URL of an unknown kind, or for one
    that cannot be opened.
    """
    named = f"{about}{url}"
    try:
        import fsspec
    except ImportError:
        raise InputError(f"{named}: URLs need fsspec; pip install fsspec") from None
    protocol = url.partition("://")[0]
    if protocol not in fsspec.available_protocols():
        raise InputError(f"{named}: no such kind of URL, {choices(protocol, fsspec.available_protocols())}")
    try:
        return fsspec.core.url_to_fs(url, use_listings_cache=False)  # type: ignore[no-any-return]
    except ImportError as error:
        package = getattr(error.__cause__, "name", None) or protocol
        raise InputError(f"{named}: {protocol}:// needs another package; pip install {package}") from error
    except Exception as error:  # each kind of file system looks at its URLs and credentials in its own way
        raise InputError(f"{named}: cannot be opened: {fault(error)}") from error


class Interrupted(Exception):
    """A file did not arrive whole. It is no OSError, which would be a fault of the disk here."""


def download(files: Any, key: str, path: Path, size: int) -> None:
    """Write what a file system has under a key to a path. Raises Interrupted, or what the package behind it raises."""
    try:
        files.get_file(key, str(path))
    except OSError as error:
        if error.errno in NO_ROOM or isinstance(error, (FileNotFoundError, PermissionError)):
            raise
        raise Interrupted(fault(error)) from error
    arrived = path.stat().st_size
    if arrived != size:
        raise Interrupted(f"{arrived} bytes arrived of {size}")


def fault(error: Exception) -> str:
    """What an error of a network says, in one line that is not too long."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]

"""File systems behind URLs, by fsspec."""

from __future__ import annotations

from typing import Any

from scenes.errors import InputError, choices


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


def fault(error: Exception) -> str:
    """What an error of a network says, in one line that is not too long."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]

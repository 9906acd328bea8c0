"""A hook of MkDocs. What pages link to outside of docs/ becomes a part of the site.

Documents link to each other by relative paths, as the host of a repository shows them. In the site, a file of docs/
stands at the root, and any other file at its path in the repository. This hook adds the files, and turns the links.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
_LINK = re.compile(r"(?<=\]\()[^)#:\s]+")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what the navigation names and what pages link to, and what that links to in turn."""
    waiting = [_source(uri) for uri in (*files.src_uris, *_named(config.nav))]
    known: set[Path] = set()
    while waiting:
        source = waiting.pop()
        if source in known or not source.is_file():
            continue  # MkDocs tells which links lead nowhere
        known.add(source)
        if files.get_file_from_path(_uri(source)) is None:
            files.append(File.generated(config, _uri(source), abs_src_path=str(source)))
        if source.suffix == ".md":
            waiting += [_linked(source, link) for link in _LINK.findall(source.read_text(encoding="utf-8"))]
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Turn links from one place in the repository to another into links from one place in the site to another."""
    uri = page.file.src_uri

    def turned(link: re.Match[str]) -> str:
        return posixpath.relpath(_uri(_linked(_source(uri), link[0])), posixpath.dirname(uri) or ".")

    return _LINK.sub(turned, markdown)


def _named(nav: Any) -> Iterator[str]:
    """The pages in a navigation: a page, a title and its page, or a title and a list."""
    if isinstance(nav, str):
        yield nav
    else:
        for inner in nav.values() if isinstance(nav, dict) else nav:
            yield from _named(inner)


def _linked(source: Path, link: str) -> Path:
    return Path(posixpath.normpath(source.parent / link))


def _source(uri: str) -> Path:
    """The file in the repository that stands at a place in the site."""
    own = ROOT / "docs" / uri
    return own if own.exists() else ROOT / uri


def _uri(source: Path) -> str:
    """The place in the site where a file of the repository stands."""
    return source.relative_to(ROOT).as_posix().removeprefix("docs/")

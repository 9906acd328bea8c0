"""Reads XML files of annotations."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from scenes.errors import InputError
from scenes.files import read_regular

Element = ElementTree.Element

_LARGEST = 1 << 30


def root_of(path: Path) -> Element:
    """The root of a file. Raises InputError, also for a file that declares a document type: entities can be bombs."""
    content = read_regular(path, _LARGEST)
    if b"<!ENTITY" in content or b"<!DOCTYPE" in content:
        raise InputError(f"{path}: declares a document type, which files of annotations never do")
    try:
        return ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise InputError(f"{path}: not XML: {error}") from None

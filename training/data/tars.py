"""WebDataset: tar files whose members of one name are one picture: `000.jpg` and `000.cls`, or `000.json`.

`.cls` is the number or the name of the class. Of a `.json`, `class` or `label` is read; a class that it names comes
before a number. `blendmill export --format webdataset` writes both.
"""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenes.assets.image_files import IMAGE_SUFFIXES
from scenes.errors import InputError, shortened
from training.data.packed import Packed, numbered
from training.progress import Progress

_EVERY = 10.0
# Bytes of a member that tells a class.
_LARGEST = 1 << 26


@dataclass
class _Sample:
    """A picture: the tar file, where its content begins there, its bytes, and its class."""

    key: str
    tar: Path
    start: int = -1
    size: int = 0
    label: int | str | None = None
    named: bool = False


def tar_files(where: Path) -> list[Path]:
    """The tar files at a place: a file, or those in a folder."""
    if where.is_file():
        return [where] if where.suffix.lower() == ".tar" else []
    return [path for path in sorted(where.glob("*.tar")) if path.is_file()]


def tar_pictures(where: Path, classes: Sequence[str] | None, labeled: bool = True) -> Packed:
    """The pictures of tar files. classes: the names of numbers. labeled: False leaves classes out.

    Raises InputError.
    """
    files = tar_files(where)
    samples: list[_Sample] = []
    with Progress(f"{where}: reading tar", len(files), _EVERY) as progress:
        for done, path in enumerate(files):
            samples += [sample for sample in _samples(path) if sample.start >= 0]
            progress.update(done + 1)
    labels, names = numbered(str(where), [sample.label if labeled else None for sample in samples], classes)

    def content(i: int) -> bytes:
        sample = samples[i]
        # A descriptor of its own: several threads read at once.
        descriptor = os.open(sample.tar, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(descriptor, sample.size, sample.start)
        finally:
            os.close(descriptor)

    keys = [f"{sample.tar.name}:{sample.key}" for sample in samples]
    return Packed(str(where), keys, labels, names, content, [sample.size for sample in samples])


def _samples(path: Path) -> list[_Sample]:
    found: dict[str, _Sample] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                folder, _, name = member.name.rpartition("/")
                stem, _, ending = name.partition(".")
                if not member.isreg() or not stem:
                    continue
                key = f"{folder}/{stem}".lstrip("./")
                sample = found.setdefault(key, _Sample(key, path))
                if f".{ending.lower()}" in IMAGE_SUFFIXES and sample.start < 0:
                    sample.start, sample.size = member.offset_data, member.size
                elif ending.lower() in ("cls", "json") and member.size <= _LARGEST:
                    file = tar.extractfile(member)
                    assert file is not None
                    _take(sample, ending.lower(), file.read(), f"{path}: {member.name}")
    except (tarfile.TarError, OSError) as error:
        raise InputError(f"{path}: cannot be read as a tar file without compression: {error}") from None
    return list(found.values())


def _take(sample: _Sample, ending: str, content: bytes, where: str) -> None:
    """Note the class of a sample from a member. Raises InputError."""
    text = content.decode("utf-8", "replace").strip()
    label: Any = text
    if ending == "json":
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: not JSON: {error}") from None
        label = (
            next((data[name] for name in ("class", "label", "cls") if name in data), None)
            if isinstance(data, dict)
            else None
        )
        if label is None:
            return
    if isinstance(label, str) and label.lstrip("-").isdecimal():
        label = int(label)
    if isinstance(label, bool) or not isinstance(label, int | str) or label == "":
        raise InputError(f"{where}: its class is {shortened(label)}, neither a number nor a name")
    if not sample.named:
        sample.label = None if label == -1 else label
        sample.named = isinstance(label, str)

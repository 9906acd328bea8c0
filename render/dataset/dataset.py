"""The data set on disk: `DIR/dataset.json` says what it is, `DIR/shards/00000.h5`, … hold its pictures."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from render.dataset.factors import Wanted
from render.dataset.limits import NO_LIMITS, Limits
from render.dataset.local import Folder
from render.dataset.manifest import Manifest, missing_lines, shard_numbers
from render.dataset.selection import Selection
from render.dataset.shard import Shard
from render.frame import Frame
from scenes.errors import InputError, choices, shortened
from scenes.files import sha256

OPEN = 256
"""Shards of a data set that stay open. To open one takes as long as to read some pictures."""

FEW_OPEN = 16
"""As many of a set with over four times as many shards as may stay open. In a random order, a picture's shard is then
seldom open, and an open one takes 2 MB."""


@dataclass(frozen=True)
class Dataset:
    """A data set in a folder, to read.

    Parameters
    ----------
    folder : Path
        The folder that holds dataset.json.
    manifest : Manifest
        The content of dataset.json. `Dataset.open` reads it.

    Examples
    --------
    >>> import blendmill
    >>> manifest = blendmill.Manifest(
    ...     config={}, config_hash="", seed=0, count=5, shard_size=2, classes=("mug",), versions={}, device="cpu"
    ... )
    >>> manifest.save(".")
    >>> dataset = blendmill.Dataset.open(".")
    >>> dataset.manifest.count, dataset.present()
    (5, [])
    """

    folder: Path
    manifest: Manifest

    @staticmethod
    def open(folder: str | Path) -> Dataset:
        """Open the data set in a folder. Raises InputError if there is none."""
        return Dataset(Path(folder), Manifest.load(folder))

    def shard_path(self, shard: int) -> Path:
        """Where a shard is, or will be; 0-based."""
        return self.folder / "shards" / Manifest.shard_name(shard)

    def present(self) -> list[int]:
        """The numbers of the shards that exist, 0-based, in order. One listing of the folder tells them."""
        names = Folder(self.folder).names("shards")
        return sorted(shard for shard in shard_numbers(names) if shard < self.manifest.shard_count)

    def drawn(self) -> NDArray[np.int64]:
        """The indices of the pictures in the shards that exist, in order, as dataset.json tells them; int64."""
        held = np.zeros(self.manifest.shard_count, bool)
        held[self.present()] = True
        pictures = np.repeat(held, self.manifest.shard_size)[: self.manifest.count]
        pictures[list(self.manifest.skipped)] = False
        return np.flatnonzero(pictures)

    def shard(self, shard: int) -> Shard:
        """Open a shard. Raises InputError if it is missing, damaged or of another data set."""
        return _opened(self.shard_path(shard), self.manifest, shard)

    def check_sum(self, shard: int) -> None:
        """Raise InputError if the shard's sha256 is recorded and differs."""
        path = self.shard_path(shard)
        recorded = self.manifest.shards.get(path.name)
        if recorded and path.is_file() and sha256(path) != recorded:
            raise InputError(f"{_differs(path, [recorded])}; delete the file and rerun the render command")

    def shards(self) -> Iterator[Shard]:
        """All shards, each open until the next one. Raises InputError where one is missing."""
        for shard in range(self.manifest.shard_count):
            with self.shard(shard) as opened:
                yield opened

    def count(self, limits: Limits = NO_LIMITS) -> int:
        """The number of pictures within limits. Raises InputError where a shard is missing."""
        return len(self.indices(limits))

    def indices(self, limits: Limits = NO_LIMITS, classes: Collection[str] | None = None) -> NDArray[np.int64]:
        """The indices of the pictures within limits, in order; int64, at most (count,).

        classes: names of the classes of the main object to keep. None keeps all pictures. Nothing of a finished set is
        read without limits and classes. With them, each shard is read once, and the cache keeps what it says.

        Raises InputError where a class is unknown, or a shard is missing.
        """
        if limits == NO_LIMITS and classes is None and self.manifest.shards:  # it is finished, and knows what it lacks
            held = np.ones(self.manifest.count, bool)
            held[list(self.manifest.skipped)] = False
            return np.flatnonzero(held)
        rows = self.table()
        keep = limits.allow(rows["share"], rows["clutter"])
        if classes is not None:
            known = self.manifest.classes
            if unknown := next((name for name in classes if name not in known), None):
                raise InputError(f"{self.folder}: no class '{shortened(unknown)}', {choices(unknown, known)}")
            keep &= np.isin(rows["label"], [known.index(name) for name in classes])
        return np.array(rows["index"][keep])

    def table(self, tell: Callable[[int, int], object] = lambda done, of: None) -> NDArray[np.void]:
        """The rows of all pictures; see `render.dataset.table`, also for `tell`."""
        from render.dataset.table import table_of

        return table_of(self, tell)

    def opened(self, shard: int) -> Shard:
        """A shard that stays open, with the others that were asked for last. Raises InputError as `shard` does."""
        return self._open(shard)

    def __getstate__(self) -> dict[str, Any]:
        # Shards that are open stay here: a process that gets the set opens its own.
        return {"folder": self.folder, "manifest": self.manifest}

    @cached_property
    def _open(self) -> Callable[[int], Shard]:
        # A shard that leaves is closed when the last thread has finished reading it.
        return lru_cache(OPEN if self.manifest.shard_count <= 4 * OPEN else FEW_OPEN)(self.shard)

    def frames(self, *, partial: bool = False, limits: Limits = NO_LIMITS, check_sums: bool = True) -> Iterator[Frame]:
        """The frames in the order of their indices.

        partial: skip missing shards; otherwise a missing shard is an InputError. limits: pictures outside of them are
        left out. check_sums: whether each shard is first compared with its recorded sha256; a shard that differs is an
        InputError.
        """
        for shard in self.present() if partial else range(self.manifest.shard_count):
            if check_sums:
                self.check_sum(shard)
            with self.shard(shard) as opened:
                for i in opened.within(limits):
                    yield opened.frame(i)

    def frame(self, index: int) -> Frame:
        """One picture by its index.

        Raises IndexError outside the data set, InputError where its shard is missing or the picture was skipped.
        """
        if not 0 <= index < self.manifest.count:
            raise IndexError(f"{self.folder} holds {self.manifest.count} pictures, there is no number {index}")
        shard = index // self.manifest.shard_size
        if index in self.manifest.skipped_in(shard):
            raise InputError(f"{self.folder}: picture {index} was given up when the set was drawn, see failed/ there")
        return self.opened(shard).of(index)

    def pictures(self) -> Selection:
        """All pictures that are there, as a sequence."""
        # Which pictures a finished set has is found out once, so that each of a million costs the same.
        return self._pictures if self.manifest.shards else self._there()

    @cached_property
    def _pictures(self) -> Selection:
        return self._there()

    def _there(self) -> Selection:
        drawn = self.drawn()
        # A list of a million numbers would take five times the memory.
        return Selection(self, range(len(drawn)) if len(drawn) == self.manifest.count else array("q", drawn.tobytes()))

    def __len__(self) -> int:
        return len(self.pictures())

    def __iter__(self) -> Iterator[Frame]:
        return iter(self.pictures())

    @overload
    def __getitem__(self, place: int) -> Frame: ...

    @overload
    def __getitem__(self, place: slice) -> Selection: ...

    def __getitem__(self, place: int | slice) -> Frame | Selection:
        return self.pictures()[place]

    def where(
        self,
        category: str | None = None,
        factors: Mapping[str, Wanted] | None = None,
        tell: Callable[[int, int], object] = lambda done, of: None,
    ) -> Selection:
        """The pictures of a class, or with some values of factors; see `Selection.where`."""
        return self.pictures().where(category, factors, tell)

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the files, a line each; empty where every shard is there, whole and as recorded."""
        present = self.present()
        faults = (line for shard in present for line in self.faults(shard))
        return (*missing_lines(str(self.folder / "shards"), self.manifest, present), *faults)

    def faults(self, shard: int) -> Iterator[str]:
        """What is wrong with the file of a shard, a line each."""
        path = self.shard_path(shard)
        recorded = self.manifest.shards.get(path.name)
        yield from shard_faults(path, self.manifest, shard, {recorded} if recorded else set(), str(path))


def shard_faults(path: Path, manifest: Manifest, shard: int, sums: Collection[str], name: str) -> Iterator[str]:
    """What is wrong with a shard's file, a line each. name: the file's, for the lines.

    sums: what its sha256 may be. Where that is not known, all of its pictures are read.
    """
    try:
        if sums and path.is_file() and sha256(path) not in sums:
            yield _differs(name, sums)
            return
    except OSError as error:  # it says nothing about the shard
        raise InputError(f"{name}: cannot be read: {error.strerror}; try again") from None
    try:
        # A skipped picture that is there is told below, with what else is not as it should be.
        with _opened(path, manifest.model_copy(update={"skipped": ()}), shard) as opened:
            wanted = manifest.pictures(shard)
            if opened.arrays("index").tolist() != wanted:
                within, left_out = manifest.indices(shard), len(manifest.indices(shard)) - len(wanted)
                beside = f" without the {left_out} skipped" if left_out else ""
                yield f"{name}: does not hold pictures {within[0]} to {within[-1]}{beside}"
            for i in range(0 if sums else len(opened)):  # a sum says the same in a tenth of the time
                opened.frame(i)
    except InputError as error:
        yield str(error).replace(str(path), name)


def _differs(name: Path | str, sums: Iterable[str]) -> str:
    return f"{name}: sha256 differs from the recorded {', '.join(f'{digest[:12]}…' for digest in sorted(sums))}"


def _opened(path: Path, manifest: Manifest, shard: int) -> Shard:
    """A shard of a data set, with the indices and labels that it may have. Raises InputError."""
    opened = Shard(path, classes=len(manifest.classes))
    try:
        for name, value in manifest.attributes().items():
            if opened.attributes.get(name) != value:
                raise _foreign(path, f"{name} {opened.attributes.get(name)} is not the data set's {value}")
        indices, within = opened.arrays("index"), manifest.indices(shard)
        # A picture that was given up is missing, so the indices may have gaps.
        if len(indices) and (indices[0] < within[0] or indices[-1] > within[-1] or (np.diff(indices) <= 0).any()):
            raise _foreign(path, f"its indices are not those of pictures {within[0]} to {within[-1]} in order")
        if stray := set(indices.tolist()).intersection(manifest.skipped_in(shard)):
            raise _foreign(path, f"holds picture {min(stray)}, which dataset.json says was skipped")
        labels = opened.arrays("label")
        if ((labels < -1) | (labels >= len(manifest.classes))).any():
            raise _foreign(path, f"a label is not one of the set's {len(manifest.classes)} classes")
    except InputError:
        opened.close()
        raise
    return opened


def _foreign(path: Path, reason: str) -> InputError:
    return InputError(f"{path}: {reason}; delete the file and rerun the render command")

"""Open the sets of pictures that a segmenter's config names."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scenes.errors import InputError, choices, shortened
from segment.classes.legend import NO_COLORS, Colors
from segment.classes.sets import open_classes, renumbered
from segment.config import CRACK, SegmentConfig
from segment.sets import Picture, PictureSet, open_set
from training.config import PartConfig
from training.data.pictures import fingerprint
from training.data.splits import ALL, halves_of, share_of, split_named
from training.datasets import Datasets, Source

_LOG = logging.getLogger("blendmill")
_HALVES = ("adapt", "test")


class Classes(NamedTuple):
    """names: of the classes that are learned. given: those that the config lists, for masks that no file names. ignore:
    the value of pixels that count nowhere. colors: of the classes in masks, as the config lists them."""

    names: tuple[str, ...]
    given: tuple[str, ...]
    ignore: int
    colors: Colors = NO_COLORS


@dataclass(frozen=True)
class LabeledPictures:
    """Pictures of one or more sets; a `training.data.pictures.SampleSet`.

    entries: for each picture its set and its index there. labeled: False hides the labels.
    """

    name: str
    entries: tuple[tuple[PictureSet, int], ...]
    labeled: bool = True

    @property
    def digest(self) -> str:
        return fingerprint(self.labeled, *((part.digest, k) for part, k in self.entries))

    def __len__(self) -> int:
        return len(self.entries)

    def read(self, i: int) -> Picture:
        """Picture i. Raises InputError if it cannot be used."""
        part, k = self.entries[i]
        picture = part.read(k)
        return picture if self.labeled else picture.unlabeled()

    def usable(self, places: Iterable[int]) -> Iterator[tuple[int, Picture]]:
        """The places that can be used, each with its picture. The logger `blendmill` tells of the others."""
        for i in places:
            try:
                picture = self.read(i)
            except InputError as error:
                _LOG.warning("left out: %s", error)
                continue
            yield i, picture

    def where(self, i: int) -> str:
        part, k = self.entries[i]
        return f"{part.name}: picture {part.names[k]}"

    def chosen(self, places: Sequence[int]) -> LabeledPictures:
        """The pictures at some places, in that order."""
        return replace(self, entries=tuple(self.entries[i] for i in places))


def open_part(part: PartConfig, labels: bool = True, classes: Classes | None = None) -> LabeledPictures:
    """Open a part. labels: False hides the masks. classes: None for cracks. Raises InputError."""
    if classes is None:
        opened = open_set(Path(part.where), part.mask_value, masks=labels)
    else:
        found = open_classes(Path(part.where), classes.given, classes.ignore, classes.colors)
        opened = renumbered(found, classes.names)
    if labels:
        for line in opened.notes:
            _LOG.warning(line)
    for line in opened.left_out:
        _LOG.warning("left out: %s", line)
    if labels and not opened.labeled:
        raise InputError(f"{part.where}: its pictures have no masks; put them into mask/ beside img/")
    kind, share = split_named(part.split)
    folders = sorted({name.partition("/")[0] for name in opened.names if "/" in name} - {ALL, *_HALVES})
    if kind not in (ALL, *_HALVES, *folders):
        raise InputError(f"{part.where}: no split '{shortened(kind)}', {choices(kind, [ALL, *_HALVES, *folders[:20]])}")
    names = np.array(opened.names)
    places = np.arange(opened.size)
    if kind in folders:
        places = np.flatnonzero([name.startswith(f"{kind}/") for name in opened.names])
    elif kind != ALL:
        adapt, test = halves_of(names.tolist(), part.split_seed)
        places = np.flatnonzero(adapt if kind == "adapt" else test)
    if share < 1:
        places = places[share_of(names[places].tolist(), share, part.split_seed)]
    if not len(places):
        raise InputError(f"{part.where}: no pictures are left of split '{part.split}'")
    return LabeledPictures(part.where, tuple((opened, int(k)) for k in places), labels)


def classes_of(config: SegmentConfig) -> Classes | None:
    """The classes that a config learns; None for cracks. Raises InputError if no set names them."""
    if config.classes == CRACK:
        return None
    if isinstance(config.classes, tuple):
        return Classes(config.classes, config.classes, config.ignore, config.colors)
    first = open_classes(Path(config.data.source[0].where), (), config.ignore, config.colors)
    return Classes(first.classes, (), config.ignore, config.colors)


def open_datasets(config: SegmentConfig) -> Datasets[LabeledPictures]:
    """Open all sets that the config names. Raises InputError."""
    data, classes = config.data, classes_of(config)
    opened = [open_part(part, classes=classes) for part in data.source]
    held, rest = _held_out(opened, 0.0 if data.validation else data.holdout)
    return Datasets(
        source=tuple(Source(pictures, part.share) for pictures, part in zip(rest, data.source, strict=True)),
        drawn=None,
        target=open_part(data.target, labels=False, classes=classes) if data.target else None,
        validation=open_part(data.validation, classes=classes) if data.validation else held,
        test=open_part(data.test, classes=classes) if data.test else None,
        classes=classes.names if classes else (CRACK,),
    )


def _held_out(sets: list[LabeledPictures], share: float) -> tuple[LabeledPictures | None, list[LabeledPictures]]:
    """Hold out a share of each set. Returns all held-out pictures as one set, and the rest of each set."""
    if not share:
        return None, sets
    held: list[tuple[PictureSet, int]] = []
    rest = []
    for pictures in sets:
        taken = share_of([part.names[k] for part, k in pictures.entries], share, purpose="holdout")
        if taken.all():
            raise InputError(f"{pictures.name}: holding out {share:g} leaves nothing to train on: set data.holdout=0")
        held += pictures.chosen(np.flatnonzero(taken).tolist()).entries
        rest.append(pictures.chosen(np.flatnonzero(~taken).tolist()))
    return LabeledPictures("held out", tuple(held)), rest

"""What the values of masks mean: the number or the color of each class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from scenes.errors import InputError, shortened
from segment.ignored import IGNORED

Color = tuple[int, int, int]
Colors = Mapping[str, Color]
"""The color of each class."""
NO_COLORS: Colors = {}

VOIDS = frozenset({
    "void", "unlabeled", "unlabelled", "ignore", "ignored", "__ignore__", "_ignore_", "unknown", "undefined",
    "no data", "no-data", "no_data", "nodata", "border",
})  # fmt: skip
"""Names, in lower case, of what public sets have where nobody labeled anything. Such pixels count nowhere."""


class Row(NamedTuple):
    """A class as a file lists it. number: its value in masks of numbers. color: sRGB, 8 bits each."""

    name: str
    number: int | None
    color: Color | None = None


@dataclass(frozen=True)
class Legend:
    """What values in masks mean.

    where: who says so, for messages. classes: the names in the order of the ids. numbers, colors: from values to ids,
    or to IGNORED. clash: says which classes share a color; then masks in colors cannot be read. notes: for the user.
    """

    where: str
    classes: tuple[str, ...]
    numbers: Mapping[int, int]
    colors: Mapping[Color, int]
    clash: str = ""
    notes: tuple[str, ...] = ()


def legend_of(where: str, rows: Iterable[Row], borders: Iterable[Color] = ()) -> Legend:
    """The legend of rows. A name of `VOIDS` is no class: its pixels count nowhere. borders: colors that count nowhere.

    Several rows may name the same class. Raises InputError for a number that two classes have, for too many classes,
    and where there is none.
    """
    rows = list(rows)
    classes = tuple(dict.fromkeys(row.name for row in rows if row.name.lower() not in VOIDS))
    if not classes or len(classes) > IGNORED:
        raise InputError(f"{where}: names {len(classes)} classes; there must be 1 to {IGNORED}")
    ids = {name: number for number, name in enumerate(classes)}
    numbers: dict[int, int] = {}
    colors: dict[Color, int] = dict.fromkeys(borders, IGNORED)
    clash = ""
    for row in rows:
        number = ids.get(row.name, IGNORED)
        if row.number is not None and numbers.setdefault(row.number, number) != number:
            raise InputError(f"{where}: gives the number {row.number} to two classes, one is '{shortened(row.name)}'")
        if row.color is not None and colors.setdefault(row.color, number) != number:
            clash = clash or f"gives the color {list(row.color)} to two classes, one is '{shortened(row.name)}'"
    voids = [shortened(row.name) for row in rows if row.name not in ids]
    notes = (f"{where}: pixels of '{voids[0]}' count nowhere",) if voids else ()
    return Legend(where, classes, numbers, colors, clash, notes)

"""The factors of all pictures as columns, with a histogram of each.

Of a factor that a picture has several times, such as the energy of its lamps, the column has the first. The main object
and its materials come first in a scene.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from render.object_label import ObjectLabel
from scenes.record.record import Factor

BINS = 32
_CHOICES = 65_000
"""Choices of a factor that have a number of their own."""

LOOK = "look."
"""What the names of measures of `training.looks` begin with, as factors of a picture."""

Row = dict[str, float | str]

Values = Sequence[float | str | None] | NDArray[np.float32]
"""The values of a factor in some pictures."""


class Described(NamedTuple):
    """The factors of a picture, and the (h, w, 3) uint8 picture; None and the reason where it cannot be read."""

    row: Row
    picture: NDArray[np.uint8] | None
    fault: str = ""


def row_of(category: str | None, objects: Sequence[ObjectLabel], factors: Iterable[Factor]) -> Row:
    """What the page tells of a picture: its class, its objects, and the first value of each factor.

    category: the class of the main object; None without one.
    """
    row: Row = {"class": category or "no main object", "objects": float(len(objects))}
    main = next((each for each in objects if each.purpose == "main"), None)
    if main is not None:
        row |= {"size in frame": main.share, "visibility": main.visibility, "truncation": main.truncation}
        row["keypoints seen"] = float(sum(point.visible for point in main.keypoints.values()))
    for name, value in factors:
        row.setdefault(name, value)
    return row


def together(rows: Sequence[Row]) -> dict[str, Values]:
    """Rows as one column for each name: numbers with NaN where a row lacks it, or a list with None there."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _numbers([row.get(name) for row in rows]) for name in names}


def _numbers(values: Sequence[float | str | None]) -> Values:
    """Values as an array (N,) float32, or as they are if there is a word among them."""
    return values if any(type(value) is str for value in values) else np.array(values, np.float64).astype(np.float32)


@dataclass
class _Choice:
    codes: NDArray[np.uint16]
    names: dict[str, int] = field(default_factory=lambda: {"": 0})

    def put(self, place: int, values: Sequence[str | None]) -> None:
        for k, value in enumerate(values):
            if value is not None and len(self.names) < _CHOICES:
                self.codes[place + k] = self.names.setdefault(value or "(none)", len(self.names))


class Columns:
    """The columns of `count` pictures, filled piece by piece."""

    def __init__(self, count: int):
        self._count = count
        self._numbers: dict[str, NDArray[np.float32]] = {}
        self._choices: dict[str, _Choice] = {}

    def put(self, place: int, columns: Mapping[str, Values]) -> None:
        """Fill in the pictures from a place on. columns: what `together` returns, or lists of numbers."""
        for name, column in columns.items():
            values = column if isinstance(column, np.ndarray) else _numbers(column)
            if not isinstance(values, np.ndarray):
                if name not in self._choices:
                    self._choices[name] = _Choice(np.zeros(self._count, np.uint16))
                self._choices[name].put(place, [value if isinstance(value, str) else None for value in values])
            else:
                if name not in self._numbers:
                    self._numbers[name] = np.full(self._count, np.nan, np.float32)
                self._numbers[name][place : place + len(values)] = values

    def told(self) -> Iterator[tuple[dict[str, Any], NDArray[Any]]]:
        """What the page shows of each factor before it loads the column, and the column.

        Numbers: float32, NaN where a picture lacks the factor. Choices: uint16 positions in the factor's names, 0 where
        a picture lacks it. A factor that is the same in all pictures that have it is left out; see `fixed`.
        """
        for name, codes in self._choices.items():
            if not self._same(name):
                names = list(codes.names)
                counts = np.bincount(codes.codes, minlength=len(names))
                yield {"name": name, "kind": "choice", "names": names, "counts": counts.tolist()}, codes.codes
        for name, values in self._numbers.items():
            if not self._same(name):
                there = values[np.isfinite(values)]
                low, high = float(there.min()), float(there.max())
                counts, _ = np.histogram(there, BINS, (low, high if high > low else low + 1))
                told = {"name": name, "kind": "number", "low": low, "high": high, "counts": counts.tolist()}
                yield {**told, "missing": self._count - len(there)}, values

    def fixed(self) -> list[tuple[str, float | str]]:
        """The factors that are the same in all pictures that have them, with their values."""
        same: list[tuple[str, float | str]] = [
            (name, list(codes.names)[1]) for name, codes in self._choices.items() if self._same(name)
        ]
        return same + [(name, float(np.nanmax(values))) for name, values in self._numbers.items() if self._same(name)]

    def numbers(self) -> Mapping[str, NDArray[np.float32]]:
        """The columns of numbers by name."""
        return self._numbers

    def looks(self) -> Mapping[str, NDArray[np.float32]]:
        """The columns of the measures of `training.looks`, by their names there."""
        return {name.removeprefix(LOOK): values for name, values in self._numbers.items() if name.startswith(LOOK)}

    def _same(self, name: str) -> bool:
        if name in self._choices:
            return name != "class" and len(self._choices[name].names) <= 2
        there = self._numbers[name][np.isfinite(self._numbers[name])]
        return not len(there) or bool((there == there[0]).all())

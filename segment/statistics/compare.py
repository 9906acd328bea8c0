"""Measure a set of pictures, and compare sets in a table or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError
from segment.sets import PictureSet
from segment.statistics.measure import GROUPS, QUANTITIES, measure

Values = NDArray[np.float64]

PHOTOGRAPHS: Mapping[str, tuple[float, ...]] = {
    "crack.fraction": (2.4,),
    "crack.width": (4.4, 2.4, 8.5),
    "crack.contrast": (31, 15, 57),
}
"""Known median, 10th and 90th percentile of 70 photographs of cracks that were labeled by hand."""


@dataclass(frozen=True)
class Measured:
    """The measured values of a set.

    pictures: number of measured pictures. bare: number of pictures with an empty mask; None without masks. values: by
    `Quantity.key`, the values (n,) of the pictures in which the quantity is defined. left_out: one line for each file
    that could not be used, with the reason.
    """

    name: str
    pictures: int
    bare: int | None
    values: Mapping[str, Values]
    left_out: tuple[str, ...]

    def spread(self, key: str) -> tuple[float, float, float] | None:
        """Median, 10th and 90th percentile."""
        values = self.values.get(key)
        if values is None:
            return None
        middle, low, high = np.percentile(values, (50, 10, 90)).tolist()
        return middle, low, high


def measured(pictures: PictureSet, chosen: Sequence[int], advance: Callable[[int], object]) -> Measured:
    """Measure the chosen pictures of a set. advance: called with 1 after each picture.

    Raises InputError with the first reason if no picture can be used.
    """
    rows, left_out = [], list(pictures.left_out)
    for k in chosen:
        try:
            picture = pictures.read(k)
        except InputError as error:
            left_out.append(str(error))
        else:
            rows.append(measure(picture.rgb, picture.mask))
        advance(1)
    if not rows:
        raise InputError(f"{pictures.name}: no picture can be used: {left_out[0]}")
    gathered = {q.key: np.array([row[q.key] for row in rows if q.key in row]) for q in QUANTITIES}
    return Measured(
        name=pictures.name,
        pictures=len(rows),
        bare=sum(row["crack.fraction"] == 0 for row in rows) if pictures.labeled else None,
        values={key: values for key, values in gathered.items() if len(values)},
        left_out=tuple(left_out),
    )


def apart(one: Values, other: Values) -> float:
    """Kolmogorov-Smirnov distance of two samples (n,) and (m,): 0 for the same distribution, 1 for no overlap."""
    at = np.concatenate([one, other])
    shares = (np.searchsorted(np.sort(values), at, side="right") / len(values) for values in (one, other))
    return float(np.abs(np.subtract(*shares)).max())


def distances(sets: Sequence[Measured]) -> dict[str, float]:
    """By `Quantity.key`, how far two sets are apart, for the quantities that both have. Empty for one set."""
    if len(sets) != 2:
        return {}
    one, other = (each.values for each in sets)
    return {q.key: apart(one[q.key], other[q.key]) for q in QUANTITIES if q.key in one and q.key in other}


def table(sets: Sequence[Measured]) -> list[str]:
    """The lines of a table with a row for each quantity and a column for each set. For two sets also `apart`."""
    far = distances(sets)
    rows = []
    for quantity in QUANTITIES:
        spreads = [each.spread(quantity.key) for each in sets]
        if any(spreads):
            known = PHOTOGRAPHS.get(quantity.key) if quantity.group == "crack" else None
            cells = [_cell(spread, quantity.digits) for spread in (*spreads, known)]
            cells += [f"{far[quantity.key]:.2f}" if quantity.key in far else ""] if len(sets) == 2 else []
            rows.append((quantity, [quantity.name, quantity.unit, *cells]))
    heads = ["", "", *(each.name for each in sets), "photographs", *(["apart"] if len(sets) == 2 else [])]
    widths = [max(len(line[k]) for line in (heads, *(cells for _, cells in rows))) for k in range(len(heads))]
    lines = [_line(heads, widths)]
    for group, title in GROUPS.items():
        lines += ["", title]
        lines += [_line(cells, widths) for quantity, cells in rows if quantity.group == group]
    lines += ["", *(_counted(each) for each in sets)]
    lines.append("median [10th to 90th percentile] of the pictures; photographs: 70 labeled by hand, if known")
    if far:
        lines.append("apart: largest difference of the two cumulative distributions; 0 is the same, 1 is no overlap")
    return lines


def as_json(sets: Sequence[Measured]) -> dict[str, Any]:
    """The table as JSON data, by `Quantity.key`."""
    return {
        "quantities": {q.key: {"unit": q.unit, "meaning": q.meaning} for q in QUANTITIES},
        "sets": [
            {
                "name": each.name,
                "pictures": each.pictures,
                "without_crack": each.bare,
                "left_out": list(each.left_out),
                "values": {key: _numbers(each, key) for key in each.values},
            }
            for each in sets
        ],
        "apart": distances(sets),
    }


def _numbers(each: Measured, key: str) -> dict[str, float]:
    quantiles = dict(zip(("p10", "p25", "median", "p75", "p90"), _quantiles(each.values[key]), strict=True))
    return {"pictures": len(each.values[key]), **quantiles}


def _quantiles(values: Values) -> list[float]:
    return np.percentile(values, (10, 25, 50, 75, 90)).tolist()


def _cell(spread: Sequence[float] | None, digits: int) -> str:
    if not spread:
        return ""
    middle, *ends = (f"{value:.{digits}f}" for value in spread)
    return f"{middle} [{' to '.join(ends)}]" if ends else middle


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _counted(each: Measured) -> str:
    bare = "no masks" if each.bare is None else f"{each.bare} without a crack"
    return f"{each.name}: {each.pictures} pictures, {bare}, {len(each.left_out)} files left out"

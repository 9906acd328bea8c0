"""The factors of pictures: as rows, and which pictures have the values that somebody wants; a work for the crew."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, count, groupby, takewhile
from pathlib import Path
from typing import Any

import numpy as np

from render.dataset.crew import worked
from render.dataset.shard import Shard
from scenes.errors import InputError, choices

Wanted = float | str | tuple[float, float] | Callable[[Any], bool]
"""What a factor must be: a value, a range (low, high) with both ends, or a function that says yes or no."""

Row = dict[str, float | str]
_Values = list[list[float | str]]
"""The values of each factor that is wanted, in their order."""


def factor_row(shard: Shard, i: int, classes: Sequence[str]) -> Row:
    """The index, the class and the factors of the i-th picture. A second lamp's energy is `lights.sun.energy.1`."""
    label = int(shard.arrays("label")[i])
    row: Row = {"index": int(shard.arrays("index")[i])}
    row["class"] = classes[label] if label >= 0 else ""
    for name, value in shard.record(i).factors():
        row[_free(row, name)] = value
    return row


def _free(row: Mapping[str, Any], name: str) -> str:
    return next(free for free in chain([name], (f"{name}.{number}" for number in count(1))) if free not in row)


def matching(
    folder: str,
    shard_size: int,
    indices: Sequence[int],
    wanted: Mapping[str, Wanted],
    tell: Callable[[int, int], object],
) -> array[int]:
    """Those of some ascending indices whose pictures have the values that are wanted. folder: the data set's.

    Raises InputError for a factor that none of the pictures has.
    """
    shards = len(np.unique(np.asarray(indices, np.int64) // shard_size))
    pieces = (list(some) for _, some in groupby(indices, lambda index: index // shard_size))
    found, known = array("q"), set[str]()
    work = worked("render.dataset.factors", {"folder": folder, "names": list(wanted)}, pieces, shards)
    for done, (names, rows) in enumerate(work, start=1):
        known.update(names)
        found.extend(index for index, values in rows if all(map(_fits, values, wanted.values())))
        tell(done, shards)
    if unknown := next((name for name in wanted if shards and name not in known), None):
        raise InputError(f"factor '{unknown}': no picture has it, {choices(unknown, known)}")
    return found


def open_work(folder: str, names: Sequence[str]) -> Callable[[list[int]], tuple[list[str], list[tuple[int, _Values]]]]:
    """The function that reads some pictures of one shard: the names of their factors, and for each picture its index
    and the values of those that are asked for, a list each."""
    from render.dataset.dataset import Dataset

    dataset = Dataset.open(Path(folder))
    size, classes = dataset.manifest.shard_size, dataset.manifest.classes

    def read(indices: list[int]) -> tuple[list[str], list[tuple[int, _Values]]]:
        known: dict[str, None] = {}
        with dataset.shard(indices[0] // size) as shard:
            rows = []
            for index, i in zip(indices, shard.places(indices), strict=True):
                row = factor_row(shard, i, classes)
                known |= dict.fromkeys(row)
                rows.append((index, [list(_values(row, name)) for name in names]))
        return list(known), rows

    return read


def _values(row: Mapping[str, Any], name: str) -> Iterator[Any]:
    """The values of a factor that a picture may have several times."""
    repeated = (f"{name}.{number}" for number in count(1))
    return (row[found] for found in chain([name], takewhile(row.__contains__, repeated)) if found in row)


def _fits(values: Sequence[Any], wanted: Wanted) -> bool:
    return any(_one_fits(value, wanted) for value in values)


def _one_fits(value: Any, wanted: Wanted) -> bool:
    if callable(wanted):
        return bool(wanted(value))
    if isinstance(wanted, tuple):
        return bool(wanted[0] <= value <= wanted[1])
    return bool(value == wanted)

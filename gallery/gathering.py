"""What the pieces of a page tell, put together: the columns of the factors, and the features."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.columns import Columns
from gallery.pieces import Piece
from gallery.sets import Chosen
from training.data.description import FEATURES


@dataclass(frozen=True)
class Gathered:
    """columns: of the factors. features: (N, d) float16, NaN for a picture that cannot be read. faults: for each set
    the indices of such pictures, with the reasons.
    """

    columns: Columns
    features: NDArray[np.float16]
    faults: Sequence[Sequence[tuple[int, str]]]


def gathered(sets: Sequence[Chosen], todo: Sequence[Piece], lines: Path) -> Gathered:
    """Read what the pieces have noted in the folder `lines`."""
    count = sum(len(one.indices) for one in sets)
    columns, features, place = Columns(count), [], 0
    faults: list[list[tuple[int, str]]] = [[] for _ in sets]
    for number, which, _, indices in todo:
        found = json.loads(Path(lines, f"{number:07d}").read_text(encoding="utf-8"))
        columns.put(place, {"set": [sets[which].name] * len(indices)})
        columns.put(
            place,
            {
                name: _array(values, np.dtype(np.float32)) if isinstance(values, str) else values
                for name, values in found["columns"].items()
            },
        )
        features.append(_array(found["features"], FEATURES).reshape(len(indices), -1))
        faults[which] += [(index, reason) for index, reason in found["faults"]]
        place += len(indices)
    return Gathered(columns, np.concatenate(features), faults)


def _array(text: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The numbers that a piece has noted as bytes in base64."""
    return np.frombuffer(base64.b64decode(text), dtype)

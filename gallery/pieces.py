"""The work of reading some pictures of a page, for `render.dataset.crew`: their scripts, factors and features."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gallery.columns import LOOK, together
from gallery.photos import Photos
from gallery.scripts import listed, script
from gallery.sets import Source
from gallery.tiles import FACTORS, OBJECTS, Tiles
from render.dataset.dataset import Dataset
from scenes.files import replacing
from scenes.outputs import told
from training.data.description import FEATURES, NOT_DESCRIBED, describe
from training.looks import looks

Piece = tuple[int, int, int, Sequence[int]]
"""Number of the piece, number of its set, number of its scripts in the set, and the indices of its pictures."""


def script_name(number: int, kind: str, chunk: int) -> str:
    """The name of the script with some items of a set. number: the set's. Its path is `data/NAME.js`."""
    return f"{number}/{kind}/{chunk}"


def _text(array: NDArray[Any]) -> str:
    """The bytes of an array in base64."""
    return base64.b64encode(array.tobytes()).decode()


def open_work(sets: Sequence[dict[str, Any]], side: int, out: str | None, lines: str) -> Callable[[Piece], None]:
    """The function that reads a piece, writes its scripts below `out`, and its factors and features into `lines`.

    sets: what `Chosen.spec` says of each. out: None to write no scripts.
    """
    cv2.setNumThreads(1)  # the pieces are shared by processes
    sources: list[Source] = [
        Photos(Path(one["where"]), side) if one["photos"] else Tiles(Dataset.open(Path(one["where"])), side)
        for one in sets
    ]

    def read(piece: Piece) -> None:
        number, which, chunk, indices = piece
        source = sources[which]
        rows, features, items = [], [], []
        faults: dict[int, str] = {}
        for index in indices:
            row, picture, fault = source.described(index)
            if picture is None:
                faults[index] = fault
                features.append(NOT_DESCRIBED)
            else:
                row |= {f"{LOOK}{name}": value for name, value in looks(picture).items()}
                features.append(describe(picture))
            rows.append(row)
            items.append(source.items(index, [*source.kinds, OBJECTS, FACTORS] if out is not None else ()))
        # Numbers as bytes: in digits they would take as long to write and to read as to find out.
        columns = {
            name: _text(values) if isinstance(values, np.ndarray) else values for name, values in together(rows).items()
        }
        found = {"columns": columns, "features": _text(np.array(features, FEATURES)), "faults": list(faults.items())}
        with told(Path(lines)):
            for kind in items[0]:
                path = Path(out or "", f"{script_name(which, kind, chunk)}.js")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(script(script_name(which, kind, chunk), listed(item[kind] for item in items)))
            with replacing(Path(lines, f"{number:07d}")) as temporary:
                temporary.write_text(json.dumps(found, allow_nan=False), encoding="utf-8")

    return read

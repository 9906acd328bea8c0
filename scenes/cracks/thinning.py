"""Masks of lines thinned to one pixel."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

# The eight neighbors in order around a pixel, from the one above.
_AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))


def _peelable() -> tuple[Mask, Mask]:
    """Two (256,) tables by the bits of the neighbors: pixels peeled in each half step of Guo and Hall (1989)."""
    tables = np.zeros((2, 256), bool)
    for code in range(256):
        ring = [bool(code >> k & 1) for k in range(8)]
        crossings = sum(not ring[k] and (ring[k + 1] or ring[(k + 2) % 8]) for k in (0, 2, 4, 6))
        pairs = min(sum(ring[k] or ring[(k + 1) % 8] for k in first) for first in ((0, 2, 4, 6), (1, 3, 5, 7)))
        for half, (side, *corner) in enumerate(((6, 4, 5, 7), (2, 0, 1, 3))):
            stays = ring[side] and (ring[corner[0]] or ring[corner[1]] or not ring[corner[2]])
            tables[half, code] = crossings == 1 and 2 <= pairs <= 3 and not stays
    return tables[0], tables[1]


_PEELABLE = _peelable()


def thinned(mask: Mask) -> Mask:
    """(H, W) the mask thinned from all sides to lines one pixel wide. Connected parts stay connected.

    A half step looks at a pixel again only when a neighbor is gone. So the time grows with the pixels that are peeled,
    not with the area times the width of the lines.
    """
    padded = np.pad(mask, 1)
    flat = padded.reshape(-1)
    offsets = np.array([down * padded.shape[1] + right for down, right in _AROUND])
    inner = cv2.erode(padded.view(np.uint8), np.ones((3, 3), np.uint8)).view(bool)
    # For each half step, the pixels whose neighbors have changed since it looked at them. Inner ones stay for now.
    waiting = [np.flatnonzero(padded & ~inner)] * 2
    while any(map(len, waiting)):
        for half, table in enumerate(_PEELABLE):
            seen = waiting[half][flat[waiting[half]]]
            codes = np.packbits(flat[seen[:, None] + offsets], axis=1, bitorder="little")[:, 0]
            peeled = seen[table[codes]]
            flat[peeled] = False
            around = (peeled[:, None] + offsets).reshape(-1)
            waiting[half] = np.unique(around[flat[around]])
            waiting[1 - half] = np.concatenate([waiting[1 - half], waiting[half]])
    _pared(padded)
    return padded[1:-1, 1:-1].copy()


def _removable() -> Mask:
    """(256,) indexed by the bits of the neighbors: whether a pixel can go without breaking or shortening the line."""
    table = np.zeros(256, dtype=bool)
    for code in range(256):
        ring = [bool(code >> k & 1) for k in range(8)]
        # Exactly one 4-connected run of background touches a side of the pixel.
        crossings = sum(not ring[k] and (ring[k + 1] or ring[(k + 2) % 8]) for k in (0, 2, 4, 6))
        table[code] = crossings == 1 and sum(ring) >= 2
    return table


_REMOVABLE = _removable()


def _pared(mask: Mask) -> None:
    """Removes the pixels that the lines of a mask (H, W) do not need, in place. The outermost pixels must be empty.

    Pixels whose rows and columns have the same parity are not neighbors, so a quarter of them is tested at once.
    """
    width = mask.shape[1]
    flat = mask.reshape(-1)
    offsets = np.array([down * width + right for down, right in _AROUND])
    places = np.flatnonzero(flat)
    while True:
        before, kind = len(places), places // width % 2 * 2 + places % width % 2
        for parity in range(4):
            some = places[kind == parity]
            codes = np.packbits(flat[some[:, None] + offsets], axis=1, bitorder="little")[:, 0]
            flat[some[_REMOVABLE[codes]]] = False
        places = places[flat[places]]
        if len(places) == before:
            return

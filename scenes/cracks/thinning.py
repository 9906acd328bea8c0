"""Masks of lines thinned to one pixel, in place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# The eight neighbours in order around a pixel.
_AROUND = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))


def _removable() -> NDArray[np.bool_]:
    """(256,) by the neighbours' bits: whether a pixel can go without parting or shortening the line."""
    table = np.zeros(256, dtype=bool)
    for code in range(256):
        ring = [bool(code >> k & 1) for k in range(8)]
        # Runs of background, 4-connected: exactly one of them touches the pixel's side.
        crossings = sum(not ring[k] and (ring[(k + 1) % 8] or ring[(k + 2) % 8]) for k in (1, 3, 5, 7))
        table[code] = crossings == 1 and sum(ring) >= 2
    return table


_REMOVABLE = _removable()


def thin(mask: NDArray[np.bool_]) -> None:
    """Removes from a mask (H, W), in place, what its lines do not need; the outermost pixels must be empty.

    Pixels whose rows and columns have the same parity are no neighbours, so a quarter can be judged at once.
    """
    width = mask.shape[1]
    flat = mask.reshape(-1)
    offsets = np.array([dy * width + dx for dy, dx in _AROUND])
    places = np.flatnonzero(flat)
    while True:
        before = len(places)
        for parity in range(4):
            some = places[((places // width) % 2) * 2 + places % width % 2 == parity]
            code = (flat[some[:, None] + offsets] << np.arange(8)).sum(axis=1)
            flat[some[_REMOVABLE[code]]] = False
        places = places[flat[places]]
        if len(places) == before:
            return

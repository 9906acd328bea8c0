"""Thinning looks only at pixels that may go, and gives what looking at all of them gives."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from scenes.cracks import thinning


def peeled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The half steps of Guo and Hall over all pixels, until nothing changes, and then the paring."""
    found, before = np.pad(mask, 1), None
    while before is None or (found != before).any():
        before = found.copy()
        for table in thinning._PEELABLE:
            around = [np.roll(found, (-down, -right), (0, 1)) for down, right in thinning._AROUND]
            codes = sum(one.astype(np.int64) << bit for bit, one in enumerate(around))
            found &= ~table[codes]
    thinning._pared(found)
    return found[1:-1, 1:-1]


@pytest.mark.parametrize("seed", range(24))
def test_what_looks_at_all_pixels_finds_no_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 60, 2)
    smooth = cv2.GaussianBlur(rng.normal(size=(height, width)), (0, 0), rng.choice([0.01, 1, 3]))
    mask = smooth > np.quantile(smooth, rng.random())
    np.testing.assert_array_equal(thinning.thinned(mask), peeled(mask))


def test_all_or_nothing() -> None:
    assert not thinning.thinned(np.zeros((5, 7), bool)).any()
    full = np.ones((9, 30), bool)
    np.testing.assert_array_equal(thinning.thinned(full), peeled(full))

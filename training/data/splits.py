"""Parts of a set that depend on (seed, name of the picture) alone: not on the order, nor on where the set lies."""

from __future__ import annotations

import hashlib
from math import floor

import numpy as np
from numpy.typing import NDArray

from training.data.pictures import Pictures, chosen


def parted(pictures: Pictures, share: float, *, seed: int = 0, purpose: str = "share") -> tuple[Pictures, Pictures]:
    """A part of `share` in [0, 1] of each class, and the rest; both in the order of the set.

    A class's part is its `share`, rounded, and at least one picture unless the share is 0. With the same seed and
    purpose, a smaller part lies within a larger one; parts of different purpose are independent. Pictures without a
    class are a class of their own.
    """
    taken = np.zeros(len(pictures), bool)
    ranks = np.array([_rank(seed, purpose, pictures.key(i)) for i in range(len(pictures))], np.uint64)
    for label in np.unique(pictures.labels):
        members = np.flatnonzero(pictures.labels == label)
        count = max(1, floor(share * len(members) + 0.5)) if share > 0 else 0
        taken[members[np.argsort(ranks[members], kind="stable")[:count]]] = True
    percent = f"{share * 100:g} %"
    return (
        chosen(pictures, _places(taken), percent),
        chosen(pictures, _places(~taken), f"all but {percent}"),
    )


def halves(pictures: Pictures, *, seed: int = 0) -> tuple[Pictures, Pictures]:
    """One half of each class to adapt to, the other to test on; the odd picture is tested on."""
    test, adapt = parted(pictures, 0.5, seed=seed, purpose="half")
    return adapt, test


def _places(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.flatnonzero(mask).astype(np.int64)


def _rank(seed: int, purpose: str, key: str) -> int:
    text = f"{seed}\0{purpose}\0{key}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")

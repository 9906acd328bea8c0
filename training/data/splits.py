"""Parts of a set that depend on (seed, name of the picture) alone: not on the order, nor on where the set lies."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from math import floor

import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError
from training.data.pictures import ImageDataset, chosen

ALL = "all"
"""The split that is the whole set."""


def parted(
    pictures: ImageDataset, share: float, *, seed: int = 0, purpose: str = "share"
) -> tuple[ImageDataset, ImageDataset]:
    """A part of `share` in [0, 1] of each class, and the rest; both in the order of the set.

    A class's part is its `share`, rounded, and at least one picture unless the share is 0. With the same seed and
    purpose, a smaller part lies within a larger one; parts of different purpose are independent. Pictures without a
    class are a class of their own.
    """
    taken = np.zeros(len(pictures), bool)
    keys = [pictures.key(i) for i in range(len(pictures))]
    for label in np.unique(pictures.labels):
        members = np.flatnonzero(pictures.labels == label)
        taken[members] = share_of([keys[i] for i in members], share, seed, purpose)
    percent = f"{share * 100:g} %"
    return (
        chosen(pictures, _places(taken), percent),
        chosen(pictures, _places(~taken), f"all but {percent}"),
    )


def share_of(keys: Sequence[str], share: float, seed: int = 0, purpose: str = "share") -> NDArray[np.bool_]:
    """(N,) set for the pictures, by their keys, of a part of `share`, as `parted` takes it of one class."""
    ranks = np.array([_rank(seed, purpose, key) for key in keys], np.uint64)
    count = max(1, floor(share * len(keys) + 0.5)) if share > 0 else 0
    taken = np.zeros(len(keys), bool)
    taken[np.argsort(ranks, kind="stable")[:count]] = True
    return taken


def halves_of(keys: Sequence[str], seed: int = 0) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(N,) set for the pictures to adapt to, and for those to test on, as `halves` takes them of one class."""
    test = share_of(keys, 0.5, seed, "half")
    return ~test, test


def split_named(split: str) -> tuple[str, float]:
    """The part that a split names, and the share of it. Raises InputError: one line."""
    part, slash, percent = split.partition("/")
    if not slash:
        return part, 1.0
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", percent)
    if found is None or float(found[1]) > 100:
        raise InputError(f"split '{split}': after the slash stands a share from 0% to 100%, like {part}/25%")
    return part, float(found[1]) / 100


def halves(pictures: ImageDataset, *, seed: int = 0) -> tuple[ImageDataset, ImageDataset]:
    """One half of each class to adapt to, the other to test on; the odd picture is tested on."""
    test, adapt = parted(pictures, 0.5, seed=seed, purpose="half")
    return adapt, test


def _places(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.flatnonzero(mask).astype(np.int64)


def _rank(seed: int, purpose: str, key: str) -> int:
    text = f"{seed}\0{purpose}\0{key}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")

"""Parts of a set. They depend only on the seed and the names of the pictures, not on order or location."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from math import floor

import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError
from training.data.pictures import ImageDataset, chosen

ALL = "all"
"""The split that contains the whole set."""


def parted(
    pictures: ImageDataset, share: float, *, seed: int = 0, purpose: str = "share"
) -> tuple[ImageDataset, ImageDataset]:
    """Divide a set into a share of each class, 0 to 1, and the rest. Both keep the order of the set.

    The number of pictures of each class is rounded, and is at least one unless the share is 0. With the same seed and
    purpose, a smaller part is contained in a larger one. Parts with different purposes are independent. Pictures
    without a class count as one class.
    """
    taken = np.zeros(len(pictures), bool)
    for label in np.unique(pictures.labels):
        members = np.flatnonzero(pictures.labels == label)
        taken[members] = share_of((pictures.key(i) for i in members), share, seed, purpose)
    percent = f"{share * 100:g} %"
    return (
        chosen(pictures, _places(taken), percent),
        chosen(pictures, _places(~taken), f"all but {percent}"),
    )


def share_of(keys: Iterable[str], share: float, seed: int = 0, purpose: str = "share") -> NDArray[np.bool_]:
    """(N,) bool, True for the share of the pictures with these keys, as `parted` chooses it in one class."""
    ranks = np.fromiter((_rank(seed, purpose, key) for key in keys), np.uint64)
    count = max(1, floor(share * len(ranks) + 0.5)) if share > 0 else 0
    taken = np.zeros(len(ranks), bool)
    taken[np.argsort(ranks, kind="stable")[:count]] = True
    return taken


def halves_of(keys: Sequence[str], seed: int = 0) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Two (N,) bool: the pictures to adapt to and those to test on, as `halves` chooses them in one class."""
    test = share_of(keys, 0.5, seed, "half")
    return ~test, test


def split_named(split: str) -> tuple[str, float]:
    """Parse a split such as `adapt/25%` into its part and its share. Raises InputError."""
    part, slash, percent = split.partition("/")
    if not slash:
        return part, 1.0
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", percent)
    if found is None or float(found[1]) > 100:
        raise InputError(f"split '{split}': write a percentage from 0% to 100% after the slash, like {part}/25%")
    return part, float(found[1]) / 100


def halves(pictures: ImageDataset, *, seed: int = 0) -> tuple[ImageDataset, ImageDataset]:
    """Two halves of each class: one to adapt to, one to test on. An odd picture goes to the test half."""
    test, adapt = parted(pictures, 0.5, seed=seed, purpose="half")
    return adapt, test


def _places(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.flatnonzero(mask).astype(np.int64)


def _rank(seed: int, purpose: str, key: str) -> int:
    text = f"{seed}\0{purpose}\0{key}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")

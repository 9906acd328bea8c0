"""Choices among names that stay as they are when a name comes or goes: weighted rendezvous hashing.

Each choice has a key, each name a hash. Both together give each name a score, and the best name is chosen. A further
name can only win for itself, and a name that goes leaves the order of the others as it was. So an asset more changes
only those pictures that get it. (Thaler and Ravishankar 1998, "Using name-based mappings to increase hit rates".)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Names(tuple[str, ...]):
    """Names to choose from. Their order does not matter. No name is there twice.

    >>> names = Names(f"shape:mug:{k}" for k in range(100))
    >>> more = Names([*names, "shape:mug:100"])
    >>> [names.chosen(key) for key in range(10)] == [more.chosen(key) for key in range(10)]
    True
    """

    @cached_property
    def _hashes(self) -> NDArray[np.uint64]:
        """(n,), the same on every machine. File names need not be valid Unicode."""
        digests = (hashlib.blake2b(name.encode(errors="surrogateescape"), digest_size=8).digest() for name in self)
        return np.frombuffer(b"".join(digests), "<u8")

    def chosen(self, key: int, waits: NDArray[np.float64] | None = None) -> str:
        """The name that a choice takes. key: the 64 random bits of the choice. waits: (n,) the inverse of each name's
        weight, inf for a name that is never taken; by default all are equal."""
        return self[int(self._scores(key, waits).argmax())]

    def at(self, quantile: float) -> str:
        """The name at a share, 0 to 1, of the way through the names in their order."""
        return self[int(quantile * len(self))]

    def below(self, folders: tuple[str, ...]) -> Names:
        """The names that have one of some folders at their beginning, or are one.

        >>> Names(["wood/oak", "wood/old/pine", "woodland", "stone"]).below(("wood", "stone"))
        ('wood/oak', 'wood/old/pine', 'stone')
        """
        if folders not in self._below:
            found = (name for name in self if any(name == one or name.startswith(f"{one}/") for one in folders))
            self._below[folders] = self._some(found)
        return self._below[folders]

    @cached_property
    def _below(self) -> dict[tuple[str, ...], Names]:
        return {}

    def _some(self, names: Iterable[str]) -> Names:
        return Names(names)

    def _scores(self, key: int, waits: NDArray[np.float64] | None = None) -> NDArray[Any]:
        """(n,) the larger the better."""
        scores = _mixed(self._hashes ^ np.uint64(key))
        if waits is None:
            return scores
        # log(u) * wait is minus the time of an event that comes with the rate 1 / wait. Of several such events, the
        # share of each in coming first is its rate. If all are equal, it is the largest u, as above.
        u = ((scores >> _LOW) + 0.5) * 2.0**-53
        return np.log(u) * waits


class Candidates(Names):
    """Names of things that are looked at only when they are chosen; one that is of no use leaves its place to the next.

    The next is the name that would have been chosen if the useless one were not there. So a choice depends on the files
    alone, and not on which of them the process looked at before.

    usable: whether a thing can be used. lost: makes the error where none can.

    >>> Candidates(["a", "b"], lambda name: name != "a", ValueError).chosen(7)
    'b'
    """

    _usable: Callable[[str], bool]
    _lost: Callable[[], Exception]

    def __new__(cls, names: Iterable[str], usable: Callable[[str], bool], lost: Callable[[], Exception]) -> Candidates:
        self = super().__new__(cls, names)
        self._usable, self._lost = usable, lost
        return self

    def _some(self, names: Iterable[str]) -> Candidates:
        return Candidates(names, self._usable, self._lost)

    def chosen(self, key: int, waits: NDArray[np.float64] | None = None) -> str:
        best = super().chosen(key, waits)
        if self._usable(best):
            return best
        order = np.argsort(self._scores(key, waits), kind="stable")[::-1]
        return self._first(self[int(place)] for place in order)

    def at(self, quantile: float) -> str:
        start = int(quantile * len(self))
        return self._first([*self[start:], *self[:start]])

    def all_usable(self) -> tuple[str, ...]:
        """Those that can be used. All are looked at."""
        return tuple(filter(self._usable, self))

    def _first(self, order: Iterable[str]) -> str:
        for name in order:
            if self._usable(name):
                return name
        raise self._lost()


_LOW = np.uint64(11)


def _mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of splitmix64: every bit of the result depends on every bit of z. Changes z in place."""
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z

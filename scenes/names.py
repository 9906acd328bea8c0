"""Choices among names that stay as they are when a name comes or goes: weighted rendezvous hashing.

Each choice has a key, each name a hash. Both together give each name a score, and the best name is chosen. A further
name can only win for itself, and a name that goes leaves the order of the others as it was. So an asset more changes
only those pictures that get it. (Thaler and Ravishankar 1998, "Using name-based mappings to increase hit rates".)
"""

from __future__ import annotations

import hashlib
from functools import cached_property

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
        scores = _mixed(self._hashes ^ np.uint64(key))
        if waits is None:
            return self[int(scores.argmax())]
        # log(u) * wait is minus the time of an event that comes with the rate 1 / wait. Of several such events, the
        # share of each in coming first is its rate. If all are equal, it is the largest u, as above.
        u = ((scores >> _LOW) + 0.5) * 2.0**-53
        return self[int((np.log(u) * waits).argmax())]


_LOW = np.uint64(11)


def _mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of splitmix64: every bit of the result depends on every bit of z. Changes z in place."""
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z

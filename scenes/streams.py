"""Random streams: one for each factor of each picture, so that a change of one factor leaves all others as they were.

A stream is keyed by (seed, index, factor name). The key selects a Philox-4x64 sequence (Salmon et al. 2011,
"Parallel random numbers: as easy as 1, 2, 3"): seed and hashed name are its 128-bit key, the index its counter's
highest word. Nothing is carried from one draw to the next, so the order of drawing does not matter.

A factor takes one 64-bit word of its stream: as a uniform number for a quantile, or as the key of a choice among names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from scenes.distributions import Choice, Distribution, Fixed
from scenes.names import Names

Renamed = tuple[tuple[str, str], ...]
"""New and old names of renamed factors, the longest path first. The streams keep the old names, so pictures do not
change. Each pair also applies to all factors below that path."""


@lru_cache(maxsize=65536)
def _name_key(factor: str, renamed: Renamed) -> int:
    for path, older in renamed:
        if factor == path or factor.startswith(f"{path}."):
            factor = older + factor.removeprefix(path)
            break
    return int.from_bytes(hashlib.blake2b(factor.encode(), digest_size=8).digest(), "little")


class Streams:
    """The random streams of one picture.

    Parameters
    ----------
    seed, index : int
        Seed of the data set and index of the picture, in [0, 2**64).
    fixed_quantiles : mapping of str to float, optional
        Numbers in [0, 1) that replace random draws, by factor name. Use them to vary one factor and fix all others.
    renamed : tuple of (str, str)
        New and old names of renamed factors. The streams keep the old names.

    Examples
    --------
    >>> from blendmill import Streams
    >>> Streams(0, 3).quantile("camera.roll") == Streams(0, 3).quantile("camera.roll")
    True
    >>> Streams(0, 3, {"camera.roll": 0.25}).quantile("camera.roll")
    0.25
    """

    def __init__(
        self, seed: int, index: int, fixed_quantiles: Mapping[str, float] | None = None, renamed: Renamed = ()
    ):
        self.seed, self.index, self._renamed = seed, index, renamed
        self._fixed = dict(fixed_quantiles or {})
        self._philox = np.random.Philox(key=[seed, 0], counter=[0, 0, 0, index])
        self._generator = np.random.Generator(self._philox)
        self._start: Any = _of_lists(self._philox.state)

    def at(self, index: int) -> Streams:
        """The streams of another picture of the same seed, with the same fixed quantiles."""
        return Streams(self.seed, index, self._fixed, self._renamed)

    def quantile(self, factor: str) -> float:
        """The uniform number in [0, 1) of a factor. The method `at` of a distribution turns it into a value."""
        if factor in self._fixed:
            return self._fixed[factor]
        return float(self._reset(factor).random())

    def value(self, factor: str, distribution: Distribution) -> Any:
        """The value of a factor."""
        # A fixed value needs no quantile. Drawing quantiles takes most of the time of sampling.
        if isinstance(distribution, Fixed):
            return distribution.value
        if isinstance(distribution, Choice) and distribution.names and factor not in self._fixed:
            names, waits = distribution.names
            return names.chosen(self.key(factor), waits)
        return distribution.at(self.quantile(factor))

    def one_of(self, factor: str, names: Names) -> str:
        """One of some names, all equally likely. A fixed quantile runs through them in their order."""
        if factor in self._fixed:
            return names.at(self._fixed[factor])
        return names.chosen(self.key(factor))

    def key(self, factor: str) -> int:
        """The 64 random bits that a factor's choice among names goes by; `quantile` has the upper 53 of them."""
        self._reset(factor)
        return int(self._philox.random_raw())

    def generator(self, factor: str) -> np.random.Generator:
        """A random generator for a factor that needs more than one number, such as placement or noise."""
        key = [self.seed, _name_key(factor, self._renamed)]
        return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, self.index]))

    def _reset(self, factor: str) -> np.random.Generator:
        # Setting the state costs a fifth of building a new generator, and a scene draws a hundred numbers.
        self._start["state"]["key"][1] = _name_key(factor, self._renamed)
        self._philox.state = self._start
        return self._generator


def _of_lists(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state of a bit generator with lists in place of arrays: numpy reads them number by number, twice as fast."""
    return {
        name: _of_lists(value) if isinstance(value, Mapping) else value.tolist() if hasattr(value, "tolist") else value
        for name, value in state.items()
    }


class Recorder(Streams):
    """Streams that remember which factors were asked for."""

    def __init__(self, seed: int, index: int, renamed: Renamed = ()):
        super().__init__(seed, index, None, renamed)
        self.named: set[str] = set()

    def quantile(self, factor: str) -> float:
        self.named.add(factor)
        return super().quantile(factor)

    def key(self, factor: str) -> int:
        self.named.add(factor)
        return super().key(factor)

"""Distributions in pieces: each value, or ranges of equal probability. Pieces with other shares are a distribution."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from scenes.distributions import (
    Choice,
    Distribution,
    Fixed,
    LogUniform,
    Mixture,
    Normal,
    SineUniform,
    Uniform,
    Whole,
)

_WHOLE = 16
"""Whole numbers of a range that are pieces of their own."""

_FINE = 1 << 20
"""Steps in which a quantile is searched for."""

_Interval = Uniform | LogUniform | SineUniform | Normal


@dataclass(frozen=True)
class Piece:
    """A part of a distribution. share: its probability. of: what is drawn within it."""

    share: float
    of: Distribution


@dataclass(frozen=True)
class Pieces:
    """A distribution in pieces, each value or range once. steps: the same pieces in the order of the quantiles, where
    one may stand several times: the index of the piece, and where it ends."""

    whole: Distribution
    pieces: tuple[Piece, ...]
    steps: tuple[tuple[int, float], ...]

    def __len__(self) -> int:
        return len(self.pieces)

    @property
    def shares(self) -> np.ndarray:
        """(n,) float64, their sum is 1."""
        return np.array([piece.share for piece in self.pieces])

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers, and not names or flags."""
        return all(
            isinstance(value, (int, float)) and not isinstance(value, bool)
            for piece in self.pieces
            for value in piece.of.support()
        )

    @property
    def middles(self) -> tuple[Any, ...]:
        """The median of each piece, or its single value."""
        return tuple(piece.of.at(0.5) for piece in self.pieces)

    @property
    def neighbors(self) -> list[tuple[int, int]]:
        """The pairs of ranges of which one begins where the other ends."""
        ordered = [index for index, _ in self.steps]
        ends = [getattr(piece.of, "high", None) for piece in self.pieces]
        begins = [getattr(piece.of, "low", None) for piece in self.pieces]
        return [(i, j) for i, j in pairwise(ordered) if ends[i] is not None and ends[i] == begins[j]]

    @cached_property
    def _ends(self) -> np.ndarray:
        return np.array([end for _, end in self.steps])

    def at(self, quantile: float) -> int:
        """The piece that a quantile falls into."""
        step = int(np.searchsorted(self._ends, quantile, "right"))
        return self.steps[min(step, len(self.steps) - 1)][0]

    def of_value(self, value: Any) -> int:
        """The piece of a value of a choice."""
        return next(i for i, piece in enumerate(self.pieces) if piece.of == Fixed(value))

    def weighted(self, shares: Sequence[float]) -> Distribution:
        """The distribution with other shares of the pieces, rounded to four decimals. shares: (n,), their sum is 1."""
        kept = [(piece.of, piece.share) for piece in self._rounded(shares) if piece.share > 0]
        parts, weights = zip(*kept, strict=True)
        if isinstance(self.whole, Choice):
            return Choice(tuple(part.value for part in parts), weights)
        return Mixture(parts, weights)

    def moved(self, shares: Sequence[float]) -> Pieces:
        """The same pieces, as `weighted` draws them: in their order, each once. shares: (n,), their sum is 1."""
        pieces = self._rounded(shares)
        ends = accumulate(piece.share for piece in pieces)
        return Pieces(self.weighted(shares), pieces, tuple(enumerate(ends)))

    def _rounded(self, shares: Sequence[float]) -> tuple[Piece, ...]:
        rounded = np.round(np.asarray(shares, np.float64), 4)
        rounded[np.argmax(rounded)] += 1 - rounded.sum()
        return tuple(Piece(round(float(share), 4), one.of) for share, one in zip(rounded, self.pieces, strict=True))


def cut(distribution: Distribution, count: int) -> Pieces:
    """A distribution in about `count` pieces.

    A choice has a piece for each value, a range `count` pieces of equal probability, and a mixture as many of each part
    as its weight allows, but at least one. A single value is one piece. Up to 16 whole numbers of a range have a piece
    each; more of them are cut as a range at whole numbers, and its two ends are then half as likely as its middle.

    Examples
    --------
    >>> from scenes.distributions import parse
    >>> [piece.of.plain() for piece in cut(parse({"uniform": [0, 60]}), 3).pieces]
    [{'uniform': [0, 20.0]}, {'uniform': [20.0, 40.0]}, {'uniform': [40.0, 60]}]
    """
    found: dict[Distribution, int] = {}
    shares: list[float] = []
    steps: list[tuple[int, float]] = []
    end = 0.0
    for part in _parts(distribution, count):
        place = found.setdefault(part.of, len(found))
        if place == len(shares):
            shares.append(0.0)
        shares[place] += part.share
        end += part.share
        steps.append((place, end))
    pieces = tuple(Piece(share, of) for share, of in zip(shares, found, strict=True))
    return Pieces(distribution, pieces, tuple(steps))


def piece_text(piece: Piece) -> str:
    """A piece for people: its value, or the ends of its range."""
    if isinstance(piece.of, Fixed):
        return str(piece.of.value)
    low, high = piece.of.support()[0], piece.of.support()[-1]
    return f"{low:.4g} to {high:.4g}"


def _parts(distribution: Distribution, count: int, whole: bool = False) -> Iterator[Piece]:
    """The pieces in the order of the quantiles. whole: whether ranges end at whole numbers."""
    if isinstance(distribution, Whole):
        yield from _whole(distribution, count)
    elif isinstance(distribution, Choice):
        for value, weight in zip(distribution.values, distribution.weights, strict=True):
            if weight > 0:
                yield Piece(weight, Fixed(value))
    elif isinstance(distribution, Mixture):
        for part, weight in zip(distribution.parts, distribution.weights, strict=True):
            if weight > 0:
                inside = _parts(part, max(1, round(count * weight)), whole)
                yield from (Piece(piece.share * weight, piece.of) for piece in inside)
    elif isinstance(distribution, Fixed):
        yield Piece(1.0, distribution)
    else:
        yield from _ranges(distribution, count, whole)


def _ranges(distribution: _Interval, count: int, whole: bool) -> Iterator[Piece]:
    quantiles = [k / count for k in range(count + 1)]
    scale = max(abs(distribution.low), abs(distribution.high))
    inner: list[float] = [_short(distribution.at(u), scale) for u in quantiles[1:-1]]
    if whole:
        ends = {round(value) for value in inner}
        inner = sorted(float(end) for end in ends if distribution.low < end < distribution.high)
        quantiles = [0.0, *(_quantile(distribution, end) for end in inner), 1.0]
    edges = [distribution.low, *inner, distribution.high]
    for (low, high), (begin, end) in zip(pairwise(edges), pairwise(quantiles), strict=True):
        yield Piece(end - begin, _between(distribution, low, high))


def _quantile(distribution: _Interval, value: float) -> float:
    """The quantile of a value."""
    return bisect_left(range(_FINE), value, key=lambda k: distribution.at(k / _FINE)) / _FINE


def _whole(distribution: Whole, count: int) -> Iterator[Piece]:
    inner = distribution.of
    if isinstance(inner, Uniform) and (numbers := int(inner.high) - int(inner.low) + 1) <= _WHOLE:
        yield from (Piece(1 / numbers, Fixed(int(inner.low) + k)) for k in range(numbers))
    else:
        yield from _parts(inner, count, whole=True)


def _between(distribution: _Interval, low: float, high: float) -> _Interval:
    if isinstance(distribution, Normal):
        return Normal(low, high, distribution.mean, distribution.std)
    return type(distribution)(low, high)


def _short(value: float, scale: float) -> float:
    """An inner edge as a person would write it: with five digits, and 0 for what only rounding keeps from it."""
    return 0.0 if abs(value) < 1e-9 * scale else float(f"{value:.5g}")

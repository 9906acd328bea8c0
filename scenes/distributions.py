"""Distributions as quantile functions: every factor uses exactly one uniform number, whatever its distribution.

Choices among names go by stable keys instead (see `scenes.names`), so that a name more moves few pictures.

In YAML a distribution is a plain value (fixed) or one of

    {uniform: [low, high]}            {log_uniform: [low, high]}      {sine_uniform: [low, high]} (elevations)
    {normal: {mean: m, std: s, low: a, high: b}}          truncated to [a, b]
    {choice: [a, b, c]}               {choice: {a: 0.7, b: 0.3}}      weights sum to 1
    {mixture: [{weight: 0.5, of: …}, {weight: 0.5, of: …}]}; a mixture of names is a choice
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.errors import choices
from scenes.names import Names

Value = float | int | str | bool
Triple = tuple[float, float, float]

_STANDARD = NormalDist()


@dataclass(frozen=True)
class Fixed:
    """Always the same value."""

    value: Any

    def at(self, u: float) -> Any:
        return self.value

    def support(self) -> list[Any]:
        return [self.value]

    def plain(self) -> Any:
        return list(self.value) if isinstance(self.value, tuple) else self.value


@dataclass(frozen=True)
class _Interval:
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"range [{self.low:g}, {self.high:g}] is empty: the first number must be the smaller")

    def support(self) -> list[Any]:
        return [self.low, self.high]


@dataclass(frozen=True)
class Uniform(_Interval):
    """Even over [low, high)."""

    def at(self, u: float) -> float:
        return self.low + u * (self.high - self.low)

    def plain(self) -> Any:
        return {"uniform": [self.low, self.high]}


@dataclass(frozen=True)
class LogUniform(_Interval):
    """Even in the logarithm over [low, high)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low <= 0:
            raise ValueError(f"log_uniform needs positive numbers, not {self.low:g}")

    def at(self, u: float) -> float:
        return float(self.low * (self.high / self.low) ** u)

    def plain(self) -> Any:
        return {"log_uniform": [self.low, self.high]}


@dataclass(frozen=True)
class SineUniform(_Interval):
    """An elevation in degrees such that directions are even over the sphere's area: even in the sine."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low < -90 or self.high > 90:
            raise ValueError(f"elevations lie in [-90, 90], not [{self.low:g}, {self.high:g}]")

    def at(self, u: float) -> float:
        low, high = math.sin(math.radians(self.low)), math.sin(math.radians(self.high))
        return math.degrees(math.asin(min(max(low + u * (high - low), -1.0), 1.0)))

    def plain(self) -> Any:
        return {"sine_uniform": [self.low, self.high]}


@dataclass(frozen=True)
class Normal(_Interval):
    """A normal distribution cut off at low and high."""

    mean: float
    std: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.std <= 0:
            raise ValueError(f"normal needs a positive std, not {self.std:g}")
        low, high = self._cut()
        if high - low < 1e-9:
            raise ValueError(
                f"normal({self.mean:g}, {self.std:g}) has almost no probability in [{self.low:g}, {self.high:g}]"
            )

    def _cut(self) -> tuple[float, float]:
        return _STANDARD.cdf((self.low - self.mean) / self.std), _STANDARD.cdf((self.high - self.mean) / self.std)

    def at(self, u: float) -> float:
        low, high = self._cut()
        p = min(max(low + u * (high - low), 1e-15), 1 - 1e-15)
        return min(max(self.mean + self.std * _STANDARD.inv_cdf(p), self.low), self.high)

    def plain(self) -> Any:
        return {"normal": {"mean": self.mean, "std": self.std, "low": self.low, "high": self.high}}


@lru_cache(maxsize=4096)
def _cumulative(weights: tuple[float, ...]) -> tuple[tuple[float, ...], int]:
    """The running sums, and the index of the last entry with a positive weight."""
    return tuple(accumulate(weights)), max(i for i, w in enumerate(weights) if w > 0)


def _check_weights(weights: tuple[float, ...]) -> None:
    if not weights:
        raise ValueError("there is nothing to choose from")
    if min(weights) < 0:
        raise ValueError(f"weight {min(weights):g} is negative")
    if abs(sum(weights) - 1) > 1e-6:
        raise ValueError(f"weights sum to {sum(weights):g}, they must sum to 1")


def _pick(weights: tuple[float, ...], u: float) -> tuple[int, float]:
    """The index of the chosen entry, and u rescaled to be uniform in [0, 1) within that entry."""
    total, last = _cumulative(weights)
    index = min(bisect_right(total, u), last)
    below = total[index] - weights[index]
    return index, min(max((u - below) / weights[index], 0.0), math.nextafter(1.0, 0.0))


@dataclass(frozen=True)
class Choice:
    """One of some values. Names are there once each."""

    values: tuple[Any, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_weights(self.weights)

    def at(self, u: float) -> Any:
        return self.values[_pick(self.weights, u)[0]]

    @cached_property
    def names(self) -> tuple[Names, NDArray[np.float64]] | None:
        """The names with the inverse of their weights, if all values are names."""
        if not _all_names(self.values):
            return None
        return Names(self.values), np.array([1 / weight if weight > 0 else math.inf for weight in self.weights])

    def support(self) -> list[Any]:
        return list(self.values)

    def plain(self) -> Any:
        # JSON only has strings as keys. Other values need the longer form.
        if _all_names(self.values):
            return {"choice": dict(zip(self.values, self.weights, strict=True))}
        return Mixture(tuple(Fixed(v) for v in self.values), self.weights).plain()


@dataclass(frozen=True)
class Mixture:
    """One of some distributions."""

    parts: tuple[Distribution, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_weights(self.weights)

    def at(self, u: float) -> Any:
        index, rest = _pick(self.weights, u)
        return self.parts[index].at(rest)

    def support(self) -> list[Any]:
        return [value for part in self.parts for value in part.support()]

    def plain(self) -> Any:
        return {"mixture": [{"weight": w, "of": p.plain()} for p, w in zip(self.parts, self.weights, strict=True)]}


@dataclass(frozen=True)
class Whole:
    """Whole numbers drawn from another distribution. Both ends of an interval are as likely as its middle."""

    of: Distribution

    def at(self, u: float) -> int:
        return whole(self.of, u)

    def support(self) -> list[Any]:
        return self.of.support()

    def plain(self) -> Any:
        return self.of.plain()


Distribution = Fixed | Uniform | LogUniform | SineUniform | Normal | Choice | Mixture | Whole


def finite_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number{_remedy(value)}")
    return value


def _remedy(value: Any) -> str:
    """What to write in place of a text."""
    if not isinstance(value, str):
        return ""
    try:
        return "; write it without quotes and leading zeros" if math.isfinite(float(value)) else ""
    except ValueError:
        return "; write digits alone, in the unit of the field, with a point"


def _interval(kind: Callable[[float, float], Distribution]) -> Callable[[Any], Distribution]:
    def parse(body: Any) -> Distribution:
        if not (isinstance(body, (list, tuple)) and len(body) == 2):
            raise ValueError(f"{body!r} is not two numbers, [low, high]")
        return kind(finite_number(body[0]), finite_number(body[1]))

    return parse


def _normal(body: Any) -> Distribution:
    if not isinstance(body, dict) or set(body) != {"mean", "std", "low", "high"}:
        raise ValueError("normal takes {mean: , std: , low: , high: }")
    return Normal(*(finite_number(body[key]) for key in ("low", "high", "mean", "std")))


def _choice(body: Any) -> Distribution:
    if isinstance(body, dict):
        return Choice(tuple(body), tuple(finite_number(w) for w in body.values()))
    if not isinstance(body, list):
        raise ValueError("choice takes a list, or a mapping of values to weights")
    values, weights = tuple(_plain_value(v) for v in body), tuple(1 / len(body) for _ in body)
    return _names(zip(values, weights, strict=True)) if body and _all_names(values) else Choice(values, weights)


def _all_names(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _names(weighted: Iterable[tuple[str, float]]) -> Choice:
    """A choice of names, of which some may be given several times."""
    total: dict[str, float] = {}
    for name, weight in weighted:
        total[name] = total.get(name, 0.0) + weight
    return Choice(tuple(total), tuple(total.values()))


def _mixture(body: Any) -> Distribution:
    entries = body if isinstance(body, list) else []
    if not entries or not all(isinstance(e, dict) and set(e) == {"weight", "of"} for e in entries):
        raise ValueError("mixture takes a list of {weight: , of: }")
    mixture = Mixture(tuple(parse(e["of"]) for e in entries), tuple(finite_number(e["weight"]) for e in entries))
    return _names(_shares(mixture, 1.0)) if _all_names(mixture.support()) else mixture


def _shares(distribution: Distribution, of: float) -> Iterator[tuple[str, float]]:
    """Each value of a distribution over names, with its share of `of`."""
    if isinstance(distribution, Choice):
        yield from ((name, of * weight) for name, weight in zip(distribution.values, distribution.weights, strict=True))
    elif isinstance(distribution, Mixture):
        for part, weight in zip(distribution.parts, distribution.weights, strict=True):
            yield from _shares(part, of * weight)
    elif isinstance(distribution, Fixed):
        yield distribution.value, of


_PARSERS: dict[str, Callable[[Any], Distribution]] = {
    "uniform": _interval(Uniform),
    "log_uniform": _interval(LogUniform),
    "sine_uniform": _interval(SineUniform),
    "normal": _normal,
    "choice": _choice,
    "mixture": _mixture,
}


def _plain_value(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        if value and _all_names(value):
            raise ValueError(f"{value!r} is not a value; a choice is written {{choice: [{', '.join(value)}]}}")
        if len(value) != 3:
            raise ValueError(f"{value!r} is not three numbers; a range is written {{uniform: [low, high]}}")
        return tuple(finite_number(v) for v in value)
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return finite_number(value)
    raise ValueError(f"{value!r} is neither a value nor a distribution")


def parse(value: Any) -> Distribution:
    """Make a distribution from its YAML form.

    Parameters
    ----------
    value : bool, float, str, sequence of three floats, or dict
        A fixed value, or one of the forms in the text of this module, such as ``{"uniform": [low, high]}``.

    Returns
    -------
    Distribution
        Its method `at` maps a uniform number in [0, 1) to a value.

    Raises
    ------
    ValueError
        The message is one line that says what is accepted.

    Examples
    --------
    >>> from blendmill import parse
    >>> parse({"uniform": [2, 6]}).at(0.25)
    3.0
    """
    if isinstance(value, Distribution):
        return value
    if not isinstance(value, dict):
        return Fixed(_plain_value(value))
    if len(value) != 1:
        kinds = ", ".join(_PARSERS)
        raise ValueError(
            f"a distribution has one key of {kinds}; this has {len(value)}, a range is written {{uniform: [low, high]}}"
        )
    ((kind, body),) = value.items()
    if kind not in _PARSERS:
        raise ValueError(f"unknown distribution '{kind}', {choices(str(kind), _PARSERS)}")
    return _PARSERS[kind](body)


def whole(distribution: Distribution, u: float) -> int:
    """A whole number from a distribution. Both ends of an interval are as likely as its middle."""
    if isinstance(distribution, Uniform):
        return min(int(distribution.low + u * (distribution.high - distribution.low + 1)), int(distribution.high))
    return round(distribution.at(u))

"""Annotations of config fields that hold a distribution: `numbers`, `names`, `flags` and `elevations`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import core_schema

from scenes.distributions import Distribution, Fixed, Mixture, SineUniform, Uniform, Whole, finite_number, parse
from scenes.errors import choices

_PAIR = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
DISTRIBUTION: Mapping[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
    "properties": {
        "uniform": _PAIR,
        "log_uniform": _PAIR,
        "sine_uniform": _PAIR,
        "normal": {
            "type": "object",
            "properties": {name: {"type": "number"} for name in ("mean", "std", "low", "high")},
            "required": ["mean", "std", "low", "high"],
        },
        "choice": {"type": ["array", "object"]},
        "mixture": {"type": "array", "items": {"type": "object", "required": ["weight", "of"]}},
    },
}
"""JSON schema of the YAML forms of distributions."""


@dataclass(frozen=True)
class Checked:
    """Tells pydantic how to read a distribution: parse it, run `check` on its extreme values, then apply `adapt`.

    unit: unit of the numbers, such as "px" or "degrees"; empty if there is none. one: JSON schema of a single value.
    """

    check: Callable[[Any], None]
    one: Mapping[str, Any] = field(hash=False)  # annotations are hashed
    adapt: Callable[[Distribution], Distribution] = lambda distribution: distribution
    unit: str = ""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        written = core_schema.plain_serializer_function_ser_schema(lambda distribution: distribution.plain())
        return core_schema.no_info_plain_validator_function(self._validate, serialization=written)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"anyOf": [dict(self.one), DISTRIBUTION]}

    def _validate(self, value: Any) -> Distribution:
        distribution = parse(value)
        for supported in distribution.support():
            self.check(supported)
        return self.adapt(distribution)


def numbers(low: float = -math.inf, high: float = math.inf, *, unit: str, whole: bool = False) -> Checked:
    """Annotates the field of a distribution over numbers in [low, high]; with `whole`, its values are int.

    unit: unit of the numbers. A number without a unit is a "share" (a part of a whole), a "factor" or a "count".
    """

    def check(value: Any) -> None:
        if not low <= finite_number(value) <= high:
            raise ValueError(f"{value:g} is outside the accepted {low:g} to {high:g}")
        if whole and value != int(value):
            raise ValueError(f"{value:g} is not a whole number")

    one: dict[str, Any] = {"type": "integer" if whole else "number"}
    one |= {} if low == -math.inf else {"minimum": low}
    one |= {} if high == math.inf else {"maximum": high}
    return Checked(check, one, _rounded if whole else lambda distribution: distribution, unit)


def _rounded(distribution: Distribution) -> Distribution:
    if isinstance(distribution, Whole):
        return distribution
    return Fixed(int(distribution.value)) if isinstance(distribution, Fixed) else Whole(distribution)


def elevations() -> Checked:
    """Annotates the field of an elevation in degrees. "uniform" there means even over the sphere's area."""

    def check(value: Any) -> None:
        if not -90 <= finite_number(value) <= 90:
            raise ValueError(f"elevation {value:g} is outside -90 to 90")

    def even(distribution: Distribution) -> Distribution:
        if isinstance(distribution, Uniform):
            return SineUniform(distribution.low, distribution.high)
        if isinstance(distribution, Mixture):
            return Mixture(tuple(even(part) for part in distribution.parts), distribution.weights)
        return distribution

    return Checked(check, {"type": "number", "minimum": -90, "maximum": 90}, even, "degrees")


def names(*allowed: str) -> Checked:
    """Annotates the field of a distribution over names; without `allowed`, any name is accepted."""

    def check(value: Any) -> None:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is not a name")
        if allowed and value not in allowed:
            raise ValueError(f"unknown '{value}', {choices(value, allowed)}")

    return Checked(check, {"type": "string", **({"enum": list(allowed)} if allowed else {})})


def flags() -> Checked:
    """Annotates the field of a distribution over true and false."""

    def check(value: Any) -> None:
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is neither true nor false")

    return Checked(check, {"type": "boolean"})

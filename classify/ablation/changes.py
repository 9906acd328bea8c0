"""What a variant of a study changes in the render config: factors that are set, fixed, widened, narrowed or dropped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from pydantic import Field

from scenes.annotations import Checked
from scenes.config.loading import AnyConfig
from scenes.config.reference import metadata
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
    parse,
)
from scenes.errors import InputError, choices
from scenes.section import Section

Bounds = tuple[float, float]


class RenderChange(Section):
    """A change of the render config. Fields are dotted paths, such as `camera.azimuth`."""

    set: dict[str, Any] = {}
    """Fields with their new values, as in a config."""
    fix: dict[str, float] = {}
    """Factors with the quantile, 0 to 1, at which each stays: 0.5 is the middle of its distribution."""
    widen: dict[str, float] = {}
    """Factors with a number above 1, by which their range grows about its middle, within what the field accepts."""
    narrow: dict[str, float] = {}
    """Factors with a number between 0 and 1, by which their range shrinks about its middle."""
    drop: dict[str, tuple[Any, ...]] = {}
    """Factors with values that their choice loses; the others keep their proportions."""

    def fields(self, config: AnyConfig) -> dict[str, Any]:
        """The changed fields of a config, by dotted path, for `load_config`. Raises InputError.

        Widening, narrowing and dropping also apply to what the config says of single classes. What is set or fixed
        holds for all classes.
        """
        found: dict[str, Any] = {}
        for key, quantile in self.fix.items():
            distribution, _ = factor(config, key)
            if not 0 <= quantile < 1:
                raise InputError(f"field fix.{key}: {quantile:g} is not a quantile, give a number from 0 to below 1")
            found[key] = Fixed(distribution.at(quantile)).plain()
        for name, limits, stretched in (("widen", (1, math.inf), self.widen), ("narrow", (0, 1), self.narrow)):
            for key, by in stretched.items():
                if not limits[0] < by < limits[1]:
                    raise InputError(f"field {name}.{key}: {by:g} is not above {limits[0]:g} and below {limits[1]:g}")
                found |= _everywhere(config, key, partial(_stretched, by=by), name)
        for key, values in self.drop.items():
            found |= _everywhere(config, key, partial(_without, values=values), "drop")
        return {**found, **self.set}


class Variant(RenderChange):
    """What a variant changes: the render config, the number of renders, options of the training, or whether a picture
    is seen twice."""

    train: dict[str, Any] = {}
    """Fields of the training config with their new values."""
    pictures: str | None = Field(default=None, pattern="^(fixed|fresh)$")
    """`fixed` or `fresh`, as the field of the study."""

    images: int | None = Field(default=None, ge=1)
    """Pictures in the set, in place of the study's: so that sets can have as many labeled pixels, for instance."""

    @property
    def rendered(self) -> bool:
        """Whether it changes the set of renders."""
        return self.renders or self.images is not None

    @property
    def renders(self) -> bool:
        """Whether it changes the render config."""
        return any((self.set, self.fix, self.widen, self.narrow, self.drop))


def factor(config: AnyConfig, key: str) -> tuple[Distribution, Bounds]:
    """The distribution of a factor and the range that its field accepts. Raises InputError, with the near miss."""
    section: Any = config
    *path, name = key.split(".")
    for place, part in enumerate([*path, name]):
        if not isinstance(section, Section) or part not in type(section).model_fields:
            known = type(section).model_fields if isinstance(section, Section) else ()
            at = f" in {'.'.join(path[:place])}" if place else ""
            raise InputError(f"factor {key}: there is no '{part}'{at}, {choices(part, known)}")
        found = type(section).model_fields[part]
        section = getattr(section, part)
    if not isinstance(section, Distribution):
        raise InputError(f"factor {key}: the config gives it no distribution; use `set`")
    checked = next(one.one for one in metadata(found) if isinstance(one, Checked))
    return section, (checked.get("minimum", -math.inf), checked.get("maximum", math.inf))


def _everywhere(
    config: AnyConfig, key: str, change: Callable[[Distribution, Bounds], Distribution | None], what: str
) -> dict[str, Any]:
    """A changed factor for all classes, then for those that have it of their own."""
    distribution, bounds = factor(config, key)
    found = {key: change(distribution, bounds)}
    for name, given in getattr(config, "by_class", {}).items():
        if (own := _within(given, key.split("."))) is not None:
            found[f"by_class.{name}.{key}"] = change(parse(own), bounds)
    if all(changed is None for changed in found.values()):
        reason = "it is no choice that has them" if what == "drop" else "it has no range"
        raise InputError(f"field {what}.{key}: nothing changes, {reason}; use `set`")
    before = {key: distribution, **{place: parse(_within(config.plain(), place.split("."))) for place in found}}
    return {place: (changed or before[place]).plain() for place, changed in found.items()}


def _within(data: Any, path: list[str]) -> Any:
    for part in path:
        data = data.get(part) if isinstance(data, Mapping) else None
    return data


def _stretched(distribution: Distribution, bounds: Bounds, by: float) -> Distribution | None:
    """A distribution whose ranges are `by` times as wide about their middles; None if it has no range."""

    def ends(low: float, high: float, within: Bounds = bounds) -> Bounds:
        middle, half = (low + high) / 2, (high - low) / 2 * by
        return max(middle - half, within[0]), min(middle + half, within[1])

    match distribution:
        case Uniform(low, high):
            return Uniform(*ends(low, high))
        case SineUniform(low, high):
            return SineUniform(*ends(low, high, (-90, 90)))
        case LogUniform(low, high):
            low, high = (math.exp(end) for end in ends(math.log(low), math.log(high), (-math.inf, math.inf)))
            return LogUniform(max(low, bounds[0]), min(high, bounds[1]))
        case Normal():
            low, high = (distribution.mean + by * (end - distribution.mean) for end in distribution.support())
            return Normal(max(low, bounds[0]), min(high, bounds[1]), distribution.mean, distribution.std * by)
        case Whole(of):
            return None if (inner := _stretched(of, bounds, by)) is None else Whole(inner)
        case Mixture(parts, weights):
            changed = [_stretched(part, bounds, by) for part in parts]
            if all(part is None for part in changed):
                return None
            return Mixture(tuple(new or old for new, old in zip(changed, parts, strict=True)), weights)
    return None


def _without(distribution: Distribution, bounds: Bounds, values: tuple[Any, ...]) -> Distribution | None:
    """A choice without some of its values; None if it has none of them, or only them."""
    if isinstance(distribution, Whole):
        inner = _without(distribution.of, bounds, values)
        return None if inner is None else Whole(inner)
    if isinstance(distribution, Choice):
        entries: Iterator[tuple[Any, float]] = zip(distribution.values, distribution.weights, strict=True)
    elif isinstance(distribution, Mixture) and all(isinstance(part, Fixed) for part in distribution.parts):
        entries = zip(distribution.support(), distribution.weights, strict=True)
    else:
        return None
    all_entries = list(entries)
    left = [(value, weight) for value, weight in all_entries if value not in values]
    total = sum(weight for _, weight in left)
    if len(left) == len(all_entries) or total <= 0:
        return None
    return Choice(tuple(value for value, _ in left), tuple(weight / total for _, weight in left))

"""The pictures of a probe: each as it is, and with a factor at each step of its distribution."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.farm.apart import ApartRenderer
from render.farm.devices import WorkerSlot
from render.renderer import Sampler
from scenes.config.factors import field_of
from scenes.config.objects import Config
from scenes.distributions import Choice, Distribution, Fixed, Mixture, Whole
from scenes.errors import InputError, choices
from scenes.record.record import Record
from scenes.section import Section
from scenes.streams import Streams

_TRIED = 20
"""Pictures that are looked at for each one that must have the factor."""


@dataclass(frozen=True)
class Axis:
    """A factor that is swept.

    field: of the config. quantiles: one for each step. values: what they stand for in the config, numbers or names.
    own: the values by class, for classes with a distribution of their own.
    """

    field: str
    quantiles: tuple[float, ...]
    values: tuple[Any, ...]
    own: Mapping[str, tuple[Any, ...]]

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers, so that they have an order and distances."""
        return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in self.values)


@dataclass(frozen=True)
class Probed:
    """A picture of a probe.

    label: its class. records: as it is, then at each point of the sweep. quantiles: (axes,) where it is by itself.
    """

    index: int
    label: int
    records: tuple[Record, ...]
    quantiles: tuple[float, ...]


def axis(sampler: Sampler, field: str, steps: int) -> Axis:
    """The steps of a factor: quantiles in the middle of equal parts, or each value of a choice. Raises InputError.

    A class may have a distribution of its own, on which the same quantiles stand for other values.
    """
    distribution = distribution_of(sampler.config, field)
    if isinstance(distribution, Fixed):
        raise InputError(f"--vary {field}: the config fixes it, so nothing varies; give it a distribution with --set")
    middles = _middles(distribution)
    quantiles = middles or tuple((step + 0.5) / steps for step in range(steps))
    own = {}
    for name in getattr(sampler.config, "by_class", {}):
        theirs = distribution_of(sampler.config.of_class(name), field)  # type: ignore[union-attr]
        if theirs != distribution and _middles(theirs) == middles:
            own[name] = _values(theirs, quantiles)
    return Axis(field, quantiles, _values(distribution, quantiles), own)


def _values(distribution: Distribution, quantiles: Sequence[float]) -> tuple[Any, ...]:
    return tuple(distribution.at(quantile) for quantile in quantiles)


def distribution_of(config: Section, field: str, option: str = "--vary") -> Distribution:
    """The distribution that a config gives a factor. Raises InputError, with the near miss, if it gives none.

    option: of the command that names the factor, for the message.
    """
    section: Any = config
    for part in field_of(field).split("."):
        if not isinstance(section, Section) or part not in type(section).model_fields:
            known = type(section).model_fields if isinstance(section, Section) else ()
            raise InputError(f"{option} {field}: there is no '{part}', {choices(part, known)}")
        section = getattr(section, part)
    if not isinstance(section, Distribution):
        raise InputError(f"{option} {field}: the config gives it no distribution; set one with --set")
    return section


def _middles(distribution: Distribution) -> tuple[float, ...] | None:
    """The quantile in the middle of each value of a choice; None for a distribution with ranges."""
    if isinstance(distribution, Whole):
        return _middles(distribution.of)
    single = isinstance(distribution, Mixture) and all(isinstance(part, Fixed) for part in distribution.parts)
    if not single and not isinstance(distribution, Choice):
        return None
    weights = np.array(distribution.weights)  # type: ignore[union-attr]
    ends = np.cumsum(weights)
    return tuple((ends - weights / 2)[weights > 0].tolist())


def pictures(sampler: Sampler, seed: int, count: int, axes: Sequence[Axis]) -> list[Probed]:
    """The first `count` pictures that have all factors, each with its sweep. Raises InputError if there are too few.

    With two factors the sweep has all combinations; the second factor runs fastest.
    """
    found: list[Probed] = []
    seen: set[str] = set()
    for index in range(count * _TRIED):
        names = sampler.factors(seed, index)
        seen.update(map(field_of, names))
        varied = [[name for name in names if one.field in (name, field_of(name))] for one in axes]
        if not all(varied):
            continue
        itself = sampler.sample(seed, index)
        if itself.subject not in sampler.classes:
            continue
        points = itertools.product(*(one.quantiles for one in axes))
        records = tuple(sampler.sample(seed, index, _fixed(varied, point)) for point in points)
        natural = tuple(streams_of(sampler, seed, index, each[0]).quantile(each[0]) for each in varied)
        found.append(Probed(index, sampler.classes.index(itself.subject), (itself, *records), natural))
        if len(found) == count:
            return found
    if not found:
        missing = next(one.field for one in axes if one.field not in seen)
        raise InputError(f"--vary {missing}: no picture has this factor, {choices(missing, seen)}")
    raise InputError(
        f"--images {count}: only {len(found)} of {count * _TRIED} pictures have the factors; ask for fewer"
    )


def streams_of(sampler: Sampler, seed: int, index: int, factor: str) -> Streams:
    """The streams that a factor of a picture is drawn from. Views of a scene share those of all but the camera."""
    config = sampler.config
    views = config.camera.pictures if isinstance(config, Config) and not factor.startswith("camera.") else 1
    return Streams(seed, index // views, None, type(config).renamed())


def _fixed(varied: Sequence[Sequence[str]], point: Sequence[float]) -> Mapping[str, float]:
    return {name: quantile for names, quantile in zip(varied, point, strict=True) for name in names}


def drawn(
    config: Any, probed: Sequence[Probed], slots: Sequence[WorkerSlot], advance: Callable[[], None]
) -> list[list[NDArray[np.uint8]]]:
    """(H, W, 3) uint8 of each record of each picture, with a process for each slot. Raises InputError."""
    free: SimpleQueue[ApartRenderer] = SimpleQueue()
    renderers = [ApartRenderer(config, slot) for slot in slots]
    for renderer in renderers:
        free.put(renderer)

    def draw(one: Probed) -> list[NDArray[np.uint8]]:
        renderer = free.get()
        try:
            found = []
            for record in one.records:
                found.append(renderer.draw(record).rgb.copy())
                advance()
            return found
        finally:
            free.put(renderer)

    try:
        with ThreadPoolExecutor(len(renderers)) as pool:
            return list(pool.map(draw, probed))
    finally:
        for renderer in renderers:
            renderer.close()

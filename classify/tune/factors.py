"""What can be tuned: the distributions of a config, cut into pieces, and the piece that each picture has of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classify.probe.sweep import distribution_of, streams_of
from render.renderer import Sampler
from scenes.config.factors import field_of
from scenes.distributions import Choice, Distribution, Fixed
from scenes.errors import InputError
from scenes.pieces import Pieces, cut
from scenes.section import Section, joined

PIECES = 8
"""Ranges that a distribution over numbers is cut into, where there are pictures enough."""

FEWEST = 20
"""Pictures of a piece, about. A choice with more values than that allows stays as it is."""

_KEPT = frozenset({"objects.category"})
"""Which classes are shown is no matter of tuning: the classes stay balanced."""


@dataclass(frozen=True)
class Place:
    """A distribution that can move.

    field: of the config. classes: whose pictures are drawn from it. category: the class whose own it is; empty for that
    of all classes without one of their own.
    """

    field: str
    classes: tuple[str, ...]
    category: str
    pieces: Pieces

    @property
    def name(self) -> str:
        """Its path in the config."""
        return joined("by_class" if self.category else "", self.category, self.field)


@dataclass(frozen=True)
class Table:
    """The pieces of the pictures. places: p of them. pieces: (p, n) int16, -1 where a picture has not the factor, or
    another place has it."""

    places: tuple[Place, ...]
    pieces: NDArray[np.int16]

    def used(self) -> Table:
        """The places that some picture makes use of."""
        there = (self.pieces >= 0).any(axis=1)
        return Table(tuple(place for place, seen in zip(self.places, there, strict=True) if seen), self.pieces[there])

    def of(self, pictures: NDArray[np.bool_]) -> Table:
        """The same for some pictures."""
        return Table(self.places, self.pieces[:, pictures])


def fields(config: Section, path: str = "") -> Iterator[tuple[str, Distribution]]:
    """The fields of a config that hold a distribution, with their paths."""
    for name in type(config).model_fields:
        value: Any = getattr(config, name)
        if isinstance(value, Section):
            yield from fields(value, joined(path, name))
        elif isinstance(value, Distribution) and joined(path, name) not in _KEPT:
            yield joined(path, name), value


def wanted_fields(config: Section, only: Collection[str]) -> tuple[str, ...]:
    """The fields to tune: those of `only`, or all that vary for some class. Raises InputError."""
    configs = [config, *_of_classes(config).values()]
    varying = {name for one in configs for name, found in fields(one) if len(cut(found, 2)) > 1}
    for name in only:
        distribution_of(config, name, "--only")
        if name in _KEPT:
            raise InputError(f"--only {name}: the classes stay balanced, so this is not tuned; leave it out")
        if name not in varying:
            raise InputError(
                f"--only {name}: the config fixes it, so nothing varies; give it a distribution with --set"
            )
    if not varying:
        raise InputError("the config fixes every factor, so there is nothing to tune; give one a distribution")
    return tuple(sorted(varying if not only else set(only)))


def _of_classes(config: Any) -> dict[str, Section]:
    return {name: config.of_class(name) for name in getattr(config, "by_class", {})}


def places_of(sampler: Sampler, labels: NDArray[np.int64], only: Collection[str]) -> tuple[Place, ...]:
    """The distributions that so many pictures of each class can tell something of.

    labels: (n,) of the main objects. A class has a place of its own where `by_class` gives it another distribution.
    Raises InputError as `wanted_fields` does.
    """
    config, classes = sampler.config, sampler.classes
    own = _of_classes(config)
    held = {name: dict(fields(one)) for name, one in {"": config, **own}.items()}
    counts = np.bincount(labels, minlength=len(classes))
    found: list[Place] = []
    for field in wanted_fields(config, only):
        theirs = {name: held.get(name, held[""]).get(field) for name in classes}
        common = tuple(name for name in classes if _same(theirs[name], held[""].get(field)))
        for names in (common, *((name,) for name in classes if name not in common)):
            pictures = int(sum(counts[classes.index(name)] for name in names))
            pieces = _cut(theirs[names[0]], pictures) if names else None
            if pieces is not None:
                found.append(Place(field, names, "" if names is common else names[0], pieces))
    return tuple(found)


def _same(first: Distribution | None, second: Distribution | None) -> bool:
    """Whether two distributions are the same, also where one was stored and read again, which may change its kind."""
    return first == second or (first is not None and second is not None and first.plain() == second.plain())


def table(
    sampler: Sampler,
    seed: int,
    indices: Sequence[int],
    labels: NDArray[np.int64],
    places: tuple[Place, ...],
    advance: Callable[[int], object] = lambda count: None,
) -> Table:
    """The pieces of pictures, as their streams decide them. labels: (n,) of the main objects.

    Of a factor that a picture has several times, such as the energy of its lamps, the first counts. advance: is called
    with 1 for each picture.
    """
    rows = {(place.field, name): row for row, place in enumerate(places) for name in place.classes}
    found = np.full((len(places), len(indices)), -1, np.int16)
    for column, index in enumerate(indices):
        category = sampler.classes[labels[column]]
        for name in sampler.factors(seed, index):
            row = rows.get((field_of(name), category))
            if row is not None and found[row, column] < 0:
                found[row, column] = _piece(sampler, seed, index, name, places[row].pieces)
        advance(1)
    return Table(places, found)


def _cut(distribution: Distribution | None, pictures: int) -> Pieces | None:
    """The pieces that so many pictures can tell apart; None where nothing varies, or where there are too few."""
    if distribution is None or isinstance(distribution, Fixed):
        return None
    pieces = cut(distribution, min(PIECES, max(2, pictures // (2 * FEWEST))))
    return pieces if 1 < len(pieces) <= pictures / FEWEST else None


def _piece(sampler: Sampler, seed: int, index: int, factor: str, pieces: Pieces) -> int:
    streams = streams_of(sampler, seed, index, factor)
    if isinstance(pieces.whole, Choice):
        return pieces.of_value(streams.value(factor, pieces.whole))
    return pieces.at(streams.quantile(factor))

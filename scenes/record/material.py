"""A material as it stands in a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from scenes.record.record import Factor, leaves

Vector = tuple[float, float, float]
Parameter = float | str | Vector


@dataclass(frozen=True)
class Material:
    """A surface: a family of `scenes.materials.roles.FAMILIES` with every parameter spelled out, or family "own"."""

    family: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    def factors(self) -> Iterator[Factor]:
        yield "materials.family", self.family
        # A pattern's seed says nothing to a reader.
        parameters = {name: value for name, value in self.parameters.items() if name != "seed"}
        yield from leaves(f"materials.{self.family}", parameters)

"""A material as it stands in a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from scenes.record.record import Factor, leaves

Vector = tuple[float, float, float]
Parameter = float | str | Vector


@dataclass(frozen=True)
class Material:
    """A material: a family and the value of each of its parameters.

    Parameters
    ----------
    family : str
        A key of `scenes.materials.families.FAMILIES`. "own" keeps the material of the model file.
    parameters : mapping of str to float, str or tuple of 3 floats
        The value of each parameter of the family.

    Examples
    --------
    >>> from blendmill import Material
    >>> list(Material("metal", {"roughness": 0.2}).factors())
    [('materials.family', 'metal'), ('materials.metal.roughness', 0.2)]
    """

    family: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    def factors(self) -> Iterator[Factor]:
        """Name and value of the family and of each parameter."""
        yield "materials.family", self.family
        # The seed of a pattern has no meaning for a reader.
        parameters = {name: value for name, value in self.parameters.items() if name != "seed"}
        yield from leaves(f"materials.{self.family}", parameters)

"""The config of things on a rendered surface that are not cracks."""

from __future__ import annotations

from typing import Annotated, Any

from scenes.annotations import names, numbers
from scenes.cracks.registry import GENERATORS
from scenes.section import Section


def _share(share: float, most: int = 1) -> dict[str, Any]:
    """A count that is 0, except on a share of the pictures."""
    some = 1 if most == 1 else {"uniform": [1, most]}
    return {"mixture": [{"weight": 1 - share, "of": 0}, {"weight": share, "of": some}]}


class JointsConfig(Section):
    """Straight joints."""

    count: Annotated[Any, numbers(0, 10, whole=True, unit="count")] = _share(0.08, 2)
    """Number of joints."""
    width: Annotated[Any, numbers(0.1, 1000, unit="px")] = {"log_uniform": [2.5, 14]}
    """Width of a joint."""
    depth: Annotated[Any, numbers(0, 20, unit="joint widths")] = {"uniform": [0.3, 1.5]}
    """Depth of a joint."""
    turn: Annotated[Any, numbers(-180, 180, unit="degrees")] = {"normal": {"mean": 0, "std": 2, "low": -8, "high": 8}}
    """How far a joint is off level or upright."""


class MarksConfig(Section):
    """Marks on the surface that have no height."""

    count: Annotated[Any, numbers(0, 10, whole=True, unit="count")] = _share(0.3, 3)
    """Number of marks."""
    kind: Annotated[Any, names("paint", "scratch", "tyre", "stain")] = {
        "choice": {"paint": 0.06, "scratch": 0.42, "tyre": 0.07, "stain": 0.45}
    }
    """What the mark is."""
    size: Annotated[Any, numbers(0.01, 100, unit="factor")] = {"log_uniform": [0.5, 2]}
    """Size of the mark over the usual size of its kind."""


class DebrisConfig(Section):
    """Things that lie on the surface."""

    count: Annotated[Any, numbers(0, 50, whole=True, unit="count")] = _share(0.12, 4)
    """Number of things."""
    kind: Annotated[Any, names("twig", "cable", "leaf", "pebble")] = {
        "choice": {"twig": 0.35, "cable": 0.1, "leaf": 0.35, "pebble": 0.2}
    }
    """What the thing is."""
    size: Annotated[Any, numbers(1, 5000, unit="px")] = {"log_uniform": [20, 200]}
    """Length of the thing."""


class SealsConfig(Section):
    """Former cracks under bands of filler, and the filler of healed cracks.

    The kind, the width, the height and the color are those of seals alone. The other fields also hold for the healed
    stretches of a crack on surfaces without seals.
    """

    count: Annotated[Any, numbers(0, 10, whole=True, unit="count")] = _share(0.06, 2)
    """Number of seals."""
    kind: Annotated[Any, names(*GENERATORS)] = {
        "choice": {"walk": 0.35, "midpoint": 0.3, "stress": 0.2, "thermal": 0.1, "alligator": 0.05}
    }
    """The generator of `scenes.cracks.registry` that draws the former crack."""
    width: Annotated[Any, numbers(0.1, 1000, unit="px")] = {"log_uniform": [10, 45]}
    """Width of a seal."""
    height: Annotated[Any, numbers(0, 1, unit="seal widths")] = {"uniform": [0.01, 0.08]}
    """Height of a seal above the surface."""
    hue: Annotated[Any, numbers(0, 1, unit="share of the color circle")] = {"uniform": [0.05, 0.13]}
    """Hue of the filler."""
    saturation: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0, 0.15]}
    """Saturation of the filler."""
    value: Annotated[Any, numbers(0, 1, unit="share of full scale")] = {
        "mixture": [{"weight": 0.6, "of": {"uniform": [0.07, 0.24]}}, {"weight": 0.4, "of": {"uniform": [0.3, 0.55]}}]
    }
    """Brightness of the filler."""
    roughness: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0.3, 0.85]}
    """Roughness of the filler: 0 shines like a mirror, 1 is dull."""
    amount: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0.6, 1]}
    """Share of the surface below that the filler covers."""
    grain: Annotated[Any, numbers(0.1, 1000, unit="px")] = {"log_uniform": [0.8, 2.6]}
    """Size of the filler's grains."""
    contrast: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0.25, 0.9]}
    """How much the grains differ in brightness and stand out."""
    proud: Annotated[Any, numbers(-20, 20, unit="px")] = {"uniform": [-1, 0.7]}
    """Height that the filler seems to have, below 0 depth; it shows in the shading alone and changes no label."""


class CoversConfig(Section):
    """Covers of cast iron in floors; walls have none."""

    count: Annotated[Any, numbers(0, 10, whole=True, unit="count")] = _share(0.05)
    """Number of covers."""
    kind: Annotated[Any, names("manhole", "grate")] = {"choice": {"manhole": 0.65, "grate": 0.35}}
    """What the cover is."""
    size: Annotated[Any, numbers(1, 20000, unit="px")] = {"log_uniform": [200, 900]}
    """Length of the cover."""


class ShadowCastersConfig(Section):
    """Things outside the picture that throw shadows on it."""

    count: Annotated[Any, numbers(0, 5, whole=True, unit="count")] = _share(0.3)
    """Number of things."""
    kind: Annotated[Any, names("edge", "pole", "fence", "branch")] = {
        "choice": {"edge": 0.4, "pole": 0.2, "fence": 0.1, "branch": 0.3}
    }
    """What the thing is."""
    size: Annotated[Any, numbers(1, 5000, unit="px")] = {"log_uniform": [12, 120]}
    """Width of the thing."""
    distance: Annotated[Any, numbers(0.01, 100, unit="m")] = {"log_uniform": [0.3, 4]}
    """Distance from the surface; the shadow of a farther thing is softer."""

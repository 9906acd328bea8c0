"""The config of a crack in a surface or an object."""

from __future__ import annotations

from typing import Annotated, Any

from scenes.annotations import flags, names, numbers
from scenes.cracks.registry import GENERATORS
from scenes.section import Section


class CrackConfig(Section):
    """The crack of a surface or an object; its shape across is that of `scenes.cracks.relief.Profile`."""

    present: Annotated[Any, flags()] = {"mixture": [{"weight": 0.92, "of": True}, {"weight": 0.08, "of": False}]}
    """Whether there is a crack."""
    kind: Annotated[Any, names(*GENERATORS)] | None = None
    """The generator of `scenes.cracks.registry` that draws it; null draws one by the registry's shares."""
    stepped: Annotated[Any, flags()] = {"mixture": [{"weight": 0.55, "of": True}, {"weight": 0.45, "of": False}]}
    """Whether a crack in bricks or tiles keeps to their joints, whatever its kind."""
    # Photographers go close enough to see a crack, so its width is given in pixels.
    width: Annotated[Any, numbers(0.1, 1000, unit="px")] = {"log_uniform": [3, 14.5]}
    """Width of the main crack in the middle of the picture."""
    depth: Annotated[Any, numbers(0, 50, unit="crack widths")] = {"log_uniform": [0.2, 1.8]}
    """Depth of the crack."""
    steepness: Annotated[Any, numbers(0.05, 4, unit="factor")] = {"log_uniform": [0.15, 1.2]}
    """Power of the fall from the edge to the middle: 1 gives the shape of a V, 0.2 that of a U."""
    roughness: Annotated[Any, numbers(0, 2, unit="factor")] = {"uniform": [0.05, 0.5]}
    """Roughness of the walls, and of the depth along the crack."""
    fill: Annotated[Any, numbers(0, 1, unit="share")] = {
        "mixture": [
            {"weight": 0.4, "of": 0},
            {"weight": 0.42, "of": {"uniform": [0.1, 0.6]}},
            {"weight": 0.18, "of": {"uniform": [0.6, 0.85]}},
        ]
    }
    """Share of the depth that dirt fills."""
    grains: Annotated[Any, numbers(0, 2, unit="crack widths")] = {"uniform": [0.02, 0.15]}
    """Height of the grains of what fills the crack."""
    reach: Annotated[Any, numbers(0, 10, unit="crack widths")] = {"uniform": [0.3, 1.2]}
    """How far from its edges the surface is changed."""
    raised: Annotated[Any, numbers(-1, 1, unit="crack widths")] = {
        "mixture": [{"weight": 0.6, "of": 0}, {"weight": 0.4, "of": {"uniform": [-0.12, 0.12]}}]
    }
    """Height of the edges above the surface; below 0 they are sunk."""
    crumble: Annotated[Any, numbers(0, 3, unit="crack widths")] = {"uniform": [0, 0.3]}
    """Depth of what broke off the edges."""
    dirt: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0.1, 1]}
    """How much dirt there is in the crack."""
    hue: Annotated[Any, numbers(0, 1, unit="share of the color circle")] = {"uniform": [0.04, 0.12]}
    """Hue of the dirt."""
    saturation: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0, 0.5]}
    """Saturation of the dirt."""
    value: Annotated[Any, numbers(0, 1, unit="share of full scale")] = {"uniform": [0.12, 0.6]}
    """Brightness of the dirt."""
    visible: Annotated[Any, numbers(0, 0.95, unit="share")] = {"uniform": [0.15, 0.3]}
    """Share of the light beside a crack in a surface that is missing in it, at least; up to three times as much where
    the surface is grainy. A crack that is too shallow or as light as the surface is made deeper until it reaches this.
    On an object, a third of this is the least difference in brightness, as a share of full scale. Cracks on dark
    materials become lighter where no depth is enough. 0 leaves the crack as it is."""
    moss: Annotated[Any, numbers(0, 1, unit="share")] = {
        "mixture": [{"weight": 0.88, "of": 0}, {"weight": 0.12, "of": {"uniform": [0.3, 1]}}]
    }
    """How much moss grows in the crack."""
    stain: Annotated[Any, numbers(0, 1, unit="share")] = {
        "mixture": [{"weight": 0.6, "of": 0}, {"weight": 0.4, "of": {"uniform": [0.1, 0.7]}}]
    }
    """How strongly the surface beside the crack is stained."""
    stain_value: Annotated[Any, numbers(0, 1, unit="share of full scale")] = {
        "mixture": [{"weight": 0.65, "of": {"uniform": [0.1, 0.35]}}, {"weight": 0.35, "of": {"uniform": [0.6, 0.9]}}]
    }
    """Brightness of the stain; above 0.6 it is a deposit of salt."""
    # Mostly dust of the surface itself, less often a visible repair.
    healed_tone: Annotated[Any, numbers(0.05, 20, unit="factor")] = {
        "mixture": [
            {"weight": 0.7, "of": {"uniform": [0.78, 1.25]}},
            {"weight": 0.18, "of": {"uniform": [1.25, 1.8]}},
            {"weight": 0.12, "of": {"uniform": [0.6, 0.78]}},
        ]
    }
    """Albedo of what fills healed stretches over that of the surface; a dark filling looks like a crack."""
    moisture: Annotated[Any, numbers(0, 1, unit="share")] = {
        "mixture": [{"weight": 0.85, "of": 0}, {"weight": 0.15, "of": {"uniform": [0.3, 1]}}]
    }
    """How wet the surface beside the crack is."""

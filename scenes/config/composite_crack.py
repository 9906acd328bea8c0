"""The config of cracks that are drawn on photographs: their course, its distortion and their look."""

from __future__ import annotations

from typing import Annotated, Any

from scenes.annotations import flags, names, numbers
from scenes.cracks.registry import GENERATORS
from scenes.section import Section

# Generators that follow joints need the positions of the joints. These are unknown in a photograph.
_KINDS = {
    "walk": 0.183,
    "tree": 0.129,
    "lsystem": 0.065,
    "midpoint": 0.15,
    "stress": 0.247,
    "alligator": 0.183,
    "thermal": 0.043,
}


def on_share(share: float) -> dict[str, Any]:
    """True on a share of the pictures."""
    return {"mixture": [{"weight": share, "of": True}, {"weight": 1 - share, "of": False}]}


def sometimes(share: float, values: dict[str, Any]) -> dict[str, Any]:
    """Values on a share of the pictures, 0 on the others."""
    return {"mixture": [{"weight": share, "of": values}, {"weight": 1 - share, "of": 0}]}


class StepConfig(Section):
    """A step of the recipe."""

    use: Annotated[Any, flags()] = True
    """Whether the step is done."""


class CrackStepConfig(StepConfig):
    """The crack's course."""

    use: Annotated[Any, flags()] = on_share(0.97)
    """Whether there is a crack."""
    kind: Annotated[Any, names(*GENERATORS)] = {"choice": _KINDS}
    """The generator of `scenes.cracks.registry` that draws it."""
    width: Annotated[Any, numbers(0.001, 1000, unit="px")] | None = None
    """Width of the main crack; null takes it in proportion to the picture."""
    ragged: Annotated[Any, numbers(0, 1, unit="half widths")] = {"uniform": [0.05, 0.35]}
    """How far pieces of the lips break off or stand out, as a root mean square."""


class WarpConfig(StepConfig):
    """What distorts the crack, and all labels with it."""

    dilation: Annotated[Any, numbers(0.1, 10, unit="factor")] = {"log_uniform": [0.5, 1.45]}
    """Factor on the width."""
    elastic: Annotated[Any, numbers(0, 1, unit="share of elastic_scale")] = {"uniform": [0, 0.1]}
    """How far a smooth random field moves points, as a root mean square."""
    elastic_scale: Annotated[Any, numbers(2, 1000, unit="px")] = {"log_uniform": [6, 40]}
    """Wavelength of the smooth field."""
    affine: Annotated[Any, numbers(0, 1, unit="share of affine_cell")] = {"uniform": [0, 0.08]}
    """How far the nodes of a grid move; the plane between them is stretched."""
    affine_cell: Annotated[Any, numbers(4, 1000, unit="px")] = {"log_uniform": [40, 140]}
    """Size of the grid's cells."""


class SmoothingConfig(StepConfig):
    """Soft edges, in the picture alone."""

    gaussian: Annotated[Any, numbers(0, 20, unit="px")] = {"uniform": [0.3, 0.8]}
    """Sigma of the Gaussian that blurs the edges."""
    motion: Annotated[Any, numbers(0, 50, unit="px")] = sometimes(0.3, {"uniform": [1, 4]})
    """Length of the streak that moves the edges, as a shaken camera does."""
    motion_angle: Annotated[Any, numbers(-3600, 3600, unit="degrees")] = {"uniform": [0, 180]}
    """Direction of the streak, from x to the right towards y down."""


class DissolveConfig(StepConfig):
    """Holes that blurred noise makes in the crack, in the picture alone."""

    use: Annotated[Any, flags()] = on_share(0.7)
    """Whether the step is done."""
    amount: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0.1, 0.6]}
    """Share of the crack that is paler."""
    depth: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0.2, 0.7]}
    """How much paler it is; 1 is gone."""
    scale: Annotated[Any, numbers(1, 200, unit="px")] = {"log_uniform": [1.5, 12]}
    """Size of the holes."""


class LipsConfig(StepConfig):
    """The crack's edges: one catches the light, the other is in shadow, and both are chipped."""

    use: Annotated[Any, flags()] = on_share(0.75)
    """Whether the step is done."""
    strength: Annotated[Any, numbers(0, 2, unit="share")] = {"uniform": [0.05, 0.4]}
    """Share of the light that is gained or lost at the edge."""
    size: Annotated[Any, numbers(0.3, 50, unit="px")] = {"log_uniform": [0.7, 2.5]}
    """How far from the edge this reaches."""
    light: Annotated[Any, numbers(-3600, 3600, unit="degrees")] = {"uniform": [0, 360]}
    """Where the light comes from, from x to the right towards y down."""
    chipped: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0.2, 0.8]}
    """Share of the edge that shows nothing of it."""
    fresh: Annotated[Any, numbers(-1, 1, unit="share")] = {"uniform": [-0.2, 0.2]}
    """Share of the light that chips gain; below 0 they lose it."""


class HealedConfig(StepConfig):
    """Cracks that were filled or grew over: visible, but not labeled."""

    darkness: Annotated[Any, numbers(-1, 1, unit="share")] = {"uniform": [-0.2, 0.04]}
    """Share of the light that is missing there; below 0 they are paler than the surface."""


class ColorConfig(StepConfig):
    """What is seen in the crack: a share of the light around it."""

    darkness: Annotated[Any, numbers(0, 1, unit="share")] = {
        "normal": {"mean": 0.15, "std": 0.1, "low": 0.06, "high": 0.4}
    }
    """Share of the surroundings' light that is missing inside, at the edge of a hairline."""
    adaptive: Annotated[Any, numbers(0, 1, unit="share")] = 1
    """1 takes the light from the surroundings, 0 from the whole picture, so that the crack is as dark everywhere."""
    reach: Annotated[Any, numbers(1, 200, unit="px")] = {"log_uniform": [4, 20]}
    """How far the surroundings reach."""
    texture: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0.1, 0.7]}
    """Share of the surface's texture that goes on inside."""
    hue: Annotated[Any, numbers(0, 1, unit="share of the color circle")] = {
        "normal": {"mean": 0.08, "std": 0.05, "low": 0, "high": 0.2}
    }
    """Hue of the inside."""
    tint: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0, 0.2]}
    """Strength of that hue."""
    noise: Annotated[Any, numbers(0, 1, unit="share of the darkness")] = {"uniform": [0.05, 0.25]}
    """How much the darkness changes along the crack, as a root mean square."""
    noise_scale: Annotated[Any, numbers(1, 500, unit="px")] = {"log_uniform": [10, 80]}
    """Size of the patches in which it changes."""
    grain: Annotated[Any, numbers(0, 1, unit="share of the darkness")] = {"uniform": [0.02, 0.15]}
    """How much the darkness changes from pixel to pixel, as a root mean square."""
    deepening: Annotated[Any, numbers(0, 3, unit="1/px")] = {"log_uniform": [0.08, 0.4]}
    """How fast it gets dark from the lips to the middle: e-fold in 1 / deepening pixels. Only wide cracks get black."""
    crumbs: Annotated[Any, numbers(0, 0.9, unit="share")] = {"uniform": [0, 0.15]}
    """Share of the crack where crumbs of the surface lie in it."""
    crumb_size: Annotated[Any, numbers(1, 50, unit="px")] = {"log_uniform": [2, 7]}
    """Size of the crumbs."""
    visible: Annotated[Any, numbers(0, 10, unit="factor")] = {"uniform": [1.4, 3.0]}
    """Smallest darkness, in standard deviations of the grain around the crack, at the crack's width."""

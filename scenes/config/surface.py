"""The config of surfaces that crack, and of what is on them and is no crack."""

from __future__ import annotations

from typing import Annotated, Any

from scenes.cracks.registry import GENERATORS
from scenes.distributions import flags, names, numbers
from scenes.materials.families import FAMILIES
from scenes.section import Section


class CrackFactor(Section):
    """The crack of a surface or an object; the shape across as in `scenes.cracks.relief.Profile`.

    kind: a generator of `scenes.cracks.registry`, null draws by its shares; stepped: whether, in bricks or tiles, it
    keeps to their joints whatever the kind. width: of the main crack, in pixels of the middle of the picture, since
    photographers come as near as it takes to see one. depth: in widths. grains, reach,
    raised, crumble: in widths. dirt, moss, stain, moisture: how much of it there is; hue, saturation and value are the
    dirt's color, stain_value how bright the stain (above 0.6: efflorescence). healed_tone: the albedo of what
    fills healed stretches over the surface's own mean; a dark one looks like a crack, and has no label.
    """

    present: Annotated[Any, flags()] = {"mixture": [{"weight": 0.92, "of": True}, {"weight": 0.08, "of": False}]}
    kind: Annotated[Any, names(*GENERATORS)] | None = None
    stepped: Annotated[Any, flags()] = {"mixture": [{"weight": 0.55, "of": True}, {"weight": 0.45, "of": False}]}
    width: Annotated[Any, numbers(0.1, 1000)] = {"log_uniform": [3, 14.5]}
    depth: Annotated[Any, numbers(0, 50)] = {"log_uniform": [0.2, 1.8]}
    steepness: Annotated[Any, numbers(0.05, 4)] = {"log_uniform": [0.15, 1.2]}
    roughness: Annotated[Any, numbers(0, 2)] = {"uniform": [0.05, 0.5]}
    fill: Annotated[Any, numbers(0, 1)] = {
        "mixture": [
            {"weight": 0.4, "of": 0},
            {"weight": 0.42, "of": {"uniform": [0.1, 0.6]}},
            {"weight": 0.18, "of": {"uniform": [0.6, 0.85]}},
        ]
    }
    grains: Annotated[Any, numbers(0, 2)] = {"uniform": [0.02, 0.15]}
    reach: Annotated[Any, numbers(0, 10)] = {"uniform": [0.3, 1.2]}
    raised: Annotated[Any, numbers(-1, 1)] = {
        "mixture": [{"weight": 0.6, "of": 0}, {"weight": 0.4, "of": {"uniform": [-0.12, 0.12]}}]
    }
    crumble: Annotated[Any, numbers(0, 3)] = {"uniform": [0, 0.3]}
    dirt: Annotated[Any, numbers(0, 1)] = {"uniform": [0.1, 1]}
    hue: Annotated[Any, numbers(0, 1)] = {"uniform": [0.04, 0.12]}
    saturation: Annotated[Any, numbers(0, 1)] = {"uniform": [0, 0.5]}
    value: Annotated[Any, numbers(0, 1)] = {"uniform": [0.12, 0.6]}
    moss: Annotated[Any, numbers(0, 1)] = {
        "mixture": [{"weight": 0.88, "of": 0}, {"weight": 0.12, "of": {"uniform": [0.3, 1]}}]
    }
    stain: Annotated[Any, numbers(0, 1)] = {
        "mixture": [{"weight": 0.6, "of": 0}, {"weight": 0.4, "of": {"uniform": [0.1, 0.7]}}]
    }
    stain_value: Annotated[Any, numbers(0, 1)] = {
        "mixture": [{"weight": 0.65, "of": {"uniform": [0.1, 0.35]}}, {"weight": 0.35, "of": {"uniform": [0.6, 0.9]}}]
    }
    # Dust and fines of the surface itself, less often a repair that stands out.
    healed_tone: Annotated[Any, numbers(0.05, 20)] = {
        "mixture": [
            {"weight": 0.7, "of": {"uniform": [0.78, 1.25]}},
            {"weight": 0.18, "of": {"uniform": [1.25, 1.8]}},
            {"weight": 0.12, "of": {"uniform": [0.6, 0.78]}},
        ]
    }
    moisture: Annotated[Any, numbers(0, 1)] = {
        "mixture": [{"weight": 0.85, "of": 0}, {"weight": 0.15, "of": {"uniform": [0.3, 1]}}]
    }


def _share(share: float, most: int = 1) -> dict[str, Any]:
    """None on all but a share of the pictures."""
    some = 1 if most == 1 else {"uniform": [1, most]}
    return {"mixture": [{"weight": 1 - share, "of": 0}, {"weight": share, "of": some}]}


class Joints(Section):
    """Straight joints. width: pixels; depth: widths; turn: degrees off level or upright."""

    count: Annotated[Any, numbers(0, 10, whole=True)] = _share(0.08, 2)
    width: Annotated[Any, numbers(0.1, 1000)] = {"log_uniform": [2.5, 14]}
    depth: Annotated[Any, numbers(0, 20)] = {"uniform": [0.3, 1.5]}
    turn: Annotated[Any, numbers(-180, 180)] = {"normal": {"mean": 0, "std": 2, "low": -8, "high": 8}}


class Marks(Section):
    """What is on the surface without height. size: factor on the kind's usual width."""

    count: Annotated[Any, numbers(0, 10, whole=True)] = _share(0.3, 3)
    kind: Annotated[Any, names("paint", "scratch", "tyre", "stain")] = {
        "choice": {"paint": 0.06, "scratch": 0.42, "tyre": 0.07, "stain": 0.45}
    }
    size: Annotated[Any, numbers(0.01, 100)] = {"log_uniform": [0.5, 2]}


class LitterFactor(Section):
    """Things that lie on the surface. size: pixels long."""

    count: Annotated[Any, numbers(0, 50, whole=True)] = _share(0.12, 4)
    kind: Annotated[Any, names("twig", "cable", "leaf", "pebble")] = {
        "choice": {"twig": 0.35, "cable": 0.1, "leaf": 0.35, "pebble": 0.2}
    }
    size: Annotated[Any, numbers(1, 5000)] = {"log_uniform": [20, 200]}


class Seals(Section):
    """Former cracks under bands of filler. kind: as of a crack. width: pixels; height: widths above the surface. hue,
    saturation, value: of the filler.

    The rest is that of the filler of healed stretches, too; where there are seals these grew over, unseen. amount: how
    much of what is under it it covers; grain: pixels, size of its grains; contrast: how much they differ and stand
    out; proud: pixels by which it seems to stand out, below 0 it is sunk: in the shading alone, labels stay."""

    count: Annotated[Any, numbers(0, 10, whole=True)] = _share(0.06, 2)
    kind: Annotated[Any, names(*GENERATORS)] = {
        "choice": {"walk": 0.35, "midpoint": 0.3, "stress": 0.2, "thermal": 0.1, "alligator": 0.05}
    }
    width: Annotated[Any, numbers(0.1, 1000)] = {"log_uniform": [10, 45]}
    height: Annotated[Any, numbers(0, 1)] = {"uniform": [0.01, 0.08]}
    hue: Annotated[Any, numbers(0, 1)] = {"uniform": [0.05, 0.13]}
    saturation: Annotated[Any, numbers(0, 1)] = {"uniform": [0, 0.15]}
    value: Annotated[Any, numbers(0, 1)] = {
        "mixture": [{"weight": 0.6, "of": {"uniform": [0.07, 0.24]}}, {"weight": 0.4, "of": {"uniform": [0.3, 0.55]}}]
    }
    roughness: Annotated[Any, numbers(0, 1)] = {"uniform": [0.3, 0.85]}
    amount: Annotated[Any, numbers(0, 1)] = {"uniform": [0.6, 1]}
    grain: Annotated[Any, numbers(0.1, 1000)] = {"log_uniform": [0.8, 2.6]}
    contrast: Annotated[Any, numbers(0, 1)] = {"uniform": [0.25, 0.9]}
    proud: Annotated[Any, numbers(-20, 20)] = {"uniform": [-1, 0.7]}


class Covers(Section):
    """Cast iron let into floors; walls have none. size: pixels across."""

    count: Annotated[Any, numbers(0, 10, whole=True)] = _share(0.05)
    kind: Annotated[Any, names("manhole", "grate")] = {"choice": {"manhole": 0.65, "grate": 0.35}}
    size: Annotated[Any, numbers(1, 20000)] = {"log_uniform": [200, 900]}


class Shades(Section):
    """Shadows of things outside the picture. size: pixels; distance: m from the surface."""

    count: Annotated[Any, numbers(0, 5, whole=True)] = _share(0.3)
    kind: Annotated[Any, names("edge", "pole", "fence", "branch")] = {
        "choice": {"edge": 0.4, "pole": 0.2, "fence": 0.1, "branch": 0.3}
    }
    size: Annotated[Any, numbers(1, 5000)] = {"log_uniform": [12, 120]}
    distance: Annotated[Any, numbers(0.01, 100)] = {"log_uniform": [0.3, 4]}


class SurfaceFactor(Section):
    """A flat surface that fills the picture, instead of objects.

    scale: mm a pixel covers in the middle of the picture. obliqueness: degrees between the view and the surface's
    normal, at most what keeps its horizon out of the picture; side: whence a wall is seen, 0 from below, 90 from its
    right. A floor is seen from its near side. The camera's azimuth, elevation, distance, framing and jitter do not
    apply; azimuths and elevations of lamps are from the surface's own front and plane.
    """

    placement: Annotated[Any, names("floor", "wall")] = {"choice": {"floor": 0.35, "wall": 0.65}}
    family: Annotated[Any, names(*FAMILIES)] = {"choice": ["concrete", "plaster", "asphalt"]}
    scale: Annotated[Any, numbers(0.01, 100)] = {"log_uniform": [0.3, 2.0]}
    obliqueness: Annotated[Any, numbers(0, 75)] = {
        "mixture": [{"weight": 0.7, "of": {"uniform": [0, 25]}}, {"weight": 0.3, "of": {"uniform": [25, 60]}}]
    }
    side: Annotated[Any, numbers(-3600, 3600)] = {"uniform": [0, 360]}
    crack: CrackFactor = CrackFactor()
    joints: Joints = Joints()
    marks: Marks = Marks()
    litter: LitterFactor = LitterFactor()
    seals: Seals = Seals()
    covers: Covers = Covers()
    shades: Shades = Shades()

"""Material families: every kind of surface, with the distributions of its parameters.

A family is a node tree of `render.blender.materials`; its parameters are numbers, names or vectors. Colors are three
scalars, hue, saturation and value in [0, 1] of the display (sRGB) color, so that each is decided by one quantile; the
renderer makes linear RGB of them. `scale` counts features per unit of model length, which is the diagonal of an
object and a meter of a ground or room; `seed` moves the pattern; `roughness` is the mean about which it varies.
Names among the parameters choose the tree ("kind"), or an image by asset id ("texture").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scenes.distributions import Distribution, LogUniform, Uniform, parse

Parameters = Mapping[str, Distribution]


def mix(*parts: tuple[float, Any]) -> Distribution:
    """The mixture of weighted distributions."""
    return parse({"mixture": [{"weight": weight, "of": of} for weight, of in parts]})


def parsed(**parameters: Any) -> dict[str, Distribution]:
    """Parameters from the YAML forms of their distributions."""
    return {name: parse(value) for name, value in parameters.items()}


# The colors of made things: half of them neutral, the rest mostly red, blue or green.
ANY_HUE = mix(
    (0.24, Uniform(-0.03, 0.03)),
    (0.18, Uniform(0.05, 0.16)),
    (0.14, Uniform(0.25, 0.42)),
    (0.12, Uniform(0.44, 0.54)),
    (0.24, Uniform(0.55, 0.66)),
    (0.08, Uniform(0.74, 0.95)),
)
_SATURATION = mix((0.4, Uniform(0.0, 0.08)), (0.22, Uniform(0.1, 0.45)), (0.38, Uniform(0.5, 0.8)))
_VALUE = mix((0.28, Uniform(0.06, 0.28)), (0.37, Uniform(0.3, 0.75)), (0.35, Uniform(0.76, 0.92)))
# Painted and rendered walls: gray, white and beige, some ochre, lilac gray, hardly any in a strong color.
_WALL_HUE = mix(
    (0.8, Uniform(0.085, 0.135)), (0.13, Uniform(0.62, 0.72)), (0.04, Uniform(0.5, 0.6)), (0.03, Uniform(-0.03, 0.06))
)
_WALL_SATURATION = mix((0.7, Uniform(0.0, 0.04)), (0.24, Uniform(0.06, 0.16)), (0.06, Uniform(0.25, 0.5)))
_STAINS = mix((0.6, Uniform(0.0, 0.3)), (0.4, Uniform(0.3, 1.0)))
_SEED = Uniform(0.0, 50.0)
# Grain along x, y or z, as Euler angles in degrees.
_AXIS = mix((0.4, (0.0, 0.0, 0.0)), (0.25, (0.0, 0.0, 90.0)), (0.35, (0.0, 90.0, 0.0)))
_METAL_HUE = Uniform(0.04, 0.13)
_METAL_SATURATION = mix((0.7, Uniform(0.0, 0.05)), (0.3, Uniform(0.22, 0.45)))
_METAL_VALUE = Uniform(0.6, 0.97)
_WOOD_HUE = Uniform(0.045, 0.1)

FAMILIES: dict[str, dict[str, Distribution]] = {
    "metal": parsed(
        hue=_METAL_HUE, saturation=_METAL_SATURATION, value=_METAL_VALUE, roughness=LogUniform(0.06, 0.45),
        wear=Uniform(0.0, 0.8), scale=Uniform(3.0, 8.0), seed=_SEED,
    ),
    "brushed_metal": parsed(
        hue=_METAL_HUE, saturation=_METAL_SATURATION, value=_METAL_VALUE, roughness=Uniform(0.2, 0.42),
        grain=Uniform(0.3, 1.0), turn=mix((0.6, 0.0), (0.4, 90.0)), scale=Uniform(30.0, 70.0), seed=_SEED,
    ),
    "rusty_metal": parsed(
        hue=ANY_HUE, saturation=Uniform(0.0, 0.6), value=Uniform(0.2, 0.8), roughness=Uniform(0.25, 0.55),
        rust=Uniform(0.2, 0.9), scale=LogUniform(2.0, 6.0), seed=_SEED,
    ),
    "plastic": parsed(
        hue=ANY_HUE, saturation=_SATURATION, value=_VALUE, roughness=Uniform(0.15, 0.55), grain=Uniform(0.0, 0.5),
        wear=Uniform(0.0, 0.6), scale=Uniform(3.0, 8.0), seed=_SEED,
    ),
    "painted": parsed(
        hue=ANY_HUE, saturation=_SATURATION, value=_VALUE, roughness=Uniform(0.15, 0.5), wear=Uniform(0.0, 0.6),
        dust=Uniform(0.0, 0.5), peel=Uniform(0.1, 0.8), scale=Uniform(2.0, 6.0), seed=_SEED,
    ),
    "car_paint": parsed(
        hue=ANY_HUE, saturation=_SATURATION, value=_VALUE, flakes=mix((0.4, 0.0), (0.6, Uniform(0.3, 1.0))),
        dust=Uniform(0.0, 0.4), peel=Uniform(0.0, 0.5), scale=Uniform(2.0, 5.0), seed=_SEED,
    ),
    "wood": parsed(
        hue=_WOOD_HUE, saturation=Uniform(0.35, 0.72), value=Uniform(0.3, 0.85), contrast=Uniform(0.25, 0.75),
        roughness=Uniform(0.3, 0.6), gloss=Uniform(0.0, 0.7), axis=_AXIS, scale=LogUniform(11.0, 28.0), seed=_SEED,
    ),
    "planks": parsed(
        hue=_WOOD_HUE, saturation=Uniform(0.3, 0.65), value=Uniform(0.35, 0.82), contrast=Uniform(0.3, 0.8),
        roughness=Uniform(0.3, 0.55), gloss=Uniform(0.0, 0.6), turn=mix((0.5, 0.0), (0.5, 90.0)),
        scale=Uniform(4.0, 9.0), seed=_SEED,
    ),
    "fabric": parsed(
        hue=ANY_HUE, saturation=mix((0.45, Uniform(0.0, 0.2)), (0.55, Uniform(0.25, 0.68))), value=Uniform(0.15, 0.78),
        contrast=Uniform(0.1, 0.7), sheen=Uniform(0.1, 0.7), scale=LogUniform(50.0, 130.0), seed=_SEED,
    ),
    "carpet": parsed(
        hue=ANY_HUE, saturation=Uniform(0.05, 0.5), value=Uniform(0.25, 0.75), contrast=Uniform(0.2, 0.8),
        scale=LogUniform(30.0, 80.0), seed=_SEED,
    ),
    "wicker": parsed(
        hue=Uniform(0.06, 0.11), saturation=Uniform(0.3, 0.65), value=Uniform(0.35, 0.85),
        scale=Uniform(26.0, 50.0), seed=_SEED,
    ),
    "leather": parsed(
        hue=mix((0.8, Uniform(0.02, 0.09)), (0.2, ANY_HUE)), saturation=Uniform(0.15, 0.7), value=Uniform(0.16, 0.65),
        roughness=Uniform(0.3, 0.55), wear=Uniform(0.1, 0.8), scale=LogUniform(30.0, 80.0), seed=_SEED,
    ),
    "ceramic": parsed(
        hue=ANY_HUE, saturation=mix((0.55, Uniform(0.0, 0.12)), (0.45, Uniform(0.2, 0.75))),
        value=mix((0.6, Uniform(0.75, 0.95)), (0.4, Uniform(0.15, 0.7))), roughness=Uniform(0.06, 0.3),
        speckle=mix((0.6, 0.0), (0.4, Uniform(0.2, 1.0))), waves=Uniform(0.0, 0.6), scale=Uniform(3.0, 7.0), seed=_SEED,
    ),
    "patterned": parsed(
        kind={"choice": {"stripes": 0.3, "checks": 0.2, "dots": 0.2, "print": 0.3}},
        hue=ANY_HUE, saturation=_SATURATION, value=_VALUE, hue2=ANY_HUE, saturation2=_SATURATION,
        value2=mix((0.6, Uniform(0.75, 0.95)), (0.4, Uniform(0.1, 0.7))), roughness=Uniform(0.15, 0.6),
        scale=LogUniform(5.0, 16.0), seed=_SEED,
    ),
    "stone": parsed(
        kind={"choice": {"marble": 0.3, "granite": 0.4, "sandstone": 0.3}},
        hue=Uniform(0.04, 0.14), saturation=Uniform(0.02, 0.3), value=Uniform(0.3, 0.85), contrast=Uniform(0.3, 0.9),
        roughness=Uniform(0.12, 0.7), scale=LogUniform(2.0, 6.0), seed=_SEED,
    ),
    "concrete": parsed(
        hue=Uniform(0.05, 0.14), saturation=Uniform(0.0, 0.12), value=Uniform(0.42, 0.75), stains=Uniform(0.1, 0.9),
        pores=Uniform(0.1, 0.9), scale=Uniform(2.0, 5.0), seed=_SEED,
    ),
    "plaster": parsed(
        hue=ANY_HUE, saturation=mix((0.6, Uniform(0.0, 0.08)), (0.4, Uniform(0.1, 0.4))), value=Uniform(0.6, 0.95),
        relief=Uniform(0.1, 0.9), stains=Uniform(0.0, 0.5), scale=Uniform(2.0, 6.0), seed=_SEED,
    ),
    "brick": parsed(
        hue=Uniform(0.01, 0.07), saturation=Uniform(0.3, 0.65), value=Uniform(0.35, 0.65), mortar=Uniform(0.5, 0.8),
        contrast=Uniform(0.3, 0.9), wear=Uniform(0.1, 0.8), scale=Uniform(6.0, 12.0), seed=_SEED,
    ),
    "tiles": parsed(
        hue=ANY_HUE, saturation=mix((0.6, Uniform(0.0, 0.12)), (0.4, Uniform(0.15, 0.6))), value=Uniform(0.35, 0.93),
        grout=mix((0.5, Uniform(0.25, 0.5)), (0.5, Uniform(0.75, 0.92))), contrast=Uniform(0.0, 0.6),
        roughness=Uniform(0.08, 0.4), scale=Uniform(4.0, 10.0), seed=_SEED,
    ),
    "asphalt": parsed(
        value=Uniform(0.2, 0.48), contrast=Uniform(0.2, 0.9), stains=Uniform(0.1, 0.8),
        scale=LogUniform(40.0, 90.0), seed=_SEED,
    ),
    "moss": parsed(
        hue=Uniform(0.2, 0.28), saturation=Uniform(0.55, 0.85), value=Uniform(0.25, 0.5), cover=Uniform(0.45, 0.9),
        scale=Uniform(2.0, 5.0), seed=_SEED,
    ),
    "grass": parsed(
        hue=Uniform(0.2, 0.28), saturation=Uniform(0.45, 0.8), value=Uniform(0.3, 0.55), dryness=Uniform(0.0, 0.7),
        scale=Uniform(10.0, 22.0), seed=_SEED,
    ),
    "soil": parsed(
        hue=Uniform(0.05, 0.09), saturation=Uniform(0.3, 0.6), value=Uniform(0.24, 0.5), wetness=Uniform(0.0, 0.6),
        scale=Uniform(8.0, 20.0), seed=_SEED,
    ),
    "bark": parsed(
        hue=Uniform(0.05, 0.1), saturation=Uniform(0.15, 0.5), value=Uniform(0.32, 0.65), depth=Uniform(0.4, 1.0),
        scale=Uniform(8.0, 20.0), seed=_SEED,
    ),
    "foliage": parsed(
        hue=Uniform(0.2, 0.34), saturation=Uniform(0.5, 0.85), value=Uniform(0.25, 0.6), contrast=Uniform(0.2, 0.8),
        roughness=Uniform(0.3, 0.55), scale=Uniform(3.0, 8.0), seed=_SEED,
    ),
    "paper": parsed(
        hue=Uniform(0.07, 0.15), saturation=mix((0.6, Uniform(0.0, 0.06)), (0.4, Uniform(0.08, 0.4))),
        value=Uniform(0.7, 0.95), scale=Uniform(10.0, 30.0), seed=_SEED,
    ),
    "rubber": parsed(
        value=Uniform(0.08, 0.22), roughness=Uniform(0.45, 0.75), dust=Uniform(0.0, 0.6),
        scale=Uniform(3.0, 8.0), seed=_SEED,
    ),
    "fingerprints": parsed(
        hue=ANY_HUE, saturation=_SATURATION, value=mix((0.6, Uniform(0.06, 0.25)), (0.4, Uniform(0.3, 0.9))),
        roughness=Uniform(0.06, 0.2), smudges=Uniform(0.4, 1.0), scale=Uniform(5.0, 10.0), seed=_SEED,
    ),
    "glass": parsed(
        hue=ANY_HUE, saturation=mix((0.7, Uniform(0.0, 0.05)), (0.3, Uniform(0.15, 0.7))), value=Uniform(0.85, 0.99),
        roughness=mix((0.8, 0.0), (0.2, Uniform(0.05, 0.35))), dirt=Uniform(0.0, 0.5),
        scale=Uniform(2.0, 6.0), seed=_SEED,
    ),
    "pane": parsed(
        hue=Uniform(0.3, 0.6), saturation=Uniform(0.0, 0.1), value=Uniform(0.8, 0.98), dirt=Uniform(0.0, 0.5),
        scale=Uniform(2.0, 6.0), seed=_SEED,
    ),
    "screen": parsed(
        kind={"choice": {"off": 0.3, "picture": 0.35, "page": 0.35}},
        hue=ANY_HUE, brightness=LogUniform(0.4, 2.0), smudges=Uniform(0.0, 0.6), scale=Uniform(1.5, 4.0), seed=_SEED,
    ),
    "emission": parsed(
        hue=Uniform(0.06, 0.13), saturation=Uniform(0.02, 0.35), value=1.0, strength=LogUniform(1.5, 8.0)
    ),
    "stucco": parsed(
        kind={"choice": {
            "sanded": 0.26, "lumpy": 0.24, "sprayed": 0.16, "trowelled": 0.06, "pitted": 0.1, "smooth": 0.18
        }},
        hue=_WALL_HUE, saturation=_WALL_SATURATION, value=Uniform(0.45, 0.93), relief=LogUniform(0.2, 1.0),
        stains=_STAINS, scale=LogUniform(110.0, 420.0), seed=_SEED,
    ),
    "road": parsed(
        hue=mix((0.7, Uniform(0.05, 0.13)), (0.3, Uniform(0.56, 0.66))), saturation=Uniform(0.0, 0.07),
        value=Uniform(0.28, 0.6), contrast=Uniform(0.25, 1.0), wear=Uniform(0.15, 1.0), stains=_STAINS,
        scale=LogUniform(110.0, 300.0), seed=_SEED,
    ),
    "aggregate": parsed(
        hue=Uniform(0.06, 0.13), saturation=Uniform(0.0, 0.1), value=Uniform(0.45, 0.8), contrast=Uniform(0.3, 1.0),
        cover=Uniform(0.1, 0.95), relief=LogUniform(0.3, 1.0), stains=_STAINS,
        scale=LogUniform(80.0, 280.0), seed=_SEED,
    ),
    "cast": parsed(
        kind={"choice": {"smooth": 0.35, "brushed": 0.15, "boards": 0.1, "weathered": 0.4}},
        hue=mix((0.92, Uniform(0.07, 0.15)), (0.08, Uniform(0.5, 0.62))), saturation=Uniform(0.0, 0.09),
        value=Uniform(0.42, 0.8), pores=mix((0.5, 0.0), (0.5, LogUniform(0.03, 0.7))), relief=LogUniform(0.25, 1.0),
        stains=_STAINS, scale=LogUniform(150.0, 450.0), seed=_SEED,
    ),
    "flaking": parsed(
        hue=_WALL_HUE, saturation=_WALL_SATURATION, value=Uniform(0.5, 0.95), hue2=Uniform(0.06, 0.12),
        saturation2=Uniform(0.02, 0.3), value2=Uniform(0.5, 0.9), wear=Uniform(0.0, 1.0),
        roughness=Uniform(0.4, 0.8), stains=_STAINS, scale=LogUniform(200.0, 600.0), seed=_SEED,
    ),
    "brickwork": parsed(
        hue=Uniform(0.02, 0.08), saturation=Uniform(0.2, 0.55), value=Uniform(0.3, 0.62), mortar=Uniform(0.3, 0.62),
        contrast=Uniform(0.2, 0.9), stains=_STAINS, length=Uniform(0.19, 0.3),
        scale=LogUniform(250.0, 700.0), seed=_SEED,
    ),
    "pbr": parsed(texture="", scale=LogUniform(0.7, 3.0), rotation=mix((0.5, 0.0), (0.5, Uniform(0.0, 360.0)))),
    "image": parsed(
        texture="", scale=LogUniform(0.7, 3.0), rotation=mix((0.5, 0.0), (0.5, Uniform(0.0, 360.0))),
        roughness=Uniform(0.3, 0.8),
    ),
    "own": {},
}  # fmt: skip

TEXTURED = ("pbr", "image")
"""The families whose look is a texture of the user's."""

# Parameters that differ where the unit is a meter: on grounds and in rooms.
METRIC: dict[str, Parameters] = {
    "metal": parsed(scale=Uniform(0.8, 2.0)),
    "rusty_metal": parsed(scale=Uniform(0.5, 1.5)),
    "wood": parsed(scale=Uniform(14.0, 26.0), axis=(0.0, 0.0, 0.0)),
    "fabric": parsed(scale=LogUniform(60.0, 180.0)),
    "leather": parsed(scale=LogUniform(40.0, 100.0)),
    "carpet": parsed(scale=LogUniform(70.0, 160.0)),
    "wicker": parsed(scale=Uniform(20.0, 40.0)),
    "painted": parsed(scale=Uniform(0.8, 2.0), wear=Uniform(0.0, 0.25)),
    "patterned": parsed(scale=LogUniform(2.0, 12.0), roughness=Uniform(0.5, 0.85)),
    "stone": parsed(scale=LogUniform(1.5, 5.0)),
    "concrete": parsed(scale=Uniform(0.6, 1.6)),
    "plaster": parsed(scale=Uniform(0.8, 2.5)),
    "moss": parsed(scale=Uniform(0.8, 2.0)),
    "brick": parsed(scale=Uniform(4.0, 5.5)),
    "tiles": parsed(scale=LogUniform(1.6, 7.0)),
    "pbr": parsed(scale=LogUniform(0.4, 1.2)),
    "image": parsed(scale=LogUniform(0.5, 2.0)),
}

# By family: ratio of the mean albedo to the albedo of the color parameters. The ratio is linear in one parameter:
# its value where the parameter is 0, the name of the parameter, the slope.
SHOWN: dict[str, tuple[float, str, float]] = {
    "stucco": (0.96, "stains", 0.0),
    "plaster": (0.96, "stains", -0.06),
    "cast": (0.98, "stains", 0.0),
    "concrete": (1.1, "stains", -0.38),
    "road": (0.47, "wear", 0.36),
    "asphalt": (0.76, "contrast", 0.36),
    "aggregate": (1.25, "value", -0.8),
    "flaking": (0.94, "stains", 0.0),
    "brickwork": (1.0, "stains", 0.0),
    "tiles": (0.96, "contrast", -0.5),
    "stone": (0.81, "contrast", 0.0),
}


@dataclass(frozen=True)
class Courses:
    """A family's layout, in bricks' lengths with their joint.

    course: from one bed joint to the next. joint: half the width of the mortar. mortar: the parameter that is its
    brightness. shift: of every other course. size: the parameter that says how large they are; per_meter: whether it
    counts them on a meter, or is their length in meters. rise: how far up the parameter seed moves them; it moves them
    one to the left.
    """

    course: float
    joint: float
    mortar: str
    shift: float
    size: str
    per_meter: bool
    rise: float


COURSES: dict[str, Courses] = {
    "brickwork": Courses(
        course=0.31, joint=0.022, mortar="mortar", shift=0.5, size="length", per_meter=False, rise=0.7
    ),
    "brick": Courses(course=0.34, joint=0.032, mortar="mortar", shift=0.5, size="scale", per_meter=True, rise=0.37),
    "tiles": Courses(course=1.0, joint=0.028, mortar="grout", shift=0.0, size="scale", per_meter=True, rise=0.37),
}

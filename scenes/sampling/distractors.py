"""Things on rendered surfaces that are not cracks: joints, marks, seals, debris, covers, shadows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from scenes.distributions import LogUniform, Uniform
from scenes.materials.families import mix, parsed
from scenes.materials.roles import draw_family
from scenes.record.material import Material
from scenes.record.surface import Debris, Joint, Seal, ShadowCaster
from scenes.section import Drawn

_MADE_OF = {"twig": "bark", "cable": "rubber", "leaf": "foliage", "pebble": "stone"}

# Fallen leaves.
_LEAVES = parsed(hue=Uniform(0.05, 0.25), saturation=Uniform(0.25, 0.65), value=Uniform(0.2, 0.55))

# Cast iron, dull and dusty as it lies in roads.
_IRON = parsed(
    hue=Uniform(0.03, 0.1), saturation=Uniform(0, 0.18), value=Uniform(0.1, 0.32), stains=Uniform(0.3, 1),
    pores=Uniform(0, 0.1), scale=Uniform(3, 8),
)  # fmt: skip

T = TypeVar("T")

_FILLER = ("roughness", "amount", "grain", "contrast", "proud", "hue", "saturation", "value")

# Marks by kind. width, soft (the fading edge) and length (0: across the patch) in pixels; bend: how far from straight;
# wear: share of the paint that is worn off; amount: share of the surface that it covers, 0 to 1.
MARKS = {
    "paint": parsed(
        width=Uniform(50, 140), soft=Uniform(0.5, 2), length=0, bend=0, wear=Uniform(0.1, 0.8),
        amount=Uniform(0.6, 0.95), hue=mix((0.7, 0.12), (0.3, Uniform(0.0, 0.65))),
        saturation=mix((0.6, 0.03), (0.4, Uniform(0.4, 0.8))), value=Uniform(0.6, 0.9),
    ),
    "scratch": parsed(
        width=Uniform(0.5, 1.6), soft=Uniform(0.3, 1.0), length=LogUniform(40, 300), bend=Uniform(0, 0.5),
        wear=Uniform(0.2, 0.7), amount=Uniform(0.2, 0.7), hue=0.1, saturation=0.05,
        value=mix((0.5, Uniform(0.15, 0.35)), (0.5, Uniform(0.7, 0.95))),
    ),
    "tyre": parsed(
        width=Uniform(50, 130), soft=Uniform(8, 30), length=0, bend=Uniform(0, 0.3), wear=Uniform(0.3, 0.8),
        amount=Uniform(0.2, 0.6), hue=0.1, saturation=0.05, value=Uniform(0.1, 0.2),
    ),
    "stain": parsed(
        width=Uniform(20, 120), soft=Uniform(2, 30), length=Uniform(1, 60), bend=Uniform(0.5, 1.5),
        wear=Uniform(0, 0.6), amount=Uniform(0.1, 0.6), hue=Uniform(0.03, 0.14), saturation=Uniform(0.1, 0.6),
        value=Uniform(0.1, 0.45),
    ),
}  # fmt: skip


def several(
    surface: Drawn, name: str, one: Callable[[Drawn, float, float], T], pixel: float, span: float
) -> tuple[T, ...]:
    """Draws the things of one kind on a surface: the section `name` gives their number and their values.

    one: makes one thing from its drawn values. pixel: mm of the surface in a pixel. span: mm of it in the picture.
    """
    return tuple(one(surface.section(name, k), pixel, span) for k in range(surface.section(name)["count"]))


def _across(drawn: Drawn, axis: str, span: float) -> float:
    """A place along an axis of the picture, mm from its middle."""
    return (drawn.quantile(axis) - 0.5) * span


def joint(drawn: Drawn, pixel: float, span: float) -> Joint:
    width = drawn["width"] * pixel
    upright = 90.0 if drawn.quantile("upright") < 0.5 else 0.0
    return Joint(
        angle=upright + drawn["turn"],
        offset=_across(drawn, "offset", span),
        width=width,
        depth=drawn["depth"] * width,
    )


def mark(drawn: Drawn, pixel: float, span: float) -> Material:
    kind = drawn["kind"]
    scale = drawn["size"] * pixel
    look = {name: drawn.of(f"{kind}.{name}", distribution) for name, distribution in MARKS[kind].items()}
    lengths = {name: look[name] * scale for name in ("width", "soft", "length")}
    place = {axis: _across(drawn, axis, span) for axis in "xy"}
    turn = {name: drawn.quantile(name) for name in ("angle", "seed")}
    return Material("mark", {**look, **lengths, **place, "angle": 360 * turn["angle"], "seed": 50 * turn["seed"]})


def debris(drawn: Drawn, pixel: float, span: float) -> Debris:
    kind = drawn["kind"]
    own = _LEAVES if kind == "leaf" else None
    return _lying(drawn, pixel, span, draw_family(_MADE_OF[kind], drawn.streams, drawn.path("material"), own))


def cover(drawn: Drawn, pixel: float, span: float) -> Debris:
    # Covers are large: some of them lie across the picture's border.
    return _lying(drawn, pixel, 1.5 * span, draw_family("concrete", drawn.streams, drawn.path("material"), _IRON))


def _lying(drawn: Drawn, pixel: float, span: float, material: Material) -> Debris:
    return Debris(
        kind=drawn["kind"],
        x=_across(drawn, "x", span),
        y=_across(drawn, "y", span),
        angle=360 * drawn.quantile("angle"),
        size=drawn["size"] * pixel,
        material=material,
    )


def shadow_caster(drawn: Drawn, pixel: float, span: float) -> ShadowCaster:
    return ShadowCaster(
        kind=drawn["kind"],
        angle=360 * drawn.quantile("angle"),
        offset=_across(drawn, "offset", span),
        size=drawn["size"] * pixel,
        distance=drawn["distance"],
    )


def seal(drawn: Drawn, pixel: float, span: float) -> Seal:
    width = drawn["width"] * pixel
    return Seal(kind=drawn["kind"], width=width, height=drawn["height"] * width)


def filler(seals: Drawn, pixel: float) -> Material:
    """The filler of seals, by itself: `surface_geometry.filler_of` fits it to the surface around."""
    look = {name: seals[name] for name in _FILLER}
    look |= {name: look[name] * pixel for name in ("grain", "proud")}
    return Material("filler", {**look, "stains": 0.3, "seed": 50 * seals.quantile("seed")})

"""Draws a cracked surface and its camera, or the crack through an object."""

from __future__ import annotations

import math

import numpy as np

from scenes.cracks.registry import SHARES
from scenes.distributions import parse
from scenes.materials.albedo import mean_color
from scenes.materials.families import COURSES
from scenes.materials.grain import graininess
from scenes.record.camera import Camera, cross
from scenes.record.material import Material
from scenes.record.scene import Item, rotation_matrix
from scenes.record.surface import Crack, Debris, Decal, Surface
from scenes.sampling import distractors
from scenes.sampling.distractors import several
from scenes.sampling.draw import Draw, vector
from scenes.sampling.placement import direction
from scenes.sampling.surface_geometry import IN_WIDTHS, SHAPE, footprint
from scenes.section import Drawn

DEPOSIT = ("dirt", "hue", "saturation", "value", "moss", "stain", "stain_value", "moisture")
"""The parameters of what lies in a crack and around it, as the config has them."""

# Share of a crack that is covered where `dirt` is 1; the shader leaves some places clean.
_COVERED = 0.7
# How much more a crack must differ from a grainy surface than from a smooth one, as a factor of its graininess.
_AMONG_GRAINS = 4.0
# No ray of the picture meets the surface at less than this many degrees.
_GRAZING = 12.0
# The kinds of cracks where the config names none.
_KINDS = parse({"choice": SHARES})
# A decal's patch is this much wider than the object's diagonal.
_AROUND = 1.05


def patch(draw: Draw) -> tuple[Camera, Surface]:
    """The camera, looking at the origin, and the surface that fills its picture."""
    drawn = draw.section("surface")
    placement, pixel, zoom = drawn["placement"], drawn["scale"], drawn["zoom"]
    material = draw.dressed("surface", drawn["family"], drawn.path("material"))
    # Lengths that the config gives in pixels are those of the picture before it is enlarged or shrunk.
    bare = Surface(placement, material, pixel / zoom, (0.0, 0.0), (0.0, 0.0))
    camera = _camera(draw, drawn, bare)
    low, high = footprint(camera, bare)
    size = (float(high[0] - low[0]), float(high[1] - low[1]))
    span = bare.pixel * min(draw.config.camera.resolution)
    return camera, Surface(
        placement, material, bare.pixel, (float(low[0]), float(low[1])), size,
        crack=_crack(drawn.section("crack"), pixel, material),
        joints=several(drawn, "joints", distractors.joint, pixel, span),
        marks=several(drawn, "marks", distractors.mark, pixel, span),
        debris=_debris(drawn, placement, pixel, span),
        shadow_casters=several(drawn, "shadow_casters", distractors.shadow_caster, pixel, span),
        seals=several(drawn, "seals", distractors.seal, pixel, span),
        filler=distractors.filler(drawn.section("seals"), pixel),
        zoom=zoom,
    )  # fmt: skip


def _debris(drawn: Drawn, placement: str, pixel: float, span: float) -> tuple[Debris, ...]:
    things = several(drawn, "debris", distractors.debris, pixel, span)
    # No wall has a manhole.
    return things + several(drawn, "covers", distractors.cover, pixel, span) if placement == "floor" else things


def _camera(draw: Draw, drawn: Drawn, surface: Surface) -> Camera:
    lens = draw.lens()
    width, height, focal = lens["width"], lens["height"], lens["focal_length"]
    half_view = math.degrees(math.atan(math.hypot(width, height) / max(width, height) * 18.0 / focal))
    tilt = min(drawn["obliqueness"], max(90.0 - _GRAZING - half_view, 0.0))
    side = 0.0 if surface.placement == "floor" else drawn["side"]
    # Where the surface faces up, elevation 90 looks along its normal.
    towards = surface.frame()[:3, :3] @ direction(side, 90.0 - tilt)
    distance = surface.pixel / 1000 * focal / 36.0 * max(width, height)
    return Camera(
        location=vector(towards * distance),
        target=(0.0, 0.0, 0.0),
        roll=draw.section("camera")["roll"],
        **lens,
    )


def _crack(drawn: Drawn, pixel: float, around: Material | None = None) -> Crack | None:
    """The crack, or None. around: the material of a surface that cracks; None for an object."""
    if not drawn["present"]:
        return None
    width = drawn["width"] * pixel
    kind = drawn.get("kind") or drawn.of("kind", _KINDS)
    # A crack can follow the joints of a surface that has some.
    if around is not None and around.family in COURSES and drawn["stepped"]:
        kind = "masonry"
    shape = {name: drawn[name] for name in SHAPE} | {name: drawn[name] * width for name in IN_WIDTHS}
    deposit = {name: drawn[name] for name in DEPOSIT} | {"width": width, "seed": 50 * drawn.quantile("seed")}
    if around is not None:
        # A crack that follows the joints must differ from the mortar.
        laid = COURSES.get(around.family) if kind == "masonry" else None
        surface = _albedo(float(around.parameters[laid.mortar]) if laid else mean_color(around)[2])  # type: ignore[arg-type]
        inside = surface + _COVERED * deposit["dirt"] * (_albedo(deposit["value"]) - surface)
        least = min(drawn["visible"] * (1 + _AMONG_GRAINS * graininess(around, width)), 0.95)
        shape["depth"] = visible_depth(shape["depth"], shape["fill"], inside, surface, least)
    return Crack(
        kind=kind, width=width, deposit=Material("deposit", deposit), healed_tone=drawn["healed_tone"], **shape
    )


def _albedo(value: float) -> float:
    """The albedo of a gray with this display value, within the limits of what walls are made of."""
    return min(max(value**2.2, 0.02), 0.9)


def visible_depth(depth: float, fill: float, inside: float, surface: float, least: float) -> float:
    """The depth in widths at which a crack is darker than the surface by the share `least`; `depth` if it is visible.

    fill: share of the depth that is filled. inside, surface: the albedos in the crack and beside it. In a groove whose
    open part is d widths deep, the walls see the share s = 1 / sqrt(1 + 4 d²) of the sky, and the rest is walls. The
    light from there adds up to s / (1 - inside (1 - s)). A crack that is lighter by as much is visible, too. No depth
    helps a crack that is filled to the brim.
    """
    if fill >= 1:
        return depth
    sky = 1 / math.sqrt(1 + 4 * (depth * (1 - fill)) ** 2)
    if abs(1 - inside / surface * sky / (1 - inside * (1 - sky))) >= least:
        return depth
    light = (1 - least) * surface / inside
    sky = light * (1 - inside) / (1 - light * inside)
    return math.sqrt(1 / sky**2 - 1) / 2 / (1 - fill)


def decal(draw: Draw, item: Item, camera: Camera) -> Decal:
    """A crack through an item, or none, projected from about where the camera stands."""
    drawn = draw.section("objects").section("crack")
    away = np.subtract(camera.location, item.location)
    distance = float(np.linalg.norm(away))
    pixel = 1000 * distance / camera.intrinsics()[0, 0]
    turn, tilt = (2 * math.pi * drawn.quantile(name) for name in ("turn", "tilt"))
    towards = away / distance
    right = cross(towards, (0.0, 0.0, 1.0) if abs(towards[2]) < 0.9 else (0.0, 1.0, 0.0))
    right /= np.linalg.norm(right)
    up = cross(right, towards)
    # The direction is up to 35 degrees off the view: the patch must hit visible parts, but not always face the camera.
    lean = math.sin(math.radians(35)) * (math.cos(tilt) * right + math.sin(tilt) * up)
    towards = (towards + lean) / np.linalg.norm(towards + lean)
    first = right - towards * (right @ towards)
    first /= np.linalg.norm(first)
    second = cross(towards, first)
    back = rotation_matrix(item.rotation).T
    return Decal(
        crack=_crack(drawn, pixel),
        size=1000 * _AROUND * item.scale,
        pixel=pixel,
        right=vector(back @ (math.cos(turn) * first + math.sin(turn) * second)),
        down=vector(back @ (math.cos(turn) * second - math.sin(turn) * first)),
        visible=drawn["visible"],
    )

"""Mugs and cups: straight coffee mugs, tapered and barrel mugs, coffee cups and tea cups on saucers, travel mugs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scenes.mesh import Model
from scenes.shapes.mug import parts as parts
from scenes.shapes.primitives import Array, Geometry, merge, part


def mug(
    *,
    style: str,
    height: float,
    top_radius: float,
    base_radius: float,
    belly: float,
    lip_flare: float,
    rounding: float,
    foot_radius: float,
    foot_height: float,
    wall: float,
    flutes: int,
    flute_depth: float,
    handle: str,
    handle_reach: float,
    handle_top: float,
    handle_bottom: float,
    handle_width: float,
    handle_thickness: float,
    fill: float,
    saucer_radius: float,
    spoon: bool,
    badge: float,
    wall_role: str,
    inside_role: str,
    handle_role: str,
) -> Model:
    """A mug with its handle toward +x.

    style: straight, tapered, barrel, cup, teacup or travel; travel adds a lid.
    height: of the cup alone, 0.05 to 0.2. top_radius, base_radius: of the side line, 0.03 to 0.06.
    belly, lip_flare: how far the side bulges and the rim turns out, -0.004 to 0.015.
    rounding: fraction of the height over which the wall curves in to foot_radius, 0.03 to 1.
    foot_radius, foot_height: 0.015 to 0.045 and 0.001 to 0.012. wall: thickness, 0.002 to 0.006.
    flutes, flute_depth: number and relative depth (0 to 0.06) of the scallops at the rim.
    handle: ear, square, loop or drop. handle_reach: how far it stands out, 0.02 to 0.05.
    handle_top, handle_bottom: where it joins, fractions of the height. handle_width, handle_thickness: 0.005 to 0.02.
    fill: level of the drink as a fraction of the height, 0 for none. saucer_radius: 0 for none, else 0.065 to 0.09.
    spoon: one standing in the cup. badge: side of the prints to both sides, in meters, 0 for none.
    """
    parameters = dict(locals())
    cup = parts.Cup(height, top_radius, base_radius, belly, lip_flare, rounding, foot_radius, foot_height, wall)

    def fluted(geometry: Geometry) -> Geometry:
        return geometry.bent(lambda v: parts.scalloped(v, cup, flutes, flute_depth))

    path = parts.handle_path(cup, handle, handle_reach, handle_top * height, handle_bottom * height)
    pieces = [
        part("wall", fluted(parts.outside(cup)), wall_role, 50),
        part("interior", fluted(parts.inside(cup)), inside_role, 50),
        part("handle", parts.handle(path, handle_width, handle_thickness), handle_role),
    ]
    if fill > 0 and style != "travel":
        pieces.append(part("drink", fluted(parts.drink(cup, fill)), "lacquer:drink"))
    if badge > 0:
        pieces.append(part("print", merge([parts.badge(cup, badge, 270), parts.badge(cup, badge, 90)]), "decal", 60))
    if style == "travel":
        pieces.append(part("lid", parts.lid(cup), "dark_plastic", 40))
    if spoon:
        pieces.append(part("spoon", parts.spoon(cup), "chrome", 60))
    points = _keypoints(cup, path)
    rims = [name for name in points if name.startswith("rim")]
    points |= dict(
        zip(rims, parts.scalloped(np.array([points[k] for k in rims]), cup, flutes, flute_depth), strict=True)
    )
    model = Model(tuple(pieces), points, parameters)
    if saucer_radius > 0:
        model = model.moved(_shift(0.0, 0.0048))
        saucer = part("saucer", parts.saucer(saucer_radius, foot_radius), wall_role, 50)
        model = replace(model, parts=(*model.parts, saucer))
    return model.moved(_shift(-float(model.bounds[:, 0].mean()), 0.0))


def _shift(x: float, z: float) -> Array:
    matrix = np.eye(4)
    matrix[:3, 3] = x, 0.0, z
    return matrix


def _keypoints(cup: parts.Cup, path: Array) -> dict[str, Array]:
    rim, foot, h = float(cup.outer(cup.height)) - cup.wall / 2, cup.foot - 0.002, cup.height
    return {
        "rim_front": np.array([0.0, -rim, h]),
        "rim_back": np.array([0.0, rim, h]),
        "rim_left": np.array([rim, 0.0, h]),
        "rim_right": np.array([-rim, 0.0, h]),
        "base_front": np.array([0.0, -foot, 0.0]),
        "base_back": np.array([0.0, foot, 0.0]),
        "floor_centre": np.array([0.0, 0.0, cup.floor]),
        "handle_top": path[0],
        "handle_outer": path[np.argmax(path[:, 0])],
        "handle_bottom": path[-1],
    }


def mug_rand(rng: np.random.Generator) -> Model:
    """A random mug: two in three a coffee mug, most of the others cups on saucers."""
    styles = ("straight", "tapered", "barrel", "cup", "teacup", "travel")
    style = str(rng.choice(styles, p=(0.46, 0.12, 0.09, 0.15, 0.15, 0.03)))
    shape = {
        "straight": _straight,
        "tapered": _tapered,
        "barrel": _barrel,
        "cup": _coffee_cup,
        "teacup": _teacup,
        "travel": _travel,
    }[style](rng)
    return mug(style=style, **{**_finish(rng, style), **shape})


def _finish(rng: np.random.Generator, style: str) -> dict:
    """Glazes, prints, filling and handle for any style."""
    decoration = str(rng.choice(["plain", "badge", "wrap"], p=(0.4, 0.35, 0.25)))
    wall_role = "patterned_ceramic" if decoration == "wrap" else "ceramic"
    two_tone = rng.random() < 0.35
    inside = "ceramic:inside" if two_tone or decoration == "wrap" else "ceramic"
    return {
        "flutes": 0,
        "flute_depth": 0.0,
        "handle": str(rng.choice(["ear", "square", "drop"], p=(0.5, 0.3, 0.2))),
        "handle_top": rng.uniform(0.8, 0.88),
        "handle_bottom": rng.uniform(0.18, 0.28),
        "handle_width": rng.uniform(0.012, 0.019),
        "handle_thickness": rng.uniform(0.009, 0.013),
        "fill": rng.uniform(0.72, 0.9) if rng.random() < 0.4 else 0.0,
        "saucer_radius": 0.0,
        "spoon": bool(rng.random() < 0.06),
        "badge": rng.uniform(0.035, 0.06) if decoration == "badge" and style in ("straight", "tapered") else 0.0,
        "wall_role": wall_role,
        "inside_role": inside,
        "handle_role": inside if decoration == "wrap" else str(rng.choice([wall_role, inside], p=(0.7, 0.3))),
    }


def _straight(rng: np.random.Generator) -> dict:
    radius = rng.uniform(0.038, 0.045)
    return {
        "height": radius * rng.uniform(2.05, 2.6),
        "top_radius": radius,
        "base_radius": radius * rng.uniform(0.97, 1.01),
        "belly": 0.0,
        "lip_flare": rng.choice([0.0, rng.uniform(0, 0.002)]),
        "rounding": rng.uniform(0.03, 0.14),
        "foot_radius": radius * rng.uniform(0.82, 0.92),
        "foot_height": rng.uniform(0.001, 0.004),
        "wall": rng.uniform(0.0033, 0.0055),
        "handle_reach": rng.uniform(0.027, 0.036),
    }


def _tapered(rng: np.random.Generator) -> dict:
    shape = _straight(rng)
    return shape | {
        "base_radius": shape["top_radius"] * rng.uniform(0.66, 0.86),
        "belly": rng.uniform(-0.003, 0.001),
        "lip_flare": rng.uniform(0, 0.004),
        "foot_radius": shape["top_radius"] * rng.uniform(0.58, 0.64),
        "handle_bottom": rng.uniform(0.22, 0.34),
    }


def _barrel(rng: np.random.Generator) -> dict:
    shape = _straight(rng)
    return shape | {
        "height": shape["top_radius"] * rng.uniform(1.9, 2.4),
        "base_radius": shape["top_radius"] * rng.uniform(0.8, 0.95),
        "belly": rng.uniform(0.004, 0.011),
        "rounding": rng.uniform(0.1, 0.35),
        "foot_radius": shape["top_radius"] * rng.uniform(0.65, 0.75),
        "handle_bottom": rng.uniform(0.24, 0.32),
    }


def _coffee_cup(rng: np.random.Generator) -> dict:
    radius = rng.uniform(0.038, 0.047)
    foot = radius * rng.uniform(0.55, 0.68)
    return {
        "height": radius * rng.uniform(1.35, 1.75),
        "top_radius": radius,
        "base_radius": radius * rng.uniform(0.9, 1.0),
        "belly": rng.uniform(0.0, 0.002),
        "lip_flare": 0.0,
        "rounding": rng.uniform(0.35, 0.8),
        "foot_radius": foot,
        "foot_height": rng.uniform(0.002, 0.006),
        "wall": rng.uniform(0.003, 0.005),
        "handle": str(rng.choice(["ear", "drop"])),
        "handle_reach": rng.uniform(0.02, 0.029),
        "handle_width": rng.uniform(0.008, 0.013),
        "handle_thickness": rng.uniform(0.006, 0.009),
        "handle_bottom": rng.uniform(0.32, 0.4),
        "fill": rng.uniform(0.72, 0.88) if rng.random() < 0.65 else 0.0,
        "saucer_radius": radius * rng.uniform(1.5, 1.78) if rng.random() < 0.75 else 0.0,
    }


def _teacup(rng: np.random.Generator) -> dict:
    shape = _coffee_cup(rng)
    radius = shape["top_radius"] * 1.05
    scalloped = rng.random() < 0.3
    return shape | {
        "height": radius * rng.uniform(1.15, 1.5),
        "top_radius": radius,
        "base_radius": radius * rng.uniform(0.75, 0.9),
        "lip_flare": rng.uniform(0.0, 0.008),
        "rounding": rng.uniform(0.6, 0.95),
        "foot_radius": radius * rng.uniform(0.42, 0.52),
        "foot_height": rng.uniform(0.004, 0.01),
        "wall": rng.uniform(0.002, 0.003),
        "flutes": int(rng.integers(8, 17)) if scalloped else 0,
        "flute_depth": rng.uniform(0.015, 0.03) if scalloped else 0.0,
        "handle": str(rng.choice(["loop", "drop", "ear"], p=(0.6, 0.2, 0.2))),
        "handle_width": rng.uniform(0.006, 0.009),
        "handle_thickness": rng.uniform(0.0045, 0.0065),
        "saucer_radius": radius * rng.uniform(1.45, 1.75) if rng.random() < 0.75 else 0.0,
    }


def _travel(rng: np.random.Generator) -> dict:
    radius = rng.uniform(0.042, 0.047)
    body = str(rng.choice(["painted", "steel", "plastic"]))
    return {
        "height": rng.uniform(0.15, 0.18),
        "top_radius": radius,
        "base_radius": radius * rng.uniform(0.7, 0.8),
        "belly": rng.uniform(0.0, 0.002),
        "lip_flare": 0.0,
        "rounding": 0.03,
        "foot_radius": radius * 0.68,
        "foot_height": 0.003,
        "wall": 0.004,
        "handle": "drop",
        "handle_reach": rng.uniform(0.034, 0.042),
        "handle_top": rng.uniform(0.86, 0.93),
        "handle_bottom": rng.uniform(0.35, 0.45),
        "handle_width": 0.018,
        "handle_thickness": 0.013,
        "spoon": False,
        "badge": 0.0,
        "wall_role": body,
        "inside_role": "steel:inside",
        "handle_role": "dark_plastic",
    }

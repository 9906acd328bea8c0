"""Airplanes: airliners, tail-engined jets, turboprops, light planes, warbirds, biplanes and fighters."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from scenes.mesh import Model, Part
from scenes.shapes.airplane.parts import Body, Wing
from scenes.shapes.airplane.styles import STYLES
from scenes.shapes.primitives import (
    Array,
    Geometry,
    both_sides,
    part,
    rotation,
    sheet,
)

OUTLINES = {
    "airliner": "airliner",
    "tail_jet": "airliner",
    "turboprop": "propliner",
    "light": "cabin",
    "warbird": "inline",
    "biplane": "radial",
    "fighter": "fighter",
}


def airplane(
    *,
    style: str,
    length: float,
    diameter: float,
    span: float,
    chord: float,
    taper: float,
    sweep: float,
    dihedral: float,
    wing_at: float,
    wing_height: float,
    winglet: float = 0.0,
    t_tail: bool = False,
    fin_height: float,
    tail_span: float,
    engines: int = 1,
    engine_diameter: float = 1.0,
    blades: int = 3,
    blade_angle: float = 0.0,
    radial: bool = False,
    upper_deck: bool = False,
    windows: int = 0,
    stripe: float = 0.0,
    belly: str = "",
    tail_paint: float = 0.0,
    gear: bool = True,
    tail_wheel: bool = False,
    sitting: bool = True,
    skin: str = "painted",
    wing_role: str = "painted",
) -> Model:
    """An airplane.

    style: "airliner", "tail_jet", "turboprop", "light", "warbird", "biplane" or "fighter".
    length 5-75, diameter (of the fuselage) 1-6.5, span 7-65, chord (of the wing's root) 1-12: meters.
    taper: tip chord over root chord, 0.2-1; sweep 0-50 and dihedral -5-8: degrees.
    wing_at: the root's leading edge as a fraction of the length, 0.1-0.55; wing_height: -1 (under) to 1 (over).
    winglet: meters up, 0-2.5; t_tail: stabilizer on top of the fin; fin_height 1-10, tail_span 2-22: meters.
    engines: 1-4, of engine_diameter meters (nacelle, or propeller for propeller planes); blades 2-6 and blade_angle.
    radial: a round open cowling (warbird); upper_deck: a jumbo's hump; windows along each side (jets: 10-60).
    stripe: height of the cheat line, 0-0.4 diameters; belly: role of the underside, if it differs; tail_paint: slant of
    the livery color's edge around the tail, -1-1, 0 for none; gear: wheels out; tail_wheel instead of a nose wheel,
    and sitting on it; skin and wing_role: roles of the fuselage and of the wings.
    """
    p = SimpleNamespace(**locals())
    outline = "radial" if p.radial else OUTLINES[style]
    p.body = Body(outline, length, diameter, diameter, power=2.6 if outline == "cabin" else 2.0)
    p.lift = 0.004 * diameter
    p.wing = Wing(
        (0.0, wing_at * length, wing_height * 0.46 * diameter), span / 2, chord, taper, sweep, dihedral,
        ellipse=0.8 if style == "warbird" else 0.0, winglet=winglet,
        kink=0.3 if style in ("airliner", "tail_jet") else 0.0, thickness=0.06 if style == "fighter" else 0.12,
    )  # fmt: skip
    tail, points = _tail(p)
    parts = [part("fuselage", p.body.skin(), skin), part("wings", both_sides(p.wing.half()), wing_role), *tail]
    parts += _livery(p) + STYLES[style](p)
    for name, tip in {"left_wing_tip": p.wing.tip(), **points}.items():
        points = {**points, name: tip, name.replace("left", "right"): tip * (-1, 1, 1)}
    points["nose"] = p.body.at(0.0, 90.0)
    points["fuselage_top"] = p.body.at(0.4, 90.0)
    given = {k: v for k, v in vars(p).items() if k not in ("body", "lift", "wing", "ground", "contact")}
    return _set_down(Model(tuple(parts), points, given), p)


def _set_down(model: Model, p: SimpleNamespace) -> Model:
    """Tipped onto the tail wheel if it sits, and moved to stand centered on z = 0."""
    matrix = np.eye(4)
    if p.sitting and p.gear and p.tail_wheel:
        (y0, z0), (y1, z1) = p.contact
        matrix[:3, :3] = rotation("x", -np.degrees(np.arctan2(z1 - z0, y1 - y0)))
    turned = model.moved(matrix)
    low, high = turned.bounds
    shift = np.eye(4)
    shift[:3, 3] = [0, -(low[1] + high[1]) / 2, -low[2]]
    return turned.moved(shift)


def _tail(p: SimpleNamespace) -> tuple[list[Part], dict[str, Array]]:
    """Fin and stabilizer with their tips."""
    jet = p.style in ("airliner", "tail_jet", "fighter")
    chord = p.fin_height * (1.0 if jet else 0.85)
    center, _, half = p.body.section(0.9)
    fins = 2 if p.style == "fighter" and p.engines == 2 else 1
    root = (0.42 * p.diameter * (fins - 1), 0.965 * p.length - chord, float(center + 0.3 * half))
    round_tip = 0.3 if jet else 0.8
    height = p.fin_height + float(0.7 * half)
    fin = Wing(root, height, chord, 0.4 if not p.t_tail else 0.65, 42 if jet else 22, 0, 0.09, round_tip)
    upright = fin.upright()
    top = np.array([root[0], fin.tip()[1], root[2] + height])
    tail_chord = p.tail_span * (0.3 if jet else 0.26)
    where = (0.0, 0.955 * p.length - tail_chord, float(center + 0.1 * half))
    if p.t_tail:
        where = (0.0, top[1] - 0.62 * tail_chord, top[2] - 0.05 * p.fin_height)
    plane = Wing(where, p.tail_span / 2, tail_chord, 0.42, 35 if jet else 8, 0 if p.t_tail else 4, 0.09, round_tip)
    fillet = Wing((0, root[1] - 0.7 * chord, root[2]), 0.62 * height, 1.2 * chord, 0.15, 66, 0, 0.04)
    parts = [
        part("fin", both_sides(upright) if fins == 2 else upright, "painted:livery"),
        part("stabilizer", both_sides(plane.half()), p.wing_role),
    ]
    if not p.tail_wheel and fins == 1:
        parts.append(part("fin_fillet", fillet.upright(), "painted:livery"))
    return parts, {"left_stabilizer_tip": plane.tip(), "fin_top": top}


def _livery(p: SimpleNamespace) -> list[Part]:
    """A cheat line along the sides, and a belly in another paint."""
    d, parts = p.diameter, []
    if p.stripe:
        half = p.stripe * d / 2
        line = p.body.stripe(0.05, 0.95, (0.06 * d - half, 0.26 * d), (0.1 * d + half, 0.3 * d), 1.4 * p.lift)
        parts.append(part("cheat_line", line, "painted:livery"))
    if p.belly:
        low = p.body.stripe(0.015, 0.95, -9 * d, (-0.12 * d, 0.12 * d), 0.8 * p.lift)
        parts.append(part("belly", low, p.belly))
    if p.tail_paint:
        parts.append(part("tail_paint", _tail_paint(p), "painted:livery"))
    return parts


def _tail_paint(p: SimpleNamespace) -> Geometry:
    """The livery's color around the rear fuselage, its edge slanting forward as it goes up or down."""
    angle = np.linspace(0, 360, 49)
    edge = 0.8 + 0.08 * p.tail_paint * np.sin(np.radians(angle))
    share = np.linspace(0, 1, 20)[:, None]
    return sheet(p.body.at(edge * (1 - share) + 0.995 * share, -angle, 1.5 * p.lift))


def airplane_rand(rng: np.random.Generator) -> Model:
    """A random airplane."""
    style = str(rng.choice(list(STYLES), p=[0.38, 0.14, 0.15, 0.1, 0.1, 0.06, 0.07]))
    skin = str(rng.choice(["painted", "aluminium"], p=[0.88, 0.12]))
    return airplane(
        style=style, skin=skin, **_draw_paint(rng), blade_angle=rng.uniform(0, 360), **DRAWS[style](rng, skin)
    )


def _draw_paint(rng: np.random.Generator) -> dict:
    return {
        "stripe": rng.choice([0, rng.uniform(0.12, 0.4)]),
        "belly": str(rng.choice(["", "painted:belly", "aluminium"], p=[0.55, 0.3, 0.15])),
        "tail_paint": rng.choice([0, rng.uniform(-1, 1)], p=[0.65, 0.35]),
    }


def _draw_jet(rng: np.random.Generator, skin: str) -> dict:
    jumbo = rng.random() < 0.15
    length = rng.uniform(58, 72) if jumbo else rng.uniform(30, 62)
    diameter = length * (rng.uniform(0.095, 0.105) if jumbo else rng.uniform(0.09, 0.13))
    engines = 4 if jumbo else int(rng.choice([2, 3, 4], p=[0.78, 0.1, 0.12]))
    return {
        **_draw_airline(rng, length, diameter),
        "sweep": rng.uniform(25, 37),
        "chord": length * rng.uniform(0.14, 0.17),
        "dihedral": rng.uniform(4, 7),
        "wing_at": rng.uniform(0.33, 0.38),
        "winglet": rng.choice([0, 0.035]) * length,
        "fin_height": length * rng.uniform(0.155, 0.19),
        "tail_span": length * rng.uniform(0.3, 0.36),
        "engines": engines,
        "engine_diameter": diameter * (rng.uniform(0.4, 0.5) if engines > 2 else rng.uniform(0.46, 0.62)),
        "upper_deck": jumbo,
        "wing_role": str(rng.choice(["aluminium", "painted:wings"])),
    }


def _draw_airline(rng: np.random.Generator, length: float, diameter: float) -> dict:
    return {
        "length": length,
        "diameter": diameter,
        "span": length * rng.uniform(0.86, 1.02),
        "taper": rng.uniform(0.22, 0.36),
        "wing_height": rng.uniform(-0.72, -0.6),
        "windows": int(length * rng.uniform(0.8, 1.1)),
        "gear": bool(rng.random() < 0.8),
    }


def _draw_tail_jet(rng: np.random.Generator, skin: str) -> dict:
    length = rng.uniform(26, 48)
    diameter = length * rng.uniform(0.078, 0.1)
    return {
        **_draw_airline(rng, length, diameter),
        "span": length * rng.uniform(0.74, 0.9),
        "sweep": rng.uniform(22, 33),
        "chord": length * rng.uniform(0.12, 0.15),
        "dihedral": rng.uniform(2, 4),
        "wing_at": rng.uniform(0.4, 0.46),
        "t_tail": True,
        "fin_height": length * rng.uniform(0.11, 0.14),
        "tail_span": length * rng.uniform(0.26, 0.31),
        "engines": int(rng.choice([2, 3], p=[0.65, 0.35])),
        "engine_diameter": diameter * rng.uniform(0.42, 0.5),
        "wing_role": str(rng.choice(["aluminium", "painted:wings"])),
    }


def _draw_turboprop(rng: np.random.Generator, skin: str) -> dict:
    length = rng.uniform(14, 27)
    diameter = length * rng.uniform(0.1, 0.125)
    high = bool(rng.random() < 0.5)
    return {
        **_draw_airline(rng, length, diameter),
        "span": length * rng.uniform(1.0, 1.2),
        "chord": length * rng.uniform(0.105, 0.13),
        "taper": rng.uniform(0.4, 0.55),
        "sweep": rng.uniform(1, 5),
        "dihedral": rng.uniform(1, 3) if high else rng.uniform(4, 7),
        "wing_at": rng.uniform(0.37, 0.41),
        "wing_height": rng.uniform(0.86, 0.95) if high else rng.uniform(-0.8, -0.65),
        "windows": int(rng.integers(7, 16)),
        "t_tail": bool(rng.random() < 0.6),
        "fin_height": length * rng.uniform(0.14, 0.17),
        "tail_span": length * rng.uniform(0.3, 0.36),
        "engines": 4 if rng.random() < 0.15 else 2,
        "engine_diameter": length * rng.uniform(0.14, 0.165),
        "blades": int(rng.integers(3, 7)),
        "wing_role": str(rng.choice([skin, "painted:wings"])),
    }


def _draw_light(rng: np.random.Generator, skin: str) -> dict:
    length = rng.uniform(6.5, 8.5)
    high = bool(rng.random() < 0.5)
    return {
        "length": length,
        "diameter": length * rng.uniform(0.19, 0.215),
        "span": length * rng.uniform(1.15, 1.35),
        "chord": length * rng.uniform(0.19, 0.22),
        "taper": rng.uniform(0.65, 1.0),
        "sweep": 0.0,
        "dihedral": rng.uniform(1, 2) if high else rng.uniform(4, 7),
        "wing_at": rng.uniform(0.26, 0.3),
        "wing_height": 1.12 if high else -0.66,
        "fin_height": length * rng.uniform(0.13, 0.16),
        "tail_span": length * rng.uniform(0.4, 0.46),
        "engine_diameter": length * rng.uniform(0.22, 0.25),
        "blades": int(rng.choice([2, 3], p=[0.7, 0.3])),
        "wing_role": skin,
    }


def _draw_warbird(rng: np.random.Generator, skin: str) -> dict:
    length = rng.uniform(7.5, 10.5)
    return {
        "length": length,
        "diameter": length * rng.uniform(0.135, 0.165),
        "span": length * rng.uniform(1.1, 1.3),
        "chord": length * rng.uniform(0.22, 0.27),
        "taper": rng.uniform(0.4, 0.6),
        "sweep": rng.uniform(0, 5),
        "dihedral": rng.uniform(4, 6),
        "wing_at": rng.uniform(0.24, 0.29),
        "wing_height": rng.uniform(-0.85, -0.7),
        "fin_height": length * rng.uniform(0.13, 0.16),
        "tail_span": length * rng.uniform(0.36, 0.42),
        "engine_diameter": length * rng.uniform(0.29, 0.36),
        "blades": int(rng.integers(2, 5)),
        "radial": bool(rng.random() < 0.5),
        "gear": bool(rng.random() < 0.75),
        "tail_wheel": bool(rng.random() < 0.8),
        "sitting": bool(rng.random() < 0.75),
        "wing_role": skin,
    }


def _draw_biplane(rng: np.random.Generator, skin: str) -> dict:
    length = rng.uniform(6.5, 8.5)
    return {
        "length": length,
        "diameter": length * rng.uniform(0.135, 0.16),
        "span": length * rng.uniform(1.2, 1.4),
        "chord": length * rng.uniform(0.18, 0.21),
        "taper": rng.uniform(0.85, 1.0),
        "sweep": 0.0,
        "dihedral": rng.uniform(1, 3),
        "wing_at": rng.uniform(0.22, 0.25),
        "wing_height": rng.uniform(-0.95, -0.8),
        "fin_height": length * rng.uniform(0.12, 0.15),
        "tail_span": length * rng.uniform(0.36, 0.42),
        "engine_diameter": length * rng.uniform(0.28, 0.33),
        "blades": int(rng.choice([2, 3], p=[0.8, 0.2])),
        "radial": True,
        "tail_wheel": True,
        "sitting": bool(rng.random() < 0.75),
        "wing_role": "painted:wings",
    }


def _draw_fighter(rng: np.random.Generator, skin: str) -> dict:
    length = rng.uniform(14, 19)
    return {
        "length": length,
        "diameter": length * rng.uniform(0.115, 0.135),
        "span": length * rng.uniform(0.64, 0.76),
        "chord": length * rng.uniform(0.28, 0.34),
        "taper": rng.uniform(0.2, 0.3),
        "sweep": rng.uniform(35, 46),
        "dihedral": rng.uniform(-3, 0),
        "wing_at": rng.uniform(0.42, 0.47),
        "wing_height": rng.uniform(0.1, 0.5),
        "fin_height": length * rng.uniform(0.15, 0.18),
        "tail_span": length * rng.uniform(0.36, 0.42),
        "engines": int(rng.choice([1, 2])),
        "gear": bool(rng.random() < 0.5),
        "wing_role": skin,
    }


DRAWS = {
    "airliner": _draw_jet,
    "tail_jet": _draw_tail_jet,
    "turboprop": _draw_turboprop,
    "light": _draw_light,
    "warbird": _draw_warbird,
    "biplane": _draw_biplane,
    "fighter": _draw_fighter,
}

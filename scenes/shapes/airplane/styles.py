"""What makes each style of airplane: engines, windows, cockpits, landing gear."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from numpy.typing import ArrayLike

from scenes.mesh import Part
from scenes.shapes.airplane.parts import Body, Wing, fan_engine, leg, propeller, spinner
from scenes.shapes.primitives import bar, beam, both_sides, box, cylinder, ellipsoid, merge, part


def _legs(p: SimpleNamespace, spots: dict[str, tuple[ArrayLike, ArrayLike, float, int, int]]) -> list[Part]:
    """Landing gear legs by name: (top, axle, wheel radius, wheels, bogie rows)."""
    parts: list[Part] = []
    for name, spot in spots.items() if p.gear else ():
        pieces = leg(*spot)
        roles = {"strut": "metal", "tyres": "tyre", "hubs": "aluminium"}
        parts += [part(f"{name}_{piece}", geometry, roles[piece]) for piece, geometry in pieces.items()]
    return parts


def _both(name: str, spot: tuple) -> dict[str, tuple]:
    """A left leg and its mirror image."""
    top, axle, *rest = spot
    flip = np.array([-1, 1, 1])
    return {f"{name}_left": spot, f"{name}_right": (np.multiply(top, flip), np.multiply(axle, flip), *rest)}


def _tricycle(
    p: SimpleNamespace, track: float, ground: float, radius: float, wheels: int = 2, rows: int = 1
) -> list[Part]:
    """A nose leg and two main legs that reach down to `ground`."""
    y = p.wing.root[1] + 0.72 * p.chord
    nose = (
        (0, 0.12 * p.length, -0.25 * p.diameter),
        (0, 0.115 * p.length, ground + 0.75 * radius),
        0.75 * radius,
        2 if wheels > 1 else 1,
        1,
    )
    top = p.wing.stations([2 * track / p.span])[0][0][2]
    main = (
        (0.95 * track, y, max(top, p.wing.root[2] if p.wing_height < 0 else -0.2 * p.diameter)),
        (track, y, ground + radius),
        radius,
        wheels,
        rows,
    )
    return _legs(p, {"nose_gear": nose, **_both("main_gear", main)})


def _airline_windows(p: SimpleNamespace) -> list[Part]:
    """The row of cabin windows, the doors and the windscreen."""
    d, body = p.diameter, p.body
    body_lift = 2.2 * p.lift
    at = np.linspace(0.16, 0.8, p.windows)
    size = min(0.08 * d, 0.5 * 0.64 * p.length / p.windows)
    parts = [part("cabin_windows", body.windows(at, 0.1 * d, size, 1.45 * size, body_lift), "tinted_glass")]
    panes = body if not p.upper_deck else _upper_deck(p)
    first = 0.036 if not p.upper_deck else 0.05
    step = 0.085 * d / panes.length * (1.0 if not p.upper_deck else 1.5)
    side = [(first + 2.0 * step, 24), (first + 1.0 * step, 26), (first + 0.95 * step, 46), (first + 2.2 * step, 44)]
    back = [(first + 2.9 * step, 23), (first + 2.1 * step, 24), (first + 2.3 * step, 43), (first + 2.8 * step, 41)]
    front = [(first + 0.9 * step, 29), (first, 84), (first + 0.9 * step, 87), (first + 0.95 * step, 50)]
    glass = merge(panes.pane(corners, body_lift) for corners in (side, back, front))
    parts += [part("windscreen", both_sides(glass), "tinted_glass")]
    return parts


def _upper_deck(p: SimpleNamespace) -> Body:
    nose = (0.0, 0.018 * p.length, 0.33 * p.diameter)
    return Body("upper_deck", 0.36 * p.length, 0.8 * p.diameter, 0.62 * p.diameter, nose)


def _fans(spots: dict[str, ArrayLike], length: float, diameter: float) -> list[Part]:
    """The same jet engine at every spot, by name."""
    roles = {"cowl": "painted:cowl", "lip": "aluminium", "fan": "dark_plastic", "spinner": "metal", "exhaust": "steel"}
    pieces = fan_engine(length, diameter)
    parts = []
    for key, piece in pieces.items():
        first = part(key, piece, roles[key])
        for at_name, at in spots.items():
            shift = np.eye(4)
            shift[:3, 3] = at
            parts.append(replace(first.moved(shift), name=f"{at_name}_{key}"))
    return parts


def _airliner(p: SimpleNamespace) -> list[Part]:
    d, n = p.diameter, p.engine_diameter
    parts = _airline_windows(p)
    if p.upper_deck:
        parts.append(part("upper_deck", _upper_deck(p).skin(), p.skin))
    low = -0.5 * d
    spots: dict[str, ArrayLike] = {}
    for k, share in enumerate((0.34,) if p.engines < 4 else (0.37, 0.66)):
        lead, _ = p.wing.stations([share])
        at = lead[0] + (0, -0.12 * n, -0.66 * n)
        low = min(low, at[2] - n / 2)
        pylon = Wing((at[0], at[1] - 0.3 * n, at[2] + 0.35 * n), 0.38 * n, 2.1 * n, 0.9, 55, 0, 0.1).upright()
        parts.append(part(f"pylons_{k}", both_sides(pylon), p.wing_role))
        spots |= {f"engine_left_{k}": at, f"engine_right_{k}": at * (-1, 1, 1)}
    parts += _fans(spots, 1.55 * n, n) + _centre_engine(p)
    fairing = ellipsoid(1.0 * d, 2.1 * p.chord, 0.62 * d, 32, 20).moved(0, p.wing.root[1] + 0.75 * p.chord, -0.26 * d)
    wheel = 0.15 * d
    rows = 2 if p.length > 45 else 1
    return [*parts, part("wing_fairing", fairing, p.skin), *_tricycle(p, 0.8 * d, low - 0.16 * d, wheel, 2, rows)]


def _centre_engine(p: SimpleNamespace) -> list[Part]:
    """The third engine, over the tail."""
    if p.engines != 3:
        return []
    n = 0.85 * p.engine_diameter
    y, z = 0.965 * p.length - p.fin_height, p.body.at(0.85, 90)[2] + 0.3 * n
    return _fans({"engine_centre": (0, y + 0.35 * n, z)}, 2.6 * n, n)


def _tail_jet(p: SimpleNamespace) -> list[Part]:
    d, n = p.diameter, p.engine_diameter
    parts = _airline_windows(p)
    x, y, z = 0.5 * d + 0.52 * n, 0.76 * p.length, 0.16 * d
    stub = beam((0, y, z), (x, y, z), 1.6 * n, 0.16 * n, 0.05 * n)
    parts.append(part("pylons", both_sides(stub), p.skin))
    parts += _fans({"engine_left": (x, y, z), "engine_right": (-x, y, z)}, 2.9 * n, n)
    fairing = ellipsoid(0.95 * d, 1.8 * p.chord, 0.5 * d, 32, 20).moved(0, p.wing.root[1] + 0.7 * p.chord, -0.3 * d)
    parts.append(part("wing_fairing", fairing, p.skin))
    return parts + _centre_engine(p) + _tricycle(p, 0.75 * d, -0.88 * d, 0.15 * d)


def _turboprop(p: SimpleNamespace) -> list[Part]:
    d, n = p.diameter, p.engine_diameter
    parts = _airline_windows(p)
    pod = 0.28 * n
    for k, share in enumerate((0.3,) if p.engines < 4 else (0.27, 0.52)):
        lead, chord = p.wing.stations([share])
        nose = lead[0] + (0, -0.42 * n, -0.05 * pod)
        nacelle = Body("nacelle", 0.42 * n + 1.05 * chord[0], pod, 1.15 * pod, tuple(nose))
        screw = propeller(n / 2, p.blades, p.blade_angle).moved(*nose)
        hub = spinner(0.26 * pod, 0.7 * pod).moved(*(nose + np.array([0, 0.12 * pod, 0])))
        parts += [
            part(f"nacelles_{k}", both_sides(nacelle.skin(30, 32)), "painted:cowl"),
            part(f"propellers_{k}", both_sides(screw.moved(y=-0.1 * pod)), "dark_plastic"),
            part(f"spinners_{k}", both_sides(hub), "aluminium"),
        ]
    low = min(-0.8 * d, p.wing.root[2] - 0.62 * n)
    fairing = ellipsoid(0.8 * d, 1.7 * p.chord, 0.5 * d, 32, 20)
    fairing = fairing.moved(0, p.wing.root[1] + 0.5 * p.chord, np.sign(p.wing_height) * 0.34 * d)
    parts.append(part("wing_fairing", fairing, p.skin))
    track = 0.15 * p.span if p.wing_height < 0 or p.engines == 4 else 0.62 * d
    return parts + _tricycle(p, track, low, 0.16 * d)


def _nose_propeller(p: SimpleNamespace, z: float = 0.0) -> list[Part]:
    r = 0.5 * p.engine_diameter
    hub = 0.13 * p.diameter if p.body.outline == "radial" else 0.2 * p.diameter
    screw = propeller(r, p.blades, p.blade_angle, 0.2 if p.blades == 2 else 0.17).moved(0, -0.55 * hub, z)
    return [
        part("propeller", screw, "dark_plastic"),
        part("spinner", spinner(hub, 1.5 * hub).moved(0, 0.25 * hub, z), "painted:livery"),
    ]


def _canopy(p: SimpleNamespace, at: float, length: float, width: float, height: float, hoops: ArrayLike) -> list[Part]:
    """A blister of glass with frames, half sunk into the back of the fuselage."""
    top = p.body.at(at + 0.5 * length, 90)[2]
    d = p.diameter
    glass = Body(
        "canopy", length * p.length, width * d, 2 * height * d, (0.0, at * p.length, top - 0.2 * height * d), 2.3
    )
    return [
        part("canopy", glass.skin(36, 40), "tinted_glass"),
        part("canopy_frame", glass.hoops(hoops, 0.022 * d), p.skin),
    ]


def _cowling(p: SimpleNamespace) -> list[Part]:
    """Front of an engine: a radial's dark opening with cylinders, or exhaust stubs along an inline's sides."""
    d = p.diameter
    if p.body.outline == "radial":
        face = cylinder(0.36 * d, 0.04 * d, 40).rotated("x", 90).moved(y=0.012 * d)
        pots = [
            cylinder(0.05 * d, 0.24 * d, 12).moved(z=0.11 * d).rotated("y", 40 * k).moved(y=-0.02 * d) for k in range(9)
        ]
        return [part("engine_face", face, "dark_plastic"), part("cylinders", pots, "steel")]
    stubs = []
    for t in np.linspace(0.1, 0.22, 6):
        at = p.body.at(t, 25)
        stubs.append(bar(at - (0.05 * d, 0, 0), at + np.array([0.05 * d, 0.07 * d, 0]), 0.03 * d))
    return [part("exhausts", both_sides(merge(stubs)), "steel")]


def _tail_dragger(p: SimpleNamespace, track: float, ground: float, radius: float, top: ArrayLike) -> list[Part]:
    y = p.wing.root[1] + 0.12 * p.chord
    under = float(p.body.at(0.93, -90)[2])
    small = 0.35 * radius
    axle = (0, 0.945 * p.length, under - 0.9 * small)
    p.contact = ((y, ground), (axle[1], axle[2] - small))
    legs = {**_both("main_gear", (top, (track, y, ground + radius), radius, 1, 1))}
    return _legs(p, {**legs, "tail_gear": ((0, 0.92 * p.length, under + 0.05 * p.diameter), axle, small, 1, 1)})


def _warbird(p: SimpleNamespace) -> list[Part]:
    d = p.diameter
    parts = _nose_propeller(p) + _cowling(p) + _canopy(p, 0.33, 0.24, 0.6, 0.3, [0.16, 0.3, 0.45, 0.6, 0.75])
    scoop = ellipsoid(0.4 * d, 0.2 * p.length, 0.42 * d, 24, 16).moved(0, 0.5 * p.length, -0.42 * d)
    parts.append(part("radiator", scoop, p.skin))
    ground, radius = -max(0.62 * p.engine_diameter, 1.1 * d), 0.27 * d
    top = p.wing.stations([0.24])[0][0] + (0, 0.3 * p.chord, 0)
    if p.tail_wheel:
        return parts + _tail_dragger(p, 0.125 * p.span, ground, radius, top)
    return parts + _tricycle(p, 0.125 * p.span, ground, radius, 1)


def _light(p: SimpleNamespace) -> list[Part]:
    d, body = p.diameter, p.body
    parts = _nose_propeller(p, -0.16 * d)
    lift = 2 * p.lift
    screen = body.pane([(0.315, 24), (0.215, 38), (0.215, 142), (0.315, 156)], lift)
    doors = body.pane([(0.4, 4), (0.31, 4), (0.34, 48), (0.4, 50)], lift)
    back = body.pane([(0.53, 8), (0.415, 4), (0.415, 50), (0.5, 46)], lift)
    parts += [
        part("windscreen", screen, "tinted_glass"),
        part("side_windows", both_sides(merge([doors, back])), "tinted_glass"),
    ]
    ground, radius = -max(0.95 * d, 0.16 * d + 0.6 * p.engine_diameter), 0.17 * d
    if p.wing_height > 0:
        foot = body.at(0.32, -25)
        mount = p.wing.stations([0.5])[0][0] + (0, 0.3 * p.chord, 0)
        parts.append(
            part("wing_struts", both_sides(beam(foot - (0.05, 0, 0), mount, 0.1, 0.035, 0.01, (0, 0, 1))), p.wing_role)
        )
    y = p.wing.root[1] + 0.6 * p.chord
    inner = (0.3 * d, y, -0.35 * d) if p.wing_height > 0 else p.wing.stations([0.26])[0][0] + (0, 0.6 * p.chord, 0)
    track = 0.85 * d if p.wing_height > 0 else 0.13 * p.span
    nose = ((0, 0.09 * p.length, -0.3 * d), (0, 0.07 * p.length, ground + radius), radius, 1, 1)
    return parts + _legs(
        p, {"nose_gear": nose, **_both("main_gear", (inner, (track, y, ground + radius), radius, 1, 1))}
    )


def _biplane(p: SimpleNamespace) -> list[Part]:
    d = p.diameter
    gap = 1.35 * p.chord
    upper = Wing(
        (0, p.wing.root[1] - 0.35 * p.chord, p.wing.root[2] + gap), p.span / 2, p.chord, p.taper, 0, p.dihedral
    )
    spars = [
        beam(
            p.wing.stations([s])[0][0] + (0, f * p.chord, 0),
            upper.stations([s])[0][0] + (0, f * p.chord, 0),
            0.09,
            0.04,
            0.015,
            (0, 1, 0),
        )
        for s in (0.68,)
        for f in (0.16, 0.68)
    ]
    cabane = [
        beam(
            p.body.at(t, 60) - (0.02, 0, 0.05),
            upper.stations([0.11])[0][0] + (0, f * p.chord, 0),
            0.07,
            0.035,
            0.01,
            (0, 1, 0),
        )
        for t, f in ((0.2, 0.16), (0.3, 0.68))
    ]
    wires = [
        bar(a.stations([s])[0][0] + (0, 0.4 * p.chord, 0), b.stations([e])[0][0] + (0, 0.4 * p.chord, 0), 0.009, 6)
        for a, s, b, e in ((p.wing, 0.68, upper, 0.12), (p.wing, 0.14, upper, 0.68))
    ]
    parts = [
        part("upper_wing", both_sides(upper.half()), p.wing_role),
        part("struts", both_sides(merge(spars + cabane)), "metal"),
    ]
    parts += [part("wires", both_sides(merge(wires)), "steel"), *_nose_propeller(p), *_cowling(p)]
    for k, t in enumerate((0.37, 0.5)):
        y, _, z = np.array([t * p.length, 0, p.body.at(t, 90)[2]])
        pit = ellipsoid(0.5 * d, 0.085 * p.length, 0.16 * d, 24, 12).moved(0, y, z - 0.045 * d)
        screen = box(0.42 * d, 0.012, 0.24 * d, 0.005).rotated("x", 28).moved(0, y - 0.05 * p.length, z + 0.06 * d)
        parts += [part(f"cockpit_{k}", pit, "leather"), part(f"windscreen_{k}", screen, "tinted_glass")]
    ground, radius = -max(0.62 * p.engine_diameter, 1.15 * d), 0.28 * d
    return parts + _tail_dragger(p, 0.75 * d, ground, radius, p.body.at(0.24, -50) - (0.05, 0, -0.05))


def _fighter(p: SimpleNamespace) -> list[Part]:
    d, length = p.diameter, p.length
    parts = _canopy(p, 0.17, 0.2, 0.42, 0.22, [0.3, 0.75])
    duct = box(0.34 * d, 0.36 * length, 0.6 * d, 0.1 * d).rotated("z", 3).moved(0.5 * d, 0.5 * length, -0.06 * d)
    mouth = (
        box(0.27 * d, 0.02 * length, 0.5 * d, 0.08 * d)
        .rotated("z", 3)
        .moved(0.5 * d - 0.01 * length, 0.317 * length, -0.06 * d)
    )
    n = 0.6 * d / np.sqrt(p.engines)
    nozzle = cylinder(0.5 * n * 1.15, 0.1 * length, 32, top=0.5 * n * 0.85).rotated("x", -90).moved(y=0.9 * length)
    hole = cylinder(0.36 * n, 0.01, 32).rotated("x", -90).moved(y=1.0 * length - 0.005)
    both = [g.moved(x=0.27 * d) for g in (nozzle, hole)] if p.engines == 2 else [nozzle, hole]
    doubled = [both_sides(g) if p.engines == 2 else g for g in both]
    missile = merge(
        [ellipsoid(0.13, 2.8, 0.13, 16, 12), box(0.5, 0.35, 0.015).moved(y=1.1), box(0.015, 0.35, 0.5).moved(y=1.1)]
    )
    tank = ellipsoid(0.42 * d, 0.3 * length, 0.42 * d, 28, 20).moved(
        *(p.wing.stations([0.42])[0][0] + (0, 0.2 * p.chord, -0.34 * d))
    )
    hook = box(0.06, 0.1 * length, 0.3 * d, 0.02).moved(
        *(p.wing.stations([0.42])[0][0] + (0, 0.25 * p.chord, -0.12 * d))
    )
    parts += [
        part("intakes", both_sides(duct), p.skin),
        part("intake_mouths", both_sides(mouth), "dark_plastic"),
        part("nozzles", doubled[0], "steel"),
        part("nozzle_holes", doubled[1], "dark_plastic"),
        part("missiles", both_sides(missile.moved(*p.wing.tip())), "painted:stores"),
        part("tanks", both_sides(merge([tank, hook])), p.wing_role),
    ]
    return parts + _tricycle(p, 0.7 * d, -1.05 * d, 0.2 * d, 1)


STYLES = {
    "airliner": _airliner,
    "tail_jet": _tail_jet,
    "turboprop": _turboprop,
    "light": _light,
    "warbird": _warbird,
    "biplane": _biplane,
    "fighter": _fighter,
}

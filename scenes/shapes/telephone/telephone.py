"""Telephones: candy bars and flip phones of around 2000, smartphones, desk telephones with a corded handset.

Mobiles are built lying on their backs, x across, y towards the earpiece and z out of the face, and stood up last.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from scenes.mesh import Model
from scenes.shapes.primitives import (
    Array,
    both_sides,
    box,
    cylinder,
    inset_outline,
    part,
    prism,
    rotation,
    rounded_rectangle,
)
from scenes.shapes.telephone import parts as components
from scenes.shapes.telephone.parts import Pieces, Points


def telephone(
    *,
    style: str,
    length: float,
    width: float,
    depth: float,
    roundness: float,
    waist: float,
    top: float,
    edge: float,
    curve: float,
    screen_width: float,
    screen_height: float,
    window_power: float,
    key_power: float,
    key_fill: float,
    smile: float,
    opening: float,
    antenna: float,
    antenna_side: int,
    flap: bool,
    panel: bool,
    screen_in_lid: bool,
    body_role: str,
    panel_role: str,
    key_role: str,
    legend_role: str,
    screen_role: str,
) -> Model:
    """A telephone; mobiles stand upright.

    style: "candybar", "flip", "smartphone" or "desk".
    length, width, depth: m; of the body without antenna 0.1 to 0.17, 0.04 to 0.06, 0.014 to 0.03 (smartphone 0.007
        to 0.01); of one half of a flip phone 0.08 to 0.1; of a desk telephone's base 0.19 to 0.23 both, 0.03 to 0.05.
    roundness: power of the outline's superellipse, 3 to 9. waist, top: width in the middle and at the top over
        `width`, 0.85 to 1.1. edge: rounding of the long edges over depth, 0.1 to 0.45.
    curve: m the ends come forward, 0 to 0.004.
    screen_width, screen_height: over the body's width and length, 0.5 to 0.8 and 0.15 to 0.3.
    window_power: superellipse power of the window around the screen, 2.5 to 8; key_power: of the keys, 2 to 8.
    key_fill: size of keys over their pitch, 0.65 to 0.9. smile: m the outer columns of keys rise, -0.002 to 0.003.
    opening: degrees; between a flip phone's halves 130 to 180, of a desk telephone's slope 5 to 20.
    antenna: m, 0 (none) to 0.04; antenna_side: 1 (left) or -1.
    flap: a mouthpiece cover stands open at the bottom. panel: the face has a plate of panel_role.
    screen_in_lid: whether a flip phone's display is in its lid.
    """
    parameters = dict(locals())
    build = {"candybar": _candybar, "flip": _flip, "smartphone": _smartphone, "desk": _desk}[style]
    pieces, points = build(SimpleNamespace(**parameters))
    if style != "desk":
        pieces = [(name, geometry.rotated("x", 90.0), role) for name, geometry, role in pieces]
        points = {name: rotation("x", 90.0) @ point for name, point in points.items()}
    every = np.concatenate([geometry.vertices for _, geometry, _ in pieces])
    low, high = every.min(axis=0), every.max(axis=0)
    shift = -np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    parts = tuple(part(name, geometry.moved(*shift), role) for name, geometry, role in pieces)
    return Model(parts, {name: point + shift for name, point in points.items()}, parameters)


def telephone_rand(rng: np.random.Generator) -> Model:
    """A random telephone, mostly mobiles of around 2000."""
    style = str(rng.choice(["candybar", "flip", "smartphone", "desk"], p=[0.64, 0.2, 0.06, 0.1]))
    sizes = {
        "candybar": ((0.105, 0.165), (0.043, 0.056), (0.017, 0.03)),
        "flip": ((0.078, 0.098), (0.043, 0.054), (0.012, 0.018)),
        "smartphone": ((0.12, 0.165), (0.06, 0.078), (0.007, 0.0105)),
        "desk": ((0.185, 0.23), (0.165, 0.215), (0.03, 0.05)),
    }
    length, width, depth = (float(rng.uniform(*span)) for span in sizes[style])
    if style == "smartphone":
        length = width * float(rng.uniform(1.85, 2.15))
    dark_keys = bool(rng.random() < 0.5)
    dark_role, light_role = rng.choice(["rubber", "dark_plastic:keys"]), rng.choice(["plastic:keys", "ivory"])
    body_role = str(rng.choice(["plastic", "painted", "dark_plastic", "metal"], p=[0.4, 0.27, 0.25, 0.08]))
    antennas = {"candybar": 0.7, "flip": 0.65}
    return telephone(
        style=style,
        length=length,
        width=width,
        depth=depth,
        roundness=float(rng.uniform(3.2, 9.0)),
        waist=float(rng.uniform(0.88, 1.06)),
        top=float(rng.uniform(0.9, 1.08)),
        edge=float(rng.uniform(0.15, 0.42)),
        curve=float(rng.uniform(0.0, 0.004)) if rng.random() < 0.6 else 0.0,
        screen_width=float(rng.uniform(0.58, 0.74)),
        screen_height=float(rng.uniform(0.15, 0.25)),
        window_power=float(rng.uniform(2.6, 8.0)),
        key_power=float(rng.choice([2.0, 2.5, 4.0, 7.0])),
        key_fill=float(rng.uniform(0.66, 0.88)),
        smile=float(rng.uniform(-0.001, 0.004)),
        opening=float(rng.uniform(8, 20) if style == "desk" else rng.uniform(140, 175)),
        antenna=float(rng.uniform(0.012, 0.04)) if rng.random() < antennas.get(style, 0.0) else 0.0,
        antenna_side=int(rng.choice([-1, 1])),
        flap=bool(style == "candybar" and rng.random() < 0.12),
        panel=bool(rng.random() < 0.55),
        screen_in_lid=bool(rng.random() < 0.55),
        body_role=body_role,
        panel_role=str(rng.choice(["plastic:panel", "painted:panel", "dark_plastic:panel", "metal:panel"])),
        key_role=str(dark_role if dark_keys else light_role),
        legend_role="paper" if dark_keys else "ebony",
        screen_role=str(rng.choice(["screen", "screen_print"], p=[0.6, 0.4])),
    )


# Kinds ---------------------------------------------------------------------------------------------------------


def _candybar(p: SimpleNamespace) -> tuple[Pieces, Points]:
    length, width, face = p.length, p.width, p.depth
    outline = components.slab_outline(width, length, p.waist, p.top, p.roundness)
    narrow = width * min(1.0, p.waist, (p.waist + 1) / 2)
    pieces = [
        ("body", components.pillow(outline, p.depth, min(p.edge * p.depth, 0.1 * width), p.edge * p.depth), p.body_role)
    ]
    if p.panel:
        plate = components.shrunk(outline, min(p.edge * p.depth, 0.1 * width) + 0.0008)
        pieces.append(("panel", components.pillow(plate, 0.002, 0.0004, 0.0004).moved(z=face - 0.0014), p.panel_role))
        face += 0.0006
    screen_at = 0.7 * length
    pieces += components.display(p, screen_at, face) + components.earpiece(0.905 * length, 0.3 * width, face)
    keys, points = components.keypad(p, 0.8 * narrow, 0.07 * length, 0.42 * length, face)
    pieces += (
        keys
        + components.controls(p, 0.8 * narrow, 0.5 * length, face)
        + components.back(p, outline)
        + components.side_keys(p, 0.72 * length)
    )
    pieces.append(("mouthpiece", components.slot(0.008, 0.0012).moved(y=0.035 * length, z=face), "dark_plastic"))
    if p.antenna:
        pieces += components.antenna(p, 0.34 * width * p.top, length)
    pieces = [
        (name, geometry.bent(lambda v: components.bow(v, p.curve, length)), role) for name, geometry, role in pieces
    ]
    if p.flap:
        pieces += components.flap(p)
    points |= {
        "earpiece": np.array([0, 0.905 * length, face]),
        "mouthpiece": np.array([0, 0.035 * length, face]),
        "screen_center": np.array([0, screen_at, face + 0.001]),
        "back_center": np.array([0, 0.5 * length, 0.0]),
    }
    return pieces, {name: components.bow(point[None], p.curve, length)[0] for name, point in points.items()}


def _flip(p: SimpleNamespace) -> tuple[Pieces, Points]:
    length, width, face = p.length, p.width, p.depth
    outline = components.slab_outline(width, length, 1.0, 1.0, p.roundness)
    pieces = [("body", components.pillow(outline, p.depth, 0.2 * p.depth, p.edge * p.depth), p.body_role)]
    keypad_top = 0.62 if p.screen_in_lid else 0.48
    keys, points = components.keypad(p, 0.78 * width, 0.08 * length, keypad_top * length, face)
    pieces += keys + components.back(p, outline) + components.side_keys(p, 0.6 * length)
    lid, lid_points = components.lid(p)
    pieces += lid + components.hinge(p, length, p.depth)
    if p.screen_in_lid:
        pieces += components.controls(p, 0.78 * width, 0.76 * length, face)
    else:
        pieces += components.display(p, 0.72 * length, face)
        lid_points["screen_center"] = np.array([0, 0.72 * length, face + 0.001])
    if p.antenna:
        pieces += components.antenna(p, 0.34 * width, length)
    points |= lid_points | {
        "mouthpiece": np.array([0, 0.035 * length, face]),
        "back_center": np.array([0, 0.5 * length, 0.0]),
    }
    pieces.append(("mouthpiece", components.slot(0.006, 0.0012).moved(y=0.035 * length, z=face), "dark_plastic"))
    return pieces, points


def _smartphone(p: SimpleNamespace) -> tuple[Pieces, Points]:
    length, width, face = p.length, p.width, p.depth
    outline = rounded_rectangle(width, length, 0.05 * width + 0.006, 32) + np.array([0, length / 2])
    home = p.panel
    chin = (0.13 if home else 0.05) * length
    glass = prism(inset_outline(outline, 0.0015), 0.001, 0.0004).moved(z=face)
    tall = length - 2 * chin
    screen = prism(rounded_rectangle(0.91 * width, tall, 0.0015 if home else 0.005, 6), 0.0006)
    pieces = [
        ("body", prism(outline, p.depth, 0.4 * p.depth).moved(z=p.depth / 2), p.body_role),
        ("front_glass", glass, "dark_plastic"),
        ("screen", screen.moved(y=length / 2, z=face + 0.0004), p.screen_role),
        ("earpiece", components.slot(0.014, 0.0016).moved(y=length - 0.4 * chin, z=face + 0.0006), "metal"),
        ("rear_lens", components.rear_camera(0.0055).moved(p.antenna_side * 0.3 * width, 0.9 * length), "metal"),
        (
            "rear_glass",
            components.rear_camera(0.0038).moved(p.antenna_side * 0.3 * width, 0.9 * length, -0.0005),
            "tinted_glass",
        ),
    ]
    pieces += components.side_keys(p, 0.78 * length)
    if home:
        ring = cylinder(0.0056, 0.0008, 40, 0.0003).moved(y=chin / 2, z=face + 0.0001)
        pieces.append(("home_button", ring, p.body_role + ":home"))
    low, high = chin + 0.05 * length, 0.5 * length
    return pieces, {
        "earpiece": np.array([0, length - 0.4 * chin, face]),
        "mouthpiece": np.array([0, 0.035 * length, face]),
        "screen_center": np.array([0, length / 2, face + 0.0007]),
        "key_1": np.array([-0.3 * width, high, face + 0.0007]),
        "keypad_center": np.array([0, (low + high) / 2, face + 0.0007]),
        "key_hash": np.array([0.3 * width, low, face + 0.0007]),
        "back_center": np.array([0, 0.5 * length, 0.0]),
    }


def _desk(p: SimpleNamespace) -> tuple[Pieces, Points]:
    """The base is built level, y to the back, then its top is tilted; the handset lies along the left of the face."""
    width, length, face = p.width, p.length, p.depth
    slope = np.tan(np.radians(p.opening))

    def tilt(v: Array) -> Array:
        return v + np.column_stack([0 * v[:, :2], slope * (v[:, 1] + length / 2) * np.clip(v[:, 2] / face, 0, 1)])

    plan = rounded_rectangle(width, length, 0.02 + 0.01 * p.edge, 10)
    across, aside = 0.5 * width, 0.2 * width
    screen = SimpleNamespace(
        **{**vars(p), "width": across, "screen_width": 0.78, "screen_height": 0.6 * p.screen_height}
    )
    keys, points = components.keypad(p, 0.9 * across, -0.4 * length, 0.12 * length, face)
    pieces = [("body", prism(plan, face, 0.006).moved(z=face / 2), p.body_role)]
    pieces += [(name, geometry.moved(x=aside), role) for name, geometry, role in keys]
    pieces += [(name, g.moved(x=aside), role) for name, g, role in components.display(screen, 0.33 * length, face)]
    pieces += [
        (name, g.moved(x=aside), role) for name, g, role in components.controls(screen, across, 0.18 * length, face)
    ]
    points = {name: point + np.array([aside, 0, 0]) for name, point in points.items()}
    ends = 0.41 * length
    cradle = both_sides(box(0.05, 0.045, 0.012, 0.004).moved(y=ends), "y").moved(-0.33 * width, 0, face + 0.004)
    handset, cups = components.handset(2 * ends, 0.33 * width, p.body_role)
    handset = [(name, geometry.moved(z=face), role) for name, geometry, role in handset]
    points |= {name: point + np.array([0, 0, face]) for name, point in cups.items()}
    points["screen_center"] = np.array([aside, 0.33 * length, face + 0.001])
    points["back_center"] = np.array([0, length / 2, face / 2])
    pieces = [(n, g.bent(tilt), r) for n, g, r in [*pieces, ("cradle", cradle, p.body_role), *handset]]
    pieces.append(("cord", components.cord(p), "rubber"))
    return pieces, {name: tilt(point[None])[0] for name, point in points.items()}

"""Metalwork of the guitars: bridges, pickups, controls; axes as in `_guitar_parts`."""

from __future__ import annotations

import numpy as np

from scenes.mesh import Part
from scenes.shapes.primitives import (
    Array,
    Geometry,
    bar,
    beam,
    box,
    cylinder,
    ellipsoid,
    merge,
    part,
    prism,
    rounded_rectangle,
    spline,
    tube,
)


def bridge(kind: str, y: float, depth: float, top: float, metal_role: str) -> tuple[list[Part], Array]:
    """The bridge with its saddle line at y, and the (6, 3) points its strings start from."""
    x = np.linspace(-0.5, 0.5, 6)
    height = top + 0.004 - depth
    if kind in ("pinned", "tied"):
        return _wooden_bridge(kind, y, depth, height)
    if kind in ("tremolo", "plate"):
        made = _plate_bridge(kind, y, depth, height, metal_role)
        return [made], np.column_stack([x * 0.052, np.full(6, y - 0.016), np.full(6, depth + 0.004)])
    return _metal_bridge(kind, y, depth, height, metal_role)


def _plate_bridge(kind: str, y: float, depth: float, height: float, role: str) -> Part:
    """A base plate with a saddle for each string; the plate kind carries the rear pickup too."""
    size, offset = ((0.082, 0.046), -0.002) if kind == "tremolo" else ((0.080, 0.088), 0.022)
    plate = box(*size, 0.0055, 0.001).moved(y=y + offset, z=depth + 0.001)
    saddle = box(0.0088, 0.022, height - 0.002, 0.0012, 3).moved(z=depth + height / 2)
    saddles = [saddle.moved(x, y - 0.006) for x in np.linspace(-0.026, 0.026, 6)]
    wall = box(size[0], 0.004, 0.010, 0.001).moved(y=y + offset - size[1] / 2 + 0.002, z=depth + 0.003)
    return part("bridge", merge([plate, wall, *saddles]), role)


def _metal_bridge(kind: str, y: float, depth: float, height: float, role: str) -> tuple[list[Part], Array]:
    """A rail on two posts; strings come from a stop bar behind it or from a trapeze at the butt."""
    rail = beam((-0.038, y, depth + height - 0.005), (0.038, y, depth + height - 0.005), 0.011, 0.009, 0.002)
    posts = [cylinder(0.006, height - 0.004, 20).moved(s * 0.037, y, depth - 0.001) for s in (1, -1)]
    x = np.linspace(-0.026, 0.026, 6)
    if kind == "trapeze":
        foot = box(0.12, 0.022, height + 0.002, 0.002).moved(y=y, z=depth + height / 2 - 0.007)
        bars = [
            beam((s * 0.012, 0.002, depth + 0.002), (s * 0.036, y - 0.07, depth + 0.008), 0.006, 0.004, 0.001)
            for s in (1, -1)
        ]
        tail = [
            box(0.09, 0.016, 0.006, 0.002).moved(y=y - 0.07, z=depth + 0.008),
            box(0.034, 0.006, 0.03, 0.002).moved(y=0, z=depth - 0.01),
        ]
        made = [part("bridge", foot, "dark_wood:bridge"), part("tailpiece", merge([rail, *bars, *tail]), role)]
        return made, np.column_stack([x, np.full(6, y - 0.066), np.full(6, depth + 0.010)])
    stop_y = y - 0.042
    stop = box(0.10, 0.014, 0.011, 0.0045).moved(y=stop_y, z=depth + 0.0085)
    studs = [cylinder(0.0075, 0.013, 20, 0.002).moved(s * 0.043, stop_y, depth - 0.001) for s in (1, -1)]
    made = [part("bridge", merge([rail, *posts]), role), part("tailpiece", merge([stop, *studs]), role)]
    return made, np.column_stack([x, np.full(6, stop_y + 0.002), np.full(6, depth + 0.0125)])


def _wooden_bridge(kind: str, y: float, depth: float, height: float) -> tuple[list[Part], Array]:
    """A glued wooden bridge with an ivory saddle, and pins or a tie block behind it."""
    x = np.linspace(-0.026, 0.026, 6)
    back = y - 0.015
    if kind == "pinned":
        half = np.array([(0, -26), (30, -25), (52, -17), (76, -15), (76, 4), (52, 6), (32, 9), (0, 9)]) / 1000
        outline = np.concatenate([half, (half[1:-1] * (-1, 1))[::-1]])
        wood = prism(outline, 0.009, 0.0015).moved(y=y, z=depth + 0.0035)
        pins = merge([cylinder(0.0028, 0.005, 12), ellipsoid(0.006, 0.006, 0.004, 12, 6).moved(z=0.005)])
        extra = part("bridge_pins", merge(pins.moved(a, back, depth + 0.006) for a in x), "ivory:pins")
    else:
        wood = merge([box(0.19, 0.028, 0.006, 0.002), box(0.084, 0.012, 0.012, 0.002).moved(y=-0.008, z=0.002)])
        wood = wood.moved(y=y - 0.006, z=depth + 0.0022)
        extra = part("tie_block", box(0.08, 0.010, 0.002, 0.0005).moved(y=y - 0.014, z=depth + 0.0103), "ivory:pins")
    saddle = box(0.074, 0.003, height - 0.001, 0.0005).moved(y=y, z=depth + height / 2)
    made = [part("bridge", wood, "dark_wood:bridge"), extra, part("saddle", saddle, "ivory")]
    return made, np.column_stack([x, np.full(6, back), np.full(6, depth + 0.0085)])


def pickups(kinds: str, y: float, joint: float, depth: float, top: float, role: str, metal_role: str) -> list[Part]:
    """Pickups between the fretboard's end and the bridge, from neck to bridge."""
    letters = {"tele": "sS", "n": "h", "b": "h"}.get(kinds, kinds)
    places = np.linspace(joint - 0.036, y + 0.036, max(len(letters), 2))
    places = places[-1:] if kinds == "b" else places
    lift = top - depth - 0.001
    pieces = []
    for k, (letter, at) in enumerate(zip(letters, places, strict=False)):
        last = k == len(letters) - 1 and len(letters) > 1
        angle = 12.0 if last and letter in "sS" else 0.0
        build = _humbucker if letter == "h" else _single_coil
        cover, poles = build(lift)
        pieces.append(part(f"pickup_{k + 1}", cover.rotated("z", angle).moved(y=at, z=depth), role))
        pieces.append(part(f"poles_{k + 1}", poles.rotated("z", angle).moved(y=at, z=depth), "steel:poles", 50))
        if letter == "h":
            ring = prism(rounded_rectangle(0.092, 0.046, 0.003), 0.007, 0.0012).moved(y=at, z=depth + 0.002)
            pieces.append(part(f"pickup_ring_{k + 1}", ring, "dark_plastic:ring"))
    return pieces


def _single_coil(lift: float) -> tuple[Geometry, Geometry]:
    cover = prism(rounded_rectangle(0.071, 0.018, 0.0088, 8), lift + 0.003, 0.0015).moved(z=(lift - 0.003) / 2)
    return cover, _poles(lift, (0.0,))


def _humbucker(lift: float) -> tuple[Geometry, Geometry]:
    cover = box(0.069, 0.037, lift + 0.003, 0.003).moved(z=(lift - 0.003) / 2 + 0.0005)
    return cover, _poles(lift + 0.0005, (0.0095, -0.0095))


def _poles(lift: float, rows: tuple[float, ...]) -> Geometry:
    pole = cylinder(0.0024, 0.004, 12).moved(z=lift - 0.0032)
    return merge(pole.moved(x, row) for x in np.linspace(-0.026, 0.026, 6) for row in rows)


def controls(style: str, count: int, width: float, length: float, depth: float, metal_role: str) -> list[Part]:
    """Knobs on the treble side and the selector switch."""
    rows = {
        "strat": [(82, 150), (98, 116), (106, 82)],
        "superstrat": [(92, 132), (102, 96), (106, 62)],
        "tele": [(108, 134), (108, 96), (108, 62)],
        "flying_v": [(96, 150), (118, 112), (140, 74)],
        "semi_hollow": [(122, 168), (150, 150), (128, 112), (160, 98)],
        "archtop": [(140, 160), (150, 120)],
    }.get(style, [(90, 128), (126, 122), (90, 82), (122, 76)])
    switch = {"les_paul": (-88, 338), "tele": (108, 158), "strat": (62, 165), "superstrat": (84, 168)}.get(
        style, (112, 60)
    )
    scale = np.array([width, length]) / 1000
    knob = merge([cylinder(0.0115, 0.014, 28, 0.002, 0.0105), cylinder(0.0085, 0.0175, 24, 0.002)]).moved(z=depth)
    knobs = merge(knob.moved(*(np.array(place) * scale)) for place in rows[:count])
    x, y = np.array(switch) * scale
    lever = merge(
        [
            bar((0, 0, 0), (0.002, 0.006, 0.016), 0.0018, 10),
            ellipsoid(0.006, 0.006, 0.007, 12, 8).moved(0.002, 0.006, 0.017),
            cylinder(0.007, 0.003, 20),
        ]
    )
    pieces = [part("knobs", knobs, f"{metal_role if style == 'tele' else 'plastic:knobs'}", 40)]
    pieces.append(part("switch", lever.moved(x, y, depth), metal_role))
    if style == "tele":
        plate = prism(rounded_rectangle(0.034, 0.16, 0.016, 8), 0.004, 0.0008).moved(
            0.108 * width, 0.105 * length, depth
        )
        pieces.append(part("control_plate", plate, metal_role))
    return pieces


def whammy(y: float, depth: float) -> Geometry:
    """A tremolo arm from the bridge plate down the treble side."""
    path = [
        (0.036, y, depth + 0.002),
        (0.037, y, depth + 0.02),
        (0.045, y + 0.02, depth + 0.03),
        (0.055, y + 0.075, depth + 0.032),
        (0.05, y + 0.13, depth + 0.032),
    ]
    line = spline(np.array(path), 30)
    return merge([tube(line, 0.0026, 10), ellipsoid(0.008, 0.016, 0.008, 14, 8).moved(*line[-1])])


def strap_button(outline: Array, depth: float) -> Geometry:
    """The strap pin at the butt."""
    butt = outline[np.abs(outline[:, 0]).argmin()]
    low = min(butt[1], 0.5)
    pin = merge([cylinder(0.0035, 0.012, 14), cylinder(0.007, 0.003, 18, 0.001).moved(z=0.009)])
    return pin.rotated("x", 90).moved(0, low + 0.002, depth / 2)

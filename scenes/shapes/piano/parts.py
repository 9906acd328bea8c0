"""Pieces of pianos: keyboard, legs, lyre, bench, the inside of a grand. The keys' front edge lies along y = 0."""

from __future__ import annotations

import numpy as np

from scenes.mesh import Part
from scenes.shapes.primitives import (
    Array,
    Geometry,
    bar,
    beam,
    both_sides,
    box,
    circle,
    cylinder,
    inset_outline,
    loft,
    merge,
    part,
    prism,
    spline,
    superellipse,
    tube,
)

# (height from the floor as a fraction, width as a fraction of the widest) up the leg.
LEGS = {
    "spade": [
        (0.0, 0.42), (0.09, 0.45), (0.10, 0.62), (0.19, 0.68), (0.2, 0.5), (0.22, 0.5), (0.78, 0.86), (0.79, 1.0),
        (0.83, 1.0), (0.84, 0.9), (1.0, 0.95),
    ],
    "turned": [
        (0.0, 0.34), (0.06, 0.36), (0.08, 0.62), (0.12, 0.66), (0.15, 0.4), (0.2, 0.44), (0.5, 0.66), (0.62, 0.9),
        (0.7, 1.0), (0.77, 0.86), (0.8, 0.58), (0.82, 0.58), (0.84, 0.95), (0.88, 1.0), (0.9, 0.9), (1.0, 0.95),
    ],
    "straight": [(0.0, 0.9), (0.015, 1.0), (0.985, 1.0), (1.0, 1.0)],
    "tapered": [(0.0, 0.5), (0.03, 0.55), (0.8, 0.92), (0.82, 1.0), (1.0, 1.0)],
}  # fmt: skip


def keyboard(z: float, width: float, whites: int, key_length: float) -> list[Part]:
    """White keys from x = -width / 2 with their tops at z, and black ones where an 88-key piano has them."""
    pitch = width / whites
    white = box(pitch - 0.0011, key_length, 0.022, 0.0012, 2).moved(y=key_length / 2, z=z - 0.011)
    left = -width / 2 + pitch * (np.arange(whites) + 0.5)
    black_length = 0.64 * key_length
    outline = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    low, high = (0.47 * pitch, black_length), (0.36 * pitch, black_length - 0.008)
    sections = [
        np.column_stack([outline * size, np.full(4, h)]) for size, h in ((low, -0.008), (low, 0.003), (high, 0.0115))
    ]
    black = loft(np.array(sections)).moved(y=key_length - black_length / 2, z=z)
    sharps = [x + pitch / 2 for i, x in enumerate(left[:-1]) if "ABCDEFG"[i % 7] in "ACDFG"]
    return [
        part("white_keys", merge(white.moved(x) for x in left), "ivory:keys"),
        part("black_keys", merge(black.moved(x) for x in sharps), "ebony:keys", 20),
    ]


def leg(style: str, height: float, width: float) -> Geometry:
    """A leg about z up to `height`: square, or round when turned."""
    ring = circle(0.5, 32) if style == "turned" else superellipse(1.0, 1.0, 9.0, 32)
    levels = np.array(LEGS[style])
    sections = [np.column_stack([ring * size * width, np.full(32, at * height)]) for at, size in levels]
    return loft(np.array(sections))


def caster(radius: float) -> Geometry:
    """A brass wheel on the floor with its fork."""
    wheel = cylinder(radius, 0.018, 28, 0.003).rotated("y", 90).moved(-0.009, -0.01, radius)
    return merge([wheel, cylinder(radius * 0.9, 1.2 * radius, 24, 0.002).moved(z=1.2 * radius)])


def legs(places: Array, style: str, height: float, width: float, role: str, metal_role: str) -> list[Part]:
    """Legs at the (k, 2) places, on casters unless they are straight."""
    lift = 0.0 if style in ("straight", "tapered") else 0.055
    shape = leg(style, height - lift, width).moved(z=lift)
    names = ("leg_right", "leg_left", "leg_back", "leg_back_left")
    pieces = [part(name, shape.moved(x, y), role, 30) for name, (x, y) in zip(names, places, strict=False)]
    if lift:
        wheel = caster(0.027)
        pieces.append(part("casters", merge(wheel.moved(x, y) for x, y in places), metal_role))
    return pieces


def lyre(y: float, top: float, role: str, metal_role: str) -> list[Part]:
    """The pedal lyre hung from the key bed at `top`, its stays running back."""
    path = np.array([(0.11, top + 0.02), (0.065, top - 0.12), (0.10, 0.32), (0.075, 0.13)])
    curve = spline(path, 20)
    post = tube(np.column_stack([curve[:, 0], np.full(20, y), curve[:, 1]]), 0.021, 12)
    housing = box(0.28, 0.13, 0.07, 0.008).moved(y=y, z=0.135)
    head = box(0.30, 0.11, 0.05, 0.006).moved(y=y, z=top - 0.01)
    stay = bar((0.07, y + 0.02, 0.15), (0.07, y + 0.42, top + 0.03), 0.007)
    rods = merge(bar((x, y, 0.15), (x, y, top), 0.004, 8) for x in (-0.035, 0.0, 0.035))
    return [
        part("lyre", merge([both_sides(post), housing, head]), role),
        part("lyre_rods", merge([both_sides(stay), rods]), metal_role),
        pedals(y - 0.06, 0.112, metal_role),
    ]


def pedals(y: float, z: float, role: str) -> Part:
    """Three brass tongues toward the player."""
    outline = spline(
        [(-0.012, 0.05), (-0.012, -0.02), (-0.023, -0.07), (0, -0.088), (0.023, -0.07), (0.012, -0.02), (0.012, 0.05)],
        36,
    )
    tongue = prism(outline, 0.012, 0.003)
    return part("pedals", merge(tongue.moved(x, y, z) for x in (-0.075, 0.0, 0.075)), role)


def bench(kind: str, y: float, width: float, height: float, leg_style: str, role: str, seat_role: str) -> list[Part]:
    """A bench about (0, y): upholstered ("cushion"), buttoned ("tufted") or all wood ("wood")."""
    depth = 0.36
    places = [(sx * (width / 2 - 0.05), sy * (depth / 2 - 0.05)) for sx in (-1, 1) for sy in (-1, 1)]
    apron = box(width - 0.03, depth - 0.03, 0.08, 0.004).moved(z=height - 0.10)
    shape = leg(leg_style, height - 0.08, 0.07)
    frame = merge([apron, *(shape.moved(*place) for place in places)]).moved(y=y)
    pieces = [part("bench", frame, role, 30)]
    if kind == "wood":
        return [*pieces, part("bench_seat", box(width, depth, 0.03, 0.006).moved(y=y, z=height - 0.05), role)]
    thick = 0.085
    seat = box(width, depth, thick, 0.025, 6).moved(y=y, z=height - 0.067 + thick / 2)
    pieces.append(part("bench_seat", seat, seat_role, 50))
    if kind == "tufted":
        button = cylinder(0.010, 0.006, 12, 0.003).moved(z=height - 0.067 + thick - 0.002)
        grid = [(x, b) for x in np.linspace(-0.38, 0.38, 6) * width for b in (-0.11, 0.0, 0.11)]
        pieces.append(part("bench_buttons", merge(button.moved(x, y + b) for x, b in grid), seat_role))
    return pieces


def music_desk(kind: str, y: float, z: float, width: float, height: float, tilt: float, role: str) -> Part:
    """The board for the score, standing on z and leaning back by `tilt` degrees; some are crested or pierced."""
    w, h = width / 2, height
    half = {
        "plain": [(w, 0), (w, 0.86 * h), (0.985 * w, 0.96 * h), (0.95 * w, h)],
        "crested": [
            (w, 0),
            (w, 0.66 * h),
            (0.93 * w, 0.8 * h),
            (0.7 * w, 0.82 * h),
            (0.45 * w, 0.92 * h),
            (0.15 * w, h),
        ],
    }["crested" if kind == "crested" else "plain"]
    outline = np.array(half + [(-x, b) for x, b in reversed(half)])
    slots = [np.add(superellipse(0.2 * w, 0.6 * h, 5, 24), (x * w, 0.5 * h)) for x in np.linspace(-0.78, 0.78, 7)]
    board = prism(outline, 0.018, 0.003, slots if kind == "pierced" else []).rotated("x", 90 - tilt)
    return part("music_desk", board.moved(y=y, z=z), role)


def grand_inside(outline: Array, front: float, top: float, plate_role: str) -> list[Part]:
    """Soundboard, gilt plate with its struts, strings and dampers inside the (k, 2) inner outline, behind y = front."""
    inner = behind(outline, front)
    soundboard = prism(inset_outline(inner, -0.006), 0.012).moved(z=top - 0.16)
    border = prism(inset_outline(inner, -0.004), 0.02, 0.0, [inset_outline(inner, 0.075)])
    block = box(float(np.ptp(inner[:, 0])), 0.22, 0.024).moved(y=front + 0.105, z=-0.001)
    left, right = inner[:, 0].min() + 0.06, inner[:, 0].max() - 0.05
    start = front + 0.19
    ends = [(x, _far(inner, x)) for x in np.linspace(left, right, 64)]
    struts = [
        beam((x, start, 0.022), (x, _far(inner, x) - 0.03, 0.022), 0.02, 0.045, 0.004)
        for x in np.linspace(left, right, 6)[1:-1]
    ]
    wires = [bar((x, start - 0.08, 0.02), (x, far - 0.05, 0.02), 0.0012, 4) for x, far in ends]
    felt = box(0.009, 0.05, 0.035, 0.002, 2)
    dampers = merge(felt.moved(x, start + 0.06, 0.035) for x in np.linspace(left, 0.6 * right, 50))
    level = top - 0.105
    plate = merge([border, block, *struts]).moved(z=level)
    return [
        part("soundboard", soundboard, "wood:soundboard"),
        part("plate", plate, plate_role),
        part("strings", merge(wires).moved(z=level), "brass:strings"),
        part("dampers", dampers.moved(z=level), "ebony:dampers"),
    ]


def behind(outline: Array, front: float) -> Array:
    """The part of a grand's outline with y > front, closed by a straight edge there."""
    kept = outline[outline[:, 1] > front + 1e-3]
    start = int(np.argmax(np.linalg.norm(kept - np.roll(kept, 1, axis=0), axis=1)))
    kept = np.roll(kept, -start, axis=0)
    return np.concatenate([[(kept[0, 0], front)], kept, [(kept[-1, 0], front)]])


def _far(outline: Array, x: float) -> float:
    """How far back the outline reaches at x."""
    nearby = outline[np.argsort(np.abs(outline[:, 0] - x))[:3]]
    return float(nearby[:, 1].max())


def lean(height: float, tilt: float) -> Array:
    """From the foot to the top of a desk leaning back by `tilt` degrees."""
    angle = np.radians(tilt)
    return np.array([0.0, height * np.sin(angle), height * np.cos(angle)])

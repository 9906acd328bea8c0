"""Chairs of other builds: office swivel chairs, director's chairs, adirondacks."""

from __future__ import annotations

import numpy as np

from scenes.shapes.chair.parts import Built, Measures, board, cushion, rod
from scenes.shapes.primitives import (
    Array,
    Geometry,
    around,
    bar,
    beam,
    both_sides,
    box,
    cylinder,
    loft,
    merge,
    part,
    prism,
    rounded_rectangle,
    spline,
    sweep,
)

# Office chairs -------------------------------------------------------------------------------------------------


def office(m: Measures) -> Built:
    """A five-star foot on casters, a gas lift, and cushions for seat and back."""
    w, d, h = m.seat_width, m.seat_depth, m.seat_height
    back_y = d / 2 - 0.01
    seat = cushion(w, d, 0.085, 3.5, 0.45).bent(lambda v: _waterfall(v, d)).moved(z=h - 0.06)
    top = np.array([0.0, back_y + m.back_height * m.slope, h + m.back_height])
    low, tall = (0.06, m.back_height - 0.06) if m.back_fill == "pad" else (0.3 * m.back_height, 0.7 * m.back_height)
    parts = [
        part("foot", _star(0.34, m.stock), m.frame_role),
        part("casters", around(_caster().moved(0.32).rotated("z", 90), 5), "dark_plastic"),
        part(
            "lift",
            [cylinder(0.026, h - 0.16, 28).moved(z=0.09), box(0.2, 0.24, 0.05, 0.01).moved(z=h - 0.075)],
            "metal:lift",
        ),
        part("seat", seat, m.seat_role),
        part("back", _padded_back(m, back_y, low, tall), m.back_role),
        part("spine", _spine(m, back_y), "dark_plastic"),
    ]
    if m.arms:
        parts.append(part("arms", both_sides(_office_arm(m)), "dark_plastic"))
    foot = np.array([0.32 * np.sin(np.radians(36)), -0.32 * np.cos(np.radians(36)), 0.0])
    left = top + (0.4 * w, 0, -0.1)
    return parts, {
        "foot_front_left": foot,
        "foot_front_right": foot * (-1, 1, 1),
        "back_top": top,
        "back_left": left,
        "back_right": left * (-1, 1, 1),
    }


def _waterfall(v: Array, depth: float) -> Array:
    """The seat's front edge rolled down."""
    drop = 0.04 * np.maximum(-v[:, 1] / depth * 2 - 0.4, 0) ** 2
    return v - np.column_stack([np.zeros((len(v), 2)), drop])


def _star(reach: float, stock: float) -> Geometry:
    """Five tapering legs that slope down from the hub to their casters; one points backwards."""
    path = np.array([[0.02, 0, 0.105], [0.5 * reach, 0, 0.098], [reach, 0, 0.078]])
    leg = sweep(spline(path, 12), rounded_rectangle(2.6, 1.9, 0.5, 4), np.linspace(1.1, 0.65, 12) * stock, up=(0, 0, 1))
    return merge([around(leg.rotated("z", 90), 5), cylinder(0.045, 0.07, 32, 0.008).moved(z=0.07)])


def _caster() -> Geometry:
    wheel = cylinder(0.028, 0.017, 24, 0.005).rotated("y", 90).moved(z=0.028)
    fork = box(0.014, 0.04, 0.05, 0.005).moved(0, 0.008, 0.045)
    pin = bar((0, 0.015, 0.06), (0, 0.015, 0.09), 0.006)
    return merge([wheel.moved(0.009), wheel.moved(-0.026), fork, pin]).rotated("z", 25)


def _padded_back(m: Measures, y: float, low: float, tall: float) -> Geometry:
    """A cushion curved around the sitter and over the lumbar region."""
    pad = cushion(0.94 * m.seat_width, tall, 0.085, 3.2, 0.5).rotated("x", 90).moved(0, 0.03, low + tall / 2)

    def curve(v: Array) -> Array:
        x, dy, z = v.T
        lumbar = -0.03 * np.sin(np.pi * np.clip(z / m.back_height, 0, 1))
        narrow = 1 - 0.14 * np.clip(z / m.back_height, 0, 1) ** 2
        return np.column_stack([x * narrow, y + dy + z * m.slope + lumbar - 0.35 * x**2, m.seat_height + z])

    return pad.bent(curve)


def _spine(m: Measures, y: float) -> Geometry:
    path = [[0, 0.02, m.seat_height - 0.075], [0, y + 0.05, m.seat_height - 0.07], [0, y + 0.075, m.seat_height + 0.03]]
    path.append([0, y + 0.02 + 0.55 * m.back_height * m.slope, m.seat_height + 0.55 * m.back_height])
    return sweep(spline(path, 24), rounded_rectangle(0.024, 0.075, 0.008, 4), up=(1, 0, 0))


def _office_arm(m: Measures) -> Geometry:
    x, z = 0.5 * m.seat_width + 0.045, m.seat_height + m.arm_height
    pad = cushion(0.075, 0.27, 0.03, 3.5, 0.4).moved(x, -0.03, z - 0.015)
    post = [
        [0.25 * m.seat_width, 0.02, m.seat_height - 0.07],
        [x - 0.01, 0.02, m.seat_height - 0.05],
        [x, 0.02, m.seat_height + 0.03],
        [x, 0.0, z],
    ]
    return merge([pad, sweep(spline(post, 24), rounded_rectangle(0.026, 0.055, 0.01, 4), up=(0, 1, 0))])


# Director's chairs ---------------------------------------------------------------------------------------------


def director(m: Measures) -> Built:
    """Crossed legs seen from the front, flat arms, slung canvas."""
    w, d, h = m.seat_width, m.seat_depth, m.seat_height
    x, y, arm = w / 2, d / 2 - 0.02, h + m.arm_height
    side = [
        beam((x, -y - 0.03, 0.015), (x, y + 0.03, 0.015), 0.032, 0.03, 0.005),
        beam((x, -y - 0.01, h), (x, y + 0.01, h), 0.032, 0.035, 0.005),
        beam((x, -y - 0.05, arm), (x, y + 0.03, arm), 0.055, 0.018, 0.006),
        beam((x, -y, h), (x, -y, arm), 0.03, 0.024, 0.004, up=(0, 1, 0)),
        beam((x, y, h), (x, y + 0.01, arm), 0.03, 0.024, 0.004, up=(0, 1, 0)),
        beam(
            (x, y, arm - 0.02), (x, y + m.back_height * m.slope, h + m.back_height), 0.028, 0.024, 0.004, up=(0, 1, 0)
        ),
    ]
    crosses = [
        beam(
            (-s * x, a + 0.014 * s * k, 0.03), (s * x, a + 0.014 * s * k, h - 0.005), 0.022, 0.036, 0.004, up=(0, 1, 0)
        )
        for a, k in ((-y + 0.03, 1), (y - 0.03, -1))
        for s in (1, -1)
    ]
    u = np.linspace(-1, 1, 25)
    sag = h + 0.021 - 0.03 * (1 - u**2)
    sling = np.stack(
        [
            np.column_stack([1.04 * x * u, np.full(25, b), sag + dz])
            for b, dz in ((-y, 0), (-y, -0.004), (y, -0.004), (y, 0))
        ]
    )
    high = h + m.back_height - 0.01
    yb = y + (m.back_height - 0.1) * m.slope - 0.018
    band = board(1.05 * x * u, yb + 0.035 * (1 - u**2) ** 2, high - 0.17 + 0 * u, high + 0 * u, 0.005)
    rolled = both_sides(
        bar((1.04 * x, yb + 0.016, high - 0.17), (1.04 * x, yb + 0.016 + 0.17 * m.slope, high), 0.021, 14)
    )
    hems = [rod(np.column_stack([1.03 * x * u, np.full(25, b), sag - 0.002]), 0.004, 60, 10) for b in (-y, y)]
    pivots = [_bolt(0.014, 0.05).rotated("x", 90).moved(0, a, h / 2 + 0.012) for a in (-y + 0.055, y - 0.005)]
    hinges = [_bolt(0.007, 0.036).rotated("y", 90).moved(x - 0.018, b, z) for b in (-y, y) for z in (h, arm - 0.03)]
    parts = [
        part("frame", [both_sides(merge(side)), *crosses], m.frame_role),
        part("bolts", [*pivots, both_sides(merge(hinges))], "brass"),
        part("seat", [loft(np.transpose(sling, (1, 0, 2))), *hems], m.seat_role),
        part("back", [band, rolled], m.seat_role),
    ]
    top = np.array([x, y + m.back_height * m.slope, h + m.back_height])
    foot = np.array([x, -y, 0.0])
    return parts, {
        "seat_centre": np.array([0.0, 0.0, h - 0.009]),
        "foot_front_left": foot,
        "foot_front_right": foot * (-1, 1, 1),
        "back_top": top * (0, 1, 1),
        "back_left": top,
        "back_right": top * (-1, 1, 1),
    }


def _bolt(radius: float, length: float) -> Geometry:
    """A bolt along z with rounded ends."""
    return cylinder(radius, length, 24, 0.35 * radius)


# Adirondacks ---------------------------------------------------------------------------------------------------


def adirondack(m: Measures) -> Built:
    """A low seat of slats sloping back, broad arms and a fan of round-topped boards."""
    w, d, h = m.seat_width, m.seat_depth, m.seat_height
    arm = h + m.arm_height
    back = np.array([0.0, 0.36 * d, h - 0.34 * d])
    stringer = [
        (-d / 2, h - 0.02),
        (-0.35 * d, h - 0.03),
        (0.4 * d, back[2] - 0.03),
        (0.95 * d, 0.0),
        (0.8 * d, 0.0),
        (0.3 * d, back[2] - 0.13),
        (-0.4 * d, h - 0.14),
        (-d / 2, h - 0.12),
    ]
    profile_board = prism(np.array(stringer)[::-1], 0.025, 0.002)
    side = [
        profile_board.bent(lambda v: v[:, [2, 0, 1]]).moved(x=0.45 * w),
        beam((0.5 * w, -0.42 * d, 0), (0.5 * w, -0.42 * d, arm - 0.01), 0.026, 0.1, 0.003, up=(0, 1, 0)),
        _paddle(1.35 * d).moved(0.54 * w, 0.12 * d, arm),
    ]
    slope = np.degrees(np.arctan2(h - back[2], 0.86 * d))
    at = [np.array([0, y, h - 0.01 + (back[2] - h) * (y / d + 0.5) / 0.86]) for y in np.linspace(-0.48, 0.32, 7) * d]
    slats = [box(0.98 * w, 0.78 * d / 6, 0.02, 0.004).rotated("x", -slope).moved(*p) for p in at]
    head = _bolt(0.005, 0.01).rotated("x", -slope)
    screws = [head.moved(0.45 * w, p[1], p[2] + 0.003) for p in at]
    screws += [_bolt(0.005, 0.01).moved(x * w, -0.42 * d, arm + 0.003) for x in (0.49, 0.53)]
    fan, top, left = _fan_boards(m, back)
    brace_y = back[1] + (arm - back[2]) * m.slope + 0.03
    brace = box(1.3 * w, 0.05, 0.024, 0.003).moved(0, brace_y, arm - 0.022)
    parts = [
        part("frame", [both_sides(merge(side)), brace], m.frame_role),
        part("seat", slats, m.frame_role),
        part("back", fan, m.frame_role),
        part("screws", [both_sides(merge(screws)), *_back_screws(m, back, arm - 0.022)], "steel"),
    ]
    foot = np.array([0.5 * w, -0.42 * d, 0.0])
    return parts, {
        "seat_centre": at[4] + (0, 0, 0.01),
        "foot_front_left": foot,
        "foot_front_right": foot * (-1, 1, 1),
        "back_top": top,
        "back_left": left,
        "back_right": left * (-1, 1, 1),
    }


def _paddle(length: float) -> Geometry:
    """A broad arm, rounded in front."""
    half = np.array([(0.05, 0.5), (0.055, 0.1), (0.075, -0.3), (0.078, -0.42), (0.06, -0.48), (0.02, -0.5)])
    outline = np.concatenate([half * (1, length), half[::-1] * (-1, length)])
    return prism(outline[::-1], 0.022, 0.003)


def _back_screws(m: Measures, foot: Array, z: float) -> list[Geometry]:
    """One screw through every board of the back where the brace crosses behind it."""
    head = _bolt(0.005, 0.04).rotated("x", 90 - m.back_rake)
    across = np.linspace(-0.42, 0.42, m.members) * m.seat_width
    return [head.moved(x, foot[1] + (z - foot[2]) * m.slope + 0.028, z) for x in across]


def _fan_boards(m: Measures, foot: Array) -> tuple[list[Geometry], Array, Array]:
    """Boards that spread upwards, the middle one longest."""
    count = m.members
    boards, tips = [], []
    for k in range(count):
        u = 2 * k / (count - 1) - 1
        tall = (m.back_height + m.seat_height - foot[2]) / np.cos(np.radians(m.back_rake)) * (1 - 0.16 * u**2)
        narrow, wide = 0.76 * m.seat_width / count / 2, 1.02 * m.seat_width / count / 2
        arc = np.linspace(0, np.pi, 12)
        cap = np.column_stack([wide * np.cos(arc), tall - wide * 0.6 + wide * 0.6 * np.sin(arc)])
        outline = np.concatenate([[(-narrow, -0.02), (narrow, -0.02)], cap])
        piece = prism(outline, 0.019, 0.003).rotated("x", 90).rotated("y", 5.5 * u)
        piece = piece.moved(x=u * (0.5 * 0.8 * m.seat_width - narrow)).rotated("x", -m.back_rake).moved(*foot)
        boards.append(piece)
        tips.append(piece.vertices[piece.vertices[:, 2].argmax()])
    return boards, tips[count // 2], tips[-1]

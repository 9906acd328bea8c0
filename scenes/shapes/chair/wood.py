"""Chairs of joined wood: windsors, ladder-backs, side chairs and carved parlour chairs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scenes.mesh import Part
from scenes.shapes.chair.parts import Built, Measures, board, cushion, rocker, rod, rush_seat, splat, turned
from scenes.shapes.primitives import (
    Array,
    Geometry,
    beam,
    both_sides,
    box,
    ellipsoid,
    loft,
    merge,
    part,
    rounded_rectangle,
    spline,
    superellipse,
    sweep,
    tube,
)

# Windsor chairs ------------------------------------------------------------------------------------------------


def windsor(m: Measures) -> Built:
    """Legs and back both socketed into a thick saddled plank; the style says how the back ends."""
    legs, feet = _windsor_legs(m)
    parts = [part("seat", _saddle(m), m.seat_role), part("legs", legs, m.frame_role)]
    back = {"bow_back": _bow, "sack_back": _sack, "comb_back": _comb, "fan_back": _fan}[m.style]
    pieces, top = back(m)
    parts.append(part("back", pieces, m.back_role))
    return parts, {**feet, **top}


def _saddle(m: Measures) -> Geometry:
    """A shield-shaped plank, hollowed towards the back."""
    outline = superellipse(m.seat_width, m.seat_depth, 2.7, 72)
    outline[:, 0] *= 1 - 0.12 * np.maximum(outline[:, 1] / m.seat_depth * 2, 0) ** 2
    rings = [
        (0.86, -0.045),
        (0.97, -0.028),
        (1.0, -0.012),
        (0.985, -0.002),
        (0.93, 0.0),
        (0.85, -0.006),
        (0.6, -0.014),
        (0.3, -0.016),
        (0.05, -0.014),
    ]
    return loft([np.column_stack([outline * s, np.full(72, m.seat_height + z)]) for s, z in rings])


def _windsor_legs(m: Measures) -> tuple[list[Geometry], dict[str, Array]]:
    """Four splayed legs and the H of stretchers between them."""
    out = np.tan(np.radians(m.splay)) * m.seat_height
    under = m.seat_height - 0.03
    front_top, back_top = (
        np.array([0.34 * m.seat_width, -0.33 * m.seat_depth, under]),
        np.array([0.27 * m.seat_width, 0.3 * m.seat_depth, under]),
    )
    front, back = front_top + (out, -0.7 * out, 0), back_top + (0.8 * out, out, 0)
    front[2], back[2] = m.floor(front[1]), m.floor(back[1])
    knees = [0.6 * foot + 0.4 * top for foot, top in ((front, front_top), (back, back_top))]
    middle = 0.5 * (knees[0] + knees[1])
    radius = 1.1 * m.stock
    side = [turned(front, front_top, radius, m.turning), turned(back, back_top, radius, m.turning)]
    side.append(turned(knees[0], knees[1], 0.75 * m.stock, "swell"))
    if m.rockers:
        side.append(rocker(0.5 * (front[0] + back[0]), 1.75 * m.seat_depth, 0.04))
    cross = turned(middle * (-1, 1, 1), middle, 0.75 * m.stock, "swell")
    return [both_sides(merge(side)), cross], {"foot_front_left": front, "foot_front_right": front * (-1, 1, 1)}


def _back_y(m: Measures, u: Array, h: Array) -> Array:
    """Depth of the back's surface: u in [-1, 1] across, h above the seat."""
    return 0.4 * m.seat_depth - 0.13 * m.seat_depth * u**2 + h * m.slope


def _bow(m: Measures) -> tuple[list[Geometry], dict[str, Array]]:
    """One hoop from seat to seat around the spindles."""
    half, height, power = 0.44 * m.seat_width, m.back_height, 2.6

    def at(u: Array, h: Array) -> Array:
        return np.column_stack(
            [half * u * (1 + 0.1 * np.sin(np.pi * h / height)), _back_y(m, u, h), m.seat_height - 0.01 + h]
        )

    arch = superellipse(2, 2 * height, power, 96)[:49]
    pieces = [tube(spline(at(arch[:, 0], arch[:, 1]), 56), 0.85 * m.stock, 12)]
    ends = np.linspace(-0.84, 0.84, m.members)
    low, high = at(0.85 * ends, 0 * ends), at(ends, height * (1 - np.abs(ends) ** power) ** (1 / power))
    pieces += _spindles(m, low, high)
    if m.arms:
        h = np.array([m.arm_height])
        shoulder = at(np.array([(1 - (m.arm_height / height) ** power) ** (1 / power)]), h)[0]
        pieces.append(both_sides(merge(_arm(m, shoulder))))
    top = at(np.array([0.0, 0.8, -0.8]), height * np.array([1.0, 0.7, 0.7]))
    return pieces, _tops(*top)


def _spindles(m: Measures, low: Array, high: Array) -> list[Geometry]:
    """Spindles from low to high, or a splat in place of the middle ones."""
    keep = np.ones(len(low), dtype=bool)
    pieces = []
    if m.back_fill == "splat":
        keep = np.abs(low[:, 0]) > 0.075
        middle = np.argmin(np.abs(low[:, 0]))
        foot, head = low[middle] * (0, 1, 1), high[middle] * (0, 1, 1)
        tall = float(np.linalg.norm(head - foot))
        lean = np.degrees(np.arctan2(head[1] - foot[1], head[2] - foot[2]))
        pieces.append(splat(0.13, tall, 0.011).rotated("x", -lean).moved(*foot))
    return pieces + [turned(a, b, 0.5 * m.stock, "spindle", 9) for a, b in zip(low[keep], high[keep], strict=True)]


def _arm(m: Measures, shoulder: Array) -> list[Geometry]:
    """An arm from the back to a turned post at the seat's side, with a rounded hand."""
    hand = np.array([0.5 * m.seat_width + 0.03, -0.24 * m.seat_depth, m.seat_height + m.arm_height])
    middle = np.array([0.5 * m.seat_width + 0.02, 0.5 * (hand[1] + shoulder[1]), hand[2] - 0.005])
    path = spline([shoulder, middle, hand], 20)
    section = superellipse(2.6 * m.stock, 1.5 * m.stock, 3, 14)
    post = turned(
        (0.43 * m.seat_width, -0.12 * m.seat_depth, m.seat_height - 0.02),
        0.8 * hand + 0.2 * middle,
        0.8 * m.stock,
        m.turning,
    )
    return [sweep(path, section, up=(0, 0, 1)), ellipsoid(0.06, 0.085, 1.7 * m.stock, 20, 12).moved(*hand), post]


def _rail(m: Measures) -> Array:
    """(61, 3) the arm bow of sack- and comb-backs: one U from hand to hand round the sitter."""
    a, z = 0.5 * m.seat_width + 0.03, m.seat_height + m.arm_height
    back = 0.44 * m.seat_depth + m.arm_height * m.slope
    side = [(1.04 * a, -0.28 * m.seat_depth), (a, 0.0), (0.93 * a, 0.55 * back), (0.62 * a, 0.93 * back)]
    points = [*side, (0.0, 1.06 * back), *((-x, y) for x, y in reversed(side))]
    return np.column_stack([spline(points, 61), np.full(61, z)])


def _rail_pieces(m: Measures, rail: Array) -> list[Geometry]:
    hands = [ellipsoid(0.06, 0.085, 1.7 * m.stock, 20, 12).moved(*rail[k]) for k in (0, -1)]
    foot = np.array([0.43 * m.seat_width, -0.14 * m.seat_depth, m.seat_height - 0.02])
    post = turned(foot, rail[4], 0.8 * m.stock, m.turning)
    short = [
        turned((0.44 * m.seat_width, y * m.seat_depth, m.seat_height - 0.02), rail[k], 0.45 * m.stock, "spindle", 9)
        for k, y in ((10, 0.0), (15, 0.11))
    ]
    rim = sweep(rail, superellipse(2.6 * m.stock, 1.4 * m.stock, 3, 14), up=(0, 0, 1))
    return [rim, *hands, both_sides(merge([post, *short]))]


def _through_rail(m: Measures, rail: Array, tops: Array) -> list[Geometry]:
    """Spindles from the seat through the rail to `tops`, evenly along the rail's back."""
    index = np.linspace(20, 40, len(tops)).astype(int)
    u = np.linspace(-0.8, 0.8, len(tops))[::-1]
    low = np.column_stack([0.42 * m.seat_width * u, _back_y(m, u, 0 * u), np.full(len(u), m.seat_height - 0.02)])
    keep = np.abs(low[:, 0]) > (0.075 if m.back_fill == "splat" else -1)
    pieces = [
        rod([a, rail[k], b], 0.48 * m.stock, 9, 9) for a, k, b in zip(low[keep], index[keep], tops[keep], strict=True)
    ]
    return pieces if m.back_fill != "splat" else pieces + _spindles(m, low[~keep], tops[~keep])


def _sack(m: Measures) -> tuple[list[Geometry], dict[str, Array]]:
    """A second hoop that springs from the arm bow."""
    rail = _rail(m)
    rise = m.back_height - m.arm_height
    foot = rail[16]
    power = 2.5

    def at(u: Array) -> Array:
        h = (1 - np.abs(u) ** power) ** (1 / power)
        y = foot[1] + (rail[30, 1] - foot[1]) * h + 0.9 * m.slope * rise * h
        return np.column_stack([0.97 * foot[0] * u, y, foot[2] + rise * h])

    arch = superellipse(2, 2, power, 96)[:49, 0]
    hoop = tube(spline(at(arch), 56), 0.8 * m.stock, 12)
    pieces = [*_rail_pieces(m, rail), hoop, *_through_rail(m, rail, at(np.linspace(0.82, -0.82, m.members)))]
    return pieces, _tops(*at(np.array([0.0, 0.85, -0.85])))


def _crest(m: Measures, half: float, count: int) -> tuple[Geometry, Array]:
    """A bent comb with raised ears, and the places along its lower edge where spindles enter."""
    u = np.linspace(-1, 1, 41)
    high = m.seat_height + m.back_height + 0.016 * np.cos(2.2 * np.pi * u) * (1 - 0.3 * np.abs(u))
    low = m.seat_height + m.back_height - 0.055 + 0.015 * u**2 + 0.02 * np.maximum(np.abs(u) - 0.8, 0) * 5
    y = _back_y(m, 0.8 * u, np.full(41, m.back_height))
    ends = np.linspace(0.86, -0.86, count)
    holes = np.column_stack([half * ends, np.interp(ends, u, y), np.interp(ends, u, low) + 0.015])
    return board(half * u, y, low, high, 0.016), holes


def _comb(m: Measures) -> tuple[list[Geometry], dict[str, Array]]:
    rail = _rail(m)
    crest, holes = _crest(m, 0.43 * m.seat_width, m.members)
    half = 0.43 * m.seat_width
    return [*_rail_pieces(m, rail), crest, *_through_rail(m, rail, holes)], _crest_tops(m, half)


def _fan(m: Measures) -> tuple[list[Geometry], dict[str, Array]]:
    """Spindles and two stouter posts fanning out to a comb."""
    half = 0.5 * m.seat_width
    crest, holes = _crest(m, half, m.members)
    u = np.linspace(0.85, -0.85, m.members)
    low = np.column_stack([0.4 * m.seat_width * u, _back_y(m, u, 0 * u), np.full(len(u), m.seat_height - 0.02)])
    posts = [turned(low[k], holes[k], 0.9 * m.stock, m.turning) for k in (0, -1)]
    pieces = [crest, *posts, *_spindles(m, low[1:-1], holes[1:-1])]
    if m.arms:
        shoulder = low[0] + (holes[0] - low[0]) * m.arm_height / m.back_height
        pieces.append(both_sides(merge(_arm(m, shoulder))))
    return pieces, _crest_tops(m, half)


def _crest_tops(m: Measures, half: float) -> dict[str, Array]:
    z, y = m.seat_height + m.back_height, _back_y(m, np.array([0.0, 0.8]), np.full(2, m.back_height))
    return _tops(np.array([0, y[0], z]), np.array([half, y[1], z]), np.array([-half, y[1], z]))


def _tops(middle: Array, left: Array, right: Array) -> dict[str, Array]:
    return {"back_top": middle, "back_left": left, "back_right": right}


# Ladder-backs and side chairs ----------------------------------------------------------------------------------


def ladder(m: Measures) -> Built:
    """Four turned posts joined by rungs, bowed slats across the back and a rush seat."""
    w, d = m.seat_width, m.seat_depth
    rear = [np.array([0.42 * w, d / 2, z]) for z in (m.floor(d / 2), m.seat_height)]
    top = rear[1] + (0.02, m.back_height * m.slope, m.back_height)
    front = np.array([0.5 * w, -d / 2, m.floor(d / 2)])
    head = front * (1, 1, 0) + (0, 0, m.seat_height + (m.arm_height if m.arms else 0.025))
    posts = [
        rod([*rear, 0.5 * (rear[1] + top) - (0, 0.008, 0), top], m.stock, 24, 14),
        turned(front, head, m.stock, "straight"),
    ]
    posts.append(ellipsoid(2 * m.stock, 2 * m.stock, 3.4 * m.stock, 16, 12).moved(*top + (0, 0, m.stock)))
    posts += [
        turned(front * (1, 1, 0) + (0, 0, z), rear[0] * (1, 1, 0) + (0, 0, z), 0.55 * m.stock, "plain")
        for z in _rungs(m, 3)
    ]
    if m.arms:
        shoulder = rear[1] + (top - rear[1]) * m.arm_height / m.back_height
        path = spline([shoulder, 0.5 * (shoulder + head) + (0.015, 0, 0.015), head + (0.005, -0.03, 0.008)], 20)
        posts.append(sweep(path, superellipse(0.055, 0.02, 3, 14), np.linspace(0.6, 1.15, 20), up=(0, 0, 1)))
    if m.rockers:
        posts.append(rocker(0.46 * w, 1.7 * d, 0.05))
    rungs = [
        turned(p * (-1, 1, 0) + (0, 0, z), p * (1, 1, 0) + (0, 0, z), 0.6 * m.stock, "plain")
        for p, n in ((front, 2), (rear[0], 1))
        for z in _rungs(m, n)
    ]
    parts = [
        part("posts", both_sides(merge(posts)), m.frame_role),
        part("rungs", rungs, m.frame_role),
        part("slats", _ladder_slats(m, rear[1], top), m.back_role),
        part("seat", rush_seat(w, 0.84 * w, d, 0.03).moved(z=m.seat_height), m.seat_role),
    ]
    feet = {"foot_front_left": front, "foot_front_right": front * (-1, 1, 1)}
    return parts, {**feet, **_tops(top * (0, 1, 1), top, top * (-1, 1, 1))}


def _rungs(m: Measures, count: int) -> Array:
    return m.seat_height * np.linspace(0.3, 0.72, count) if count > 1 else np.array([0.5 * m.seat_height])


def _ladder_slats(m: Measures, low: Array, high: Array) -> list[Geometry]:
    u = np.linspace(-1, 1, 21)
    slats = []
    for share in np.linspace(0.28, 0.93, m.members):
        middle = low + (high - low) * share
        tall = 0.085 * min(1.0, 4 / m.members)
        y = middle[1] + 0.035 * (1 - u**2)
        slats.append(
            board(middle[0] * u, y, middle[2] - tall / 2 + 0 * u, middle[2] + tall * (0.05 + 0.45 * (1 - u**2)), 0.008)
        )
    return slats


def side_chair(m: Measures) -> Built:
    """Four straight legs, the hind ones running up into the back; square wood or round metal."""
    w, d, metal = m.seat_width, m.seat_depth, m.style == "metal"
    square = superellipse(2, 2, 2, 14) if metal else rounded_rectangle(1.9, 1.9, 0.3, 5)
    rear = [
        [0.42 * w, d / 2 + 0.06, 0],
        [0.42 * w, d / 2 - 0.01, m.seat_height],
        [0.43 * w, d / 2 + m.back_height * m.slope, m.seat_height + m.back_height],
    ]
    stile = spline(rear, 40)
    front = np.array([0.46 * w, -d / 2 + 0.02, 0.0])
    legs = [
        sweep(stile, square, m.stock, up=(0, 1, 0)),
        sweep([front, front + (0, 0, m.seat_height)], square, [0.7 * m.stock, m.stock], up=(0, 1, 0)),
    ]
    if m.arms:
        shoulder = stile[np.searchsorted(stile[:, 2], m.seat_height + m.arm_height)]
        hand = front * (1.06, 1, 0) + (0, 0.03, m.seat_height + m.arm_height)
        legs += [
            beam(shoulder, hand + (0, -0.03, 0), 0.045, 0.022, 0.008),
            beam(hand * (1, 1, 0) + (0, 0, m.seat_height - 0.02), hand, 0.03, 0.03, 0.006, up=(0, 1, 0)),
        ]
    legs.append(beam(front + (0, 0, 0.16), (0.42 * w, d / 2 + 0.04, 0.16), m.stock, 1.3 * m.stock, 0.003))
    pieces = [both_sides(merge(legs)), beam((-0.44 * w, 0, 0.16), (0.44 * w, 0, 0.16), m.stock, 1.3 * m.stock, 0.003)]
    if not metal:
        pieces.append(box(0.9 * w, 0.96 * d, 0.06, 0.004).moved(z=m.seat_height - 0.035))
    thick = 0.05 if m.seat_role in ("fabric", "leather", "patterned_ceramic") or metal else 0.024
    seat = cushion(w, d, thick, 6.0, 0.5 if thick > 0.03 else 0.15).moved(z=m.seat_height - 0.006)
    parts = [part("frame", pieces, m.frame_role), part("seat", seat, m.seat_role), *_side_back(m, stile)]
    top = stile[-1]
    feet = {"foot_front_left": front, "foot_front_right": front * (-1, 1, 1)}
    return parts, {**feet, **_tops(top * (0, 1, 1), top, top * (-1, 1, 1))}


def _side_back(m: Measures, stile: Array) -> list[Part]:
    """Crest and lower rail with slats, a splat, ladder rails or a pad between the stiles."""
    u = np.linspace(-1, 1, 25)
    curve = 0.03 * (1 - u**2)

    def rail(share: float, low: float, high: float, arch: float, thickness: float) -> Geometry:
        z = m.seat_height + share * m.back_height
        x, y = np.interp(z, stile[:, 2], stile[:, 0]), np.interp(z, stile[:, 2], stile[:, 1])
        return board(
            (x + 0.01 * (share > 0.9)) * u, y + curve, z + low + 0 * u, z + high + arch * (1 - u**2), thickness
        )

    if m.back_fill == "pad":
        pad = rail(0.76, -0.21 * m.back_height, 0.25 * m.back_height, 0.01, 0.045)
        return [part("back", pad, m.back_role)]
    pieces = [rail(0.94, -0.035, 0.045, 0.025, 0.02)]
    if m.back_fill == "rails":
        return [part("back", pieces + [rail(s, -0.02, 0.025, 0.01, 0.016) for s in (0.35, 0.63)], m.back_role)]
    foot, head = (
        float(np.interp(m.seat_height + s * m.back_height, stile[:, 2], stile[:, 1])) + 0.03 for s in (0.22, 0.93)
    )
    z = m.seat_height + np.array([0.22, 0.92]) * m.back_height
    pieces.append(rail(0.22, -0.02, 0.02, 0, 0.018))
    if m.back_fill == "splat":
        lean = np.degrees(np.arctan2(head - foot, z[1] - z[0]))
        pieces.append(
            splat(0.3 * m.seat_width, float(np.hypot(z[1] - z[0], head - foot)), 0.012)
            .rotated("x", -lean)
            .moved(0, foot, float(z[0]))
        )
    else:
        x = np.linspace(-0.32, 0.32, m.members) * m.seat_width
        bow = 0.03 * (x / (0.43 * m.seat_width)) ** 2
        pieces += [
            beam((a, foot - b, z[0]), (a, head - b, z[1]), 0.03 if m.members < 7 else 0.018, 0.01, 0.003, up=(0, 1, 0))
            for a, b in zip(x, bow, strict=True)
        ]
    return [part("back", pieces, m.back_role)]


# Parlour chairs ------------------------------------------------------------------------------------------------


def parlour(m: Measures) -> Built:
    """Cabriole legs, a serpentine rail, a sprung seat and an oval back of carved wood around upholstery."""
    w, d, h = m.seat_width, m.seat_depth, m.seat_height
    knee = [
        [0.42 * w, -0.42 * d, h - 0.05],
        [0.47 * w, -0.49 * d, h - 0.13],
        [0.41 * w, -0.42 * d, 0.12],
        [0.42 * w, -0.44 * d, 0.04],
        [0.45 * w, -0.48 * d, 0.012],
    ]
    cabriole = tube(
        spline(knee, 30),
        np.interp(np.linspace(0, 1, 30), [0, 0.25, 0.7, 0.88, 1], [1.9, 1.9, 0.85, 0.9, 1.5]) * m.stock,
        14,
    )
    rear = sweep(
        spline([[0.36 * w, 0.42 * d, h - 0.03], [0.36 * w, 0.44 * d, 0.5 * h], [0.4 * w, 0.56 * d, 0]], 16),
        rounded_rectangle(2, 2, 0.4, 3),
        np.linspace(1.2, 0.8, 16) * m.stock,
        up=(0, 1, 0),
    )
    rail = loft([np.column_stack([superellipse(w, d, 3, 48), np.full(48, h - z)]) for z in (0.085, 0.02)])
    center = np.array([0, 0.42 * d + 0.6 * m.back_height * m.slope, h + 0.6 * m.back_height])
    loop = superellipse(0.86 * w, 0.82 * m.back_height, 2.3, 64)

    def lean(x: Array, z: Array) -> Array:
        y = center[1] + z * m.slope + 0.05 * (1 - (2 * x / w) ** 2)
        return np.column_stack([x, y, center[2] + z])

    frame = tube(lean(loop[:, 0], loop[:, 1]), 1.15 * m.stock, 12, closed=True)
    stump = sweep(
        spline(
            [
                [0.34 * w, 0.4 * d, h - 0.05],
                [0.35 * w, 0.42 * d, h + 0.1 * m.back_height],
                [0.3 * w, center[1], h + 0.36 * m.back_height],
            ],
            12,
        ),
        rounded_rectangle(2, 2, 0.5, 3),
        m.stock,
        up=(0, 1, 0),
    )
    crest = ellipsoid(0.22 * w, 0.03, 0.05, 24, 14).moved(*lean(np.zeros(1), np.array([0.42 * m.back_height]))[0])
    wood = [rail, frame, crest, both_sides(merge([cabriole, rear, stump]))]
    if m.arms:
        shoulder = lean(np.array([0.42 * w]), np.array([-0.1 * m.back_height]))[0]
        hand = np.array([0.52 * w, -0.1 * d, h + m.arm_height])
        post = rod([hand, hand + (0, 0.05, -0.1), np.array([0.47 * w, -0.12 * d, h - 0.04])], m.stock, 14)
        elbow = np.array([0.54 * w, 0.15 * d, h + m.arm_height + 0.02])
        arm = rod([shoulder, elbow, hand, hand + (0, -0.03, -0.02)], 1.1 * m.stock, 20)
        wood.append(both_sides(merge([arm, post])))
    parts = [
        part("frame", wood, m.frame_role),
        part("seat", cushion(0.96 * w, 0.96 * d, 0.085, 3, 0.6).moved(z=h - 0.025), m.seat_role),
    ]
    if m.back_fill == "pad":
        parts.append(part("back", _oval_pad(lean, loop, m), m.back_role))
    else:
        tall = 0.82 * m.back_height
        lean_angle = np.degrees(np.arctan(m.slope))
        foot = lean(np.zeros(1), np.array([-tall / 2]))[0]
        parts.append(part("back", splat(0.3 * w, tall, 0.012).rotated("x", -lean_angle).moved(*foot), m.frame_role))
    middle, left, right = (
        lean(np.array([x * w]), np.array([z * m.back_height]))[0] for x, z in ((0, 0.43), (0.43, 0), (-0.43, 0))
    )
    foot = np.array(knee[-1])
    return parts, {"foot_front_left": foot, "foot_front_right": foot * (-1, 1, 1), **_tops(middle, left, right)}


def _oval_pad(lean: Callable[[Array, Array], Array], loop: Array, m: Measures) -> Geometry:
    """Upholstery that fills the oval, domed to the front and flat behind."""
    steps = [
        (0.05, 0.012),
        (0.6, 0.012),
        (0.99, 0.012),
        (0.99, -0.008),
        (0.9, -0.028),
        (0.65, -0.042),
        (0.3, -0.05),
        (0.04, -0.052),
    ]
    rings = [lean(loop[:, 0] * s, loop[:, 1] * s) + (0, y, 0) for s, y in steps]
    return loft(rings)

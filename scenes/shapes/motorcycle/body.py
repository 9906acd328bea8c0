"""What clothes a motorcycle: tank, seat, tail, fairing, luggage."""

from __future__ import annotations

import numpy as np

from scenes.shapes.motorcycle.frame import LONG, Frame, Piece
from scenes.shapes.motorcycle.parts import mudguard, plate, pod, saddlebag, visor
from scenes.shapes.primitives import bar, beam, both_sides, box, cylinder, ellipsoid, merge, spline, tube


def tank_pieces(f: Frame, height: float, width: float) -> list[Piece]:
    (start, end), w = f.tank, width / 2
    share = np.array([0.0, 0.06, 0.35, 0.7, 0.95, 1.0])
    base = start + (end - start) * share[:, None]
    tail = 0.55 if f.style in ("sport", "roadster") else 0.35
    half = w * np.array([0.2, 0.62, 1.0, 0.82, tail, 0.2])
    low = base[:, 2] + np.array([0.03, -0.04, -0.08, -0.05, -0.03, 0.0])
    high = base[:, 2] + height * np.array([0.4, 0.78, 1.0, 0.72, 0.3, 0.12])
    body = pod(np.column_stack([base[:, 1], half, low, high]), 2.5)
    cap = base[2] + (0, -0.03, height - 0.01)
    return [("tank", body, "car_paint"), ("filler_cap", cylinder(0.035, 0.025, 24, 0.006).moved(*cap), "chrome:bar")]


def seat_pieces(f: Frame, role: str, backrest: bool) -> list[Piece]:
    y, s, back = f.tank[1][1] - 0.07, f.seat, f.rear[1]
    if f.style in LONG:
        end = back + (0.02 if f.style == "chopper" else 0.12)
        m = y + 0.58 * (end - y)
        keys = [
            (y, 0.05, s - 0.04, s + 0.04),
            (y + 0.06, 0.1, s - 0.07, s + 0.04),
            (m - 0.12, 0.18, s - 0.09, s + 0.02),
            (m, 0.17, s - 0.07, s + 0.07),
            (m + 0.07, 0.14, s - 0.03, s + 0.11),
            (end - 0.06, 0.12, s, s + 0.11),
            (end, 0.05, s + 0.04, s + 0.09),
        ]
    elif f.style == "sport":
        keys = [
            (y, 0.06, s - 0.02, s + 0.03),
            (y + 0.08, 0.12, s - 0.05, s + 0.03),
            (y + 0.3, 0.15, s - 0.05, s + 0.03),
            (y + 0.42, 0.12, s - 0.02, s + 0.07),
        ]
    elif f.style == "dirt":
        keys = [
            (y - 0.2, 0.05, s - 0.02, s + 0.09),
            (y, 0.07, s - 0.1, s + 0.05),
            (y + 0.3, 0.08, s - 0.12, s + 0.02),
            (back - 0.15, 0.085, s - 0.07, s + 0.04),
            (back, 0.05, s, s + 0.05),
        ]
    else:
        keys = [
            (y, 0.06, s - 0.03, s + 0.04),
            (y + 0.08, 0.11, s - 0.06, s + 0.04),
            (y + 0.35, 0.14, s - 0.07, s + 0.03),
            (back - 0.05, 0.13, s - 0.04, s + 0.07),
            (back + 0.08, 0.06, s, s + 0.06),
        ]
    pieces = [("seat", pod(keys, 3.0), role)]
    if backrest:
        top = back + 0.17
        loop = [
            (0.1, back - 0.02, s - 0.02),
            (0.1, top, s + 0.12),
            (0.09, top + 0.05, s + 0.34),
            (0.0, top + 0.055, s + 0.4),
        ]
        pad = box(0.22, 0.06, 0.2, 0.025).rotated("x", -10).moved(0, top + 0.015, s + 0.28)
        pieces += [("backrest_bar", both_sides(tube(spline(loop, 20), 0.01)), "chrome:bar"), ("backrest", pad, role)]
    return pieces


def tail_pieces(f: Frame, tyre: float, depth: float) -> list[Piece]:
    """Rear mudguard or tail cowl, tail light, plate and indicators."""
    s, back = f.seat, f.rear[1]
    if f.style == "dirt":
        fin = pod(
            [
                (back - 0.35, 0.06, s - 0.07, s - 0.02),
                (back - 0.05, 0.1, s - 0.04, s + 0.025),
                (back + 0.16, 0.09, s + 0.0, s + 0.045),
                (back + 0.3, 0.05, s + 0.04, s + 0.055),
            ],
            3,
        )
        return [("mudguard_rear", fin, "car_paint")]
    if f.style == "sport":
        y = f.tank[1][1] + 0.2
        cowl = pod(
            [
                (y - 0.2, 0.09, s - 0.16, s - 0.03),
                (y, 0.14, s - 0.14, s - 0.01),
                (y + 0.18, 0.14, s - 0.04, s + 0.09),
                (back + 0.06, 0.1, s + 0.05, s + 0.14),
                (back + 0.2, 0.05, s + 0.1, s + 0.14),
            ],
            2.8,
        )
        tip = np.array([0.0, back + 0.19, s + 0.115])
        hugger = mudguard(f.rear, f.rear_radius + 0.02, tyre / 2 + 0.01, 0.04, -75, 20)
        hanger = beam(tip + np.array((0, -0.05, -0.02)), tip + np.array((0, 0.02, -0.13)), 0.14, 0.012, up=(0, 1, 0))
        body = [
            ("tail_cowl", cowl, "car_paint"),
            ("hugger", hugger, "dark_plastic:frame"),
            ("plate_hanger", hanger, "dark_plastic:frame"),
        ]
        holder = tip + np.array((0, 0.03, -0.12))
    else:
        start, stop = {"chopper": (-35, 70), "roadster": (-55, 62)}.get(f.style, (-60, 88))
        radius = f.rear_radius + 0.04
        guard = mudguard(f.rear, radius, tyre / 2 + 0.03, depth, start, stop)
        a = np.radians(stop - 22)
        tip = f.rear + np.array([0, radius * np.sin(a), radius * np.cos(a)])
        struts = [
            bar(
                (tyre / 2 + 0.01, back + d, f.rear[2] + radius - 0.03),
                (0.1, back + d, max(s - 0.0, f.rear[2] + radius)),
                0.012,
            )
            for d in (-0.12, 0.03)
        ]
        body = [("mudguard_rear", guard, "car_paint"), ("mudguard_struts", both_sides(merge(struts)), "chrome:bar")]
        holder = tip + np.array((0, 0.05, -0.1))
    lamp_ = ellipsoid(0.13, 0.09, 0.075, 24, 12).moved(*(tip + np.array((0, 0.01, 0.0))))
    stalk = bar(tip - (0, 0.02, 0), tip + np.array((0.15, -0.02, 0.0)), 0.009)
    blinker = ellipsoid(0.05, 0.07, 0.06, 16, 10).moved(*(tip + np.array((0.15, -0.02, 0))))
    return [
        *body,
        ("taillight", lamp_, "taillight"),
        ("plate", plate(0.18, 0.12, -15).moved(*holder), "painted:plate"),
        ("indicators_rear", both_sides(blinker), "taillight:amber"),
        ("indicator_stalks_rear", both_sides(stalk), "chrome:lamp"),
    ]


def fairing_pieces(f: Frame, full: bool) -> list[Piece]:
    """A nose cowl with lamps and a screen, and below it, when full, a belly that hides the engine."""
    h, w = f.head, f.front
    nose = w[1] + 0.03
    low, top = h[2] - 0.2, h[2] + 0.02
    keys = [
        (nose - 0.03, 0.03, low + 0.02, low + 0.06),
        (nose + 0.05, 0.12, low - 0.02, low + 0.12),
        (nose + 0.2, 0.2, low - 0.05, top - 0.03),
        (h[1] + 0.04, 0.23, low - 0.1, top),
        (h[1] + 0.17, 0.2, low - 0.2, low + 0.06),
        (h[1] + 0.27, 0.17, low - 0.2, low - 0.06),
    ]
    screen = [
        (nose + 0.1, low + 0.17, 0.1),
        (nose + 0.2, top + 0.05, 0.15),
        (h[1] - 0.03, top + 0.11, 0.13),
        (h[1] + 0.01, top + 0.13, 0.07),
    ]
    lens = ellipsoid(0.17, 0.14, 0.1, 28, 16).rotated("x", 25).moved(0, nose + 0.04, low + 0.055)
    pieces = [
        ("cowl", pod(keys, 2.6), "car_paint"),
        ("screen", visor(screen, 0.1), "tinted_glass"),
        ("headlight", lens, "headlight"),
    ]
    if full:
        e, y = f.engine, w[1] + f.front_radius + 0.05
        belly = [
            (y, 0.1, 0.42, low - 0.02),
            (y + 0.05, 0.2, 0.3, low + 0.04),
            (e[1], 0.265, 0.2, f.tank[0][2] - 0.02),
            (e[1] + 0.2, 0.255, 0.19, 0.66),
            (e[1] + 0.36, 0.2, 0.21, 0.42),
            (e[1] + 0.46, 0.12, 0.25, 0.34),
        ]
        pieces.append(("belly", pod(belly, 3.0, 32), "car_paint"))
    return pieces


def luggage(f: Frame, tyre: float, trunk: bool) -> list[Piece]:
    x = tyre / 2 + 0.17
    case = saddlebag(0.46, 0.27, 0.19).moved(x, f.rear[1] + 0.06, f.seat - 0.14)
    pieces = [("saddlebags", both_sides(case), "car_paint" if f.style == "tourer" else "leather:bags")]
    hold = both_sides(beam((0.08, f.rear[1], f.seat - 0.04), (x, f.rear[1], f.seat - 0.1), 0.03, 0.03))
    if trunk:
        pieces.append(("trunk", saddlebag(0.34, 0.3, 0.46).moved(0, f.rear[1] + 0.3, f.seat + 0.24), "car_paint"))
        rack = beam((0.08, f.rear[1] - 0.04, f.seat - 0.02), (0.08, f.rear[1] + 0.4, f.seat + 0.1), 0.02, 0.03)
        hold = merge([hold, both_sides(rack)])
    return [*pieces, ("bag_brackets", hold, "chrome:bar")]


def dirt_plastics(f: Frame) -> list[Piece]:
    """High front mudguard under the fork's lower clamp, radiator shrouds, side panels, fork guards."""
    h, w, (start, end) = f.head - f.up * 0.22, f.front, f.tank
    y, z = w[1], 2 * f.front_radius + 0.13
    fender = pod(
        [
            (y - 0.26, 0.03, z - 0.06, z - 0.05),
            (y - 0.16, 0.075, z - 0.03, z - 0.005),
            (y + 0.1, 0.08, z + 0.01, z + 0.045),
            (h[1], 0.07, h[2] - 0.06, h[2] - 0.0),
            (h[1] + 0.14, 0.06, h[2] - 0.12, h[2] - 0.09),
        ],
        3,
    )
    shroud = pod(
        [
            (start[1] - 0.1, 0.02, start[2] - 0.24, start[2] - 0.06),
            (start[1] + 0.05, 0.03, start[2] - 0.28, start[2] + 0.0),
            (start[1] + 0.25, 0.025, start[2] - 0.14, start[2] + 0.02),
            (end[1], 0.012, end[2] - 0.03, end[2] + 0.03),
        ],
        3,
    ).moved(x=0.13)
    panel = pod(
        [
            (end[1] - 0.02, 0.012, f.seat - 0.22, f.seat - 0.06),
            (end[1] + 0.12, 0.018, f.seat - 0.33, f.seat - 0.04),
            (end[1] + 0.3, 0.016, f.seat - 0.27, f.seat - 0.03),
            (f.rear[1] + 0.02, 0.012, f.seat - 0.08, f.seat - 0.01),
        ],
        3,
    ).moved(x=0.115)
    return [
        ("mudguard_front", fender, "car_paint"),
        ("shrouds", both_sides(shroud), "car_paint"),
        ("side_panels", both_sides(panel), "painted:plastics"),
    ]


def side_covers(f: Frame) -> list[Piece]:
    """What fills the triangle under the seat on both sides."""
    p, s = f.pivot, f.seat
    y = min(f.tank[1][1] - 0.03, p[1] - 0.1)
    low = min(p[2] + 0.08, s - 0.24)
    rows = [(y, 0.01, s - 0.2, s - 0.07), (y + 0.05, 0.02, low, s - 0.06), (p[1] + 0.02, 0.02, low, s - 0.06)]
    cover = pod([*rows, (p[1] + 0.12, 0.01, s - 0.18, s - 0.07)], 3.5, 16)
    return [("side_covers", both_sides(cover.moved(x=0.13)), "car_paint")]

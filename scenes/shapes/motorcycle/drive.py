"""What a motorcycle runs on: frame tubes, engine and exhaust."""

from __future__ import annotations

import numpy as np

from scenes.shapes.motorcycle.frame import LONG, Frame, Piece
from scenes.shapes.motorcycle.parts import coil_shock, finned_cylinder, pipe, upright, v_twin
from scenes.shapes.primitives import Array, Geometry, bar, beam, both_sides, box, merge, spline, tube


def chassis(f: Frame, rear_tyre: float, frame_role: str) -> list[Piece]:
    """Frame tubes, swing arm, shocks, foot rests and the side stand."""
    e, p, (start, end) = f.engine, f.pivot, f.tank
    x, low = 0.14, e[2] - 0.18
    cradle = [
        f.head - f.up * 0.16 + (0.02, 0, 0),
        (0.09, e[1] - 0.22, e[2] + 0.05),
        (x, e[1] - 0.14, low),
        (x, p[1] - 0.08, low),
        p + np.array((x, 0.02, 0)),
        (0.13, p[1] - 0.02, f.seat - 0.1),
    ]
    rail = [
        (0.04, *start[1:]),
        (0.09, end[1] - 0.05, end[2] - 0.05),
        (0.11, f.rear[1] - 0.1, f.seat - 0.04),
        (0.1, f.rear[1] + 0.05, f.seat + 0.0),
    ]
    strut = bar(p + np.array((0.13, 0, 0.05)), (0.11, f.rear[1] - 0.12, f.seat - 0.05), 0.012)
    tubes = [tube(_polyline(cradle), 0.017, 12), tube(_polyline(rail), 0.016, 12), strut]
    side = rear_tyre / 2 + 0.05
    arm = [
        beam(p + np.array((side, -0.02, 0)), f.rear + np.array((side, 0.04, 0)), 0.03, 0.055, 0.01),
        bar(f.rear, f.rear + np.array((side + 0.02, 0, 0)), 0.014),
    ]
    if f.style == "sport":
        tubes.append(beam(f.head - f.up * 0.12 + (0.06, 0.02, 0), p + np.array((0.15, -0.04, 0.1)), 0.04, 0.11, 0.015))
    rest = e + ((0, -0.3, -0.08) if f.style in LONG else (0, 0.26, -0.06))
    peg = bar(rest + np.array((0.1, 0, 0)), rest + np.array((0.3, 0, 0)), 0.016)
    anchor = (x, e[1] - 0.13, low) if f.style in LONG else (x, rest[1], e[2] + 0.02)
    hold = bar(rest + np.array((0.14, 0, 0)), anchor, 0.014)
    stand = bar((0.14, p[1] - 0.12, low), (0.2, p[1] + 0.02, 0.012), 0.012)
    pieces = [
        ("frame", both_sides(merge(tubes)), frame_role),
        (
            "swing_arm",
            merge([both_sides(merge(arm)), bar(p - (side, 0, 0), p + np.array((side, 0, 0)), 0.03)]),
            frame_role,
        ),
        ("foot_rests", both_sides(merge([peg, hold])), "rubber"),
        ("stand", merge([stand]), "steel:chain"),
    ]
    if f.style in ("sport", "dirt", "chopper"):
        shock = coil_shock(p + np.array((0, 0.05, 0.0)), (0, p[1] - 0.03, f.seat - 0.1), 0.035)
    else:
        shock = both_sides(
            coil_shock(f.rear + np.array((side + 0.02, -0.03, 0.02)), (0.13, f.rear[1] - 0.15, f.seat - 0.03), 0.03)
        )
    return [*pieces, ("shocks", shock, "chrome:shock")]


def _polyline(points: list) -> Array:
    return spline(points, 30)


def engine_pieces(f: Frame, kind: str, role: str) -> list[Piece]:
    """Engine below the tank, sized to the room there is."""
    room = (f.tank[0][2] + f.tank[1][2]) / 2 - f.engine[2]
    scale = float(np.clip(room / 0.42, 0.85, 1.0 if kind == "four" else 1.2))
    if kind == "v_twin":
        block, bright = v_twin(scale)
    elif kind == "boxer":
        block, bright = _boxer()
    else:
        block, bright = upright({"single": 1, "twin": 2, "four": 4}[kind], 6 if kind == "single" else 14, scale)
    box_ = box(0.2, 0.2, 0.2, 0.04).moved(0, f.engine[1] + 0.2, f.engine[2] + 0.2)
    sump = [("engine_block", block.moved(*f.engine), role), ("engine_covers", bright.moved(*f.engine), "chrome:engine")]
    return [*sump, ("air_box", box_, "dark_plastic:frame")]


def _boxer() -> tuple[Geometry, Geometry]:
    """A flat twin: barrels to both sides."""
    block, bright = upright(1, 0, 1.0)
    low = block.vertices[:, 2] < 0.2
    keep = low[block.faces].all(axis=1)
    case = Geometry(block.vertices, block.faces[keep], block.uvs[keep])
    barrel = finned_cylinder(0.085, 0.2, 9).rotated("y", 90).moved(0.08, -0.02, 0.02)
    return merge([case, both_sides(barrel)]), bright


def exhaust_pieces(f: Frame, kind: str, engine: str, role: str) -> list[Piece]:
    e, p, r = f.engine, f.pivot, f.rear
    port, back = e[2] + 0.27, r[1]
    if kind == "low_dual":
        front = [
            (-0.06, e[1] - 0.13, port),
            (-0.13, e[1] - 0.24, port - 0.06),
            (-0.2, e[1] - 0.16, e[2] - 0.06),
            (-0.21, e[1] + 0.05, 0.22),
            (-0.22, p[1], 0.22),
            (-0.22, back + 0.3, 0.25),
        ]
        rear = [
            (-0.06, e[1] + 0.16, port),
            (-0.16, e[1] + 0.26, port - 0.05),
            (-0.21, e[1] + 0.3, e[2] + 0.02),
            (-0.22, p[1] + 0.05, 0.33),
            (-0.22, back + 0.25, 0.36),
        ]
        return [("exhaust", merge([pipe(front, 0.024, 0.042, 0.48), pipe(rear, 0.024, 0.042, 0.55)]), role)]
    header = [(-0.04, e[1] - 0.08, port), (-0.09, e[1] - 0.2, port - 0.03), (-0.13, e[1] - 0.24, e[2])]
    if kind == "twin":
        side = pipe(
            [*header, (-0.16, e[1] - 0.12, e[2] - 0.16), (-0.19, p[1] - 0.1, 0.2), (-0.2, back + 0.22, 0.27)],
            0.021,
            0.046,
            0.5,
        )
        return [("exhaust", both_sides(side), role)]
    if kind == "high":
        path = [
            (-0.03, e[1] - 0.06, port),
            (-0.1, e[1] - 0.18, port - 0.02),
            (-0.15, e[1] - 0.02, port - 0.1),
            (-0.15, p[1] - 0.04, f.seat - 0.24),
            (-0.14, back + 0.08, f.seat - 0.08),
        ]
        return [("exhaust", pipe(path, 0.02, 0.055, 0.36), role)]
    count = 4 if engine == "four" else 2
    headers = [
        pipe(
            [
                (v, e[1] - 0.1, port),
                (v, e[1] - 0.22, port - 0.05),
                (0.9 * v, e[1] - 0.24, e[2]),
                (0.5 * v, e[1] - 0.12, e[2] - 0.17),
                (0.2 * v - 0.05, e[1] + 0.1, e[2] - 0.19),
            ],
            0.02,
            0.02,
            0.1,
        )
        for v in (np.arange(count) - (count - 1) / 2) * 0.1
    ]
    tail = pipe(
        [
            (-0.05, e[1] + 0.05, e[2] - 0.19),
            (-0.12, p[1] - 0.1, e[2] - 0.18),
            (-0.2, p[1] + 0.06, 0.32),
            (-0.22, back + 0.1, 0.5),
        ],
        0.028,
        0.052,
        0.47,
    )
    return [("exhaust", merge([*headers, tail]), role)]

"""Motorcycles: cruisers, choppers, tourers, roadsters, sports and dirt bikes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenes.mesh import Model
from scenes.shapes._motorcycle_parts import (
    coil_shock,
    finned_cylinder,
    lamp,
    mirror,
    mudguard,
    pipe,
    plate,
    pod,
    saddlebag,
    upright,
    v_twin,
    visor,
    wheel,
)
from scenes.shapes.kit import (
    Array,
    Geometry,
    bar,
    beam,
    both_sides,
    box,
    cylinder,
    ellipsoid,
    merge,
    part,
    spline,
    tube,
)

Piece = tuple[str, Geometry, str]
LONG = ("cruiser", "chopper", "tourer")


@dataclass(frozen=True)
class _Frame:
    """The bike's skeleton in its middle plane; every point is (3,)."""

    style: str
    wheelbase: float
    rake: float
    fork_length: float
    front_radius: float
    rear_radius: float
    seat: float
    tank_length: float

    @property
    def front(self) -> Array:
        return np.array([0.0, -self.wheelbase / 2, self.front_radius])

    @property
    def rear(self) -> Array:
        return np.array([0.0, self.wheelbase / 2, self.rear_radius])

    @property
    def up(self) -> Array:
        """Along the fork."""
        a = np.radians(self.rake)
        return np.array([0.0, np.sin(a), np.cos(a)])

    @property
    def ahead(self) -> Array:
        """Square to the fork, forward."""
        a = np.radians(self.rake)
        return np.array([0.0, -np.cos(a), np.sin(a)])

    @property
    def head(self) -> Array:
        """Top of the steering head."""
        return self.front + self.up * self.fork_length - self.ahead * 0.05

    @property
    def engine(self) -> Array:
        """The crank."""
        lift = {"dirt": 0.43, "sport": 0.4}.get(self.style, 0.37)
        return np.array([0.0, max(self.head[1] + 0.31, self.front[1] + self.front_radius + 0.28), lift])

    @property
    def pivot(self) -> Array:
        """Of the swing arm."""
        return np.array([0.0, self.rear[1] - self.rear_radius - 0.07, self.rear_radius + 0.05])

    @property
    def tank(self) -> tuple[Array, Array]:
        """The two ends of the line that the tank stands on."""
        start = self.head - self.up * 0.12 + (0, 0.03, 0)
        level = self.seat + 0.04
        start[2] = max(level, level + 0.55 * (start[2] - level))
        return start, np.array([0.0, start[1] + self.tank_length, self.seat - 0.02])


def motorcycle(
    *,
    style: str,
    wheelbase: float,
    rake: float,
    fork_length: float,
    front_radius: float,
    rear_radius: float,
    front_tyre: float,
    rear_tyre: float,
    spoked: bool,
    spokes: int,
    seat_height: float,
    tank_length: float,
    tank_height: float,
    tank_width: float,
    engine: str,
    bar_rise: float,
    bar_width: float,
    bar_pull: float,
    steer: float,
    guard_depth: float,
    exhaust: str,
    fairing: str,
    windscreen: bool,
    bags: bool,
    backrest: bool,
    mirrors: bool,
    engine_role: str,
    frame_role: str,
    rim_role: str,
    pipe_role: str,
    seat_role: str,
) -> Model:
    """A motorcycle.

    style: cruiser, chopper, tourer, roadster, sport or dirt. wheelbase 1.3-1.95, fork_length 0.6-1.05 (axle to upper
    clamp), front_radius and rear_radius 0.28-0.36, front_tyre and rear_tyre 0.08-0.2 (widths), seat_height 0.62-0.95,
    tank_length 0.35-0.7, tank_height 0.12-0.3, tank_width 0.2-0.4, bar_rise -0.05-0.4, bar_width 0.6-0.95, bar_pull
    0-0.3 (backwards), guard_depth 0.02-0.16 (how far the mudguards' sides reach down), metres; rake 22-46 and steer
    -20-20 degrees. spoked: wire wheels with `spokes` (32-48, a multiple of 4) or cast ones with 3-10. engine: v_twin,
    single, twin, four or boxer. exhaust: low_dual, twin, swept or high. fairing: none, half or full. windscreen, bags,
    backrest, mirrors: whether it has them.
    """
    given = dict(locals())
    f = _Frame(style, wheelbase, rake, fork_length, front_radius, rear_radius, seat_height, tank_length)
    front = _front_wheel(f, front_tyre, spoked, spokes, rim_role) + _fork(f, front_tyre, frame_role)
    front += _handlebar(f, bar_rise, bar_width, bar_pull, mirrors, steer_lamp=fairing == "none")
    if style not in ("chopper", "dirt"):
        front += _front_guard(f, front_tyre, guard_depth)
    if windscreen and fairing == "none":
        front += _windscreen(f)
    pieces = [(name, geometry.rotated(list(f.up), steer, f.head), role) for name, geometry, role in front]
    pieces += _rear_wheel(f, rear_tyre, spoked, spokes, rim_role) + _chassis(f, rear_tyre, frame_role)
    pieces += _engine(f, engine, engine_role) + _exhaust(f, exhaust, engine, pipe_role)
    pieces += _tank(f, tank_height, tank_width) + _seat(f, seat_role, backrest)
    pieces += _tail(f, rear_tyre, guard_depth)
    if fairing != "none":
        pieces += _fairing(f, fairing == "full")
    if bags:
        pieces += _luggage(f, rear_tyre, backrest and style == "tourer")
    pieces += _dirt_plastics(f) if style == "dirt" else _side_covers(f)
    parts = tuple(part(name, geometry, role) for name, geometry, role in pieces)
    return Model(parts, _keypoints(f, tank_height, bar_width, bar_rise, bar_pull, steer), given)


def _wheel_pieces(end: str, axle: Array, pieces: dict[str, Geometry], spoked: bool, rim_role: str) -> list[Piece]:
    roles = {
        "tyre": "tyre",
        "rim": rim_role,
        "spokes": "chrome:spokes" if spoked else rim_role,
        "hub": "aluminium:hub",
        "disc": "steel:disc",
    }
    return [(f"{name}_{end}", piece.moved(*axle), roles[name]) for name, piece in pieces.items()]


def _front_wheel(f: _Frame, width: float, spoked: bool, spokes: int, role: str) -> list[Piece]:
    discs = 2 if f.style == "sport" else 1
    return _wheel_pieces(
        "front", f.front, wheel(f.front_radius, width, spoked, spokes, f.style == "dirt", discs), spoked, role
    )


def _rear_wheel(f: _Frame, width: float, spoked: bool, spokes: int, role: str) -> list[Piece]:
    """With its sprocket and chain on the left."""
    x = width / 2 + 0.02
    sprocket = cylinder(0.1, 0.006, 40).rotated("y", 90).moved(x - 0.003, *f.rear[1:])
    runs = [beam(f.pivot + (x, -0.05, k * 0.045), f.rear + (x, 0, k * 0.1), 0.012, 0.012) for k in (-1, 1)]
    stub = bar(f.rear + (0.03, 0, 0), f.rear + (x + 0.01, 0, 0), 0.04, 20)
    pieces = wheel(f.rear_radius, width, spoked, spokes, f.style == "dirt", 1)
    return [
        *_wheel_pieces("rear", f.rear, pieces, spoked, role),
        ("chain", merge([sprocket, stub, *runs]), "steel:chain"),
    ]


def _fork(f: _Frame, tyre: float, frame_role: str) -> list[Piece]:
    """Two legs in two clamps; sports and dirt bikes wear the thick tube above."""
    x = np.array([max(0.095, tyre / 2 + 0.035), 0, 0])
    inverted = f.style in ("sport", "dirt")
    middle, top = f.front + f.up * (0.42 * f.fork_length), f.front + f.up * (f.fork_length + 0.02)
    low_radius, high_radius = (0.021, 0.029) if inverted else (0.031, 0.021)
    lower = merge(
        [bar(f.front + x - f.up * 0.03, middle + x, low_radius, 16), bar(f.front + x * 0.3, f.front + x * 1.25, 0.014)]
    )
    upper = bar(middle + x - f.up * 0.02, top + x, high_radius, 16)
    clamps = [
        box(2 * x[0] + 0.08, 0.12, 0.035, 0.012).rotated("x", -f.rake).moved(*(f.head + f.ahead * 0.03 - f.up * d))
        for d in (0.0, 0.19)
    ]
    stem = bar(f.head - f.up * 0.2, f.head + f.up * 0.015, 0.03, 16)
    caliper = box(0.05, 0.06, 0.11, 0.015).moved(
        *(f.front + x * (0.85, 0, 0) + (0, 0.3 * f.front_radius, 0.18 * f.front_radius))
    )
    bracket = beam(f.front + x, f.front + x * 0.9 + (0, 0.3 * f.front_radius, 0.15 * f.front_radius), 0.02, 0.05)
    return [
        ("fork_lower", both_sides(lower), "aluminium:fork"),
        ("fork_upper", both_sides(upper), "gold:fork" if f.style == "sport" and f.rake < 23.5 else "chrome:fork"),
        ("fork_clamps", merge([*clamps, stem]), frame_role),
        ("caliper_front", both_sides(merge([caliper, bracket])), "dark_plastic:brake"),
    ]


def _grip(f: _Frame, rise: float, width: float, pull: float) -> Array:
    """The left end of the handlebar."""
    return f.head + f.up * 0.03 + (width / 2, pull, rise)


def _handlebar(f: _Frame, rise: float, width: float, pull: float, mirrors: bool, steer_lamp: bool) -> list[Piece]:
    foot, end = f.head + f.up * 0.03, _grip(f, rise, width, pull)
    bend = end + (-0.15, -0.35 * pull, 0.015)
    path = spline(
        [foot + (0.0, 0, 0), foot + (0.06, 0, 0), foot + (0.09 + 0.1 * width, 0.1 * pull, 0.75 * rise), bend, end], 40
    )
    grip = bar(path[-11], end + (end - path[-11]) * 0.02, 0.017, 14)
    lever = tube(spline([path[-12] + (0, -0.03, 0), path[-7] + (0, -0.065, 0), path[-2] + (0, -0.05, 0)], 10), 0.006, 8)
    switch = box(0.05, 0.06, 0.045, 0.012).moved(*path[-13])
    clocks = [
        cylinder(0.04, 0.05, 24, 0.008).rotated("x", 55).moved(*(f.head + f.ahead * 0.06 + f.up * 0.05 + (v, 0, 0)))
        for v in (-0.05, 0.05)
    ]
    pieces = [
        ("handlebar", both_sides(tube(path, 0.012, 12)), "chrome:bar"),
        ("grips", both_sides(grip), "rubber"),
        ("controls", both_sides(merge([lever, switch])), "dark_plastic:controls"),
        ("clocks", merge(clocks), "chrome:bar"),
    ]
    if mirrors:
        pieces.append(("mirrors", both_sides(mirror(path[-12], path[-12] + (0.08, -0.02, 0.13))), "chrome:bar"))
    return pieces + (_headlight(f) if steer_lamp else [])


def _headlight(f: _Frame) -> list[Piece]:
    """A lamp before the fork, with indicators; dirt bikes carry a number plate there."""
    place = f.front + f.up * (f.fork_length - 0.12) + f.ahead * 0.1
    if f.style == "dirt":
        board = pod(
            [
                (-0.03, 0.05, -0.16, 0.13),
                (-0.02, 0.1, -0.15, 0.12),
                (0.01, 0.11, -0.14, 0.12),
                (0.06, 0.09, -0.12, 0.08),
            ],
            4,
        )
        return [("number_plate", board.rotated("x", -f.rake * 0.6).moved(*place), "painted:plastics")]
    radius = 0.085 if f.style == "chopper" else 0.1
    shell, lens = lamp(radius, 0.15)
    at = place + (0, -0.06, 0)
    bracket = both_sides(
        beam(at + (0.9 * radius, 0.05, 0), f.front + f.up * (f.fork_length - 0.15) + (0.09, 0, 0), 0.02, 0.05)
    )
    stalk = bar(at + (0.05, 0.06, -0.03), at + (0.2, 0.06, -0.03), 0.009)
    blinker = ellipsoid(0.06, 0.08, 0.07, 16, 10).moved(*(at + (0.2, 0.06, -0.03)))
    return [
        ("headlight_shell", merge([shell.moved(*at), bracket]), "chrome:lamp"),
        ("headlight", lens.moved(*at), "headlight"),
        ("indicator_stalks", both_sides(stalk), "chrome:lamp"),
        ("indicators_front", both_sides(blinker), "taillight:amber"),
    ]


def _front_guard(f: _Frame, tyre: float, depth: float) -> list[Piece]:
    start, end = {"cruiser": (-35, 100), "tourer": (-45, 110), "sport": (-30, 75)}.get(f.style, (-20, 80))
    guard = mudguard(f.front, f.front_radius + 0.025, tyre / 2 + 0.022, depth, start, end)
    side = tyre / 2 + 0.024
    edges = [
        f.front + (side, (f.front_radius + 0.02 - depth) * np.sin(a), (f.front_radius + 0.02 - depth) * np.cos(a))
        for a in np.radians([5, 62])
    ]
    stays = [bar(f.front + (side + 0.01, 0, 0), edge, 0.006, 8) for edge in edges]
    clip = bar(edges[0] * (1, 1, 1), f.front + f.up * (f.front_radius + 0.0) + (side + 0.015, 0, 0), 0.01, 8)
    return [
        ("mudguard_front", guard, "car_paint"),
        ("mudguard_stays", both_sides(merge([*stays, clip])), "chrome:fork"),
    ]


def _windscreen(f: _Frame) -> list[Piece]:
    """A tall clear screen on the fork."""
    foot = f.front + f.up * (f.fork_length - 0.1) + f.ahead * 0.16
    rows = [
        (foot[1], foot[2], 0.15),
        (foot[1] + 0.06, foot[2] + 0.18, 0.25),
        (foot[1] + 0.16, foot[2] + 0.42, 0.2),
        (foot[1] + 0.18, foot[2] + 0.46, 0.13),
    ]
    stays = both_sides(bar(f.front + f.up * (f.fork_length - 0.1) + (0.09, 0, 0), foot + (0.14, 0.14, 0.12), 0.008))
    return [("windscreen", visor(rows, 0.14), "glass"), ("windscreen_stays", stays, "chrome:bar")]


def _chassis(f: _Frame, rear_tyre: float, frame_role: str) -> list[Piece]:
    """Frame tubes, swing arm, shocks, foot rests and the side stand."""
    e, p, (start, end) = f.engine, f.pivot, f.tank
    x, low = 0.14, e[2] - 0.18
    cradle = [
        f.head - f.up * 0.16 + (0.02, 0, 0),
        (0.09, e[1] - 0.22, e[2] + 0.05),
        (x, e[1] - 0.14, low),
        (x, p[1] - 0.08, low),
        p + (x, 0.02, 0),
        (0.13, p[1] - 0.02, f.seat - 0.1),
    ]
    rail = [
        (0.04, *start[1:]),
        (0.09, end[1] - 0.05, end[2] - 0.05),
        (0.11, f.rear[1] - 0.1, f.seat - 0.04),
        (0.1, f.rear[1] + 0.05, f.seat + 0.0),
    ]
    strut = bar(p + (0.13, 0, 0.05), (0.11, f.rear[1] - 0.12, f.seat - 0.05), 0.012)
    tubes = [tube(_polyline(cradle), 0.017, 12), tube(_polyline(rail), 0.016, 12), strut]
    side = rear_tyre / 2 + 0.05
    arm = [
        beam(p + (side, -0.02, 0), f.rear + (side, 0.04, 0), 0.03, 0.055, 0.01),
        bar(f.rear, f.rear + (side + 0.02, 0, 0), 0.014),
    ]
    if f.style == "sport":
        tubes.append(beam(f.head - f.up * 0.12 + (0.06, 0.02, 0), p + (0.15, -0.04, 0.1), 0.04, 0.11, 0.015))
    rest = e + ((0, -0.3, -0.08) if f.style in LONG else (0, 0.26, -0.06))
    peg = bar(rest + (0.1, 0, 0), rest + (0.3, 0, 0), 0.016)
    hold = bar(
        rest + (0.14, 0, 0),
        (0.14, rest[1] + 0.1 if f.style in LONG else rest[1], low if f.style in LONG else e[2] + 0.02),
        0.014,
    )
    stand = bar((0.14, p[1] - 0.12, low), (0.2, p[1] + 0.02, 0.012), 0.012)
    pieces = [
        ("frame", both_sides(merge(tubes)), frame_role),
        ("swing_arm", merge([both_sides(merge(arm)), bar(p - (side, 0, 0), p + (side, 0, 0), 0.03)]), frame_role),
        ("foot_rests", both_sides(merge([peg, hold])), "rubber"),
        ("stand", merge([stand]), "steel:chain"),
    ]
    if f.style in ("sport", "dirt", "chopper"):
        shock = coil_shock(p + (0, 0.05, 0.0), (0, p[1] - 0.03, f.seat - 0.1), 0.035)
    else:
        shock = both_sides(
            coil_shock(f.rear + (side + 0.02, -0.03, 0.02), (0.13, f.rear[1] - 0.15, f.seat - 0.03), 0.03)
        )
    return [*pieces, ("shocks", shock, "chrome:shock")]


def _polyline(points: list) -> Array:
    return spline(points, 30)


def _engine(f: _Frame, kind: str, role: str) -> list[Piece]:
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


def _exhaust(f: _Frame, kind: str, engine: str, role: str) -> list[Piece]:
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


def _tank(f: _Frame, height: float, width: float) -> list[Piece]:
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


def _seat(f: _Frame, role: str, backrest: bool) -> list[Piece]:
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


def _tail(f: _Frame, tyre: float, depth: float) -> list[Piece]:
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
        hanger = beam(tip + (0, -0.05, -0.02), tip + (0, 0.02, -0.13), 0.14, 0.012, up=(0, 1, 0))
        body = [
            ("tail_cowl", cowl, "car_paint"),
            ("hugger", hugger, "dark_plastic:frame"),
            ("plate_hanger", hanger, "dark_plastic:frame"),
        ]
        holder = tip + (0, 0.03, -0.12)
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
        holder = tip + (0, 0.05, -0.1)
    lamp_ = ellipsoid(0.13, 0.09, 0.075, 24, 12).moved(*(tip + (0, 0.01, 0.0)))
    stalk = bar(tip - (0, 0.02, 0), tip + (0.15, -0.02, 0.0), 0.009)
    blinker = ellipsoid(0.05, 0.07, 0.06, 16, 10).moved(*(tip + (0.15, -0.02, 0)))
    return [
        *body,
        ("taillight", lamp_, "taillight"),
        ("plate", plate(0.18, 0.12, -15).moved(*holder), "painted:plate"),
        ("indicators_rear", both_sides(blinker), "taillight:amber"),
        ("indicator_stalks_rear", both_sides(stalk), "chrome:lamp"),
    ]


def _fairing(f: _Frame, full: bool) -> list[Piece]:
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


def _luggage(f: _Frame, tyre: float, trunk: bool) -> list[Piece]:
    x = tyre / 2 + 0.17
    case = saddlebag(0.46, 0.27, 0.19).moved(x, f.rear[1] + 0.06, f.seat - 0.14)
    pieces = [("saddlebags", both_sides(case), "car_paint" if f.style == "tourer" else "leather:bags")]
    hold = both_sides(beam((0.08, f.rear[1], f.seat - 0.04), (x, f.rear[1], f.seat - 0.1), 0.03, 0.03))
    if trunk:
        pieces.append(("trunk", saddlebag(0.34, 0.3, 0.46).moved(0, f.rear[1] + 0.33, f.seat + 0.22), "car_paint"))
    return [*pieces, ("bag_brackets", hold, "chrome:bar")]


def _dirt_plastics(f: _Frame) -> list[Piece]:
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


def _side_covers(f: _Frame) -> list[Piece]:
    """What fills the triangle under the seat on both sides."""
    p, s = f.pivot, f.seat
    y = min(f.tank[1][1] - 0.03, p[1] - 0.1)
    low = min(p[2] + 0.08, s - 0.24)
    rows = [(y, 0.01, s - 0.2, s - 0.07), (y + 0.05, 0.02, low, s - 0.06), (p[1] + 0.02, 0.02, low, s - 0.06)]
    cover = pod([*rows, (p[1] + 0.12, 0.01, s - 0.18, s - 0.07)], 3.5, 16)
    return [("side_covers", both_sides(cover.moved(x=0.13)), "car_paint")]


def _keypoints(f: _Frame, tank_height: float, width: float, rise: float, pull: float, steer: float) -> dict[str, Array]:
    grip = _grip(f, rise, width, pull)
    lift = f.tank[0] + (f.tank[1] - f.tank[0]) * 0.35
    grips = Geometry(np.array([grip, grip * (-1, 1, 1)]), np.zeros((0, 3), int), np.zeros((0, 3, 2)))
    left, right = grips.rotated(list(f.up), steer, f.head).vertices
    return {
        "front_hub": f.front,
        "rear_hub": f.rear,
        "front_contact": f.front * (1, 1, 0),
        "rear_contact": f.rear * (1, 1, 0),
        "steering_head": f.head,
        "left_grip": left,
        "right_grip": right,
        "tank_top": lift + (0, 0, tank_height),
        "seat_middle": np.array([0.0, f.tank[1][1] + 0.2, f.seat + 0.03]),
    }


RANGES = {
    # style: share, wheelbase, rake, fork, front radius, rear radius, front tyre, rear tyre, seat, tank l h w, bars rise width pull
    "cruiser": (
        0.34,
        (1.58, 1.72),
        (31, 35),
        (0.72, 0.79),
        (0.31, 0.335),
        (0.305, 0.325),
        (0.1, 0.13),
        (0.13, 0.17),
        (0.66, 0.72),
        (0.55, 0.64),
        (0.17, 0.23),
        (0.3, 0.38),
        (0.08, 0.24),
        (0.78, 0.92),
        (0.1, 0.28),
    ),
    "chopper": (
        0.09,
        (1.7, 1.92),
        (36, 44),
        (0.84, 1.0),
        (0.33, 0.35),
        (0.31, 0.33),
        (0.08, 0.1),
        (0.15, 0.2),
        (0.62, 0.67),
        (0.45, 0.55),
        (0.15, 0.2),
        (0.22, 0.3),
        (0.1, 0.38),
        (0.7, 0.85),
        (0.1, 0.28),
    ),
    "tourer": (
        0.06,
        (1.6, 1.72),
        (29, 33),
        (0.72, 0.77),
        (0.31, 0.33),
        (0.305, 0.32),
        (0.12, 0.14),
        (0.14, 0.17),
        (0.68, 0.74),
        (0.55, 0.64),
        (0.18, 0.24),
        (0.32, 0.4),
        (0.1, 0.2),
        (0.8, 0.92),
        (0.12, 0.25),
    ),
    "roadster": (
        0.22,
        (1.38, 1.48),
        (25, 29),
        (0.66, 0.73),
        (0.3, 0.335),
        (0.3, 0.33),
        (0.09, 0.12),
        (0.11, 0.17),
        (0.75, 0.81),
        (0.5, 0.6),
        (0.15, 0.22),
        (0.25, 0.33),
        (0.03, 0.14),
        (0.68, 0.8),
        (0.05, 0.15),
    ),
    "sport": (
        0.17,
        (1.36, 1.46),
        (22.5, 25),
        (0.66, 0.71),
        (0.295, 0.305),
        (0.3, 0.315),
        (0.11, 0.125),
        (0.16, 0.19),
        (0.77, 0.83),
        (0.48, 0.56),
        (0.17, 0.23),
        (0.3, 0.38),
        (-0.04, 0.06),
        (0.64, 0.7),
        (0.06, 0.14),
    ),
    "dirt": (
        0.12,
        (1.4, 1.5),
        (26, 28),
        (0.84, 0.92),
        (0.34, 0.355),
        (0.32, 0.335),
        (0.08, 0.09),
        (0.1, 0.12),
        (0.88, 0.95),
        (0.36, 0.44),
        (0.1, 0.15),
        (0.2, 0.25),
        (0.09, 0.14),
        (0.78, 0.84),
        (0.02, 0.08),
    ),
}
CHOICES = {
    "engine": {
        "cruiser": ["v_twin"],
        "chopper": ["v_twin"],
        "tourer": ["v_twin", "v_twin", "four"],
        "sport": ["four"],
        "dirt": ["single"],
        "roadster": ["four", "twin", "single", "v_twin", "boxer"],
    },
    "exhaust": {
        "cruiser": ["low_dual", "low_dual", "twin"],
        "chopper": ["low_dual"],
        "tourer": ["twin"],
        "sport": ["swept"],
        "dirt": ["high"],
        "roadster": ["twin", "twin", "swept"],
    },
}
SPOKED = {"cruiser": 0.6, "chopper": 0.8, "tourer": 0.4, "roadster": 0.55, "sport": 0.0, "dirt": 1.0}


def motorcycle_rand(rng: np.random.Generator) -> Model:
    """A random motorcycle, in about the mix of shows and sales pages."""
    names = list(RANGES)
    weights = np.array([RANGES[name][0] for name in names])
    style = names[rng.choice(len(names), p=weights / weights.sum())]
    drawn = [float(rng.uniform(low, high)) for low, high in RANGES[style][1:]]
    spoked = bool(rng.random() < SPOKED[style])
    heavy = style in ("cruiser", "tourer")
    fairing = "none"
    if style == "sport":
        fairing = str(rng.choice(["full", "full", "half"]))
    elif style == "roadster" and rng.random() < 0.1:
        fairing = "half"
    keys = ("wheelbase", "rake", "fork_length", "front_radius", "rear_radius", "front_tyre", "rear_tyre", "seat_height")
    keys += ("tank_length", "tank_height", "tank_width", "bar_rise", "bar_width", "bar_pull")
    return motorcycle(
        style=style,
        **dict(zip(keys, drawn, strict=True)),
        spoked=spoked,
        spokes=int(rng.choice([32, 36, 40])) if spoked else int(rng.choice([3, 5, 6, 10])),
        engine=str(rng.choice(CHOICES["engine"][style])),
        steer=float(rng.uniform(-12, 12)) if rng.random() < 0.5 else 0.0,
        guard_depth=float(rng.uniform(0.05, 0.15) if heavy else rng.uniform(0.02, 0.06)),
        exhaust=str(rng.choice(CHOICES["exhaust"][style])),
        fairing=fairing,
        windscreen=heavy and bool(rng.random() < (1.0 if style == "tourer" else 0.15)),
        bags=style == "tourer" or (style == "cruiser" and bool(rng.random() < 0.25)),
        backrest=heavy and bool(rng.random() < 0.4),
        mirrors=style != "dirt" and bool(rng.random() < 0.8),
        engine_role=str(rng.choice(["aluminium:engine", "metal:engine", "dark_plastic:frame"])),
        frame_role=str(rng.choice(["dark_plastic:frame", "dark_plastic:frame", "car_paint", "aluminium:frame"])),
        rim_role=str(
            rng.choice(
                ["chrome:rim", "aluminium:rim"] if spoked else ["aluminium:rim", "painted:rim", "dark_plastic:rim"]
            )
        ),
        pipe_role=str(
            rng.choice(["chrome:pipe", "chrome:pipe", "steel:pipe", "dark_plastic:pipe"], p=[0.4, 0.3, 0.2, 0.1])
        ),
        seat_role=str(rng.choice(["leather", "leather", "rubber:seat"])),
    )

"""The skeleton of a motorcycle, its wheels, fork and handlebar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenes.shapes.motorcycle.parts import lamp, mirror, mudguard, pod, visor, wheel
from scenes.shapes.primitives import (
    Array,
    Geometry,
    bar,
    beam,
    both_sides,
    box,
    cylinder,
    ellipsoid,
    merge,
    spline,
    tube,
)

Piece = tuple[str, Geometry, str]


LONG = ("cruiser", "chopper", "tourer")


@dataclass(frozen=True)
class Frame:
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


def _wheel_pieces(end: str, axle: Array, pieces: dict[str, Geometry], spoked: bool, rim_role: str) -> list[Piece]:
    roles = {
        "tyre": "tyre",
        "rim": rim_role,
        "spokes": "chrome:spokes" if spoked else rim_role,
        "hub": "aluminium:hub",
        "disc": "steel:disc",
    }
    return [(f"{name}_{end}", piece.moved(*axle), roles[name]) for name, piece in pieces.items()]


def front_wheel(f: Frame, width: float, spoked: bool, spokes: int, role: str) -> list[Piece]:
    discs = 2 if f.style == "sport" else 1
    return _wheel_pieces(
        "front", f.front, wheel(f.front_radius, width, spoked, spokes, f.style == "dirt", discs), spoked, role
    )


def rear_wheel(f: Frame, width: float, spoked: bool, spokes: int, role: str) -> list[Piece]:
    """With its sprocket and chain on the left."""
    x = width / 2 + 0.02
    sprocket = cylinder(0.1, 0.006, 40).rotated("y", 90).moved(x - 0.003, *f.rear[1:])
    runs = [
        beam(f.pivot + np.array((x, -0.05, k * 0.045)), f.rear + np.array((x, 0, k * 0.1)), 0.012, 0.012)
        for k in (-1, 1)
    ]
    stub = bar(f.rear + np.array((0.03, 0, 0)), f.rear + np.array((x + 0.01, 0, 0)), 0.04, 20)
    pieces = wheel(f.rear_radius, width, spoked, spokes, f.style == "dirt", 1)
    return [
        *_wheel_pieces("rear", f.rear, pieces, spoked, role),
        ("chain", merge([sprocket, stub, *runs]), "steel:chain"),
    ]


def fork(f: Frame, tyre: float, frame_role: str) -> list[Piece]:
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


def grip_end(f: Frame, rise: float, width: float, pull: float) -> Array:
    """The left end of the handlebar."""
    return f.head + f.up * 0.03 + (width / 2, pull, rise)


def handlebar(f: Frame, rise: float, width: float, pull: float, mirrors: bool, steer_lamp: bool) -> list[Piece]:
    foot, end = f.head + f.up * 0.03, grip_end(f, rise, width, pull)
    bend = end + np.array((-0.15, -0.35 * pull, 0.015))
    path = spline(
        [
            foot + np.array((0.0, 0, 0)),
            foot + np.array((0.06, 0, 0)),
            foot + np.array((0.09 + 0.1 * width, 0.1 * pull, 0.75 * rise)),
            bend,
            end,
        ],
        40,
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


def _headlight(f: Frame) -> list[Piece]:
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
    at = place + np.array((0, -0.06, 0))
    bracket = both_sides(
        beam(at + np.array((0.9 * radius, 0.05, 0)), f.front + f.up * (f.fork_length - 0.15) + (0.09, 0, 0), 0.02, 0.05)
    )
    stalk = bar(at + np.array((0.05, 0.06, -0.03)), at + np.array((0.2, 0.06, -0.03)), 0.009)
    blinker = ellipsoid(0.06, 0.08, 0.07, 16, 10).moved(*(at + np.array((0.2, 0.06, -0.03))))
    return [
        ("headlight_shell", merge([shell.moved(*at), bracket]), "chrome:lamp"),
        ("headlight", lens.moved(*at), "headlight"),
        ("indicator_stalks", both_sides(stalk), "chrome:lamp"),
        ("indicators_front", both_sides(blinker), "taillight:amber"),
    ]


def front_guard(f: Frame, tyre: float, depth: float) -> list[Piece]:
    start, end = {"cruiser": (-35, 100), "tourer": (-45, 110), "sport": (-30, 75)}.get(f.style, (-20, 80))
    guard = mudguard(f.front, f.front_radius + 0.025, tyre / 2 + 0.022, depth, start, end)
    side = tyre / 2 + 0.024
    edges = [
        f.front
        + np.array((side, (f.front_radius + 0.02 - depth) * np.sin(a), (f.front_radius + 0.02 - depth) * np.cos(a)))
        for a in np.radians([5, 62])
    ]
    stays = [bar(f.front + np.array((side + 0.01, 0, 0)), edge, 0.006, 8) for edge in edges]
    clip = bar(edges[0] * (1, 1, 1), f.front + f.up * (f.front_radius + 0.0) + (side + 0.015, 0, 0), 0.01, 8)
    return [
        ("mudguard_front", guard, "car_paint"),
        ("mudguard_stays", both_sides(merge([*stays, clip])), "chrome:fork"),
    ]


def windshield(f: Frame) -> list[Piece]:
    """A tall clear screen on the fork."""
    foot = f.front + f.up * (f.fork_length - 0.1) + f.ahead * 0.16
    rows = [
        (foot[1], foot[2], 0.15),
        (foot[1] + 0.06, foot[2] + 0.18, 0.25),
        (foot[1] + 0.16, foot[2] + 0.42, 0.2),
        (foot[1] + 0.18, foot[2] + 0.46, 0.13),
    ]
    stays = both_sides(
        bar(f.front + f.up * (f.fork_length - 0.1) + (0.09, 0, 0), foot + np.array((0.14, 0.14, 0.12)), 0.008)
    )
    return [("windscreen", visor(rows, 0.14), "glass"), ("windscreen_stays", stays, "chrome:bar")]

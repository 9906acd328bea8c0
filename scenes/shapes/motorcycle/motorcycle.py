"""Motorcycles: cruisers, choppers, tourers, roadsters, sports and dirt bikes."""

from __future__ import annotations

import numpy as np

from scenes.mesh import Model
from scenes.shapes.motorcycle.body import (
    dirt_plastics,
    fairing_pieces,
    luggage,
    seat_pieces,
    side_covers,
    tail_pieces,
    tank_pieces,
)
from scenes.shapes.motorcycle.drive import chassis, engine_pieces, exhaust_pieces
from scenes.shapes.motorcycle.frame import (
    Frame,
    fork,
    front_guard,
    front_wheel,
    grip_end,
    handlebar,
    rear_wheel,
    windshield,
)
from scenes.shapes.primitives import Array, Geometry, part

STYLES = {"cruiser": 0.34, "chopper": 0.09, "tourer": 0.06, "roadster": 0.22, "sport": 0.17, "dirt": 0.12}
RANGES: dict[str, list[tuple[float, float]]] = {
    # one range a style, in the order of STYLES
    "wheelbase": [(1.58, 1.72), (1.7, 1.92), (1.6, 1.72), (1.38, 1.48), (1.36, 1.46), (1.4, 1.5)],
    "rake": [(31, 35), (36, 44), (29, 33), (25, 29), (22.5, 25), (26, 28)],
    "fork_length": [(0.72, 0.79), (0.84, 1.0), (0.72, 0.77), (0.66, 0.73), (0.66, 0.71), (0.84, 0.92)],
    "front_radius": [(0.31, 0.335), (0.33, 0.35), (0.31, 0.33), (0.3, 0.335), (0.295, 0.305), (0.34, 0.355)],
    "rear_radius": [(0.305, 0.325), (0.31, 0.33), (0.305, 0.32), (0.3, 0.33), (0.3, 0.315), (0.32, 0.335)],
    "front_tyre": [(0.1, 0.13), (0.08, 0.1), (0.12, 0.14), (0.09, 0.12), (0.11, 0.125), (0.08, 0.09)],
    "rear_tyre": [(0.13, 0.17), (0.15, 0.2), (0.14, 0.17), (0.11, 0.17), (0.16, 0.19), (0.1, 0.12)],
    "seat_height": [(0.66, 0.72), (0.62, 0.67), (0.68, 0.74), (0.75, 0.81), (0.77, 0.83), (0.88, 0.95)],
    "tank_length": [(0.55, 0.64), (0.45, 0.55), (0.55, 0.64), (0.5, 0.6), (0.48, 0.56), (0.36, 0.44)],
    "tank_height": [(0.17, 0.23), (0.15, 0.2), (0.18, 0.24), (0.15, 0.22), (0.17, 0.23), (0.1, 0.15)],
    "tank_width": [(0.3, 0.38), (0.22, 0.3), (0.32, 0.4), (0.25, 0.33), (0.3, 0.38), (0.2, 0.25)],
    "bar_rise": [(0.08, 0.24), (0.1, 0.38), (0.1, 0.2), (0.03, 0.14), (-0.04, 0.06), (0.09, 0.14)],
    "bar_width": [(0.78, 0.92), (0.7, 0.85), (0.8, 0.92), (0.68, 0.8), (0.64, 0.7), (0.78, 0.84)],
    "bar_pull": [(0.1, 0.28), (0.1, 0.28), (0.12, 0.25), (0.05, 0.15), (0.06, 0.14), (0.02, 0.08)],
}


CHOICES: dict[str, dict[str, list[str]]] = {
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
    0-0.3 (backwards), guard_depth 0.02-0.16 (how far the mudguards' sides reach down), meters; rake 22-46 and steer
    -20-20 degrees. spoked: wire wheels with `spokes` (32-48, a multiple of 4) or cast ones with 3-10. engine: v_twin,
    single, twin, four or boxer. exhaust: low_dual, twin, swept or high. fairing: none, half or full. windscreen, bags,
    backrest, mirrors: whether it has them.
    """
    given = dict(locals())
    f = Frame(style, wheelbase, rake, fork_length, front_radius, rear_radius, seat_height, tank_length)
    front = front_wheel(f, front_tyre, spoked, spokes, rim_role) + fork(f, front_tyre, frame_role)
    front += handlebar(f, bar_rise, bar_width, bar_pull, mirrors, steer_lamp=fairing == "none")
    if style not in ("chopper", "dirt"):
        front += front_guard(f, front_tyre, guard_depth)
    if windscreen and fairing == "none":
        front += windshield(f)
    pieces = [(name, geometry.rotated(list(f.up), steer, f.head), role) for name, geometry, role in front]
    pieces += rear_wheel(f, rear_tyre, spoked, spokes, rim_role) + chassis(f, rear_tyre, frame_role)
    pieces += engine_pieces(f, engine, engine_role) + exhaust_pieces(f, exhaust, engine, pipe_role)
    pieces += tank_pieces(f, tank_height, tank_width) + seat_pieces(f, seat_role, backrest)
    pieces += tail_pieces(f, rear_tyre, guard_depth)
    if fairing != "none":
        pieces += fairing_pieces(f, fairing == "full")
    if bags:
        pieces += luggage(f, rear_tyre, backrest and style == "tourer")
    pieces += dirt_plastics(f) if style == "dirt" else side_covers(f)
    parts = tuple(part(name, geometry, role) for name, geometry, role in pieces)
    return Model(parts, _keypoints(f, tank_height, bar_width, bar_rise, bar_pull, steer), given)


def _keypoints(f: Frame, tank_height: float, width: float, rise: float, pull: float, steer: float) -> dict[str, Array]:
    grip = grip_end(f, rise, width, pull)
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
        "tank_top": lift + np.array((0, 0, tank_height)),
        "seat_middle": np.array([0.0, f.tank[1][1] + 0.2, f.seat + 0.03]),
    }


def motorcycle_rand(rng: np.random.Generator) -> Model:
    """A random motorcycle, in about the mix of shows and sales pages."""
    index = int(rng.choice(len(STYLES), p=np.array(list(STYLES.values())) / sum(STYLES.values())))
    style = list(STYLES)[index]
    spoked = bool(rng.random() < SPOKED[style])
    heavy = style in ("cruiser", "tourer")
    fairing = "none"
    if style == "sport":
        fairing = str(rng.choice(["full", "full", "half"]))
    elif style == "roadster" and rng.random() < 0.1:
        fairing = "half"
    return motorcycle(
        style=style,
        **{name: float(rng.uniform(*ranges[index])) for name, ranges in RANGES.items()},
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

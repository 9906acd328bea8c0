"""Passenger cars of the 1980s and 90s: sedans, coupes, hatchbacks, wagons, off-roaders, minivans, vans and pickups."""

from __future__ import annotations

import numpy as np

from scenes.mesh import Model, Part
from scenes.shapes.car.body import Cabin, Shell, seats
from scenes.shapes.car.fittings import (
    chassis,
    dashboard,
    door_pieces,
    front_end,
    mirrors,
    rack,
    rear_end,
    strips,
    wheels,
)
from scenes.shapes.primitives import Array, part

WINDOWS = {
    ("sedan", 2): ((0.05, 0.50), (0.54, 0.82)),
    ("sedan", 4): ((0.05, 0.43), (0.47, 0.80)),
    ("coupe", 2): ((0.05, 0.52), (0.57, 0.80)),
    ("hatchback", 2): ((0.05, 0.48), (0.52, 0.84)),
    ("hatchback", 4): ((0.05, 0.40), (0.43, 0.70), (0.74, 0.88)),
    ("wagon", 4): ((0.04, 0.34), (0.37, 0.62), (0.66, 0.94)),
    ("offroad", 2): ((0.04, 0.42), (0.46, 0.94)),
    ("offroad", 4): ((0.04, 0.33), (0.36, 0.59), (0.64, 0.94)),
    ("minivan", 4): ((0.06, 0.35), (0.38, 0.66), (0.69, 0.95)),
    ("van", 2): ((0.05, 0.28),),
    ("van", 4): ((0.05, 0.28), (0.33, 0.60), (0.65, 0.94)),
    ("pickup", 2): ((0.08, 0.86),),
    ("pickup", 4): ((0.06, 0.58), (0.63, 0.88)),
}


SQUARE_TAIL = {"wagon": 0.5, "offroad": 0.3, "minivan": 0.4, "van": 0.2, "pickup": 0.1, "hatchback": 0.6}


SEAT_ROWS = {"pickup": 1, "minivan": 3, "van": 1, "coupe": 1}


STYLES = {
    "sedan": 0.44,
    "coupe": 0.11,
    "hatchback": 0.09,
    "wagon": 0.07,
    "offroad": 0.08,
    "minivan": 0.06,
    "van": 0.04,
    "pickup": 0.11,
}
FOUR_DOORS = {
    "sedan": 0.85,
    "coupe": 0.0,
    "hatchback": 0.5,
    "wagon": 1.0,
    "offroad": 0.6,
    "minivan": 1.0,
    "van": 0.5,
    "pickup": 0.4,
}
RANGES = {
    # one range a style, in the order of STYLES
    "length": [(4.2, 4.9), (4.1, 4.8), (3.7, 4.3), (4.3, 4.85), (4.0, 4.8), (4.3, 4.9), (4.6, 5.3), (4.5, 5.2)],
    "width": [
        (1.66, 1.8),
        (1.66, 1.82),
        (1.6, 1.7),
        (1.66, 1.78),
        (1.68, 1.88),
        (1.72, 1.9),
        (1.85, 2.0),
        (1.65, 1.85),
    ],
    "height": [(1.35, 1.45), (1.25, 1.34), (1.34, 1.43), (1.4, 1.5), (1.65, 1.8), (1.6, 1.78), (1.9, 2.1), (1.52, 1.7)],
    "belt": [
        (0.86, 0.94),
        (0.83, 0.9),
        (0.86, 0.93),
        (0.87, 0.94),
        (1.02, 1.12),
        (0.95, 1.05),
        (1.1, 1.2),
        (0.95, 1.08),
    ],
    "cowl": [
        (0.25, 0.29),
        (0.28, 0.33),
        (0.25, 0.28),
        (0.25, 0.28),
        (0.25, 0.29),
        (0.18, 0.22),
        (0.15, 0.2),
        (0.26, 0.29),
    ],
    "windscreen_run": [
        (0.55, 0.8),
        (0.65, 0.9),
        (0.55, 0.8),
        (0.55, 0.75),
        (0.4, 0.6),
        (0.75, 1.05),
        (0.5, 0.75),
        (0.45, 0.65),
    ],
    "cabin_end": [
        (0.8, 0.87),
        (0.82, 0.92),
        (0.94, 0.975),
        (0.965, 0.982),
        (0.975, 0.985),
        (0.975, 0.985),
        (0.98, 0.987),
        (0.54, 0.6),
    ],
    "backlight_run": [
        (0.4, 0.75),
        (0.7, 1.0),
        (0.35, 0.8),
        (0.15, 0.4),
        (0.08, 0.3),
        (0.15, 0.35),
        (0.05, 0.15),
        (0.08, 0.2),
    ],
}


def car(
    *,
    style: str,
    doors: int,
    length: float,
    width: float,
    height: float,
    wheelbase: float,
    front_overhang: float,
    wheel_radius: float,
    clearance: float,
    belt: float,
    nose_height: float,
    tail_height: float,
    cowl: float,
    windscreen_run: float,
    cabin_end: float,
    backlight_run: float,
    tumblehome: float,
    roundness: float,
    rim: str,
    spokes: int,
    rim_role: str,
    bumper_role: str,
    bumper_height: float,
    strip: bool,
    seal_role: str,
    glass_role: str,
    bed_cap: bool,
    roof_rack: bool,
) -> Model:
    """A car.

    style: sedan, coupe, hatchback, wagon, offroad, minivan, van or pickup; doors: 2 or 4, as `WINDOWS` has them.
    length 3.6-5.4, width 1.6-2.0, height 1.25-2.1, wheelbase 2.3-3.3, front_overhang 0.7-1.0 (nose to front axle),
    wheel_radius 0.28-0.38, clearance 0.16-0.35 (under the sills), belt 0.8-1.2 (height of the windows' foot),
    nose_height 0.6-1.1, tail_height 0.8-1.2, all meters. cowl 0.15-0.33 and cabin_end 0.5-0.99: where the windscreen
    and the rear window stand, as shares of the length; windscreen_run 0.3-1.0 and backlight_run 0.05-0.9: how far
    they lean, meters. tumblehome 0.05-0.22: how far the windows lean in, meters. roundness 0-1. rim: spokes, disc or
    steel with `spokes` (5-16) spokes or holes. bumper_height 0.1-0.26 meters. strip: rubbing strip along the doors.
    bed_cap: a hard shell over a pickup's bed. roof_rack: rails on the roof.
    """
    given = dict(locals())
    front, rear = -length / 2 + front_overhang, -length / 2 + front_overhang + wheelbase
    base = (-length / 2 + cowl * length, -length / 2 + cabin_end * length)
    heights, axles = (belt, nose_height, tail_height), (front, rear)
    shell = _shell(style, length, width, clearance, heights, base, axles, wheel_radius, roundness)
    cabin = Cabin(
        shell,
        base,
        (base[0] + windscreen_run, base[1] - backlight_run),
        height,
        tumblehome,
        WINDOWS[style, doors],
        glazed_rear=style != "van" or doors == 4,
    )
    paint, inside = shell.build()
    parts = [part("body", paint, "car_paint", 40), part("interior", inside, "dark_plastic:interior")]
    parts += _cabin_parts(cabin, "", seal_role, glass_role)
    if bed_cap:
        cap = Cabin(
            shell,
            (base[1] + 0.07, length / 2 - 0.09),
            (base[1] + 0.07, length / 2 - 0.16),
            height - 0.03,
            0.1,
            ((0.08, 0.48), (0.52, 0.92)),
            glazed_front=False,
            sill=0.3,
            header=0.85,
        )
        parts += _cabin_parts(cap, "cap_", seal_role, glass_role)
    parts += [
        part("seats", seats(cabin, SEAT_ROWS.get(style, 2)), "fabric"),
        part("dashboard", dashboard(cabin), "dark_plastic:interior"),
    ]
    parts += [part("chassis", chassis(shell, cabin, width), "dark_plastic:chassis")]
    parts += wheels(shell, width, wheel_radius, rim, spokes, rim_role)
    parts += front_end(shell, bumper_role, bumper_height)
    parts += rear_end(shell, bumper_role, bumper_height, style)
    lines, handles = door_pieces(shell, cabin, doors, style)
    parts += [part("door_lines", lines, "rubber"), part("handles", handles, "dark_plastic:trim")]
    parts.append(part("mirrors", mirrors(cabin), "dark_plastic:trim"))
    if strip:
        parts.append(part("rubbing_strips", strips(shell, (front, rear)), "dark_plastic:trim"))
    if roof_rack:
        parts.append(part("roof_rack", rack(cabin), "dark_plastic:trim"))
    return Model(tuple(parts), _keypoints(shell, cabin, wheel_radius), given)


def _shell(
    style: str,
    length: float,
    width: float,
    clearance: float,
    heights: tuple[float, float, float],
    base: tuple[float, float],
    axles: tuple[float, float],
    wheel_radius: float,
    roundness: float,
) -> Shell:
    """The lower body; heights: of the belt, the nose and the tail."""
    belt, nose, tail = heights
    end = length / 2
    top = [(-end, nose), (-end + 0.45 * (base[0] + end), nose + 0.55 * (belt - nose)), (base[0], belt)]
    top += [((base[0] + base[1]) / 2, belt + 0.25 * (tail - belt))]
    top += [(base[1], belt + 0.75 * (tail - belt)), (end, tail)] if base[1] < end - 0.25 else [(end, tail)]
    arch = wheel_radius + 0.045
    cavities = [(base[0] + 0.16, base[1] - 0.1, clearance + 0.15)]
    if style == "pickup":
        cavities.append((base[1] + 0.06, end - 0.06, wheel_radius + arch + 0.04))
    return Shell(
        length, width, clearance, top, axles, wheel_radius, arch, roundness, SQUARE_TAIL.get(style, 1.0), cavities
    )


def _cabin_parts(cabin: Cabin, prefix: str, seal_role: str, glass_role: str) -> list[Part]:
    skin, glass, seals = cabin.build()
    names = {"front": "windscreen", "side": "side_windows", "rear": "rear_window"}
    panes = [part(prefix + names[key], pane, glass_role) for key, pane in glass.items()]
    return [part(prefix + "roof", skin, "car_paint", 40), *panes, part(prefix + "window_seals", seals, seal_role)]


def _keypoints(shell: Shell, cabin: Cabin, radius: float) -> dict[str, Array]:
    end = shell.length / 2
    points = {
        "nose": np.array([0.0, -end, shell.sill + 0.24]),
        "tail": np.array([0.0, end, shell.sill + 0.26]),
        "roof_front": np.array([0.0, cabin.roof[0], cabin.point(0.0, 1.0)[2]]),
        "roof_rear": np.array([0.0, cabin.roof[1], cabin.point(1.0, 1.0)[2]]),
    }
    for side, sign in (("left", 1), ("right", -1)):
        mirror = (1, 1, 1) if sign > 0 else (-1, 1, 1)
        for name, axle in zip(("front", "rear"), shell.axles, strict=True):
            points[f"{name}_{side}_hub"] = (
                shell.side(axle, shell.axle_height * 1.6) * (1, 1, 0) + (-0.015, 0, radius)
            ) * mirror
        points[f"{side}_windscreen_foot"] = cabin.point(0.0, 0.0) * mirror
        points[f"{side}_rear_window_foot"] = cabin.point(1.0, 0.0) * mirror
    return points


def car_rand(rng: np.random.Generator) -> Model:
    """A random car, in about the mix that stood at the kerb around 2000."""
    index = int(rng.choice(len(STYLES), p=np.array(list(STYLES.values())) / sum(STYLES.values())))
    style = list(STYLES)[index]
    drawn = {name: float(rng.uniform(*ranges[index])) for name, ranges in RANGES.items()}
    length, belt = drawn["length"], drawn["belt"]
    four = bool(rng.random() < FOUR_DOORS[style])
    tall = style in ("offroad", "pickup", "van")
    roundness = float(rng.choice([rng.uniform(0.0, 0.3), rng.uniform(0.3, 0.8)]))
    bumper = rng.choice(["car_paint", "dark_plastic:bumper", "chrome"], p=[0.5, 0.35, 0.15])
    if style == "pickup" and four:
        drawn["cabin_end"] += 0.05
    radius = rng.uniform(0.335, 0.37) if tall else rng.uniform(0.29, 0.32)
    return car(
        **drawn,
        style=style,
        doors=4 if four else 2,
        wheelbase=length * rng.uniform(0.565, 0.61),
        front_overhang=length * rng.uniform(0.175, 0.2),
        wheel_radius=radius,
        clearance=radius * rng.uniform(0.6, 0.7) + (rng.uniform(0.02, 0.14) if tall else 0.0),
        nose_height=belt - (rng.uniform(0.08, 0.16) if tall else rng.uniform(0.14, 0.24)),
        tail_height=belt + (rng.uniform(-0.02, 0.03) if tall else rng.uniform(-0.05, 0.06)),
        tumblehome=rng.uniform(0.08, 0.13) if tall else rng.uniform(0.11, 0.18),
        roundness=roundness,
        rim=str(rng.choice(["spokes", "disc", "steel"], p=[0.45, 0.35, 0.2])),
        spokes=int(rng.choice([5, 5, 6, 7, 8, 10, 12])),
        rim_role=str(rng.choice(["aluminium:rim", "steel:rim", "painted:rim"])),
        bumper_role=str(bumper),
        bumper_height=rng.uniform(0.19, 0.26) if bumper == "car_paint" else rng.uniform(0.11, 0.18),
        strip=bool(rng.random() < 0.6),
        seal_role=str(rng.choice(["rubber", "rubber", "chrome:trim"])),
        glass_role=str(rng.choice(["glass", "tinted_glass"])),
        bed_cap=style == "pickup" and bool(rng.random() < 0.35),
        roof_rack=style in ("wagon", "offroad", "minivan") and bool(rng.random() < 0.6),
    )

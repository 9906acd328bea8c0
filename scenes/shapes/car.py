"""Passenger cars of the 1980s and 90s: sedans, coupes, hatchbacks, wagons, off-roaders, minivans, vans and pickups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenes.mesh import Model, Part
from scenes.shapes._car_body import Cabin, Shell, seats
from scenes.shapes.kit import (
    Array,
    Geometry,
    around,
    bar,
    both_sides,
    box,
    cylinder,
    ellipsoid,
    lathe,
    merge,
    part,
    rounded_rectangle,
    sweep,
    torus,
    tube,
)

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
REAR_DOOR = {"sedan", "hatchback", "wagon", "offroad"}
SQUARE_TAIL = {"wagon": 0.5, "offroad": 0.3, "minivan": 0.4, "van": 0.2, "pickup": 0.1, "hatchback": 0.6}
SEAT_ROWS = {"pickup": 1, "minivan": 3, "van": 1, "coupe": 1}


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
    nose_height 0.6-1.1, tail_height 0.8-1.2, all metres. cowl 0.15-0.33 and cabin_end 0.5-0.99: where the windscreen
    and the rear window stand, as shares of the length; windscreen_run 0.3-1.0 and backlight_run 0.05-0.9: how far
    they lean, metres. tumblehome 0.05-0.22: how far the windows lean in, metres. roundness 0-1. rim: spokes, disc or
    steel with `spokes` (5-16) spokes or holes. bumper_height 0.1-0.26 metres. strip: rubbing strip along the doors.
    bed_cap: a hard shell over a pickup's bed. roof_rack: rails on the roof.
    """
    given = dict(locals())
    front, rear = -length / 2 + front_overhang, -length / 2 + front_overhang + wheelbase
    base = (-length / 2 + cowl * length, -length / 2 + cabin_end * length)
    shell = _shell(
        style, length, width, clearance, belt, nose_height, tail_height, base, (front, rear), wheel_radius, roundness
    )
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
        part("dashboard", _dashboard(cabin), "dark_plastic:interior"),
    ]
    parts += [part("chassis", _chassis(shell, cabin, width), "dark_plastic:chassis")]
    parts += _wheels(shell, width, wheel_radius, rim, spokes, rim_role)
    parts += _front_end(shell, bumper_role, bumper_height)
    parts += _rear_end(shell, bumper_role, bumper_height, style)
    lines, handles = _doors(shell, cabin, doors, style)
    parts += [part("door_lines", lines, "rubber"), part("handles", handles, "dark_plastic:trim")]
    parts.append(part("mirrors", _mirrors(cabin), "dark_plastic:trim"))
    if strip:
        parts.append(part("rubbing_strips", _strip(shell, (front, rear)), "dark_plastic:trim"))
    if roof_rack:
        parts.append(part("roof_rack", _rack(cabin), "dark_plastic:trim"))
    return Model(tuple(parts), _keypoints(shell, cabin, wheel_radius), given)


def _shell(style, length, width, clearance, belt, nose, tail, base, axles, wheel_radius, roundness) -> Shell:
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


def _dashboard(cabin: Cabin) -> Geometry:
    """The dashboard behind the windscreen and the steering wheel on the left."""
    x, y, z = cabin.point(0.0, 0.0)
    top = box(1.9 * x, 0.45, 0.3, 0.06).moved(y=y + 0.33, z=z - 0.16)
    wheel = torus(0.18, 0.015, 24, 8).rotated("x", 65).moved(0.5 * x, y + 0.72, z + 0.02)
    return merge([top, wheel, bar((0.5 * x, y + 0.45, z - 0.1), (0.5 * x, y + 0.72, z + 0.02), 0.03)])


def _chassis(shell: Shell, cabin: Cabin, width: float) -> Geometry:
    """The dark underside, with the wheel arches' insides."""
    inner = width / 2 - 0.36
    low, high = shell.sill - 0.03, shell.sill + 0.14
    end = shell.length / 2 - 0.08
    front, rear = shell.axles
    spans = [(-end, front - shell.arch), (front + shell.arch, rear - shell.arch), (rear + shell.arch, end)]
    pieces = [_block(0.9 * shell.width / 2 - (0.1 if k != 1 else 0), a, b, low, high) for k, (a, b) in enumerate(spans)]
    pieces += [
        _block(inner + 0.01, a - shell.arch - 0.03, a + shell.arch + 0.03, low, shell.axle_height + shell.arch + 0.01)
        for a in shell.axles
    ]
    pieces += [both_sides(shell.well(axle, inner)) for axle in shell.axles]
    return merge(pieces)


def _block(half: float, front: float, rear: float, low: float, high: float) -> Geometry:
    return box(2 * half, rear - front, high - low).moved(y=(front + rear) / 2, z=(low + high) / 2)


def _wheels(shell: Shell, width: float, radius: float, rim: str, spokes: int, rim_role: str) -> list[Part]:
    """Tyre, rim and what is dark behind the rim, four times; left wheels face +x."""
    tyre, metal, dark = _wheel(radius, rim, spokes)
    parts = []
    for end, axle in zip(("front", "rear"), shell.axles, strict=True):
        flank = float(shell.side(axle, shell.axle_height * 1.6)[0])
        for side, sign in (("left", 1), ("right", -1)):
            for name, piece, role in (
                ("tyre", tyre, "tyre"),
                ("rim", metal, rim_role),
                ("hub", dark, "dark_plastic:chassis"),
            ):
                placed = piece.moved(flank - 0.015, axle, radius)
                parts.append(part(f"{name}_{end}_{side}", placed if sign > 0 else placed.mirrored(), role))
    return parts


def _wheel(radius: float, rim: str, spokes: int) -> tuple[Geometry, Geometry, Geometry]:
    """A wheel about the x axis, its outer face at x = 0."""
    r, wide = 0.655 * radius, 0.19
    tyre = [(r, -wide + 0.02), (r + 0.02, -wide), (0.93 * radius, -wide + 0.005), (radius, -wide + 0.035)]
    tyre += [(radius, -0.035), (0.93 * radius, -0.005), (r + 0.02, 0.0), (r, -0.012), (r, -wide + 0.02)]
    lip = [
        (r - 0.02, -0.1),
        (r - 0.014, -0.012),
        (r - 0.002, 0.002),
        (r + 0.012, 0.0),
        (r + 0.012, -0.03),
        (r - 0.005, -0.1),
    ]
    metal = [lathe(lip[::-1], 40)]
    back = cylinder(r - 0.004, 0.02, 40).moved(z=-0.1)
    dark = [back]
    if rim == "spokes":
        blade = sweep(
            [[0.04, 0, -0.022], [0.6 * r, 0, -0.02], [r - 0.01, 0, -0.03]],
            rounded_rectangle(0.26 * r * 6 / (spokes + 1), 0.03, 0.008, 3),
            [0.8, 0.85, 1.15],
            up=(0, 0, 1),
        )
        metal += [
            around(blade, spokes),
            cylinder(0.075, 0.07, 24, 0.008).moved(z=-0.08),
            cylinder(0.03, 0.01, 16, 0.003).moved(z=-0.012),
        ]
    else:
        dish = 0.0 if rim == "disc" else -0.035
        face = [
            (r - 0.008, -0.06),
            (r - 0.008, -0.014 + dish / 2),
            (0.8 * r, -0.02 + dish),
            (0.55 * r, -0.008 + dish),
            (0.35 * r, -0.012),
            (0.22 * r, 0.004),
            (0, 0.008),
        ]
        metal.append(lathe(face, 40))
        slot = box(0.2 * r, 1.9 * r / spokes, 0.02, 0.006, 3).moved(0.74 * r, 0, -0.022 + dish)
        dark.append(around(slot, spokes))
    turned = [merge(pieces).rotated("y", 90) for pieces in ([lathe(tyre, 56)], metal, dark)]
    return turned[0], turned[1], turned[2]


def _band(shell: Shell, shares: tuple[float, float], z: float, thick: float, tall: float, end: int) -> Geometry:
    """A horizontal bar on the nose or tail between two shares (see `Shell.nose`), around to the other side or mirrored."""
    a = np.linspace(shares[0], shares[1], 14)
    path = shell.nose(a, z, end)
    if shares[0] == 0.0:
        path = np.concatenate([path[:0:-1] * (-1, 1, 1), path])
    bar_ = sweep(path, rounded_rectangle(thick, tall, 0.3 * min(thick, tall), 2), up=(0, 0, 1))
    return bar_ if shares[0] == 0.0 else both_sides(bar_)


def _front_end(shell: Shell, bumper_role: str, bumper_height: float) -> list[Part]:
    """Bumper, grille, lamps and number plate at the nose."""
    top = float(shell.shoulder(-shell.length / 2)) - 0.04
    middle = shell.sill + 0.24
    low = middle + bumper_height / 2 + 0.015
    z, tall = (low + top) / 2, max(0.07, top - low)
    reach = 1.0 + shell.axles[0] + shell.length / 2 - shell.arch - 0.08
    lamps = _band(shell, (0.6, 1.14), z, 0.05, tall, -1)
    corner = _band(shell, (1.17, 1.34), z, 0.04, 0.8 * tall, -1)
    slats = [_band(shell, (0.0, 0.57), z + k * tall / 4, 0.035, tall / 7, -1) for k in (-1.2, 0, 1.2)]
    return [
        part("bumper_front", _band(shell, (0.0, reach), middle, 0.12, bumper_height, -1), bumper_role),
        part(
            "bumper_front_insert",
            _band(shell, (0.0, reach - 0.05), middle + 0.2 * bumper_height, 0.14, 0.035, -1),
            "rubber",
        ),
        part("grille", [_band(shell, (0.0, 0.58), z, 0.02, tall, -1), *slats], "dark_plastic:trim"),
        part("headlights", lamps, "headlight"),
        part("indicators_front", corner, "taillight:amber"),
        part("plate_front", _plate(shell, middle, -1), "painted:plate"),
    ]


def _rear_end(shell: Shell, bumper_role: str, bumper_height: float, style: str) -> list[Part]:
    """Bumper, lamps and number plate at the tail."""
    top = float(shell.shoulder(shell.length / 2)) - 0.06
    middle = shell.sill + 0.26
    low = middle + bumper_height / 2 + 0.03
    reach = 1.0 + shell.length / 2 - shell.axles[1] - shell.arch - 0.08
    upright = style in ("wagon", "offroad", "minivan", "van", "pickup")
    shares, tall = ((0.86, 1.08), 0.85 * (top - low)) if upright else ((0.5, 1.18), min(0.17, 0.6 * (top - low)))
    z = top - tall / 2 - 0.01
    return [
        part("bumper_rear", _band(shell, (0.0, reach), middle, 0.12, bumper_height, 1), bumper_role),
        part(
            "bumper_rear_insert",
            _band(shell, (0.0, reach - 0.05), middle + 0.2 * bumper_height, 0.14, 0.035, 1),
            "rubber",
        ),
        part("taillights", _band(shell, shares, z, 0.05, tall, 1), "taillight"),
        part("plate_rear", _plate(shell, min(z, middle + bumper_height / 2 + 0.1), 1), "painted:plate"),
        part(
            "exhaust",
            bar((0.45, shell.length / 2 - 0.6, shell.sill), (0.45, shell.length / 2 + 0.01, shell.sill), 0.025),
            "steel",
        ),
    ]


def _plate(shell: Shell, z: float, end: int) -> Geometry:
    proud = 0.075 if end < 0 else 0.004
    return box(0.31, 0.015, 0.15, 0.004).moved(y=end * (shell.length / 2 + proud), z=z)


def _doors(shell: Shell, cabin: Cabin, doors: int, style: str) -> tuple[Geometry, Geometry]:
    """The gaps around the doors and their handles."""
    low = shell.sill + 0.07
    windows = cabin.windows
    first = max(cabin.base[0] + 0.12, shell.axles[0] + shell.arch + 0.06)
    pillar = (windows[0][1] + windows[1][0]) / 2 if len(windows) > 1 else windows[0][1] + 0.04
    cuts = [first, float(cabin.point(pillar, 0.0)[1])]
    if doors == 4 and style in REAR_DOOR:
        share = (windows[1][1] + windows[2][0]) / 2 if len(windows) > 2 else windows[1][1] + 0.02
        cuts.append(float(cabin.point(share, 0.0)[1]))
    lines = [_gap(shell, y, low) for y in cuts]
    lines.append(_groove(shell, np.linspace(cuts[0], min(cuts[-1], shell.axles[1] - shell.arch - 0.04), 12), low))
    handles = [
        box(0.035, 0.17, 0.035, 0.01, 3).moved(*shell.side(y - 0.16, shell.shoulder(y) - 0.15)) for y in cuts[1:]
    ]
    return both_sides(merge(lines)), both_sides(merge(handles))


def _gap(shell: Shell, y: float, low: float) -> Geometry:
    """A gap from the shoulder down to the sill that steps forward around the rear wheel arch where it must."""
    z = np.linspace(float(shell.shoulder(y)) - 0.02, low, 16)
    clear = shell.arch + 0.04
    reach = np.sqrt(np.maximum(clear**2 - np.maximum(z - shell.axle_height, 0) ** 2, 0))
    return _groove(shell, np.minimum(y, np.where(z < shell.axle_height + clear, shell.axles[1] - reach, y)), z)


def _groove(shell: Shell, y: Array, z: Array | float) -> Geometry:
    return tube(shell.side(y, z, -0.001), 0.006, 6)


def _strip(shell: Shell, axles: tuple[float, float]) -> Geometry:
    """A rubbing strip between the wheels and a short one behind them."""
    z = shell.sill + 0.36
    gap = shell.arch + 0.03
    spans = [(axles[0] + gap, axles[1] - gap), (axles[1] + gap, shell.length / 2 - 0.35)]
    paths = [shell.side(np.linspace(a, b, 24), z) for a, b in spans if b > a + 0.1]
    return both_sides(merge(sweep(p, rounded_rectangle(0.03, 0.055, 0.01, 3), up=(0, 0, 1)) for p in paths))


def _mirrors(cabin: Cabin) -> Geometry:
    """Wing mirrors on stalks at the windows' front corners."""
    foot = cabin.point(0.07, 0.16)
    head = ellipsoid(0.2, 0.1, 0.13, 20, 12).moved(*(foot + (0.13, -0.02, 0.03)))
    return both_sides(merge([head, bar(foot, foot + (0.1, -0.01, 0.0), 0.03)]))


def _rack(cabin: Cabin) -> Geometry:
    """Two rails along the roof on short feet, with two cross bars."""
    s = np.linspace(0.12, 0.88, 12)
    roof = cabin.point(s, 1.0) + (-0.09, 0, 0.0)
    rail = tube(roof + (0, 0, 0.075), 0.014, 8)
    feet = [bar(roof[k] - (0, 0, 0.02), roof[k] + (0, 0, 0.075), 0.013, 8) for k in (0, 4, 7, 11)]
    bars = [bar(roof[k] * (-1, 1, 1) + (0, 0, 0.085), roof[k] + (0, 0, 0.085), 0.012, 8) for k in (3, 9)]
    return merge([both_sides(merge([rail, *feet])), *bars])


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


@dataclass(frozen=True)
class _Range:
    """Ranges of one style: lengths in metres, cowl and cabin_end as shares of the length."""

    share: float
    length: tuple[float, float]
    width: tuple[float, float]
    height: tuple[float, float]
    belt: tuple[float, float]
    cowl: tuple[float, float]
    windscreen: tuple[float, float]
    cabin_end: tuple[float, float]
    backlight: tuple[float, float]
    four_doors: float


RANGES = {
    "sedan": _Range(
        0.44,
        (4.2, 4.9),
        (1.66, 1.8),
        (1.35, 1.45),
        (0.86, 0.94),
        (0.25, 0.29),
        (0.55, 0.8),
        (0.80, 0.87),
        (0.4, 0.75),
        0.85,
    ),
    "coupe": _Range(
        0.11,
        (4.1, 4.8),
        (1.66, 1.82),
        (1.25, 1.34),
        (0.83, 0.9),
        (0.28, 0.33),
        (0.65, 0.9),
        (0.82, 0.92),
        (0.7, 1.0),
        0.0,
    ),
    "hatchback": _Range(
        0.09,
        (3.7, 4.3),
        (1.6, 1.7),
        (1.34, 1.43),
        (0.86, 0.93),
        (0.25, 0.28),
        (0.55, 0.8),
        (0.94, 0.975),
        (0.35, 0.8),
        0.5,
    ),
    "wagon": _Range(
        0.07,
        (4.3, 4.85),
        (1.66, 1.78),
        (1.4, 1.5),
        (0.87, 0.94),
        (0.25, 0.28),
        (0.55, 0.75),
        (0.965, 0.982),
        (0.15, 0.4),
        1.0,
    ),
    "offroad": _Range(
        0.08,
        (4.0, 4.8),
        (1.68, 1.88),
        (1.65, 1.8),
        (1.02, 1.12),
        (0.25, 0.29),
        (0.4, 0.6),
        (0.975, 0.985),
        (0.08, 0.3),
        0.6,
    ),
    "minivan": _Range(
        0.06,
        (4.3, 4.9),
        (1.72, 1.9),
        (1.6, 1.78),
        (0.95, 1.05),
        (0.18, 0.22),
        (0.75, 1.05),
        (0.975, 0.985),
        (0.15, 0.35),
        1.0,
    ),
    "van": _Range(
        0.04,
        (4.6, 5.3),
        (1.85, 2.0),
        (1.9, 2.1),
        (1.1, 1.2),
        (0.15, 0.2),
        (0.5, 0.75),
        (0.98, 0.987),
        (0.05, 0.15),
        0.5,
    ),
    "pickup": _Range(
        0.11,
        (4.5, 5.2),
        (1.65, 1.85),
        (1.52, 1.7),
        (0.95, 1.08),
        (0.26, 0.29),
        (0.45, 0.65),
        (0.54, 0.60),
        (0.08, 0.2),
        0.4,
    ),
}


def car_rand(rng: np.random.Generator) -> Model:
    """A random car, in about the mix that stood at the kerb around 2000."""
    names = list(RANGES)
    weights = np.array([RANGES[name].share for name in names])
    style = names[rng.choice(len(names), p=weights / weights.sum())]
    r = RANGES[style]
    length, height, belt = rng.uniform(*r.length), rng.uniform(*r.height), rng.uniform(*r.belt)
    four = rng.random() < r.four_doors
    tall = style in ("offroad", "pickup", "van")
    roundness = float(rng.choice([rng.uniform(0.0, 0.3), rng.uniform(0.3, 0.8)]))
    bumper = rng.choice(["car_paint", "dark_plastic:bumper", "chrome"], p=[0.5, 0.35, 0.15])
    cowl, cabin_end = rng.uniform(*r.cowl), rng.uniform(*r.cabin_end)
    if style == "pickup" and four:
        cabin_end += 0.05
    radius = rng.uniform(0.335, 0.37) if tall else rng.uniform(0.29, 0.32)
    return car(
        style=style,
        doors=4 if four else 2,
        length=length,
        width=rng.uniform(*r.width),
        height=height,
        wheelbase=length * rng.uniform(0.565, 0.61),
        front_overhang=length * rng.uniform(0.175, 0.2),
        wheel_radius=radius,
        clearance=radius * rng.uniform(0.6, 0.7) + (rng.uniform(0.02, 0.14) if tall else 0.0),
        belt=belt,
        nose_height=belt - (rng.uniform(0.08, 0.16) if tall else rng.uniform(0.14, 0.24)),
        tail_height=belt + (rng.uniform(-0.02, 0.03) if tall else rng.uniform(-0.05, 0.06)),
        cowl=cowl,
        windscreen_run=rng.uniform(*r.windscreen),
        cabin_end=cabin_end,
        backlight_run=rng.uniform(*r.backlight),
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

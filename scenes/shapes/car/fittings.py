"""What is fitted to a car: wheels, bumpers, lamps, doors, mirrors."""

from __future__ import annotations

import numpy as np

from scenes.mesh import Part
from scenes.shapes.car.body import Cabin, Shell
from scenes.shapes.primitives import (
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

REAR_DOOR = {"sedan", "hatchback", "wagon", "offroad"}


def dashboard(cabin: Cabin) -> Geometry:
    """The dashboard behind the windscreen and the steering wheel on the left."""
    x, y, z = cabin.point(0.0, 0.0)
    top = box(1.97 * x, 0.45, 0.3, 0.06).moved(y=y + 0.33, z=z - 0.16)
    wheel = torus(0.18, 0.015, 24, 8).rotated("x", 65).moved(0.5 * x, y + 0.72, z + 0.02)
    return merge([top, wheel, bar((0.5 * x, y + 0.45, z - 0.1), (0.5 * x, y + 0.72, z + 0.02), 0.03)])


def chassis(shell: Shell, cabin: Cabin, width: float) -> Geometry:
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


def wheels(shell: Shell, width: float, radius: float, rim: str, spokes: int, rim_role: str) -> list[Part]:
    """Tire, rim and what is dark behind the rim, four times; left wheels face +x."""
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
    """A horizontal bar on the nose or tail between two shares (see `Shell.nose`), around the middle or mirrored."""
    a = np.linspace(shares[0], shares[1], 14)
    path = shell.nose(a, z, end)
    if shares[0] == 0.0:
        path = np.concatenate([path[:0:-1] * (-1, 1, 1), path])
    bar_ = sweep(path, rounded_rectangle(thick, tall, 0.3 * min(thick, tall), 2), up=(0, 0, 1))
    return bar_ if shares[0] == 0.0 else both_sides(bar_)


def front_end(shell: Shell, bumper_role: str, bumper_height: float) -> list[Part]:
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


def rear_end(shell: Shell, bumper_role: str, bumper_height: float, style: str) -> list[Part]:
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


def door_pieces(shell: Shell, cabin: Cabin, doors: int, style: str) -> tuple[Geometry, Geometry]:
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


def strips(shell: Shell, axles: tuple[float, float]) -> Geometry:
    """A rubbing strip between the wheels and a short one behind them."""
    z = shell.sill + 0.36
    gap = shell.arch + 0.03
    spans = [(axles[0] + gap, axles[1] - gap), (axles[1] + gap, shell.length / 2 - 0.35)]
    paths = [shell.side(np.linspace(a, b, 24), z) for a, b in spans if b > a + 0.1]
    return both_sides(merge(sweep(p, rounded_rectangle(0.03, 0.055, 0.01, 3), up=(0, 0, 1)) for p in paths))


def mirrors(cabin: Cabin) -> Geometry:
    """Wing mirrors on stalks at the windows' front corners."""
    foot = cabin.point(0.07, 0.16)
    head = ellipsoid(0.2, 0.1, 0.13, 20, 12).moved(*(foot + np.array((0.13, -0.02, 0.03))))
    return both_sides(merge([head, bar(foot, foot + np.array((0.1, -0.01, 0.0)), 0.03)]))


def rack(cabin: Cabin) -> Geometry:
    """Two rails along the roof on short feet, with two cross bars."""
    s = np.linspace(0.12, 0.88, 12)
    roof = cabin.point(s, 1.0) + np.array((-0.09, 0, 0.0))
    rail = tube(roof + np.array((0, 0, 0.075)), 0.014, 8)
    feet = [bar(roof[k] - (0, 0, 0.02), roof[k] + (0, 0, 0.075), 0.013, 8) for k in (0, 4, 7, 11)]
    bars = [bar(roof[k] * (-1, 1, 1) + (0, 0, 0.085), roof[k] + (0, 0, 0.085), 0.012, 8) for k in (3, 9)]
    return merge([both_sides(merge([rail, *feet])), *bars])

"""Components of motorcycles: wheels, pods (tanks, seats, cowls), mudguards, engines, pipes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator

from scenes.shapes.primitives import (
    Geometry,
    around,
    bar,
    box,
    cylinder,
    ellipsoid,
    lathe,
    loft,
    merge,
    prism,
    rounded_rectangle,
    spline,
    torus,
    tube,
)


def pod(keys: ArrayLike, power: float = 2.6, count: int = 26, sides: int = 28) -> Geometry:
    """A smooth body along y through keys (y, half width, low z, high z), with superelliptic sections."""
    k = np.asarray(keys, dtype=float)
    t = (1 - np.cos(np.linspace(0, np.pi, count))) / 2
    rows = PchipInterpolator(np.linspace(0, 1, len(k)), k)(t)
    a = np.arange(sides) / sides * 2 * np.pi
    c, s = np.cos(a), np.sin(a)
    x = np.sign(s) * np.abs(s) ** (2 / power)
    z = np.sign(c) * np.abs(c) ** (2 / power)
    y, half, low, high = (column[:, None] for column in rows.T)
    return loft(np.stack([half * x, y + 0 * x, (low + high) / 2 + (high - low) / 2 * z], axis=-1))


def mudguard(axle: ArrayLike, radius: float, half_width: float, depth: float, start: float, end: float) -> Geometry:
    """A thin arched guard about an axle; angles in degrees from straight up, positive to the rear."""
    a = np.radians(np.linspace(start, end, 30))[:, None]
    s = np.linspace(-1, 1, 11)
    outer = np.stack([half_width * s, radius - depth * np.abs(s) ** 3], axis=-1)
    inner = outer * (0.96, 1.0) - (0.0, 0.005)
    ring = np.concatenate([outer, inner[::-1]])
    taper = 1 - 0.35 * np.abs(np.linspace(-1, 1, 30))[:, None] ** 6
    x, r = ring[:, 0] * taper, ring[:, 1]
    return loft(np.stack([x, r * np.sin(a), r * np.cos(a)], axis=-1)).moved(*np.asarray(axle, dtype=float))


def visor(rows: ArrayLike, sweep_back: float) -> Geometry:
    """A curved transparent screen through rows (y, z, half width), bottom to top, its sides swept back."""
    k = np.asarray(rows, dtype=float)
    y, z, half = PchipInterpolator(np.linspace(0, 1, len(k)), k)(np.linspace(0, 1, 12)).T[..., None]
    s = np.linspace(-1, 1, 17)
    front = np.stack([half * s, y + sweep_back * s**2, z + 0 * s], axis=-1)
    return loft(np.concatenate([front, front[:, ::-1] * (0.985, 1, 1) + (0, 0.006, 0)], axis=1))


def wheel(radius: float, width: float, spoked: bool, spokes: int, knobs: bool, discs: int) -> dict[str, Geometry]:
    """tyre, rim, spokes, hub and disc of a wheel about the x axis through the origin."""
    section = 0.5 * width if spoked else 0.42 * width
    r = radius - 2 * section * 0.82
    a = np.radians(np.linspace(-150, 150, 15))
    middle = radius - section * 0.9
    tyre = [lathe(np.column_stack([middle + section * 0.9 * np.cos(a), width / 2 * np.sin(a)]), 56)]
    if knobs:
        knob = box(0.022, 0.03, 0.24 * width, 0.003, 2)
        tyre += [
            around(knob.moved(radius - 0.0115, 0, z * width), 44).rotated("z", turn)
            for z, turn in ((-0.3, 0), (0, 4), (0.3, 0))
        ]
    w = 0.36 * width
    lip = [
        (r - 0.022, -0.5 * w),
        (r - 0.008, -w),
        (r + 0.01, -w),
        (r + 0.004, -0.7 * w),
        (r + 0.004, 0.7 * w),
        (r + 0.01, w),
        (r - 0.008, w),
        (r - 0.022, 0.5 * w),
        (r - 0.022, -0.5 * w),
    ]
    hub = [cylinder(0.045, 0.12, 24, 0.006).moved(z=-0.06), cylinder(0.014, 0.22, 12).moved(z=-0.11)]
    if spoked:
        hub += [cylinder(0.065, 0.01, 24).moved(z=z) for z in (-0.05, 0.04)]
        rays = _wire_spokes(r - 0.02, spokes)
    else:
        rays = around(_blade(r), spokes)
    disc = [_brake_disc(0.42 * radius).moved(z=side * 0.068) for side in (-1, 1)[:discs]]
    pieces = {"tyre": merge(tyre), "rim": lathe(lip, 64), "spokes": rays, "hub": merge(hub)}
    if disc:
        pieces["disc"] = merge(disc)
    return {name: piece.rotated("y", 90) for name, piece in pieces.items()}


def _blade(r: float) -> Geometry:
    """One spoke of a cast wheel, along x."""
    outline = np.array(
        [(0.03, -0.026), (0.5 * r, -0.016), (r - 0.018, -0.026), (r - 0.018, 0.026), (0.5 * r, 0.016), (0.03, 0.026)]
    )
    return prism(outline, 0.034, 0.006)


def _wire_spokes(r: float, count: int) -> Geometry:
    """Crossed wire spokes from both hub flanges."""
    wires = []
    for k, (side, turn) in enumerate(((-1, 55), (1, -55), (-1, -55), (1, 55))):
        start = np.radians(turn)
        foot = (0.058 * np.cos(start), 0.058 * np.sin(start), side * 0.042)
        wires.append(around(bar(foot, (r, 0.0, 0.0), 0.0028, 4), count // 4).rotated("z", 360 * k / count))
    return merge(wires)


def _brake_disc(radius: float) -> Geometry:
    ring = [
        (0.62 * radius, -0.0025),
        (radius, -0.0025),
        (radius, 0.0025),
        (0.62 * radius, 0.0025),
        (0.62 * radius, -0.0025),
    ]
    arm = box(0.62 * radius, 0.02, 0.006).moved(0.36 * radius)
    return merge([lathe(ring, 40), around(arm, 5)])


def finned_cylinder(radius: float, height: float, fins: int) -> Geometry:
    """An air-cooled barrel about z from 0 up with its finned head and rocker cover."""
    pitch = height / fins
    outline = [(0.0, 0.0), (0.72 * radius, 0.0)]
    for k in range(fins):
        wide = radius * (1.08 if k >= 0.65 * fins else 1.0)
        outline += [
            (0.72 * radius, (k + 0.3) * pitch),
            (wide, (k + 0.35) * pitch),
            (wide, (k + 0.75) * pitch),
            (0.72 * radius, (k + 0.8) * pitch),
        ]
    cover = box(1.5 * radius, 1.35 * radius, 0.36 * radius, 0.15 * radius).moved(z=height + 0.14 * radius)
    return merge([lathe([*outline, (0.72 * radius, height), (0.0, height)], 24), cover])


def _crankcase(width: float, length: float, height: float) -> list[Geometry]:
    """A case with round covers on both sides, about the crank."""
    case = box(width, length, height, 0.05)
    pieces = [case.moved(y=0.2 * length)]
    for side in (-1, 1):
        for y, radius, proud in ((0.0, 0.42 * height, 0.045), (0.48 * length, 0.34 * height, 0.025)):
            cover = cylinder(radius, 0.06, 32, 0.014).rotated("y", 90 * side)
            pieces.append(cover.moved(side * (width / 2 - 0.06 + proud), y))
    return pieces


def v_twin(scale: float) -> tuple[Geometry, Geometry]:
    """Two finned barrels in a V on a case; and its bright covers, air cleaner and push rod tubes."""
    case = _crankcase(0.22, 0.44, 0.27)
    barrel = finned_cylinder(0.088, 0.25, 11).moved(z=0.09)
    barrels = [barrel.rotated("x", angle) for angle in (24, -24)]
    cleaner = cylinder(0.085, 0.07, 32, 0.02).rotated("y", -90).moved(-0.10, 0.0, 0.27)
    rods = [bar((-0.115, 0.02 * k, 0.06), (-0.085, 0.1 * k, 0.3), 0.011, 10) for k in (-1.6, -1.0, 1.0, 1.6)]
    primary = pod(
        [
            (-0.13, 0.05, -0.06, 0.06),
            (-0.09, 0.06, -0.1, 0.1),
            (0.1, 0.06, -0.08, 0.08),
            (0.3, 0.06, -0.09, 0.09),
            (0.36, 0.05, -0.05, 0.05),
        ],
        3,
    )
    bright = [cleaner, *rods, primary.moved(x=0.1)]
    return merge([*case, *barrels]).scaled(scale), merge(bright).scaled(scale)


def upright(cylinders: int, tilt: float, scale: float) -> tuple[Geometry, Geometry]:
    """One barrel or a transverse row on a case; and the bright covers."""
    wide = 0.2 if cylinders == 1 else 0.17 + 0.08 * cylinders
    case = _crankcase(min(wide, 0.36), 0.42, 0.26)
    x = (np.arange(cylinders) - (cylinders - 1) / 2) * 0.105
    barrels = [finned_cylinder(0.075 if cylinders == 1 else 0.06, 0.26, 10).moved(v, 0, 0.08) for v in x]
    if cylinders > 1:
        plates = [box(0.105 * cylinders + 0.03, 0.155, 0.009).moved(z=z) for z in np.arange(0.12, 0.32, 0.021)]
        barrels += [*plates, box(0.105 * cylinders + 0.02, 0.16, 0.08, 0.025).moved(z=0.36)]
    block = merge(barrels).rotated("x", tilt)
    cover = cylinder(0.085, 0.03, 32, 0.01).rotated("y", 90)
    half = min(wide, 0.36) / 2 + 0.03
    carb = cylinder(0.03, 0.13, 20, 0.006).rotated("x", -80).moved(y=0.05, z=0.3)
    bright = [cover.moved(half), cover.mirrored().moved(-half), *[carb.moved(v) for v in x]]
    return merge([*case, block]).scaled(scale), merge(bright).scaled(scale)


def pipe(points: ArrayLike, radius: float, muffler: float, share: float) -> Geometry:
    """An exhaust through the points that swells to a muffler of radius `muffler` over its last `share`."""
    path = spline(points, 40)
    t = np.linspace(0, 1, 40)
    swell = np.clip((t - (1 - share)) / 0.06, 0, 1)
    size = radius + (muffler - radius) * swell * swell * (3 - 2 * swell)
    size[-1] *= 0.75
    return tube(path, size, 14)


def coil_shock(low: ArrayLike, high: ArrayLike, radius: float) -> Geometry:
    """A shock absorber: a rod in a coil spring."""
    a, b = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    length = float(np.linalg.norm(b - a))
    t = np.linspace(0.25, 0.92, 100)
    turn = t * 9 / 0.67 * 2 * np.pi
    coil = np.column_stack([radius * np.cos(turn), radius * np.sin(turn), t * length])
    whole = merge([tube(coil, 0.006, 6), cylinder(0.5 * radius, length, 12), cylinder(radius * 0.8, 0.3 * length, 16)])
    direction = (b - a) / length
    axis = np.cross((0, 0, 1), direction)
    angle = float(np.degrees(np.arccos(direction[2])))
    return (whole.rotated(list(axis), angle) if angle > 0.1 else whole).moved(*a)


def lamp(radius: float, depth: float) -> tuple[Geometry, Geometry]:
    """A round lamp facing -y, its lens at y = 0: the shell with a bezel, and the lens."""
    bowl = [
        (0.0, -depth),
        (0.45 * radius, -0.95 * depth),
        (0.9 * radius, -0.5 * depth),
        (radius, -0.1 * depth),
        (radius, 0.0),
        (0.88 * radius, 0.004),
        (0.88 * radius, -0.02),
    ]
    lens = [(0.0, -0.022), (0.9 * radius, -0.018), (0.89 * radius, 0.0), (0.5 * radius, 0.012), (0.0, 0.016)]
    shell = merge([lathe(bowl, 32), torus(0.95 * radius, 0.05 * radius, 32, 8)])
    return shell.rotated("x", 90), lathe(lens, 32).rotated("x", 90)


def saddlebag(length: float, height: float, depth: float) -> Geometry:
    """A case about the origin, rounded, with a lid line."""
    lid = box(depth + 0.012, length + 0.012, 0.3 * height, 0.03).moved(z=0.36 * height)
    return merge([box(depth, length, height, 0.05), lid])


def mirror(foot: ArrayLike, head: ArrayLike) -> Geometry:
    """A round mirror on a bent stalk."""
    a, b = np.asarray(foot, dtype=float), np.asarray(head, dtype=float)
    stalk = tube(spline([a, a * 0.4 + b * 0.6 + (0, 0, 0.03), b], 10), 0.006, 8)
    return merge([stalk, ellipsoid(0.12, 0.035, 0.085, 20, 10).moved(*b)])


def plate(width: float, height: float, tilt: float) -> Geometry:
    return prism(rounded_rectangle(width, height, 0.02, 4), 0.006).rotated("x", 90 + tilt)

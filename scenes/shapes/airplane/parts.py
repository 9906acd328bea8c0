"""Components that airplanes are put together from: bodies, lifting surfaces, engines, propellers, landing gear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator

from scenes.shapes.primitives import (
    Array,
    Geometry,
    around,
    bar,
    both_sides,
    box,
    circle,
    cylinder,
    ellipsoid,
    flat,
    lathe,
    loft,
    merge,
    rounded_rectangle,
    sheet,
)

# Rows of (fraction of the length from the nose, center height, width, height), the last three in diameters.
BODIES: dict[str, list[tuple[float, float, float, float]]] = {
    "airliner": [
        (0, -0.16, 0, 0), (0.012, -0.15, 0.34, 0.32), (0.03, -0.12, 0.57, 0.55), (0.05, -0.075, 0.74, 0.74),
        (0.08, -0.025, 0.9, 0.91), (0.13, 0, 1, 1), (0.64, 0, 1, 1), (0.76, 0.06, 0.93, 0.88),
        (0.88, 0.17, 0.62, 0.58), (0.97, 0.27, 0.3, 0.27), (1, 0.31, 0.1, 0.1),
    ],
    "upper_deck": [
        (0, -0.3, 0, 0), (0.06, -0.14, 0.5, 0.56), (0.16, -0.02, 0.84, 0.86), (0.32, 0, 1, 1), (0.6, 0, 0.98, 1),
        (1, -0.5, 0.7, 0.5),
    ],
    "propliner": [
        (0, -0.15, 0, 0), (0.03, -0.13, 0.38, 0.36), (0.07, -0.1, 0.62, 0.6), (0.11, -0.04, 0.8, 0.8),
        (0.17, 0, 0.97, 0.98), (0.22, 0, 1, 1), (0.62, 0, 1, 1), (0.78, 0.1, 0.82, 0.8), (0.92, 0.22, 0.42, 0.44),
        (1, 0.3, 0.12, 0.14),
    ],
    "radial": [
        (0, 0, 0.8, 0.8), (0.012, 0, 0.93, 0.93), (0.05, 0, 1, 1), (0.16, 0, 1, 1), (0.19, 0, 0.92, 0.97),
        (0.45, 0, 0.86, 1), (0.7, 0.04, 0.56, 0.72), (0.9, 0.09, 0.26, 0.42), (1, 0.11, 0.08, 0.2),
    ],
    "inline": [
        (0, 0, 0.4, 0.42), (0.03, 0, 0.52, 0.56), (0.12, -0.02, 0.66, 0.76), (0.25, -0.01, 0.8, 0.92),
        (0.42, 0, 0.86, 1), (0.6, 0.04, 0.68, 0.82), (0.85, 0.1, 0.34, 0.48), (1, 0.13, 0.08, 0.22),
    ],
    "cabin": [
        (0, -0.16, 0.5, 0.4), (0.02, -0.16, 0.66, 0.5), (0.12, -0.16, 0.76, 0.6), (0.2, -0.14, 0.86, 0.66),
        (0.28, -0.02, 0.92, 0.88), (0.33, 0.06, 0.95, 1), (0.48, 0.06, 0.95, 1), (0.62, -0.01, 0.72, 0.76),
        (0.8, 0, 0.42, 0.46), (1, 0.06, 0.1, 0.2),
    ],
    "fighter": [
        (0, -0.08, 0, 0), (0.05, -0.06, 0.24, 0.24), (0.14, -0.02, 0.46, 0.5), (0.26, 0, 0.62, 0.74),
        (0.4, 0, 0.95, 0.86), (0.65, 0, 1.25, 0.84), (0.85, 0.02, 1.15, 0.74), (0.93, 0.03, 0.95, 0.66),
    ],
    "canopy": [
        (0, 0, 0, 0), (0.1, 0, 0.6, 0.5), (0.3, 0, 0.92, 0.92), (0.5, 0, 1, 1), (0.8, 0, 0.8, 0.75), (1, 0, 0, 0),
    ],
    "nacelle": [(0, 0, 0.45, 0.5), (0.05, 0, 0.7, 0.8), (0.3, 0, 0.95, 1), (0.6, 0.05, 0.8, 0.85), (1, 0.3, 0.05, 0.1)],
}  # fmt: skip


@dataclass(frozen=True)
class Body:
    """A streamlined body along y from its nose at `nose` (x, y, z)."""

    outline: str
    length: float
    width: float
    height: float
    nose: tuple[float, float, float] = (0.0, 0.0, 0.0)
    power: float = 2.0

    def section(self, t: ArrayLike) -> tuple[Array, Array, Array]:
        """Center height and half width and half height at fractions of the length."""
        rows = np.array(BODIES[self.outline])
        # Against the root of the fraction, so that noses come out round.
        curve = PchipInterpolator(np.sqrt(rows[:, 0]), rows[:, 1:])
        center, width, height = np.moveaxis(curve(np.sqrt(np.clip(t, 0, rows[-1, 0]))), -1, 0)
        return center * self.height, width * self.width / 2, height * self.height / 2

    def at(self, t: ArrayLike, angle: ArrayLike, lift: float = 0.0) -> Array:
        """Surface points; the angle runs from the left (0) over the top (90), `lift` is meters off the skin."""
        t, angle = np.broadcast_arrays(np.asarray(t, dtype=float), np.radians(angle))
        center, half_width, half_height = self.section(t)
        c, s = np.cos(angle), np.sin(angle)
        x = (half_width + lift) * np.sign(c) * np.abs(c) ** (2 / self.power)
        z = (half_height + lift) * np.sign(s) * np.abs(s) ** (2 / self.power)
        return np.stack([x, t * self.length, center + z], axis=-1) + self.nose

    def angle(self, t: ArrayLike, z: ArrayLike) -> Array:
        """Where the left side reaches height `z`, in degrees."""
        center, _, half = self.section(t)
        sine = np.clip((np.asarray(z) - self.nose[2] - center) / np.maximum(half, 1e-6), -1, 1)
        return np.asarray(np.degrees(np.arcsin(np.sign(sine) * np.abs(sine) ** (self.power / 2))))

    def skin(self, rings: int = 56, sides: int = 48) -> Geometry:
        end = BODIES[self.outline][-1][0]
        t = np.linspace(0.02, 1, rings) ** 1.6 * end
        t[0] = 0.0 if BODIES[self.outline][0][2] else 1e-5
        return loft(self.at(t[:, None], np.arange(sides) / sides * -360))

    def pane(self, corners: ArrayLike, lift: float, count: int = 8) -> Geometry:
        """A patch on the skin between four (fraction, angle) corners: rear low, front low, front high, rear high."""
        a, b, c, d = np.asarray(corners, dtype=float)
        u, v = np.meshgrid(np.linspace(0, 1, count), np.linspace(0, 1, count))
        mix = np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], axis=-1) @ np.stack([a, b, c, d])
        return sheet(self.at(mix[..., 0], mix[..., 1], lift)).flipped()

    def stripe(self, start: float, end: float, low: ArrayLike, high: ArrayLike, lift: float) -> Geometry:
        """A band along both sides between two heights, each one number or (start, end)."""
        t = np.linspace(start, end, 64)
        share = (t - start) / (end - start)
        edges = [self.angle(t, np.interp(share, [0, 1], np.broadcast_to(z, 2))) for z in (low, high)]
        return both_sides(sheet(self.at(t, np.linspace(edges[0], edges[1], 14), lift)))

    def windows(self, at: Array, z: float, width: float, height: float, lift: float) -> Geometry:
        """Small round-cornered windows on both sides, centered at fractions `at`."""
        pane = flat(rounded_rectangle(width, height, 0.45 * min(width, height), 4))
        t = at[:, None] + pane.vertices[:, 0] / self.length
        points = self.at(t, self.angle(t, z + pane.vertices[:, 1]), lift)
        return both_sides(merge(Geometry(p, pane.faces, pane.uvs) for p in points))

    def hoops(self, at: ArrayLike, radius: float) -> Geometry:
        """Frames that run over the top at fractions `at`."""
        angles = np.linspace(-10, 190, 18)
        return merge(
            sheet([self.at(t + s * radius / self.length, angles, 0.4 * radius) for s in (1, -1)])
            for t in np.atleast_1d(at)
        )


def airfoil(thickness: float, count: int = 14) -> Array:
    """(2 * count - 2, 2) loop of unit chord: y from the leading edge, z; from the trailing edge over the top."""
    y = (1 - np.cos(np.linspace(0, np.pi, count))) / 2
    half = 5 * thickness * (0.2969 * np.sqrt(y) - 0.126 * y - 0.3516 * y**2 + 0.2843 * y**3 - 0.1 * y**4)
    upper = np.column_stack([y, half * 1.15])[::-1]
    return np.concatenate([upper, np.column_stack([y, -0.85 * half])[1:-1]])


@dataclass(frozen=True)
class Wing:
    """Half a lifting surface along +x, its root's leading edge at `root` (x, y, z)."""

    root: tuple[float, float, float]
    half_span: float
    chord: float
    taper: float
    sweep: float
    dihedral: float = 0.0
    thickness: float = 0.12
    roundness: float = 0.5
    ellipse: float = 0.0
    kink: float = 0.0
    winglet: float = 0.0

    def stations(self, s: ArrayLike) -> tuple[Array, Array]:
        """Leading edge points (k, 3) and chords at fractions of the half span."""
        s = np.asarray(s, dtype=float)
        straight = self.chord * (1 + (self.taper - 1) * s)
        chord = straight * (1 - self.ellipse) + self.ellipse * self.chord * np.sqrt(np.maximum(1 - s**2, 0.02))
        tip = self.roundness * self.chord * self.taper / self.half_span
        chord *= np.sqrt(np.maximum(1 - np.clip((s - 1 + tip) / max(tip, 1e-6), 0, 1) ** 2, 0.02))
        lead = s * self.half_span * np.tan(np.radians(self.sweep)) + 0.4 * (straight - chord)
        chord = chord + self.kink * self.chord * np.clip(1 - s / 0.36, 0, 1)
        rise = s * self.half_span * np.tan(np.radians(self.dihedral)) + self.winglet * np.clip((s - 0.95) / 0.05, 0, 1)
        return np.column_stack([s * self.half_span, lead, rise]) + self.root, chord

    def tip(self) -> Array:
        lead, chord = self.stations([1.0])
        return np.asarray(lead[0] + [0, chord[0] / 2, 0])

    def half(self) -> Geometry:
        s = np.unique(np.concatenate([np.linspace(0, 1, 14), 1 - 0.2 * (1 - np.sin(np.linspace(0, np.pi / 2, 12)))]))
        lead, chord = self.stations(s)
        loop = airfoil(self.thickness)
        rings = lead[:, None] + chord[:, None, None] * np.column_stack([0 * loop[:, 0], loop])
        return loft(rings)

    def upright(self) -> Geometry:
        """The same surface standing up from its root, as a fin."""
        return self.half().moved(*(-np.array(self.root))).rotated("y", -90).moved(*self.root)


def forward(geometry: Geometry) -> Geometry:
    """What was made about z, pointing to the front."""
    return geometry.rotated("x", 90)


def fan_engine(length: float, diameter: float) -> dict[str, Geometry]:
    """A jet nacelle about y with its middle at the origin: cowl, lip, fan with spinner, exhaust cone."""
    r = diameter / 2
    outer = [(0.62, -0.5), (0.8, -0.3), (0.97, 0.1), (1, 0.3), (0.95, 0.44)]
    cowl = np.array([(0.55, -0.5), *outer, (0.95, 0.44)]) * (r, length)
    lip = np.array([(0.95, 0.44), (0.91, 0.48), (0.86, 0.5), (0.8, 0.485), (0.78, 0.45), (0.78, 0.3)]) * (r, length)
    duct = np.array([(0.78, 0.3), (0.0, 0.3)]) * (r, length)
    cone = np.array([(0, -0.68), (0.2, -0.6), (0.38, -0.5), (0.56, -0.48)]) * (r, length)
    spinner = ellipsoid(0.5 * r, 0.5 * r, 0.34 * length, 20, 10).moved(z=0.3 * length)
    blade = box(0.6 * r, 0.17 * r, 0.03 * r).rotated("x", 35).moved(x=0.48 * r, z=0.31 * length)
    blades = around(blade, 18)
    return {
        "cowl": forward(lathe(cowl[1:-1], 40)),
        "lip": forward(lathe(lip, 40)),
        "fan": forward(merge([lathe(duct, 40), blades])),
        "spinner": forward(spinner),
        "exhaust": forward(lathe(np.concatenate([cone, [cowl[1]]]), 32)),
    }


def propeller(radius: float, blades: int, angle: float, chord: float = 0.16) -> Geometry:
    """Twisted blades about y at the origin."""
    s = np.linspace(0.04, 1, 14)
    width = radius * chord * np.array([0.4, 0.45, 0.6, 0.78, 0.92, 1, 1.02, 1, 0.96, 0.9, 0.82, 0.72, 0.56, 0.2])
    turn = np.radians(70 - 52 * s)
    ring = circle(1, 12)[None] * np.stack([width / 2, 0.1 * width + 0.004 * radius], axis=-1)[:, None]
    along, across = ring[..., :1], ring[..., 1:]
    wide = np.stack([0 * s, np.sin(turn), np.cos(turn)], axis=-1)[:, None]
    thin = np.stack([0 * s, -np.cos(turn), np.sin(turn)], axis=-1)[:, None]
    rings = along * wide + across * thin + np.stack([s * radius, 0 * s, 0 * s], axis=-1)[:, None]
    return around(loft(rings), blades, "y").rotated("y", angle)


def spinner(radius: float, length: float) -> Geometry:
    """A hub cap about y whose back is at the origin."""
    t = np.linspace(0, 1, 10)
    outline = np.column_stack([radius * np.sqrt(1 - t**2.2), t * length])
    return forward(lathe(np.concatenate([[[0, 0]], outline]), 28))


def wheel(radius: float, width: float) -> tuple[Geometry, Geometry]:
    """Tire and hub with the axle along x through the origin."""
    t = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 9)
    wall = np.column_stack([radius * (0.78 + 0.22 * np.cos(t)), width / 2 * np.sin(t)])
    rim = 0.55 * radius
    tyre = lathe(np.concatenate([[[rim, -0.42 * width]], wall, [[rim, 0.42 * width]]]), 32)
    hub = cylinder(1.02 * rim, 0.86 * width, 24, 0.1 * width).moved(z=-0.43 * width)
    return tyre.rotated("y", 90), hub.rotated("y", 90)


def leg(top: ArrayLike, axle: ArrayLike, radius: float, wheels: int, rows: int = 1) -> dict[str, Geometry]:
    """A landing gear leg: strut, tires and hubs; `wheels` side by side in each of `rows` bogie rows."""
    foot = np.asarray(axle, dtype=float)
    width, reach = 0.5 * radius, 0.75 * radius * (wheels - 1)
    spots = [
        foot + np.array([x, y, 0])
        for x in ((-0.5 * reach, 0.5 * reach) if wheels > 1 else (0,))
        for y in ((np.arange(rows) - (rows - 1) / 2) * 2.2 * radius)
    ]
    tyre, hub = wheel(radius, width)
    axles = [bar(s - (0.7 * width, 0, 0), s + np.array([0.7 * width, 0, 0]), 0.2 * radius) for s in spots]
    cross = [bar(foot - (reach / 2 + 1e-3, 0, 0), foot + np.array([reach / 2 + 1e-3, 0, 0]), 0.16 * radius)]
    bogie = [bar(foot - (0, 1.1 * radius, 0), foot + np.array([0, 1.1 * radius, 0]), 0.17 * radius)] * (rows > 1)
    strut = [bar(top, foot, 0.2 * radius, top=0.15 * radius)]
    return {
        "strut": merge(strut + axles + cross + bogie),
        "tyres": merge(tyre.moved(*s) for s in spots),
        "hubs": merge(hub.moved(*s) for s in spots),
    }

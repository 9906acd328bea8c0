"""Pieces of mugs and cups, all turned about z with the handle toward +x."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenes.shapes.primitives import Array, Geometry, ellipsoid, fan, lathe, merge, sheet, spline, superellipse, sweep

SEGMENTS = 72


@dataclass(frozen=True)
class Cup:
    """The turned shape: a side line from base to top, drawn in to the foot by a quarter ellipse at the bottom."""

    height: float
    top: float
    base: float
    belly: float
    flare: float
    rounding: float
    foot: float
    foot_height: float
    wall: float

    @property
    def floor(self) -> float:
        return self.foot_height + 1.3 * self.wall

    def side(self, t: Array, foot: float, inset: float = 0.0) -> Array:
        """Radius at t in [0, 1] from the bottom of the wall to the rim."""
        side = self.base + (self.top - self.base) * t + self.belly * np.sin(np.pi * t) + self.flare * t**5 - inset
        below = np.clip(1 - t / self.rounding, 0, 1)
        return np.asarray(side - (side - foot) * (1 - np.sqrt(1 - below**2)))

    def outer(self, z: Array | float) -> Array:
        return self.side(
            np.clip((np.asarray(z) - self.foot_height) / (self.height - self.foot_height), 0, 1), self.foot
        )

    def inner(self, z: Array | float) -> Array:
        t = np.clip((np.asarray(z) - self.floor) / (self.height - self.floor), 0, 1)
        return self.side(t, 0.8 * (self.foot - self.wall), self.wall)

    def levels(self, bottom: float, top: float, count: int = 28) -> Array:
        """Heights that crowd together where the wall turns into the foot."""
        return bottom + (top - bottom) * np.linspace(0, 1, count) ** 2


def scalloped(vertices: Array, cup: Cup, flutes: int, depth: float) -> Array:
    """Waves round the wall that grow toward the rim."""
    angle = np.arctan2(vertices[:, 1], vertices[:, 0])
    factor = 1 + depth * np.clip(vertices[:, 2] / cup.height, 0, 1) ** 2 * np.cos(flutes * angle)
    return vertices * np.column_stack([factor, factor, np.ones_like(factor)])


def outside(cup: Cup) -> Geometry:
    z = cup.levels(cup.foot_height, cup.height - cup.wall / 2)
    wall = np.column_stack([cup.outer(z), z])
    t = np.linspace(0, np.pi, 9)[1:]
    lip = np.column_stack([np.cos(t), np.sin(t)]) * cup.wall / 2 + (cup.outer(cup.height) - cup.wall / 2, z[-1])
    recess = 0.4 * cup.foot_height
    ring = [(0.0, recess), (cup.foot - 0.005, recess), (cup.foot - 0.004, 0.0), (cup.foot - 0.001, 0.0)]
    ring += [(cup.foot, 0.001)] if cup.foot_height > 0.002 else []
    return lathe(np.concatenate([ring, wall, lip]), SEGMENTS)


def inside(cup: Cup) -> Geometry:
    z = cup.levels(cup.floor, cup.height - cup.wall / 2)[::-1]
    radius = np.minimum(cup.inner(z), cup.outer(z) - 0.8 * cup.wall)
    radius[0] = cup.outer(cup.height) - cup.wall
    return lathe(np.concatenate([np.column_stack([radius, z]), [[0.0, cup.floor]]]), SEGMENTS)


def drink(cup: Cup, fill: float) -> Geometry:
    z = max(fill * cup.height, cup.floor + 0.01)
    angle = np.linspace(0, 2 * np.pi, SEGMENTS, endpoint=False)
    radius = float(cup.inner(z)) + 0.3 * cup.wall
    return fan(np.column_stack([radius * np.cos(angle), radius * np.sin(angle), np.full(SEGMENTS, z)]))


def badge(cup: Cup, size: float, center: float) -> Geometry:
    """A print on the wall about the angle `centre`, a hair outside it."""
    z = np.linspace(-size / 2, size / 2, 16) + 0.52 * cup.height
    radius = cup.outer(z) + 0.0003
    angle = np.radians(center) + np.linspace(-size / 2, size / 2, 24) / float(cup.outer(0.5 * cup.height))
    return sheet(
        np.stack(
            [
                radius[:, None] * np.cos(angle),
                radius[:, None] * np.sin(angle),
                np.repeat(z[:, None], len(angle), axis=1),
            ],
            axis=-1,
        )
    )


def handle_path(cup: Cup, shape: str, reach: float, top: float, bottom: float) -> Array:
    """The handle's center line in the plane y = 0, leaving the wall along its normal at both ends."""
    upper, up_normal = _wall_point(cup, top)
    lower, low_normal = _wall_point(cup, bottom)
    out = max(upper[0], lower[0] * 0.4 + upper[0] * 0.6) + reach
    h = top - bottom
    middle = {
        "ear": [(out - 0.28 * reach, top - 0.02 * h), (out, top - 0.3 * h), (out - 0.12 * reach, bottom + 0.3 * h)],
        "square": [
            (out - 0.2 * reach, top - 0.01 * h),
            (out, top - 0.17 * h),
            (out, top - 0.5 * h),
            (out - 0.05 * reach, bottom + 0.22 * h),
            (out - 0.27 * reach, bottom + 0.04 * h),
        ],
        "loop": [(out - 0.4 * reach, top + 0.08 * h), (out, top - 0.2 * h), (out - 0.25 * reach, top - 0.6 * h)],
        "drop": [(out - 0.15 * reach, top - 0.05 * h), (out, top - 0.2 * h), (out - 0.3 * reach, bottom + 0.35 * h)],
    }[shape]
    line = [upper, upper + up_normal * 0.3 * reach, *middle, lower + low_normal * 0.25 * reach, lower]
    flat = spline(np.array(line), 56)
    return np.column_stack([flat[:, 0], np.zeros(len(flat)), flat[:, 1]])


def _wall_point(cup: Cup, z: float) -> tuple[Array, Array]:
    """A point inside the wall's thickness at height z, and the wall's outward normal, both (radius, z)."""
    step = 1e-3
    slope = (float(cup.outer(z + step)) - float(cup.outer(z - step))) / (2 * step)
    normal = np.array([1.0, -slope]) / np.hypot(1.0, slope)
    return np.array([float(cup.outer(z)), z]) - normal * 0.3 * cup.wall, normal


def handle(path: Array, width: float, thickness: float) -> Geometry:
    """A flat oval section, a little stouter where it meets the wall."""
    at = np.linspace(0, 1, len(path))
    scale = 1 + 0.22 * (np.exp(-((at / 0.07) ** 2)) + np.exp(-(((1 - at) / 0.07) ** 2)))
    return sweep(path, superellipse(thickness, width, 2.5, 24), scale, up=(0, 1, 0))


def saucer(radius: float, foot: float) -> Geometry:
    """A shallow dish with a well for the foot; its well lies 5 mm up."""
    top = spline([(radius, 0.021), (0.8 * radius, 0.0125), (1.25 * foot, 0.0075)], 24)
    below = spline([(0.62 * radius, 0.002), (0.8 * radius, 0.0085), (radius, 0.0178)], 24)
    t = np.linspace(-np.pi / 2, np.pi / 2, 7)[1:-1]
    lip = np.column_stack([radius + 0.0016 * np.cos(t), 0.0194 + 0.0016 * np.sin(t)])
    stand = [(0.0, 0.0022), (0.56 * radius, 0.0022), (0.57 * radius, 0.0), (0.61 * radius, 0.0)]
    well = [(1.12 * foot, 0.0055), (1.08 * foot, 0.005), (0.0, 0.005)]
    return lathe(np.concatenate([stand, below, lip, top, well]), SEGMENTS)


def lid(cup: Cup) -> Geometry:
    """A plastic lid that sits over the rim, with a raised drinking edge."""
    r, z = float(cup.outer(cup.height)), cup.height
    outline = [(0.0, z - 0.004), (r - 0.002, z - 0.004), (r + 0.002, z - 0.004), (r + 0.003, z), (r + 0.001, z + 0.009)]
    outline += [(r - 0.002, z + 0.011), (r - 0.006, z + 0.01), (r - 0.009, z + 0.004), (0.0, z + 0.003)]
    tab = ellipsoid(0.03, 0.014, 0.012, 20, 10).moved(-0.45 * r, 0, z + 0.005)
    return merge([lathe(np.array(outline), SEGMENTS), tab])


def spoon(cup: Cup) -> Geometry:
    """A spoon leaning on the rim toward -x: its bowl on the floor, its handle out of the cup."""
    rim = np.array([-float(cup.inner(cup.height)) + 0.001, 0.004, cup.height + 0.001])
    foot = np.array([0.55 * float(cup.inner(cup.floor + 0.01)), 0.004, cup.floor + 0.003])
    along = (rim - foot) / np.linalg.norm(rim - foot)
    length = max(0.13, float(np.linalg.norm(rim - foot)) + 0.045)
    at = np.linspace(0, 1, 30)
    width = np.interp(at, [0, 0.02, 0.15, 0.3, 0.85, 1], [0.3, 1.0, 2.2, 0.6, 1.2, 0.9])
    return sweep(foot + np.outer(at * length, along), superellipse(0.002, 0.0075, 2, 16), width, up=(0, 1, 0))

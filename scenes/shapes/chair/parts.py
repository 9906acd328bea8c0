"""What chairs share: their measures, turned rods, curved boards, cushions and woven seats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scenes.mesh import Part
from scenes.shapes.primitives import (
    Array,
    Geometry,
    loft,
    merge,
    prism,
    profile,
    rounded_rectangle,
    spline,
    superellipse,
    sweep,
    tube,
)

Points = dict[str, Array]
Built = tuple[list[Part], Points]

# Turnings from the lower end up: place along the rod, thickness.
TURNINGS: dict[str, list[tuple[float, float]]] = {
    "vase": [(0, 0.6), (0.08, 0.65), (0.3, 0.95), (0.36, 1.15), (0.4, 0.7), (0.43, 1.1), (0.46, 0.75), (0.52, 0.75),
             (0.68, 1.2), (0.82, 0.7), (0.85, 1.05), (0.88, 0.65), (1, 0.75)],
    "bamboo": [(0, 0.75), (0.2, 0.95), (0.3, 1.1), (0.33, 0.85), (0.36, 1.1), (0.55, 0.9), (0.62, 1.1), (0.65, 0.85),
               (0.68, 1.1), (0.85, 0.9), (1, 0.8)],
    "plain": [(0, 0.7), (0.5, 1.0), (1, 0.8)],
    "swell": [(0, 0.6), (0.3, 0.8), (0.44, 0.95), (0.47, 1.25), (0.5, 1.35), (0.53, 1.25), (0.56, 0.95),
              (0.7, 0.8), (1, 0.6)],
    "spindle": [(0, 0.85), (0.25, 1.15), (0.6, 0.9), (1, 0.7)],
    "straight": [(0, 1.0), (1, 1.0)],
}  # fmt: skip


@dataclass(frozen=True)
class Measures:
    """A chair's parameters; see `scenes.shapes.chair.chair.chair`."""

    style: str
    seat_width: float
    seat_depth: float
    seat_height: float
    back_height: float
    back_rake: float
    splay: float
    stock: float
    members: int
    turning: str
    back_fill: str
    arms: bool
    arm_height: float
    rockers: bool
    frame_role: str
    seat_role: str
    back_role: str

    @property
    def slope(self) -> float:
        """How far the back runs backwards per meter of height."""
        return float(np.tan(np.radians(self.back_rake)))

    def floor(self, y: float) -> float:
        """Where a leg ends at y: the floor, or the top of a rocker."""
        return 0.5 * y**2 + 0.035 if self.rockers else 0.0


def turned(start: ArrayLike, end: ArrayLike, radius: float, turning: str, sides: int = 14) -> Geometry:
    """A turned rod between two points."""
    a, b = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    if turning == "straight":
        return tube(np.stack([a, b]), radius, sides)
    shape = profile(TURNINGS[turning], 12 if turning in ("plain", "spindle") else 44)
    return tube(a + shape[:, :1] * (b - a), radius * shape[:, 1], sides)


def rod(points: ArrayLike, radius: float, count: int = 12, sides: int = 10) -> Geometry:
    """A round rod bent through points."""
    return tube(spline(points, count), radius, sides)


def board(x: Array, y: Array, low: Array, high: Array, thickness: float) -> Geometry:
    """A bent upright board along x: its middle surface at y, from `low` to `high`."""
    section = rounded_rectangle(1.0, 1.0, 0.3, 4)
    rings = [
        np.column_stack(
            [np.full(len(section), a), b + thickness * section[:, 0], (h + k) / 2 + (h - k) * section[:, 1]]
        )
        for a, b, k, h in zip(x, y, low, high, strict=True)
    ]
    return loft(rings)


def cushion(width: float, depth: float, height: float, power: float = 5.0, crown: float = 0.35) -> Geometry:
    """An upholstered slab on z = 0, its top crowned by that share of its height."""
    t = np.linspace(0, 1, 9)
    side = [(1 - 0.05 * (1 - np.sin(a * np.pi / 2)), 0.3 * height * a) for a in t]
    top = [(np.cos(a * np.pi / 2 * 0.97), height * (1 - crown) + crown * height * np.sin(a * np.pi / 2)) for a in t]
    return loft(
        [np.column_stack([superellipse(width * s, depth * s, power, 80), np.full(80, z)]) for s, z in side + top]
    )


def rush_seat(front: float, back: float, depth: float, thickness: float, strands: int = 13) -> Geometry:
    """Strands wound in closing squares over a frame about the origin, wider in front (-y)."""
    pieces = []
    for k in range(strands):
        size = 1 - (k + 0.5) / strands
        outline = rounded_rectangle(1, 1, 0.08 if k < 2 else 0.01, 5) * (1.0, depth * size)
        width = size * (0.5 * (front + back) + (back - front) * outline[:, 1] / depth)
        ring = np.column_stack(
            [outline[:, 0] * width, outline[:, 1], np.full(len(outline), -0.25 * thickness * (1 - size))]
        )
        pieces.append(sweep(ring, superellipse(depth / strands * 0.56, thickness, 2, 8), closed=True, up=(0, 0, 1)))
    return merge(pieces)


def splat(width: float, height: float, thickness: float) -> Geometry:
    """A pierced vase-shaped splat standing on z = 0 in the plane y = 0."""
    half = profile(
        [
            (0.36, 0),
            (0.5, 0.1),
            (0.3, 0.22),
            (0.34, 0.3),
            (0.5, 0.55),
            (0.42, 0.72),
            (0.26, 0.82),
            (0.34, 0.92),
            (0.5, 1),
        ],
        40,
    )
    outline = np.concatenate([half, half[::-1] * (-1, 1)]) * (width, height)
    slot = superellipse(0.16 * width, 0.24 * height, 2, 24)
    heart = superellipse(0.26 * width, 0.09 * height, 2, 24)
    holes = [slot + (s * 0.17 * width, 0.52 * height) for s in (-1, 1)] + [heart + (0, 0.12 * height)]
    return prism(outline, thickness, holes=holes).rotated("x", 90)


def rocker(x: float, length: float, center: float) -> Geometry:
    """A runner that touches the floor under y = 0."""
    y = np.linspace(center - length / 2, center + length / 2, 24)
    path = np.column_stack([np.full(24, x), y, 0.5 * y**2 + 0.0225])
    return sweep(path, rounded_rectangle(0.028, 0.045, 0.008, 3), up=(0, 0, 1))

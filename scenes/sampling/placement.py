"""Where things go: poses, footprints that do not overlap, cameras that frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scenes.record.camera import Camera, cross
from scenes.record.scene import Quaternion

IDENTITY: Quaternion = (1.0, 0.0, 0.0, 0.0)


def yaw_quaternion(degrees: float) -> Quaternion:
    half = math.radians(degrees) / 2
    return (math.cos(half), 0.0, 0.0, math.sin(half))


def free_quaternion(u: float, v: float, w: float) -> Quaternion:
    """Uniform over all rotations from three uniform numbers (Shoemake 1992, "Uniform random rotations")."""
    a, b = math.sqrt(1 - u), math.sqrt(u)
    return (
        b * math.cos(2 * math.pi * w),
        a * math.sin(2 * math.pi * v),
        a * math.cos(2 * math.pi * v),
        b * math.sin(2 * math.pi * w),
    )


def quaternion_product(p: Quaternion, q: Quaternion) -> Quaternion:
    """The rotation that applies q first, then p."""
    a, b, c, d = p
    e, f, g, h = q
    return (
        a * e - b * f - c * g - d * h,
        a * f + b * e + c * h - d * g,
        a * g - b * h + c * e + d * f,
        a * h + b * g - c * f + d * e,
    )


@dataclass(frozen=True)
class Footprint:
    """A turned rectangle on the ground: center, half sizes, and its x axis (cosine, sine)."""

    x: float
    y: float
    half_x: float
    half_y: float
    cosine: float = 1.0
    sine: float = 0.0

    @property
    def radius(self) -> float:
        return math.hypot(self.half_x, self.half_y)

    def at(self, x: float, y: float) -> Footprint:
        return Footprint(x, y, self.half_x, self.half_y, self.cosine, self.sine)

    def overlaps(self, other: Footprint) -> bool:
        """Whether two rectangles share any area: no separating axis among their four."""
        dx, dy = other.x - self.x, other.y - self.y
        if math.hypot(dx, dy) > self.radius + other.radius:
            return False
        c = abs(self.cosine * other.cosine + self.sine * other.sine)
        s = abs(self.cosine * other.sine - self.sine * other.cosine)
        along, across = abs(dx * self.cosine + dy * self.sine), abs(dy * self.cosine - dx * self.sine)
        if along >= self.half_x + other.half_x * c + other.half_y * s:
            return False
        if across >= self.half_y + other.half_x * s + other.half_y * c:
            return False
        along, across = abs(dx * other.cosine + dy * other.sine), abs(dy * other.cosine - dx * other.sine)
        if along >= other.half_x + self.half_x * c + self.half_y * s:
            return False
        return not across >= other.half_y + self.half_x * s + self.half_y * c

    def meets(self, other: Footprint, x: float, y: float) -> float | None:
        """How far along the unit vector (x, y) from its place it last touches `other`; None if it passes by.

        A place at which two rectangles overlap is one at which they do on each of their four axes.
        """
        first, last = -math.inf, math.inf
        for one, two in ((self, other), (other, self)):
            for ax, ay, half in ((one.cosine, one.sine, one.half_x), (-one.sine, one.cosine, one.half_y)):
                reach = half + two.half_x * abs(ax * two.cosine + ay * two.sine)
                reach += two.half_y * abs(ay * two.cosine - ax * two.sine)
                away, speed = ax * (other.x - self.x) + ay * (other.y - self.y), ax * x + ay * y
                if abs(speed) < 1e-12:
                    if abs(away) >= reach:
                        return None
                    continue
                first = max(first, (away - math.copysign(reach, speed)) / speed)
                last = min(last, (away + math.copysign(reach, speed)) / speed)
        return last if first < last else None


def arrange(
    footprints: Sequence[Footprint],
    generators: Sequence[np.random.Generator],
    crowding: Sequence[float] | None = None,
) -> list[Footprint]:
    """Footprints moved so that none overlaps another: the first stays, the others close in around it.

    Each footprint tries random places in a disc. The disc grows until a place is free, so the search always ends. Each
    has its own generator, so it only moves for another one if that one takes its place.

    crowding: for each, the part of the free way straight toward the first that it then goes, from 0 to 1.
    """
    center, placed = footprints[0], [footprints[0]]
    shares = crowding or [0.0] * len(footprints)
    for footprint, rng, share in zip(footprints[1:], generators[1:], shares[1:], strict=True):
        reach = center.radius + footprint.radius
        while True:
            angle, distance = 2 * math.pi * rng.random(), reach * math.sqrt(rng.random())
            x, y = math.cos(angle), math.sin(angle)
            candidate = footprint.at(center.x + distance * x, center.y + distance * y)
            if not any(candidate.overlaps(other) for other in placed):
                break
            reach *= 1.05
        if share > 0:
            start = footprint.at(center.x, center.y)
            ends = [end for other in placed if (end := start.meets(other, x, y)) is not None and end <= distance]
            distance += share * (max(ends, default=0.0) - distance)
            candidate = footprint.at(center.x + distance * x, center.y + distance * y)
        placed.append(candidate)
    return placed


def direction(azimuth: float, elevation: float) -> np.ndarray:
    """(3,) unit vector towards azimuth (0 is -y, counter-clockwise from above) and elevation, in degrees."""
    a, e = math.radians(azimuth), math.radians(elevation)
    return np.array([math.sin(a) * math.cos(e), -math.cos(a) * math.cos(e), math.sin(e)])


def extent(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest coordinates (d,) of points (n, d)."""
    # Reducing along contiguous memory is several times faster for few columns.
    columns = np.ascontiguousarray(points.T)
    return columns.min(axis=1), columns.max(axis=1)


def project(camera: Camera, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (n, 2) and planar depth (n,) of world points (n, 3); pixel centers are at +0.5."""
    matrix = camera.world_to_camera()
    local = points @ matrix[:3, :3].T + matrix[:3, 3]
    depth = local[:, 2]
    safe = np.where(np.abs(depth) > 1e-9, depth, 1e-9)
    return camera.pixels(local[:, :2] / safe[:, None]), depth


def framing_distance(
    points: np.ndarray,
    center: np.ndarray,
    towards: np.ndarray,
    focal: float,
    size: tuple[int, int],
    share: float,
    aspect: float = 1.0,
) -> float:
    """How far from `center` a pinhole at `center + distance * towards` sees the points fill `share` of the picture.

    points: (n, 3); focal: focal length over the sensor's longer side; aspect: as a Camera has it. The lens's distortion
    is left out. The share is of the
    width or the height, whichever comes out larger. Never nearer than 5 % beyond the nearest point.
    """
    right = cross(-towards, (0.0, 0.0, 1.0))
    length = math.sqrt(float(right @ right))
    right = right / length if length > 1e-9 else np.array([1.0, 0.0, 0.0])
    basis = np.stack([right, cross(right, -towards), towards])
    local = (points - center) @ basis.T
    pixels = focal * max(size)
    nearest = float(local[:, 2].max())
    distance = max(nearest * 1.5, 1e-6)
    flat, toward = local[:, :2] * (pixels, pixels * aspect), local[:, 2]
    limits = np.array(size, dtype=float)
    for _ in range(8):
        seen = flat / (distance - toward)[:, None]
        low, high = extent(seen)
        filled = float(((high - low) / limits).max())
        step = filled / share
        distance = max(nearest + (distance - nearest) * step, nearest * 1.05 + 1e-6)
        if abs(step - 1) < 1e-3:
            break
    return distance

"""The camera of a scene: where it stands, and how it projects."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scenes.record.distortion import Distortion
from scenes.record.material import Vector
from scenes.record.record import Factor


@dataclass(frozen=True)
class Camera:
    """A pinhole or thin-lens camera with a sensor that is 36 mm long on the longer side of the picture.

    Parameters
    ----------
    location, target : tuple of 3 floats
        Where the camera is and the point it looks at, in meters.
    roll : float
        Rotation about the viewing direction, in degrees.
    focal_length : float
        In mm.
    width, height : int
        Size of the picture in pixels.
    fstop : float
        Aperture as an f-number. 0 is a pinhole: everything is in focus.
    aspect : float
        fy over fx: a pixel's width over its height.
    center : tuple of 2 floats, optional
        The principal point in pixels, with the first pixel's center at (0.5, 0.5). None is the middle of the picture.
    distortion : Distortion, optional
        How the lens differs from an ideal one. None is an ideal one.

    Examples
    --------
    >>> from blendmill import Camera
    >>> Camera((0, -2, 0), (0, 0, 0), roll=0, focal_length=36, width=64, height=48).intrinsics().tolist()
    [[64.0, 0.0, 32.0], [0.0, 64.0, 24.0], [0.0, 0.0, 1.0]]
    """

    location: Vector
    target: Vector
    roll: float
    focal_length: float
    width: int
    height: int
    fstop: float = 0.0
    aspect: float = 1.0
    center: tuple[float, float] | None = None
    distortion: Distortion | None = None

    @staticmethod
    def posed(world_to_camera: np.ndarray, focus: float, **lens: Any) -> Camera:
        """The camera of a pose (4, 4), with OpenCV axes. focus: meters to its target. lens: the other fields."""
        axes = np.asarray(world_to_camera, float)[:3, :3]
        eye = -axes.T @ np.asarray(world_to_camera, float)[:3, 3]
        x, y, z = eye.tolist()
        u, v, w = (eye + focus * axes[2]).tolist()
        straight = Camera((x, y, z), (u, v, w), 0.0, **lens)
        right, down = straight.world_to_camera()[:2, :3]
        roll = math.degrees(math.atan2(float(axes[0] @ down), float(axes[0] @ right)))
        return replace(straight, roll=roll)

    def resized(self, width: int, height: int) -> Camera:
        """The camera with the same view on another number of pixels."""
        if self.center is None:
            return replace(self, width=width, height=height)
        x, y = self.center
        return replace(self, width=width, height=height, center=(x * width / self.width, y * height / self.height))

    @property
    def near(self) -> float:
        """Depth in meters from which on things are drawn: a thousandth of the distance to the target."""
        return math.dist(self.location, self.target) * 1e-3

    def intrinsics(self) -> np.ndarray:
        """(3, 3) float64 K with the pixel center of column i, row j at (i + 0.5, j + 0.5)."""
        # The sensor's 36 mm lie along the longer side, as in Blender's AUTO sensor fit.
        focal = self.focal_length / 36.0 * max(self.width, self.height)
        x, y = self.center or (self.width / 2, self.height / 2)
        return np.array([[focal, 0.0, x], [0.0, focal * self.aspect, y], [0.0, 0.0, 1.0]])

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """(n, 2) pixels, x right and y down, that show points (n, 2): their x / z and y / z in camera axes."""
        k = self.intrinsics()
        shown = points if self.distortion is None else self.distortion.distorted(points)
        return shown * k[[0, 1], [0, 1]] + k[:2, 2]

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """(n, 3) directions in camera axes through pixels (n, 2), as long as the way to depth 1."""
        k = self.intrinsics()
        points = (pixels - k[:2, 2]) / k[[0, 1], [0, 1]]
        ideal = points if self.distortion is None else self.distortion.undistorted(points)
        return np.column_stack([ideal, np.ones(len(ideal))])

    def world_to_camera(self) -> np.ndarray:
        """(4, 4) float64 to OpenCV camera axes: x right, y down, z along the view."""
        eye, target = np.array(self.location), np.array(self.target)
        forward = (target - eye) / np.linalg.norm(target - eye)
        up = np.array([0.0, 0.0, 1.0]) if abs(forward[2]) < 1 - 1e-9 else np.array([0.0, 1.0, 0.0])
        right = cross(forward, up)
        right /= np.linalg.norm(right)
        down = cross(forward, right)
        c, s = np.cos(np.radians(self.roll)), np.sin(np.radians(self.roll))
        matrix = np.eye(4)
        matrix[:3, :3] = np.stack([c * right + s * down, -s * right + c * down, forward])
        matrix[:3, 3] = -matrix[:3, :3] @ eye
        return matrix

    def factors(self) -> Iterator[Factor]:
        """Azimuth and elevation (degrees), distance (meters) from the target, and the lens."""
        x, y, z = np.subtract(self.location, self.target).tolist()
        distance = math.sqrt(x * x + y * y + z * z)
        yield "camera.azimuth", math.degrees(math.atan2(x, -y)) % 360
        yield "camera.elevation", math.degrees(math.asin(z / distance))
        yield "camera.distance", distance
        for name in ("roll", "focal_length", "fstop"):
            yield f"camera.{name}", float(getattr(self, name))


def cross(a: np.ndarray, b: np.ndarray | tuple[float, float, float]) -> np.ndarray:
    """The cross product of two (3,) vectors; numpy's own is made for stacks and costs ten times as much."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])

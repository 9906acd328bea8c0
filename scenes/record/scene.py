"""The Scene: everything that decides a picture, as plain frozen data that survives a round trip through JSON.

Units are meters, degrees, kelvin and watts unless a field says otherwise. World axes: z up. Azimuth 0 looks from -y
(at the front of an unturned object) and grows counter-clockwise seen from above.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from pydantic import TypeAdapter

from scenes.record.material import Material, Vector
from scenes.record.record import CRACK, CrackMask, Factor, leaves
from scenes.record.surface import Decal, Surface

Quaternion = tuple[float, float, float, float]
LightKind = Literal["sun", "area", "point"]
BackgroundKind = Literal["hdri", "ground", "room", "image", "color", "none"]


@dataclass(frozen=True)
class Item:
    """One object in the scene. Model coordinates (unit diagonal, origin at the box center) go to world by
    scale, then rotation (unit quaternion w, x, y, z), then location. `materials` is keyed by part role, "*" for all.
    """

    asset: str
    category: str
    purpose: Literal["main", "member", "clutter", "occluder"]
    location: Vector
    rotation: Quaternion
    scale: float
    materials: Mapping[str, Material]

    def matrix(self) -> np.ndarray:
        """(4, 4) float64, model to world."""
        matrix = np.eye(4)
        matrix[:3, :3] = rotation_matrix(self.rotation) * self.scale
        matrix[:3, 3] = self.location
        return matrix


@dataclass(frozen=True)
class Light:
    """A lamp. energy: W for area and point lamps, W/m^2 for suns; size: meters, for suns the angle in degrees."""

    kind: LightKind
    location: Vector
    target: Vector
    energy: float
    size: float
    temperature: float


@dataclass(frozen=True)
class World:
    """The environment light: an HDRI by asset id, turned about z; or a uniform color where `hdri` is empty."""

    hdri: str
    rotation: float
    strength: float
    color: Vector = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Camera:
    """A pinhole or thin-lens camera. sensor 36 mm wide; fstop 0 is a pinhole; roll in degrees about the view axis."""

    location: Vector
    target: Vector
    roll: float
    focal_length: float
    width: int
    height: int
    fstop: float = 0.0

    def intrinsics(self) -> np.ndarray:
        """(3, 3) float64 K with the pixel center of column i, row j at (i + 0.5, j + 0.5)."""
        # The sensor's 36 mm lie along the longer side, as in Blender's AUTO sensor fit.
        focal = self.focal_length / 36.0 * max(self.width, self.height)
        return np.array([[focal, 0.0, self.width / 2], [0.0, focal, self.height / 2], [0.0, 0.0, 1.0]])

    def world_to_camera(self) -> np.ndarray:
        """(4, 4) float64 to OpenCV camera axes: x right, y down, z along the view."""
        eye, target = np.array(self.location), np.array(self.target)
        forward = (target - eye) / np.linalg.norm(target - eye)
        up = np.array([0.0, 0.0, 1.0]) if abs(forward[2]) < 1 - 1e-9 else np.array([0.0, 1.0, 0.0])
        right = np.cross(forward, up)
        right /= np.linalg.norm(right)
        down = np.cross(forward, right)
        c, s = np.cos(np.radians(self.roll)), np.sin(np.radians(self.roll))
        matrix = np.eye(4)
        matrix[:3, :3] = np.stack([c * right + s * down, -s * right + c * down, forward])
        matrix[:3, 3] = -matrix[:3, :3] @ eye
        return matrix

    def factors(self) -> Iterator[Factor]:
        """The direction in degrees and the distance, as a config has them, from the target."""
        x, y, z = np.subtract(self.location, self.target).tolist()
        distance = math.sqrt(x * x + y * y + z * z)
        yield "camera.azimuth", math.degrees(math.atan2(x, -y)) % 360
        yield "camera.elevation", math.degrees(math.asin(z / distance))
        yield "camera.distance", distance
        for name in ("roll", "focal_length", "fstop"):
            yield f"camera.{name}", float(getattr(self, name))


@dataclass(frozen=True)
class Background:
    """What is behind the objects. `material` dresses a ground or a room; `image` is an asset id; `size` in meters.

    ground: a large plane at z = 0 under the sky; room: a box with floor, walls and ceiling around the camera; shadow:
    an invisible plane that only catches shadows, for "hdri" and "image".
    """

    kind: BackgroundKind
    material: Material | None = None
    walls: Material | None = None
    image: str = ""
    color: Vector = (0.5, 0.5, 0.5)
    shadow: bool = False
    size: Vector = (0.0, 0.0, 0.0)
    center: Vector = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Sensor:
    """What the camera does to the light. Applied after the render; labels never see it.

    metering: "average" first scales the light so that its log-average is a mid gray, as a camera's meter does.
    exposure: stops on top. tone: "standard" (sRGB curve) or "filmic" (soft shoulder). white_balance: kelvin, 6500
    neutral. balance: share of the light's color, as the picture shows it, that the camera takes away by itself.
    vignette: share of light lost in the corners. blur: Gaussian sigma in pixels. noise: read noise sigma, and
    shot: shot-noise scale, both of full scale 1. sharpening: how much of what is finer than a pixel or so is added
    again. jpeg: quality, 0 is lossless.
    """

    metering: Literal["average", "none"] = "none"
    exposure: float = 0.0
    tone: Literal["standard", "filmic"] = "standard"
    white_balance: float = 6500.0
    vignette: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    shot: float = 0.0
    jpeg: int = 0
    balance: float = 0.0
    sharpening: float = 0.0


# What says where something lies, or what it is, and is no factor of its own.
_PLACES = ("location", "target", "kind")


@dataclass(frozen=True)
class Scene:
    """One picture before it is drawn, a `scenes.record.record.Record`."""

    seed: int
    index: int
    items: tuple[Item, ...]
    world: World
    lights: tuple[Light, ...]
    camera: Camera
    background: Background
    sensor: Sensor
    surface: Surface | None = None
    decal: Decal | None = None

    @property
    def main(self) -> Item | None:
        return next((item for item in self.items if item.purpose == "main"), None)

    @property
    def cracked(self) -> bool:
        """Whether a crack is drawn, be it seen or not."""
        return any(part is not None and part.crack is not None for part in (self.surface, self.decal))

    @property
    def subject(self) -> str | None:
        if self.crack_mask:
            return CRACK
        return self.main.category if self.main else None

    @property
    def crack_mask(self) -> CrackMask:
        if self.decal is not None:
            return "category"
        return "instance" if self.surface is not None else ""

    @property
    def unknown_labels(self) -> frozenset[str]:
        return frozenset()

    def factors(self) -> Iterator[Factor]:
        """The camera as azimuth, elevation and distance; each light and object alike, without its number."""
        yield from self.camera.factors()
        for name, value in (("world", self.world), ("sensor", self.sensor), ("background", self.background)):
            yield from leaves(name, asdict(value))
        yield "lights.count", float(len(self.lights))
        for light in self.lights:
            yield from leaves(f"lights.{light.kind}", {k: v for k, v in asdict(light).items() if k not in _PLACES})
        yield "items.count", float(len(self.items))
        for item in self.items:
            yield f"items.{item.purpose}.scale", item.scale
            for material in item.materials.values():
                yield from material.factors()

    def assets(self) -> Iterator[str]:
        """Objects, the HDRI, the background picture."""
        yield from (item.asset for item in self.items)
        yield from (asset for asset in (self.world.hdri, self.background.image) if asset)

    def to_json(self) -> str:
        return _adapter().dump_json(self).decode()

    def to_data(self) -> dict[str, Any]:
        """The same as `to_json`, not yet written out."""
        return _adapter().dump_python(self, mode="json")

    @staticmethod
    def from_json(text: str | bytes) -> Scene:
        return _adapter().validate_json(text)


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Scene]:
    return TypeAdapter(Scene)


def rotation_matrix(quaternion: Quaternion) -> np.ndarray:
    """(3, 3) of a unit quaternion (w, x, y, z)."""
    w, x, y, z = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )

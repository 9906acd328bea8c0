"""The Scene: everything that decides a picture, as plain frozen data that survives a round trip through JSON.

Units are meters, degrees, kelvin and watts unless a field says otherwise. World axes: z up. Azimuth 0 looks from -y
(at the front of an unturned object) and grows counter-clockwise seen from above.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from pydantic import TypeAdapter

from scenes.record.camera import Camera
from scenes.record.material import Material, Vector
from scenes.record.record import CRACK, CrackMask, Factor, leaves
from scenes.record.surface import Decal, Surface

Quaternion = tuple[float, float, float, float]
Pose = tuple[Vector, Quaternion]
"""Location and rotation of an item."""
LightKind = Literal["sun", "area", "point"]
BackgroundKind = Literal["hdri", "ground", "room", "image", "color", "white", "none"]


@dataclass(frozen=True)
class Item:
    """One object in the scene. A model point is scaled, then rotated, then moved to its place in the world.

    Parameters
    ----------
    asset, category : str
        Asset id and class.
    purpose : "main", "member", "clutter" or "occluder"
        Why the object is in the scene.
    location : tuple of 3 floats
        World position of the center of the model's box, in meters.
    rotation : tuple of 4 floats
        Unit quaternion (w, x, y, z).
    scale : float
        Diagonal of the model's box, in meters.
    materials : mapping of str to Material
        Material of each part role. The key "*" stands for all roles.

    Examples
    --------
    >>> from blendmill import Item, Material
    >>> item = Item("shape:mug:0", "mug", "main", (1, 0, 0), (1, 0, 0, 0), 2.0, {"*": Material("own")})
    >>> (item.matrix() @ [0.5, 0, 0, 1]).tolist()
    [2.0, 0.0, 0.0, 1.0]
    """

    asset: str
    category: str
    purpose: Literal["main", "member", "clutter", "occluder"]
    location: Vector
    rotation: Quaternion
    scale: float
    materials: Mapping[str, Material]

    def pose(self) -> np.ndarray:
        """(4, 4) float64 rotation and translation in meters from the object's own axes to the world, unscaled."""
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = rotation_matrix(self.rotation), self.location
        return matrix

    def matrix(self) -> np.ndarray:
        """(4, 4) float64, model to world."""
        matrix = self.pose()
        matrix[:3, :3] *= self.scale
        return matrix


@dataclass(frozen=True)
class Light:
    """A lamp.

    Parameters
    ----------
    kind : "sun", "area" or "point"
        Type of the lamp.
    location, target : tuple of 3 floats
        Where the lamp is and the point it shines at, in meters.
    energy : float
        Power in W; for suns irradiance in W/m^2.
    size : float
        Width in meters; for suns the angular diameter in degrees.
    temperature : float
        Color temperature in kelvin.

    Examples
    --------
    >>> from blendmill import Light
    >>> Light("point", (0, 0, 2), (0, 0, 0), energy=100, size=0.1, temperature=5000).kind
    'point'
    """

    kind: LightKind
    location: Vector
    target: Vector
    energy: float
    size: float
    temperature: float


@dataclass(frozen=True)
class World:
    """The light of the environment.

    Parameters
    ----------
    hdri : str
        Asset id of an environment map. Empty for light of one color from all sides.
    rotation : float
        Turn of the map about z, in degrees.
    strength : float
        Factor on its light.
    color : tuple of 3 floats
        Linear RGB of the light where `hdri` is empty.

    Examples
    --------
    >>> from blendmill import World
    >>> World("studio:forest", rotation=90, strength=1).color
    (1.0, 1.0, 1.0)
    """

    hdri: str
    rotation: float
    strength: float
    color: Vector = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Background:
    """What is behind the objects.

    Parameters
    ----------
    kind : "hdri", "ground", "room", "image", "color", "white" or "none"
        "ground" is a large plane at z = 0 under the sky. "room" is a box with floor, walls and ceiling around the
        camera. "white" is plain display white with the objects' shadows on it.
    material : Material, optional
        Of the ground, or the floor of the room.
    walls : Material, optional
        Of the walls of the room.
    image : str
        Asset id of the picture, for "image".
    color : tuple of 3 floats
        RGB as displayed, for "color".
    shadow : bool
        Whether an invisible plane catches shadows, for "hdri", "image" and "white".
    size, center : tuple of 3 floats
        Size of the room and center of its floor, in meters.

    Examples
    --------
    >>> from blendmill import Background
    >>> Background("color", color=(0.2, 0.4, 0.8)).shadow
    False
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
    """What the camera does to the light. It is applied after the render and does not change labels.

    Parameters
    ----------
    metering : "average", "whole" or "none"
        "average" first scales the light so that its log-average becomes a middle gray, less if objects would burn out.
    exposure : float
        Brightness added after metering, in stops.
    tone : "standard" or "filmic"
        The sRGB curve, or a curve with a soft shoulder.
    white_balance : float
        Color temperature of neutral light, in kelvin. 6500 changes nothing.
    vignette : float
        Share of the light that is lost in the corners, 0 to 1.
    blur : float
        Sigma of the Gaussian blur, in pixels.
    noise : float
        Standard deviation of the read noise; full scale is 1.
    shot : float
        Standard deviation of the shot noise at full scale; full scale is 1.
    jpeg : int
        JPEG quality. 0 is lossless.
    balance : float
        Share of the picture's color cast that the camera removes by itself, 0 to 1.
    sharpening : float
        How much of the detail finer than about a pixel is added again.

    Examples
    --------
    >>> from blendmill import Sensor
    >>> Sensor(blur=0.5).white_balance
    6500.0
    """

    metering: Literal["average", "whole", "none"] = "none"
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


# Fields that give a position or a type. They are not reported as factors.
_PLACES = ("location", "target", "kind")


@dataclass(frozen=True)
class Scene:
    """Everything that decides one rendered picture. The same scene gives the same picture.

    Parameters
    ----------
    seed, index : int
        Seed of the data set and index of the picture.
    items : tuple of Item
        The objects; the main object comes first.
    world : World
        The light of the environment.
    lights : tuple of Light
        The lamps.
    camera : Camera
        The viewpoint.
    background : Background
        What is behind the objects.
    sensor : Sensor
        What the camera does to the light.
    surface : Surface, optional
        A cracked surface that fills the picture instead of objects.
    decal : Decal, optional
        A crack through the main object.
    next_camera : Camera, optional
        That of the next view of the scene, where the optical flow is drawn and there is a next view.
    next_poses : tuple of (location, rotation)
        Where the items are in that view, if they move; empty if they do not.
    baseline : float, optional
        Meters between the two cameras, for a picture of a stereo pair.

    Examples
    --------
    >>> from blendmill import Camera, Scene, Sensor
    >>> from scenes.record.scene import Background, World
    >>> camera = Camera((0, -2, 0), (0, 0, 0), 0, 50, 64, 64)
    >>> scene = Scene(0, 7, (), World("", 0, 1), (), camera, Background("none"), Sensor())
    >>> Scene.from_json(scene.to_json()) == scene
    True
    """

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
    next_camera: Camera | None = None
    next_poses: tuple[Pose, ...] = ()
    baseline: float | None = None

    @property
    def main(self) -> Item | None:
        """The main object; None if there is none."""
        return next((item for item in self.items if item.purpose == "main"), None)

    @property
    def side(self) -> float | None:
        """The side of the main object that is seen: azimuth of the camera from the object's own front, degrees."""
        if self.main is None:
            return None
        away = np.subtract(self.camera.location, self.main.location)
        x, y, _ = (rotation_matrix(self.main.rotation).T @ away).tolist()
        return math.degrees(math.atan2(x, -y)) % 360

    @property
    def cracked(self) -> bool:
        """Whether a crack is drawn, visible or not."""
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
        """Name and value of every factor. Lights and objects are named by kind, without a number."""
        yield from self.camera.factors()
        for name, value in (("world", self.world), ("sensor", self.sensor), ("background", self.background)):
            yield from leaves(name, value)
        yield "lights.count", float(len(self.lights))
        for light in self.lights:
            yield from leaves(f"lights.{light.kind}", {k: v for k, v in vars(light).items() if k not in _PLACES})
        yield "items.count", float(len(self.items))
        if (side := self.side) is not None:
            yield "items.main.side", side
        for item in self.items:
            yield f"items.{item.purpose}.scale", item.scale
            for material in item.materials.values():
                yield from material.factors()

    def assets(self) -> Iterator[str]:
        """Objects, textures, the HDRI, the background picture."""
        yield from (item.asset for item in self.items)
        places = [self.background.material, self.background.walls, self.surface.material if self.surface else None]
        materials = [*(material for item in self.items for material in item.materials.values()), *filter(None, places)]
        yield from (str(material.parameters["texture"]) for material in materials if "texture" in material.parameters)
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

"""From a config, a seed and an index to a Scene: a pure function, Blender-free, the same on every machine.

Every number below comes from a stream named after its factor, so factors do not disturb each other (see `streams`).
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Mapping

import numpy as np

from scenes.assets.catalogue import Catalogue
from scenes.config.objects import Config, Lamps
from scenes.config.surface import SurfaceFactor
from scenes.distributions import parse
from scenes.errors import InputError, choices
from scenes.record.record import CRACK
from scenes.record.scene import Background, BackgroundKind, Camera, Item, Light, LightKind, Scene, Sensor, Vector, World
from scenes.sampling.draw import TEXTURED, center_of, vector
from scenes.sampling.objects import ItemDraw
from scenes.sampling.placement import cross, direction, extent, framing_distance
from scenes.sampling.surface import SurfaceDraw
from scenes.streams import Recorder, Streams


class Sampler:
    """Draws the scenes of one config over one catalogue.

    classes: the class names in label order.
    """

    def __init__(self, config: Config, catalogue: Catalogue):
        self.config, self.catalogue = config, catalogue
        self._members = _known_classes(config, catalogue)
        cracked = config.surface is not None or config.objects.crack is not None
        self.classes = (CRACK,) if cracked else self._members
        self._overrides = {
            family: {name: parse(value) for name, value in parameters.items()}
            for family, parameters in config.material.parameters.items()
        }
        _check_assets(config, catalogue, self._members)

    def sample(self, seed: int, index: int, held: Mapping[str, float] | None = None) -> Scene:
        """The scene of (seed, index). held: quantiles that replace single factors' draws, by factor name."""
        return self._draw(Streams(seed, index, held)).scene()

    def portrait(self, asset: str, index: int) -> Scene:
        """A scene of one given asset as the main object, all other factors drawn."""
        return self._draw(Streams(0, index), asset).scene()

    def factors(self, seed: int, index: int) -> list[str]:
        """The names of the factors that decide the scene of (seed, index): what `held` may name."""
        recorder = Recorder(seed, index)
        self._draw(recorder).scene()
        return sorted(recorder.named)

    def _draw(self, streams: Streams, asset: str | None = None) -> _SceneDraw:
        return _SceneDraw(self.config, self.catalogue, self._members, self._overrides, streams, asset)


class _SceneDraw(ItemDraw, SurfaceDraw):
    """One whole scene in the making."""

    def scene(self) -> Scene:
        return self.object_scene() if self.config.surface is None else self.surface_scene(self.config.surface)

    def surface_scene(self, factor: SurfaceFactor) -> Scene:
        camera, surface = self.patch(factor)
        return Scene(
            seed=self.streams.seed,
            index=self.streams.index,
            items=(),
            world=self.world(),
            lights=tuple(self.lights(np.zeros(3), surface.frame()[:3, :3])),
            camera=camera,
            background=Background("hdri"),
            sensor=self.sensor(),
            surface=surface,
        )

    def object_scene(self) -> Scene:
        kind = self.value("background.kind", self.config.background.kind)
        items = self.members()
        camera = self.camera(items)
        items += self.occluder(items, camera)
        crack = self.config.objects.crack
        return Scene(
            seed=self.streams.seed,
            index=self.streams.index,
            items=tuple(items),
            world=self.world(),
            lights=tuple(self.lights(center_of(self.world_points(items[:1])))),
            camera=camera,
            background=self.background(kind, items, camera),
            sensor=self.sensor(),
            decal=None if crack is None else self.decal(crack, items[0], camera),
        )

    # Light -----------------------------------------------------------------------------------------------------

    def world(self) -> World:
        world = self.config.lighting.world
        return World(
            hdri=self.named("lighting.world.hdri", world.hdri, self.catalogue.hdris or ("",)),
            rotation=self.value("lighting.world.rotation", world.rotation),
            strength=self.value("lighting.world.strength", world.strength),
        )

    def lights(self, center: np.ndarray, frame: np.ndarray | None = None) -> list[Light]:
        """The lamps around a center; frame: (3, 3) from the axes they are given in to the world's."""
        lighting = self.config.lighting
        kinds: list[tuple[LightKind, Lamps]] = [
            ("sun", lighting.sun),
            ("area", lighting.area),
            ("point", lighting.point),
        ]
        return [
            self.lamp(kind, f"lighting.{kind}.{k}", lamps, center, frame)
            for kind, lamps in kinds
            for k in range(self.count(f"lighting.{kind}.count", lamps.count))
        ]

    def lamp(self, kind: LightKind, key: str, lamps: Lamps, center: np.ndarray, frame: np.ndarray | None) -> Light:
        way = direction(self.value(f"{key}.azimuth", lamps.azimuth), self.value(f"{key}.elevation", lamps.elevation))
        way = way if frame is None else frame @ way
        location = center + way * self.value(f"{key}.radius", lamps.radius)
        return Light(
            kind,
            vector(location),
            vector(center),
            self.value(f"{key}.energy", lamps.energy),
            self.value(f"{key}.size", lamps.size),
            self.value(f"{key}.temperature", lamps.temperature),
        )

    # Camera and background -------------------------------------------------------------------------------------

    def camera(self, items: list[Item]) -> Camera:
        factor = self.config.camera
        points = self.world_points([item for item in items if item.purpose != "clutter"])
        center = center_of(points)
        towards = direction(
            self.value("camera.azimuth", factor.azimuth), self.value("camera.elevation", factor.elevation)
        )
        focal = self.value("camera.focal_length", factor.focal_length)
        distance = self.distance(points, center, towards, focal)
        eye = center + towards * distance
        width, height = factor.resolution
        off = self.value("camera.jitter", factor.jitter) * distance * 18.0 / focal
        angle = 2 * math.pi * self.streams.quantile("camera.jitter.angle")
        right = cross(center - eye, (0.0, 0.0, 1.0))
        right /= max(float(np.linalg.norm(right)), 1e-9)
        up = cross(right, (center - eye) / distance)
        target = center + off / max(width, height) * (width * math.cos(angle) * right + height * math.sin(angle) * up)
        return Camera(
            location=vector(eye),
            target=vector(target),
            roll=self.value("camera.roll", factor.roll),
            focal_length=focal,
            width=width,
            height=height,
            fstop=self.value("camera.fstop", factor.fstop),
        )

    def distance(self, points: np.ndarray, center: np.ndarray, towards: np.ndarray, focal: float) -> float:
        factor = self.config.camera
        if factor.distance is not None:
            return self.value("camera.distance", factor.distance)
        share = self.value("camera.framing", factor.framing or _FRAMING)
        return framing_distance(points, center, towards, focal / 36.0, factor.resolution, share)

    def background(self, kind: BackgroundKind, items: list[Item], camera: Camera) -> Background:
        factor = self.config.background
        if kind in ("ground", "room"):
            surface = self.surface("background.ground", factor.ground)
            if kind == "ground":
                return Background(kind, material=surface)
            walls = self.surface("background.walls", factor.walls)
            size, center = self.room(items, camera)
            return Background(kind, material=surface, walls=walls, size=size, center=center)
        shadow = kind in ("hdri", "image") and bool(self.value("background.shadow", factor.shadow))
        if kind == "image":
            return Background(
                kind, image=self.named("background.image", factor.image, self.catalogue.images), shadow=shadow
            )
        if kind == "color":
            hsv = (self.value(f"background.{name}", getattr(factor, name)) for name in ("hue", "saturation", "value"))
            return Background(kind, color=colorsys.hsv_to_rgb(*hsv))
        return Background(kind, shadow=shadow)

    def room(self, items: list[Item], camera: Camera) -> tuple[Vector, Vector]:
        """Size and floor center of a room that holds all objects and the camera."""
        factor = self.config.background
        inside = np.concatenate([self.world_points(items), [camera.location]])
        low, high = extent(inside)
        drawn = np.array(
            [
                self.value(f"background.room_{name}", getattr(factor, f"room_{name}"))
                for name in ("width", "depth", "height")
            ]
        )
        size = np.maximum(drawn, (high - low) * 1.1 + 0.1)
        size[2] = max(drawn[2], high[2] * 1.1)
        # The free room is shared out at random, so that the objects are not always in the middle.
        slack = size[:2] - (high - low)[:2]
        offset = [self.streams.quantile(f"background.room_offset.{axis}") * 0.8 + 0.1 for axis in "xy"]
        center = low[:2] - slack * offset + size[:2] / 2
        return vector(size), (float(center[0]), float(center[1]), 0.0)

    def sensor(self) -> Sensor:
        factor = self.config.sensor
        return Sensor(
            metering=self.value("sensor.metering", factor.metering),
            exposure=self.value("sensor.exposure", factor.exposure),
            tone=self.value("sensor.tone", factor.tone),
            white_balance=self.value("sensor.white_balance", factor.white_balance),
            vignette=self.value("sensor.vignette", factor.vignette),
            blur=self.value("sensor.blur", factor.blur),
            noise=self.value("sensor.noise", factor.noise),
            shot=self.value("sensor.shot", factor.shot),
            jpeg=self.count("sensor.jpeg", factor.jpeg),
            balance=self.value("sensor.balance", factor.balance),
            sharpening=self.value("sensor.sharpening", factor.sharpening),
        )


_FRAMING = parse({"uniform": [0.45, 0.9]})


def _known_classes(config: Config, catalogue: Catalogue) -> tuple[str, ...]:
    if config.surface is not None:
        return (CRACK,)
    classes = config.classes or catalogue.classes
    for name in classes:
        if name not in catalogue.classes:
            raise InputError(f"field classes: no asset has the class '{name}', {choices(name, catalogue.classes)}")
    if not classes:
        raise InputError("field assets: there is no object to draw: set shapes above 0, or name a folder of models")
    return tuple(classes)


def _check_assets(config: Config, catalogue: Catalogue, classes: tuple[str, ...]) -> None:
    """Every asset that a distribution names must exist, and what is drawn evenly must not be empty."""
    named = [
        ("objects.category", config.objects.category, classes),
        ("lighting.world.hdri", config.lighting.world.hdri, ("", *catalogue.hdris)),
        ("material.texture", config.material.texture, catalogue.textures),
        ("background.image", config.background.image, catalogue.images),
    ]
    for field, distribution, known in named:
        for name in distribution.support() if distribution is not None else ():
            if name not in known:
                raise InputError(f"field {field}: no asset is called '{name}', {choices(name, known)}")
    surfaces = config.surface.family.support() if config.surface else ()
    families = {
        *surfaces,
        *config.material.family.support(),
        *config.background.ground.support(),
        *config.background.walls.support(),
    }
    if families & set(TEXTURED) and not catalogue.textures:
        raise InputError("field material.family: 'pbr' and 'image' need assets.textures to name a folder of textures")
    grounded = {"ground", "room"} & set(config.background.kind.support()) or True in config.background.shadow.support()
    if grounded and min(config.camera.elevation.support()) < 0:
        raise InputError(
            "field camera.elevation: below 0 the camera is under the ground; keep it above, or leave out the "
            "backgrounds ground and room and set background.shadow to false"
        )
    if "image" in config.background.kind.support() and not catalogue.images:
        raise InputError("field background.kind: 'image' needs assets.images to name a folder of pictures")

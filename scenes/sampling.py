"""From a config, a seed and an index to a Scene: a pure function, Blender-free, the same on every machine.

Every number below comes from a stream named after its factor, so factors do not disturb each other (see `streams`).
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from scenes.assets.catalogue import Catalogue
from scenes.assets.record import AssetInfo
from scenes.config import Config, Lamps
from scenes.distributions import Distribution, parse, whole
from scenes.errors import InputError, choices
from scenes.families import METRIC
from scenes.materials import draw, draw_role
from scenes.placement import (
    IDENTITY,
    Footprint,
    arrange,
    cross,
    direction,
    extent,
    framing_distance,
    free_quaternion,
    hidden_share,
    quaternion_product,
    yaw_quaternion,
)
from scenes.record import (
    Background,
    Camera,
    Item,
    Light,
    Material,
    Quaternion,
    Scene,
    Sensor,
    Vector,
    World,
    rotation_matrix,
)
from scenes.streams import Streams

TEXTURED = ("pbr", "image")


class Sampler:
    """Draws the scenes of one config over one catalogue.

    classes: the class names in label order.
    """

    def __init__(self, config: Config, catalogue: Catalogue):
        self.config, self.catalogue = config, catalogue
        self.classes = _known_classes(config, catalogue)
        self._overrides = {
            family: {name: parse(value) for name, value in parameters.items()}
            for family, parameters in config.material.parameters.items()
        }
        _check_assets(config, catalogue, self.classes)

    def sample(self, seed: int, index: int, held: Mapping[str, float] | None = None) -> Scene:
        """The scene of (seed, index). held: quantiles that replace single factors' draws, by factor name."""
        return _Draw(self, Streams(seed, index, held)).scene()

    def portrait(self, asset: str, index: int) -> Scene:
        """A scene of one given asset as the main object, all other factors drawn."""
        return _Draw(self, Streams(0, index), asset).scene()

    def factors(self, seed: int, index: int) -> list[str]:
        """The names of the factors that decide the scene of (seed, index): what `held` may name."""
        recorder = _Recorder(seed, index)
        _Draw(self, recorder).scene()
        return sorted(recorder.named)


class _Recorder(Streams):
    """Streams that remember which factors were asked for."""

    def __init__(self, seed: int, index: int):
        super().__init__(seed, index)
        self.named: set[str] = set()

    def quantile(self, factor: str) -> float:
        self.named.add(factor)
        return super().quantile(factor)


class _Draw:
    """One scene in the making."""

    def __init__(self, sampler: Sampler, streams: Streams, asset: str | None = None):
        self.config, self.catalogue, self.classes = sampler.config, sampler.catalogue, sampler.classes
        self.overrides, self.streams, self.asset = sampler._overrides, streams, asset

    def value(self, factor: str, distribution: Distribution) -> float:
        return distribution.at(self.streams.quantile(factor))

    def count(self, factor: str, distribution: Distribution) -> int:
        return whole(distribution, self.streams.quantile(factor))

    def pick(self, factor: str, options: tuple[str, ...]) -> str:
        return options[int(self.streams.quantile(factor) * len(options))]

    def named(self, factor: str, distribution: Distribution | None, options: tuple[str, ...]) -> str:
        """A name from a distribution, or evenly from all options where none is given."""
        return self.pick(factor, options) if distribution is None else distribution.at(self.streams.quantile(factor))

    def scene(self) -> Scene:
        kind = self.value("background.kind", self.config.background.kind)
        items = self.members()
        camera = self.camera(items)
        items += self.occluder(items, camera)
        return Scene(
            seed=self.streams.seed,
            index=self.streams.index,
            items=tuple(items),
            world=self.world(),
            lights=tuple(self.lights(_centre(self.world_points(items[:1])))),
            camera=camera,
            background=self.background(kind, items, camera),
            sensor=self.sensor(),
        )

    # Objects ---------------------------------------------------------------------------------------------------

    def members(self) -> list[Item]:
        objects = self.config.objects
        count = self.count("objects.count", objects.count)
        clutter = self.count("objects.clutter.count", objects.clutter.count)
        items = [
            self.member(k, "main" if k == 0 else "member" if k < count else "clutter") for k in range(count + clutter)
        ]
        if len(items) == 1:
            return items
        footprints = [self.footprint(item, f"objects.{k}") for k, item in enumerate(items)]
        placed = arrange(footprints, self.streams.generator("objects.arrangement"))
        shifts = [(new.x - old.x, new.y - old.y) for new, old in zip(placed, footprints, strict=True)]
        return [
            replace(item, location=(item.location[0] + dx, item.location[1] + dy, item.location[2]))
            for item, (dx, dy) in zip(items, shifts, strict=True)
        ]

    def member(self, k: int, purpose: str) -> Item:
        objects, key = self.config.objects, f"objects.{k}" if k else "objects"
        if purpose == "main" and self.asset is not None:
            info = self.catalogue.info(self.asset)
        else:
            category = self.named(f"{key}.category", objects.category, self.classes)
            info = self.catalogue.info(self.pick(f"{key}.instance", self.catalogue.assets(category)))
        scale = self.value(f"{key}.scale", objects.scale)
        if purpose == "clutter":
            scale *= self.value(f"{key}.clutter.scale", objects.clutter.scale)
        return self.placed(key, info, purpose, scale)

    def placed(self, key: str, info: AssetInfo, purpose: str, scale: float) -> Item:
        """An item turned and resting (or floating) over the origin."""
        if self.config.objects.size == "metric" and info.metres is not None:
            scale *= info.metres
        rotation = self.rotation(key, info)
        lowest = scale * float((info.hull @ rotation_matrix(rotation)[2]).min())
        height = -lowest
        if self.value(f"{key}.support", self.config.objects.support) == "floating":
            height += scale * self.value(f"{key}.lift", self.config.objects.lift)
        return Item(
            info.id,
            info.category,
            purpose,
            (0.0, 0.0, height),
            rotation,
            scale,
            self.materials(key, info),  # type: ignore[arg-type]
        )

    def rotation(self, key: str, info: AssetInfo) -> Quaternion:
        objects = self.config.objects
        mode = self.value(f"{key}.rotation", objects.rotation)
        if mode == "free":
            return free_quaternion(*(self.streams.quantile(f"{key}.rotation.{axis}") for axis in "uvw"))
        turn = yaw_quaternion(self.value(f"{key}.yaw", objects.yaw))
        if mode == "upright" or not info.stable:
            return turn
        u = self.streams.quantile(f"{key}.rotation.side") * sum(p for _, p in info.stable)
        for pose, probability in info.stable:
            u -= probability
            if u < 0:
                break
        return quaternion_product(turn, pose)

    def footprint(self, item: Item, key: str) -> Footprint:
        """The item's rectangle on the ground, turned with it where it stands upright, with its free room."""
        info = self.catalogue.info(item.asset)
        w, x, y, z = item.rotation
        upright = abs(x) < 1e-9 and abs(y) < 1e-9
        matrix = rotation_matrix(IDENTITY if upright else item.rotation)[:2]
        flat = item.scale * (info.hull @ matrix.T)
        low, high = extent(flat)
        cosine, sine = (w * w - z * z, 2 * w * z) if upright else (1.0, 0.0)
        cx, cy = (low + high) / 2
        room = 1 + self.value(f"{key}.spacing", self.config.objects.spacing)
        half_x, half_y = (high - low) / 2 * room
        return Footprint(
            item.location[0] + cosine * cx - sine * cy,
            item.location[1] + sine * cx + cosine * cy,
            float(half_x),
            float(half_y),
            cosine,
            sine,
        )

    def materials(self, key: str, info: AssetInfo) -> dict[str, Material]:
        factor = self.config.material
        base = f"material{key.removeprefix('objects')}"
        mode = self.value(f"{base}.mode", factor.mode)
        if mode == "whole":
            return {"*": self.replacement(base)}
        roles = info.distinct_roles
        if mode == "per_part":
            return {role: self.replacement(f"{base}.{role}") for role in roles}
        return {role: draw_role(role, self.streams, f"{base}.{role}") for role in roles}

    def replacement(self, key: str) -> Material:
        family = self.value(f"{key}.family", self.config.material.family)
        return self.dressed(family, key)

    def surface(self, key: str, families: Distribution) -> Material:
        """The material of a ground or wall, where features are sized in metres."""
        return self.dressed(self.value(key, families), key, metric=True)

    def dressed(self, family: str, key: str, metric: bool = False) -> Material:
        sized = METRIC.get(family, {}) if metric else {}
        material = draw(family, self.streams, key, {**sized, **self.overrides.get(family, {})})
        if family not in TEXTURED:
            return material
        texture = self.named(f"{key}.texture", self.config.material.texture, self.catalogue.textures)
        return Material(family, {**material.parameters, "texture": texture})

    def world_points(self, items: list[Item]) -> np.ndarray:
        """(n, 3) world positions of the items' hulls."""
        clouds = []
        for item in items:
            hull = self.catalogue.info(item.asset).hull
            clouds.append(item.scale * (hull @ rotation_matrix(item.rotation).T) + item.location)
        return np.concatenate(clouds)

    def occluder(self, items: list[Item], camera: Camera) -> list[Item]:
        """One item between the camera and the main one, moved sideways until it hides the share asked for."""
        settings = self.config.objects.occluder
        if not self.value("objects.occluder.present", settings.present):
            return []
        wanted = 1 - self.value("objects.occluder.visibility", settings.visibility)
        key = "objects.occluder"
        category = self.pick(f"{key}.category", self.classes)
        info = self.catalogue.info(self.pick(f"{key}.instance", self.catalogue.assets(category)))
        main = items[0]
        item = self.placed(key, info, "occluder", main.scale * (0.5 + 0.5 * self.streams.quantile(f"{key}.scale")))
        behind = self.world_points([main])
        eye, centre = np.array(camera.location), _centre(behind)
        view = centre - eye
        size = float(np.linalg.norm(view))
        # Half way, but clear of both: of the main object by the two radii, of the camera by its own.
        gap = (main.scale + item.scale) / 2
        share = min(0.55, max(0.25, 1 - gap / max(size, 1e-9)))
        at = eye + view * share
        sideways = cross(view / size, (0.0, 0.0, 1.0))
        sideways /= max(float(np.linalg.norm(sideways)), 1e-9)
        if self.streams.quantile(f"{key}.side") < 0.5:
            sideways = -sideways
        own = self.world_points([item])
        base = np.array([at[0] - item.location[0], at[1] - item.location[1], 0.0])
        if float(np.ptp(own[:, 2])) + own[:, 2].min() < at[2]:
            # A thing on the ground that ends below the line of sight hides nothing: let it float into the way.
            base[2] = at[2] - _centre(own)[2]
        low, high = 0.0, main.scale + item.scale
        for _ in range(12):
            middle = (low + high) / 2
            hides = hidden_share(camera, behind, own + base + sideways * middle) > wanted
            low, high = (middle, high) if hides else (low, middle)
        shift = base + sideways * high
        x, y, z = item.location
        return [replace(item, location=(x + float(shift[0]), y + float(shift[1]), z + float(shift[2])))]

    # Light -----------------------------------------------------------------------------------------------------

    def world(self) -> World:
        world = self.config.lighting.world
        return World(
            hdri=self.named("lighting.world.hdri", world.hdri, self.catalogue.hdris or ("",)),
            rotation=self.value("lighting.world.rotation", world.rotation),
            strength=self.value("lighting.world.strength", world.strength),
        )

    def lights(self, centre: np.ndarray) -> list[Light]:
        lighting = self.config.lighting
        kinds: list[tuple[str, Lamps]] = [("sun", lighting.sun), ("area", lighting.area), ("point", lighting.point)]
        return [
            self.lamp(kind, f"lighting.{kind}.{k}", lamps, centre)
            for kind, lamps in kinds
            for k in range(self.count(f"lighting.{kind}.count", lamps.count))
        ]

    def lamp(self, kind: str, key: str, lamps: Lamps, centre: np.ndarray) -> Light:
        way = direction(self.value(f"{key}.azimuth", lamps.azimuth), self.value(f"{key}.elevation", lamps.elevation))
        location = centre + way * self.value(f"{key}.radius", lamps.radius)
        return Light(
            kind,  # type: ignore[arg-type]
            _vector(location),
            _vector(centre),
            self.value(f"{key}.energy", lamps.energy),
            self.value(f"{key}.size", lamps.size),
            self.value(f"{key}.temperature", lamps.temperature),
        )

    # Camera and background -------------------------------------------------------------------------------------

    def camera(self, items: list[Item]) -> Camera:
        factor = self.config.camera
        points = self.world_points([item for item in items if item.purpose != "clutter"])
        centre = _centre(points)
        towards = direction(
            self.value("camera.azimuth", factor.azimuth), self.value("camera.elevation", factor.elevation)
        )
        focal = self.value("camera.focal_length", factor.focal_length)
        distance = self.distance(points, centre, towards, focal)
        eye = centre + towards * distance
        width, height = factor.resolution
        off = self.value("camera.jitter", factor.jitter) * distance * 18.0 / focal
        angle = 2 * math.pi * self.streams.quantile("camera.jitter.angle")
        right = cross(centre - eye, (0.0, 0.0, 1.0))
        right /= max(float(np.linalg.norm(right)), 1e-9)
        up = cross(right, (centre - eye) / distance)
        target = centre + off / max(width, height) * (width * math.cos(angle) * right + height * math.sin(angle) * up)
        return Camera(
            location=_vector(eye),
            target=_vector(target),
            roll=self.value("camera.roll", factor.roll),
            focal_length=focal,
            width=width,
            height=height,
            fstop=self.value("camera.fstop", factor.fstop),
        )

    def distance(self, points: np.ndarray, centre: np.ndarray, towards: np.ndarray, focal: float) -> float:
        factor = self.config.camera
        if factor.distance is not None:
            return self.value("camera.distance", factor.distance)
        share = self.value("camera.framing", factor.framing or _FRAMING)
        return framing_distance(points, centre, towards, focal / 36.0, factor.resolution, share)

    def background(self, kind: str, items: list[Item], camera: Camera) -> Background:
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
        return Background(kind, shadow=shadow)  # type: ignore[arg-type]

    def room(self, items: list[Item], camera: Camera) -> tuple[Vector, Vector]:
        """Size and floor centre of a room that holds all objects and the camera."""
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
        return _vector(size), (float(center[0]), float(center[1]), 0.0)

    def sensor(self) -> Sensor:
        factor = self.config.sensor
        return Sensor(
            metering=self.value("sensor.metering", factor.metering),  # type: ignore[arg-type]
            exposure=self.value("sensor.exposure", factor.exposure),
            tone=self.value("sensor.tone", factor.tone),  # type: ignore[arg-type]
            white_balance=self.value("sensor.white_balance", factor.white_balance),
            vignette=self.value("sensor.vignette", factor.vignette),
            blur=self.value("sensor.blur", factor.blur),
            noise=self.value("sensor.noise", factor.noise),
            shot=self.value("sensor.shot", factor.shot),
            jpeg=self.count("sensor.jpeg", factor.jpeg),
        )


_FRAMING = parse({"uniform": [0.45, 0.9]})


def _vector(array: np.ndarray) -> Vector:
    return (float(array[0]), float(array[1]), float(array[2]))


def _centre(points: np.ndarray) -> np.ndarray:
    low, high = extent(points)
    return (low + high) / 2


def _known_classes(config: Config, catalogue: Catalogue) -> tuple[str, ...]:
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
    families = {
        *config.material.family.support(),
        *config.background.ground.support(),
        *config.background.walls.support(),
    }
    if families & set(TEXTURED) and not catalogue.textures:
        raise InputError("field material.family: 'pbr' and 'image' need assets.textures to name a folder of textures")
    grounded = {"ground", "room"} & set(config.background.kind.support()) or True in config.background.shadow.support()
    if grounded and min(config.camera.elevation.support()) < 0:
        raise InputError(
            "field camera.elevation: below 0 the camera is under the ground; keep it above, or leave out the backgrounds "
            "ground and room and set background.shadow to false"
        )
    if "image" in config.background.kind.support() and not catalogue.images:
        raise InputError("field background.kind: 'image' needs assets.images to name a folder of pictures")

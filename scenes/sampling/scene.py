"""From a config, a seed and an index to a Scene: a pure function, Blender-free, the same on every machine.
Only piles are the same on machines with one kind of processor and one release of MuJoCo (see `scenes.sampling.pile`).

Every number below comes from a stream named after its factor, so factors do not disturb each other (see `streams`).
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import chain

import numpy as np

from scenes.assets.catalogue import Catalogue
from scenes.config.objects import Config
from scenes.names import Names
from scenes.record.camera import Camera
from scenes.record.material import Vector
from scenes.record.record import CRACK
from scenes.record.scene import Background, Item, Light, LightKind, Scene, Sensor, World
from scenes.sampling.agreement import check_assets, check_class_names, check_poses, known_classes
from scenes.sampling.cameras import camera_of, following
from scenes.sampling.draw import Draw, center_of, factors_of, vector
from scenes.sampling.objects import main_class, members
from scenes.sampling.occluder import occluder
from scenes.sampling.placement import direction, extent
from scenes.sampling.poses import read_poses
from scenes.sampling.shares import within_limits, within_limits_of_all
from scenes.sampling.surface import decal, patch
from scenes.section import Drawn
from scenes.streams import Recorder, Streams

_RENAMED = Config.renamed()


class Sampler:
    """Draws the scenes of one config from one catalogue. The attribute `classes` has the classes in label order.

    Parameters
    ----------
    config : Config
        The distribution of each factor.
    catalogue : Catalogue
        The available assets.

    Raises
    ------
    InputError
        The config names an asset or a class that the catalogue lacks, or its fields contradict each other.

    Examples
    --------
    >>> from pathlib import Path
    >>> from blendmill import Catalogue, Config, Sampler
    >>> catalogue = Catalogue(shapes={"mug": 1}, cache=Path("cache"))
    >>> Sampler(Config(), catalogue).sample(seed=0, index=0).main.category
    'mug'
    """

    def __init__(self, config: Config, catalogue: Catalogue):
        self.config, self.catalogue = config, catalogue
        self._members = known_classes(config, catalogue)
        cracked = config.surface is not None or config.objects.crack is not None
        self.classes = (CRACK,) if cracked else self._members
        check_class_names(config, catalogue)
        self._factors = factors_of(config)
        for name in ("", *(name for name in config.by_class if name in self._members)):
            check_assets(self._factors[name].config, catalogue, self._members)
        self._poses = read_poses(config.camera.poses, config.camera.resolution)
        for held in self._factors.values():
            check_poses(held.config, self._poses)

    def sample(self, seed: int, index: int, fixed_quantiles: Mapping[str, float] | None = None) -> Scene:
        """The scene of (seed, index). fixed_quantiles: numbers in [0, 1) that replace random draws, by factor name."""
        return _scene(self._draw(lambda index: Streams(seed, index, fixed_quantiles, _RENAMED), index))

    def portrait(self, asset: str, index: int) -> Scene:
        """A scene whose main object is the given asset. All other factors are drawn."""
        return _scene(self._draw(lambda index: Streams(0, index, None, _RENAMED), index, asset))

    def factors(self, seed: int, index: int) -> list[str]:
        """The names of the factors that decide the scene of (seed, index): what `fixed_quantiles` may name."""
        recorders: list[Recorder] = []

        def recorder(index: int) -> Recorder:
            recorders.append(Recorder(seed, index, _RENAMED))
            return recorders[-1]

        _scene(self._draw(recorder, index))
        return sorted(set().union(*(one.named for one in recorders)))

    def _draw(self, streams: Callable[[int], Streams], index: int, asset: str | None = None) -> Draw:
        # Views of one scene share its streams, and each has its own for the camera.
        count, view = self.config.camera.pictures, streams(index)
        scene = view if count == 1 else streams(index // count)
        return Draw(self._factors, self.catalogue, self._members, scene, view, self._poses, asset)


def _scene(draw: Draw) -> Scene:
    return _object_scene(draw) if draw.config.surface is None else _surface_scene(draw)


def _surface_scene(draw: Draw) -> Scene:
    camera, surface = patch(draw)
    return Scene(
        seed=draw.streams.seed,
        index=draw.view.index,
        items=(),
        world=_world(draw),
        lights=tuple(_lights(draw, np.zeros(3), surface.frame()[:3, :3])),
        camera=camera,
        background=Background("hdri"),
        sensor=_sensor(draw),
        surface=surface,
    )


def _object_scene(draw: Draw) -> Scene:
    draw = draw.of_class(main_class(draw))
    items, moving = members(draw)
    camera = camera_of(draw, items)
    items += occluder(draw, items, camera)
    held = draw.config.camera
    if held.pictures > 1:
        items = within_limits_of_all(draw, items, [camera_of(view, items) for view in draw.views])
    items, camera = within_limits(draw, items, camera)
    after = following(draw) if draw.config.render.flow else None
    return Scene(
        seed=draw.streams.seed,
        index=draw.view.index,
        items=tuple(_shown(draw, moving) or items),
        world=_world(draw),
        lights=tuple(_lights(draw, center_of(draw.world_points(items[:1])))),
        camera=camera,
        background=_background(draw, [*items, *chain(*moving)], camera),
        sensor=_sensor(draw, film=bool(moving)),
        decal=None if draw.config.objects.crack is None else decal(draw, items[0], camera),
        next_camera=None if after is None else camera_of(after, items),
        next_poses=() if after is None else tuple((item.location, item.rotation) for item in _shown(after, moving)),
        baseline=None if held.stereo is None else held.stereo.baseline,
    )


def _shown(draw: Draw, moving: list[list[Item]]) -> list[Item]:
    """What a view of a film shows, by the items of its views; nothing if there is no film."""
    return moving[draw.place // draw.config.camera.eyes] if moving else []


# Light ---------------------------------------------------------------------------------------------------------


def _world(draw: Draw) -> World:
    world = draw.section("lighting").section("world")
    return World(
        hdri=world.one_of("hdri", draw.catalogue.hdris or Names([""])),
        rotation=world["rotation"],
        strength=world["strength"],
    )


def _lights(draw: Draw, center: np.ndarray, frame: np.ndarray | None = None) -> list[Light]:
    """The lamps around a center; frame: (3, 3) from the axes they are given in to the world's."""
    lighting = draw.section("lighting")
    kinds: tuple[LightKind, ...] = ("sun", "area", "point")
    return [
        _lamp(kind, lighting.section(kind, k), center, frame)
        for kind in kinds
        for k in range(lighting.section(kind)["count"])
    ]


def _lamp(kind: LightKind, lamp: Drawn, center: np.ndarray, frame: np.ndarray | None) -> Light:
    way = direction(lamp["azimuth"], lamp["elevation"])
    way = way if frame is None else frame @ way
    location = center + way * lamp["radius"]
    return Light(kind, vector(location), vector(center), lamp["energy"], lamp["size"], lamp["temperature"])


# Background ----------------------------------------------------------------------------------------------------


def _background(draw: Draw, items: list[Item], camera: Camera) -> Background:
    drawn = draw.section("background")
    kind = drawn["kind"]
    if kind in ("ground", "room"):
        surface = draw.dressed("background", drawn["ground"], drawn.path("ground"))
        if kind == "ground":
            return Background(kind, material=surface)
        walls = draw.dressed("background", drawn["walls"], drawn.path("walls"))
        size, center = _room(draw, drawn, items, camera)
        return Background(kind, material=surface, walls=walls, size=size, center=center)
    if kind == "color":
        return Background(kind, color=colorsys.hsv_to_rgb(drawn["hue"], drawn["saturation"], drawn["value"]))
    shadow = kind in ("hdri", "image", "white") and drawn["shadow"]
    if kind == "image":
        return Background(kind, image=drawn.one_of("image", draw.catalogue.images), shadow=shadow)
    return Background(kind, shadow=shadow)


def _room(draw: Draw, drawn: Drawn, items: list[Item], camera: Camera) -> tuple[Vector, Vector]:
    """Size and floor center of a room that holds all objects and the cameras of all views."""
    others = [other for other in draw.views if other is not draw]
    eyes = [camera.location, *(camera_of(other, items).location for other in others)]
    inside = np.concatenate([draw.world_points(items), eyes])
    low, high = extent(inside)
    wanted = np.array([drawn["room_width"], drawn["room_depth"], drawn["room_height"]])
    size = np.maximum(wanted, (high - low) * 1.1 + 0.1)
    size[2] = max(wanted[2], high[2] * 1.1)
    # The free room is shared out at random, so that the objects are not always in the middle.
    slack = size[:2] - (high - low)[:2]
    offset = [drawn.quantile(f"room_offset.{axis}") * 0.8 + 0.1 for axis in "xy"]
    center = low[:2] - slack * offset + size[:2] / 2
    return vector(size), (float(center[0]), float(center[1]), 0.0)


def _sensor(draw: Draw, film: bool = False) -> Sensor:
    sensor = Sensor(**draw.section("sensor"))
    return replace(sensor, metering="whole") if film and sensor.metering == "average" else sensor

"""Tools to draw every part of a scene: the config's values, materials, points in the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scenes.assets.catalogue import Catalogue
from scenes.config.material import parsed
from scenes.config.objects import Config
from scenes.distributions import Distribution
from scenes.materials.families import METRIC, TEXTURED
from scenes.materials.roles import draw_family
from scenes.names import Names
from scenes.record.material import Material, Vector
from scenes.record.scene import Item, rotation_matrix
from scenes.sampling.placement import extent
from scenes.sampling.poses import Poses
from scenes.section import Drawn
from scenes.streams import Streams


@dataclass(frozen=True)
class Factors:
    """The config that holds for a class. parameters: of materials, their distributions by section, family and name."""

    config: Config
    parameters: Mapping[str, Mapping[str, Mapping[str, Distribution]]]


def factors_of(config: Config) -> dict[str, Factors]:
    """The factors of each class that has its own; under "" those of all other classes."""
    return {name: _factors(config.of_class(name)) for name in ("", *config.by_class)}


def _factors(config: Config) -> Factors:
    dressed = {"material": config.material, "background": config.background, "surface": config.surface}
    return Factors(config, {name: {} if part is None else parsed(part.parameters) for name, part in dressed.items()})


@dataclass(frozen=True)
class Draw:
    """Everything that one scene is drawn from.

    factors: as `factors_of` gives them. classes: the possible classes of objects. streams: of the scene. view: of the
    picture, for what the camera alone decides; a scene may have several views. poses: given poses of the camera. asset:
    id of the main object; None draws one. category: the class whose factors hold.
    """

    factors: Mapping[str, Factors]
    catalogue: Catalogue
    classes: Names
    streams: Streams
    view: Streams
    poses: Poses
    asset: str | None = None
    category: str = ""

    @property
    def config(self) -> Config:
        """The config that holds for the class."""
        return self._held.config

    @property
    def _held(self) -> Factors:
        return self.factors.get(self.category) or self.factors[""]

    @property
    def views(self) -> list[Draw]:
        """The same for each picture of the scene, in order."""
        return [self.at(place) for place in range(self.config.camera.pictures)]

    @property
    def place(self) -> int:
        """The number of the picture among those of its scene, from 0."""
        return self.view.index % self.config.camera.pictures

    def at(self, place: int) -> Draw:
        """The same for another picture of the scene."""
        moved = place - self.place
        return replace(self, view=self.view.at(self.view.index + moved)) if moved else self

    @property
    def first_camera(self) -> Drawn:
        """The values of the camera of the scene's first view."""
        return self.at(0).section("camera")

    def of_class(self, category: str) -> Draw:
        """The same, with the factors of a class."""
        return self if category == self.category else replace(self, category=category)

    def section(self, name: str) -> Drawn:
        """The values of one of the config's sections."""
        return self.config.draw(self.view if name == "camera" else self.streams).section(name)

    def lens(self) -> dict[str, Any]:
        """The fields of the camera that make its intrinsics, and its aperture."""
        camera = self.section("camera")
        width, height = self.config.camera.resolution
        held = self.config.camera
        given, bent = (
            (self.poses.lens, self.poses.distortion) if held.intrinsics is None else (held.intrinsics, held.distortion)
        )
        lens = {"focal_length": camera["focal_length"]} if given is None else given.lens((width, height))
        if given is not None and bent is not None:
            lens["distortion"] = bent.fitted(given, (width, height))
        return {**lens, "width": width, "height": height, "fstop": camera["fstop"]}

    def replacement(self, key: str, *kinds: str) -> Material:
        """A material of one of the config's families. kinds: the role of the part and the class, as far as known."""
        held = self.config.material
        folders = next((held.textures[kind] for kind in (*kinds, "*") if kind in held.textures), None)
        return self.dressed("material", held.draw(self.streams, key)["family"], key, folders)

    def dressed(self, section: str, family: str, key: str, folders: tuple[str, ...] | None = None) -> Material:
        """A material of a family. section: of the config, whose fields `parameters` and `texture` hold for it.

        folders: of the textures that may be chosen; None for all.
        """
        # Features of objects are sized by the object, those of grounds, walls and surfaces in meters.
        sized = {} if section == "material" else METRIC.get(family, {})
        material = draw_family(family, self.streams, key, {**sized, **self._held.parameters[section].get(family, {})})
        if family not in TEXTURED:
            return material
        known: Names = self.catalogue.textures
        chosen = known if folders is None else known.below(folders)
        texture = getattr(self.config, section).draw(self.streams, key).one_of("texture", chosen)
        return Material(family, {**material.parameters, "texture": texture})

    def world_points(self, items: list[Item]) -> np.ndarray:
        """(n, 3) world positions of the items' hulls."""
        clouds = []
        for item in items:
            hull = self.catalogue.info(item.asset).hull
            clouds.append(item.scale * (hull @ rotation_matrix(item.rotation).T) + item.location)
        return np.concatenate(clouds)


def vector(array: np.ndarray) -> Vector:
    return (float(array[0]), float(array[1]), float(array[2]))


def center_of(points: np.ndarray) -> np.ndarray:
    low, high = extent(points)
    return (low + high) / 2

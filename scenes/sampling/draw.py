"""What every part of a scene is drawn with: named values from streams, materials, points in the world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scenes.assets.catalogue import Catalogue
from scenes.config.objects import Config
from scenes.distributions import Distribution, Fixed, whole
from scenes.materials.families import METRIC
from scenes.materials.roles import draw
from scenes.record.scene import Item, Material, Vector, rotation_matrix
from scenes.sampling.placement import extent
from scenes.streams import Streams

TEXTURED = ("pbr", "image")


class Draw:
    """One scene in the making: values of factors from their streams, materials, positions in the world."""

    def __init__(
        self,
        config: Config,
        catalogue: Catalogue,
        classes: tuple[str, ...],
        overrides: Mapping[str, Mapping[str, Distribution]],
        streams: Streams,
        asset: str | None = None,
    ):
        """overrides: material parameters by family and name. asset: the main object's, instead of a drawn one."""
        self.config, self.catalogue, self.classes = config, catalogue, classes
        self.overrides, self.streams, self.asset = overrides, streams, asset

    def value(self, factor: str, distribution: Distribution) -> Any:
        # What is fixed needs no quantile, and sampling is mostly drawing quantiles.
        return distribution.value if isinstance(distribution, Fixed) else distribution.at(self.streams.quantile(factor))

    def count(self, factor: str, distribution: Distribution) -> int:
        return (
            int(distribution.value)
            if isinstance(distribution, Fixed)
            else whole(distribution, self.streams.quantile(factor))
        )

    def pick(self, factor: str, options: tuple[str, ...]) -> str:
        return options[int(self.streams.quantile(factor) * len(options))]

    def named(self, factor: str, distribution: Distribution | None, options: tuple[str, ...]) -> str:
        """A name from a distribution, or evenly from all options where none is given."""
        return self.pick(factor, options) if distribution is None else str(self.value(factor, distribution))

    def replacement(self, key: str) -> Material:
        family = self.value(f"{key}.family", self.config.material.family)
        return self.dressed(family, key)

    def surface(self, key: str, families: Distribution) -> Material:
        """The material of a ground or wall, where features are sized in meters."""
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


def vector(array: np.ndarray) -> Vector:
    return (float(array[0]), float(array[1]), float(array[2]))


def center_of(points: np.ndarray) -> np.ndarray:
    low, high = extent(points)
    return (low + high) / 2

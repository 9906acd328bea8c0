"""Places the occluder: one object between the camera and the main object that hides a given share of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.projection import Triangles, depth_map, seen_triangles, silhouette
from scenes.record.camera import Camera, cross
from scenes.record.scene import Item
from scenes.sampling.draw import Draw, center_of, vector
from scenes.sampling.objects import instance_of, placed
from scenes.sampling.placement import extent, project, quaternion_product, yaw_quaternion

# Depth of the occluder's center as shares of the main object's depth, the preferred one first.
_SHARES = (0.55, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15)
# Sizes to try, as shares of the drawn size: smaller ones where there is too little room, then larger ones for what is
# too thin or too open to hide so much.
_SIZES = (*(0.8**k for k in range(12)), *(0.8**-k for k in range(1, 7)))
# The occluder's nearest and farthest depth, as shares of the depth at which the main object begins.
_ROOM = (0.05, 0.98)
# How far above and below the main object's center the occluder aims, as a share of the object's height.
_ASIDE = 0.25
# Cells over the main object, along the longer side of its box, in which visible and hidden are counted.
_CELLS = 56
# A hidden share is right if it is off by no more than this.
_CLOSE = 0.003


def occluder(draw: Draw, items: list[Item], camera: Camera) -> list[Item]:
    """One object between the camera and the main object, moved sideways until it hides the wanted share.

    The list is empty where the config asks for none, where the main object surrounds the camera, and where nothing of
    it is in the picture.
    """
    settings = draw.section("objects").section("occluder")
    if not settings["present"]:
        return []
    objects = draw.config.objects.draw(draw.streams, settings.key)
    category = objects.choose("category", draw.classes)
    scale = items[0].scale * (0.5 + 0.5 * objects.quantile("scale"))
    item = placed(draw, settings.key, instance_of(draw, objects, category), "occluder", scale)
    target = _Target.of(draw, items, camera)
    if target is None:
        return []
    wanted = 1 - settings["visibility"]
    found = _in_front(draw, item, target, wanted)
    return [] if found is None else [_moved_aside(draw, found, target, wanted, settings.quantile("side") < 0.5)]


@dataclass(frozen=True)
class _Target:
    """The main object as the camera sees it, on a grid of cells over that part of its box that is in the picture.

    points: (n, 3) its hull in the world. low, zoom: the grid's corner in pixels, and cells per pixel. whole: the number
    of cells that the object fills. free: (h, w) those of them that no other object hides.
    """

    main: Item
    camera: Camera
    points: NDArray[np.float64]
    low: NDArray[np.float64]
    zoom: float
    whole: int
    free: NDArray[np.bool_]

    @staticmethod
    def of(draw: Draw, items: list[Item], camera: Camera) -> _Target | None:
        """None where nothing of the main object is in the picture, or it reaches behind the camera."""
        points = draw.world_points(items[:1])
        flat, depth = project(camera, points)
        low, high = extent(flat)
        low, high = np.maximum(low, 0), np.minimum(high, [camera.width, camera.height])
        if depth.min() <= camera.near or (high <= low).any():
            return None
        zoom = _CELLS / float((high - low).max())
        shape = tuple(np.ceil((high - low) * zoom).astype(int)[::-1])
        bare = _Target(items[0], camera, points, low, zoom, 0, np.zeros(shape, bool))
        main = bare.depth(draw, items[0])
        before = np.min([bare.depth(draw, item) for item in items[1:]], axis=0, initial=np.inf)
        whole = int(np.isfinite(main).sum())
        return replace(bare, whole=whole, free=np.isfinite(main) & (main < before)) if whole else None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the grid in cells."""
        return self.free.shape[1], self.free.shape[0]

    def triangles(self, draw: Draw, item: Item) -> Triangles:
        """The triangles of an item, in cells."""
        triangles = seen_triangles(self.camera, item, draw.catalogue.model(item.asset))
        triangles.points[:2] = (triangles.points[:2] - self.low[:, None]) * self.zoom
        return triangles

    def depth(self, draw: Draw, item: Item) -> NDArray[np.float64]:
        return depth_map(self.triangles(draw, item), self.size)

    def hidden(self, draw: Draw, item: Item) -> float:
        """The share of the main object that the item and the other objects hide."""
        left = self.free & ~silhouette(self.triangles(draw, item), self.size)
        return 1 - float(left.sum()) / self.whole

    def most_hidden(self, points: NDArray[np.float64]) -> float:
        """The share that would be hidden if an item filled its hull, with points (n, 3): more it cannot hide."""
        outline = cv2.convexHull(((project(self.camera, points)[0] - self.low) * self.zoom).astype(np.float32))
        filled = np.zeros(self.free.shape, np.uint8)
        cv2.fillConvexPoly(filled, np.round(outline).astype(np.int32), 1)
        return 1 - float((self.free & (filled == 0)).sum()) / self.whole


def _in_front(draw: Draw, item: Item, target: _Target, wanted: float) -> Item | None:
    """The occluder in front of the main object's center, wholly between the object and the camera.

    Size and depth are the first ones at which it hides at least the wanted share, otherwise those at which it hides
    most. An object that is too thin as it stands is turned by 90 degrees. None where no size fits.
    """
    best, most = None, -1.0
    for turned in (item, replace(item, rotation=quaternion_product(yaw_quaternion(90), item.rotation))):
        others = []
        for candidate, points in _candidates(draw, turned, target):
            bound = target.most_hidden(points)
            if bound < wanted:
                others.append((bound, candidate))
                continue
            hides = target.hidden(draw, candidate)
            if hides > most:
                best, most = candidate, hides
            if hides >= wanted:
                return best
        for bound, candidate in sorted(others, key=lambda one: -one[0]):
            if bound <= most:
                break
            hides = target.hidden(draw, candidate)
            if hides > most:
                best, most = candidate, hides
    return best


def _candidates(draw: Draw, item: Item, target: _Target) -> Iterator[tuple[Item, NDArray[np.float64]]]:
    """The places and sizes that fit before the main object, the preferred one first, each with its hull (n, 3)."""
    eye, forward = np.array(target.camera.location), target.camera.world_to_camera()[2, :3]
    sight = center_of(target.points) - eye
    begins = float(((target.points - eye) @ forward).min())
    # Not every object hides most where it is centered, so its middle is aimed a bit above and below the center, too.
    up = np.array([0.0, 0.0, _ASIDE * np.ptp(target.points[:, 2])])
    for size in _SIZES:
        smaller = replace(item, scale=size * item.scale, location=vector(size * np.array(item.location)))
        own = draw.world_points([smaller])
        for aim in (sight, sight + up, sight - up):
            for share in _SHARES:
                for shift in _shifts(own, eye + share * aim, above=eye[2] > 0):
                    depth = (own + shift - eye) @ forward
                    if depth.min() >= _ROOM[0] * begins and depth.max() <= _ROOM[1] * begins:
                        yield replace(smaller, location=vector(np.array(smaller.location) + shift)), own + shift


def _shifts(own: NDArray[np.float64], at: NDArray[np.float64], above: bool) -> list[NDArray[np.float64]]:
    """Moves that bring an item's points (n, 3) to a point on the line of sight: on the ground if it reaches the point
    from there, and centered on it.

    above: whether the camera is above the ground. It would see the ground, so nothing may stick in it.
    """
    low, high = extent(own)
    centered = at - (low + high) / 2
    standing = np.array([centered[0], centered[1], 0.0])
    raised = np.maximum(centered, [-np.inf, -np.inf, -low[2]]) if above else centered
    return [standing, raised] if low[2] <= at[2] <= high[2] else [raised]


def _moved_aside(draw: Draw, item: Item, target: _Target, wanted: float, left: bool) -> Item:
    """The occluder moved horizontally across the view until it hides no more than the wanted share."""
    aside = cross(target.camera.world_to_camera()[2, :3], (0.0, 0.0, 1.0))
    length = float(np.linalg.norm(aside))
    aside = aside / length if length > 1e-9 else np.array([1.0, 0.0, 0.0])
    if left:
        aside = -aside

    def at(distance: float) -> Item:
        return replace(item, location=vector(np.array(item.location) + aside * distance))

    low, high = 0.0, target.main.scale + item.scale
    for _ in range(12):
        middle = (low + high) / 2
        off = target.hidden(draw, at(middle)) - wanted
        if abs(off) < _CLOSE:
            return at(middle)
        low, high = (middle, high) if off > 0 else (low, middle)
    return at(high)

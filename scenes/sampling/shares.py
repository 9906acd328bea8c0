"""Keeps the main object large enough in the picture, and larger than the clutter.

Both are measured on the objects' own triangles, as the camera sees them. Nothing is drawn at random here. So the limits
move no picture that is within them. Most pictures are far within them: a glance at coarse copies of the objects tells.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.mesh import Geometry, Model
from scenes.projection import depth_map, seen_triangles
from scenes.record.camera import Camera
from scenes.record.scene import Item
from scenes.sampling.draw import Draw, center_of, vector
from scenes.sampling.placement import extent

# Larger pictures are measured at this many pixels along the longer side. Small ones are measured exactly.
_SIDE = 128
# Glances at coarse copies: pixels along the longer side, and by what factor a limit must be kept to be sure. Coarse
# copies take up to 1.15 times the pixels of the models. Few pixels are off by some more.
_GLANCES = ((32, 1.6), (128, 1.2))
# What is too large by this factor, by its square, is not measured.
_FAR = 1.6
# What a picture that is measured smaller than it is drawn must have in excess, because the two differ a little.
_EXCESS = 1.05
# Sizes of the clutter to try, as shares of the drawn size. Nobody recognizes smaller clutter: it is left out instead.
_SIZES = tuple(0.8**k for k in range(8))
# Steps of the zoom, and the bounds of each.
_STEPS = 12
_STEP = (1.02, 2.0)


def within_limits(draw: Draw, items: list[Item], camera: Camera) -> tuple[list[Item], Camera]:
    """The items and the camera, changed where the main object is too small or the clutter too large.

    No clutter takes more of the picture than the config allows. The main object falls short of its share only where no
    zoom reaches it: where the picture's middle shows through it, or another member hides it. Then the zoom is the one
    that shows most of it.
    """
    objects = draw.config.objects
    large, sparse = _sure(draw, items, camera)
    measure = Measure(draw.catalogue.model, _SIDE)
    if objects.max_clutter is not None and not sparse:
        items = _with_small_clutter(draw, measure, items, camera, objects.max_clutter)
    if objects.min_share is not None and not large:
        zoomed = _zoomed_in(draw, measure, items, camera, objects.min_share)
        # In a nearer view, the main object can leave the picture and the clutter stay.
        if objects.max_clutter is not None and zoomed is not camera:
            items = _with_small_clutter(draw, measure, items, zoomed, objects.max_clutter)
        camera = zoomed
    return items, camera


def within_limits_of_all(draw: Draw, items: list[Item], cameras: list[Camera]) -> list[Item]:
    """The items of a scene with several views, with clutter that keeps to the limits in each of them."""
    if draw.config.objects.max_clutter is None:
        return items
    # Each round leaves less clutter, so the rounds end. In the last one, no view asks for less.
    while True:
        before = items
        for camera in cameras:
            items, _ = within_limits(draw, items, camera)
        if items == before:
            return items


def shares(draw: Draw, items: list[Item], camera: Camera) -> NDArray[np.float64]:
    """(n,) the share of the picture's pixels that shows each item, what hides it taken into account."""
    return Measure(draw.catalogue.model, _SIDE).shares(items, camera)


class Measure:
    """Measures the shares of items, with at most `side` pixels along the picture's longer side.

    What it has seen of an item from a camera it keeps: most changes leave some items as they are. model: from an
    asset's id to its model or its coarse copy.
    """

    def __init__(self, model: Callable[[str], Model | Geometry], side: int):
        self._model, self._side = model, side
        self._seen: list[tuple[Item, Camera, NDArray[np.float64]]] = []

    def shares(self, items: list[Item], camera: Camera) -> NDArray[np.float64]:
        """(n,) the share of the picture's pixels that shows each item, what hides it taken into account."""
        depths = np.array([self._depth(item, camera) for item in items])
        shown = np.where(np.isfinite(depths.min(axis=0)), depths.argmin(axis=0) + 1, 0)
        return np.bincount(shown.ravel(), minlength=len(items) + 1)[1:] / shown.size

    def _depth(self, item: Item, camera: Camera) -> NDArray[np.float64]:
        """(h, w) depth of an item at each pixel, inf where it is not."""
        for other, view, depth in self._seen:
            if other is item and view is camera:
                return depth
        shrink = min(1.0, self._side / max(camera.width, camera.height))
        seen = camera.resized(max(round(camera.width * shrink), 1), max(round(camera.height * shrink), 1))
        depth = depth_map(seen_triangles(seen, item, self._model(item.asset)), (seen.width, seen.height))
        self._seen.append((item, camera, depth))
        return depth


def _sure(draw: Draw, items: list[Item], camera: Camera) -> tuple[bool, bool]:
    """Whether a glance is enough to be sure that the main object is large enough, and the clutter small enough."""
    objects = draw.config.objects
    least = 0.0 if objects.min_share is None else objects.min_share
    most = math.inf if objects.max_clutter is None else objects.max_clutter
    clutter = np.array([item.purpose == "clutter" for item in items])
    large, sparse = least == 0, math.isinf(most) or not clutter.any()
    for side, factor in _GLANCES:
        if large and sparse:
            break
        seen = Measure(draw.catalogue.coarse, side).shares(items, camera)
        large = large or bool(seen[0] >= factor * least)
        sparse = sparse or bool(seen[clutter].sum() * factor <= most * seen[0])
    return large, sparse


def _excess(camera: Camera) -> float:
    return 1.0 if max(camera.width, camera.height) <= _SIDE else _EXCESS


def _with_small_clutter(draw: Draw, measure: Measure, items: list[Item], camera: Camera, most: float) -> list[Item]:
    """The items with the largest clutter that keeps to `most` times the main object. If none does, the worst goes."""
    clutter = np.array([item.purpose == "clutter" for item in items])
    if not clutter.any():
        return items
    drawn = None
    for size in _SIZES:
        # An area goes by the square of the size. What is far too large by that needs no look.
        if drawn is not None and size**2 * drawn > _FAR * most:
            continue
        smaller = [_shrunk(draw, item, size) if item.purpose == "clutter" else item for item in items]
        seen = measure.shares(smaller, camera)
        if seen[clutter].sum() * _excess(camera) <= most * seen[0]:
            return smaller
        if drawn is None:
            drawn = float(seen[clutter].sum() / max(seen[0], 1e-9))
    worst = int(np.argmax(np.where(clutter, seen, -1)))
    return _with_small_clutter(draw, measure, items[:worst] + items[worst + 1 :], camera, most)


def _shrunk(draw: Draw, item: Item, size: float) -> Item:
    """An item scaled about the point of the ground below its middle. So it stays within its own free room."""
    if size == 1:
        return item
    low, high = extent(draw.world_points([item]))
    fixed = np.array([*(low + high)[:2] / 2, 0.0])
    return replace(item, scale=size * item.scale, location=vector(fixed + size * (np.array(item.location) - fixed)))


def _zoomed_in(draw: Draw, measure: Measure, items: list[Item], camera: Camera, least: float) -> Camera:
    """The camera with the shortest focal length found at which the main object has `least` of the picture.

    A lens that the config fixes stays as it is: then the camera comes nearer.
    """
    fixed = draw.config.camera.intrinsics is not None
    wanted = least * _excess(camera)
    center = center_of(draw.world_points(items[:1]))
    best, most, zoom = camera, -1.0, 1.0
    for _ in range(_STEPS):
        zoomed = _nearer(camera, center, zoom) if fixed else _zoomed(camera, center, zoom)
        share = float(measure.shares(items, zoomed)[0])
        if share > most:
            best, most = zoomed, share
        if share >= wanted:
            break
        # A share grows with the square of the zoom as long as the object is within the picture.
        zoom *= float(np.clip(np.sqrt(wanted / max(share, 1e-9)), *_STEP))
    return best


def _nearer(camera: Camera, center: np.ndarray, zoom: float) -> Camera:
    """The camera at 1 / `zoom` of its distance from a center."""
    eye, target = ((np.array(point) - center) / zoom + center for point in (camera.location, camera.target))
    return replace(camera, location=vector(eye), target=vector(target))


def _zoomed(camera: Camera, center: np.ndarray, zoom: float) -> Camera:
    """The camera with `zoom` times the focal length; what it saw at a center keeps about its place in the picture."""
    if zoom == 1:
        return camera
    target = center + (np.array(camera.target) - center) / zoom
    return replace(camera, focal_length=zoom * camera.focal_length, target=vector(target))

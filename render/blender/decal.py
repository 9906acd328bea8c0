"""Cracks through objects: a crack's field as a picture that their materials show, and its labels."""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from scenes.cracks.raster import distance, width_map
from scenes.cracks.strips import Pixels
from scenes.cracks.thinning import thinned
from scenes.record.material import Material
from scenes.record.scene import Scene
from scenes.record.surface import Decal
from scenes.sampling.surface_geometry import decal_contour

# Texels along a side of the field: two or three to a pixel of an object that fills a picture of 512.
_TEXELS = 1024


class DecalMaker:
    """One picture that holds the field of the crack of the scene."""

    def __init__(self) -> None:
        self._field: bpy.types.Image | None = None

    def set(self, scene: Scene, decal: Decal) -> dict[str, bpy.types.Image]:
        """The picture that `overlays` show, by its name."""
        if self._field is None:
            self._field = bpy.data.images.new("field", _TEXELS, _TEXELS, float_buffer=True, is_data=True)
        contour, texel = decal_contour(scene, decal), decal.size / _TEXELS
        grid = Pixels((_TEXELS, _TEXELS), texel)
        pixels = np.zeros((*grid.shape, 4), np.float32)
        pixels[..., 0] = distance(contour, grid, reach=12 * texel)
        pixels[..., 1] = np.where(pixels[..., 0] < 1.5 * texel, _filled(width_map(contour, grid)), 0)
        pixels[..., 3] = 1
        self._field.pixels.foreach_set(pixels[::-1].ravel())
        self._field.update()
        return {"field": self._field}


def _filled(width: NDArray[np.float32]) -> NDArray[np.float32]:
    """Widths carried on to the next texel, so that none is lost where texels are interpolated."""
    rim = np.pad(width, 1)
    height, across = width.shape
    near = [rim[y : y + height, x : x + across] for y in range(3) for x in range(3)]
    return np.where(width > 0, width, np.max(near, axis=0))


def overlays(decal: Decal, scale: float) -> tuple[Material, ...]:
    """What a decal lays over the material of an object whose diagonal is `scale` metres: its crack, if it has one."""
    if decal.crack is None:
        return ()
    ways = {"right": decal.right, "down": decal.down}
    axes = {f"{name}_{axis}": value for name, way in ways.items() for axis, value in zip("xyz", way, strict=True)}
    deposit = decal.crack.deposit.parameters
    kept = {name: deposit[name] for name in ("width", "dirt", "hue", "saturation", "value")}
    return (Material("decal", {**axes, **kept, "depth": decal.crack.depth, "size": decal.size / 1000 / scale}),)


def middle(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(H, W) lines that a mask of a few pixels' breadth comes down to, one pixel wide."""
    return thinned(mask).astype(np.uint8)

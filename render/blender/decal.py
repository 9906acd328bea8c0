"""Cracks on objects: the crack as an image that the materials show, and its labels."""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from render.image.decal_tone import visible_crack
from scenes.cracks.contour import Contour
from scenes.cracks.raster import distance, width_map
from scenes.cracks.strips import Pixels
from scenes.cracks.thinning import thinned
from scenes.record.material import Material
from scenes.record.scene import Scene
from scenes.record.surface import Decal
from scenes.sampling.surface_geometry import decal_contour

# Texels per side of the field: two or three per pixel for an object that fills a picture of 512 pixels.
_TEXELS = 1024


class DecalMaker:
    """Holds one image, the field of the crack of the scene, and the crack's contour on its patch."""

    contour: Contour

    def __init__(self) -> None:
        self._field: bpy.types.Image | None = None

    def set(self, scene: Scene, decal: Decal) -> dict[str, bpy.types.Image]:
        """Compute the field of a decal; returns the image that `overlays` show, by name."""
        if self._field is None:
            self._field = bpy.data.images.new("field", _TEXELS, _TEXELS, float_buffer=True, is_data=True)
        self.contour, texel = decal_contour(scene, decal), decal.size / _TEXELS
        grid = Pixels((_TEXELS, _TEXELS), texel)
        pixels = np.zeros((*grid.shape, 4), np.float32)
        pixels[..., 0] = distance(self.contour, grid, reach=12 * texel)
        pixels[..., 1] = np.where(pixels[..., 0] < 1.5 * texel, _filled(width_map(self.contour, grid)), 0)
        pixels[..., 3] = 1
        self._field.pixels.foreach_set(pixels[::-1].ravel())
        self._field.update()
        return {"field": self._field}


def _filled(width: NDArray[np.float32]) -> NDArray[np.float32]:
    """Extend the widths by one texel, so that interpolation does not mix them with 0."""
    rim = np.pad(width, 1)
    height, across = width.shape
    near = [rim[y : y + height, x : x + across] for y in range(3) for x in range(3)]
    return np.where(width > 0, width, np.max(near, axis=0))


def overlays(decal: Decal, scale: float, beside: float) -> tuple[Material, ...]:
    """The overlay of a decal on a material whose mean display value is `beside`; empty if there is no crack.

    scale: diagonal of the object in meters.
    """
    if decal.crack is None:
        return ()
    ways = {"right": decal.right, "down": decal.down}
    axes = {f"{name}_{axis}": value for name, way in ways.items() for axis, value in zip("xyz", way, strict=True)}
    deposit = decal.crack.deposit.parameters
    kept = {name: deposit[name] for name in ("width", "dirt", "hue", "saturation", "value")}
    dirt, value = (float(deposit[name]) for name in ("dirt", "value"))  # type: ignore[arg-type]
    depth, dirt = visible_crack(beside, decal.crack.depth, dirt, value, decal.visible)
    return (Material("decal", {**axes, **kept, "depth": depth, "dirt": dirt, "size": decal.size / 1000 / scale}),)


def middle(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Thin an (H, W) mask to its center line, one pixel wide."""
    return thinned(mask).astype(np.uint8)

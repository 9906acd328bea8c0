"""The darkness of a crack on an object: it must differ from each material that it runs through."""

from __future__ import annotations

import colorsys

import numpy as np

from render.image.color import from_srgb, luminance, to_srgb
from scenes.materials.albedo import mean_color
from scenes.mesh import Appearance
from scenes.record.material import Material

# The overlay "decal" as numbers: the albedo of clean walls; the mean of its specks, on slanted walls; the share of the
# light that is lost on average in the deepest crack; the depth in widths from which on no crack is darker.
_CLEAN, _SPECKS, _LOST, _DEEP = 0.39, 0.67, 0.51, 1 / 0.45
# The least difference as a share of full scale, over `objects.crack.visible`.
_DISPLAYED = 1 / 3


def brightness(material: Material, appearance: Appearance | None) -> float:
    """The mean display value of a material, 0 to 1. appearance: that of the model file, for the family "own"."""
    if material.family == "own":
        return float(to_srgb(luminance(np.array((appearance or Appearance()).color))))
    return float(to_srgb(luminance(from_srgb(np.array(colorsys.hsv_to_rgb(*mean_color(material)))))))


def crack_brightness(depth: float, dirt: float, value: float) -> float:
    """The mean display value of a crack, 0 to 1, as the overlay "decal" draws it. value: that of the dirt."""
    wall = _CLEAN + dirt * (float(from_srgb(np.array(value))) - _CLEAN)
    return float(to_srgb(np.array(_SPECKS * wall * (1 - _LOST * min(depth / _DEEP, 1)))))


def visible_crack(beside: float, depth: float, dirt: float, value: float, visible: float) -> tuple[float, float]:
    """The depth and the dirt at which a crack is seen on a material with the display value `beside`.

    They stay as they are where the crack is visible. Else it is made deeper. Where no depth is enough, as on black
    plastic, it becomes flat and clean instead, so that its light walls show. visible: as in the config.
    """
    deeper = [(float(d), dirt) for d in np.linspace(depth, max(depth, _DEEP), 12)]
    lighter = [(depth * share, dirt * share) for share in (0.75, 0.5, 0.25, 0.0)]
    differences = [abs(crack_brightness(d, soil, value) - beside) for d, soil in deeper + lighter]
    enough = [difference >= visible * _DISPLAYED for difference in differences]
    chosen = enough.index(True) if any(enough) else int(np.argmax(differences))
    return (deeper + lighter)[chosen]

"""How grainy surfaces look: what a crack must stand out from."""

from __future__ import annotations

from scenes.record.material import Material

# By family: the standard deviation of the light over its mean, from pixel to pixel. It is linear in one parameter: its
# value where the parameter is 0, the name of the parameter, the slope. Families that are not here have no grain.
_CONTRAST: dict[str, tuple[float, str, float]] = {
    "road": (0.25, "wear", 0.35),
    "aggregate": (0.18, "contrast", 0.09),
    "asphalt": (0.26, "contrast", 0.14),
    "stucco": (0.1, "relief", 0.24),
    "cast": (0.05, "relief", 0.1),
    "flaking": (0.02, "wear", 0.06),
}


def graininess(material: Material, width: float) -> float:
    """The standard deviation of the light over its mean, among patches of a surface `width` mm wide.

    It is within a factor of two. Patches much wider than a grain average over many.
    """
    if material.family not in _CONTRAST:
        return 0.0
    least, name, rise = _CONTRAST[material.family]
    amount, scale = (float(material.parameters[key]) for key in (name, "scale"))  # type: ignore[arg-type]
    grain = 1000 / scale
    return (least + rise * amount) * grain / (grain + width)

"""How bright surfaces are, all their grains, stains and hollows together."""

from __future__ import annotations

from scenes.record.scene import Material

# The mean albedo over that of the parameters' own color, by family: at 0 of a parameter, its name, the rise with it.
_SHOWN: dict[str, tuple[float, str, float]] = {
    "stucco": (0.96, "stains", 0.0),
    "plaster": (0.96, "stains", -0.06),
    "cast": (0.98, "stains", 0.0),
    "concrete": (1.1, "stains", -0.38),
    "road": (0.47, "wear", 0.36),
    "asphalt": (0.76, "contrast", 0.36),
    "aggregate": (1.25, "value", -0.8),
    "flaking": (0.94, "stains", 0.0),
    "brickwork": (1.0, "stains", 0.0),
    "tiles": (0.96, "contrast", -0.5),
    "stone": (0.81, "contrast", 0.0),
}

_DULL = {"hue": 0.1, "saturation": 0.05, "value": 0.5}


def mean_color(material: Material) -> tuple[float, float, float]:
    """Hue, saturation and value, in [0, 1] of the display color, of a surface's mean albedo, within about a fifth.

    Families that are no walls or floors count as their own color, those without any as a dull gray.
    """
    hue, saturation, value = (_number(material, name, usual) for name, usual in _DULL.items())
    level, name, rise = _SHOWN.get(material.family, (1.0, "", 0.0))
    return hue, saturation, brightened(value, level + rise * _number(material, name, 0.0))


def brightened(value: float, times: float) -> float:
    """The display value of `times` the albedo that `value` stands for, at most 1."""
    return min(value * times ** (1 / 2.2), 1.0)


def _number(material: Material, name: str, usual: float) -> float:
    given = material.parameters.get(name, usual)
    assert not isinstance(given, (str, tuple))
    return given

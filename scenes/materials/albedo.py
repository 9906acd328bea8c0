"""The mean brightness of surfaces, including grains, stains and hollows."""

from __future__ import annotations

from scenes.materials.families import SHOWN
from scenes.record.material import Material

_DULL = {"hue": 0.1, "saturation": 0.05, "value": 0.5}


def mean_color(material: Material) -> tuple[float, float, float]:
    """Hue, saturation and value, in [0, 1] of the display color, of a surface's mean albedo, within about a fifth.

    Families that are no walls or floors count as their own color, those without any as a dull gray.
    """
    hue, saturation, value = (_number(material, name, usual) for name, usual in _DULL.items())
    level, name, rise = SHOWN.get(material.family, (1.0, "", 0.0))
    return hue, saturation, brightened(value, level + rise * _number(material, name, 0.0))


def brightened(value: float, times: float) -> float:
    """The display value of `times` the albedo that `value` stands for, at most 1."""
    return min(value * times ** (1 / 2.2), 1.0)


def _number(material: Material, name: str, usual: float) -> float:
    given = material.parameters.get(name, usual)
    assert not isinstance(given, (str, tuple))
    return given

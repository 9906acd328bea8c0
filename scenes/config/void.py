"""Finds fields that a user set and that another field makes void, such as the height of lamps that are never there.

Only what users wrote themselves is looked at: their file and `--set`, not what these build on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from scenes.config.composite import OF_CRACK, ComposeConfig
from scenes.config.merging import is_section
from scenes.config.objects import Config
from scenes.distributions import Uniform
from scenes.materials.families import COURSES, TEXTURED

# What is read of a crack in an object; the others shape the relief of surfaces.
_DECAL = ("present", "kind", "width", "depth", "dirt", "hue", "saturation", "value", "visible")

Rule = tuple[str, str, Callable[[Any], bool]]
"""The patterns of the fields that are void, the reason, and the condition."""


def void_fields(config: Config | ComposeConfig, given: Mapping[str, Any]) -> list[str]:
    """A line for each field in `given` that has no effect. given: what the user wrote, as read from YAML.

    A field of all classes has an effect if it has one for any class.
    """
    if isinstance(config, ComposeConfig):
        return _told(_COMPOSED, [config], given)
    of_classes = given.get("by_class") or {}
    lines = _told(_RULES, [config, *map(config.of_class, config.by_class)], {**given, "by_class": {}})
    for name, fields in of_classes.items():
        at = f"by_class.{name}"
        if config.surface is not None:
            lines.append(f"field {at} has no effect: the picture is a surface")
        elif config.classes is not None and name not in config.classes:
            lines.append(f"field {at} has no effect: the field classes does not name this class")
        else:
            lines += _told(_RULES, [config.of_class(name)], fields, f"{at}.")
    return lines


def _told(
    rules: list[Rule], configs: Sequence[Config | ComposeConfig], given: Mapping[str, Any], at: str = ""
) -> list[str]:
    """A line for each field that no config makes use of. at: what stands before the paths of the fields."""
    lines = []
    for path in _paths(given):
        reasons = [
            next((why for fields, why, void in rules if _matches(path, fields) and void(config)), None)
            for config in configs
        ]
        if all(reason is not None for reason in reasons):
            lines.append(f"field {at}{path} has no effect: {reasons[0]}")
    return lines


def _paths(given: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The dotted paths of the values. A distribution is not divided: its parts match what it matches itself."""
    for name, value in given.items():
        place = f"{path}.{name}" if path else str(name)
        if is_section(value):
            yield from _paths(value, place)
        else:
            yield place


def _matches(path: str, fields: str) -> bool:
    """fields: patterns, parted by spaces; one that begins with ! takes fields out again."""
    patterns = fields.split()
    return any(fnmatchcase(path, one) for one in patterns) and not any(
        fnmatchcase(path, one[1:]) for one in patterns if one.startswith("!")
    )


def _support(config: Any, path: str) -> list[Any]:
    for name in path.split("."):
        config = getattr(config, name)
    return list(config.support())


def _only(path: str, *values: Any) -> Callable[[Any], bool]:
    """Whether a field has none but these values."""
    return lambda config: set(_support(config, path)) <= set(values)


def _never(path: str, *values: Any) -> Callable[[Any], bool]:
    """Whether a field has none of these values."""
    return lambda config: not set(_support(config, path)) & set(values)


def _any_yaw(config: Config) -> bool:
    """Whether objects are turned by any angle, and the camera goes around them by less."""
    if config.objects.side is not None:
        return False
    yaw, azimuth = config.objects.yaw, config.camera.azimuth
    turned = isinstance(yaw, Uniform) and yaw.high - yaw.low >= 360
    around = isinstance(azimuth, Uniform) and azimuth.high - azimuth.low >= 360
    return (turned or _only("objects.rotation", "free")(config)) and not around


def _even_sky(config: Config) -> bool:
    return config.lighting.world.hdri is not None and _only("lighting.world.hdri", "")(config)


def _when(condition: Callable[[Any], bool], rules: list[Rule]) -> list[Rule]:
    """The rules for the configs that a condition holds for."""

    def both(void: Callable[[Any], bool]) -> Callable[[Any], bool]:
        return lambda config: condition(config) and void(config)

    return [(fields, reason, both(void)) for fields, reason, void in rules]


def _counted(things: str, *kinds: str) -> list[Rule]:
    return [
        (f"{things}.{kind}.* !{things}.{kind}.count", f"{things}.{kind}.count is 0", _only(f"{things}.{kind}.count", 0))
        for kind in kinds
    ]


_OBJECTS: list[Rule] = [
    ("objects.clutter.scale", "objects.clutter.count is 0", _only("objects.clutter.count", 0)),
    ("objects.occluder.visibility", "objects.occluder.present is false", _only("objects.occluder.present", False)),
    ("objects.lift", "objects.support is never floating", _never("objects.support", "floating")),
    ("objects.pile.spread objects.pile.film", "objects.pile.present is false", _only("objects.pile.present", False)),
    (
        "objects.spacing objects.crowding objects.support objects.lift",
        "objects.pile.present is true: objects fall",
        _only("objects.pile.present", True),
    ),
    ("objects.yaw objects.side", "objects.rotation is free", _only("objects.rotation", "free")),
    ("objects.yaw", "objects.side is given", lambda config: config.objects.side is not None),
    (
        "objects.spacing objects.crowding",
        "there is one object: see objects.count and objects.clutter.count",
        lambda config: _only("objects.count", 1)(config) and _only("objects.clutter.count", 0)(config),
    ),
    (
        "objects.crack.* " + " ".join(f"!objects.crack.{name}" for name in _DECAL),
        "cracks in objects have no relief; it shapes cracks in surfaces",
        lambda config: config.objects.crack is not None,
    ),
    (
        "objects.crack.* !objects.crack.present",
        "objects.crack.present is false",
        lambda config: config.objects.crack is not None and _only("objects.crack.present", False)(config),
    ),
    (
        "material.family material.texture material.textures* material.parameters*",
        "material.mode is own",
        _only("material.mode", "own"),
    ),
    (
        "material.texture material.textures*",
        "material.family is never pbr or image",
        _never("material.family", *TEXTURED),
    ),
    (
        "camera.azimuth camera.elevation camera.distance camera.framing camera.roll camera.jitter",
        "camera.poses is given",
        lambda config: config.camera.poses is not None,
    ),
    (
        "camera.azimuth",
        "objects are turned by any angle, so they are seen from all sides; set objects.side instead",
        _any_yaw,
    ),
    ("background.ground", "background.kind is never ground or room", _never("background.kind", "ground", "room")),
    (
        "background.texture background.parameters*",
        "background.kind is never ground or room",
        _never("background.kind", "ground", "room"),
    ),
    ("background.walls background.room_*", "background.kind is never room", _never("background.kind", "room")),
    (
        "background.hue background.saturation background.value",
        "background.kind is never color",
        _never("background.kind", "color"),
    ),
    ("background.image", "background.kind is never image", _never("background.kind", "image")),
    (
        "background.shadow",
        "background.kind is never hdri, image or white",
        _never("background.kind", "hdri", "image", "white"),
    ),
]

_SURFACES: list[Rule] = [
    ("classes objects* material* background*", "the picture is a surface", lambda config: True),
    (
        "camera.azimuth camera.elevation camera.distance camera.framing camera.jitter",
        "the picture is a surface; see surface.scale, surface.obliqueness and surface.side",
        lambda config: True,
    ),
    ("surface.side", "surface.placement is floor", _only("surface.placement", "floor")),
    ("surface.covers.*", "surface.placement is wall: only floors have covers", _only("surface.placement", "wall")),
    ("surface.texture", "surface.family is never pbr or image", _never("surface.family", *TEXTURED)),
    ("surface.crack.stepped", "surface.family has no bricks or tiles", _never("surface.family", *COURSES)),
    (
        "surface.crack.* !surface.crack.present",
        "surface.crack.present is false",
        _only("surface.crack.present", False),
    ),
    *_counted("surface", "joints", "marks", "debris", "covers", "shadow_casters"),
    *(
        (f"surface.seals.{name}", "surface.seals.count is 0", _only("surface.seals.count", 0))
        for name in ("kind", "width", "height", "hue", "saturation", "value")
    ),
]

_RULES: list[Rule] = [
    ("camera.focal_length", "camera.intrinsics is given", lambda config: config.camera.intrinsics is not None),
    ("lighting.world.rotation", "lighting.world.hdri is an even sky", _even_sky),
    *_counted("lighting", "sun", "area", "point"),
    *_when(lambda config: config.surface is None, _OBJECTS),
    *_when(lambda config: config.surface is not None, _SURFACES),
]


_STEPS = ("distractors", "crack", "style", "zoom", "sensor", *OF_CRACK)
_COMPOSED: list[Rule] = [
    *((f"{step}.* !{step}.use", f"{step}.use is false", _only(f"{step}.use", False)) for step in _STEPS),
    *((f"{step}.*", "crack.use is false", _only("crack.use", False)) for step in OF_CRACK),
    ("style.*", "assets.styles names no folder", lambda config: not config.assets.styles),
    ("style.beta", "style.method is never fourier", _never("style.method", "fourier")),
    ("smoothing.motion_angle", "smoothing.motion is 0", _only("smoothing.motion", 0)),
    *_counted("distractors", "stains", "scratches", "joints"),
]

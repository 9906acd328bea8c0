"""One change, one effect: a factor that is changed leaves all others, and an asset more or less moves few pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from scenes.assets.coarse import coarse_copies
from scenes.assets.info import AssetInfo
from scenes.config.composite import ComposeConfig
from scenes.config.loading import load_config, preset_names, validate
from scenes.config.merging import ALTERNATIVES
from scenes.config.void import _paths
from scenes.distributions import Distribution, Fixed, parse
from scenes.errors import InputError
from scenes.mesh import Geometry, Model, Part
from scenes.names import Names
from scenes.record.record import CRACK
from scenes.record.surface import COVERS
from scenes.sampling.composite import OF_CRACK, Composer
from scenes.sampling.scene import Sampler
from scenes.sampling.surface_geometry import IN_WIDTHS
from scenes.section import Section
from scenes.shapes.registry import GENERATORS
from scenes.streams import Streams

SCENES = 8
SKIES = ("studio:city", "studio:courtyard", "studio:forest")
Leaves = dict[str, Any]


class Boxes:
    """A catalogue of boxes in place of models: `sizes` boxes of each class, of two materials."""

    def __init__(
        self,
        classes: tuple[str, ...] = tuple(sorted(GENERATORS)),
        sizes: int = 3,
        hdris: tuple[str, ...] = SKIES,
        textures: tuple[str, ...] = ("walls/a", "walls/b", "walls/c"),
    ):
        self.classes = Names(classes)
        self._assets = {name: Names(f"box:{name}:{k}" for k in range(sizes)) for name in classes}
        self.hdris, self.textures, self.images = Names(hdris), Names(textures), Names(["views/a", "views/b"])

    def assets(self, category: str) -> Names:
        return self._assets[category]

    @staticmethod
    @cache
    def model(asset: str) -> Model:
        """The box of `info`: its sides and its top and bottom."""
        corners = Boxes.info(asset).hull.astype(np.float32)
        hull = ConvexHull(corners)
        flat = np.abs(hull.equations[:, 2]) > 0.5
        parts = (("side", hull.simplices[~flat]), ("top", hull.simplices[flat]))
        up = np.float32([0, 0, 1])
        return Model(tuple(Part(name, corners, f, np.broadcast_to(up, (len(f), 3, 3))) for name, f in parts))

    @staticmethod
    @cache
    def coarse(asset: str) -> Geometry:
        return coarse_copies(Boxes.model)(asset)

    @staticmethod
    def pieces(asset: str) -> tuple[np.ndarray, ...]:
        return (Boxes.info(asset).hull,)

    @staticmethod
    @cache
    def info(asset: str) -> AssetInfo:
        half = 0.2 + 0.3 * np.random.default_rng(list(asset.encode())).random(3)
        half /= 2 * np.linalg.norm(half)
        corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * half
        stable = (((1.0, 0.0, 0.0, 0.0), 0.6), ((0.5**0.5, 0.5**0.5, 0.0, 0.0), 0.4))
        return AssetInfo(
            asset, asset.split(":")[1], np.array([-half, half]), corners, stable, None, 12, ("side", "top"),
            {"side": "wood", "top": "painted"},
        )  # fmt: skip


# Where the leaves of a record may follow a factor, and why they follow.
PLACES = ("items.*.location.*",)  # objects make room for each other and rest on the ground
VIEW = ("camera.location.*", "camera.target.*")  # the camera frames the objects
AROUND = ("background.size.*", "background.center.*")  # a room holds objects and camera
AIMED = ("lights.*.location.*", "lights.*.target.*")  # lamps stand around the main object
# The camera zooms in on a small object, and large clutter shrinks: objects.min_share and max_clutter.
LIMITS = ("camera.focal_length", "items.clutter.*.scale", "items.clutter.*.location.*")
HIDING = ("items.occluder.*",)  # it hides what the camera sees; where there is no room for it, there is none
PATCH = ("surface.corner.*", "surface.size.*")  # the patch fills the picture
WIDE = ("*.crack.width", "*.crack.deposit.parameters.width", *(f"*.crack.{name}" for name in IN_WIDTHS))
DECAL = ("decal.size", "decal.pixel", "decal.right.*", "decal.down.*", *WIDE)  # on the object, as the camera sees it
SEEN = (*VIEW, *AROUND, *HIDING, *DECAL, *LIMITS)
MOVED = (*PLACES, *AIMED, *SEEN)
DARK = ("surface.crack.depth",)  # a crack that would not be seen is made deeper
MM = ("*.width", "*.size", "*.offset", "*.depth", "*.height", "*.x", "*.y", *WIDE, *(
    f"surface.*.parameters.{name}" for name in ("width", "soft", "length", "x", "y", "grain", "proud")
))  # fmt: skip

FOLLOWS: list[tuple[str, tuple[str, ...]]] = [
    ("objects.category", ("items.*.asset", "items.*.category", *MOVED)),
    ("objects.count", ("items.member.*", *MOVED)),
    ("objects.scale", ("items.*.scale", *MOVED)),
    ("objects.rotation", ("items.*.rotation.*", *MOVED)),
    ("objects.yaw", ("items.*.rotation.*", *MOVED)),
    ("objects.side", ("items.*.rotation.*", *MOVED)),
    ("objects.support", MOVED),
    ("objects.lift", MOVED),
    ("objects.spacing", MOVED),
    ("objects.crowding", MOVED),
    ("objects.pile.*", ("items.*.rotation.*", *MOVED)),
    ("objects.clutter.count", ("items.clutter.*", *AROUND)),
    ("objects.clutter.scale", ("items.clutter.*.scale", "items.clutter.*.location.*", *HIDING, *AROUND)),
    ("objects.occluder.present", ("items.occluder.*", *AROUND)),
    ("objects.occluder.visibility", (*HIDING, *AROUND)),
    ("objects.crack.present", ("decal.crack*",)),
    ("objects.crack.visible", ("decal.visible",)),
    ("material.mode", ("items.*.materials.*",)),
    ("material.family", ("items.*.materials.*",)),
    ("material.texture", ("items.*.materials.*.texture",)),
    ("lighting.world.*", ("world.{}",)),
    ("lighting.*.count", ("lights.{-2}.*",)),
    ("lighting.*.azimuth", ("lights.{-2}.*.location.*",)),
    ("lighting.*.elevation", ("lights.{-2}.*.location.*",)),
    ("lighting.*.radius", ("lights.{-2}.*.location.*",)),
    ("lighting.*.*", ("lights.{-2}.*.{}",)),
    ("camera.*", ("camera.{}",)),
    # Objects turn with the camera where the side that is seen is given.
    ("camera.azimuth", ("items.*.rotation.*", *MOVED)),
    ("camera.elevation", ("items.*.rotation.*", *MOVED)),
    ("camera.distance", SEEN),
    ("camera.framing", SEEN),
    ("camera.jitter", ("camera.target.*", *HIDING, *AROUND)),
    ("camera.roll", (*HIDING, *PATCH)),
    ("camera.focal_length", (*SEEN, *PATCH)),
    ("background.kind", ("background.*",)),
    ("background.ground", ("background.material.*",)),
    ("background.walls", ("background.walls.*",)),
    ("background.texture", ("background.*.texture",)),
    ("background.image", ("background.image",)),
    ("background.shadow", ("background.shadow",)),
    ("background.hue", ("background.color.*",)),
    ("background.saturation", ("background.color.*",)),
    ("background.value", ("background.color.*",)),
    ("background.room_*", AROUND),
    ("sensor.*", ("sensor.{}",)),
    # A wall stands where a floor lies: the camera and the lamps turn with it. Walls have no covers.
    ("surface.placement", ("surface.placement", "surface.covers.*", *VIEW, *PATCH, *AIMED)),
    # A stepped crack keeps to the joints, which only some families have.
    ("surface.family", ("surface.material.*", "surface.crack.kind", *DARK)),
    ("surface.texture", ("surface.material.*.texture",)),
    ("surface.scale", ("surface.pixel", *VIEW, *PATCH, *MM)),
    ("surface.zoom", ("surface.zoom", "surface.pixel", *VIEW, *PATCH, *MM)),
    ("surface.obliqueness", (*VIEW, *PATCH)),
    ("surface.side", (*VIEW, *PATCH)),
    ("surface.crack.present", ("surface.crack*",)),
    ("*.crack.stepped", ("surface.crack.kind",)),
    ("*.crack.width", WIDE),
    # A crack that would not be seen on its surface, or among grains as wide as itself, is made deeper.
    *((f"surface.crack.{name}", DARK) for name in (
        "kind", "stepped", "width", "fill", "dirt", "value", "visible"
    )),
    ("*.crack.*", ("*.crack.{}", "*.crack.deposit.parameters.{}")),
    ("surface.*.count", ("surface.{-2}.*",)),
    # What a mark is made of goes by its kind, and all its lengths by its size. So does the material of debris.
    ("surface.marks.*", ("surface.marks.*",)),
    ("surface.debris.kind", ("surface.debris.*.kind", "surface.debris.*.material.*")),
    ("surface.joints.turn", ("surface.joints.*.angle",)),
    ("surface.joints.width", ("surface.joints.*.width", "surface.joints.*.depth")),
    ("surface.seals.width", ("surface.seals.*.width", "surface.seals.*.height")),
    ("surface.*.*", ("surface.{-2}.*.{}",)),
    ("surface.seals.*", ("surface.filler.parameters.{}",)),
]  # fmt: skip
COMPOSED: list[tuple[str, tuple[str, ...]]] = [
    ("mm_per_pixel", ("mm_per_pixel",)),
    ("background.texture", ("texture",)),
    # Without a crack, there is nothing to distort, smooth or color.
    ("crack.use", tuple(f"steps.{name}.*" for name in sorted(OF_CRACK))),
    ("*.use", ("steps.{-2}.*",)),
    ("*", ("steps.{*}",)),
]


def followers(factor: str, table: list[tuple[str, tuple[str, ...]]]) -> list[str]:
    """Patterns of the leaves that may follow a factor. {}: the field's name. {-2}: its section's. {*}: the path."""
    parts = factor.split(".")
    return [
        leaf.replace("{*}", factor).replace("{}", parts[-1]).replace("{-2}", parts[-2] if len(parts) > 1 else "")
        for pattern, leaves in table
        if fnmatchcase(factor, pattern)
        for leaf in leaves
    ]


def leaves_of(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves_of(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for k, inner in enumerate(value):
            yield from leaves_of(inner, f"{path}.{k}")
    else:
        yield path, value


def flat(record: Any) -> Leaves:
    """A record's values by path. Objects, lamps and things are numbered within their kind."""
    data = record.to_data()
    for name, kind in (("items", "purpose"), ("lights", "kind")):
        groups: dict[str, list[Any]] = {}
        for entry in data.get(name, []):
            groups.setdefault(entry[kind], []).append(entry)
        data[name] = groups
    if data.get("surface"):
        things = data["surface"]["debris"]
        data["surface"]["debris"] = [one for one in things if one["kind"] not in COVERS]
        data["surface"]["covers"] = [one for one in things if one["kind"] in COVERS]
    return dict(leaves_of(data))


def changed(one: Leaves, other: Leaves) -> set[str]:
    missing = object()
    return {path for path in one.keys() | other.keys() if one.get(path, missing) != other.get(path, missing)}


# Every factor of every preset ------------------------------------------------------------------------------------


def sampler_of(config: Any) -> Any:
    if isinstance(config, ComposeConfig):
        return Composer(config, Boxes().textures, ("styles/a", "styles/b"))
    return Sampler(config, Boxes())  # type: ignore[arg-type]


def factors_of(section: Section, path: str = "") -> Iterator[tuple[str, Distribution | None]]:
    """The path of every field that is drawn, and its distribution; None where it is null."""
    for name, field in type(section).model_fields.items():
        value, place = getattr(section, name), f"{path}.{name}" if path else name
        if isinstance(value, Section):
            yield from factors_of(value, place)
        elif isinstance(value, Distribution) or "Checked" in str(field.metadata or field.annotation):
            yield place, value


def others(path: str, distribution: Distribution | None) -> list[Any]:
    """Values to put in a factor's place."""
    named = {"hdri": SKIES[1], "texture": "walls/b", "image": "views/b", "reference": "styles/b", "kind": "tree",
             "category": "mug"}  # fmt: skip
    if distribution is None:
        return [named.get(path.split(".")[-1], 0.7), 5.0, CRACK]
    support = distribution.support()
    first = support[0]
    if isinstance(first, bool):
        return [not first] if len(set(support)) == 1 else [True, False]
    if isinstance(first, str):
        more = [*support, *OTHER_NAMES.get(path, ()), named.get(path.split(".")[-1]), "wood"]
        return [name for name in more if distribution != Fixed(name)]
    if isinstance(distribution, Fixed):
        return [first + 1, first / 2, 0.5, 40]
    return [max(support), min(support), 1, 2]


OTHER_NAMES = {
    "objects.rotation": ("free", "stable"), "objects.support": ("floating", "ground"),
    "background.kind": ("color", "room"), "surface.shadow_casters.kind": ("pole",),
    "sensor.metering": ("none",), "sensor.tone": ("filmic",), "material.mode": ("whole",),
    "surface.placement": ("wall", "floor"), "lighting.world.hdri": SKIES,
}  # fmt: skip


def replaced(data: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    name, _, rest = path.partition(".")
    new = {**data, name: replaced(data[name], rest, value) if rest else value}
    # One of these takes the place of the other.
    return new | ({ALTERNATIVES[name]: None} if name in ALTERNATIVES and "framing" in data else {})


def with_another(config: Any, path: str, distribution: Distribution | None) -> Any:
    for value in others(path, distribution):
        try:
            changed_config = validate(replaced(config.plain(), path, value), "test")
            sampler_of(changed_config)
        except InputError:
            continue
        if changed_config != config:
            return changed_config
    raise AssertionError(f"no other value is known for {path}")


THINGS = ("joints", "marks", "debris", "seals", "covers", "shadow_casters")


# No shadow can be caught from below the ground, where the camera of matting also stands, and it stores clean plates. A
# fall would undo the sides that some presets show, and these have no piles.
NO_OTHER = {
    ("matting", "background.shadow"),
    ("matting", "sensor.balance"),
    ("tabletop-pile", "objects.side"),
    *((name, "objects.pile.present") for name in ("habits", "s2rda13", "s2rda49-shapenet", "visda13")),
}
# A film needs several views: `test_pile.py` has some.
OF_VIEWS = ("objects.pile.film",)


def presets() -> dict[str, list[str]]:
    """Configs by name: each preset as it is, and some with more in them."""
    full = ["objects.count=3", "objects.clutter.count=2", "objects.occluder.present=true", "lighting.area.count=2"]
    return {
        **{name: [name] for name in preset_names()},
        "smoke, full": ["smoke", *full, "material.family={choice: [pbr, wood]}", "background.ground=pbr"],
        "cracks, full": ["cracks", *(f"surface.{n}.count=2" for n in THINGS), "surface.placement=floor"],
        "composed": [],
    }


# The presets that have between them all kinds of pictures; the others take minutes.
_QUICK = ("smoke", "cracks", "composed")


@pytest.mark.parametrize(
    "name", [name if name in _QUICK else pytest.param(name, marks=pytest.mark.slow) for name in presets()]
)
def test_a_factor_leaves_all_others_alone(name: str) -> None:
    words = presets()[name]
    config = load_config(words[0], words[1:]) if words else ComposeConfig(assets={"textures": ["walls"]})
    table = COMPOSED if name == "composed" else FOLLOWS
    before = [flat(sampler_of(config).sample(3, index)) for index in range(SCENES)]
    moved, strays = 0, {}
    for factor, distribution in factors_of(config):
        if (name, factor) in NO_OTHER or factor in OF_VIEWS:
            continue
        drawn = sampler_of(with_another(config, factor, distribution))
        allowed = followers(factor, table)
        if factor == "objects.category" and config.by_class:
            # Another class brings the factors that it has of its own.
            own = {path for fields in config.by_class.values() for path in _paths(fields)}
            allowed += [leaf for path in sorted(own) for leaf in followers(path, table)]
        if name == "tabletop-pile" and factor.startswith("objects."):
            allowed += ["items.*.rotation.*", *MOVED]  # each object moves those that it falls onto
        differ = set().union(*(changed(flat(drawn.sample(3, k)), old) for k, old in enumerate(before)))
        stray = sorted(path for path in differ if not any(fnmatchcase(path, pattern) for pattern in allowed))
        strays |= {factor: stray} if stray else {}
        moved += bool(differ)
    assert not strays and moved > 20


def test_parameters_of_materials_hold_for_their_own_section_alone() -> None:
    """The stone of the objects is not that of the ground."""
    words = ["material.family=stone", "material.mode=whole", "background.kind=room", "background.ground=stone",
             "background.walls=stone"]  # fmt: skip
    base, objects, ground = (
        sampler_of(load_config("smoke", [*words, *more]))
        for more in ([], ["material.parameters.stone.scale=9"], ["background.parameters.stone.scale=9"])
    )
    for index in range(SCENES):
        old = flat(base.sample(3, index))
        assert changed(old, flat(objects.sample(3, index))) == {"items.main.0.materials.*.parameters.scale"}
        both = {f"background.{name}.parameters.scale" for name in ("material", "walls")}
        assert changed(old, flat(ground.sample(3, index))) == both


# Assets that come and go -----------------------------------------------------------------------------------------


@cache
@cache
def drawn_with(catalogue: Boxes, *words: str) -> list[Leaves]:
    # With another class, a picture gets the factors of that class too: tests/scenes/test_by_class.py.
    config = load_config("s2rda13", ["objects.count=2", "by_class=null", *words])
    drawn = Sampler(config, catalogue)  # type: ignore[arg-type]
    return [flat(drawn.sample(5, index)) for index in range(150)]


PBR = ("material.family=pbr", "material.mode=whole")
ALL = Boxes()


@pytest.mark.parametrize(
    ("fewer", "more", "new", "share", "words"),
    [
        (Boxes(sizes=9), Boxes(sizes=10), lambda value: str(value).endswith(":9"), 1 / 10, ()),
        (Boxes(tuple(GENERATORS)[:-1]), ALL, lambda value: value == tuple(GENERATORS)[-1], 1 / 13, ()),
        (Boxes(hdris=SKIES[:2]), ALL, lambda value: value == SKIES[2], 1 / 3, ()),
        (Boxes(textures=("walls/a", "walls/b")), ALL, lambda value: value == "walls/c", 1 / 3, PBR),
    ],
    ids=["shape", "class", "hdri", "texture"],
)
def test_an_asset_more_changes_only_the_pictures_that_get_it(
    fewer: Boxes, more: Boxes, new: Callable[[Any], bool], share: float, words: tuple[str, ...]
) -> None:
    """Read backward, it is an asset less: only the pictures change that had it."""
    got, places = 0, 0
    for old, now in zip(drawn_with(fewer, *words), drawn_with(more, *words), strict=True):
        having = {path for path, value in now.items() if new(value)}
        assert (old != now) == bool(having)
        assert not any(new(value) for value in old.values())
        # What is not the new thing keeps what it is; it may have to make room.
        having = {path.rsplit(".", 1)[0] for path in having}
        for path in changed(old, now):
            followed = any(fnmatchcase(path, pattern) for pattern in MOVED)
            assert followed or any(path.startswith(one) for one in having), path
        got += "items.main.0" in having or "world" in having or "items.main.0.materials.*.parameters" in having
        places += 1
    # As many as there should be: within four standard deviations.
    assert abs(got / places - share) < 4 * (share * (1 - share) / places) ** 0.5


def test_weights_are_kept_and_a_name_more_takes_from_all_alike() -> None:
    def counted(form: Any) -> list[str]:
        return [str(Streams(1, index).value("a", parse(form))) for index in range(6000)]

    old = counted({"choice": {"a": 0.6, "b": 0.3, "c": 0.1, "never": 0.0}})
    for name, share in (("a", 0.6), ("b", 0.3), ("c", 0.1), ("never", 0.0)):
        assert abs(old.count(name) / 6000 - share) <= 4 * (share * (1 - share) / 6000) ** 0.5
    now = counted({"choice": {"c": 0.08, "d": 0.2, "a": 0.48, "b": 0.24}})
    assert {after for before, after in zip(old, now, strict=True) if before != after} == {"d"}
    assert abs(now.count("d") / 6000 - 0.2) < 4 * (0.2 * 0.8 / 6000) ** 0.5


def test_ways_to_write_a_choice_of_names_draw_the_same() -> None:
    nested = {"mixture": [{"weight": 0.5, "of": "a"}, {"weight": 0.5, "of": {"choice": ["a", "b"]}}]}
    forms = [parse(form) for form in (nested, {"choice": ["a", "a", "a", "b"]}, {"choice": {"b": 0.25, "a": 0.75}})]
    for index in range(200):
        assert len({Streams(1, index).value("f", form) for form in forms}) == 1
    even, null = parse({"choice": ["a", "b", "c"]}), Names(["c", "b", "a"])
    assert all(Streams(2, k).value("f", even) == Streams(2, k).one_of("f", null) for k in range(200))


def test_choices_are_pinned() -> None:
    """The same on every machine, so that data sets of earlier versions can be drawn again."""
    names = Names(["shape:mug:0", "shape:mug:1", "wälle/a.png", "studio:city"])
    # Worked out with whole numbers of any size, by the published form of splitmix64.
    assert [names.index(names.chosen(key)) for key in range(8)] == [2, 3, 3, 3, 0, 3, 2, 2]


def test_a_sweep_runs_through_the_names_in_their_order() -> None:
    names = Names(["a", "b", "c", "d"])
    assert [Streams(0, 0, {"f": q}).one_of("f", names) for q in (0.1, 0.3, 0.6, 0.99)] == list(names)
    weighted = parse({"choice": {"x": 0.5, "y": 0.5}})
    assert [Streams(0, 0, {"f": q}).value("f", weighted) for q in (0.1, 0.6)] == ["x", "y"]
    assert "objects.category" in sampler_of(load_config("smoke")).factors(0, 0)


def test_the_first_choice_hashes_the_names_and_no_other_does(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(f"shapenet/{k:08d}/model.obj" for k in range(100))
    names.chosen(0)
    monkeypatch.setattr("scenes.names.hashlib.blake2b", None)
    assert len({names.chosen(key) for key in range(50)}) > 10

"""Factors of single classes: how they are read, what they move, and the side of an object that is seen."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scenes.config.loading import load_config, validate
from scenes.config.merging import laid_over
from scenes.config.objects import Config
from scenes.errors import InputError, InputWarning
from scenes.record.scene import Item, Scene, rotation_matrix
from scenes.sampling.scene import Sampler
from tests.scenes.test_stable import Boxes, changed, flat

PICTURES = 60


def sampler(**fields: Any) -> Sampler:
    return Sampler(validate(fields, "test"), Boxes())  # type: ignore[arg-type]


def drawn(**fields: Any) -> list[Scene]:
    each = sampler(**fields)
    return [each.sample(3, index) for index in range(PICTURES)]


def apart(one: float, other: float) -> float:
    """The angle between two directions, degrees."""
    return abs((one - other + 180) % 360 - 180)


# What a factor of a class moves --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "leaves"),
    [
        ({"camera": {"roll": 77}}, {"camera.roll"}),
        ({"sensor": {"noise": 0.3}}, {"sensor.noise"}),
        ({"material": {"mode": "whole", "family": "wood"}}, {"items.main.0.materials"}),
        ({"background": {"kind": "white"}}, {"background"}),
        ({"lighting": {"sun": {"count": 1}}}, {"lights.sun"}),
    ],
    ids=lambda value: next(iter(value)),
)
def test_a_factor_of_a_class_moves_its_pictures_alone(given: dict[str, Any], leaves: set[str]) -> None:
    moved = 0
    for old, new in zip(drawn(), drawn(by_class={"guitar": given}), strict=True):
        paths = changed(flat(old), flat(new))
        assert all(path.startswith(tuple(leaves)) for path in paths)
        assert bool(paths) == (old.main is not None and old.main.category == "guitar")
        moved += bool(paths)
    assert moved


def test_an_object_beside_the_main_one_has_the_factors_of_its_own_class() -> None:
    beside = {"clutter": {"count": 2}, "rotation": "upright"}
    lying = 0
    for scene in drawn(objects=beside, by_class={"guitar": {"objects": {"rotation": "lying"}}}):
        for item in scene.items:
            up = rotation_matrix(item.rotation)[2, 2]
            assert up == pytest.approx(0 if item.category == "guitar" else 1, abs=1e-9)
            lying += item.category == "guitar" and item.purpose == "clutter"
    assert lying


def test_a_factor_of_a_class_keeps_the_quantile_of_the_others() -> None:
    """The same uniform number decides it, so a sweep holds for all classes."""
    roll = {"uniform": [0, 10]}
    for old, new in zip(
        drawn(camera={"roll": roll}), drawn(by_class={"guitar": {"camera": {"roll": roll}}}), strict=True
    ):
        if old.main and old.main.category == "guitar":
            assert new.camera.roll == old.camera.roll


# The side that is seen -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [0, 37.5, 90, 200, -45])
@pytest.mark.parametrize("framing", [{"framing": 0.7}, {"distance": 3}], ids=["framed", "distant"])
def test_the_side_that_is_seen_is_exact(side: float, framing: dict[str, float]) -> None:
    azimuths = set()
    for scene in drawn(objects={"side": side, "support": {"choice": ["ground", "floating"]}}, camera=framing):
        assert scene.side is not None and apart(scene.side, side) < 1e-6
        assert dict(scene.factors())["items.main.side"] == scene.side
        azimuths.add(round(dict(scene.factors())["camera.azimuth"]))  # type: ignore[arg-type]
    assert len(azimuths) > PICTURES / 3, "the camera still stands anywhere"


def in_its_frame(scene: Scene, item: Item) -> tuple[float, float, float]:
    away = [a - b for a, b in zip(scene.camera.location, item.location, strict=True)]
    x, y, z = (rotation_matrix(item.rotation).T @ away).tolist()
    return x, y, z


@pytest.mark.parametrize("side", [0.0, 30.0, -60.0])
def test_a_lying_object_is_seen_from_above_as_a_standing_one_from_its_front(side: float) -> None:
    for scene in drawn(objects={"side": side, "rotation": "lying"}, camera={"elevation": 20, "framing": 0.7}):
        assert scene.main is not None and scene.side is not None
        assert rotation_matrix(scene.main.rotation)[:, 1] == pytest.approx((0, 0, -1), abs=1e-9), "its front is up"
        assert apart(scene.side, side) < 1e-6
        x, y, z = in_its_frame(scene, scene.main)
        assert z / (x * x + y * y) ** 0.5 == pytest.approx(-0.36397, abs=1e-4), "20 degrees towards its foot"
        assert scene.camera.location[2] > scene.main.location[2]


def test_nobody_sees_what_an_object_lies_on() -> None:
    for scene in drawn(objects={"side": {"uniform": [0, 360]}, "rotation": "lying"}, camera={"framing": 0.7}):
        assert scene.main is not None and in_its_frame(scene, scene.main)[1] <= 1e-9


def test_members_turn_their_own_side_to_the_same_view() -> None:
    for scene in drawn(objects={"side": 90, "count": 3}):
        turned = [rotation_matrix(item.rotation)[:, 0].round(9).tolist() for item in scene.items]
        assert all(one == turned[0] for one in turned)


# How it is read ------------------------------------------------------------------------------------------------------


def test_what_is_said_of_all_classes_later_replaces_what_was_said_of_one() -> None:
    base = {"by_class": {"car": {"objects": {"side": 90}, "camera": {"roll": 1, "framing": 0.5}}}}
    assert laid_over(base, {"camera": {"roll": 5}})["by_class"]["car"]["camera"] == {"framing": 0.5}
    assert laid_over(base, {"camera": {"distance": 5}})["by_class"]["car"]["camera"] == {"roll": 1}
    assert laid_over(base, {"objects": {"yaw": 5}})["by_class"]["car"]["objects"] == {}
    both = laid_over(base, {"camera": {"roll": 5}, "by_class": {"car": {"camera": {"roll": 7}}, "mug": {}}})
    assert both["by_class"]["car"]["camera"] == {"framing": 0.5, "roll": 7}
    assert set(both["by_class"]) == {"car", "mug"}


def test_extends_and_set_follow_that_order(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("by_class: {car: {camera: {roll: 90, elevation: 3}}}\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\ncamera: {elevation: 7}\n")

    def car(*words: str) -> Config:
        config = load_config(tmp_path / "b.yaml", words)
        assert isinstance(config, Config)
        return config.of_class("car")

    assert (car().camera.roll.at(0.5), car().camera.elevation.at(0.5)) == (90, 7)
    assert car("camera.roll=2").camera.roll.at(0.5) == 2
    assert car("by_class.car.camera.roll=4").camera.roll.at(0.5) == 4
    assert car("by_class=null").camera == car().of_class("mug").camera.model_copy(update={"roll": Config().camera.roll})


def test_two_spellings_are_one_config() -> None:
    one = validate({"by_class": {"car": {"objects": {"yaw": {"choice": [1, 2]}}}}}, "a")
    other = {"mixture": [{"weight": 0.5, "of": 1}, {"weight": 0.5, "of": 2}]}
    assert one.digest() == validate({"by_class": {"car": {"objects": {"yaw": other}}}}, "b").digest()
    assert validate(one.plain(), "c") == one
    assert one.digest() != validate({"by_class": {"mug": {"objects": {"yaw": other}}}}, "d").digest()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"guitar": {"camera": {"rol": 1}}}, "field by_class.guitar.camera.rol: unknown key, did you mean 'roll'"),
        ({"guitar": {"camra": {"roll": 1}}}, "field by_class.guitar.camra: unknown key, did you mean 'camera'"),
        ({"guitar": {"objects": {"clutter": {"cont": 1}}}}, "field by_class.guitar.objects.clutter.cont: unknown key"),
        ({"guitar": {"camera": {"roll": "a"}}}, "field by_class.guitar.camera.roll: 'a' is not a finite number"),
        ({"guitar": {"camera": 3}}, "field by_class.guitar.camera: give the fields that differ"),
        ({"guitar": 3}, "field by_class.guitar: "),
        ({"guitar": {"camera": {"resolution": [9, 9]}}}, "set camera.resolution instead"),
        ({"guitar": {"camera": {"distance": 3, "framing": 0.5}}}, "field by_class.guitar.camera: give either distance"),
        ({"guitar": {"sensor": {"balance": 1}}}, "field by_class.guitar: sensor.balance must be 0"),
    ],
)
def test_errors_name_the_class_the_field_and_the_near_miss(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as told:
        validate({"by_class": given, "render": {"plate": True}}, "mine.yaml")
    assert str(told.value).startswith("mine.yaml: ") and words in str(told.value) and "\n" not in str(told.value)


def test_a_class_that_is_misspelled_is_told_and_one_that_is_not_there_is_not() -> None:
    with pytest.raises(InputError, match=r"field by_class.guitr: no asset has this class, did you mean 'guitar'"):
        sampler(by_class={"guitr": {"camera": {"roll": 1}}})
    sampler(by_class={"rifle": {"camera": {"roll": 1}}})


def test_assets_that_only_a_class_asks_for_are_checked() -> None:
    with pytest.raises(InputError, match=r"field lighting.world.hdri: no asset is called 'studio:cty'"):
        sampler(by_class={"car": {"lighting": {"world": {"hdri": "studio:cty"}}}})


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["by_class.car.objects={yaw: 3, side: 90}"], "by_class.car.objects.yaw"),
        (["by_class.car.objects={side: 90, rotation: free}"], "by_class.car.objects.side"),
        (["classes=[mug]", "by_class.car.camera.roll=1"], "by_class.car"),
        (["by_class.car.background={kind: hdri, hue: 0.5}"], "by_class.car.background.hue"),
        (["background={kind: hdri, hue: 0.5}", "by_class.car.background.kind=color"], ""),
        (["camera.azimuth=3", "objects.side=90"], ""),
    ],
)
def test_void_fields_of_a_class_are_told(words: list[str], field: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_config("smoke", words)
    told = [str(one.message) for one in caught if one.category is InputWarning]
    assert [line.split("field ")[1].split(" has no effect")[0] for line in told] == ([field] if field else [])


# The habits of the presets for classification ------------------------------------------------------------------------


def test_vehicles_are_mostly_seen_from_the_side_and_guitars_from_the_front() -> None:
    config = load_config("s2rda13")
    each = Sampler(config, Boxes())  # type: ignore[arg-type]
    seen: dict[str, list[Scene]] = {}
    for index in range(500):
        scene = each.sample(1, index)
        seen.setdefault(str(scene.subject), []).append(scene)

    def share(name: str, within: float, *sides: float) -> float:
        found = [scene for scene in seen[name] if any(apart(float(scene.side or 0), one) < within for one in sides)]
        return len(found) / len(seen[name])

    for name in ("car", "motorcycle", "watercraft", "airplane"):
        assert share(name, 20, 90, 270) > 0.45, name
    assert share("guitar", 31, 0) > 0.7 and share("telephone", 36, 0) > 0.65 and share("laptop", 90, 0) > 0.7
    turned = Counter(abs(scene.camera.roll) > 25 for scene in seen["guitar"])
    assert turned[True] > turned[False] > 0
    assert all(abs(scene.camera.roll) < 11 for scene in seen["chair"])


def test_a_user_overrules_a_habit_for_all_classes_with_one_word() -> None:
    config = load_config("s2rda13", ["camera.roll=3", "objects.side=10"])
    assert isinstance(config, Config)
    for name in config.by_class:
        assert (config.of_class(name).camera.roll.at(0.9), config.of_class(name).objects.side.at(0.9)) == (3, 10)

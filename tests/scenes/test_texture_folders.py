"""Textures by class and by role of the part: which folders they come from, and that nothing else moves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scenes.assets.catalogue import Catalogue
from scenes.config.loading import load_config, validate
from scenes.errors import InputError, InputWarning
from scenes.names import Candidates
from scenes.record.scene import Item, Scene
from scenes.sampling.scene import Sampler
from tests.scenes.test_stable import Boxes

IDS = ("oak/old/a", "oak/b", "paint/a", "paint/b", "paint/c", "walls/a", "walls/b", "pa/x")
CLASSES = ("car", "mug", "piano")


def scenes(textures: dict[str, Any], mode: str = "whole", names: tuple[str, ...] = IDS, **more: Any) -> list[Scene]:
    material = {"mode": mode, "family": "image", "textures": textures, **more}
    config = {"material": material, "objects": {"count": 3}, "background": {"kind": "hdri"}}
    sampler = Sampler(validate(config, "test"), Boxes(CLASSES, textures=names))  # type: ignore[arg-type]
    return [sampler.sample(1, index) for index in range(12)]


def used(found: list[Scene]) -> list[tuple[Item, str, str]]:
    """Each item, the role of each of its materials, and the folder of the texture."""
    return [
        (item, role, str(material.parameters["texture"]).partition("/")[0])
        for scene in found
        for item in scene.items
        for role, material in item.materials.items()
    ]


def test_each_class_has_its_folders() -> None:
    found = used(scenes({"car": "paint", "mug": ["oak", "pa"], "*": "walls"}))
    folders = {name: {folder for item, _, folder in found if item.category == name} for name in CLASSES}
    assert folders == {"car": {"paint"}, "mug": {"oak", "pa"}, "piano": {"walls"}}


def test_a_role_goes_before_a_class() -> None:
    found = used(scenes({"wood": "oak", "car": "paint"}, mode="per_part"))
    assert {folder for _, role, folder in found if role == "wood"} == {"oak"}
    assert {folder for item, role, folder in found if role != "wood" and item.category == "car"} == {"paint"}
    # What no entry is for has textures from everywhere.
    assert len({folder for item, role, folder in found if role != "wood" and item.category != "car"}) > 2


def test_only_the_textures_of_the_class_move() -> None:
    plain, changed = scenes({}), scenes({"car": "paint"})
    moved = 0
    for before, after in zip(plain, changed, strict=True):
        assert replace(after, items=before.items) == before
        for one, other in zip(before.items, after.items, strict=True):
            if one.category != "car":
                assert one == other
                continue
            (a,), (b,) = one.materials.values(), other.materials.values()
            assert {**a.parameters, "texture": ""} == {**b.parameters, "texture": ""}
            moved += a != b
    assert moved > 3


def test_a_new_texture_elsewhere_moves_nothing() -> None:
    assert scenes({"*": "paint"}, names=(*IDS, "walls/c", "oak/d")) == scenes({"*": "paint"})


def test_no_texture_is_drawn_for_other_families() -> None:
    for scene in scenes({"*": "paint"}, family="plastic"):
        assert all("texture" not in one.parameters for item in scene.items for one in item.materials.values())


def test_useless_textures_leave_their_place_within_the_folder() -> None:
    """Of candidates, those below a folder are candidates, too: the next best is one of them."""
    names = Candidates(["a/1", "a/2", "b/1"], lambda name: name != "a/1", lambda: ValueError("none"))
    below = names.below(("a",))
    assert below == ("a/1", "a/2") and {below.chosen(key) for key in range(20)} == {"a/2"}
    assert names.below(("a",)) is below


@pytest.mark.parametrize(
    ("textures", "told"),
    [
        ({"car": "pain"}, "field material.textures.car: no texture is in the folder 'pain', did you mean 'paint'"),
        ({"piane": "paint"}, "field material.textures: 'piane' is no class and no role, did you mean 'piano'"),
        ({"car": []}, "material.textures.car"),
        ({"car": "/"}, "a folder of textures has a name"),
    ],
)
def test_what_is_not_there_is_told(textures: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        scenes(textures)


def test_textures_replace_each_other() -> None:
    with pytest.raises(InputError, match="give either texture or textures, not both"):
        scenes({"car": "paint"}, texture="paint/a")
    void = r"material\.textures.* has no effect: material\.family is never pbr or image"
    with pytest.warns(InputWarning, match=void):
        load_config({"material": {"mode": "whole", "family": "plastic", "textures": {"*": "paint"}}})


def test_folders_are_those_on_the_disk(tmp_path: Path) -> None:
    for name in ("oak/light", "oak/dark", "paint/red", "oaken/fence"):
        file = tmp_path / "pbr" / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(len(name)).integers(0, 255, (32, 32, 3), np.uint8)
        Image.fromarray(noise).save(file)
    catalogue = Catalogue(shapes={"mug": 1}, textures=[tmp_path / "pbr"], cache=tmp_path / "cache")
    material = {"mode": "whole", "family": "image", "textures": {"mug": "pbr/oak"}}
    sampler = Sampler(validate({"material": material, "background": {"kind": "hdri"}}, "test"), catalogue)
    names = {
        material.parameters["texture"]
        for index in range(8)
        for item in sampler.sample(0, index).items
        for material in item.materials.values()
    }
    assert names == {"pbr/oak/light", "pbr/oak/dark"}

"""Scenes that are edited by hand, and configs that come from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenes.config.loading import load_config
from scenes.errors import InputError
from scenes.materials.families import FAMILIES, TEXTURED
from scenes.materials.typical import material
from scenes.record.camera import Camera
from scenes.record.edit import edited
from scenes.record.material import Material
from scenes.record.scene import Background, Item, Scene, Sensor, World


def scene() -> Scene:
    mug = Item("shape:mug:0", "mug", "main", (0.0, 0.0, 0.5), (1.0, 0.0, 0.0, 0.0), 1.0, {"*": Material("own")})
    camera = Camera((0, -2, 0), (0, 0, 0), 0, 50, 64, 64)
    return Scene(3, 7, (mug,), World("", 0, 1), (), camera, Background("none"), Sensor())


def test_only_what_is_named_changes() -> None:
    before = scene()
    after = edited(before, {"items.0.location": [1, 2, 3], "camera.roll": 5})
    assert after.items[0].location == (1.0, 2.0, 3.0) and after.camera.roll == 5.0
    assert before == scene()
    assert edited(after, {"items.0.location": (0, 0, 0.5), "camera.roll": 0}) == before


def test_a_role_gets_a_material() -> None:
    steel = material("metal", roughness=0.1)
    changed = edited(scene(), {"items.0.materials.handle": steel})
    assert changed.items[0].materials == {"*": Material("own"), "handle": steel}
    assert Scene.from_json(changed.to_json()) == changed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"camera.focal_lenght": 50}, "field camera.focal_lenght: .* did you mean 'focal_length'"),
        ({"items.1.scale": 2}, "field items.1.scale: there is no '1', accepted: 0"),
        ({"camera.width": "wide"}, r"field camera.width: .*integer.*'wide'"),
        ({"background.kind": "sky"}, "field background.kind: .*'sky'"),
        ({"camera.roll.x": 1}, "field camera.roll.x: there is no 'x'"),
    ],
)
def test_what_does_not_fit_is_told(change: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        edited(scene(), change)


def test_a_material_has_every_parameter_of_its_family() -> None:
    for family, parameters in FAMILIES.items():
        if family not in TEXTURED:
            assert set(material(family).parameters) == set(parameters)
    with pytest.raises(InputError, match="did you mean 'metal'"):
        material("metall")
    with pytest.raises(InputError, match="no parameter 'rough'"):
        material("metal", rough=1)
    with pytest.raises(InputError, match="give texture"):
        material("pbr")
    assert material("pbr", texture="walls/brick").parameters["texture"] == "walls/brick"


def test_a_config_from_a_mapping_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: smoke\ncamera: {resolution: [32, 24], roll: {uniform: [0, 9]}}\n")
    content = {"extends": "smoke", "camera": {"resolution": (32, 24), "roll": {"uniform": (0, 9)}}}
    assert load_config(path) == load_config(content)
    changed = load_config(content, {"camera.roll": 30, "assets.shapes": 1})
    assert changed == load_config(path, ["camera.roll=30", "assets.shapes=1"])
    with pytest.raises(InputError, match=r"config: field camera.azimut: unknown key, did you mean 'azimuth'"):
        load_config({"camera": {"azimut": 3}})


def test_paths_of_a_mapping_start_at_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_config({"assets": {"textures": [Path("pbr")], "models": [{"path": Path("models")}]}})
    assert config.assets.textures == (tmp_path / "pbr",) and config.assets.models[0].path == tmp_path / "models"  # type: ignore[union-attr]

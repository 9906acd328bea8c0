"""A field that another one makes void is told when a config is read, and only to those who set it."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from render.cli.main import main
from scenes.config.composite import ComposeConfig
from scenes.config.loading import load_config, preset_names
from scenes.config.objects import Config
from scenes.config.void import _COMPOSED, _RULES, _matches, _paths
from scenes.errors import InputError, InputWarning


def told(source: str | Path, *words: str) -> list[str]:
    """The fields that are said to have no effect."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_config(source, words)
    return [str(one.message).split("field ")[1].split(" has")[0] for one in caught if one.category is InputWarning]


# What is set, and whether it is void: once where it is, once where another field gives it an effect.
CASES = [
    ("smoke", ["objects.clutter.scale=2"], "objects.clutter.scale", ["objects.clutter.count=1"]),
    ("smoke", ["objects.occluder.visibility=0.5"], "objects.occluder.visibility", ["objects.occluder.present=true"]),
    ("smoke", ["objects.lift=0.5"], "objects.lift", ["objects.support={choice: [ground, floating]}"]),
    ("smoke", ["objects.yaw=5", "objects.rotation=free"], "objects.yaw", ["objects.rotation=stable"]),
    ("smoke", ["objects.spacing=0"], "objects.spacing", ["objects.count={uniform: [1, 2]}"]),
    ("smoke", ["objects.crowding=1"], "objects.crowding", ["objects.count={uniform: [1, 2]}"]),
    ("smoke", ["objects.pile.spread=1"], "objects.pile.spread", ["objects.pile.present=true"]),
    ("smoke", ["objects.count=3", "objects.spacing=1", "objects.pile.present=true"], "objects.spacing",
     ["objects.pile.present={choice: [true, false]}"]),
    ("smoke", ["lighting.sun.energy=4"], "lighting.sun.energy", ["lighting.sun.count={choice: [0, 1]}"]),
    ("smoke", ["lighting.world={hdri: '', rotation: 3}"], "lighting.world.rotation",
     ["lighting.world.hdri='studio:city'"]),
    ("smoke", ["material={mode: own, family: wood}"], "material.family", ["material.mode=per_part"]),
    ("smoke", ["camera.azimuth={uniform: [-30, 30]}"], "camera.azimuth", ["objects.yaw={uniform: [-40, 40]}"]),
    ("smoke", ["background={kind: hdri, ground: wood}"], "background.ground", ["background.kind=ground"]),
    ("smoke", ["background={kind: ground, walls: wood}"], "background.walls", ["background.kind=room"]),
    ("smoke", ["background={kind: ground, room_width: 5}"], "background.room_width", ["background.kind=room"]),
    ("smoke", ["background.hue=0.2"], "background.hue", ["background.kind={choice: [color, hdri]}"]),
    ("smoke", ["background={kind: ground, shadow: false}"], "background.shadow", ["background.kind=hdri"]),
    ("cracks", ["surface.seals={count: 0, hue: 0.1}"], "surface.seals.hue", ["surface.seals.count=1"]),
    ("cracks", ["surface.marks={count: 0, size: 2}"], "surface.marks.size", ["surface.marks.count=1"]),
    ("cracks", ["surface={placement: floor, side: 3}"], "surface.side", ["surface.placement=wall"]),
    ("cracks", ["surface.crack={present: false, depth: 1}"], "surface.crack.depth", ["surface.crack.present=true"]),
    ("cracks", ["surface.family=cast", "surface.crack.stepped=true"], "surface.crack.stepped",
     ["surface.family=brickwork"]),
    ("cracks", ["camera.elevation=30"], "camera.elevation", ["surface=null"]),
    ("cracks-objects", ["objects.crack.present=false", "objects.crack.dirt=1"], "objects.crack.dirt",
     ["objects.crack.present=true"]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "words", "field", "cure"), CASES, ids=[case[2] for case in CASES])
def test_void_fields_are_told(source: str, words: list[str], field: str, cure: list[str]) -> None:
    assert field in told(source, *words)
    assert field not in told(source, *words, *cure)


def test_the_relief_of_a_crack_in_an_object_is_told() -> None:
    assert told("cracks-objects", "objects.crack.roughness=1", "objects.crack.width=4") == ["objects.crack.roughness"]


def test_what_presets_and_base_files_set_is_not_told(tmp_path: Path) -> None:
    assert [told(name) for name in preset_names()] == [[]] * len(preset_names())
    (tmp_path / "base.yaml").write_text("extends: smoke\nlighting: {sun: {count: 1, energy: 4}}\n")
    (tmp_path / "dark.yaml").write_text("extends: base.yaml\nlighting: {sun: {count: 0}}\n")
    assert told(tmp_path / "base.yaml") == told(tmp_path / "dark.yaml") == []
    assert told(tmp_path / "base.yaml", "lighting.sun.count=0") == ["lighting.sun.energy"]


def test_void_steps_of_composed_pictures_are_told(tmp_path: Path) -> None:
    path = tmp_path / "composed.yaml"
    path.write_text("renderer: composite\ncrack: {use: false, width: 3}\nlips: {size: 2}\nstyle: {strength: 1}\n")
    assert told(path) == ["crack.width", "lips.size", "style.strength"]
    assert told(path, "crack.use=true", "assets.styles=[photos]") == []


def test_of_two_alternatives_only_one_is_set() -> None:
    for words in (["camera.distance=3", "camera.framing=0.5"], ["camera.framing=0.5", "camera={distance: 3}"]):
        with pytest.raises(InputError, match="give only one"):
            load_config("smoke", words)
    assert load_config("s2rda13", ["camera.distance=null", "camera.framing=0.5"]).camera.distance is None  # type: ignore[union-attr]


def test_a_command_tells_it_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings(), pytest.raises(SystemExit):
        main(["preview", "smoke", "--out", str(tmp_path / "a.png"), "--set", "objects.lift=1", "--vary", "none"])
    first, _ = capsys.readouterr().err.splitlines()
    assert first == "blendmill: smoke.yaml: field objects.lift has no effect: objects.support is never floating"


@pytest.mark.parametrize(("config", "rules"), [(Config, _RULES), (ComposeConfig, _COMPOSED)])
def test_rules_name_fields_that_exist(config: type[Config] | type[ComposeConfig], rules: list) -> None:
    full = config(surface={}, objects={"crack": {}}, classes=["a"]) if config is Config else config()  # type: ignore[call-arg]
    paths = [*_paths(full.model_dump(mode="json")), "material.parameters.wood", "background.parameters.wood"]
    for fields, reason, _ in rules:
        assert any(_matches(path, fields) for path in paths), (fields, reason)

"""The config: all presets load, and each error is reported in one line."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scenes.annotations import Checked
from scenes.config.camera import CameraConfig
from scenes.config.composite import ComposeConfig, StainsConfig
from scenes.config.lighting import LampsConfig
from scenes.config.loading import load_config, preset_names, validate
from scenes.config.objects import Config
from scenes.config.reference import meanings
from scenes.distributions import Fixed
from scenes.errors import InputError
from scenes.section import Section
from scenes.streams import Streams


def test_all_presets_load_and_mean_the_same_when_written_out() -> None:
    assert set(preset_names()) >= {"s2rda13", "s2rda49-shapenet", "tabletop-dense", "matting", "smoke"}
    for name in preset_names():
        config = load_config(name)
        assert validate(config.plain(), name).digest() == config.digest()


def test_the_digest_follows_meaning_not_spelling() -> None:
    one = validate({"objects": {"scale": 2}}, "a")
    same = validate({"objects": {"scale": 2, "count": 1}}, "b")
    other = validate({"objects": {"scale": 2.5}}, "c")
    assert one.digest() == same.digest() != other.digest()


def test_extends_and_set_override_in_order(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("extends: smoke\ncamera: {azimuth: 10, elevation: 5}\n")
    config = load_config(tmp_path / "mine.yaml", ["camera.azimuth=20", "objects.scale={uniform: [1, 3]}"])
    assert config.camera.azimuth.at(0.5) == 20
    assert config.camera.elevation.at(0.5) == 5
    assert config.objects.scale.at(0.5) == 2
    assert config.camera.resolution == (64, 64)


def test_paths_are_meant_from_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("assets: {hdris: [sky], models: [{path: things}]}\n")
    config = load_config(tmp_path / "a.yaml")
    assert config.assets.hdris == (tmp_path / "sky",)
    assert config.assets.models[0].path == tmp_path / "things"


def test_uniform_elevation_means_even_over_the_sphere() -> None:
    config = validate({"camera": {"elevation": {"uniform": [0, 90]}}}, "a")
    assert config.camera.elevation.at(0.5) == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("camra: {}", "did you mean 'camera'"),
        ("camera: {azimut: 3}", "field camera.azimut: unknown key, did you mean 'azimuth'"),
        ("objects: {clutter: {cont: 1}}", "did you mean 'count'"),
        ("camera: {azimuth: {uniform: [3, 1]}}", "field camera.azimuth: range"),
        ("camera: {azimuth: fast}", "field camera.azimuth"),
        ("camera: {resolution: [4, 256]}", "outside 8 to 8192"),
        ("camera: {resolution: huge}", "field camera.resolution"),
        ("camera: {distance: 2, framing: 0.5}", "not both"),
        ("material: {family: wod}", "did you mean 'wood'"),
        ("material: {parameters: {wood: {huue: 1}}}", "did you mean 'hue'"),
        ("objects: {count: 21}", "outside the accepted 1 to 20"),
        ("objects: {count: 1.5}", "whole"),
        ("objects: {support: {choice: {ground: 0.6, floating: 0.6}}}", "sum to 1.2"),
        ("render: {quality: best}", "field render.quality"),
        ("classes: []", "at least one class"),
        ("- a\n- b", "mapping"),
        ("a: [", "not YAML"),
        ("a: !!python/object/apply:os.system [ls]", "not YAML"),
        ("extends: nothing.yaml", "cannot be read"),
        ("extends: bad.yaml", "extends itself"),
        ("1: 2", "mapping"),
        ("lighting: {sun: 3}", "line 1: field lighting.sun: a mapping of names to values is wanted"),
        ("classes: mug", "line 1: field classes: a list is wanted, in [ ] (got 'mug')"),
        ("classes:\n- mug\n- no", "line 3: field classes.1: text is wanted, in quotes if it looks like something else"),
        ("camera: {resolution: 128x96}", "field camera.resolution: a list is wanted"),
        ("camera: {resolution: [128, 96, 3]}", "field camera.resolution: the list has too many entries"),
        (
            "camera:\n  focal_length: '50'",
            "line 2: field camera.focal_length: '50' is not a finite number; write it",
        ),
        ("camera: {framing: 80%}", "'80%' is not a finite number; write digits alone"),
        ("camera: {framing: .nan}", "nan is not a finite number"),
        ("camera:\n\troll: 3", "line 2, column 1: a tab; indent with spaces"),
        ("camera: {roll: !uniform [0, 1]}", "line 1, column 16: a tag (!name) is not read; write the value without it"),
        ('assets: {models: ["C:\\Users"]}', "in double quotes \\ begins an escape"),
        ("extends: smok", "neither a preset nor a .yaml file, did you mean 'smoke'"),
        ("camera: {}\n# f\udcfcr", "not YAML: line 2: a character is not allowed; save the file as UTF-8"),
    ],
)
def test_bad_configs_are_told_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError) as caught:
        load_config(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_a_wrong_value_is_told_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("# a base\nextends: smoke\ncamera:\n  roll: fast\n")
    (tmp_path / "own.yaml").write_text("extends: base.yaml\ncamera:\n  azimuth: 3\n")
    with pytest.raises(InputError, match=r"^base\.yaml: line 4: field camera\.roll: 'fast'"):
        load_config(tmp_path / "own.yaml")
    with pytest.raises(InputError, match=r"^own\.yaml: field camera\.azimuth: 'slow'"):  # of no file
        load_config(tmp_path / "own.yaml", ["camera.roll=0", "camera.azimuth=slow"])


@pytest.mark.parametrize("text", ["camera:\n  # roll: 3\n", "objects:\n  clutter:\nrender: {quality:  draft}"])
def test_a_section_of_comments_alone_changes_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"extends: smoke\n{text}")
    assert load_config(path).digest() == load_config("smoke").digest()


@pytest.mark.parametrize(
    "override", ["camera.azimuth", "=3", "camera..azimuth=3", "camera.azimuth=[", "camera.azimut=3"]
)
def test_bad_overrides_are_told(override: str) -> None:
    with pytest.raises(InputError):
        load_config("smoke", [override])


def test_an_unknown_preset_is_told_with_its_near_miss() -> None:
    with pytest.raises(InputError, match="did you mean 's2rda13'"):
        load_config("s2rda31")


KEYS = st.sampled_from(
    [
        "camera",
        "azimuth",
        "objects",
        "scale",
        "uniform",
        "choice",
        "mixture",
        "weight",
        "of",
        "assets",
        "models",
        "classes",
        "x",
    ]
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@example({"\n": None})
@settings(max_examples=300)
@given(PLAIN)
def test_no_data_gives_a_traceback(data: object) -> None:
    try:
        validate(data, "fuzz")
    except InputError as error:
        assert "\n" not in str(error)


@settings(max_examples=150)
@given(st.binary(max_size=80) | PLAIN.map(lambda data: yaml.safe_dump(data, allow_unicode=True).encode()))
def test_no_file_gives_a_traceback(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(content)
    try:
        load_config(path)
    except InputError as error:
        assert "\n" not in str(error)


def _sections(kind: type[Section]) -> Iterator[type[Section]]:
    yield kind
    for field in kind.model_fields.values():
        for inner in (field.annotation, *typing.get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, Section):
                yield from _sections(inner)


def _checks(annotation: object, metadata: list[object]) -> Iterator[Checked]:
    yield from (mark for mark in metadata if isinstance(mark, Checked))
    for inner in typing.get_args(annotation):
        yield from _checks(inner, list(getattr(inner, "__metadata__", ())))


@pytest.mark.parametrize("kind", [Config, ComposeConfig])
def test_every_field_says_what_it_is_and_its_unit(kind: type[Section]) -> None:
    for section in _sections(kind):
        assert section.__name__.endswith("Config") and section.__doc__
        said = meanings(section)
        for name, field in section.model_fields.items():
            assert said.get(name, "").endswith((".", '."')), (section, name)
            for checked in _checks(field.annotation, field.metadata):
                numeric = "numbers" in checked.check.__qualname__ or "elevations" in checked.check.__qualname__
                assert bool(checked.unit) == numeric, (section, name)


def test_renamed_fields_keep_their_streams() -> None:
    renamed = Config.renamed()
    assert Streams(3, 4, None, renamed).quantile("surface.debris.0.size") == Streams(3, 4).quantile(
        "surface.litter.0.size"
    )
    drawn = ComposeConfig().draw(Streams(3, 4, None, ComposeConfig.renamed()))
    old = Streams(3, 4)
    section = drawn.section("sensor")
    assert section["white_balance"] == ComposeConfig().sensor.white_balance.at(old.quantile("camera.warmth"))
    assert section["blur"] == ComposeConfig().sensor.blur.at(old.quantile("camera.blur"))
    stains = drawn.section("distractors").section("stains")
    assert stains["darkness"] == StainsConfig().darkness.at(old.quantile("distractors.stain"))
    assert isinstance(stains["count"], int)


def test_whole_numbers_are_drawn_as_int_and_null_is_left_out() -> None:
    drawn = LampsConfig(count={"uniform": [1, 3]}).draw(Streams(0, 0), "lighting.sun")
    assert type(drawn["count"]) is int and 1 <= drawn["count"] <= 3
    camera = CameraConfig(distance=3).draw(Streams(0, 0), "camera")
    assert camera["distance"] == 3 and "framing" not in camera and camera.get("framing") is None
    assert len(camera) == len(dict(camera))


def leaves(section: Section, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all fields of a section that are no sections themselves."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("kind", [Config, ComposeConfig])
def test_setting_one_field_changes_no_other(kind: type[Section]) -> None:
    """Each field, set alone to what it is by default, leaves the config as it is by default."""
    by_default = kind()
    plain = by_default.model_dump(mode="json")
    paths = list(leaves(by_default))
    assert len(paths) > 70
    for path in paths:
        nested: Any = plain
        for name in path:
            nested = nested[name]
        for name in reversed(path):
            nested = {name: nested}
        assert kind.model_validate(nested).model_dump(mode="json") == plain, path


def test_a_count_of_suns_leaves_the_suns_as_documented() -> None:
    sun = load_config("s2rda13").lighting.sun
    assert (sun.energy.plain(), sun.size.plain()) == ({"log_uniform": [0.5, 4.0]}, {"log_uniform": [0.3, 8.0]})
    point = validate({"lighting": {"point": {"count": 2}}}, "here").lighting.point
    assert point.size.plain() == {"uniform": [0.02, 0.3]}


def test_framing_replaces_an_inherited_distance(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: s2rda13\ncamera: {framing: 0.7}\n")
    camera = load_config(path).camera
    assert (camera.distance, camera.framing) == (None, Fixed(0.7))
    again = load_config(path, ["camera.distance=3"]).camera
    assert (again.distance, again.framing) == (Fixed(3), None)
    path.write_text("camera: {framing: 0.7, distance: 3}\n")
    with pytest.raises(InputError, match="write distance: null"):
        load_config(path)

"""The command `tune`: what it reads, refuses, keeps and writes. The slow test renders a shift, and looks for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

pytest.importorskip("torch", reason="PyTorch is not installed")

from classify.cli_studies import tune
from classify.tune.factors import Table, fields, places_of, table
from classify.tune.inputs import claim, held_back, open_photographs, open_pilot
from classify.tune.seeing import Sight, beliefs, readable
from classify.tune.writing import Change, base_of, write_config
from render.render_set import render_set
from render.renderer import Sampler, open_sampler
from scenes.config.loading import load_config
from scenes.errors import InputError
from training.data.kept import kept
from training.data.sources import open_pictures

SMALL: dict[str, Any] = {
    "extends": "smoke",
    "classes": ["mug", "chair"],
    "camera": {"resolution": [32, 32]},
    "render": {"samples": 1},
}
OWN = {
    **SMALL,
    "by_class": {"mug": {"camera": {"roll": {"uniform": [-90, 90]}}, "objects": {"side": {"uniform": [0, 9]}}}},
}


def sampler(config: dict[str, Any] = SMALL) -> Sampler:
    return open_sampler(load_config(config))


def photographs(folder: Path, count: int, seed: int = 0) -> Path:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for number in range(count):
        Image.fromarray(rng.integers(0, 256, (24, 32, 3), np.uint8)).save(folder / f"{number:03}.png")
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(tune, [str(word) for word in words])


def test_a_class_with_a_distribution_of_its_own_has_a_place_of_its_own() -> None:
    places = places_of(sampler(OWN), np.arange(400) % 2, ())
    classes = {place.name: place.classes for place in places}
    assert classes["camera.roll"] == ("chair",)
    assert classes["by_class.mug.camera.roll"] == ("mug",)
    assert classes["camera.elevation"] == ("mug", "chair")
    assert "objects.category" not in classes
    counted = {**OWN, "objects": {"clutter": {"count": {"choice": [0, 0, 1]}}}}
    names = [place.name for place in places_of(sampler(counted), np.arange(400) % 2, ["objects.clutter.count"])]
    assert names == ["objects.clutter.count"]


def test_the_pieces_of_pictures_are_those_of_their_records() -> None:
    drawn = sampler(OWN)
    labels = np.array([drawn.classes.index(drawn.sample(0, index).subject or "") for index in range(12)])
    places = places_of(drawn, np.arange(400) % 2, ["camera.roll", "background.kind", "lighting.sun.energy"])
    found = table(drawn, 0, range(12), labels, places)
    rows = dict(zip([place.name for place in places], found.pieces, strict=True))
    for column in range(12):
        scene: Any = drawn.sample(0, column)
        own = "by_class.mug.camera.roll" if scene.subject == "mug" else "camera.roll"
        other = {"by_class.mug.camera.roll": "camera.roll"}.get(own, "by_class.mug.camera.roll")
        place = next(place for place in places if place.name == own)
        low, high = place.pieces.pieces[rows[own][column]].of.support()
        assert low - 1e-3 <= scene.camera.roll <= high + 1e-3
        assert rows[other][column] == -1
        kinds = next(place for place in places if place.field == "background.kind").pieces.middles
        assert kinds[rows["background.kind"][column]] == scene.background.kind
        suns = [light.energy for light in scene.lights if light.kind == "sun"]
        assert (rows["lighting.sun.energy"][column] >= 0) == bool(suns)


def test_a_place_that_no_picture_uses_goes() -> None:
    places = places_of(sampler(), np.arange(400) % 2, ["camera.roll", "camera.elevation"])
    pieces = np.array([[-1, -1], [0, 1]], np.int16)
    assert [place.name for place in Table(places, pieces).used().places] == [places[1].name]


@pytest.mark.parametrize(
    ("only", "told"),
    [
        ("camera.elevatoin", "there is no 'elevatoin', did you mean 'elevation'?"),
        ("camera.fstop", "the config fixes it, so nothing varies"),
        ("camera.resolution", "the config gives it no distribution"),
        ("objects.category", "the classes stay balanced"),
    ],
)
def test_a_factor_that_cannot_be_tuned_is_refused(only: str, told: str) -> None:
    config = {**SMALL, "objects": {"category": {"choice": ["mug", "chair"]}}}
    with pytest.raises(InputError, match="--only") as error:
        places_of(sampler(config), np.arange(400) % 2, [only])
    assert told in str(error.value)


def test_few_pictures_are_cut_into_few_pieces_and_a_long_choice_stays() -> None:
    few = {place.name: len(place.pieces) for place in places_of(sampler(), np.arange(80) % 2, ())}
    many = {place.name: len(place.pieces) for place in places_of(sampler(), np.arange(4000) % 2, ())}
    assert (few["camera.elevation"], many["camera.elevation"]) == (2, 8)
    assert "background.ground" in many and "background.ground" not in few


def test_the_tuned_config_changes_what_moved_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "base.yaml"
    path.write_text(json.dumps({**OWN, "objects": {"yaw": {"uniform": [0, 360]}}}))
    config = load_config(path)
    places = {place.name: place for place in places_of(open_sampler(config), np.arange(400) % 2, ())}
    changes = []
    for name in ("camera.roll", "objects.yaw", "background.kind", "by_class.mug.objects.side"):
        pieces = places[name].pieces
        shares = np.linspace(1, 2, len(pieces)) * pieces.shares
        changes.append(Change(places[name], pieces.weighted((shares / shares.sum()).tolist()), (f"moved: {name}",)))
    out = tmp_path / "out" / "tuned.yaml"
    write_config(out, base_of(str(path)), config, changes, ["a head"])
    tuned = load_config(out)
    text = out.read_text()
    assert text.startswith("# a head\nextends: ../base.yaml\n") and "# moved: objects.yaw" in text
    expected = {"": config.plain(), **{name: config.of_class(name).plain() for name in ("mug", "chair")}}  # type: ignore[union-attr]
    for category, plain in expected.items():
        ours = tuned.of_class(category).plain() if category else tuned.plain()  # type: ignore[union-attr]
        for change in changes:
            *sections, field = change.place.field.split(".")
            # A class that has a roll of its own keeps it, and one with a side has no yaw.
            kept = category == "mug" and change.place.name in ("camera.roll", "objects.yaw")
            own = change.place.category in ("", category) and not kept
            target = plain
            for section in sections:
                target = target[section]
            target[field] = change.distribution.plain() if own else target[field]
        for each in (ours, plain):
            each.pop("by_class")
        assert ours == plain, category
    assert tuned.plain()["by_class"]["mug"]["camera"]["roll"] == {"uniform": [-90.0, 90.0]}


def test_a_folder_belongs_to_one_tuning(tmp_path: Path) -> None:
    claim(tmp_path / "a", {"keep": 0.3, "only": []})
    claim(tmp_path / "a", {"keep": 0.3, "only": []})
    with pytest.raises(InputError, match="another keep"):
        claim(tmp_path / "a", {"keep": 0.5, "only": []})
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine.txt").touch()
    with pytest.raises(InputError, match="not the folder of a tuning"):
        claim(tmp_path / "b", {})


def test_too_few_photographs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="12 photographs; tuning needs at least 20"):
        open_photographs(str(photographs(tmp_path / "few", 12)))
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="no pictures"):
        open_photographs(str(tmp_path / "none"))


def test_photographs_are_held_back_by_their_names(tmp_path: Path) -> None:
    ours = open_photographs(str(photographs(tmp_path / "a", 40)))
    theirs = open_photographs(str(photographs(tmp_path / "b", 40, seed=1)))
    assert held_back(ours).sum() == 20 and (held_back(ours) == held_back(theirs)).all()


def test_unreadable_photographs_are_left_out_and_features_are_kept(tmp_path: Path) -> None:
    folder = photographs(tmp_path / "photos", 6)
    (folder / "003.png").write_bytes(b"no picture")
    pictures = open_pictures(folder, labels=False)
    found, features, broken = readable(pictures, "photographs", tmp_path / "cache")
    assert list(broken) == [3] and len(found) == 5 and features.shape == (5, 372)
    again = readable(pictures, "photographs", tmp_path / "cache")
    assert again[2] == broken and (again[1] == features).all()
    (kept_file,) = (tmp_path / "cache").iterdir()
    kept_file.write_bytes(kept_file.read_bytes()[:100])
    assert (readable(pictures, "photographs", tmp_path / "cache")[1] == features).all()


def test_what_is_kept_depends_on_all_that_decides_it(tmp_path: Path) -> None:
    made = [kept(tmp_path, "x", (part,), lambda part=part: {"value": np.array(part)}) for part in (1, 2, 1)]
    assert [int(each["value"]) for each in made] == [1, 2, 1]  # type: ignore[call-overload]


def test_photographs_get_classes_without_labels_and_labels_help() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    renders = rng.normal(size=(90, 6)) + 4 * np.eye(6)[labels]
    truth = np.arange(60) % 3
    photos = rng.normal(size=(60, 6)) + 4 * np.eye(6)[truth] + 1
    found = beliefs(renders.astype(np.float32), labels, photos.astype(np.float32), 3)
    assert found.shape == (60, 3) and np.allclose(found.sum(axis=1), 1)
    assert (found.argmax(axis=1) == truth).mean() > 0.8
    turned = (photos @ np.roll(np.eye(6), 3, axis=1)).astype(np.float32)
    blind = beliefs(renders.astype(np.float32), labels, turned, 3)
    told = beliefs(renders.astype(np.float32), labels, turned, 3, (turned[:30], truth[:30]))
    assert (told.argmax(axis=1) == truth).mean() > (blind.argmax(axis=1) == truth).mean()
    only = beliefs(renders.astype(np.float32), np.zeros(90, np.int64), photos.astype(np.float32), 1)
    assert (only == 1).all()


def test_network_features_need_a_network() -> None:
    with pytest.raises(InputError, match="give one with --model"):
        Sight(("mug",), None, network=True)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pilot") / "set"
    render_set(SMALL, folder, 8, workers=1)
    return folder


def test_a_pilot_must_be_of_the_config(rendered: Path) -> None:
    pilot = open_pilot(rendered, sampler({**SMALL, "camera": {"resolution": [48, 48]}}))
    assert len(pilot.pictures) == 8 and pilot.seed == 0 and pilot.indices.tolist() == list(range(8))
    with pytest.raises(InputError, match=r"field camera\.elevation is .* there, and .* in the config"):
        open_pilot(rendered, sampler({**SMALL, "camera": {"elevation": {"uniform": [0, 10]}}}))
    with pytest.raises(InputError, match="not a rendered data set"):
        open_pilot(rendered.parent, sampler())


@pytest.mark.slow
def test_a_dry_run_says_what_it_takes_and_writes_nothing(tmp_path: Path) -> None:
    config = tmp_path / "small.yaml"
    config.write_text(json.dumps(SMALL))
    photos = photographs(tmp_path / "photos", 24)
    words = (config, "--target", photos, "--images", 60, "--rounds", 1, "--round-images", 10)
    result = run(*words, "--out", tmp_path / "out", "--dry-run", "--workers", 1)
    assert result.exit_code == 0, result.output
    for text in (
        "24, about 12 to learn from",
        "at most ",
        "rounds: 1 of 10 pictures",
        "would draw 70 pictures",
        "features: 94 pictures",
    ):
        assert text in result.output
    assert not (tmp_path / "out").exists()


def test_a_pilot_of_few_pictures_is_refused(rendered: Path, tmp_path: Path) -> None:
    config = tmp_path / "small.yaml"
    config.write_text(json.dumps(SMALL))
    photos = photographs(tmp_path / "photos", 24)
    result = run(config, "--target", photos, "--pilot", rendered, "--out", tmp_path / "out")
    assert isinstance(result.exception, InputError) and "8 renders are too few" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_rounds_that_could_not_be_judged_are_refused(tmp_path: Path) -> None:
    config = tmp_path / "small.yaml"
    config.write_text(json.dumps(SMALL))
    words = (config, "--target", photographs(tmp_path / "photos", 24), "--out", tmp_path / "out")
    result = run(*words, "--rounds", 1, "--round-images", 9)
    assert isinstance(result.exception, InputError)
    assert "--round-images 9: too few to judge a round of 2 classes; give at least 10" in str(result.exception)
    result = run(*words, "--rounds", 1, "--by", "information")
    assert isinstance(result.exception, InputError) and "rounds are judged by distance" in str(result.exception)
    assert not (tmp_path / "out").exists()
    result = run(*words, "--set", "classes=[mug]", "--by", "information")
    assert isinstance(result.exception, InputError) and "the config has one class" in str(result.exception)


@pytest.mark.filterwarnings("ignore:config")
def test_a_config_that_fixes_everything_has_nothing_to_tune() -> None:
    fixed = {name: distribution.at(0.5) for name, distribution in fields(load_config(SMALL))}
    with pytest.raises(InputError, match="fixes every factor"):
        places_of(open_sampler(load_config(SMALL, fixed)), np.arange(400) % 2, ())


BARE: dict[str, Any] = {
    **SMALL,
    "classes": ["mug"],
    "objects": {"clutter": {"count": 0}, "yaw": 60},
    "material": {"mode": "own"},
    "lighting": {"world": {"hdri": "", "strength": 1}, "sun": {"count": 0}},
}
GROUNDS = {
    "background": {"kind": {"choice": {"white": 0.4, "color": 0.6}}, "value": {"uniform": [0.6, 0.8]}, "saturation": 0}
}
LEVEL = {"background": {"kind": "white"}, "camera": {"resolution": [32, 32], "azimuth": 20, "roll": 0}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "field", "shifted", "pieces", "least"),
    [
        # Four of five photographs have a white ground, two of five renders.
        (GROUNDS, "background.kind", {"choice": {"white": 0.8, "color": 0.2}}, ("white",), 1.25),
        # All photographs are seen from above 40 degrees, a quarter of the renders.
        (LEVEL, "camera.elevation", {"uniform": [40, 60]}, ("46.19",), 1.4),
    ],
    ids=["ground", "elevation"],
)
def test_a_shift_is_found_and_nothing_else_moves(
    tmp_path: Path, changes: dict[str, Any], field: str, shifted: Any, pieces: tuple[str, ...], least: float
) -> None:
    """The photographs are renders of a shifted config. pieces: those that gain, each by a factor of at least `least`
    together."""
    config = tmp_path / "base.yaml"
    config.write_text(json.dumps({**BARE, **changes}))
    there = render_set(load_config(config, {field: shifted}), tmp_path / "there", 160, seed=7)
    (tmp_path / "photos").mkdir()
    for frame in there:
        Image.fromarray(frame.rgb).save(tmp_path / "photos" / f"{frame.index:04}.png")
    words = (config, "--target", tmp_path / "photos", "--images", 240, "--out", tmp_path / "out")
    result = run(*words)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "out" / "tune.json").read_text())
    (moved,) = found["moved"]
    assert moved["factor"] == field
    gained = [one for one in moved["shares"] if any(piece in json.dumps(one["of"]) for piece in pieces)]
    assert sum(one["after"] for one in gained) > least * sum(one["before"] for one in gained)
    assert found["held_back"]["high"] < 0
    assert load_config(tmp_path / "out" / "tuned.yaml").digest() != load_config(config).digest()
    again = run(*words)
    assert again.exit_code == 0 and json.loads((tmp_path / "out" / "tune.json").read_text()) == found

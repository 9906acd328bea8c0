"""What runs are worth, on the page: figures that are those of the runs, mistakes, neighbors, versions."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

pytest.importorskip("torch", reason="PyTorch is not installed")

from classify.task import Classification
from gallery.build import build
from gallery.cli import gallery
from gallery.columns import Columns
from gallery.embedding import principal
from gallery.judging import Judged, judged, known_photographs
from gallery.options import PageOptions
from gallery.serve import Served
from gallery.sets import choose
from gallery.worth import _groups, worth
from scenes.errors import InputError
from tests.frames import make_dataset
from tests.gallery.browser import Browser
from tests.gallery.test_build import column, data, unpacked
from tests.tiny import CLASSES, config, domains, photos
from tests.tiny import build as tiny
from training.run import execute

SCORES = "".join(
    json.dumps({"version": name, "score": "accuracy", "value": value, "spread": 0.02, "runs": [value]}) + "\n"
    for name, value in (("v1", 0.4), ("v2", 0.6))
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Three tiny runs, two of them on the same data; test photographs; renders; a file of scores."""
    folder = domains(tmp_path_factory.mktemp("worth"))
    photos(folder / "test", each=9, shade=60, seed=1)
    (folder / "scores.jsonl").write_text(SCORES)
    make_dataset(folder / "renders", 30, 10, size=(24, 24), classes=CLASSES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("classify.load.build", tiny)
        test = {"test": {"where": str(folder / "test"), "split": "test"}}
        for name, changes in (
            ("a-0", {"seed": 1}), ("a-1", {"seed": 2}),
            ("b-0", {"data": {**test, "source": [{"where": str(folder / "target")}]}}),
        ):  # fmt: skip
            execute(
                Classification(),
                config(folder, **{"data": test, "iterations": 12, "optimizer": {"lr": 0.02}, **changes}),
                folder / name,
            )
        yield folder


def page(root: Path, out: Path, *arguments: str) -> dict[str, Any]:
    runs = [word for name in ("a-0", "a-1", "b-0") for word in ("--run", str(root / name))]
    scores = ["--scores", str(root / "scores.jsonl")]
    given = [str(root / "renders"), *runs, *scores, "--out", str(out), "--workers", "1", *arguments]
    result = CliRunner().invoke(gallery, given, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return dict(data(out, "worth"))


@pytest.fixture(scope="module")
def out(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "page"
    page(root, out)
    return out


def test_figures_are_those_of_the_runs(root: Path, out: Path) -> None:
    told = data(out, "worth")
    results = {name: json.loads((root / name / "results.json").read_text())["test"] for name in ("a-0", "a-1", "b-0")}
    assert [(one["name"], one["runs"]) for one in told["versions"]] == [("source", ["a-0", "a-1"]), ("target", ["b-0"])]
    for one in told["versions"]:
        assert one["scores"] == pytest.approx([results[run]["accuracy"] for run in one["runs"]])
        assert one["means"] == pytest.approx([results[run]["mean_recall"] for run in one["runs"]])
    for k, one in enumerate(told["classes"]):
        rows = [results[name]["table"][k] for name in ("a-0", "a-1", "b-0")]
        assert one["name"] == rows[0]["class"] and one["count"] == rows[0]["support"]
        recalls = [row["recall"] for row in rows]
        assert one["scores"][0]["value"] == pytest.approx(np.mean(recalls[:2]))
        assert one["scores"][0]["spread"] == pytest.approx(np.std(recalls[:2], ddof=1))
        assert one["scores"][1] == {"value": pytest.approx(recalls[2]), "spread": None}


def test_looks_are_binned_and_all_photographs_are_in_a_bin(out: Path) -> None:
    told = data(out, "worth")
    light = next(look for look in told["looks"] if look["name"] == "light")
    assert sum(one["count"] for one in light["bins"]) == told["tested"] and 2 <= len(light["bins"]) <= 4
    accuracy = [sum(one["count"] * one["scores"][k]["value"] for one in light["bins"]) / told["tested"] for k in (0, 1)]
    assert accuracy == pytest.approx([np.mean(one["scores"]) for one in told["versions"]])


def test_what_the_network_says_is_a_factor_of_the_pictures(out: Path) -> None:
    told, outcome = column(out, "run.outcome")
    _, predicted = column(out, "run.predicted")
    count = data(out, "worth")["tested"]
    right, wrong = (told["names"].index(name) for name in ("right", "wrong"))
    photographs = outcome[30:]
    assert (predicted > 0).all() and ((photographs == right) | (photographs == wrong)).sum() == count
    assert (photographs == right).sum() / count == pytest.approx(data(out, "worth")["versions"][0]["scores"][0])


def test_mistakes_are_wrong_and_the_most_confident_comes_first(root: Path) -> None:
    sets = choose([root / "renders"], [root / "test"])
    runs = judged([root / "a-0", root / "a-1"], sets, lambda done, of: None)
    told = worth(runs, Columns(57), sets)["mistakes"]
    bad = [np.mean([one.mistake[each["place"]] for one in runs]) for each in told]
    assert told and bad == sorted(bad, reverse=True)
    names = sorted(path.parent.name for path in (root / "test").rglob("*.png"))
    for each in told:
        place = each["place"]
        truth, wrong = names[place - 30], [one.score[place] == 0 for one in runs]
        assert each["wrong"] == sum(wrong) > 0 and runs[0].classes[runs[0].truth[place]] == truth
        features = runs[0].features.astype(float)
        unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
        likeness = unit[:30] @ unit[place]
        assert likeness[each["near"]] == pytest.approx(np.sort(likeness)[::-1][:6], abs=1e-3)


def test_photographs_without_labels_are_grouped_by_what_the_network_says(root: Path) -> None:
    sets = choose([root / "renders"], [root / "target"])
    (one,) = judged([root / "a-0"], sets, lambda done, of: None)
    assert not one.tested.any() and np.isnan(one.score[30:]).all() and (one.truth[30:] == -1).all()
    columns = Columns(54)
    columns.put(0, {"look.light": [50.0 + k % 5 for k in range(30)] + [90.0] * 24})
    told = worth([one], columns, sets)
    assert told["tested"] == 0 and told["mistakes"] == [] and told["versions"][0]["scores"] == [None]
    assert sum(each["count"] for each in told["gaps"]) == 24
    assert all(each["gaps"][0]["how"] == "lighter" and each["score"] is None for each in told["gaps"])


def test_test_photographs_are_found_in_the_config_of_a_run(root: Path, out: Path) -> None:
    assert known_photographs([root / "a-0", root / "b-0"]) == [root / "test"]
    assert [one["name"] for one in data(out, "index")["sets"]] == ["renders", "test"]
    assert data(out, "index")["track"][1]["version"] == "v2"


def test_runs_that_do_not_belong_together_are_told(root: Path, tmp_path: Path) -> None:
    sets = choose([root / "renders"], [root / "test", root / "target"])
    test = {"test": {"where": str(root / "target")}}
    execute(Classification(), config(root, data=test, iterations=2), tmp_path / "other")
    with pytest.raises(InputError, match=r"other: was tested on other photographs than .*a-0"):
        judged([root / "a-0", tmp_path / "other"], sets, lambda done, of: None)
    with pytest.raises(InputError, match=r"nothing was evaluated yet"):
        judged([tmp_path], sets, lambda done, of: None)
    (tmp_path / "none.jsonl").write_text("")
    with pytest.raises(InputError, match=r"none\.jsonl: holds no scores"):
        build(sets, tmp_path / "p", 32, options=PageOptions(scores=tmp_path / "none.jsonl"), workers=1)


def test_an_unreadable_photograph_costs_nothing_but_itself(root: Path, tmp_path: Path) -> None:
    photos(tmp_path / "photos", each=8)
    (tmp_path / "photos" / "red" / "0.png").write_bytes(b"no picture")
    sets = choose([root / "renders"], [tmp_path / "photos"])
    (one,) = judged([root / "a-0"], sets, lambda done, of: None)
    place = 30 + 16
    assert np.flatnonzero(np.isnan(one.features[:, 0])).tolist() == [place] and one.predicted[place] == -1
    reference = choose([root / "renders"], [photos(tmp_path / "whole", each=8)])
    (whole,) = judged([root / "a-0"], reference, lambda done, of: None)
    assert np.allclose(np.delete(one.features, place, 0), np.delete(whole.features, place, 0), atol=2e-3)


def test_the_page_shows_it(root: Path, out: Path, tmp_path: Path) -> None:
    with Browser(tmp_path) as browser:
        browser.open(f"{(out / 'index.html').as_uri()}#view=worth")
        browser.until("document.querySelectorAll('#worth h2').length >= 5")
        heads = browser.ask("[...document.querySelectorAll('#worth h2')].map(h => h.textContent)")
        assert heads[:4] == ["accuracy over versions", "On photographs", "By class", "By look"]
        assert browser.ask("document.querySelectorAll('.chart .point').length") == 2
        browser.until("document.querySelectorAll('.mistakes img').length > 0")
        browser.ask(
            "[...document.querySelectorAll('#worth button')].find(b => b.textContent.startsWith('Show all')).click()"
        )
        browser.until("gallery.filters.size === 2")
        told, outcome = column(out, "run.outcome")
        wrong = np.flatnonzero(outcome == told["names"].index("wrong"))
        assert browser.until("gallery.shown()") == wrong[wrong >= 30].tolist()
        assert browser.told == []


def test_the_server_tells_the_same(root: Path, out: Path) -> None:
    sets = choose([root / "renders"], [root / "test"])
    runs = tuple(root / name for name in ("a-0", "a-1", "b-0"))
    served = Served(sets, 96, PageOptions("pca", runs, root / "scores.jsonl"))
    served.read_factors(1)
    assert not served.fault
    answer = served.answer("/data/worth.js")
    assert answer is not None and answer[0] == (out / "data" / "worth.js").read_bytes()


def test_versions_are_told_apart_by_method_and_network_where_these_differ() -> None:
    known = np.array([True, True])
    one = Judged("r", ("v1", "source", "resnet18"), ("a", "b"), np.zeros((2, 1), np.float16), np.array([0, 1]),
                 np.array([0, 0]), np.array([1, 0], np.float32), np.array([0.9, 0.8], np.float32), known,
                 np.array([0, 0.8], np.float32), "accuracy")  # fmt: skip
    assert list(_groups([one, replace(one, run="s")])) == ["v1"]
    assert list(_groups([one, replace(one, trained=("v1", "mcc", "resnet18"))])) == ["v1, source", "v1, mcc"]


def test_masks_beside_photographs_are_no_photographs(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", 2)
    for kind in ("img", "mask"):
        (tmp_path / "cracks" / kind).mkdir(parents=True)
        for name in "ab":
            Image.new("L", (48, 40), 90).save(tmp_path / "cracks" / kind / f"{name}.png")
    _, shown = choose([tmp_path / "set"], [tmp_path / "cracks"])
    assert [shown.pictures().key(k) for k in range(2)] == ["img/a.png", "img/b.png"] and len(shown.indices) == 2
    # Folders of classes that only are called so.
    (tmp_path / "cracks" / "img").rename(tmp_path / "cracks" / "snorkel")
    assert len(choose([], [tmp_path / "cracks"])[0].indices) == 4


@pytest.mark.parametrize(
    ("photo", "labels"),
    [
        ("leftImg8bit/train/ulm/ulm_000000_000019_leftImg8bit.png", "gtFine/train/ulm/ulm_000000_000019_gtFine_{}.png"),
        ("train2017/000000000009.jpg", "annotations/panoptic_train2017/{}.png"),
        ("train2017/000000000009.jpg", "panoptic_train2017/{}.png"),
    ],
)
def test_labels_of_public_sets_are_no_photographs(photo: str, labels: str, tmp_path: Path) -> None:
    for name in (photo, labels.format("labelIds"), labels.format("color")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (48, 40), 90).save(tmp_path / name)
    (shown,) = choose([], [tmp_path])
    assert [shown.pictures().key(k) for k in range(len(shown.indices))] == [photo]


def test_umap_takes_the_features_of_a_run(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos(tmp_path / "photos", each=8)
    (tmp_path / "photos" / "red" / "0.png").write_bytes(b"no picture")
    given: list[np.ndarray] = []

    class Fake:
        def __init__(self, **options: object):
            assert options["n_neighbors"] == 15 and options["random_state"] == 0

        def fit_transform(self, vectors: np.ndarray) -> np.ndarray:
            given.append(vectors)
            return vectors[:, :2]

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Fake))
    sets = choose([root / "renders"], [tmp_path / "photos"])
    options = PageOptions("umap", (root / "a-0",))
    build(sets, tmp_path / "page", 32, options=options, workers=1)
    (one,) = judged([root / "a-0"], sets, lambda done, of: None)
    assert np.allclose(given[0], principal(np.delete(one.features, 46, 0)))  # without the one that cannot be read
    told = data(tmp_path / "page", "index")["map"]
    assert (told["method"], told["features"]) == ("umap", "network of a-0")
    places = np.frombuffer(unpacked(data(tmp_path / "page", "map/places")["data"]), "<f4").reshape(-1, 2)
    assert np.flatnonzero(np.isnan(places[:, 0])).tolist() == [46]


def test_umap_itself_with_a_run(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("umap", reason="umap-learn is not installed")
    sets = choose([root / "renders"], [root / "test"])
    for name in ("one", "two"):
        build(sets, tmp_path / name, 32, options=PageOptions("umap", (root / "a-0",)), workers=1)
    first, second = ((tmp_path / name / "data" / "map" / "places.js").read_bytes() for name in ("one", "two"))
    assert first == second
    places = np.frombuffer(unpacked(data(tmp_path / "one", "map/places")["data"]), "<f4")
    assert len(places) == 2 * 57 and np.isfinite(places).all() and places.std() > 0.1

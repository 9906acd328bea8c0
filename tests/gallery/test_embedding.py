"""The map: places that do not depend on chance, holes where renders are missing, features of a network."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gallery.build import build
from gallery.columns import Columns
from gallery.embedding import flat, holes, principal
from gallery.sets import choose
from scenes.errors import InputError
from tests.frames import make_dataset
from tests.gallery.browser import Browser
from tests.gallery.test_build import data, unpacked
from training.data.description import describe


def test_principal_directions_keep_distances_and_have_a_sign() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, 3)) * (5, 2, 1)
    turned = points @ np.linalg.qr(rng.normal(size=(8, 3)))[0].T
    found = principal(turned, 3)
    distance = np.linalg.norm(points[:, None] - points, axis=-1)
    assert np.allclose(np.linalg.norm(found[:, None] - found, axis=-1), distance, atol=1e-3)
    assert (np.diff(found.std(axis=0)) < 0).all()
    assert np.allclose(principal(turned[::-1], 3)[::-1], found, atol=1e-3)


def test_places_are_within_the_map() -> None:
    vectors = np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32)
    vectors[0] = 1e6  # one that is far from all leaves the others their room
    places = flat(vectors, "pca")
    assert places.min() >= -0.06 and places.max() <= 1.06 and places[1:].std(axis=0).min() > 0.1


def test_photographs_without_a_render_near_them_are_a_hole() -> None:
    rng = np.random.default_rng(0)
    renders = rng.normal(size=(300, 4))
    renders[:30, 0] += 4  # the nearest to the hole, and the only ones at night
    vectors = np.concatenate([renders, rng.normal(size=(50, 4)) * 0.3, (12, 0, 0, 0) + rng.normal(size=(9, 4)) * 0.1])
    columns = Columns(359)
    columns.put(0, {"sun": [0.0] * 30 + [5.0] * 270, "noise": rng.uniform(size=300).tolist()})
    found = holes(vectors.astype(np.float32), np.arange(359) >= 300, np.ones(359, bool), columns)
    assert len(found) == 1 and found[0]["count"] == 9 and set(found[0]["photos"]) == set(range(350, 359))
    assert all(place < 30 for place in found[0]["near"]) and found[0]["distance"] > 2
    assert found[0]["factors"][0]["name"] == "sun" and found[0]["factors"][0]["near"] == 0.0


def test_photographs_like_renders_are_no_hole() -> None:
    vectors = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    vectors[200:] = vectors[:200] + 0.001
    assert holes(vectors, np.arange(400) >= 200, np.ones(400, bool), Columns(400)) == []


def test_a_description_tells_colors_and_edges() -> None:
    red, blue = np.zeros((40, 60, 3), np.uint8), np.zeros((40, 60, 3), np.uint8)
    red[..., 0], blue[..., 2] = 200, 200
    lines = red.copy()
    lines[:, ::8] = 255
    apart = np.linalg.norm
    assert describe(red).shape == (372,)
    assert apart(describe(red) - describe(blue)) > 1 and apart(describe(red) - describe(lines)) > 0.5
    assert apart(describe(red) - describe(np.clip(red.astype(int) + 3, 0, 255).astype(np.uint8))) < 0.1


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(InputError, match="umap-learn is missing"):
        flat(np.zeros((5, 3), np.float32), "umap")


def test_photographs_are_a_set_without_labels(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", 2)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (80, 40), "red").save(tmp_path / "photos" / name / "a.png")
    _, photos = choose([tmp_path / "set"], [tmp_path / "photos"])
    assert photos.first == 2 and len(photos.indices) == 2
    source = photos.source(40)
    row, picture, fault = source.described(0)
    assert row == {"file": "read"} and picture is not None and picture.shape == (20, 40, 3) and not fault
    assert list(source.kinds) == ["rgb"]


def test_a_photograph_that_cannot_be_read_is_told_with_its_reason(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", 2)
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "a_mask.png"):
        Image.new("RGB", (80, 40), "red").save(tmp_path / "photos" / name)
    (tmp_path / "photos" / "b.png").write_bytes(b"no picture")
    (tmp_path / "photos" / "c.HEIC").write_bytes(b"not looked at")
    (tmp_path / "photos" / "d.png").symlink_to("nowhere")
    build(choose([tmp_path / "set"], [tmp_path / "photos"]), tmp_path / "page", 40, workers=1)
    (_, told), (_, shown) = data(tmp_path / "page", "index")["sets"], data(tmp_path / "page", "1/rgb/0")
    assert told["failed"] == [[1, shown["fault"]]] and shown["fault"].startswith("b.png: is not a picture")
    assert [name for name, _ in told["left_out"]] == ["c.HEIC", "d.png"]
    assert told["numbers"] == {"failed": 1, "left_out": 2, "labels": 1} and str(tmp_path) not in json.dumps(
        [told, shown]
    )
    places = np.frombuffer(unpacked(data(tmp_path / "page", "map/places")["data"]), "<f4")
    assert np.isnan(places[-2:]).all() and np.isfinite(places[:-2]).all()
    with Browser(tmp_path / "profile") as browser:
        browser.open((tmp_path / "page" / "index.html").as_uri())
        assert "b.png" in browser.until("document.querySelector('#cell-3 .broken')?.textContent")
        browser.ask("gallery.look('map')")
        browser.ask("gallery.open(3)")
        browser.until("!!document.querySelector('.frame .broken')")
        assert browser.told == []

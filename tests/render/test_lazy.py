"""A run reads the models that it draws, and no others; which those are does not depend on who draws them."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from click.testing import CliRunner

from render.cli.farm import merge
from render.dataset.dataset import Dataset
from render.dataset.manifest import Manifest
from render.dataset.provenance import AssetRecord, Provenance
from render.dataset.store import open_store
from render.farm.devices import choose, worker_slots
from render.farm.job import Job, run
from render.farm.local import Local, RetryPolicy
from render.renderer import open_sampler
from scenes.assets.catalogue import Catalogue
from scenes.assets.sources import ModelFolder
from scenes.config.loading import load_config
from scenes.errors import InputError
from scenes.files import sha256
from scenes.names import Candidates, Names
from tests.farms import contents, draw, make_manifest

SCIPY = ("optimize", "ndimage", "spatial", "interpolate")
NO_BLENDER = importlib.util.find_spec("bpy") is None

KEYS = range(0, 2**64, 2**57 + 12345)


def test_a_useless_name_leaves_its_place_as_if_it_were_not_there() -> None:
    names = [f"set/ball/{k}.obj" for k in range(40)]
    useful = [name for k, name in enumerate(names) if k % 3]
    asked: list[str] = []

    def usable(name: str) -> bool:
        asked.append(name)
        return name in useful

    lazy, known = Candidates(names, usable, AssertionError), Names(useful)
    assert [lazy.chosen(key) for key in KEYS] == [known.chosen(key) for key in KEYS]
    waits = np.array([1.0 + (k % 5) for k in range(40)])
    kept = waits[[k for k in range(40) if k % 3]]
    assert [lazy.chosen(key, waits) for key in KEYS] == [known.chosen(key, kept) for key in KEYS]
    asked.clear()
    best = Names(names).chosen(5)
    lazy.chosen(5)
    assert asked[0] == best and len(asked) < 40, "no more are looked at than it takes"
    assert [lazy.at(q) for q in (0.0, 0.03, 0.999)] == [names[1], names[1], names[1]]
    with pytest.raises(InputError, match="none"):
        Candidates(names, lambda name: False, lambda: InputError("none")).chosen(0)


def test_opening_a_catalogue_opens_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("set/ball/a.obj", "set/cone/b.stl", "sky/c.hdr", "wall/d_diff.png", "view/e.jpg", "set/cone/f.dae"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"rubbish")

    def refuse(self: Path, *_: object) -> None:
        raise AssertionError(self)

    for way in ("open", "read_bytes", "read_text"):
        monkeypatch.setattr(Path, way, refuse)
    catalogue = Catalogue(
        models=[ModelFolder(tmp_path / "set")], hdris=[tmp_path / "sky"], textures=[tmp_path / "wall"],
        images=[tmp_path / "view"], cache=tmp_path / "cache",
    )  # fmt: skip
    assert catalogue.classes == ("ball", "cone") and catalogue.assets("cone") == ("set/cone/b.stl",)
    assert (catalogue.hdris, catalogue.textures, catalogue.images) == (("sky/c.hdr",), ("wall/d",), ("view/e.jpg",))
    assert list(catalogue.left_out) == [str(tmp_path / "set/cone/f.dae")]
    assert not (tmp_path / "cache").exists()


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    (folder / "ball").mkdir(parents=True)
    (folder / "ball/a.obj").touch()
    (folder / "b.obj").touch()
    (folder / "ball/deep").mkdir()
    (folder / "ball/deep").chmod(0)
    try:
        (folder / "ball/deep").iterdir().__next__()
    except PermissionError:
        expected = {str(folder / "ball/deep"): "cannot be read: Permission denied"}
    except StopIteration:  # root may read it
        expected = {}
    expected[str(folder / "b.obj")] = "lies in no class folder; move it into one"
    assert Catalogue(models=[ModelFolder(folder)], cache=tmp_path / "c").left_out == expected


# What a set records -------------------------------------------------------------------------------------------------


def note(**sums: str) -> Provenance:
    assets = {name: AssetRecord(sha256=digit * 64, license="") for name, digit in sums.items()}
    return Provenance(assets=assets, left_out={f"{name}.bad": "is empty" for name in sums})


def test_a_finished_set_names_what_its_shards_were_drawn_from(tmp_path: Path) -> None:
    manifest = make_manifest(count=4, shard_size=2)
    store = open_store(str(tmp_path / "set"))
    store.create(manifest)
    for shard, drawn in enumerate((note(b="1", a="2"), note(c="3", a="2"))):
        store.note_drawn(shard, drawn)
        assert store.finish().assets == {}
        draw(store, manifest, shard)
    assert {name: one.sha256[0] for name, one in store.drawn_with(manifest, {1}).assets.items()} == {"a": "2", "c": "3"}
    finished = store.finish()
    assert [(name, one.sha256[0]) for name, one in finished.assets.items()] == [("a", "2"), ("b", "1"), ("c", "3")]
    assert list(finished.left_out) == ["a.bad", "b.bad", "c.bad"]
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == ["dataset.json", "shards"]
    assert store.finish() == finished
    # It grows: what was known stays.
    grown = store.create(manifest.model_copy(update={"count": 6}))
    store.note_drawn(2, note(d="4"))
    draw(store, grown, 2)
    assert list(store.finish().assets) == ["a", "b", "c", "d"]


def test_two_contents_of_an_asset_in_one_set_are_an_error(tmp_path: Path) -> None:
    manifest = make_manifest(count=4, shard_size=2)
    store = open_store(str(tmp_path / "set"))
    store.create(manifest)
    for shard, drawn in enumerate((note(a="1"), note(a="2"))):
        store.note_drawn(shard, drawn)
        draw(store, manifest, shard)
    with pytest.raises(InputError, match=r"00001.h5: was drawn with another asset 'a' than other shards; .*delete"):
        store.finish()
    (tmp_path / "set/shards/00001.h5").unlink()
    store.note_drawn(1, note(a="1"))
    draw(store, manifest, 1)
    assert list(store.finish().assets) == ["a"]


def test_merged_parts_name_the_assets_of_all(tmp_path: Path) -> None:
    manifest = make_manifest(count=6, shard_size=2)
    for part, shards in (("x", (0, 2)), ("y", (1,))):
        store = open_store(str(tmp_path / part))
        store.create(manifest)
        for shard in shards:
            store.note_drawn(shard, note(**{f"{part}{shard}": str(shard)}))
            draw(store, manifest, shard)
    words = [str(tmp_path / name) for name in ("all", "x", "y")]
    assert CliRunner().invoke(merge, words, catch_exceptions=False).exit_code == 0
    assert sorted(Manifest.load(tmp_path / "all").assets) == ["x0", "x2", "y1"]
    # A set that is finished tells all at once.
    words = [str(tmp_path / name) for name in ("again", "all")]
    assert CliRunner().invoke(merge, words, catch_exceptions=False).exit_code == 0
    assert Manifest.load(tmp_path / "again") == Manifest.load(tmp_path / "all")


# Runs ---------------------------------------------------------------------------------------------------------------

MODELS = 30


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Thirty models of one class. Every second one is of no use."""
    pytest.importorskip("bpy", reason="needs Blender's module")
    monkeypatch.setenv("BLENDMILL_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "set"
    (folder / "ball").mkdir(parents=True)
    for k in range(MODELS):
        text = trimesh.creation.box((1, 1, 1 + k)).export(file_type="obj") if k % 2 else f"v {k} 0 0\n"
        (folder / f"ball/{k:02d}.obj").write_text(text)
    return folder


def drawn(folder: Path, out: Path, workers: int, shard_size: int) -> tuple[Manifest, list[dict[str, Any]]]:
    """What a run records, and what it tells of its assets."""
    config = load_config(
        "smoke", [f"assets.models=[{{path: {folder}}}]", "assets.shapes=0", "camera.resolution=[24, 24]"]
    )
    told: list[dict[str, Any]] = []
    sampler = open_sampler(config)
    manifest = run(
        Job(config, 1, 4, str(out), shard_size), sampler,
        Local(worker_slots(choose("cpu"), workers, pictures=4, cores=workers)), RetryPolicy(),
        lambda event, **fields: told.append(fields) if event == "assets" else None,
    )  # fmt: skip
    assert not sampler.catalogue.left_out, "the process that asks for pictures reads no model"
    return manifest, told


def test_who_draws_does_not_matter_and_only_what_is_drawn_is_read(models: Path, tmp_path: Path) -> None:
    one, told = drawn(models, tmp_path / "one", workers=1, shard_size=2)
    frames = list(Dataset.open(tmp_path / "one").frames())
    names = {item.asset for frame in frames for item in frame.scene.items}
    assert len(names) > 1 and all(int(name[-6:-4]) % 2 for name in names), "only models that can be used"
    made = {name for name in one.assets if name.startswith("set/")}
    assert made == names and len(names) < MODELS // 2
    for name in names:
        # The checksum that covers a model and all that it refers to: here it refers to nothing.
        assert one.assets[name].sha256 == Catalogue(models=[ModelFolder(models)]).info(name).sha256
    assert len(list((tmp_path / "cache/models").rglob("*.npz"))) == len(names), "nothing else was normalized"
    # Both told once: on the console and in the data set.
    assert one.left_out and all(int(file[-6:-4]) % 2 == 0 for file in one.left_out)
    assert set(one.left_out.values()) == {"holds only points or lines"}
    assert [set(fields["left_out"]) for fields in told] == [set(one.left_out)] and told[0]["used"] == len(one.assets)

    drawn(models, tmp_path / "two", workers=2, shard_size=2)
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
    other, _ = drawn(models, tmp_path / "other", workers=2, shard_size=1)
    assert (other.assets, other.left_out) == (one.assets, one.left_out)
    for frame, again in zip(frames, Dataset.open(tmp_path / "other").frames(), strict=True):
        assert frame.scene == again.scene and np.array_equal(frame.rgb, again.rgb)
        assert np.array_equal(frame.instance, again.instance) and np.array_equal(frame.depth, again.depth)


@pytest.mark.slow
def test_a_model_that_changed_stops_a_set_where_it_is_drawn(models: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    whole, _ = drawn(models, out, workers=1, shard_size=4)
    before = json.loads((out / "dataset.json").read_text())
    (out / "shards/00000.h5").unlink()
    (name,) = sorted(name for name in whole.assets if name.startswith("set/"))[:1]
    path = models / name.removeprefix("set/")
    kept = path.read_bytes()
    digest = sha256(path)
    path.write_text(str(trimesh.creation.box((1, 2, 9)).export(file_type="obj")))
    with pytest.raises(InputError, match=rf"asset '{name}' has changed since pictures of this set were drawn with it"):
        drawn(models, out, workers=1, shard_size=4)
    assert not list((out / "shards").iterdir())
    path.write_bytes(kept)
    assert sha256(path) == digest
    drawn(models, out, workers=1, shard_size=4)
    assert json.loads((out / "dataset.json").read_text()) == before


def test_a_class_without_a_usable_model_is_one_error(models: Path, tmp_path: Path) -> None:
    for file in models.glob("ball/*[13579].obj"):
        file.unlink()
    with pytest.raises(InputError, match=r"class 'ball' is left with no usable model: 15 quarantined, .*00.obj holds"):
        drawn(models, tmp_path / "out", workers=1, shard_size=4)


def test_the_names_in_a_class_are_listed_when_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("03001627/a", "03001627/b", "03001627/c", "02691156/d", "02691156/e"):
        (tmp_path / "set" / name).mkdir(parents=True)
        (tmp_path / "set" / name / "model.obj").write_text("rubbish")
    looked: list[str] = []
    real = os.path.isfile
    monkeypatch.setattr("os.path.isfile", lambda place: looked.append(Path(place).parts[-3]) or real(place))
    catalogue = Catalogue(models=[ModelFolder(tmp_path / "set")], cache=tmp_path / "cache")
    assert catalogue.classes == ("airplane", "chair")
    assert {name: looked.count(name) for name in looked if len(name) == 8} == {"03001627": 1, "02691156": 1}
    looked.clear()
    assert len(catalogue.assets("chair")) == 3
    assert "02691156" not in looked
    assert catalogue.licenses(["set/02691156/d/model.obj"]) == {"set/02691156/d/model.obj": ""}
    assert "02691156" in looked, "an id tells the folder to look in"


@pytest.mark.parametrize(
    ("started", "rest"),
    [
        ("render.cli.main, render.cli.render, render.farm.worker, render.blender.backend", ["bpy"]),
        ("render.dataset.export.pieces", ["bpy"]),
        pytest.param("render.blender.stage", [], marks=pytest.mark.skipif(NO_BLENDER, reason="needs Blender's module")),
    ],
)
def test_processes_start_without_libraries_that_they_may_never_need(started: str, rest: list[str]) -> None:
    """They took a second of the start of each process."""
    slow = ["trimesh", "networkx", "requests", "fsspec", *(f"scipy.{name}" for name in SCIPY), *rest]
    script = f"import sys, {started}\nprint([name for name in {slow} if name in sys.modules])\n"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

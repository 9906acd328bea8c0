from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from PIL import Image

from render.composite.photographs import find_photographs
from render.dataset.dataset import Dataset
from render.farm.devices import choose, worker_slots
from render.farm.job import Job, run
from render.farm.local import Local, RetryPolicy
from render.renderer import open_sampler
from scenes.assets import mirror
from scenes.assets.cache import Cache
from scenes.assets.mirror import FOLDER, Mirror, StoreError, place
from scenes.config.loading import load_config
from scenes.config.objects import Config
from scenes.errors import InputError
from tests.farms import s3_server
from tests.painter import command

BOX = "mtllib box.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nusemtl a\nf 1 2 3\nf 1 2 4\nf 1 3 4\nf 2 3 4\nvt 0 0\n"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def client(server: str) -> Any:
    client = boto3.client("s3", endpoint_url=server)
    for entry in client.list_objects_v2(Bucket="pictures").get("Contents", []):
        client.delete_object(Bucket="pictures", Key=entry["Key"])
    return client


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("BLENDMILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(mirror, "_WAIT", 0.0)
    for kept in ("_OPEN", "_LISTED", "_TRUSTED"):
        monkeypatch.setattr(mirror, kept, {})
    yield tmp_path / "cache"


@pytest.fixture
def calls(server: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Method and path of each request to the server."""
    seen: list[str] = []
    real = DomainDispatcherApplication.__call__

    def call(self: Any, environ: Any, start: Any) -> Any:
        seen.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        return real(self, environ, start)

    monkeypatch.setattr(DomainDispatcherApplication, "__call__", call)
    return seen


def collection(folder: Path) -> Path:
    """Models of two classes with an MTL file and a picture beside each, in letters that the names do not have."""
    for name in ("chair/a", "chair/b", "mug/c"):
        (folder / name).mkdir(parents=True)
        (folder / name / "model.obj").write_text(f"# {name}\n{BOX}")
        (folder / name / "Box.mtl").write_text("newmtl a\nKd 1 0 0\nmap_Kd wood.png\n")
        Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(folder / name / "wood.png")
    return folder


def upload(client: Any, folder: Path, prefix: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            client.upload_file(str(path), "pictures", f"{prefix}/{path.relative_to(folder).as_posix()}")


def config(where: str, **assets: object) -> Config:
    given = {"models": [{"path": where}], "shapes": 0, "studio_hdris": True, **assets}
    found = load_config("smoke", {f"assets.{name}": value for name, value in given.items()})
    assert isinstance(found, Config)
    return found


def test_models_behind_a_url_are_those_of_a_folder(client: Any, calls: list[str], tmp_path: Path, cache: Path) -> None:
    upload(client, collection(tmp_path / "models"), "some/models")
    calls.clear()
    ours, theirs = (open_sampler(config(where)) for where in (str(tmp_path / "models"), "s3://pictures/some/models"))
    assert len(calls) == 1, "one listing, and no file is fetched before a picture needs it"
    assert not [path for path in (cache / FOLDER).rglob("*") if path.is_file()]
    assert ours.classes == theirs.classes == ("chair", "mug")
    here, there = ours.sample(3, 0), theirs.sample(3, 0)
    assert here == there
    (name,) = [name for name in here.assets() if name.startswith("models/")]
    one, other = ours.catalogue, theirs.catalogue
    assert one.checksums([name]) == other.checksums([name]) and not one.warnings and not other.warnings
    fetched = sorted(path.name for path in (cache / FOLDER).rglob("*") if path.is_file())
    assert fetched == ["Box.mtl", "model.obj", "wood.png"], "one model with what it refers to"
    gets = [call for call in calls if call.startswith("GET /pictures/")]
    assert len(gets) == 3
    again = open_sampler(config("s3://pictures/some/models"))
    assert again.sample(3, 0) == there and again.catalogue.checksums([name]) == one.checksums([name])
    assert [call for call in calls if call.startswith("GET /pictures/")] == gets, "what is in the cache is not fetched"


def test_a_process_that_gets_its_work_takes_the_names_too(
    client: Any, calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = collection(tmp_path / "models")
    upload(client, folder, "models")
    places = [{"path": "s3://pictures/models"}, {"path": "s3://pictures/models/mug/c/model.obj", "category": "cup"}]
    first = open_sampler(config("", models=places))
    names, notes = mirror.listings(), mirror.noted(mirror.listings())
    assert calls.count("GET /pictures") == len(places) == len(notes)
    upload(client, folder / "chair" / "a", "models/chair/later")

    def other(cache: Path) -> tuple[object, int]:
        """What the catalogue of another process has, and how often it listed."""
        monkeypatch.setenv("BLENDMILL_CACHE", str(cache))
        for kept in ("_OPEN", "_LISTED", "_TRUSTED"):
            monkeypatch.setattr(mirror, kept, {})
        calls.clear()
        mirror.trust(names)
        catalogue = open_sampler(config("", models=places)).catalogue
        return {name: catalogue.assets(name) for name in catalogue.classes}, calls.count("GET /pictures")

    mine = {name: first.catalogue.assets(name) for name in first.catalogue.classes}
    assert other(tmp_path / "cache") == (mine, 0)
    found, listings = other(tmp_path / "cache of another machine")
    assert listings == len(places) and found != mine, "without the notes it has to look for itself"
    monkeypatch.setenv("BLENDMILL_CACHE", str(tmp_path / "third"))
    mirror.keep(notes)
    assert other(tmp_path / "third") == (mine, 0)


def test_the_workers_of_a_run_list_nothing(client: Any, calls: list[str], tmp_path: Path) -> None:
    for name in "abc":
        client.put_object(Bucket="pictures", Key=f"models/mug/{name}.obj", Body=BOX.partition("\n")[2].encode())
    calls.clear()
    given = config("s3://pictures/models")
    job, slots = Job(given, 0, 1, str(tmp_path / "set")), worker_slots(choose("cpu"), 1, pictures=1)
    run(job, open_sampler(given), Local(slots, command(of=os.getpid())), RetryPolicy(), lambda event, **fields: None)
    assert Dataset.open(tmp_path / "set").verify() == ()
    assert calls.count("GET /pictures") == 1 and any(call.endswith(".obj") for call in calls)


def test_a_changed_file_is_fetched_again(client: Any, tmp_path: Path) -> None:
    upload(client, collection(tmp_path / "models"), "models")
    sampler = open_sampler(config("s3://pictures/models", models=[{"path": "s3://pictures/models/mug/c/model.obj"}]))
    before = sampler.catalogue.checksums(["model.obj"])
    client.put_object(Bucket="pictures", Key="models/mug/c/Box.mtl", Body=b"newmtl a\nKd 0 1 0\n")
    sampler = open_sampler(config("s3://pictures/models", models=[{"path": "s3://pictures/models/mug/c/model.obj"}]))
    assert sampler.catalogue.checksums(["model.obj"]) != before


def test_pictures_behind_a_url_are_those_of_a_folder(client: Any, tmp_path: Path) -> None:
    for kind in ("walls", "places"):
        (tmp_path / kind / "deep").mkdir(parents=True)
        rng = np.random.default_rng(0)
        for name in ("a.png", "deep/b.png"):
            Image.fromarray(rng.integers(0, 255, (40, 40, 3), np.uint8)).save(tmp_path / kind / name)
        upload(client, tmp_path / kind, kind)
    ours, theirs = (find_photographs("textures", [where]) for where in (tmp_path / "walls", "s3://pictures/walls"))
    assert ours.names == theirs.names == ("walls/a", "walls/deep/b")
    assert ours.names.chosen(5) == theirs.names.chosen(5)
    name = ours.names.chosen(5)
    assert (ours.picture(name) == theirs.picture(name)).all()
    from render.catalogue import open_catalogue

    some = [
        open_catalogue(config(str(tmp_path), models=[], shapes=1, textures=[f"{root}walls"], images=[f"{root}places"]))
        for root in (f"{tmp_path}/", "s3://pictures/")
    ]
    one, other = some
    assert one.images == other.images == ("places/a.png", "places/deep/b.png") and one.textures == other.textures
    assert one.path("places/a.png").read_bytes() == other.path("places/a.png").read_bytes()
    assert one.checksums(one.textures) == other.checksums(other.textures)


@pytest.mark.parametrize(
    "key",
    ["../../out.obj", "a//b.obj", "a/./b.obj", "a\\..\\b.obj", "a/\x1b[2J.obj", "\u202eobj.a", f"a/{'n' * 300}.obj"],
)
def test_hostile_keys_never_become_paths(key: str, tmp_path: Path) -> None:
    found = Mirror("s3://bucket/models", tmp_path / "root", Cache(tmp_path / "cache"))
    found.learn([key, "chair/fine.obj"])
    assert [path.name for path in found.below(tmp_path / "root")] == ["chair", "fine.obj"]
    assert list(found.left_out) == [f"s3://bucket/models/{key}"]
    assert not found.bring(Path(f"{tmp_path}/root/{key}")) and sorted(tmp_path.iterdir()) == []


def test_a_file_that_is_a_folder_too_is_left_out(tmp_path: Path) -> None:
    found = Mirror("s3://bucket/models", tmp_path / "root", Cache(tmp_path / "cache"))
    found.learn(["chair/a.obj", "chair", "chair/a.obj/b.obj"])
    assert [str(path.relative_to(tmp_path / "root")) for path in found.below(tmp_path / "root")] == [
        "chair", "chair/a.obj", "chair/a.obj/b.obj",
    ]  # fmt: skip
    assert len(found.left_out) == 2


@pytest.mark.parametrize("lost", ["model.obj", "wood.png"])
def test_a_store_that_does_not_answer_costs_one_line_and_no_model(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """Neither for the model itself nor for what it refers to, which another process asks for."""
    upload(client, collection(tmp_path / "models"), "models")
    sampler = open_sampler(config("s3://pictures/models"))
    with monkeypatch.context() as patch:
        real = DomainDispatcherApplication.__call__

        def refuse(self: Any, environ: Any, start: Any) -> Any:
            if not environ["PATH_INFO"].endswith(lost):
                return real(self, environ, start)
            start("403 Forbidden", [])
            return [b""]

        patch.setattr(DomainDispatcherApplication, "__call__", refuse)
        refused = rf"s3://pictures/models/\S+{lost}: cannot be asked for: .*; check the credentials"
        with pytest.raises(StoreError, match=refused) as told:
            sampler.sample(3, 0)
        assert "\n" not in str(told.value)
    assert not sampler.catalogue.left_out
    assert sampler.sample(3, 0).assets()
    with pytest.raises(InputError, match=r"field assets\.models: s3://pictures/none: holds no file"):
        place("s3://pictures/none", "field assets.models:")


def test_a_half_arrived_file_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    MemoryFileSystem().pipe_file("/set/a.obj", b"0123456789")
    real, tries = MemoryFileSystem.get_file, []

    def short(self: Any, key: str, local: str, **options: Any) -> None:
        real(self, key, local, **options)
        tries.append(key)
        if len(tries) < 3:
            Path(local).write_bytes(b"0123")

    monkeypatch.setattr(MemoryFileSystem, "get_file", short)
    root = place("memory://set", "field x:")
    found = mirror.mirror_of(str(root / "a.obj"))
    assert found is not None and found.bring(root / "a.obj") and len(tries) == 3
    assert (root / "a.obj").read_bytes() == b"0123456789" and [path.name for path in root.iterdir()] == ["a.obj"]
    (root / "a.obj").unlink()  # as pruning does
    again = mirror.mirror_of(str(place("memory://set", "field x:")))
    assert again is not None and again.bring(root / "a.obj") and len(tries) == 4

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from render.dataset.dataset import Dataset
from render.dataset.manifest import Manifest
from render.dataset.shard_writer import write_shard
from render.dataset.store import open_store
from scenes.errors import InputError
from tests.farms import SIZE, content, draw, make_manifest, remote_content, render, run_python, s3_server
from tests.frames import listing, make_frame


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def bucket(server: str, request: pytest.FixtureRequest) -> str:
    return f"s3://pictures/{request.node.name}"


@pytest.fixture(params=["folder", "file", "memory", "s3"])
def out(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place of each kind, empty."""
    return {
        "folder": lambda: str(tmp_path / "set"),
        "file": lambda: f"file://{tmp_path}/a%20set",
        "memory": lambda: f"memory://{tmp_path.name}/set",
        "s3": lambda: f"s3://pictures/{tmp_path.name}" if request.getfixturevalue("server") else "",
    }[request.param]()


def everything(out: str, tmp_path: Path) -> dict[str, bytes]:
    folders = {str(tmp_path / "set"): tmp_path / "set", f"file://{tmp_path}/a%20set": tmp_path / "a set"}
    return content(folders[out]) if out in folders else remote_content(out)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole") / "set"
    render(folder, make_manifest())
    return content(folder)


# Any place -----------------------------------------------------------------------------------------------------------


def test_a_set_drawn_in_pieces_is_the_one_drawn_at_once(out: str, tmp_path: Path, whole: dict[str, bytes]) -> None:
    manifest = make_manifest()
    assert sorted(whole) == ["dataset.json", *(f"shards/0000{k}.h5" for k in range(5))]
    store = open_store(out)
    assert store.load() is None and store.present() == set()
    assert store.create(manifest) == manifest == store.load()
    render(out, manifest, [3, 1], part="1/2")
    assert store.present() == {1, 3} and store.finish() == manifest and len(store.runs()) == 1
    assert [line.rpartition("/")[2] for line in store.verify()] == [f"0000{k}.h5: missing" for k in (0, 2, 4)]
    draw(store, manifest, 0)  # by a run that was killed before it could note it
    render(out, manifest)
    assert everything(out, tmp_path) == whole
    finished = store.opened()
    assert set(finished.shards) == {f"0000{k}.h5" for k in range(5)} and finished.skipped == ()
    assert store.create(manifest) == finished == store.finish() and store.verify() == ()
    assert everything(out, tmp_path) == whole


@pytest.mark.parametrize("out", ["folder", "s3"], indirect=True)
def test_a_shard_that_two_schedulers_send_is_there_once(out: str, tmp_path: Path, whole: dict[str, bytes]) -> None:
    store, manifest = open_store(out), make_manifest()
    store.create(manifest)
    with store.target(0) as path:
        other = run_python(
            "import sys; from tests.farms import draw, make_manifest; from render.dataset.store import open_store; "
            "print(draw(open_store(sys.argv[1]), make_manifest(), 0))",
            out,
        )
        theirs = other.communicate(timeout=60)[0].strip()
        assert store.present() == {0}
        frames = (make_frame(index, size=SIZE) for index in manifest.indices(0))
        assert write_shard(path, frames, attributes=manifest.attributes()) == theirs
    render(out, manifest)
    assert everything(out, tmp_path) == whole


def test_nothing_is_left_of_a_shard_that_failed(out: str, tmp_path: Path) -> None:
    store, manifest = open_store(out), make_manifest()
    store.create(manifest)
    before = everything(out, tmp_path)

    def frames() -> Iterator[Any]:
        yield make_frame(0, size=SIZE)
        raise RuntimeError("died")

    with pytest.raises(RuntimeError, match="died"), store.target(0) as path:
        write_shard(path, frames(), attributes=manifest.attributes())
    assert {name: data for name, data in everything(out, tmp_path).items() if name != "shards"} == before
    assert store.present() == set()


def test_other_jobs_and_other_files_are_refused(out: str, tmp_path: Path) -> None:
    store = open_store(out)
    store.storage.write("notes.txt", b"mine")
    with pytest.raises(InputError, match=r"holds other files \(notes\.txt\)"):
        store.create(make_manifest())
    store.storage.remove("notes.txt")
    store.create(make_manifest())
    with pytest.raises(InputError, match="of seed 0, asked is 1") as caught:
        store.create(make_manifest(seed=1))
    assert store.url in str(caught.value) and store.opened() == make_manifest()


def test_skipped_pictures(out: str, tmp_path: Path) -> None:
    store, manifest = open_store(out), make_manifest()
    store.create(manifest)
    for index in (3, 4, 9):
        store.fail(index, {"index": index, "reason": "killed its worker", "attempts": 3, "scene": {"seed": 0}})
    assert store.failures()[9] == {"index": 9, "reason": "killed its worker", "attempts": 3, "scene": {"seed": 0}}
    store.forgive(4)
    store.forgive(4)
    assert sorted(store.failures()) == [3, 9]
    for shard in range(5):
        draw(store, manifest, shard, skip=[3])  # 9 was drawn in the end
    assert store.verify() == (f"{store.url}/shards/00004.h5: does not hold pictures 8 to 9 without the 1 skipped",)
    finished = store.finish()
    assert finished.skipped == (3,) and store.verify() == ()
    names = [name for name in everything(out, tmp_path) if not name.startswith("shards")]
    assert sorted(names) == ["dataset.json", "failed/00000003.json"]
    store.forgive(3)
    assert store.finish().skipped == (3,)  # a record thrown away does not bring the picture back


def test_a_damaged_shard_is_found(out: str) -> None:
    store = render(out, make_manifest())
    with store.source(2) as path:
        damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    store.storage.write("shards/00002.h5", bytes(damaged))
    (fault,) = store.verify()
    assert fault.startswith(f"{store.url}/shards/00002.h5: sha256 differs from the recorded")


def test_checksums_that_runs_disagree_on_are_read(tmp_path: Path) -> None:
    store, manifest = open_store(str(tmp_path / "set")), make_manifest(count=2)
    store.create(manifest)
    sums = [draw(store, manifest, 0), "0" * 64]
    for digest in sums:
        with store.log("0/1") as log:
            log.note("shard", shard=0, sha256=digest, pictures=2)
    assert len(store.runs()) == 2
    assert store.finish().shards == {"00000.h5": sums[0]} and store.verify() == ()


CREATE = """
import sys
from render.dataset.store import open_store
from scenes.errors import InputError
from tests.farms import make_manifest
store, manifest = open_store(sys.argv[1]), make_manifest(seed=int(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
try:
    store.create(manifest)
    print("mine")
except InputError as error:
    print(error)
"""


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_one_of_many_jobs_gets_the_place(kind: str, tmp_path: Path, bucket: str) -> None:
    out, seeds = (str(tmp_path / "set"), (0, 0, 1, 2)) if kind == "folder" else (bucket, (0, 1))
    starts = [run_python(CREATE, out, str(seed)) for seed in seeds]
    for start in starts:
        assert start.stdout and start.stdout.readline() == "ready\n"
    for start in starts:
        assert start.stdin
        start.stdin.write("\n")
        start.stdin.flush()
    said = [start.communicate(timeout=60)[0].strip() for start in starts]
    manifest = open_store(out).opened()
    assert [line == "mine" for line in said] == [seed == manifest.seed for seed in seeds], said
    assert all(f"of seed {manifest.seed}, asked is" in line for line in said if line != "mine"), said
    if kind == "folder":
        assert listing(tmp_path / "set") == ["dataset.json"]


def test_folders_need_neither_blender_nor_fsspec() -> None:
    code = "import sys, render.cli.farm\nprint([m for m in ('bpy', 'fsspec', 's3fs', 'torch') if m in sys.modules])"
    assert run_python(code).communicate(timeout=60)[0] == "[]\n"


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_record_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    store = open_store(str(tmp_path))
    store.create(make_manifest())
    store.storage.write("failed/00000001.json", text.encode())
    with pytest.raises(InputError, match=r"failed/00000001\.json: not.*; delete it"):
        store.failures()


def test_a_finished_set_opens_as_one(tmp_path: Path) -> None:
    render(tmp_path / "set", make_manifest())
    dataset = Dataset.open(tmp_path / "set")
    assert [frame.index for frame in dataset.frames()] == list(range(10)) and dataset.verify() == ()
    assert json.loads((tmp_path / "set" / "dataset.json").read_text())["skipped"] == []
    assert Manifest.load(tmp_path / "set") == dataset.manifest

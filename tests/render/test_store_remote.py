from __future__ import annotations

import errno
import importlib.util
import itertools
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import moto.s3.responses
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from render.dataset import remote
from render.dataset.local import Folder
from render.dataset.remote import Remote
from render.dataset.shard_writer import write_shard
from render.dataset.store import Store, open_store
from scenes.errors import InputError
from tests.farms import SIZE, content, draw, make_manifest, remote_content, render, run_python, s3_server
from tests.frames import make_frame

ROOT = Path(__file__).parents[2]
HOST = platform.node()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def bucket(server: str, request: pytest.FixtureRequest) -> str:
    return f"s3://pictures/{request.node.name}"


class Trouble:
    """Makes the first uploads of a store fail, or arrive spoiled. Counts them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, store: Store, fail: int = 0, spoil: int = 0):
        self.calls = 0
        real = store.storage._files.put_file  # type: ignore[attr-defined]

        def put(local: str, key: str) -> None:
            self.calls += 1
            if self.calls <= fail:
                raise OSError(errno.EIO, "the network went away")
            source = Path(local)
            if self.calls <= spoil:
                source = source.with_name("spoiled")
                source.write_bytes(Path(local).read_bytes()[:-1] + b"?")
            real(str(source), key)

        monkeypatch.setattr(store.storage._files, "put_file", put)  # type: ignore[attr-defined]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No waiting; what would have been waited."""
    waits: list[float] = []
    monkeypatch.setattr(remote.time, "sleep", waits.append)
    return waits


def test_an_upload_may_fail_twice(bucket: str, monkeypatch: pytest.MonkeyPatch, quick: list[float]) -> None:
    store, manifest = open_store(bucket), make_manifest()
    store.create(manifest)
    trouble = Trouble(monkeypatch, store, fail=2)
    digest = draw(store, manifest, 0)
    assert trouble.calls == 3 and quick == [0.5, 1.0] and store.present() == {0}
    with store.source(0) as path:
        assert remote.sha256(path) == digest
    assert sorted(remote_content(bucket)) == ["dataset.json", "shards/00000.h5"]


def test_a_server_that_is_busy_at_one_call_in_ten(bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls, real = itertools.count(1), DomainDispatcherApplication.__call__
    busy = [0]

    def answer(self: Any, environment: dict[str, Any], start: Any) -> Any:
        if next(calls) % 10:
            return real(self, environment, start)
        busy[0] += 1
        environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
        start("503 Slow Down", [("Content-Type", "application/xml")])
        return [b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"]

    monkeypatch.setattr(DomainDispatcherApplication, "__call__", answer)
    render(tmp_path / "here", make_manifest())
    render(bucket, make_manifest())
    assert open_store(bucket).verify() == ()
    assert remote_content(bucket) == content(tmp_path / "here")
    assert busy[0] > 2


def test_a_spoiled_upload_is_not_committed(bucket: str, monkeypatch: pytest.MonkeyPatch, quick: list[float]) -> None:
    store, manifest = open_store(bucket), make_manifest()
    store.create(manifest)
    trouble = Trouble(monkeypatch, store, spoil=1)
    draw(store, manifest, 0)
    assert trouble.calls == 2 and store.present() == {0}
    Trouble(monkeypatch, store, spoil=99)
    with pytest.raises(InputError, match=r"uploading shards/00001\.h5 failed 5 times, at last with .*sha256") as caught:
        draw(store, manifest, 1)
    assert "\n" not in str(caught.value) and bucket in str(caught.value)
    assert sorted(remote_content(bucket)) == ["dataset.json", "shards/00000.h5"]


def test_tries_are_counted(bucket: str, monkeypatch: pytest.MonkeyPatch, quick: list[float]) -> None:
    store = Store(Remote(bucket, tries=3, wait=2.0))
    store.create(make_manifest())
    trouble = Trouble(monkeypatch, store, fail=99)
    with pytest.raises(InputError, match=r"failed 3 times, at last with OSError.*went away.*rerun to complete"):
        draw(store, make_manifest(), 0)
    assert trouble.calls == 3 and quick == [2.0, 4.0]


def test_a_temporary_key_swept_too_early_is_uploaded_again(
    bucket: str, monkeypatch: pytest.MonkeyPatch, quick: list[float]
) -> None:
    store = open_store(bucket)
    store.create(make_manifest())
    files, swept = store.storage._files, []  # type: ignore[attr-defined]
    real = files.cp_file

    def move(source: str, name: str) -> None:
        if not swept:
            swept.append(source)
            store.sweep(everything=True)
        real(source, name)

    monkeypatch.setattr(files, "cp_file", move)
    draw(store, make_manifest(), 0)
    assert swept and store.present() == {0}


def test_what_a_killed_uploader_left_is_swept(bucket: str) -> None:
    store = open_store(bucket)
    store.create(make_manifest())
    dead = run_python("pass")
    dead.wait()
    for name in (f"{HOST}-{dead.pid}", f"{HOST}-{os.getpid()}", "elsewhere-1"):
        store.storage._pipe(f"unfinished/shards.00000.h5.tmp-{name}", b"half")  # type: ignore[attr-defined]
    scratch = Path(tempfile.gettempdir()) / f"blendmill-store-abc.tmp-{HOST}-{dead.pid}"
    scratch.mkdir()
    store.sweep()
    assert not scratch.exists()
    left = {f"shards.00000.h5.tmp-{name}" for name in (f"{HOST}-{os.getpid()}", "elsewhere-1")}
    assert store.storage.names("unfinished") == left
    assert store.create(make_manifest()) == store.opened(), "what is being uploaded is no other job's"
    assert store.present() == set()
    render(bucket, make_manifest())
    assert sorted(remote_content(bucket)) == ["dataset.json", *(f"shards/0000{k}.h5" for k in range(5))]


def test_a_bucket_that_keeps_versions_and_has_keys_of_others(server: str, tmp_path: Path) -> None:
    client = boto3.client("s3")
    client.create_bucket(Bucket="versions")
    client.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    url = "s3://versions/set"
    others = {
        "shards/": b"", "shards/notes.txt": b"?", "shards/00003.h5.bak": b"?", "shards/00003.h5/part": b"?",
        "shards/99999.h5": b"?", "runs/notes.txt": b"?", "drawn/": b"",
    }  # fmt: skip
    for name, body in others.items():
        client.put_object(Bucket="versions", Key=f"set/{name}", Body=body)
    client.put_object(Bucket="versions", Key="set2/shards/00004.h5", Body=b"of a set whose name begins alike")
    store = render(url, make_manifest(), [0, 1, 2])
    assert store.present() == {0, 1, 2, 99999}
    for _ in range(2):
        render(url, make_manifest())
        assert store.verify() == ()
        store.storage.remove("shards/00001.h5")  # a bucket with versions hides it, and keeps it
        assert 1 not in store.present() and not store.storage.has("shards/00001.h5")
    render(url, make_manifest())
    found = {name: body for name, body in remote_content(url).items() if name not in others}
    assert found == content(render(tmp_path, make_manifest()).storage.folder)  # type: ignore[attr-defined]


def test_no_file_is_left_on_this_machine(bucket: str) -> None:
    def left() -> list[Path]:
        return list(Path(tempfile.gettempdir()).glob(f"blendmill-store-*.tmp-{HOST}-{os.getpid()}"))

    store = open_store(bucket)
    store.create(make_manifest())
    with store.target(0) as path:
        assert left() == [path.parent]
        write_shard(path, [make_frame(0, size=SIZE)], attributes={})
    store.verify()
    assert left() == []


def test_present_asks_once(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(bucket)
    store.create(make_manifest())
    for shard in range(5):
        draw(store, make_manifest(), shard)
    asked: list[str] = []
    server = moto.s3.responses.S3Response
    real = server.list_objects_v2

    def listed(*arguments: Any) -> Any:
        asked.append("a listing")
        return real(*arguments)

    monkeypatch.setattr(server, "list_objects_v2", listed)
    assert store.present() == set(range(5))
    assert asked == ["a listing"]


def test_others_shards_are_seen_at_once(bucket: str) -> None:
    """No listing is remembered."""
    store = open_store(bucket)
    store.create(make_manifest())
    assert store.present() == set()
    other = run_python(
        "import sys; from tests.farms import *\ndraw(open_store(sys.argv[1]), make_manifest(), 1)\nprint('drawn')",
        bucket,
    )
    assert other.communicate(timeout=60)[0] == "drawn\n"
    assert store.present() == {1}


def test_a_missing_bucket_and_refused_access_are_told(
    server: str, monkeypatch: pytest.MonkeyPatch, quick: list[float]
) -> None:
    with pytest.raises(InputError, match=r"s3://nowhere/set: .*no such bucket or folder") as caught:
        open_store("s3://nowhere/set").create(make_manifest())
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"not a data set, there is no dataset\.json"):
        open_store("s3://nowhere/set").opened()

    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError("Access Denied")

    store = open_store("s3://pictures/set")
    monkeypatch.setattr(store.storage._files, "cat_file", refuse)  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=r"reading dataset\.json: access refused .*Access Denied.*check credentials"):
        store.load()
    assert quick == []


def test_credentials_that_are_not_there_are_asked_for_at_once() -> None:
    code = (
        "from render.dataset import store as s\n"
        "try: s.open_store('s3://pictures/set').load()\nexcept s.InputError as e: print(e)"
    )
    bare = {name: value for name, value in os.environ.items() if not name.startswith("AWS")}
    bare |= {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nowhere", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=bare, capture_output=True, text=True, timeout=30)
    assert "access refused" in said.stdout and "check credentials" in said.stdout, said.stdout + said.stderr


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("memry://set", "no such kind of URL, did you mean 'memory'"),
        ("gs://pictures/set", "pip install gcsfs"),
        ("s3://", "names no bucket; write s3://bucket/folder"),
        ("file://server/set", "write file:///server/set"),
    ],
)
def test_a_url_that_cannot_be_opened_is_told(url: str, said: str) -> None:
    if url.startswith("gs") and importlib.util.find_spec("gcsfs"):
        pytest.skip("gcsfs is installed")
    with pytest.raises(InputError, match=said) as caught:
        open_store(url)
    assert "\n" not in str(caught.value) and url in str(caught.value)


def test_without_fsspec_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(InputError, match="pip install fsspec"):
        open_store("s3://pictures/set")
    assert isinstance(open_store(f"file://{tmp_path}").storage, Folder)

from __future__ import annotations

import errno
import os
import platform
import time
from pathlib import Path

import pytest

from render.dataset import local
from render.dataset.dataset import Dataset
from render.dataset.local import disk_errors
from render.dataset.store import open_store
from scenes.errors import InputError
from tests.farms import content, draw, make_manifest, render, run_python
from tests.frames import listing

HOST = platform.node()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole") / "set"
    render(folder, make_manifest())
    return content(folder)


HOLD = """
import sys, time
from render.dataset.store import open_store
with open_store(sys.argv[1]).hold(sys.argv[2]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_part_is_drawn_by_one_run(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "set"))
    store.create(make_manifest())
    other = run_python(HOLD, str(tmp_path / "set"), "0/2")
    try:
        assert other.stdout and other.stdout.readline() == "held\n"
        said = f"already being rendered by process {other.pid} on {HOST}"
        with pytest.raises(InputError, match=said), store.hold("0/2"):
            pytest.fail("held twice")
        with store.hold("1/2"):
            assert len(listing(tmp_path / "set")) == 3
        store.sweep(everything=True)
        with pytest.raises(InputError, match=said), store.hold("0/2"):
            pytest.fail("held twice")
    finally:
        other.kill()
        other.wait()
    assert listing(tmp_path / "set") == [".hold-0-of-2", "dataset.json"]
    with store.hold("0/2"):
        pass
    assert listing(tmp_path / "set") == ["dataset.json"]


def test_a_killed_run_leaves_nothing_once_another_finished(tmp_path: Path, whole: dict[str, bytes]) -> None:
    folder = tmp_path / "set"
    killed = run_python(HOLD, str(folder), "1/7")
    assert killed.stdout and killed.stdout.readline() == "held\n"
    killed.kill()
    killed.wait()
    render(folder, make_manifest(), [0])
    for name in (f"shards/00000.h5.tmp-{HOST}-{killed.pid}", "shards/00003.h5.tmp-elsewhere-7", "dataset.json.tmp-a-1"):
        (folder / name).write_bytes(b"half")
    live = folder / "shards" / f"00001.h5.tmp-{HOST}-{os.getpid()}"
    live.write_bytes(b"half")
    open_store(str(folder)).sweep()
    assert listing(folder / "shards") == ["00000.h5", live.name, "00003.h5.tmp-elsewhere-7"]
    old = live.with_name(f"00002.h5.tmp-{HOST}-{os.getpid()}")
    old.write_bytes(b"of a process that had this one's number")
    os.utime(old, (1, 1))
    render(folder, make_manifest())
    assert content(folder) == whole


def test_a_folder_in_the_place_of_a_shard_is_told(tmp_path: Path) -> None:
    render(tmp_path, make_manifest(), [0])
    (tmp_path / "shards" / "00003.h5").mkdir()
    store = open_store(str(tmp_path))
    for act in (store.verify, lambda: store.discard_broken([3]), lambda: draw(store, make_manifest(), 3)):
        with pytest.raises(InputError, match=r"00003\.h5.*: is (not a regular|a folder, and should be a) file; move"):
            act()


def test_a_link_that_leads_nowhere_is_no_shard(tmp_path: Path, whole: dict[str, bytes]) -> None:
    store, elsewhere = render(tmp_path / "set", make_manifest()), tmp_path / "elsewhere"
    (tmp_path / "set" / "shards").rename(elsewhere)
    (tmp_path / "set" / "shards").mkdir()
    for path in sorted(elsewhere.iterdir()):
        (tmp_path / "set" / "shards" / path.name).symlink_to(path)
    assert store.verify() == () and store.present() == set(range(5))
    (elsewhere / "00002.h5").unlink()
    assert sorted(store.present()) == Dataset.open(tmp_path / "set").present() == [0, 1, 3, 4]
    assert store.verify() == (f"{tmp_path}/set/shards/00002.h5: missing",)
    render(tmp_path / "set", make_manifest())
    assert content(tmp_path / "set") == whole


@pytest.mark.parametrize("hours", [1, -1])
def test_a_server_of_files_may_have_another_clock(hours: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It dates the files. An hour behind, it dates them before the process that writes them was started."""
    store = open_store(str(tmp_path))
    left = tmp_path / f"dataset.json.tmp-{HOST}-{os.getpid()}"
    for age in (0, 2 * 3600):
        left.write_bytes(b"half")
        now = time.time() + 3600 * hours
        os.utime(left, (now - age,) * 2)
        monkeypatch.setattr(store.storage, "now", lambda now=now: now)
        store.sweep()
        assert left.exists() == (age == 0), "two hours ago, another process had this number"


def test_files_of_a_killed_worker_go_with_its_shard(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "set"))
    store.create(make_manifest())
    dead = run_python("pass")
    dead.wait()
    with pytest.raises(RuntimeError), store.target(0) as path:
        path.with_name(f"{path.name}.tmp-{HOST}-{dead.pid}").write_bytes(b"half")
        path.with_name(f"{path.name}.tmp-elsewhere-1").write_bytes(b"half")
        raise RuntimeError
    assert listing(tmp_path / "set" / "shards") == ["00000.h5.tmp-elsewhere-1"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for name in ("file", "file/below"):
        store = open_store(str(tmp_path / name))
        with pytest.raises(InputError, match="is a file"):
            store.create(make_manifest())
        with pytest.raises(InputError, match="is a file"), store.hold("0/1"):
            pytest.fail("held a file")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError(errno.EROFS, "Read-only file system"), "read-only file system; give another folder"),
        (PermissionError(errno.EACCES, "Permission denied"), "no permission"),
        (OSError(errno.EINVAL, "Invalid argument"), "Invalid argument"),
    ],
)
def test_a_disk_that_refuses_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, words: str
) -> None:
    folder = tmp_path / "set"
    with pytest.raises(InputError, match=words) as caught, disk_errors(folder):
        raise error
    assert "\n" not in str(caught.value) and str(folder) in str(caught.value)
    store, manifest = open_store(str(folder)), make_manifest()
    store.create(manifest)
    log = store.log("0/1")

    def refuse(*arguments: object, **options: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuse)
        for act in (lambda: open_store(str(tmp_path / "new")).create(manifest), lambda: store.fail(3, {})):
            with pytest.raises(InputError, match=words):
                act()
        with pytest.raises(InputError, match=words), open_store(str(tmp_path / "new")).hold("0/1"):
            pytest.fail("held")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        with pytest.raises(InputError, match=words):
            draw(store, manifest, 0)
    with monkeypatch.context() as patch:
        patch.setattr(local, "FileIO", refuse)
        patch.setattr(local._LocalJournal, "write", lambda *_: refuse())
        with pytest.raises(OSError, match=error.strerror):
            log.note("begin", shard=0, worker=0)
    log.close()
    assert listing(folder / "shards") == [] and not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "place", ["/proc/set", "/dev/full", "/dev/null/set", "loop", "link", "pipe", "n" * 300, "a\0b"]
)
def test_a_place_for_no_files_is_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError) as caught:
        open_store(str(tmp_path / place)).create(make_manifest())
    assert "\n" not in str(caught.value)


def test_a_full_disk_under_the_log_is_told() -> None:
    with pytest.raises(InputError, match="No space left on device"), local._LocalJournal("/dev/full", "a") as journal:
        journal.write(b"x")


def test_other_faults_are_not_dressed_up(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="odd"), disk_errors(tmp_path):
        raise OSError(errno.EIO, "odd")

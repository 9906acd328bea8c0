from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from render.cli import farm
from render.cli.farm import merge, ranges, read_status, status, verify
from render.dataset import records, run_log
from render.dataset.run_log import Drawn, Run, RunLog
from render.dataset.store import Store, open_store
from scenes.errors import InputError
from scenes.files import sha256
from tests.farms import content, draw, make_manifest, remote_content, render, s3_server


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole") / "set"
    render(folder, make_manifest())
    return content(folder)


def call(command: click.Command, *arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if isinstance(result.exception, InputError):
        raise result.exception
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


def write_log(out: Path, name: str, *events: dict[str, Any]) -> None:
    (out / "runs").mkdir(exist_ok=True)
    text = "".join(json.dumps(event) + "\n" for event in events)
    path = out / "runs" / name
    path.write_text(text)
    os.utime(path, (events[-1]["time"],) * 2)


# status --------------------------------------------------------------------------------------------------------------


def test_status_of_a_set_under_way(tmp_path: Path) -> None:
    out, manifest, now = tmp_path / "set", make_manifest(), time.time()
    store = open_store(str(out))
    store.create(manifest)
    store.fail(3, {"reason": "killed its worker", "attempts": 3})
    for shard in (0, 1):
        draw(store, manifest, shard, skip=[3])
    head = {"event": "run", "part": "0/2", "workers": 2, "device": "cuda", "pictures": 5}
    write_log(
        out, "far-7-1.jsonl", {"time": now - 100, **head},
        {"time": now - 90, "event": "begin", "shard": 2, "worker": 0},
        {"time": now - 50, "event": "shard", "shard": 0, "sha256": "a", "pictures": 2},
        {"time": now - 10, "event": "shard", "shard": 1, "sha256": "b", "pictures": 1},
    )  # fmt: skip
    write_log(out, "lost-8-1.jsonl", {"time": now - 500, **head, "part": "1/2"}, {"time": now - 400, "event": "beat"})
    write_log(out, "gone-9-1.jsonl", {"time": now - 500, **head}, {"time": now - 400, "event": "end"})
    text = call(status, out).output
    assert "done: 2 of 5 shards, 3 of 10 pictures, 1 skipped\n" in text
    assert "running: far process 7, part 0/2, 2 workers on cuda, shards 2 under way\n" in text
    assert "stopped without an end: lost process 8, part 1/2, last heard of 0:06:4" in text and "gone" not in text
    assert "failed: 1 pictures\n  3: killed its worker\n" in text
    assert "rate: 0.03 pictures/s over the last minutes, 0:03:2" in text
    found = json.loads(call(status, out, "--json").output)
    assert found["shards"] == [2, 5] and found["pictures"] == [3, 10] and found["failed"] == {"3": "killed its worker"}
    assert found["rate"] == pytest.approx(0.03, rel=0.1) and found["seconds_left"] == pytest.approx(200, rel=0.1)
    runs = {run["host"]: run for run in found["runs"]}
    assert set(runs) == {"far", "lost"} and runs["far"]["alive"] and not runs["lost"]["alive"]
    assert runs["far"]["under_way"] == [2] and runs["far"]["shards"] == 2 and runs["far"]["pid"] == 7


def test_status_at_both_ends(tmp_path: Path) -> None:
    out = tmp_path / "set"
    with pytest.raises(InputError, match="not a data set"):
        call(status, out)
    store = open_store(str(out))
    store.create(make_manifest())
    assert call(status, out).output.splitlines()[-1].startswith("nobody draws")
    with store.log("0/1") as log:
        log.note("run", workers=1, device="cpu", pictures=10)
        assert call(status, out).output.endswith("no shard under way\nrate: not known yet\n")
    render(out, make_manifest())
    assert call(status, out).output == "done: 5 of 5 shards, 10 of 10 pictures\ncomplete\n"


def test_rate_is_of_the_last_minutes() -> None:
    now = 10_000.0
    drawn = tuple(drawn_at(shard, now - age) for shard, age in enumerate((5000, 3000, 300, 100)))
    old = Run("a", "a", 1, started=now - 6000, seen=now, drawn=drawn, silent=0)
    young = Run("b", "b", 1, started=now - 100, seen=now, drawn=drawn[-1:], silent=0)
    assert farm._rate([old]) == pytest.approx(2 * 60 / 600)
    assert farm._rate([old, young]) == pytest.approx(2 * 60 / 600 + 60 / 100)
    still = replace(young, seen=now - 30, silent=30)
    assert farm._rate([still]) == pytest.approx(60 / 100), "the time since its last line counts"
    assert farm._rate([]) is None and farm._rate([Run("c", "c", 1, started=now, seen=now, silent=0)]) is None


@pytest.mark.parametrize(("kind", "hours"), [("folder", 1), ("folder", -1), ("s3", 1), ("s3", -1)])
def test_who_draws_is_told_whatever_the_clocks_of_machines_say(
    kind: str, hours: int, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "s3":
        request.getfixturevalue("server")
    store = open_store(str(tmp_path / "set") if kind == "folder" else f"s3://pictures/clock{hours}")
    store.create(make_manifest())
    off = time.time() + 3600 * hours
    head = {"event": "run", "part": "0/2", "workers": 2, "device": "cuda", "pictures": 5}
    events = [
        {"time": off - 100, **head},
        {"time": off - 50, "event": "shard", "shard": 0, "sha256": "a", "pictures": 2},
    ]
    store.storage.write("runs/far-7-1.jsonl", "".join(json.dumps(event) + "\n" for event in events).encode())
    found = read_status(store)
    assert [run.host for run in found.running] == ["far"] and found.rate == pytest.approx(2 / 50, rel=0.2)
    with pytest.raises(InputError, match=r"process 7 on far still draws its 10 pictures; wait"):
        store.create(make_manifest(12))
    monkeypatch.setattr(records, "time", SimpleNamespace(time=lambda: time.time() + 3600 * hours))
    assert read_status(store).running, "the clock of this machine is off too"
    assert store.storage.names("unfinished") == set() and not list(tmp_path.rglob("*clock*"))
    late = store.storage.now()
    assert late is not None
    monkeypatch.setattr(store.storage, "now", lambda: late + 100)
    assert call_lines(store)[1].startswith("stopped without an end: far process 7, part 0/2, last heard of 0:01:4")
    monkeypatch.setattr(store.storage, "now", lambda: None)  # nothing can be written there
    monkeypatch.setattr(records, "time", time)
    assert read_status(store).running


def call_lines(store: Store) -> list[str]:
    return list(farm._lines(read_status(store)))


def drawn_at(shard: int, when: float) -> Drawn:
    return Drawn(shard, "a", 60, when)


def test_ranges() -> None:
    assert ranges([]) == "" and ranges([4]) == "4" and ranges([0, 1, 2, 5, 7, 8]) == "0-2, 5, 7-8"
    assert ranges(range(0, 40, 2), most=2) == "0, 2 and 18 ranges more"


# verify --------------------------------------------------------------------------------------------------------------


def test_verify(tmp_path: Path) -> None:
    out = tmp_path / "set"
    render(out, make_manifest())
    assert call(verify, out).output == f"{out}: 5 shards, all as recorded\n"
    (out / "shards" / "00001.h5").unlink()
    path = out / "shards" / "00003.h5"
    path.write_bytes(path.read_bytes()[:-1])
    lines = call(verify, out, code=1).output.splitlines()
    assert len(lines) == 2 and lines[0] == f"{out}/shards/00001.h5: missing" and "00003.h5: sha256 differs" in lines[1]
    with pytest.raises(InputError, match="not a data set"):
        call(verify, tmp_path)


# merge ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["folders", "s3"])
def test_parts_become_the_set_drawn_at_once(
    kind: str, tmp_path: Path, whole: dict[str, bytes], request: pytest.FixtureRequest
) -> None:
    if kind == "s3":
        request.getfixturevalue("server")
    base = str(tmp_path) if kind == "folders" else "s3://pictures/merge"
    manifest, out = make_manifest(), f"{base}/set"
    for number in (0, 1):
        render(f"{base}/part{number}", manifest, range(number, 5, 2), part=f"{number}/2")
    text = call(merge, out, f"{base}/part1", code=1).output
    assert text == "still missing: 6 pictures, shards 0, 2, 4 of 5\n"
    assert call(merge, out, f"{base}/part1", f"{base}/part0").output == f"10 pictures in {out}\n"
    assert (content(Path(out)) if kind == "folders" else remote_content(out)) == whole
    assert call(merge, out).output == f"10 pictures in {out}\n"


@pytest.mark.parametrize(("kind", "hours"), [("folder", 1), ("folder", -1), ("s3", 1), ("s3", -1)])
def test_two_schedulers_send_the_same_shards_and_one_clock_is_an_hour_off(
    kind: str, hours: int, tmp_path: Path, whole: dict[str, bytes], request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if kind == "s3":
        request.getfixturevalue("server")
    out = str(tmp_path / "set") if kind == "folder" else f"s3://pictures/twice{hours}"
    manifest, right, wrong = make_manifest(), open_store(out), open_store(out)
    right.create(manifest)
    off = SimpleNamespace(time=lambda: time.time() + 3600 * hours)

    def drawn(store: Store, log: RunLog, shard: int) -> None:
        log.note("shard", shard=shard, sha256=draw(store, manifest, shard), pictures=2)

    @contextmanager
    def clock_off() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(run_log, "time", off)
            yield

    with ExitStack() as logs:
        with clock_off():
            there = logs.enter_context(wrong.log("0/1"))
        with right.log("0/2") as here:
            for shard in range(manifest.shard_count):
                drawn(right, here, shard)
                with clock_off():
                    drawn(wrong, there, shard)
            assert call(status, out).output.endswith("complete\n")
        assert right.finish().shards
        drawn(wrong, there, 4)  # nobody tells it that all is there
    assert wrong.finish() == right.opened() and wrong.verify() == ()
    assert (content(Path(out)) if kind == "folder" else remote_content(out)) == whole


@pytest.mark.parametrize("error", [None, errno.EXDEV, errno.EPERM])
def test_on_one_disk_no_shard_is_copied(
    error: int | None, tmp_path: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    render(tmp_path / "part", make_manifest())
    first, second = (tmp_path / "part" / "shards" / f"0000{k}.h5" for k in (0, 1))
    first.rename(tmp_path / "elsewhere.h5")
    first.symlink_to(tmp_path / "elsewhere.h5")
    (tmp_path / "set").mkdir()
    farm.open_store(str(tmp_path / "set")).create(make_manifest())
    read: list[str] = []
    if error is None:
        monkeypatch.setattr(shutil, "copyfile", lambda *_: pytest.fail("a shard is copied"))
    else:

        def refused(path: Path, name: Path) -> None:
            raise OSError(error, "no link")

        monkeypatch.setattr(os, "link", refused)
    monkeypatch.setattr(farm, "sha256", lambda path: read.append(path.name) or sha256(path))
    call(merge, tmp_path / "set", tmp_path / "part")
    assert content(tmp_path / "set") == whole and len(read) == (0 if error is None else 5)
    made = tmp_path / "set" / "shards"
    assert not (made / first.name).is_symlink() and made.joinpath(second.name).samefile(second) == (error is None)


def test_a_damaged_part_is_told_and_left_out(tmp_path: Path, whole: dict[str, bytes]) -> None:
    manifest, out, part = make_manifest(), tmp_path / "set", tmp_path / "part"
    render(out, manifest, [0, 1, 2])
    render(part, manifest, [3, 4])
    path = part / "shards" / "00003.h5"
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"?")
    text = call(merge, out, part, code=1).output
    assert f"{path}: sha256 differs" in text and "still missing: 2 pictures, shards 3 of 5" in text
    assert not (out / "shards" / "00003.h5").exists() and (out / "shards" / "00004.h5").exists()
    shutil.rmtree(part / "runs")  # now nothing tells its checksum
    path.write_bytes(good[: len(good) // 2])
    assert f"{path}: truncated" in call(merge, out, part, code=1).output
    path.write_bytes(good)
    call(merge, out, part)
    assert content(out) == whole


def test_a_part_of_another_job_is_refused(tmp_path: Path) -> None:
    render(tmp_path / "set", make_manifest(), [0])
    render(tmp_path / "part", make_manifest(seed=1), [1])
    before = content(tmp_path / "set")
    with pytest.raises(InputError, match="of seed 0, asked is 1"):
        call(merge, tmp_path / "set", tmp_path / "part")
    with pytest.raises(InputError, match="nothing: not a data set"):
        call(merge, tmp_path / "set", tmp_path / "nothing")
    assert content(tmp_path / "set") == before


def test_what_a_part_skipped_is_skipped(tmp_path: Path) -> None:
    manifest, out = make_manifest(), tmp_path / "set"
    render(out, manifest, [0, 1])
    part = open_store(str(tmp_path / "part"))
    part.create(manifest)
    part.fail(5, {"reason": "killed its worker", "attempts": 3, "scene": {}})
    part.fail(0, {"reason": "of a shard the part does not have", "attempts": 3, "scene": {}})
    for shard in (2, 3, 4):
        draw(part, manifest, shard, skip=[5])
    assert call(merge, out, part.url).output == f"9 pictures in {out}\n"
    store = open_store(str(out))
    assert store.opened().skipped == (5,) and store.failures()[5]["reason"] == "killed its worker"
    assert sorted(store.failures()) == [5] and store.verify() == ()
    assert read_status(store).pictures == (9, 10) and read_status(store).skipped == 1


BREAK = {
    "cut": lambda data: data[:-100],
    "a byte differs": lambda data: (
        data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]
    ),
    "empty": lambda data: b"",
}


@pytest.mark.parametrize("how", BREAK)
@pytest.mark.parametrize("known", [True, False])
def test_merge_replaces_a_broken_shard(tmp_path: Path, whole: dict[str, bytes], how: str, known: bool) -> None:
    """It is told, and deleted; a part that has it brings it back. known: whether its sum is recorded."""
    if how == "a byte differs" and not known:
        pytest.skip("only a sum tells every byte")
    out, manifest = tmp_path / "set", make_manifest()
    render(out, manifest)
    render(tmp_path / "part", manifest, [3])
    if not known:
        manifest.save(out)
    path = out / "shards" / "00003.h5"
    path.write_bytes(BREAK[how](path.read_bytes()))
    text = call(merge, out, code=1).output
    assert text.startswith(f"{path}: ")
    assert "; it is deleted\nstill missing: 2 pictures, shards 3 of 5\n" in text
    assert "complete" not in call(status, out).output
    assert call(merge, out, tmp_path / "part").output == f"10 pictures in {out}\n"
    assert content(out) == whole


def test_a_shard_is_read_again_only_when_its_file_changed(tmp_path: Path) -> None:
    store, read = render(tmp_path / "set", make_manifest()), list[tuple[int, int]]()

    def tell(done: int, of: int) -> None:
        read.append((done, of))

    assert store.discard_broken(range(5), tell) == {}
    assert store.discard_broken(range(5), tell) == {}
    (tmp_path / "set/shards/00002.h5").touch()
    assert store.discard_broken(range(5), tell) == {}
    assert read == [(done, 5) for done in range(6)] + [(0, 1), (1, 1)]

"""A set grows: what is there stays, and the end has the same bytes as a set drawn at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from render.cli.farm import merge, read_status
from render.dataset.dataset import Dataset
from render.dataset.local import Folder
from render.dataset.store import Store, open_store
from scenes.errors import InputError
from tests.farms import content, draw, make_manifest, remote_content, render, s3_server
from tests.walls import make_walls, run

FEW, MANY = make_manifest(count=6, shard_size=4), make_manifest(count=14, shard_size=4)
"""The second shard of FEW is short: it holds pictures 4 and 5, and 4 to 7 in MANY."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole") / "set"
    render(folder, MANY)
    return content(folder)


@pytest.fixture(params=["folder", "memory", "s3"])
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "s3":
        with s3_server():
            yield f"s3://pictures/{tmp_path.name}"
    else:
        yield str(tmp_path / "set") if request.param == "folder" else f"memory://{tmp_path.name}/set"


def everything(out: str) -> dict[str, bytes]:
    return remote_content(out) if "://" in out else content(Path(out))


def test_a_grown_set_is_the_one_drawn_at_once(out: str, whole: dict[str, bytes]) -> None:
    store = render(out, FEW)
    first = store.opened().shards["00000.h5"]
    grown = store.create(MANY)
    assert grown.count == 14 and dict(grown.shards) == {"00000.h5": first} and store.present() == {0}
    assert [line.rpartition("/")[2] for line in store.verify()] == [f"0000{k}.h5: missing" for k in (1, 2, 3)]
    assert read_status(store).pictures == (4, 14) and read_status(store).shards == (1, 4)
    render(out, MANY)
    assert everything(out) == whole and store.verify() == () and read_status(store).pictures == (14, 14)


@pytest.mark.parametrize("count", [6, 8])
def test_an_unfinished_set_grows(tmp_path: Path, whole: dict[str, bytes], count: int) -> None:
    """Only the first and the last shard are drawn; the last is short with six pictures, and full with eight."""
    out, few = tmp_path / "set", make_manifest(count=count, shard_size=4)
    draw(open_store(str(out)), few, 1)
    store = open_store(str(out))
    store.create(few)
    with store.log("0/1") as log:  # the run was killed before it could draw the first
        log.note("shard", shard=1, sha256="0" * 64 if count == 6 else draw(store, few, 1), pictures=count - 4)
    store.create(MANY)
    assert store.present() == (set() if count == 6 else {1})
    draw(store, MANY, 1)  # by a run that was killed before it could note it
    render(out, MANY)
    assert content(out) == whole and store.verify() == ()


def test_parts_of_a_farm_grow_a_set_in_any_order(tmp_path: Path, whole: dict[str, bytes]) -> None:
    out = tmp_path / "set"
    render(out, FEW)
    for part, shards in (("1/2", [1, 3]), ("0/2", [0, 2])):
        render(out, MANY, shards, part)
    assert content(out) == whole


def test_pictures_given_up_are_tried_again_with_their_shard(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.create(FEW)
    for index in (1, 5):
        store.fail(index, {"reason": "killed its worker", "attempts": 3})
    for shard, index in ((0, 1), (1, 5)):
        draw(store, FEW, shard, skip=[index])
    assert store.finish().skipped == (1, 5)
    assert store.create(MANY).skipped == (1,)
    for shard in (1, 2, 3):
        draw(store, MANY, shard)
    assert store.finish().skipped == (1,) and store.verify() == () and sorted(store.failures()) == [1]


def test_a_set_that_is_being_drawn_does_not_grow(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.create(FEW)
    with store.log("0/1") as log:
        log.note("run", workers=1, device="cpu", pictures=6)
        with pytest.raises(InputError, match=r"still draws its 6 pictures; wait for it or stop it, then ask for 14"):
            store.create(MANY)
    assert store.opened() == FEW
    store.create(MANY)
    with store.log("0/2") as log:  # one of the farm has made it grow, and draws
        log.note("run", workers=1, device="cpu", pictures=6)
        assert store.create(MANY).count == 14 == store.create(FEW).count


class Killed(BaseException):
    pass


@pytest.mark.parametrize("steps", range(4))
def test_a_kill_while_a_set_grows_does_no_harm(
    steps: int, tmp_path: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each change of a file that growing makes: both counts can be asked for, and both come out right."""
    out = tmp_path / "set"
    store = render(out, FEW)
    few = content(out)
    with store.log("0/1") as log:
        log.note("shard", shard=1, sha256=store.opened().shards["00001.h5"], pictures=2)
    done = 0

    def stopping(change: Any) -> Any:
        def act(self: Folder, *arguments: Any) -> None:
            nonlocal done
            if done == steps:
                raise Killed
            done += 1
            change(self, *arguments)

        return act

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "remove", stopping(Folder.remove))
        patch.setattr(Folder, "write", stopping(Folder.write))
        try:
            Store(Folder(out)).create(MANY)
        except Killed:
            assert steps < 3
    assert steps < 3 or done == 3
    if store.opened().count == 6:
        render(out, FEW)
        assert content(out) == few
    render(out, MANY)
    assert content(out) == whole and store.verify() == ()


def test_a_merge_takes_whole_shards_of_smaller_sets_and_grows_to_the_largest(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    """The small set gives its full shard alone; the part of the large one has the others."""
    render(tmp_path / "few", FEW)
    render(tmp_path / "part", MANY, [1, 2, 3])
    for number, places in enumerate((["few", "part"], ["part", "few"])):
        copy = tmp_path / f"set{number}"
        found = CliRunner().invoke(merge, [str(copy), *(str(tmp_path / place) for place in places)])
        assert found.exit_code == 0 and found.output == f"14 pictures in {copy}\n"
        assert content(copy) == whole
    found = CliRunner().invoke(merge, [str(tmp_path / "few"), str(tmp_path / "part")])
    assert found.exit_code == 0 and content(tmp_path / "few") == whole


def test_the_command_lets_a_set_grow(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    walls = make_walls(tmp_path / "walls")
    fixed = ["compose", "--textures", walls, "--styles", walls, "--set", "resolution=[32,32]", "--workers", "1"]

    def command(out: str, images: int, *options: str) -> tuple[int, str, str]:
        return run(capsys, *fixed, "--out", tmp_path / out, "--images", images, *options)

    assert command("grown", 3, "--shard-size", "2")[0] == 0
    first = (tmp_path / "grown" / "shards" / "00000.h5").stat()
    code, printed, _ = command("grown", 5)
    assert code == 0 and printed.startswith(f"5 pictures in {tmp_path / 'grown'}")
    assert (tmp_path / "grown" / "shards" / "00000.h5").stat().st_mtime_ns == first.st_mtime_ns
    assert command("once", 5, "--shard-size", "2")[0] == 0
    assert content(tmp_path / "grown") == content(tmp_path / "once")
    assert [frame.index for frame in Dataset.open(tmp_path / "grown").frames()] == list(range(5))
    code, _, said = command("grown", 4)
    assert code == 2 and "holds 5 pictures, asked are 4; a set can grow but not shrink" in said
    code, _, said = command("grown", 6, "--shard-size", "3")
    assert code == 2 and "of shard_size 2, asked is 3" in said
    assert content(tmp_path / "grown") == content(tmp_path / "once")

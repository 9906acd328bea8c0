"""The index of a collection: what it holds, when a run believes it, and what its door refuses."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trimesh
from click.testing import CliRunner, Result
from PIL import Image

from render.cli.main import cli
from scenes.assets import catalogue as catalogues
from scenes.assets.cache import Cache
from scenes.assets.catalogue import Catalogue
from scenes.assets.file_source import Settled, read_now
from scenes.assets.image_gate import ImageGate
from scenes.assets.index import INDEX, Index, IndexEntry, KnownAssets, indexes_of, write_index
from scenes.assets.pruning import held
from scenes.assets.sources import ModelFolder
from scenes.errors import InputError
from scenes.files import sha256
from tests.farms import s3_server

BOX = "mtllib {0}.mtl\nusemtl a\n" + str(trimesh.creation.box((1, 2, 3)).export(file_type="obj"))


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """Models in `set`: two that can be used, one of them without its color map, and two that cannot. Pictures in
    `view` and `walls`, one each that cannot be used."""
    for name in ("set/ball/a.obj", "set/ball/b.obj", "set/ball/c.obj", "set/cup/d.obj", "view/e.png", "walls/g.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "set/ball/a.obj").write_text(BOX.format("a"))
    (tmp_path / "set/ball/a.mtl").write_text("newmtl a\nKd 0.5 0.1 0.1\n")
    (tmp_path / "set/ball/b.obj").write_text("mtllib b.mtl\nv 0 0 0\n")
    (tmp_path / "set/ball/c.obj").write_text("v 1 0 0\n")
    (tmp_path / "set/cup/d.obj").write_text(BOX.format("d"))
    (tmp_path / "set/cup/d.mtl").write_text("newmtl a\nmap_Kd gone.png\n")
    for name in ("view/e.png", "walls/g_diff.png"):
        Image.new("RGB", (32, 32), (90, 80, 70)).save(tmp_path / name)
    for name in ("view/f.png", "walls/g_rough.png"):
        (tmp_path / name).write_bytes(b"rubbish")
    return tmp_path


def opened(folder: Path, cache: str = "cache", **more: Any) -> Catalogue:
    return Catalogue(
        models=[ModelFolder(folder / "set", **more)], images=[folder / "view"], textures=[folder / "walls"],
        cache=folder / cache,
    )  # fmt: skip


def made(folder: Path) -> Path:
    """The index of a collection, beside its models."""
    path = folder / "set" / INDEX
    write_index(path, opened(folder, unit=2.0, license="CC0-1.0").entries())
    return path


def unread(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that are read from now on, by their names; they are not read in fact."""
    read: list[str] = []

    def settle(asset: Any, *_: object) -> Settled:
        read.append(asset.path.name)
        return Settled(entry="made")

    monkeypatch.setattr(catalogues, "settle", settle)
    return read


def test_an_index_says_what_reading_has_shown(collection: Path) -> None:
    path = made(collection)
    with Index(path) as index:
        box = index.entry("set/cup/d.obj")
        file = collection / "set/cup/d.obj"
        status = file.stat()
        assert (box.kind, box.category, box.path, box.license) == ("model", "cup", "cup/d.obj", "CC0-1.0")
        assert (box.size, box.mtime, box.sha256) == (status.st_size, status.st_mtime_ns, sha256(file))
        assert box.triangles == 12 and box.parts == ("a",) and not box.reason
        assert sorted(box.extent or ()) == pytest.approx([2, 4, 6], abs=1e-5), "in meters: the unit is 2"
        assert len(box.warnings) == 1 and "gone.png" in box.warnings[0]
        assert list(box.others) == ["cup/d.mtl", "cup/gone.png"] and box.others["cup/gone.png"] is None
        assert [entry.id for entry in index.useless()] == [
            "set/ball/b.obj", "set/ball/c.obj", "view/f.png", "walls/g#roughness",
        ]  # fmt: skip
        assert index.entry("walls/g#color").kind == "texture" and index.entry("view/e.png").kind == "image"
        with pytest.raises(InputError, match=r"has no asset 'set/cup/x.obj', did you mean 'set/cup/d.obj'\?"):
            index.entry("set/cup/x.obj")
    before = path.read_bytes()
    assert made(collection).read_bytes() == before
    assert not list(path.parent.glob(f"{INDEX}?*")), "nothing is left beside it"


def test_what_an_index_knows_to_be_useless_is_not_read(collection: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = opened(collection)
    without = [plain.assets("ball").chosen(key << 40) for key in range(8)]
    assert set(without) == {"set/ball/a.obj"}
    made(collection)
    known = opened(collection, "empty", unit=2.0, license="CC0-1.0")
    read, judged = unread(monkeypatch), []
    gate = ImageGate.judged
    monkeypatch.setattr(ImageGate, "judged", lambda self, paths, use: judged.extend(paths) or gate(self, paths, use))
    assert [known.assets("ball").chosen(key << 40) for key in range(8)] == without and read == ["a.obj"]
    assert known.images.chosen(1) == "view/e.png" and known.textures.chosen(1) == "walls/g"
    assert list(known.texture_set("walls/g").maps) == ["color"]
    assert {path.name for path in judged} <= {"e.png", "g_diff.png"}
    for name, path in {"set/ball/b.obj": "set/ball/b.obj", "set/ball/c.obj": "set/ball/c.obj"}.items():
        assert not known.usable(name) and known.left_out[str(collection / path)] == "holds only points or lines"
    assert str(collection / "walls/g_rough.png") in known.left_out


def test_an_index_is_believed_while_the_files_are_as_they_were(
    collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_again(**more: Any) -> bool:
        read = unread(monkeypatch)
        opened(collection, "empty", **more).usable("set/ball/b.obj")
        return read == ["b.obj"]

    made(collection)
    file, text = collection / "set/ball/b.obj", "mtllib b.mtl\nv 0 0 0\n"
    assert not read_again()
    os.utime(file, ns=(1, 1))
    assert not read_again(), "a copy has another time of change and the same content"
    file.write_text(text.replace("0", "1", 1))
    assert read_again(), "another content of the same size"
    file.write_text(text)
    assert not read_again()
    (file.parent / "b.mtl").touch()
    assert read_again(), "a library is there that was not"
    (file.parent / "b.mtl").unlink()
    assert read_again(up="z", front="x") and not read_again(), "settings by which another file is useless"


def test_a_collection_may_move_with_its_index(collection: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(collection)
    elsewhere = collection / "elsewhere.sqlite"
    path.rename(elsewhere)
    (collection / "other").mkdir()
    for name in ("set", "view", "walls"):
        (collection / name).rename(collection / "other" / name)
    read = unread(monkeypatch)
    opened(collection / "other").usable("set/ball/c.obj")
    monkeypatch.setenv("BLENDMILL_INDEX", str(elsewhere))
    assert not opened(collection / "other").usable("set/ball/c.obj") and read == ["c.obj"]
    monkeypatch.setenv("BLENDMILL_INDEX", str(collection / "none"))
    with pytest.raises(InputError, match="none: cannot be read: No such file"):
        opened(collection / "other")


def test_a_run_that_was_killed_goes_on_where_it_was(collection: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []

    def killed(count: int, total: int, name: str) -> None:
        done.append(total)
        if count == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened(collection).entries(killed)
    assert done == [8, 8, 8]
    read: list[str] = []

    def ask(request: Any) -> Any:
        read.append(request[0].path.name)
        return read_now(*request)

    monkeypatch.setattr("scenes.assets.file_source._READER.ask", ask)
    assert len(opened(collection).entries()) == 8 and read == ["d.obj"]


def test_models_that_an_index_has_are_not_looked_for_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["03001627/a/models/model_normalized.obj", "03001627/b/models/model_normalized.obj", "03001627/c/model.obj"]
    for name in names:
        (tmp_path / "set" / name).parent.mkdir(parents=True)
        (tmp_path / "set" / name).write_text(BOX)

    def ids() -> tuple[list[str], list[str]]:
        """All models of the class, and those that were looked for."""
        asked: list[str] = []
        real = os.path.isfile
        catalogue = Catalogue(models=[ModelFolder(tmp_path / "set")], cache=tmp_path / "cache")
        with monkeypatch.context() as patch:
            patch.setattr("os.path.isfile", lambda place: asked.append(str(place)) or real(place))
            found = catalogue.assets("chair")
        return list(found), [place for place in asked if place.endswith(".obj")]

    without, asked = ids()
    assert without == [f"set/{name}" for name in names] and len(asked) == 4
    write_index(
        tmp_path / "set" / INDEX, Catalogue(models=[ModelFolder(tmp_path / "set")], cache=tmp_path / "cache").entries()
    )
    (tmp_path / "set/03001627/d/models").mkdir(parents=True)
    (tmp_path / "set/03001627/d/models/model_normalized.obj").write_text(BOX)
    found, asked = ids()
    assert found == sorted([*without, "set/03001627/d/models/model_normalized.obj"])
    # The new one, and the place at which ShapeNet's other version would have its model.
    assert sorted({Path(place).relative_to(tmp_path / "set").parts[1] for place in asked}) == ["c", "d"]


def test_an_index_in_an_object_store_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    cache, path = Cache(tmp_path / "cache"), tmp_path / INDEX
    with s3_server() as address:
        client = boto3.client("s3", endpoint_url=address)
        monkeypatch.setenv("BLENDMILL_INDEX", "s3://pictures/models/index.sqlite")
        with pytest.raises(InputError, match=r"index s3://pictures/models/index\.sqlite: does not exist"):
            indexes_of([], cache)
        for entries in ([ENTRY], [ENTRY, ENTRY.model_copy(update={"id": "set/b.obj"})]):
            write_index(path, entries)
            client.upload_file(str(path), "pictures", "models/index.sqlite")
            (kept,) = indexes_of([], cache)
            assert KnownAssets([kept]).beginning("set/") == {entry.id for entry in entries}
            before = kept.stat().st_mtime_ns
            assert indexes_of([], cache) == [kept] and kept.stat().st_mtime_ns == before, "it is not fetched again"
        files = [file for file in cache.folder.rglob("*") if file.is_file()]
        assert len(files) == 2 and held(cache.folder)["indexes"].files == 2, "the cache knows both, and nothing is half"
    monkeypatch.setenv("BLENDMILL_INDEX", "s4://pictures/models/index.sqlite")
    with pytest.raises(InputError, match="no such kind of URL"):
        indexes_of([], cache)


# Its door -----------------------------------------------------------------------------------------------------------

ENTRY = IndexEntry(
    id="set/a.obj", kind="model", path="a.obj", size=1, mtime=1, sha256="0" * 64, settings="s", reason="x"
)


def altered(*statements: str) -> Callable[[Path], None]:
    def alter(path: Path) -> None:
        with sqlite3.connect(path) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    return alter


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def scribbled(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 8192)


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_bytes(b""), "is not an index"),
        (lambda path: path.write_text("{}" * 100), "is not an index"),
        (piped, "is not an index"),
        (cut, "is damaged"),
        (scribbled, "is damaged"),
        (altered("PRAGMA application_id = 7"), "is not an index"),
        (altered("PRAGMA user_version = 9"), "is an index of version 9, not 1"),
        (altered("CREATE TABLE more (a)"), "has other tables"),
        (altered("CREATE TRIGGER t AFTER INSERT ON assets BEGIN SELECT 1; END"), "has other tables"),
        (altered("DROP TABLE assets", "CREATE VIEW assets AS SELECT 1 AS id, 'x' AS reason"), "has other tables"),
        (altered("UPDATE assets SET path = '../../etc/passwd'"), "'../../etc/passwd' is no path below the folder"),
        (altered("UPDATE assets SET path = '/etc/passwd'"), "is no path below the folder"),
        (altered("""UPDATE assets SET others = '{"../b": null}'"""), "field others: .*is no path below the folder"),
        (altered("UPDATE assets SET others = '{'"), "is damaged"),
        (altered(f"UPDATE assets SET warnings = '{'[' * 5000}'"), "is damaged"),
        (altered("UPDATE assets SET warnings = x'ff00'"), "is damaged"),
        (altered("UPDATE assets SET size = 'large'"), "field size"),
        (altered("UPDATE assets SET kind = 'program'"), "field kind"),
        (altered("UPDATE assets SET reason = cast(zeroblob(2000000) AS TEXT)"), "is damaged"),
    ],
)
def test_the_door_refuses(tmp_path: Path, spoil: Callable[[Path], None], words: str) -> None:
    path = tmp_path / INDEX
    write_index(path, [ENTRY])
    spoil(path)
    with pytest.raises(InputError, match=rf"{INDEX}: .*{words}.*(make it anew|delete it)"), Index(path) as index:
        index.useless()


def test_nothing_is_written_beside_an_index(tmp_path: Path) -> None:
    """It may lie where tasks can only read."""
    path = tmp_path / INDEX
    write_index(path, [ENTRY])
    tmp_path.chmod(0o555)
    try:
        with Index(path) as index:
            assert index.useless() == [ENTRY]
        assert list(tmp_path.iterdir()) == [path]
    finally:
        tmp_path.chmod(0o755)


# The commands -------------------------------------------------------------------------------------------------------


def asked(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["assets", *map(str, words)], catch_exceptions=False)


def test_an_index_is_made_and_asked_on_the_command_line(
    collection: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BLENDMILL_CACHE", str(tmp_path / "cache"))
    folder = collection / "set"
    (folder / "ball/c.zip").touch()
    told = asked("index", folder, "--workers", "1")
    assert told.exit_code == 0, told.output
    assert "ball/c.zip: is an archive" in told.stderr
    assert told.stdout.splitlines()[0] == f"{folder / INDEX}: 4 files, 2 cannot be used, 1 with warnings"

    def ids(*words: str) -> list[str]:
        lines = asked("list", "--index", folder, "--json", *words).output.splitlines()
        return [json.loads(line)["id"].removeprefix("set/") for line in lines]

    assert ids() == ["ball/a.obj", "ball/b.obj", "ball/c.obj", "cup/d.obj"]
    assert ids("--class", "cup") == ["cup/d.obj"] and ids("--license", "MIT") == []
    assert ids("--larger", "2") == ["ball/a.obj", "cup/d.obj"] and ids("--larger", "4") == ids("--smaller", "2") == []
    assert ids("--unusable") == ids("--reason", "points") == ["ball/b.obj", "ball/c.obj"]
    (line,) = asked("list", "--index", folder, "--class", "cup").output.splitlines()
    assert line.startswith("good") and "set/cup/d.obj" in line and "gone.png" in line
    shown = json.loads(asked("show", "set/ball/b.obj", "--index", folder).output)
    assert shown["reason"] == "holds only points or lines" and shown["size"] == (folder / "ball/b.obj").stat().st_size
    for words, fault in (
        (("list", "--index", folder, "--class", "cap"), "has no class 'cap', did you mean 'cup'"),
        (("list", "--class", "cup"), "give --index"),
        (("index", folder, "--set", "seed=1"), "a folder has no fields"),
        (("index", folder, "--out", folder / "ball"), "give another place with --out"),
    ):
        with pytest.raises(InputError, match=fault):
            asked(*words)

"""The cache is kept small while others use it."""

from __future__ import annotations

import os
import platform
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from render.cli.main import cli
from scenes.assets.cache import Cache
from scenes.assets.catalogue import Catalogue
from scenes.assets.image_gate import ImageGate
from scenes.assets.info import AssetInfo
from scenes.assets.normalize import describe
from scenes.assets.pruning import Held, held, prune
from scenes.errors import InputError
from scenes.mesh import Appearance, Model, Part

KEYS = [f"{k:064x}" for k in range(0, 4 << 248, 1 << 248)]
HOURS = 3600.0


def triangle(folder: Path, shade: int) -> tuple[AssetInfo, Model]:
    """A model with a color map of its own."""
    picture = folder / f"{shade}.png"
    Image.new("RGB", (8, 8), (shade, 0, 0)).save(picture)
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], np.int32)
    look = Appearance(texture=picture)
    part = Part("a", corners, faces, np.ones((4, 3, 3), np.float32), np.zeros((4, 3, 2), np.float32), "", look)
    return describe(Model((part,)), sha256=""), Model((part,))


def aged(path: Path, hours: float) -> Path:
    then = time.time() - hours * HOURS
    os.utime(path, (then, then))
    return path


def files(cache: Cache) -> list[Path]:
    return sorted(path for path in cache.folder.rglob("*") if path.is_file())


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """Four models with a map and a note each; the first was not used for longest."""
    cache = Cache(tmp_path / "cache")
    for k, key in enumerate(KEYS):
        cache.store(key, *triangle(tmp_path, k))
        cache.keep_note(key, {"entry": key})
        for path in files(cache):
            if time.time() - path.stat().st_mtime < HOURS:
                aged(path, 200 - 10 * k)
    return cache


def test_what_was_not_used_for_longest_goes_first(cache: Cache) -> None:
    there = files(cache)
    assert len(there) == 12 and all(path.parent.name == path.name[:2] for path in there), "no folder gets large"
    found = held(cache.folder)
    assert {name: one.files for name, one in found.items() if one.files} == {"models": 4, "textures": 4, "files": 4}
    assert sum(one.bytes for one in found.values()) == sum(path.stat().st_size for path in there)
    assert time.time() - (found["models"].oldest or 0) == pytest.approx(200 * HOURS, abs=60)
    gone = prune(cache.folder, None, 6)
    assert gone.files == 6 and len(files(cache)) == 6
    assert [cache.model(key) is not None for key in KEYS] == [False, False, True, True]
    assert prune(cache.folder, None, 6) == Held()
    limit = sum(path.stat().st_size for path in files(cache)) - 1
    assert prune(cache.folder, limit, None).files == 1 and sum(p.stat().st_size for p in files(cache)) <= limit


def test_what_is_used_stays(cache: Cache) -> None:
    assert cache.model(KEYS[0]) is not None and cache.note(KEYS[1]) is not None
    assert prune(cache.folder, 0, None).files == 9
    assert cache.model(KEYS[0]) is not None and cache.note(KEYS[1]) is not None
    assert prune(cache.folder, 0, None, unused_hours=0).files == 3 and files(cache) == []


def test_a_picture_written_anew_stays_while_it_is_used(tmp_path: Path) -> None:
    cache, cmyk = Cache(tmp_path / "cache"), tmp_path / "cmyk.jpg"
    Image.new("CMYK", (8, 8), (90, 0, 40, 0)).save(cmyk)
    drawn = ImageGate(cache).judged([cmyk], "map")[cmyk].path
    assert drawn.parent == cache.folder / "images"
    aged(drawn, 100)
    assert ImageGate(cache).judged([cmyk], "map")[cmyk].path == drawn
    prune(cache.folder, 0, 0)
    assert drawn.is_file()
    drawn.unlink()
    assert ImageGate(cache).judged([cmyk], "map")[cmyk].path == drawn and drawn.is_file(), "is made again"


def test_foreign_files_are_not_touched(cache: Cache) -> None:
    others = (
        "mine.txt",
        "models/mine.npz",
        "models/00/readme.md",
        f"own/{'0' * 64}.npz",
        f"models/00/x/{'0' * 64}.npz",
    )
    for name in others:
        (cache.folder / name).parent.mkdir(parents=True, exist_ok=True)
        aged(cache.folder / name, 999) if (cache.folder / name).write_text("mine") == 0 else None
    dead, alive = unfinished(cache, 100), unfinished(cache, 0.1)
    assert prune(cache.folder, 1 << 40, None).files == 1 and not dead.exists() and alive.exists()
    assert prune(cache.folder, 0, 0, unused_hours=0).files == 12
    alive.unlink()
    assert sorted(path.relative_to(cache.folder).as_posix() for path in files(cache)) == sorted(others)


def unfinished(cache: Cache, hours: float) -> Path:
    """What a process of another machine writes, or began to write so long ago."""
    path = cache.folder / "unfinished" / f"{'0' * 64}.npz.tmp-other{platform.node()}-{hours:.0f}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"half")
    return aged(path, hours)


def test_a_cache_is_pruned_while_others_read_and_write_it(tmp_path: Path) -> None:
    cache, made = Cache(tmp_path / "cache"), {key: triangle(tmp_path, k) for k, key in enumerate(KEYS)}
    done, faults, pruned = threading.Event(), [], []

    def use(key: str) -> None:
        try:
            for _ in range(40):
                found = cache.model(key)
                if found is None:
                    cache.store(key, *made[key])
                else:
                    assert np.array_equal(found.parts[0].vertices, made[key][1].parts[0].vertices)
        except BaseException as error:
            faults.append(error)

    def keep_pruning() -> None:
        try:
            while not done.is_set():
                pruned.append(prune(cache.folder, 0, 0, unused_hours=-1).files)
        except BaseException as error:
            faults.append(error)

    users = [threading.Thread(target=use, args=(key,)) for key in KEYS]
    pruners = [threading.Thread(target=keep_pruning) for _ in range(2)]
    for thread in (*users, *pruners):
        thread.start()
    for thread in users:
        thread.join()
    done.set()
    for thread in pruners:
        thread.join()
    assert faults == [] and sum(pruned) > 0


def test_what_was_pruned_is_made_again(tmp_path: Path) -> None:
    catalogue = Catalogue(shapes={"mug": 1}, cache=tmp_path)
    before = catalogue.model("shape:mug:0")
    assert prune(tmp_path, 0, None, unused_hours=0).files == 1
    again = Catalogue(shapes={"mug": 1}, cache=tmp_path).model("shape:mug:0")
    assert np.array_equal(before.parts[0].vertices, again.parts[0].vertices)


def test_the_command(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLENDMILL_CACHE", str(cache.folder))

    def asked(*words: str) -> list[str]:
        return CliRunner().invoke(cli, ["assets", "cache", *words], catch_exceptions=False).output.splitlines()

    lines = asked()
    assert lines[0] == str(cache.folder) and "12 files" in lines[-1] and "oldest unused for 8.3 days" in lines[-1]
    told = asked("--prune", "--max-size", "0.001M", "--unused-for", "180")
    assert told[0].startswith("deleted: ") and told[-1].startswith("all of this was used within 180 hours")
    assert "3 files" in asked("--prune", "--max-files", "3")[-1]
    assert "is no size" in CliRunner().invoke(cli, ["assets", "cache", "--max-size", "many"]).output
    for words in (["--prune"], ["--max-files", "3"]):
        with pytest.raises(InputError, match="give --prune with at least one limit"):
            asked(*words)


def test_files_from_object_stores_go_too_and_reading_counts_as_use(tmp_path: Path) -> None:
    root = tmp_path / "cache" / "remote" / ("0" * 64) / "models" / "chair"
    root.mkdir(parents=True)
    for name in ("old.obj", "read.obj"):
        (root / name).write_text("v 0 0 0\n")
        aged(root / name, 200)
    os.utime(root / "read.obj", (time.time(), (root / "read.obj").stat().st_mtime))
    assert held(tmp_path / "cache")["remote"].files == 2
    assert prune(tmp_path / "cache", 0, None).files == 1
    assert [path.name for path in root.iterdir()] == ["read.obj"]

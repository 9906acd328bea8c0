"""A full disk, here a limit on the size of a file: one line says so, and nothing is half written."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from render.dataset.local import removed
from render.farm.devices import choose, worker_slots
from render.farm.job import Job, run
from render.farm.local import Local, RetryPolicy
from render.renderer import open_sampler
from scenes.config.composite import ComposeConfig
from scenes.errors import InputError
from scenes.files import UNFINISHED, unfinished
from tests.farms import contents

COMMANDS = {
    "compose": "crack compose --textures walls --set resolution=[48,48] --images 4 --out made",
    "preview": "preview cracks.yaml --images 2 --out made/sheet.png",
    "inspect": "inspect set --sheet made/sheet.png",
    **{
        f"export {kind}": f"export set made --format {kind}"
        for kind in ("folder", "coco", "webdataset", "s2rda", "hdf5-per-image", "masks")
    },
    "measure": "crack measure set --out made/figure.png",
    "sheet": "crack sheet set --out made/sheet.png",
    "train": "segment train train.yaml --out made",
}


def blendmill(words: str, folder: Path, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    # Bytecode would be cut off, too, and break every later import of its module.
    clean = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", "from render.cli.main import main; main()", *words.split()],
        cwd=folder, env=clean, preexec_fn=limited, capture_output=True, text=True, check=False, timeout=170,
    )  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photographs of walls, a config, and a set of eight pictures."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "walls").mkdir()
    rng = np.random.default_rng(0)
    for number in range(2):
        Image.fromarray(rng.integers(90, 170, (96, 96, 3), np.uint8)).save(folder / f"walls/{number}.png")
    text = "renderer: composite\nassets: {textures: [walls]}\nresolution: [48, 48]\n"
    (folder / "cracks.yaml").write_text(text)
    (folder / "train.yaml").write_text(
        "{data: {source: [{where: set}], holdout: 0, workers: 0}, width: 2, depth: 1, size: 16, batch: 2,"
        " iterations: 3, device: cpu, report: false}"
    )
    done = blendmill("render cracks.yaml --images 8 --shard-size 4 --out set", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", list(COMMANDS))
def test_a_file_that_finds_no_room_costs_one_line(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("BLENDMILL_CACHE", str(tmp_path / "cache"))
    here = tmp_path / "here"
    shutil.copytree(place, here)
    before = contents(here)
    done = blendmill(COMMANDS[name], here, limit=2048)
    said = [line for line in done.stderr.splitlines() if line.startswith("blendmill: ")]
    assert done.returncode == 2 and len(said) == 1 and "Traceback" not in done.stderr, done.stderr
    assert "File too large" in said[0]
    after = contents(here)
    assert {path: after.get(path) for path in before} == before
    assert not [path for path in (*here.rglob("*"), *(tmp_path / "cache").rglob("*")) if UNFINISHED in path.name]
    assert not list(here.glob("made/**/*.h5")) and not list(here.glob("made/**/*.png"))
    # With room, the same command does what it was asked.
    done = blendmill(COMMANDS[name], here)
    assert done.returncode == 0, done.stderr
    assert (here / "made").exists()


def test_what_killed_processes_left_goes(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLENDMILL_CACHE", str(tmp_path / "cache"))
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()

    def left(path: Path) -> Path:
        return path.with_name(unfinished(path).name.rpartition("-")[0] + f"-{dead.pid}")

    files = [left(tmp_path / "sheet.png"), left(tmp_path / "cache" / "unfinished" / "note.json")]
    files += [left(tmp_path / "cache" / "images" / "plain.png")]
    others = [tmp_path / "other.png.tmp-elsewhere-1", unfinished(tmp_path / "cache" / "unfinished" / "mine.json")]
    for file in (*files, *others):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"half")
    done = blendmill(f"preview cracks.yaml --images 1 --out {tmp_path}/sheet.png", place)
    assert done.returncode == 0, done.stderr
    assert not [file for file in files if file.exists()]
    assert all(file.exists() for file in others)


def test_a_set_that_is_removed_under_its_run_is_told(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLENDMILL_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "set"
    config = ComposeConfig(assets={"textures": [str(place / "walls")]}, resolution=(48, 48))  # type: ignore[arg-type]
    sampler, farm = open_sampler(config), Local(worker_slots(choose("cpu"), 1, pictures=8))

    def tell(event: str, **fields: object) -> None:
        if event == "shard" and fields["shard"] == 0:
            shutil.rmtree(out)

    def draw(tell: object) -> None:
        run(Job(config, 0, 8, str(out), shard_size=4), sampler, farm, RetryPolicy(), tell)  # type: ignore[arg-type]

    with pytest.raises(InputError) as raised:
        draw(tell)
    assert str(raised.value) == removed(str(out)) and "was removed while" in removed("set")
    draw(lambda event, **fields: None)
    assert sorted(contents(out)) == ["dataset.json", "shards/00000.h5", "shards/00001.h5"]

"""More than 255 classes and parts: labels keep them apart, from the model file to the exports."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from render.dataset.checks import CHECKS
from render.dataset.export import export_dataset
from render.settings import DrawSettings
from scenes.assets.cache import Cache
from scenes.assets.catalogue import Catalogue
from scenes.assets.file_source import read_now
from scenes.assets.loading import MAX_PARTS
from scenes.assets.sources import ModelFolder, discover
from scenes.config.loading import validate
from scenes.errors import InputError
from scenes.sampling.scene import Sampler
from tests.frames import make_dataset

COLUMNS, ROWS = 20, 15
MANY = tuple(f"c{number:03d}" for number in range(300))


def checkered(path: Path, columns: int, rows: int) -> None:
    """A flat board that faces the front, y up as OBJ has it: tile n, counted row by row, has the material n."""
    path.parent.mkdir(parents=True)
    names = [f"m{number:03d}" for number in range(columns * rows)]
    path.with_name("board.mtl").write_text("".join(f"newmtl {name}\nKd 0.5 0.5 0.5\n" for name in names))
    lines = ["mtllib board.mtl"] + [f"v {x} {y} 0" for y in range(rows + 1) for x in range(columns + 1)]
    for number, name in enumerate(names):
        y, x = divmod(number, columns)
        a = y * (columns + 1) + x + 1
        lines += [f"usemtl {name}", f"f {a} {a + 1} {a + columns + 2} {a + columns + 1}"]
    path.write_text("\n".join(lines))


def test_300_classes_and_300_parts_are_drawn_apart(tmp_path: Path) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    from render.blender.stage import Stage

    for name in MANY[:-1]:
        checkered(tmp_path / "models" / name / "board.obj", 1, 1)
    checkered(tmp_path / "models" / MANY[-1] / "board.obj", COLUMNS, ROWS)
    catalogue = Catalogue(models=[ModelFolder(tmp_path / "models")], cache=tmp_path / "cache")
    camera = {"resolution": [160, 120], "azimuth": 0, "elevation": 0}
    fixed = {"category": MANY[-1], "support": "floating", "rotation": "upright", "yaw": 0}
    background = {"kind": "color"}
    sampler = Sampler(validate({"camera": camera, "objects": fixed, "background": background}, "test"), catalogue)
    assert sampler.classes == MANY
    stage = Stage(DrawSettings(samples=1, denoise=False, bounces=0, plate=False, threads=1), catalogue, sampler.classes)
    frame = stage.draw(sampler.sample(0, 0))
    assert frame.label == 299 and set(np.unique(frame.category)) == {0, 300}
    assert [line for check in CHECKS.values() for line in check(frame, MANY)] == []
    names = frame.objects[0].parts
    tiles = {number: int(names[number - 1].removeprefix("m")) for number in np.unique(frame.part) if number}
    assert len(tiles) == 300 == len(set(tiles.values()))
    # Seen from the front, a tile's column and row follow from its number.
    middles = {tile: np.argwhere(frame.part == number).mean(axis=0) for number, tile in tiles.items()}
    for tile in range(299):
        down, across = middles[tile + 1] - middles[tile]
        assert (across > 0) == ((tile + 1) % COLUMNS != 0) and (across > 0 or down < 0)


def test_exports_keep_300_classes_and_parts_apart(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "set", count=3, shard_size=3, objects=1, classes=MANY)
    export_dataset(data, tmp_path / "folder", "folder")
    export_dataset(data, tmp_path / "hdf5", "hdf5-per-image")
    highest = 0
    for frame in data.frames():
        highest = max(highest, int(frame.category.max()))
        (path,) = (tmp_path / "folder" / "category").rglob(f"{frame.index:06d}.png")
        with Image.open(path) as stored:
            np.testing.assert_array_equal(np.asarray(stored), frame.category)
        with h5py.File(tmp_path / "hdf5" / f"{frame.index}.hdf5") as file:
            assert file["category_id_segmaps"].dtype == np.uint16 and file["instance_segmaps"].dtype == np.uint8
            np.testing.assert_array_equal(file["category_id_segmaps"][:], frame.category)
    assert highest > 255


def test_more_classes_than_a_label_holds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenes.sampling.agreement._MOST_CLASSES", 1)
    catalogue = Catalogue(shapes={"mug": 1, "chair": 1}, cache=tmp_path)
    with pytest.raises(InputError, match="field classes: 2 classes, a label can tell 1 apart; name fewer"):
        Sampler(validate({}, "test"), catalogue)


def test_more_parts_than_blender_numbers_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_PARTS <= 2**15 - 1
    monkeypatch.setattr("scenes.assets.loading.MAX_PARTS", 5)
    checkered(tmp_path / "models" / "board" / "board.obj", 3, 2)
    board = discover(ModelFolder(tmp_path / "models"), "models").asset("models/board/board.obj")
    assert read_now(board, Cache(tmp_path / "cache"), {})["reason"] == "has 6 materials, the limit is 5"

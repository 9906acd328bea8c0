"""The folder of a page: what its scripts hold, how it goes on after an interruption, what it refuses to replace."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import zlib
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from gallery.build import RECEIPT, build
from gallery.cli import gallery
from gallery.sets import choose
from render.dataset.dataset import Dataset
from render.dataset.store import open_store
from scenes.errors import InputError
from tests.frames import CLASSES, forget_sums, make_dataset

ROOT = Path(__file__).resolve().parents[2]
SHAPES = {"f4": "<f4", "u2": "<u2"}


def made(folder: Path, out: Path, side: int = 512, **more: Any) -> bool:
    return build(choose([folder], []), out, side, **more)


def data(out: Path, name: str) -> Any:
    """What a script of the page hands over."""
    text = (out / "data" / f"{name}.js").read_text()
    start = f"gallery.take({json.dumps(name)},"
    assert text.startswith(start) and text.endswith(");\n")
    return json.loads(text[len(start) : -3])


def unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


def values(item: list[Any]) -> np.ndarray:
    width, height, channels, size, text, *_ = item
    dtype = "<i1" if channels == 3 else f"<u{size}"
    return np.frombuffer(unpacked(text), dtype).reshape(height, width, *([3] if channels == 3 else []))


def column(out: Path, name: str) -> tuple[dict[str, Any], np.ndarray]:
    """What the index tells of a factor, and its values in all pictures."""
    factors = data(out, "index")["factors"]
    place = next(k for k, told in enumerate(factors) if told["name"] == name)
    found = data(out, f"column/{place}")
    return factors[place], np.frombuffer(unpacked(found["data"]), SHAPES[found["type"]])


def everything(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_labels_keep_their_values(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "set", 3)
    assert made(tmp_path / "set", tmp_path / "page")
    assert data(tmp_path / "page", "index")["sets"][0]["kinds"]["depth"]["drawn"] == "length"
    for place, frame in enumerate(dataset):
        items = {kind: data(tmp_path / "page", f"0/{kind}/0")[place] for kind in ("rgb", "part", "alpha", "normals")}
        assert (values(items["part"]) == frame.part).all() and (values(items["alpha"]) == frame.alpha).all()
        assert np.abs(values(items["normals"]) / 127 - frame.normals).max() < 0.006
        picture = np.asarray(Image.open(BytesIO(base64.b64decode(items["rgb"]))))
        assert np.abs(picture.astype(int) - frame.rgb).mean() < 6
        depth = data(tmp_path / "page", "0/depth/0")[place]
        levels, (near, far) = values(depth), depth[-2:]
        seen = (frame.instance > 0) & np.isfinite(frame.depth)
        told = near + (far - near) * (levels[seen].astype(float) - 1) / 254
        assert np.abs(told - frame.depth[seen]).max() <= (far - near) / 254
        assert ((levels == 0) == ~np.isfinite(frame.depth)).all()


def test_a_label_made_smaller_has_the_value_at_the_center_of_each_pixel(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "set", 1)  # 64 x 48 pixels
    made(tmp_path / "set", tmp_path / "page", side=32)
    item = data(tmp_path / "page", "0/instance/0")[0]
    assert item[:2] == [32, 24] and (values(item) == dataset[0].instance[1::2, 1::2]).all()


def test_objects_and_factors_of_a_picture_are_those_of_its_frame(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "set", 1)
    made(tmp_path / "set", tmp_path / "page")
    told = data(tmp_path / "page", "0/objects/0")[0]
    assert told["size"] == [64, 48]
    for one, label in zip(told["objects"], dataset[0].objects, strict=True):
        assert one["instance"] == label.instance and one["category"] == label.category
        assert np.allclose(one["amodal"], label.amodal_box, atol=0.06)
    factors = json.loads(unpacked(data(tmp_path / "page", "0/factors/0")[0]))
    for (name, value), (known, truth) in zip(factors, dataset[0].scene.factors(), strict=True):
        assert name == known and (value == truth or abs(value - truth) <= 1e-4 * abs(truth))


def test_columns_and_histograms_are_those_of_the_set(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "set", 12)
    made(tmp_path / "set", tmp_path / "page")
    rows = dataset.pictures().factors()
    told, found = column(tmp_path / "page", "camera.azimuth")
    truth = np.array([row["camera.azimuth"] for row in rows], np.float32)
    assert (found == truth).all() and told["missing"] == 0
    assert told["counts"] == np.histogram(truth, len(told["counts"]), (truth.min(), truth.max()))[0].tolist()
    told, codes = column(tmp_path / "page", "class")
    assert [told["names"][code] for code in codes] == [row["class"] for row in rows]
    counts = Counter(row["class"] for row in rows)
    assert dict(zip(told["names"][1:], told["counts"][1:], strict=True)) == counts
    fixed = dict(data(tmp_path / "page", "index")["fixed"])
    assert fixed["objects"] == 2.0 and "camera.azimuth" not in fixed


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three small sets, each a piece of work of its own."""
    folders = [tmp_path_factory.mktemp("sets") / name for name in "abc"]
    for number, folder in enumerate(folders):
        make_dataset(folder, 3, size=(16, 16), seed=number)
    return folders


def test_the_page_is_the_same_for_any_number_of_processes(three: list[Path], tmp_path: Path) -> None:
    for workers in (1, 2):
        build(choose(three, []), tmp_path / str(workers), 64, workers=workers)
    assert everything(tmp_path / "1") == everything(tmp_path / "2")


def test_an_interrupted_page_goes_on_and_is_not_there_before(three: list[Path], tmp_path: Path) -> None:
    build(choose(three, []), tmp_path / "whole", 64)

    def stop(done: int, of: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(choose(three, []), tmp_path / "page", 64, workers=1, tell=stop)
    assert not (tmp_path / "page").exists()
    steps: list[int] = []
    build(choose(three, []), tmp_path / "page", 64, tell=lambda done, of: steps.append(done))
    assert steps == [2, 3] and everything(tmp_path / "page") == everything(tmp_path / "whole")
    assert not list(tmp_path.glob(".*"))


def test_a_page_is_brought_up_to_date_and_nothing_else_is_replaced(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", 2)
    assert made(tmp_path / "set", tmp_path / "page") and not made(tmp_path / "set", tmp_path / "page")
    make_dataset(tmp_path / "other", 3)
    assert made(tmp_path / "other", tmp_path / "page")
    assert data(tmp_path / "page", "index")["count"] == 3
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="no gallery of blendmill"):
        made(tmp_path / "set", tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "x"


def test_a_set_that_is_being_drawn_is_shown_as_far_as_it_is(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", 6)
    forget_sums(tmp_path / "set")
    (tmp_path / "set" / "shards" / "00001.h5").unlink()
    open_store(str(tmp_path / "set")).fail(2, {"reason": "<b>no</b> memory", "attempts": 3})
    made(tmp_path / "set", tmp_path / "page")
    (told,) = data(tmp_path / "page", "index")["sets"]
    assert told["runs"] == [[0, 2], [4, 2]] and told["failed"] == [[2, "<b>no</b> memory"]]
    for path in (tmp_path / "set" / "shards").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="no picture is there yet"):
        choose([tmp_path / "set"], [])


def test_several_sets_are_told_apart(tmp_path: Path) -> None:
    for name, count in (("a/set", 3), ("b/set", 2)):
        (tmp_path / name).parent.mkdir()
        make_dataset(tmp_path / name, count)
    result = CliRunner().invoke(
        gallery, [str(tmp_path / "a/set"), str(tmp_path / "b/set"), "--out", str(tmp_path / "p")]
    )
    assert result.exit_code == 0 and "5 pictures" in result.output
    told, codes = column(tmp_path / "p", "set")
    assert np.bincount(codes).tolist() == [0, 3, 2] and len(set(told["names"])) == 3
    assert (tmp_path / "p" / "data" / "1" / "config.yaml").exists() and (tmp_path / "p" / RECEIPT).exists()


def test_names_cannot_leave_their_script(tmp_path: Path) -> None:
    """Names stand in scripts as JSON strings in ASCII, whatever they hold."""
    hostile = ("</script><script>alert(1)</script>", 'a"b\\', "ключ 鍵")
    make_dataset(tmp_path / "set", 4, classes=hostile)
    made(tmp_path / "set", tmp_path / "page")
    assert set(column(tmp_path / "page", "class")[0]["names"]) <= {"", *hostile}
    (tmp_path / "page" / "data" / "index.js").read_bytes().decode("ascii")
    assert Dataset.open(tmp_path / "set").manifest.classes == hostile != CLASSES


def test_without_a_run_pytorch_is_not_loaded() -> None:
    code = "import sys, gallery.build, gallery.serve, gallery.track; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}).returncode == 0

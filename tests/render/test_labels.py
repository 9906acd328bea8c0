"""The table of labels: one entry is enough to store, stream, read, show, check and export a label."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from render.frame import LABELS, PICTURES, VALUES, Frame, pictures, present
from render.label import finite, finite_lengths
from tests.frames import ABSENT, CLASSES, make_frame

ROOT = Path(__file__).parents[2]

# A copy of the table with two more entries takes the place of `render.frame` before anything imports it.
MADE_UP = """
import json, sys, types
from dataclasses import replace
from pathlib import Path

import numpy as np

out, source = Path(sys.argv[1]), Path("render/frame.py").read_text()
entries = '''    drift: Annotated[
        NDArray[np.float32] | None,
        Label("<f4", (H, W, 2), "motion in pixels", path="motion/drift", show=false_color.drift,
              valid=np.isfinite, blenderproc="forward_drift"),
    ] = None
    shadow: Annotated[NDArray[np.uint8] | None, Label("<u1", (H, W), "of shadows", show=false_color.mask)] = None
    exposure: Annotated[float | None, Label("<f4", (), "seconds", path="camera/exposure")] = None
    rgb: '''
assert source.count("    rgb: ") == 1
module = sys.modules["render.frame"] = types.ModuleType("render.frame")
from render import false_color
false_color.drift = lambda array, objects, classes: (np.full(array.shape[:2], 77, np.uint8), "to 3 px")
exec(compile(source.replace("    rgb: ", entries), "render/frame.py", "exec"), vars(module))

from render.dataset.checks import CHECKS
from render.dataset.dataset import Dataset
from render.dataset.export import export_dataset
from render.dataset.inspect import inspect_dataset
from render.dataset.shard import Shard
from render.dataset.shard_writer import write_shard
from render.farm.shared_memory import Memory, put_frame
from render.image.sheets import label_sheet
from tests.frames import CLASSES, make_dataset, make_frame

def made(index, **changes):
    plain = make_frame(index)
    drift = np.random.default_rng(index).normal(size=(*plain.rgb.shape[:2], 2)).astype(np.float32)
    return replace(plain, **{"drift": drift, "shadow": plain.alpha, "exposure": 0.5, **changes})

def assert_same(read, frame):
    np.testing.assert_array_equal(read.drift, frame.drift)
    np.testing.assert_array_equal(read.shadow, frame.shadow)
    assert (read.exposure, read.drift.dtype, read.objects) == (0.5, np.float32, frame.objects)

data = make_dataset(out / "set", count=2, shard_size=2)
path, frames = data.shard_path(0), [made(0), made(1)]
plain = write_shard(path, [make_frame(0), make_frame(1)], attributes=data.manifest.attributes())
assert plain == data.manifest.shards[path.name]
digest = write_shard(path, frames, attributes=data.manifest.attributes())
data.manifest.model_copy(update={"shards": {path.name: digest}}).save(data.folder)
data = Dataset.open(data.folder)
with Shard(path) as shard:
    assert_same(shard.frame(1), frames[1])
    assert shard.arrays("camera/exposure").tolist() == [0.5, 0.5]
    assert shard.arrays("motion/drift").shape == (2, 48, 64, 2)
memory = Memory(1 << 20, 1)
assert_same(memory.take(json.loads(json.dumps(put_frame(frames[0], memory.file, 0, memory.size))), 0), frames[0])

with_label, without = (label_sheet([frame], CLASSES) for frame in (frames[0], make_frame(0)))
assert with_label.width * 10 > without.width * 11 and (np.asarray(with_label) == 77).all(axis=-1).sum() >= 192 * 256
assert inspect_dataset(data).sound
broken = made(0, drift=np.full((48, 64, 2), np.nan, np.float32))
assert any("drift has 6144 impossible values" in fault for check in CHECKS.values() for fault in check(broken, CLASSES))
for drift in (frames[0].drift[:1], frames[0].drift.astype(np.float64)):
    try:
        write_shard(out / "bad.h5", [made(0, drift=drift)], attributes={})
        raise AssertionError("stored")
    except ValueError as error:
        assert "drift is" in str(error)

import h5py
from PIL import Image
for kind in ("folder", "webdataset", "hdf5-per-image"):
    export_dataset(data, out / kind, kind)
name = CLASSES[frames[0].label] + "/000000"
assert np.load(out / "folder" / "geometry" / f"{name}.npz")["drift"].tolist() == frames[0].drift.tolist()
assert np.asarray(Image.open(out / "folder" / "shadow" / f"{name}.png")).tolist() == frames[0].shadow.tolist()
assert json.loads((out / "folder" / "meta" / f"{name}.json").read_text())["exposure"] == 0.5
with h5py.File(out / "hdf5-per-image" / "0.hdf5") as file:
    assert file["forward_drift"][:].tolist() == frames[0].drift.tolist()
import tarfile
from io import BytesIO
with tarfile.open(out / "webdataset" / "shard-000000.tar") as tar:
    arrays = np.load(BytesIO(tar.extractfile("000000.npz").read()))
    assert arrays["drift"].tolist() == frames[0].drift.tolist() and "shadow" in arrays
print("seen everywhere")
"""


def test_a_new_label_is_one_entry(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", MADE_UP, str(tmp_path)],
        check=False, capture_output=True, text=True, timeout=120, cwd=ROOT,
    )  # fmt: skip
    assert run.stdout == "seen everywhere\n", run.stdout + run.stderr


def test_readme_has_the_table() -> None:
    """Every label stands in README with its shape and dtype."""
    rows = re.findall(r"^\| (`[^|]+) \| (\(N[^|]+) \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    told = {}
    for names, kinds in rows:
        paths, shapes = re.findall(r"`([^`]+)`", names), re.findall(r"\([^)]*\)", kinds)
        types = re.findall(r"float\d+|u?int\d+|utf-8", kinds)
        for number, path in enumerate(paths):
            told[path] = shapes[min(number, len(shapes) - 1)], types[min(number, len(types) - 1)]
    sides = {label.path: ", ".join(["N", *map(str, label.shape)]) for label in LABELS.values()}
    expected = {
        label.path: (
            f"({sides[label.path]}{'' if label.shape else ','})",
            "utf-8" if label.text else label.element.name,
        )
        for label in LABELS.values()
    }
    assert told == expected


def test_types_of_fields_are_those_of_their_labels() -> None:
    for name, label in PICTURES.items():
        assert f"np.{label.element.name}]" in Frame.__annotations__[name]
        assert ("None" in Frame.__annotations__[name]) == label.optional and label.meaning
    assert not any(label.optional or label.show for label in VALUES.values())


@pytest.mark.parametrize("name", VALUES)
def test_values_survive_their_encoding(name: str) -> None:
    value, label = getattr(make_frame(3, objects=3), name), LABELS[name]
    read = label.decoded(label.encoded(value))
    assert type(read) is type(value)
    np.testing.assert_array_equal(read, value)


def test_every_picture_can_be_looked_at() -> None:
    frame = make_frame(0)
    for name, array in pictures(frame).items():
        show = LABELS[name].show
        if name != "rgb":
            assert show is not None
            shown, _ = show(array, frame.instance > 0, CLASSES)
            assert shown.dtype == np.uint8 and shown.shape[:2] == frame.rgb.shape[:2]
    assert present(frame).keys() == LABELS.keys() - ABSENT


def test_half_numbers_are_judged_by_their_bits_as_numpy_judges_them() -> None:
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    assert (finite(halves) == np.isfinite(halves)).all()
    assert (finite_lengths(halves) == (np.isfinite(halves) & (halves >= 0))).all()

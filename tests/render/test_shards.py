from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from render.dataset import shard_file
from render.dataset.chunks import append_picture, create_pictures
from render.dataset.dataset import Dataset
from render.dataset.manifest import Manifest
from render.dataset.shard import Shard
from render.dataset.shard_writer import write_shard
from render.frame import PICTURES, Frame
from scenes.errors import InputError
from scenes.files import sha256, unfinished
from tests.frames import ABSENT, CLASSES, listing, make_dataset, make_frame

KEY: dict[str, str | int] = {"config_hash": "abc", "seed": 2**40}


def assert_same(a: Frame, b: Frame) -> None:
    for field in fields(Frame):
        left, right = getattr(a, field.name), getattr(b, field.name)
        if isinstance(left, np.ndarray):
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)
        else:
            assert left == right, field.name


@pytest.mark.parametrize("plate", [True, False])
def test_frames_survive_the_shard(tmp_path: Path, plate: bool) -> None:
    frames = [make_frame(i, plate=plate, objects=3) for i in range(3)]
    digest = write_shard(tmp_path / "0.h5", frames, attributes=KEY)
    assert digest == sha256(tmp_path / "0.h5")
    with Shard(tmp_path / "0.h5") as shard:
        assert len(shard) == 3 and shard.attributes == {**KEY, "format": 2}
        for i, frame in enumerate(frames):
            assert_same(shard.frame(i), frame)
        np.testing.assert_array_equal(shard.arrays("depth"), np.stack([f.depth for f in frames]))
        assert shard.arrays("scene")[1] == frames[1].scene.to_json()
        assert shard.picture("rgb", 0).flags.writeable
        with pytest.raises(IndexError, match="there is no number 3"):
            shard.frame(3)
        with pytest.raises(InputError, match="did you mean 'depth'"):
            shard.arrays("dept")
    assert listing(tmp_path) == ["0.h5"]


def test_plain_h5py_reads_the_contract(tmp_path: Path) -> None:
    """Another reader than ours, through HDF5's own filters."""
    frames = [make_frame(i) for i in range(2)]
    write_shard(tmp_path / "0.h5", frames, attributes=KEY)
    with h5py.File(tmp_path / "0.h5") as file:
        there = {name: kind for name, kind in PICTURES.items() if getattr(frames[0], name) is not None}
        assert set(there) == set(PICTURES) - ABSENT
        for name, label in there.items():
            assert file[name].dtype == label.element and file[name].compression == "gzip"
            for i, frame in enumerate(frames):
                np.testing.assert_array_equal(file[name][i], getattr(frame, name))
        assert np.isinf(file["depth"][0]).any()
        assert file["camera/world_to_camera"].shape == (2, 4, 4)
        assert file["index"][:].tolist() == [0, 1] and file["label"].dtype == np.int16
        assert file["scene"].asstr()[0] == frames[0].scene.to_json()


@settings(max_examples=40)
@given(st.sampled_from(["u1", "<u2", "<f2", "<f4"]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=2, max_dims=3, max_side=9))))  # fmt: skip
def test_any_array_survives_hdf5s_own_filters(array: np.ndarray) -> None:
    with h5py.File("memory", "w", driver="core", backing_store=False) as file:
        dataset = create_pictures(file, "x", array.shape, array.dtype)
        append_picture(dataset, array)
        append_picture(dataset, array[::-1])
        assert dataset[0].tobytes() == array.tobytes()
        assert dataset[1].tobytes() == array[::-1].tobytes()


def test_same_frames_same_bytes(tmp_path: Path) -> None:
    first = write_shard(tmp_path / "a.h5", [make_frame(i) for i in range(3)], attributes=KEY)
    time.sleep(1.1)  # past any time stamp's resolution
    again = write_shard(tmp_path / "b.h5", (make_frame(i) for i in range(3)), attributes=dict(reversed(KEY.items())))
    assert first == again
    assert first != write_shard(tmp_path / "c.h5", [make_frame(i, seed=1) for i in range(3)], attributes=KEY)


def test_frames_are_consumed_one_by_one(tmp_path: Path) -> None:
    alive = 0

    class Counted(np.ndarray):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def frames():
        nonlocal alive
        for i in range(6):
            assert alive <= 1
            rgb = make_frame(i).rgb.view(Counted)
            alive += 1
            frame = replace(make_frame(i), rgb=rgb)
            del rgb
            yield frame
            del frame

    write_shard(tmp_path / "0.h5", frames(), attributes=KEY)


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "0.h5"
    before = write_shard(path, [make_frame(0)], attributes=KEY)

    def failing():
        yield make_frame(0)
        raise RuntimeError("the renderer broke")

    with pytest.raises(RuntimeError, match="broke"):
        write_shard(path, failing(), attributes=KEY)
    assert sha256(path) == before and listing(tmp_path) == ["0.h5"]


def test_what_a_killed_process_left_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "0.h5"
    unfinished(path).write_bytes(b"half a shard" * 10**5)
    first = write_shard(path, [make_frame(0)], attributes=KEY)
    assert first == write_shard(path, [make_frame(0)], attributes=KEY) and listing(tmp_path) == ["0.h5"]


@pytest.mark.parametrize(
    "second, said",
    [
        (lambda: make_frame(1, size=(32, 64)), "pixels in a shard of"),
        (lambda: make_frame(1, plate=False), "have background, or none has"),
        (lambda: replace(make_frame(1), depth=make_frame(1).depth.astype(np.float64)), "depth is"),
    ],
)
def test_frames_that_do_not_stack_are_refused(tmp_path: Path, second, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        write_shard(tmp_path / "0.h5", [make_frame(0), second()], attributes=KEY)
    assert listing(tmp_path) == []
    with pytest.raises(ValueError, match="at least one"):
        write_shard(tmp_path / "0.h5", [], attributes=KEY)
    assert listing(tmp_path) == []


DISK_FULL = """
import os, resource, sys
from pathlib import Path
from tests.frames import make_frame
from render.dataset.shard_writer import write_shard
fds = lambda: [fd for fd in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + fd)]
sys.dont_write_bytecode = True  # or the limit would cut off compiled modules, for all tests to come
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    write_shard(Path(sys.argv[1]), (make_frame(i, (64, 64)) for i in range(20)), attributes={"seed": 1})
except OSError as error:
    print("refused", error, [name for name in map(os.readlink, map("/proc/self/fd/{}".format, fds())) if ".h5" in name])
"""


@pytest.mark.parametrize("room", [1000, 100_000, 250_000])
def test_a_full_disk_leaves_nothing(tmp_path: Path, room: int) -> None:
    """A limit on the file's size fails the write as a full disk does."""
    run = subprocess.run(
        [sys.executable, "-c", DISK_FULL, str(tmp_path / "0.h5"), str(room)],
        check=False, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert run.stdout.strip() == "refused [Errno 27] File too large []", run.stdout + run.stderr
    assert run.returncode == 0, run.stderr
    assert listing(tmp_path) == []


def test_bad_files_cost_one_line(tmp_path: Path) -> None:
    path = tmp_path / "0.h5"
    with pytest.raises(InputError, match="no such shard"):
        Shard(path)
    path.write_bytes(b"not a shard at all" * 100)
    with pytest.raises(InputError, match="not an HDF5 file"):
        Shard(path)
    write_shard(path, [make_frame(0)], attributes=KEY)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="truncated"):
        Shard(path)
    path.write_bytes(whole)
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = 3
    with pytest.raises(InputError, match="shard format 3, this version reads 2"):
        Shard(path)
    with h5py.File(path, "r+") as file:
        del file.attrs["format"]
    with pytest.raises(InputError, match="not a blendmill shard"):
        Shard(path)
    for line in (whole, b""):
        path.write_bytes(line)
    with pytest.raises(InputError):
        Shard(path)


def test_a_flipped_byte_is_found(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "set", count=2)
    path = dataset.shard_path(0)
    assert dataset.verify() == ()
    with h5py.File(path) as file:
        info = file["rgb"].id.get_chunk_info(1)
    content = bytearray(path.read_bytes())
    content[info.byte_offset + info.size // 2] ^= 0x40
    path.write_bytes(content)
    with Shard(path) as shard, pytest.raises(InputError, match="rgb of picture 1 is damaged"):
        shard.frame(1)
    assert "sha256 differs" in dataset.verify()[0]


def test_objects_of_many_pictures_are_read_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, reads = tmp_path / "00000.h5", []
    write_shard(path, [make_frame(index, objects=3) for index in range(5)], attributes=KEY)
    monkeypatch.setattr(shard_file, "TOGETHER", 2)
    real = Shard._read_texts
    with Shard(path) as shard:
        one_by_one = [shard.objects(i) for i in range(5)]
        monkeypatch.setattr(Shard, "_read_texts", lambda *asked: reads.append(asked[2:]) or real(*asked))
        assert list(shard.each_objects()) == one_by_one and all(one_by_one)
        assert reads == [(0, 2), (2, 2), (4, 1)]
        assert shard.arrays("objects").tolist() == [shard._text("objects", i) for i in range(5)]
        text = shard._text("objects", 3).encode()
    content = path.read_bytes()
    assert content.count(text) == 1
    path.write_bytes(content.replace(text, b"\xff" + text[1:]))
    with Shard(path) as shard, pytest.raises(InputError, match="objects of picture 3 is damaged"):
        list(shard.each_objects())


def test_dataset_reads_in_order_and_knows_what_is_missing(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "set", count=5, shard_size=2)
    assert [frame.index for frame in dataset.frames()] == [0, 1, 2, 3, 4]
    assert_same(list(dataset.frames())[3], make_frame(3))
    assert dataset.manifest.indices(2) == range(4, 5) and dataset.verify() == ()
    assert listing(tmp_path / "set") == ["dataset.json", "shards"]
    dataset.shard_path(1).unlink()
    assert [frame.index for frame in dataset.frames(partial=True)] == [0, 1, 4]
    assert dataset.present() == [0, 2] and "00001.h5: missing" in dataset.verify()[0]
    with pytest.raises(InputError, match="no such shard; rerun"):
        list(dataset.frames())
    write_shard(dataset.shard_path(1), [make_frame(2)], attributes={"config_hash": "other", "seed": 0})
    with pytest.raises(InputError, match="config_hash other is not the data set's"):
        list(dataset.frames(check_sums=False))
    with pytest.raises(InputError, match="sha256 differs from the recorded"):
        list(dataset.frames())
    write_shard(dataset.shard_path(1), [make_frame(2)], attributes=dataset.manifest.attributes())
    dataset.manifest.model_copy(update={"shards": {}}).save(dataset.folder)
    assert "does not hold pictures 2 to 3" in Dataset.open(dataset.folder).verify()[0]


def test_skipped_pictures_are_not_missed(tmp_path: Path) -> None:
    whole = make_dataset(tmp_path / "set", count=5, shard_size=3)
    path = whole.shard_path(0)
    digest = write_shard(path, [make_frame(0), make_frame(2)], attributes=whole.manifest.attributes())
    manifest = whole.manifest.model_copy(update={"shards": {**whole.manifest.shards, path.name: digest}})
    (fault,) = Dataset(whole.folder, manifest).verify()
    assert "00000.h5: does not hold pictures 0 to 2" in fault
    dataset = Dataset(whole.folder, manifest.model_copy(update={"skipped": (1,)}))
    assert dataset.verify() == () and dataset.manifest.pictures(0) == [0, 2]
    assert [frame.index for frame in dataset.frames()] == [0, 2, 3, 4]
    assert [frame.index for frame in dataset[1:3]] == [2, 3] and (len(dataset), dataset[-1].index) == (4, 4)
    assert [dataset.frame(index).index for index in (0, 2, 3, 4)] == [0, 2, 3, 4]
    with pytest.raises(InputError, match="picture 1 was given up"):
        dataset.frame(1)
    (fault,) = Dataset(whole.folder, manifest.model_copy(update={"skipped": (2,)})).verify()
    assert "does not hold pictures 0 to 2 without the 1 skipped" in fault


def test_manifest_says_what_differs(tmp_path: Path) -> None:
    manifest = make_dataset(tmp_path / "set").manifest
    assert Manifest.load(tmp_path / "set") == manifest and manifest.classes == CLASSES
    manifest.require_same(manifest.model_copy(update={"versions": {"python": "3.13"}}), tmp_path)
    with pytest.raises(InputError, match="of device none, asked is cuda"):
        manifest.require_same(manifest.model_copy(update={"device": "cuda"}), tmp_path)
    with pytest.raises(InputError, match=r"of Blender None, asked is 5\.2"):
        manifest.require_same(manifest.model_copy(update={"versions": {"blender": "5.2"}}), tmp_path)
    with pytest.raises(InputError, match="of seed 0, asked is 7; choose another folder"):
        manifest.require_same(manifest.model_copy(update={"seed": 7}), tmp_path)
    other = {"camera": {"azimuth": 3}, "seed": 0}
    with pytest.raises(InputError, match=r'camera\.azimuth: \{"uniform": \[0, 360\]\} there, 3 asked'):
        manifest.require_same(manifest.model_copy(update={"config": other, "config_hash": "x"}), tmp_path)


@pytest.mark.parametrize(
    "text, said",
    [
        ("{", "not JSON.*copy it again, or delete it and rerun the render command"),
        ("[]", "format None"),
        ('{"format": 9}', "format 9, this version reads 2"),
        ('{"format": 2, "seed": 0}', "config: Field required"),
    ],
)
def test_a_bad_manifest_costs_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=r"there is no dataset\.json"):
        Dataset.open(tmp_path)
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        Dataset.open(tmp_path)
    assert "\n" not in str(caught.value)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from render.cli.dataset import inspect
from render.dataset import inspect as inspect_module
from render.dataset.checks import CHECKS
from render.dataset.inspect import inspect_dataset
from render.dataset.shard_writer import write_shard
from render.false_color import depth_colors, id_colors, normal_colors
from render.frame import Frame
from render.image.sheets import contact_sheet, label_sheet, overlay
from scenes.record.composite import Composition
from tests.frames import CLASSES, listing, make_dataset, make_frame


def changed(name: str, change: Callable[[np.ndarray, np.ndarray], None]) -> Callable[[Frame], Frame]:
    """A fault in one array; `change` is given a copy of it and the mask of the main object."""

    def apply(frame: Frame) -> Frame:
        array = getattr(frame, name).copy()
        change(array, frame.instance == 1)
        return replace(frame, **{name: array})

    return apply


def put(value: object, where: str = "main") -> Callable[[np.ndarray, np.ndarray], None]:
    def change(array: np.ndarray, main: np.ndarray) -> None:
        mask = main if where == "main" else ~main
        array[tuple(np.argwhere(mask)[0])] = value

    return change


def relabelled(**changes: object) -> Callable[[Frame], Frame]:
    return lambda frame: replace(frame, objects=(replace(frame.objects[0], **changes), *frame.objects[1:]))


FAULTS = [
    ("instance ids belong to objects", changed("instance", put(9))),
    ("instance ids belong to objects", relabelled(instance=2)),
    ("categories agree with instances", changed("category", put(200))),
    ("categories agree with instances", changed("category", put(1, "background"))),
    ("parts agree with instances", changed("part", put(3))),
    ("parts agree with instances", changed("part", put(0))),
    ("parts agree with instances", changed("part", put(1, "background"))),
    ("depth is finite on objects", changed("depth", put(np.inf))),
    ("values are possible", changed("depth", put(-1, "background"))),
    ("values are possible", changed("depth", put(np.nan, "background"))),
    ("values are possible", lambda frame: replace(frame, width=-frame.depth)),
    ("values are possible", lambda frame: replace(frame, skeleton=frame.alpha)),
    ("normals are unit", changed("normals", put(0))),
    ("normals are unit", changed("normals", put((0.5, 0, 0), "background"))),
    ("depth and normals agree on what is hit", changed("depth", put(np.inf, "background"))),
    ("depth and normals agree on what is hit", changed("normals", put(0, "background"))),
    ("alpha covers the objects", changed("alpha", put(0))),
    ("boxes and areas equal the masks", relabelled(box=(0.0, 0.0, 1.0, 1.0))),
    ("boxes and areas equal the masks", relabelled(box=None)),
    ("boxes and areas equal the masks", relabelled(pixels=1)),
    ("boxes and areas equal the masks", relabelled(share=0.5)),
    ("camera and label equal the scene", changed("intrinsics", lambda k, _: k.__setitem__((0, 0), 1.0))),
    ("camera and label equal the scene", changed("world_to_camera", lambda m, _: m.__setitem__((0, 3), 9.0))),
    ("camera and label equal the scene", lambda frame: replace(frame, label=-1)),
    ("camera and label equal the scene", lambda frame: replace(frame, index=7)),
    ("poses equal the scene's", relabelled(pose=tuple(map(tuple, np.eye(4).tolist())))),
    ("poses equal the scene's", relabelled(extent=None)),
    ("poses equal the scene's", relabelled(extent=(1.0, -1.0, 1.0))),
    ("width and middle line lie on the crack", lambda frame: replace(frame, width=0 * frame.part, skeleton=frame.part)),
]


def test_sound_frames_pass_every_check() -> None:
    for index in range(20):
        for check, faults in CHECKS.items():
            assert list(faults(make_frame(index, objects=1 + index % 3), CLASSES)) == [], check


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_every_fault_is_found(number: int) -> None:
    check, spoil = FAULTS[number]
    assert list(CHECKS[check](make_frame(0), CLASSES)) == []
    assert list(CHECKS[check](spoil(make_frame(0)), CLASSES)) != []


def test_cracks_have_a_width_and_unknown_labels_are_no_fault() -> None:
    classes = ("mug", "crack", "car", "traffic light")
    check, frame = CHECKS["width and middle line lie on the crack"], make_frame(0)
    width = np.zeros(frame.part.shape, np.float16)
    cracked = replace(frame, category=np.where(frame.instance > 0, 2, 0).astype(np.uint16), skeleton=0 * frame.alpha)
    assert list(check(replace(cracked, width=width + 3), classes)) == []
    (fault,) = check(replace(cracked, width=width), classes)
    assert f"at {int((frame.instance > 0).sum())} pixels" in fault
    painted = Composition(0, 0, 64, 48, 1.0, 1.0, 0.5, "wall", {"backdrop": {}})
    unknown = replace(frame, depth=np.full_like(frame.depth, np.inf), normals=0 * frame.normals)
    for name in ("depth is finite on objects", "normals are unit"):
        assert list(CHECKS[name](unknown, CLASSES)) != []
        assert list(CHECKS[name](replace(unknown, scene=painted), CLASSES)) == []


def test_a_crack_must_show_for_its_label() -> None:
    check, frame = CHECKS["camera and label equal the scene"], make_frame(0)
    painted = Composition(0, 0, 64, 48, 1.0, 1.0, 0.5, "wall", {"backdrop": {}})
    camera = {"intrinsics": painted.camera.intrinsics(), "world_to_camera": np.eye(4), "scene": painted}
    assert list(check(replace(frame, **camera, label=1), ("mug", "crack"))) == []
    bare = replace(frame, **camera, label=1, instance=0 * frame.instance)
    assert list(check(bare, ("mug", "crack"))) != []
    assert list(check(replace(bare, label=-1), ("mug", "crack"))) == []


def test_every_check_was_tried() -> None:
    assert {check for check, _ in FAULTS} == set(CHECKS)


def test_report_counts_what_is_there(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "set", count=9, shard_size=4, objects=3)
    report = inspect_dataset(data)
    text = "\n".join(report.lines)
    assert report.sound and "9 pictures of 64 x 48, 3 classes" in text and "shards: 3 of 3\n" in text
    frames = [make_frame(i, objects=3) for i in range(9)]
    for k, name in enumerate(CLASSES):
        count = sum(frame.label == k for frame in frames)
        assert count and any(
            line.split()[: len(name.split()) + 1] == [*name.split(), str(count)] for line in report.lines
        )
    assert "clutter 9, main 9, member 9" in text and text.count("  ok ") == len(CHECKS)
    focal = [frame.scene.camera.focal_length for frame in frames]
    (line,) = [line for line in report.lines if "camera.focal_length" in line]
    assert f"{min(focal):.4g}" in line and f"{max(focal):.4g}" in line and "█" in line
    assert "background.kind" in text and "hdri 5, ground 4" in text
    assert "camera.distance 4," in text  # among those always the same


def test_camera_factors_are_the_ones_of_the_config() -> None:
    scene = make_frame(3).scene
    factors = dict(scene.factors())
    camera = scene.camera
    azimuth, elevation = np.radians(factors["camera.azimuth"]), np.radians(factors["camera.elevation"])
    flat = np.cos(elevation)
    eye = factors["camera.distance"] * np.array([np.sin(azimuth) * flat, -np.cos(azimuth) * flat, np.sin(elevation)])
    np.testing.assert_allclose(eye + camera.target, camera.location, atol=1e-9)
    assert factors["items.count"] == 2 and factors["materials.plastic.color.r"] == 0.8
    assert list(scene.assets())[-1] == "studio/city"


def test_a_label_fault_costs_exit_1(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "set", count=4, shard_size=2)
    run = CliRunner().invoke(inspect, [str(data.folder)])
    assert run.exit_code == 0, run.output
    spoiled = [relabelled(pixels=1)(make_frame(2)), make_frame(3)]
    path = data.shard_path(1)
    digest = write_shard(path, spoiled, attributes=data.manifest.attributes())
    run = CliRunner().invoke(inspect, [str(data.folder)])
    assert run.exit_code == 1 and "sha256 differs" in run.output
    sums = {**data.manifest.shards, path.name: digest}
    data.manifest.model_copy(update={"shards": sums}).save(data.folder)
    run = CliRunner().invoke(inspect, [str(data.folder)])
    assert run.exit_code == 1
    assert "FAILED boxes and areas equal the masks: 1 faults" in run.output and "picture 2: object 1" in run.output


def test_an_unfinished_set_is_told_not_blamed(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "set", count=6, shard_size=2)
    data.shard_path(1).unlink()
    run = CliRunner().invoke(inspect, [str(data.folder), "--sheet", str(tmp_path / "sheet.png")])
    assert run.exit_code == 0, run.output
    assert "shards: 2 of 3: unfinished" in run.output
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 9 * 192
    assert listing(tmp_path) == ["set", "sheet.png"]


def test_colors_tell_apart_what_differs() -> None:
    ids = np.arange(256)[None]
    colors = id_colors(ids)[0].astype(int)
    assert (colors[0] == 0).all() and len(np.unique(colors, axis=0)) == 256
    assert np.abs(np.diff(colors[:40], axis=0)).sum(axis=1).min() > 60
    assert (id_colors(np.array([[256, 60000]], np.uint16)) > 0).any(axis=-1).all()
    meters = np.array([[1.0, 2.0, 90.0, np.inf]], np.float32)
    depth, near, far = depth_colors(meters, meters < 50)
    assert 0 < near < 1 and 2 < far < 3 and (depth[0, 3] == 0).all()
    assert depth[0, 0, 2] > depth[0, 0, 0] and depth[0, 1, 0] > depth[0, 1, 2]
    np.testing.assert_array_equal(depth[0, 2], (122, 4, 3))
    assert depth_colors(np.full((2, 2), np.inf, np.float32), np.ones((2, 2), bool))[1:] == (0, 0)
    assert depth_colors(meters, meters < 0)[2] > 90
    towards = normal_colors(np.array([[[0, 0, -1], [0, -1, 0], [0, 0, 0]]], np.float16))[0]
    assert towards.tolist() == [[127, 127, 255], [127, 255, 127], [0, 0, 0]]


def test_overlay_marks_the_box() -> None:
    frame = make_frame(0, objects=1)
    marked = overlay(frame, scale=2)
    x0, y0, x1, y1 = (int(2 * side) for side in frame.objects[0].box)
    color = id_colors(np.array([[1]]))[0, 0]
    for x, y in ((x1 - 1, y1 - 1), (x0, y1 - 1), (x1 - 1, y0)):
        assert (marked[y, x] == color).all()
    assert (marked[:2, :2] == frame.rgb[0, 0]).all()


def test_sheets_hold_every_tile() -> None:
    images = [np.full((10, 20), 40 * k + 40, np.uint8) for k in range(5)]
    sheet = np.asarray(contact_sheet(images, 3, [f"a caption too long for its cell {k}" for k in range(5)]))
    assert all((sheet == 40 * k + 40).all(axis=-1).sum() >= 200 for k in range(5))
    with_plate, without = (label_sheet([make_frame(0, plate=plate)], CLASSES) for plate in (True, False))
    assert with_plate.width * 8 == pytest.approx(without.width * 9, abs=40)


def test_of_a_large_set_a_sample_is_read_and_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_dataset(tmp_path / "set", count=30, shard_size=5, size=(12, 16))
    whole = inspect_dataset(data)
    assert "this is a sample" not in "".join(whole.lines)
    monkeypatch.setattr(inspect_module, "SAMPLE", 8)
    monkeypatch.setattr(inspect_module, "_SPREAD", 4)
    told: list[tuple[int, int]] = []
    found = inspect_dataset(data, lambda done, of: told.append((done, of)))
    said = "this is a sample: 8 of 30 pictures, from 4 of 6 shards, the same each time; --all reads everything"
    assert found.sound and said in found.lines and told == [(done, 8) for done in range(1, 9)]
    assert found == inspect_dataset(data)
    assert inspect_dataset(data, everything=True) == whole


@pytest.mark.parametrize("count", [3, 4096, 50_000])
def test_numbers_take_one_size_of_memory(count: int) -> None:
    values = np.random.default_rng(0).normal(size=count)
    numbers = inspect_module._Numbers()
    for value in values.tolist():
        numbers.add(value)
    assert (numbers.low, numbers.high, numbers.seen) == (values.min(), values.max(), count)
    assert numbers.total / count == pytest.approx(values.mean())
    assert min(count, 2048) <= len(numbers.kept) <= 4096
    shares = [np.mean(np.abs(some) < 1) for some in (numbers.kept, values)]
    assert shares[0] == pytest.approx(shares[1], abs=0.03)

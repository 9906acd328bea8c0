"""Normalized models: hulls, resting poses, the cache, built-in shapes, and the catalogue."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from scenes.assets import shapes_source
from scenes.assets.cache import Cache
from scenes.assets.catalogue import Catalogue
from scenes.assets.file_source import Settled
from scenes.assets.hull import hull_points, stable_poses
from scenes.assets.info import AssetInfo
from scenes.assets.normalize import describe, unit_model
from scenes.assets.recent import Recent
from scenes.assets.sources import ModelFolder
from scenes.errors import InputError
from scenes.mesh import Model, Part, corner_normals
from scenes.record.scene import rotation_matrix
from scenes.shapes.registry import GENERATORS


def box(size: tuple[float, float, float] = (1, 1, 1), name: str = "box") -> Model:
    mesh = trimesh.creation.box(size)
    vertices, faces = np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.int32)
    return Model((Part(name, vertices, faces, corner_normals(vertices, faces, 35.0)),))


def directions(count: int) -> np.ndarray:
    points = np.random.default_rng(5).normal(size=(count, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(4, 3000), st.sampled_from(["ball", "cube", "disc", "line"]))
def test_hull_never_falls_short(seed: int, count: int, kind: str) -> None:
    points = np.random.default_rng(seed).normal(size=(count, 3))
    if kind == "ball":
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    points *= {"disc": (1, 1, 0), "line": (1, 0, 0)}.get(kind, (1, 1, 1))
    points /= np.linalg.norm(np.ptp(points, axis=0))
    hull = hull_points(points)
    way = directions(500)
    short = (points @ way.T).max(axis=0) - (hull @ way.T).max(axis=0)
    assert short.max() <= 1e-3
    assert short.min() >= -1e-12
    assert (hull.min(axis=0) == points.min(axis=0)).all() and (hull.max(axis=0) == points.max(axis=0)).all()


def test_a_brick_rests_on_its_faces_as_their_solid_angles_say() -> None:
    mesh = trimesh.creation.box((4, 2, 1))
    poses = stable_poses(np.asarray(mesh.vertices) / np.sqrt(21))
    assert len(poses) == 6 and sum(p for _, p in poses) == pytest.approx(1)
    tops, chances = trimesh.poses.compute_stable_poses(mesh)
    assert sorted(p for _, p in poses) == pytest.approx(sorted(chances), abs=1e-6)
    assert len(tops) == 6
    likeliest = [rotation_matrix(q) @ (0, 0, 1) for q, _ in poses[:2]]
    assert np.abs(likeliest)[:, 2] == pytest.approx([1, 1])
    identity = min(np.linalg.norm(np.subtract(q, (1, 0, 0, 0))) for q, _ in poses)
    assert identity == pytest.approx(0), "a pose that needs no turn must not be turned about the vertical"


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_resting_poses_are_level_and_steady(seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(12, 3)) * (0.2, 0.15, 0.1)
    center = trimesh.convex.convex_hull(points).center_mass
    for rotation, chance in stable_poses(points):
        assert 0 < chance <= 1 and np.linalg.norm(rotation) == pytest.approx(1)
        resting = points @ rotation_matrix(rotation).T
        down = resting[resting[:, 2] < resting[:, 2].min() + 1e-6]
        assert len(down) >= 3, "rests on a corner or an edge"
        weight = (rotation_matrix(rotation) @ center)[:2]
        foot = trimesh.path.polygons.Polygon(down[:, :2]).convex_hull if len(down) > 3 else None
        if foot is None:
            a, b, c = down[:, :2]
            u, v = np.linalg.solve(np.array([b - a, c - a]).T, weight - a)
            assert u > -1e-6 and v > -1e-6 and u + v < 1 + 1e-6


def test_a_sheet_lies_flat() -> None:
    poses = stable_poses(np.array([[0, 0, 0], [0.5, 0, 0], [0.5, 0, 0.5], [0, 0, 0.5]]))
    assert len(poses) == 2
    for rotation, _ in poses:
        assert np.abs(rotation_matrix(rotation) @ (0, 1, 0))[2] == pytest.approx(1)


def test_unit_model_keeps_the_meters() -> None:
    model, diagonal = unit_model(box((3, 4, 12)).moved(np.array(np.diag([1, 1, 1, 1.0]) + np.eye(4, k=3) * 7)))
    assert diagonal == pytest.approx(13)
    assert model.bounds == pytest.approx(np.array([[-3, -4, -12], [3, 4, 12]]) / 26)


def test_info_survives_json() -> None:
    info = describe(unit_model(box())[0], id="a", category="b", meters=2.0, warnings=("w",))
    again = AssetInfo.from_json(info.to_json())
    assert again.to_json() == info.to_json()
    assert (again.hull == info.hull).all() and again.stable == info.stable and again.distinct_roles == ("plastic",)


def test_cache_gives_back_what_it_was_given_and_distrusts_damage(tmp_path: Path) -> None:
    cache, model = Cache(tmp_path), unit_model(box())[0]
    kept = cache.store("ab", describe(model), model)
    again = cache.model("ab")
    assert again is not None and cache.info("ab") is not None
    for one, other in ((kept, again), (model, again)):
        assert (one.parts[0].vertices == other.parts[0].vertices).all()
        assert (one.parts[0].normals == other.parts[0].normals).all()
    (entry,) = tmp_path.glob("models/*/*.npz")
    whole = entry.read_bytes()
    noticed = 0
    for place in range(0, len(whole), 97):
        entry.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        back = cache.model("ab")
        noticed += back is None
        if back is not None:
            assert (back.parts[0].vertices == model.parts[0].vertices).all()
            assert (back.parts[0].faces == model.parts[0].faces).all()
    assert noticed > 3
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        entry.write_bytes(whole[:length])
        assert cache.model("ab") is None and cache.info("ab") is None


def test_shapes_are_the_same_in_every_process_and_order() -> None:
    one = shapes_source.generate("shape:mug:3")
    shapes_source.generate("shape:laptop:0")
    two = shapes_source.generate("shape:mug:3")
    assert one.parameters == two.parameters
    assert all((a.vertices == b.vertices).all() for a, b in zip(one.parts, two.parts, strict=True))
    assert shapes_source.generate("shape:mug:4").parameters != one.parameters


def test_catalogue_of_shapes(tmp_path: Path) -> None:
    catalogue = Catalogue(shapes={"mug": 12, "laptop": 1, "chair": 0}, cache=tmp_path)
    assert catalogue.classes == ("laptop", "mug")
    assert catalogue.assets("mug")[:3] == ("shape:mug:0", "shape:mug:1", "shape:mug:2")
    assert catalogue.assets("mug")[-1] == "shape:mug:11"
    info, model = catalogue.info("shape:mug:2"), catalogue.model("shape:mug:2")
    assert info.category == "mug" and 0.05 < (info.meters or 0) < 0.6
    assert np.linalg.norm(np.diff(model.bounds, axis=0)) == pytest.approx(1, abs=1e-5)
    assert np.abs(model.bounds.sum(axis=0)).max() < 1e-5
    assert info.bounds == pytest.approx(model.bounds) and set(info.roles) == set(info.parts)
    assert len(info.keypoints) >= 6 and all(np.abs(p).max() <= 0.6 for p in info.keypoints.values())
    assert catalogue.licenses(["shape:mug:2"]) == {"shape:mug:2": "CC0-1.0"}
    assert catalogue.model("shape:mug:2") is model
    held_out = Catalogue(shapes={"mug": range(12, 14)}, cache=tmp_path).assets("mug")
    assert tuple(held_out) == ("shape:mug:12", "shape:mug:13")


def test_the_tasks_of_prepare_do_not_grow_with_the_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def prepared(job: Callable[[Any], None], assets: list[Any], count: int) -> Iterator[tuple[Any, Any, str]]:
        sizes.append(max(len(pickle.dumps((job, asset))) for asset in assets))
        for asset in assets:
            yield asset, job(asset), ""

    monkeypatch.setattr("scenes.assets.indexing.prepared", prepared)
    monkeypatch.setattr("scenes.assets.catalogue.settle", lambda *_: Settled())
    for count in (2, 40):
        folder = tmp_path / f"{count:02d}" / "mug"
        folder.mkdir(parents=True)
        for k in range(count):
            (folder / f"{k:02d}.obj").touch()
        Catalogue(models=[ModelFolder(folder.parent)], cache=tmp_path).prepare(workers=2)
    assert sizes[0] == sizes[1] < 2000


def test_prepared_shapes_are_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int, str]] = []
    Catalogue(shapes={"mug": 2}, cache=tmp_path).prepare(lambda *done: seen.append(done))
    assert seen == [(1, 2, "shape:mug:0"), (2, 2, "shape:mug:1")]
    monkeypatch.setattr(shapes_source, "generate", None)
    catalogue = Catalogue(shapes={"mug": 2}, cache=tmp_path)
    assert catalogue.info("shape:mug:1").triangles == catalogue.model("shape:mug:1").triangles
    assert len(catalogue.checksums(["shape:mug:0"])["shape:mug:0"]) == 64


@pytest.mark.slow
def test_preparing_in_many_processes_makes_the_same(tmp_path: Path) -> None:
    folder = models(tmp_path / "set", ("ball/a.obj", "ball/b.obj"), ("ball/c.obj",))
    both = []
    for workers in (1, 2):
        cache = tmp_path / f"cache{workers}"
        catalogue = Catalogue(shapes={"mug": 2}, models=[ModelFolder(folder)], cache=cache)
        catalogue.prepare(workers=workers)
        both.append({p.name: p.read_bytes() for p in cache.glob("models/*/*.npz")})
        assert len(catalogue.report.quarantined) == 1
    assert len(both[0]) == 3 and {n: len(b) for n, b in both[0].items()} == {n: len(b) for n, b in both[1].items()}


def test_a_damaged_entry_is_made_again(tmp_path: Path) -> None:
    first = Catalogue(shapes={"mug": 1}, cache=tmp_path).model("shape:mug:0")
    (entry,) = tmp_path.glob("models/*/*.npz")
    entry.write_bytes(entry.read_bytes()[:1000])
    catalogue = Catalogue(shapes={"mug": 1}, cache=tmp_path)
    again = catalogue.model("shape:mug:0")
    assert all((a.vertices == b.vertices).all() for a, b in zip(first.parts, again.parts, strict=True))
    assert catalogue.info("shape:mug:0").triangles == first.triangles


@pytest.mark.parametrize(
    ("asset_id", "words"),
    [
        ("shape:mugg:0", "did you mean 'mug'"),
        ("shape:mug:x", "write shape:mug:0"),
        ("nothing", "no model has the id 'nothing'"),
    ],
)
def test_unknown_ids(tmp_path: Path, asset_id: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Catalogue(shapes={"mug": 1}, cache=tmp_path).model(asset_id)


def test_unknown_classes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'chair'"):
        Catalogue(shapes={"chiar": 1}, cache=tmp_path)
    with pytest.raises(InputError, match="did you mean 'mug'"):
        Catalogue(shapes={"mug": 1}, cache=tmp_path).assets("mugs")
    with pytest.raises(InputError, match="does not exist"):
        Catalogue(models=[ModelFolder(tmp_path / "none")], cache=tmp_path)
    assert len(GENERATORS) == 13


def models(folder: Path, good: tuple[str, ...] = (), bad: tuple[str, ...] = ()) -> Path:
    for name in (*good, *bad):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("v 0 0 0\n" if name in bad else trimesh.creation.icosphere(1).export(file_type="obj"))
    return folder


def test_bad_files_are_quarantined_and_the_run_goes_on(tmp_path: Path) -> None:
    folder = models(tmp_path / "set", ("ball/a.obj", "ball/b.obj", "mug/x.obj"), ("ball/c.obj",))
    catalogue = Catalogue(shapes={"mug": 1}, models=[ModelFolder(folder)], cache=tmp_path / "cache")
    assert catalogue.classes == ("ball", "mug")
    assert catalogue.assets("ball") == ("set/ball/a.obj", "set/ball/b.obj", "set/ball/c.obj")
    assert catalogue.report.quarantined == {}, "nothing was read"
    assert catalogue.assets("ball").all_usable() == ("set/ball/a.obj", "set/ball/b.obj")
    assert catalogue.assets("mug") == ("shape:mug:0", "set/mug/x.obj")
    assert catalogue.report.quarantined == {str(folder / "ball/c.obj"): "holds only points or lines"}
    assert catalogue.info("set/ball/a.obj").sha256 == catalogue.info("set/ball/b.obj").sha256
    with pytest.raises(InputError, match="holds only points"):
        catalogue.model("set/ball/c.obj")


def test_a_class_left_with_nothing_fails(tmp_path: Path) -> None:
    folder = models(tmp_path / "set", ("ball/a.obj",), ("cone/c.obj", "cone/d.obj"))
    with pytest.raises(InputError, match="class 'cone' is left with no usable model: 2 quarantined"):
        Catalogue(models=[ModelFolder(folder)], cache=tmp_path / "cache").assets("cone").chosen(0)


def test_a_warm_start_reads_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = models(tmp_path / "set", ("ball/a.obj",), ("ball/c.obj",))
    Catalogue(models=[ModelFolder(folder)], cache=tmp_path / "cache").prepare()
    monkeypatch.setattr("scenes.assets.file_source.load", None)
    monkeypatch.setattr("scenes.assets.file_source.references", None)
    warm = Catalogue(models=[ModelFolder(folder)], cache=tmp_path / "cache")
    assert warm.assets("ball").all_usable() == ("set/ball/a.obj",) and warm.model("set/ball/a.obj").triangles == 80
    assert len(warm.report.quarantined) == 1


def test_a_name_that_is_not_text_is_a_reason(tmp_path: Path) -> None:
    """It would not come back the same from the list of assets of a set."""
    folder = models(tmp_path / "set", ("ball/a.obj", "ball/b.obj"))
    (folder / "ball/b.obj").rename(folder / os.fsdecode(b"ball/\xe9.obj"))
    catalogue = Catalogue(models=[ModelFolder(folder)], cache=tmp_path / "c")
    assert catalogue.assets("ball").all_usable() == ("set/ball/a.obj",)
    assert list(catalogue.report.quarantined.values()) == ["has a name that is not UTF-8: rename it"]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    folder = models(tmp_path / "set", ("ball/a.obj",))
    assert Catalogue(models=[ModelFolder(folder)], cache=tmp_path / "c").model("set/ball/a.obj").triangles == 80
    (folder / "ball/a.obj").write_text(trimesh.creation.box().export(file_type="obj"))
    assert Catalogue(models=[ModelFolder(folder)], cache=tmp_path / "c").model("set/ball/a.obj").triangles == 12


def test_two_folders_of_one_name_keep_their_assets(tmp_path: Path) -> None:
    folders = [ModelFolder(models(tmp_path / k / "set", ("ball/a.obj",))) for k in "xy"]
    assert Catalogue(models=folders, cache=tmp_path / "c").assets("ball") == ("set/ball/a.obj", "set~2/ball/a.obj")


def test_the_least_recently_used_goes_first() -> None:
    recent = Recent[np.ndarray](limit=30)
    for name in "abc":
        recent.put(name, np.zeros(10, np.uint8))
    assert recent.get("a") is not None
    recent.put("d", np.zeros(10, np.uint8))
    assert [name for name in "abcd" if recent.get(name) is not None] == ["a", "c", "d"]
    recent.put("e", np.zeros(99, np.uint8))
    assert [name for name in "abcde" if recent.get(name) is not None] == ["e"], "the newest always stays"


def test_memory_is_bounded(tmp_path: Path) -> None:
    folder = models(tmp_path / "set", tuple(f"ball/{k}.obj" for k in range(6)))
    catalogue = Catalogue(models=[ModelFolder(folder)], cache=tmp_path / "c", memory=1)
    held = [catalogue.model(i) for i in catalogue.assets("ball")]
    assert catalogue.model(catalogue.assets("ball")[-1]) is held[-1]
    assert catalogue.model(catalogue.assets("ball")[0]) is not held[0]


def test_unit_gives_meters(tmp_path: Path) -> None:
    folder = models(tmp_path / "set", ("ball/a.obj",))
    known = Catalogue(models=[ModelFolder(folder, unit=0.01)], cache=tmp_path / "c").info("set/ball/a.obj")
    plain = Catalogue(models=[ModelFolder(folder)], cache=tmp_path / "c").info("set/ball/a.obj")
    assert known.meters == pytest.approx(0.01 * np.linalg.norm(trimesh.creation.icosphere(1).extents), rel=1e-5)
    assert plain.meters is None


def test_pictures_are_named_and_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "sky"
    (folder / "day").mkdir(parents=True)
    (folder / "day/a.hdr").write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 2\n" + bytes(8))
    OpenEXR.File({}, {"RGB": np.ones((2, 4, 3), np.float32)}).write(str(folder / "b.exr"))
    (folder / "c.hdr").write_bytes(b"<html>")
    catalogue = Catalogue(shapes={"mug": 1}, hdris=[folder], studio=folder, cache=tmp_path / "c")
    assert catalogue.hdris == ("sky/b.exr", "sky/c.hdr", "sky/day/a.hdr", "studio:b")
    assert catalogue.report.quarantined == {}, "nothing was read"
    assert catalogue.hdris.all_usable() == ("sky/b.exr", "sky/day/a.hdr", "studio:b")
    assert catalogue.path("studio:b") == folder / "b.exr"
    assert list(catalogue.report.quarantined) == [str(folder / "c.hdr")]
    assert len(set(catalogue.checksums(["sky/day/a.hdr", "sky/b.exr"]).values())) == 2
    with pytest.raises(InputError, match=r"c\.hdr .*"):
        catalogue.path("sky/c.hdr")
    with pytest.raises(InputError, match=r"did you mean 'sky/b.exr'"):
        catalogue.path("sky/b.exe")
    with pytest.raises(InputError, match="field images"):
        Catalogue(images=[tmp_path / "none"], cache=tmp_path)


def test_colors_are_kept_and_turn_with_their_corners(tmp_path: Path) -> None:
    plain, colored = box(), box()
    colors = np.random.default_rng(0).uniform(size=(len(colored.parts[0].faces), 3, 4)).astype(np.float32)
    both = Model((plain.parts[0], replace(colored.parts[0], name="b", colors=colors)))
    cache = Cache(tmp_path)
    cache.store("ab", describe(unit_model(both)[0]), both)
    back = cache.model("ab")
    assert back is not None and back.parts[0].colors is None
    assert back.parts[1].colors is not None and (back.parts[1].colors == colors).all()
    mirrored = both.parts[1].moved(np.diag([-1.0, 1, 1, 1]))
    assert mirrored.colors is not None
    before, after = both.parts[1].vertices[both.parts[1].faces] * (-1, 1, 1), mirrored.vertices[mirrored.faces]
    corner = np.argmin(np.abs(before[:, :, None] - after[:, None]).sum(axis=-1), axis=1)
    assert (np.take_along_axis(colors, corner[..., None], axis=1) == mirrored.colors).all()

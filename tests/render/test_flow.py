"""Optical flow and disparity: against geometry that is calculated otherwise, and against drawn pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest

from gallery.tiles import Tiles, jpeg, smaller
from render.dataset.checks import CHECKS
from render.dataset.shard_writer import write_shard
from render.false_color import flow_colors
from render.frame import Frame
from render.image.flow import disparity, optical_flow, seen_in
from render.image.surroundings import pixel_rays, with_surroundings
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import validate
from scenes.errors import InputError
from scenes.record.camera import Camera
from scenes.record.distortion import fitted
from scenes.record.scene import Background, Item, Scene, Sensor, World
from scenes.sampling.placement import project
from scenes.sampling.scene import Sampler
from tests.frames import make_dataset, make_frame, redrawn

SIZE = (96, 72)
NAMES = ("ideal", "bent")


def pair(lens: str) -> tuple[Camera, Camera]:
    first = Camera((0.3, -3, 1.4), (0, 0, 0.9), 4, 40, *SIZE, aspect=1.1, center=(50.25, 33.5))
    second = replace(first, location=(0.7, -2.8, 1.2), target=(0.1, 0, 0.8), roll=-3.0)
    if lens == "ideal":
        return first, second
    k = first.intrinsics()
    bent = fitted("brown", (-0.2, 0.03, 0.002, 0.001, 0, 0, 0, 0), (k[0, 0], k[1, 1], k[0, 2], k[1, 2]), SIZE)
    return replace(first, distortion=bent), replace(second, distortion=bent)


def bare(camera: Camera, kind: Any = "ground") -> tuple[Scene, np.ndarray]:
    """A scene without objects, and its depth."""
    scene = Scene(0, 0, (), World("", 0, 1), (), camera, Background(kind), Sensor())
    ways = pixel_rays(camera)
    reached = np.where((ways[..., 2] < 0) & (kind == "ground"), 1.0, np.inf).astype(np.float32)
    return scene, with_surroundings(reached, np.zeros(reached.shape, np.uint16), scene)


@pytest.mark.parametrize("lens", NAMES)
def test_the_flow_of_a_plane_is_a_homography(lens: str) -> None:
    """Pictures of a plane lie on each other by a 3 x 3 matrix, which OpenCV fits to four of its corners."""
    first, second = pair(lens)
    scene, depth = bare(first)
    flow = optical_flow(depth, scene, second)
    corners = np.array([(-0.5, -0.5, 0), (0.5, -0.5, 0), (0.5, 0.5, 0), (-0.5, 0.5, 0)])

    def ideal(camera: Camera) -> np.ndarray:
        local = corners @ camera.world_to_camera()[:3, :3].T + camera.world_to_camera()[:3, 3]
        return local[:, :2] / local[:, 2:]

    matrix = cv2.getPerspectiveTransform(ideal(first).astype(np.float32), ideal(second).astype(np.float32))
    ground = np.isfinite(depth)
    assert 0.4 < ground.mean() < 1
    rows, columns = np.nonzero(ground)
    points = first.rays(np.column_stack([columns, rows]) + 0.5) @ matrix.T
    ahead = points[:, 2] > 0
    places = second.pixels(points[ahead, :2] / points[ahead, 2:])
    known = np.column_stack([columns, rows])[ahead] + 0.5
    found = flow[rows, columns][ahead]
    near = np.abs(places - known).max(axis=1) < 200
    np.testing.assert_allclose(found[near], (places - known)[near], atol=2e-2)  # the matrix has 32 bits
    # Exactly: the point that a pixel shows, in the other camera.
    world = np.array(first.location) + pixel_rays(first)[ground] * depth[ground][:, None].astype(np.float64)
    exact, away = project(second, world)
    seen = away > 0
    moved = exact[seen] - (np.column_stack([columns, rows]) + 0.5)[seen]
    np.testing.assert_allclose(flow[ground][seen], moved, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("lens", NAMES)
def test_a_point_of_an_object_moves_with_its_pose(lens: str) -> None:
    first, second = pair(lens)
    scene, depth = bare(first)
    still, moved = (
        Item("a", "a", "member", place, turn, 1.0, {})
        for place, turn in (((0.1, 0.2, 0.1), (0.6, 0, 0.8, 0)), ((0.4, -0.3, 0.5), (0.8, 0.36, 0.48, 0)))
    )
    scene = replace(scene, items=(still, still))
    instance = np.zeros(depth.shape, np.uint16)
    instance[40:, 30:60] = 2
    poses = [(item.location, item.rotation) for item in (still, moved)]
    flow = optical_flow(depth, scene, second, (instance, poses))
    rows, columns = np.nonzero(instance)
    points = np.array(first.location) + pixel_rays(first)[rows, columns] * depth[rows, columns, None]
    carried = moved.pose() @ np.linalg.inv(still.pose()) @ np.column_stack([points, np.ones(len(points))]).T
    pixels, ahead = project(second, carried[:3].T)
    assert (ahead > 0).all()
    np.testing.assert_allclose(flow[rows, columns], pixels - np.column_stack([columns, rows]) - 0.5, atol=2e-3)
    others = instance == 0
    np.testing.assert_array_equal(flow[others], optical_flow(depth, scene, second)[others])


@pytest.mark.parametrize("lens", NAMES)
def test_the_sky_only_turns(lens: str) -> None:
    first, second = pair(lens)
    scene, depth = bare(first, "hdri")
    assert np.isinf(depth).all()
    still = optical_flow(depth, scene, replace(first, location=(0.4, -3.1, 1.5), target=(0.1, -0.1, 1.0)))
    np.testing.assert_allclose(still, 0, atol=1e-4)
    flow = optical_flow(depth, scene, second)
    far = np.array(first.location) + 1e7 * pixel_rays(first)
    x, y = np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5)
    expected = project(second, far.reshape(-1, 3))[0].reshape(*flow.shape) - np.stack([x, y], axis=-1)
    np.testing.assert_allclose(flow, expected, atol=1e-3)


@pytest.mark.parametrize("kind", ["image", "color", "white", "none"])
def test_a_backdrop_has_no_place(kind: str) -> None:
    first, second = pair("ideal")
    scene, depth = bare(first, kind)
    assert np.isnan(optical_flow(depth, scene, second)).all()
    assert not seen_in(depth, scene, second, depth).any()
    assert np.isnan(disparity(depth, replace(scene, baseline=0.1))).all()


def test_there_and_back() -> None:
    """The flow to a view, and from there back, ends where it began; points outside are not seen."""
    first, second = pair("ideal")
    (scene, depth), (other, shown) = bare(first), bare(second)
    there, back = optical_flow(depth, scene, second), optical_flow(shown, other, first)
    seen = seen_in(depth, scene, second, shown) & np.isfinite(depth)
    rows, columns = np.nonzero(seen)
    place = np.column_stack([columns, rows]) + 0.5 + there[rows, columns]
    assert ((place >= 0) & (place < SIZE)).all() and 0.2 < seen.mean() < 1
    inner = ((place > 1) & (place < np.array(SIZE) - 1)).all(axis=1)
    at = (place[inner] - 0.5).astype(np.float32)
    returned = cv2.remap(back, at[:, 0], at[:, 1], cv2.INTER_LINEAR)[:, 0]
    off = np.abs(there[rows, columns][inner] + returned).max(axis=1)
    assert np.quantile(off, 0.9) < 0.05


def test_what_is_behind_or_unknown_is_nan() -> None:
    first, _ = pair("ideal")
    scene, depth = bare(first)
    turned = replace(first, target=(0.6, -6.0, 1.9))
    ground = np.isfinite(depth)
    assert np.isnan(optical_flow(depth, scene, turned)[ground]).mean() > 0.9
    assert np.isnan(optical_flow(depth, scene, None)).all()


def test_disparity_is_that_of_the_pair() -> None:
    left = Camera((0.3, -3, 1.4), (0, 0, 0.9), 4, 40, *SIZE)
    shift = 0.12 * left.world_to_camera()[0, :3]
    right = replace(left, location=tuple(left.location + shift), target=tuple(left.target + shift))
    scene, depth = bare(left)
    scene = replace(scene, baseline=0.12)
    flow, found = optical_flow(depth, scene, right), disparity(depth, scene)
    ground = np.isfinite(depth)
    np.testing.assert_allclose(found[ground], -flow[ground][:, 0], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(flow[..., 1], 0, atol=1e-3)
    focal = left.intrinsics()[0, 0]
    np.testing.assert_allclose(found[ground], focal * 0.12 / depth[ground], rtol=1e-6)
    assert (found[~ground] == 0).all() and (~ground).any()
    with pytest.raises(ValueError, match="not one of a stereo pair"):
        disparity(depth, replace(scene, baseline=None))


def test_flow_is_stored_shown_and_checked(tmp_path: Path) -> None:
    frame = make_frame(0)
    flow = np.full((*frame.depth.shape, 2), np.nan, np.float32)
    flow[10:20, 10:20] = (3, -1)
    widths = np.where(np.isfinite(frame.depth), 5 / frame.depth, np.nan).astype(np.float32)
    frame = replace(frame, flow=flow, disparity=widths)
    check = CHECKS["values are possible"]
    assert list(check(frame, ())) == []
    assert list(check(replace(frame, flow=np.where(np.isnan(flow), np.float32(np.inf), flow)), ())) != []
    assert list(check(replace(frame, disparity=-widths), ())) != []
    write_shard(tmp_path / "shard.h5", [frame], attributes={"seed": 0})
    with h5py.File(tmp_path / "shard.h5") as file:
        np.testing.assert_array_equal(file["flow"][0], flow)
        assert file["disparity"].shape == (1, *frame.depth.shape)
    assert frame.show("flow", "disparity").size[0] > 0
    colors, longest = flow_colors(flow)
    assert longest == pytest.approx(np.hypot(3, 1)) and (colors[0, 0] == 0).all() and colors[15, 15].any()


def test_the_gallery_shows_them(tmp_path: Path) -> None:
    frame = make_frame(0)
    flow = np.full((*frame.depth.shape, 2), 2.5, np.float32)
    widths = np.where(np.isfinite(frame.depth), 5 / frame.depth, np.nan).astype(np.float32)
    data = redrawn(make_dataset(tmp_path / "set", 1, 1), 0, [replace(frame, flow=flow, disparity=widths)])
    tiles = Tiles(data, 32)
    assert (tiles.kinds["flow"]["drawn"], tiles.kinds["disparity"]["drawn"]) == ("picture", "length")
    items = tiles.items(0, ["flow", "disparity"])
    assert items["flow"] == jpeg(smaller(flow_colors(flow)[0], 32))
    assert json.loads(items["disparity"])[:3] == [32, 24, 1]


def test_directions_have_their_colors() -> None:
    ways = np.array([[(1, 0), (0, 1), (-1, 0), (0, -1), (0, 0)]], float)
    colors, _ = flow_colors(ways)
    assert colors[0].tolist() == [[255, 0, 0], [127, 255, 0], [0, 255, 255], [127, 0, 255], [255, 255, 255]]


def test_two_scenes_have_no_flow() -> None:
    with pytest.raises(InputError, match="pictures 0 and 1 show two scenes; give two views of one"):
        make_frame(0).flow_to(make_frame(1))


# Drawn pictures ------------------------------------------------------------------------------------------------------


def drawn(catalogue: Catalogue, count: int, camera: dict[str, Any]) -> list[Frame]:
    pytest.importorskip("bpy", reason="needs Blender's module")
    from render.blender.stage import Stage
    from render.settings import DrawSettings

    lamps = {lamp: {"count": 0} for lamp in ("sun", "area", "point")}
    calm = {"exposure": 0, "metering": "none", "tone": "standard", "white_balance": 6500, "vignette": 0, "blur": 0}
    config = {
        "objects": {"count": 2, "scale": 1.0},
        "material": {"mode": "whole", "family": "fabric"},
        "lighting": {"world": {"hdri": "", "strength": 0.7}, **lamps},
        "camera": {"resolution": [96, 72], "elevation": 30, "roll": 0, "framing": 0.6, "jitter": 0, **camera},
        "background": {"kind": "ground", "ground": "tiles", "shadow": False},
        "sensor": {**calm, "noise": 0, "shot": 0, "jpeg": 0},
        "render": {"flow": True},
    }  # fmt: skip
    sampler = Sampler(validate(config, "test"), catalogue)
    settings = DrawSettings(samples=16, denoise=False, bounces=1, threads=1, flow=True, keep=True)
    stage = Stage(settings, catalogue, sampler.classes)
    return [stage.draw(sampler.sample(1, index)) for index in range(count)]


def test_the_next_picture_moved_back_is_this_one(small_catalogue: Catalogue) -> None:
    path = {"kind": "turntable", "turn": 16}
    first, second, last = drawn(small_catalogue, 3, {"views": 3, "path": path})
    np.testing.assert_allclose(first.flow, first.flow_to(second), atol=1e-5)
    assert np.isnan(last.flow).all()
    rows, columns = np.mgrid[:72, :96].astype(np.float32)
    known = np.nan_to_num(first.flow)

    def moved(array: np.ndarray, way: int) -> np.ndarray:
        at = columns + known[..., 0], rows + known[..., 1]
        return cv2.remap(array, *at, way, borderMode=cv2.BORDER_REPLICATE)

    seen = first.seen_in(second)
    assert 0.7 < seen.mean() < 1 and np.abs(known[seen]).max() > 2
    same = np.abs(moved(second.rgb, cv2.INTER_LINEAR).astype(float) - first.rgb).mean(axis=-1)[seen]
    still = np.abs(second.rgb.astype(float) - first.rgb).mean(axis=-1)[seen]
    assert same.mean() < 0.6 * still.mean()  # the rest is the noise of two renders
    # The objects that the pixels show are the same, but for their borders.
    wrong = (moved(second.instance, cv2.INTER_NEAREST) != first.instance)[seen].mean()
    assert wrong < 0.04 and wrong < 0.6 * (second.instance != first.instance)[seen].mean()


def test_pairs_agree_with_their_depths(small_catalogue: Catalogue) -> None:
    left, right, *_ = drawn(small_catalogue, 2, {"views": 2, "stereo": {"baseline": 0.08}})
    focal = left.intrinsics[0, 0]
    finite = np.isfinite(left.depth)
    np.testing.assert_allclose(left.disparity[finite], focal * 0.08 / left.depth[finite], rtol=1e-5)
    rows, columns = np.mgrid[:72, :96].astype(np.float32)
    seen = left.seen_in(right)
    # A point is as far from both cameras, because they look the same way.
    other = cv2.remap(right.depth, columns - np.nan_to_num(left.disparity), rows, cv2.INTER_NEAREST)
    off = np.abs(other - left.depth)[seen & finite] / left.depth[seen & finite]
    assert np.median(off) < 5e-3 and np.quantile(off, 0.95) < 0.1
    assert 0.7 < seen[finite].mean() < 1

"""Pictures and labels of lenses with distortion, against rays that embree casts and against OpenCV's projection."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from render.image.surroundings import pixel_rays
from render.settings import DrawSettings
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import validate
from scenes.sampling.scene import Sampler
from tests.rays import hits, iou

pytest.importorskip("bpy", reason="needs Blender's module")
pytest.importorskip("embreex", reason="needs embree to cast rays with")

K = [[95, 0, 50.25], [0, 88, 34.5], [0, 0, 1]]
BARREL = [-0.25, 0.06, 0.003, -0.002, -0.004]
PINCUSHION = [0.2, 0.05, -0.002, 0.001]
WIDE = {"model": "fisheye", "k1": -0.02, "k2": 0.01, "k3": -0.003, "k4": 0.0005}
SETTINGS = DrawSettings(samples=4, denoise=False, bounces=1, threads=1)


def sampler(catalogue: Catalogue, distortion: Any, **changes: Any) -> Sampler:
    camera = {
        "resolution": [96, 72], "intrinsics": K, "distortion": distortion, "framing": 0.9, "jitter": 0.1,
        **changes.pop("camera", {}),
    }  # fmt: skip
    config = {
        "objects": {"count": 2, **changes.pop("objects", {})},
        "material": {"mode": "whole", "family": "plastic"},  # without opacity
        "background": {"kind": "color"},
        **changes,
        "camera": camera,
    }
    return Sampler(validate(config, "test"), catalogue)


@pytest.mark.parametrize("distortion", [BARREL, PINCUSHION, WIDE], ids=["barrel", "pincushion", "fisheye"])
@pytest.mark.parametrize("background", ["color", "ground"])
def test_labels_are_those_of_the_bent_rays(distortion: Any, background: str, small_catalogue: Catalogue) -> None:
    from render.blender.stage import Stage

    drawn = sampler(small_catalogue, distortion, background={"kind": background})
    scene = drawn.sample(2, 0)
    frame = Stage(SETTINGS, small_catalogue, drawn.classes).draw(scene)
    truth = hits(scene, small_catalogue.model, own=False)
    straight = hits(replace(scene, camera=replace(scene.camera, distortion=None)), small_catalogue.model, own=False)
    for number in (1, 2):
        assert iou(frame.instance == number, truth.instance == number) >= 0.99
    assert iou(straight.instance == 1, truth.instance == 1) < 0.97, "the lens bends hardly anything"
    both = (frame.instance == truth.instance) & (truth.instance > 0)
    away = np.abs(frame.depth[both] - truth.depth[both]) / truth.depth[both]
    assert np.quantile(away, 0.98) < 2e-3 and np.median(away) < 1e-4
    cosine = (frame.normals.astype(float) * truth.normal).sum(axis=-1)[both]
    assert np.quantile(cosine, 0.05) > np.cos(np.radians(3))
    if background == "ground":
        ground = (frame.instance == 0) & np.isfinite(frame.depth)
        world = np.array(scene.camera.location) + pixel_rays(scene.camera) * frame.depth[..., None]
        assert np.abs(world[ground][:, 2]).max() < 1e-3


@pytest.mark.parametrize("distortion", [BARREL, WIDE], ids=["barrel", "fisheye"])
@pytest.mark.parametrize("fstop", [0, 4])
def test_objects_are_where_opencv_says(distortion: Any, fstop: float, small_catalogue: Catalogue) -> None:
    """One object after another, all over the picture: its keypoints, its box, and the middle of its alpha."""
    from render.blender.stage import Stage

    drawn = sampler(small_catalogue, distortion, camera={"fstop": fstop}, objects={"count": 1})
    scene = drawn.sample(5, 0)
    stage = Stage(replace(SETTINGS, samples=32), small_catalogue, drawn.classes)
    matrix, item = scene.camera.world_to_camera(), scene.items[0]
    # In focus is the plane at 2 m.
    focus = tuple((np.array(scene.camera.location) + matrix[2, :3] * 2.0).tolist())
    camera = replace(scene.camera, target=focus)
    info, model = small_catalogue.info(item.asset), small_catalogue.model(item.asset)
    for place in ((9, 9), (84, 12), (48, 36), (12, 60)):
        at = matrix[:3, :3].T @ (camera.rays(np.array([place], float))[0] * 2.0 - matrix[:3, 3])
        moved = replace(item, location=tuple(at.tolist()), scale=0.25)
        frame = stage.draw(replace(scene, items=(moved,), camera=camera))
        (label,) = frame.objects
        for name, point in label.keypoints.items():
            ((u, v),) = in_opencv(camera, moved, np.array([info.keypoints[name]]))
            assert abs(point.x - u) < 1e-3 and abs(point.y - v) < 1e-3
        corners = np.concatenate([in_opencv(camera, moved, part.vertices)[part.faces] for part in model.parts])
        around = corners.reshape(-1, 2)
        # The hull, of which the box is made, may fall short of the model by a thousandth of its diagonal.
        np.testing.assert_allclose(label.amodal_box, [*around.min(axis=0), *around.max(axis=0)], atol=0.02)
        fine = np.zeros((72 * 16, 96 * 16), np.uint8)
        for triangle in np.round(corners * 16 - 0.5).astype(np.int32):
            cv2.fillConvexPoly(fine, triangle, 1)
        assert np.abs(middle(frame.alpha) - middle(fine) / 16).max() < 0.25


def middle(weight: Any) -> Any:
    """x and y of the center of mass of an (H, W) picture, in its pixels."""
    rows, columns = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    weight = weight.astype(float)
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()


def in_opencv(camera: Any, item: Any, points: Any) -> Any:
    """Where OpenCV shows points (n, 3) of an item's model, (n, 2). Its first pixel has its center at (0, 0)."""
    world = points @ item.matrix()[:3, :3].T + item.matrix()[:3, 3]
    local = world @ camera.world_to_camera()[:3, :3].T + camera.world_to_camera()[:3, 3]
    project = cv2.projectPoints if camera.distortion.model == "brown" else cv2.fisheye.projectPoints
    k, still = camera.intrinsics() - [[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]], np.zeros(3)
    return project(local[:, None], still, still, k, np.array(camera.distortion.coefficients))[0].reshape(-1, 2) + 0.5


def test_a_lens_without_coefficients_draws_what_an_ideal_one_does(small_catalogue: Catalogue) -> None:
    from render.blender.stage import Stage

    drawn = sampler(small_catalogue, {"k1": 0.0}, background={"kind": "ground"})
    scene = drawn.sample(2, 0)
    stage = Stage(replace(SETTINGS, samples=16), small_catalogue, drawn.classes)
    bent = stage.draw(scene)
    plain = stage.draw(replace(scene, camera=replace(scene.camera, distortion=None)))
    assert np.array_equal(bent.instance, plain.instance) and np.array_equal(bent.part, plain.part)
    both = np.isfinite(bent.depth)
    np.testing.assert_array_equal(both, np.isfinite(plain.depth))
    np.testing.assert_allclose(bent.depth[both], plain.depth[both], rtol=1e-4)
    assert np.abs(bent.alpha.astype(int) - plain.alpha).max() <= 2
    # The noise differs, but not what it is around.
    smooth, other = (cv2.GaussianBlur(frame.rgb.astype(float), (0, 0), 4) for frame in (bent, plain))
    assert np.abs(smooth - other).mean() < 4


def test_views_and_order_do_not_matter(small_catalogue: Catalogue) -> None:
    """The pane before the lens comes and goes without a trace, and a view is the same drawn alone."""
    from render.blender.stage import Stage

    drawn = sampler(small_catalogue, BARREL, camera={"views": 2}, background={"kind": "hdri"})
    scenes = [drawn.sample(4, index) for index in range(2)]
    stage = Stage(replace(SETTINGS, keep=True), small_catalogue, drawn.classes)
    first, second = (stage.draw(scene) for scene in scenes)
    stage.draw(replace(scenes[0], camera=replace(scenes[0].camera, distortion=None)))
    again = stage.draw(scenes[1])
    assert np.array_equal(second.rgb, again.rgb) and np.array_equal(second.depth, again.depth)
    assert not np.array_equal(first.rgb, second.rgb)


def test_cracks_in_surfaces_bend_with_the_lens(small_catalogue: Catalogue) -> None:
    """The mask is that of an ideal lens, looked up where the bent rays go; the patch fills the corners."""
    from render.blender.stage import Stage

    config = {
        "surface": {"family": "concrete", "crack": {"present": True, "width": 14}, "obliqueness": 20},
        "camera": {"resolution": [96, 72], "intrinsics": K, "distortion": BARREL},
    }
    drawn = Sampler(validate(config, "test"), small_catalogue)
    scene = drawn.sample(3, 0)
    stage = Stage(SETTINGS, small_catalogue, drawn.classes)
    bent = stage.draw(scene)
    plain = stage.draw(replace(scene, camera=replace(scene.camera, distortion=None)))
    assert np.isfinite(bent.depth).all() and (bent.instance > 0).sum() > 60
    ideal = np.floor(
        scene.camera.intrinsics()[:2, :2].diagonal() * undistorted(scene) + scene.camera.intrinsics()[:2, 2]
    )
    inside = ((ideal >= 0) & (ideal < (96, 72))).all(axis=-1)
    column, row = ideal[inside].astype(int).T
    assert 0.6 < inside.mean() < 1
    assert iou(bent.instance[inside] > 0, plain.instance[row, column] > 0) > 0.7
    # At a lip, the pixel beside may lie deep in the crack.
    assert np.quantile(np.abs(bent.depth[inside] / plain.depth[row, column] - 1), 0.9) < 0.01


def undistorted(scene: Any) -> Any:
    """(H, W, 2) where an ideal lens would show what each pixel shows, in normalized coordinates."""
    camera = scene.camera
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    return camera.rays(np.column_stack([x.ravel(), y.ravel()]))[:, :2].reshape(camera.height, camera.width, 2)

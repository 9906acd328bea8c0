"""The limits on the main object's and the clutter's share of the picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scenes import projection
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import load_config, validate
from scenes.errors import InputError
from scenes.record.camera import Camera
from scenes.record.scene import Background, Item, Scene, Sensor, World
from scenes.sampling import shares as module
from scenes.sampling.draw import Draw, factors_of
from scenes.sampling.poses import Poses
from scenes.sampling.scene import Sampler
from scenes.sampling.shares import shares
from scenes.streams import Streams

# Small objects far away, and clutter that is larger than they are.
HARD: dict[str, Any] = {
    "objects": {"scale": 0.3, "clutter": {"count": 2, "scale": {"uniform": [1, 3]}}},
    "camera": {"distance": 4, "resolution": [64, 48]},
    "background": {"kind": "color"},
}
LIMITS = {"min_share": 0.05, "max_clutter": 0.4}


def sampler(catalogue: Catalogue, limits: dict[str, float]) -> Sampler:
    return Sampler(validate({**HARD, "objects": {**HARD["objects"], **limits}}, "test"), catalogue)


def seen(catalogue: Catalogue, scene: Scene) -> np.ndarray:
    streams = Streams(0, 0)
    factors = factors_of(validate(HARD, "test"))
    draw = Draw(factors, catalogue, catalogue.classes, streams, streams, Poses())
    return shares(draw, list(scene.items), scene.camera)


def test_a_share_follows_from_the_size_of_the_object_and_the_zoom(small_catalogue: Catalogue) -> None:
    """A mug fills most of its box, whose size in pixels is known; twice the zoom makes it four times as large."""
    item = Item(small_catalogue.assets("mug")[0], "mug", "main", (0, 0, 0), (1, 0, 0, 0), 1.0, {})
    camera = Camera((0, -40, 0), (0, 0, 0), 0, 360, 128, 128)
    far = Scene(0, 0, (item,), World("", 0, 1), (), camera, Background("color"), Sensor())
    near = replace(far, camera=replace(far.camera, focal_length=720))
    (low, high), size = small_catalogue.info(item.asset).bounds, 10 * 128 / 40
    box = (high[0] - low[0]) * (high[2] - low[2]) * size**2 / 128**2
    assert 0.5 * box < seen(small_catalogue, far)[0] < 1.05 * box
    assert seen(small_catalogue, near)[0] == pytest.approx(4 * seen(small_catalogue, far)[0], rel=0.1)


def test_clutter_keeps_to_its_limit_in_all_views_of_a_scene(small_catalogue: Catalogue) -> None:
    several = {"camera": {**HARD["camera"], "views": 3}}
    free, held = (
        Sampler(validate({**HARD, **several, "objects": {**HARD["objects"], **some}}, "test"), small_catalogue)
        for some in ({}, LIMITS)
    )
    changed = 0
    for index in range(6):
        scene = held.sample(2, index)
        share = seen(small_catalogue, scene)
        assert share[1:].sum() <= LIMITS["max_clutter"] * share[0]
        assert share[0] >= LIMITS["min_share"]
        assert scene.items == held.sample(2, index // 3 * 3).items
        changed += scene.items != free.sample(2, index).items
    assert changed > 2


def test_what_stays_as_it_is_is_looked_at_once(small_catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[tuple[int, int]] = []
    monkeypatch.setattr(
        module, "depth_map", lambda triangles, size: looked.append(size) or projection.depth_map(triangles, size)
    )
    main, near = (
        Item(small_catalogue.assets("mug")[0], "mug", "main", place, (1, 0, 0, 0), 1.0, {})
        for place in ((0, 0, 0), (0.4, -1, 0))
    )
    camera = Camera((0, -40, 0), (0, 0, 0), 0, 360, 256, 128)
    measure = module.Measure(small_catalogue.model, 128)
    both = measure.shares([main, near], camera)
    assert both[1] > both[0] > 0 and looked == [(128, 64)] * 2
    smaller = measure.shares([main, replace(near, scale=0.5)], camera)
    assert smaller[0] > both[0] and len(looked) == 3, "the main object as it was seen"
    assert measure.shares([main], camera)[0] >= smaller[0] and len(looked) == 3
    measure.shares([main], replace(camera, focal_length=300))
    assert len(looked) == 4


def test_the_limits_hold_and_move_nothing_else(small_catalogue: Catalogue) -> None:
    free, kept = sampler(small_catalogue, {}), sampler(small_catalogue, LIMITS)
    small = crowded = 0
    for index in range(20):
        before, after = free.sample(3, index), kept.sample(3, index)
        was, now = seen(small_catalogue, before), seen(small_catalogue, after)
        small += was[0] < 0.05
        crowded += was[1:].sum() > 0.4 * was[0]
        assert now[0] >= 0.05 and now[1:].sum() <= 0.4 * now[0]
        assert after.items[0] == before.items[0], "the main object stays as it was drawn"
        for item in after.items[1:]:
            drawn = next(old for old in before.items if old.asset == item.asset and old.rotation == item.rotation)
            assert item.scale <= drawn.scale and item.materials == drawn.materials
        unlike = {"items", "camera"}
        same = {name: getattr(before, name) for name in vars(before) if name not in unlike}
        assert same == {name: getattr(after, name) for name in vars(after) if name not in unlike}
        assert after.camera.location == before.camera.location and after.camera.roll == before.camera.roll
    assert small > 5 and crowded > 5, "the limits must have had something to do"


def test_what_is_within_the_limits_stays_as_it_was(small_catalogue: Catalogue) -> None:
    free, kept = sampler(small_catalogue, {}), sampler(small_catalogue, {"min_share": 1e-6, "max_clutter": 1e6})
    assert [free.sample(3, k) for k in range(5)] == [kept.sample(3, k) for k in range(5)]


def test_smaller_clutter_still_stands_on_the_ground(small_catalogue: Catalogue) -> None:
    kept = sampler(small_catalogue, {"max_clutter": 0.8})
    standing = 0
    for index in range(10):
        for item in kept.sample(3, index).items[1:]:
            hull = small_catalogue.info(item.asset).hull
            assert (hull @ item.matrix()[:3, :3].T + item.location)[:, 2].min() == pytest.approx(0, abs=1e-9)
            standing += 1
    assert standing


def test_the_presets_of_classification_have_limits() -> None:
    for name in ("s2rda13", "visda13", "s2rda49-shapenet"):
        objects = load_config(name).objects
        assert objects.min_share == 0.06 and objects.max_clutter == 0.3


@pytest.mark.parametrize(("field", "value"), [("min_share", 0), ("min_share", 0.9), ("max_clutter", -1)])
def test_a_limit_that_cannot_be_is_refused(field: str, value: float) -> None:
    with pytest.raises(InputError, match=f"objects.{field}"):
        validate({"objects": {field: value}}, "test")


def test_drawn_labels_keep_to_the_limits(small_catalogue: Catalogue) -> None:
    pytest.importorskip("bpy", reason="needs Blender")
    from render.blender.stage import Stage
    from render.settings import DrawSettings

    kept = sampler(small_catalogue, LIMITS)
    stage = Stage(DrawSettings(samples=1, denoise=False, bounces=0), small_catalogue, kept.classes)
    for index in range(6):
        frame = stage.draw(kept.sample(3, index))
        main = int((frame.instance == 1).sum())
        others = int((frame.instance > 1).sum())
        # Cycles and our own triangles can differ on a pixel of the outline.
        assert main >= 0.05 * frame.instance.size - 2
        assert others <= 0.4 * main + 2

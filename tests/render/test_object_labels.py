"""Labels of single objects against rays cast by embree at the same meshes, and against numbers calculated by hand.

No renderer is involved: masks and depth come from the rays, so that only the labels' own arithmetic is on trial.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from render.image.labels import hull_box, mask_box, object_labels
from render.object_label import Keypoint, ObjectLabel
from scenes.assets.info import AssetInfo
from scenes.mesh import Model, Part
from scenes.record.camera import Camera
from scenes.record.scene import Background, Item, Scene, Sensor, World

pytest.importorskip("embreex", reason="needs embree to cast rays with")

IDENTITY = (1.0, 0.0, 0.0, 0.0)
# How deep keypoints of the unit models lie under the surface.
UNDER = 0.005


def part(mesh: trimesh.Trimesh, name: str = "body") -> Part:
    normals = np.repeat(mesh.face_normals[:, None], 3, axis=1).astype(np.float32)
    return Part(name, mesh.vertices.astype(np.float32), mesh.faces.astype(np.int32), normals)


def ball() -> Model:
    """A ball 0.6 wide with keypoints all over it, just under its surface."""
    sphere = trimesh.creation.icosphere(4, radius=0.3)
    k = np.arange(80) + 0.5
    height, turn = 1 - 2 * k / 80, math.pi * (1 + math.sqrt(5)) * k
    out = np.stack([np.sqrt(1 - height**2) * np.cos(turn), np.sqrt(1 - height**2) * np.sin(turn), height], axis=1)
    return Model((part(sphere),), {f"k{j}": point for j, point in enumerate(out * (0.3 - UNDER))})


def chair() -> Model:
    """A seat on four legs under a back: legs hide behind legs, the seat hides its underside."""
    boxes = [((0.4, 0.4, 0.04), (0, 0, 0)), ((0.4, 0.04, 0.4), (0, 0.18, 0.22))]
    boxes += [((0.05, 0.05, 0.4), (x, y, -0.22)) for x in (-0.17, 0.17) for y in (-0.17, 0.17)]
    parts, points = [], {}
    for j, (size, center) in enumerate(boxes):
        parts.append(part(trimesh.creation.box(size, trimesh.transformations.translation_matrix(center)), f"part{j}"))
        for axis in range(3):
            for side in (-1, 1):
                point = np.array(center, dtype=float)
                point[axis] += side * (size[axis] / 2 - UNDER)
                points[f"{j}.{'xyz'[axis]}{side}"] = point
    return Model(tuple(parts), points)


MODELS = {"ball": ball(), "chair": chair()}


def info(asset: str) -> AssetInfo:
    model = MODELS[asset]
    points = np.concatenate([p.vertices for p in model.parts]).astype(float)
    return AssetInfo(
        id=asset, category=asset, bounds=model.bounds, hull=points, stable=((IDENTITY, 1.0),), meters=None,
        triangles=model.triangles, parts=tuple(p.name for p in model.parts), roles={}, keypoints=model.keypoints,
    )  # fmt: skip


def item(
    asset: str = "ball", location: tuple[float, float, float] = (0, 0, 0), scale: float = 1.0, turn: float = 0.0
) -> Item:
    half = math.radians(turn) / 2
    return Item(asset, asset, "main", location, (math.cos(half), 0.0, 0.0, math.sin(half)), scale, {})


def scene(*items: Item, camera: Camera | None = None) -> Scene:
    return Scene(
        0, 0, items, World("", 0, 1), (), camera or Camera((0, -3, 1.2), (0, 0, 0), 0, 60, 160, 120),
        Background("none"), Sensor(),
    )  # fmt: skip


def mesh_of(one: Item) -> trimesh.Trimesh:
    parts = MODELS[one.asset].moved(one.matrix()).parts
    return trimesh.util.concatenate([trimesh.Trimesh(p.vertices, p.faces, process=False) for p in parts])


def cast(drawn: Scene) -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
    """Instance numbers and planar depth at the pixel centres."""
    camera = drawn.camera
    k, matrix = camera.intrinsics(), camera.world_to_camera()
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    local = np.stack([(x - k[0, 2]) / k[0, 0], (y - k[1, 2]) / k[1, 1], np.ones_like(x)], axis=-1).reshape(-1, 3)
    ways, eyes = local @ matrix[:3, :3], np.broadcast_to(np.array(camera.location, dtype=float), local.shape)
    instance, depth = np.zeros(len(ways), np.uint16), np.full(len(ways), np.inf, np.float32)
    for number, one in enumerate(drawn.items, start=1):
        points, rays, _ = mesh_of(one).ray.intersects_location(eyes, ways, multiple_hits=False)
        away = ((points - camera.location) @ matrix[2, :3]).astype(np.float32)
        nearer = away < depth[rays]
        instance[rays[nearer]], depth[rays[nearer]] = number, away[nearer]
    shape = (camera.height, camera.width)
    return instance.reshape(shape), depth.reshape(shape)


def labels(drawn: Scene) -> tuple[ObjectLabel, ...]:
    return object_labels(drawn, cast(drawn)[0], info, MODELS.__getitem__)


def free_path(
    meshes: list[trimesh.Trimesh], eye: NDArray[np.float64], number: int, point: NDArray[np.float64]
) -> tuple[bool, float]:
    """Whether a ray from the camera to a keypoint meets another object first, and how much of the way lies behind the
    first surface of its own: about `UNDER` where the keypoint is seen."""
    length = float(np.linalg.norm(point - eye))
    way = (point - eye) / length
    first = []
    for mesh in meshes:
        hits, *_ = mesh.ray.intersects_location([eye], [way], multiple_hits=False)
        first.append(min((float(np.linalg.norm(hit - eye)) for hit in hits), default=math.inf))
    return int(np.argmin(first)) + 1 != number, length - first[number - 1]


SCENES = {
    "a ball hides its back": scene(item()),
    "a small ball": scene(item(scale=0.05), camera=Camera((0, -0.15, 0.06), (0, 0, 0), 0, 60, 160, 120)),
    "a large ball": scene(item(scale=40.0), camera=Camera((30, -110, 50), (0, 0, 0), 15, 60, 160, 120)),
    "a chair hides its legs": scene(item("chair", turn=25), camera=Camera((1, -2, 1.5), (0, 0, 0), 0, 80, 200, 160)),
    "a chair from behind": scene(
        item("chair", scale=7, turn=200), camera=Camera((0, -15, 6), (0, 0, 0), 0, 80, 160, 200)
    ),
    "a ball before a chair": scene(
        item("chair", scale=2), item("ball", (0.1, -1, 0.3)), camera=Camera((0.2, -5, 1), (0, 0, 0), 0, 60, 240, 180)
    ),
    "a chair before a large ball": scene(
        item("ball", (0, 3, 0), 5.0),
        item("chair", turn=40, scale=1.5),
        camera=Camera((0, -4, 1), (0, 1, 0), 0, 50, 240, 180),
    ),
}


def test_keypoints_lie_where_the_camera_matrices_put_them() -> None:
    drawn = scene(item("chair", (0.2, 0.1, -0.1), 1.5, 70), camera=Camera((1, -3, 2), (0.1, 0, 0), 20, 45, 200, 150))
    camera, matrix = drawn.camera, drawn.items[0].matrix()
    found = labels(drawn)[0].keypoints
    assert list(found) == list(MODELS["chair"].keypoints)
    for key, point in MODELS["chair"].keypoints.items():
        x, y, z = camera.intrinsics() @ (camera.world_to_camera() @ matrix @ [*point, 1])[:3]
        assert (found[key].x, found[key].y) == pytest.approx((x / z, y / z))


# A camera at the origin's side that looks along +y: x is right, z is up, a metre is 100 pixels at depth 1.
STRAIGHT = Camera((0, 0, 0), (0, 1, 0), 0, 36, 100, 80)


def sheet(depth: float) -> Model:
    """A square of 100 m at the given depth before `STRAIGHT`; none if the depth is inf."""
    there = math.isfinite(depth)
    corners = np.array([(x, depth if there else 0, z) for x in (-50, 50) for z in (-50, 50)], np.float32)
    faces = np.array([[0, 1, 2], [1, 2, 3]] if there else np.empty((0, 3)), np.int32)
    return Model((Part("sheet", corners, faces, np.zeros((len(faces), 3, 3), np.float32)),))


def keypoint(
    point: tuple[float, float, float], own: float = math.inf, other: float = math.inf, scale: float = 1.0
) -> Keypoint | None:
    """The label of a keypoint at `point` in the world. Its object is a sheet at depth `own`, the other one at `other`.

    Both sheets keep their depth; the scale only says how large the object counts.
    """
    hull = np.array([[-50, 0.1, -50], [50, 3.0, 50]])
    points = {"own": {"k": np.array(point) / scale}, "other": {}}
    models = {"own": sheet(own / scale), "other": sheet(other)}
    items = (replace(item(scale=scale), asset="own"), replace(item(), asset="other"))
    one, _ = object_labels(
        scene(*items, camera=STRAIGHT),
        np.zeros((STRAIGHT.height, STRAIGHT.width), np.uint16),
        lambda asset: AssetInfo(asset, asset, np.zeros((2, 3)), hull, (), None, 0, (), {}, points[asset]),
        models.__getitem__,
    )
    return one.keypoints.get("k")


def visible(*arguments: float | tuple[float, float, float], **named: float) -> bool:
    found = keypoint(*arguments, **named)
    assert found is not None
    return found.visible


@pytest.mark.parametrize("scale", [0.1, 1.0, 20.0])
def test_its_own_surface_hides_a_keypoint_that_lies_three_hundredths_of_the_size_below(scale: float) -> None:
    assert visible((0, 2, 0), 2 - 0.029 * scale, scale=scale) and not visible((0, 2, 0), 2 - 0.031 * scale, scale=scale)
    # A surface behind the keypoint hides nothing, and a tip that the ray just misses is seen, too.
    assert visible((0, 2, 0), 2.5, scale=scale) and visible((0, 2, 0), scale=scale)


def test_the_way_below_the_surface_is_measured_along_the_ray() -> None:
    """The ray to the point is 1.118 times as long as its depth, so 0.03 of the ray are 0.02683 of depth."""
    assert visible((0.4, 1, 0.3), 1 - 0.0267) and not visible((0.4, 1, 0.3), 1 - 0.0270)


@pytest.mark.parametrize("own", [2.0, 1.99, 2.01, math.inf])
def test_another_object_hides_all_that_is_behind_it(own: float) -> None:
    assert keypoint((0, 2, 0), own, 2.1) == Keypoint(50, 40, True)
    assert visible((0, 2, 0), own, 2.02)
    assert not visible((0, 2, 0), own, min(own, 2.0) - 1e-4)
    assert not visible((0, 2, 0), own, 0.5)


def test_what_is_before_the_near_plane_hides_nothing() -> None:
    """The near plane is at 1 mm: a thousandth of the distance to the target."""
    assert STRAIGHT.near == 0.001
    assert visible((0, 2, 0), 2.0, 0.0009) and not visible((0, 2, 0), 2.0, 0.0011)


@pytest.mark.parametrize(
    ("x", "z", "inside"),
    [(-0.499, 0, True), (-0.501, 0, False), (0.499, 0, True), (0.501, 0, False), (0, 0.399, True), (0, 0.401, False),
     (0, -0.399, True), (0, -0.401, False), (-0.499, 0.399, True), (0.499, -0.399, True)],
)  # fmt: skip
def test_a_keypoint_beside_the_picture_is_not_seen(x: float, z: float, inside: bool) -> None:
    found = keypoint((x, 1, z), 1.0)
    assert found is not None
    assert (found.x, found.y) == pytest.approx((50 + 100 * x, 40 - 100 * z))
    assert found.visible is inside


def test_a_keypoint_behind_the_camera_has_no_place_in_the_picture() -> None:
    assert keypoint((0, -2, 0), 1.0) is None
    assert keypoint((0, 0.0009, 0)) is None
    assert keypoint((0, 0.0011, 0)) is not None


def test_a_model_without_keypoints_has_none() -> None:
    bare = replace(info("ball"), keypoints={})
    drawn = scene(item())
    (label,) = object_labels(drawn, cast(drawn)[0], lambda _: bare, MODELS.__getitem__)
    assert label.keypoints == {}


# Boxes -------------------------------------------------------------------------------------------------------------


def test_the_box_of_a_mask_is_around_its_pixels() -> None:
    mask = np.zeros((9, 12), bool)
    assert mask_box(mask) is None
    mask[3, 5] = True
    assert mask_box(mask) == (5, 3, 6, 4)
    mask[6, 2] = True
    assert mask_box(mask) == (2, 3, 6, 7)
    assert mask_box(np.ones((9, 12), bool)) == (0, 0, 12, 9)


def test_the_amodal_box_is_of_the_whole_projection() -> None:
    drawn = scene(item("chair", (0.3, 0.2, 0.1), 1.3, 30), camera=Camera((2, -3, 1), (0, 0, 0), 10, 50, 200, 150))
    camera, (one,) = drawn.camera, drawn.items
    corners = mesh_of(one).vertices
    pixels = (camera.intrinsics() @ (camera.world_to_camera() @ np.c_[corners, np.ones(len(corners))].T)[:3]).T
    flat = pixels[:, :2] / pixels[:, 2:]
    assert hull_box(camera, one, info("chair")) == pytest.approx([*flat.min(axis=0), *flat.max(axis=0)], abs=1e-3)


def plane(width: float, height: float, x: float = 0, z: float = 0) -> AssetInfo:
    """A rectangle at depth 1 before `STRAIGHT`, its centre x to the right and z up."""
    corners = [(x + a * width / 2, 1.0, z + b * height / 2) for a in (-1, 1) for b in (-1, 1)]
    return AssetInfo("plane", "plane", np.zeros((2, 3)), np.array(corners), (), None, 0, ("sheet",), {})


@pytest.mark.parametrize(
    ("sheet", "share"),
    [
        (plane(0.2, 0.2), 0.0), (plane(1.0, 0.8), 0.0),
        (plane(0.4, 0.2, x=0.5), 0.5), (plane(0.4, 0.2, x=-0.5), 0.5),
        (plane(0.4, 0.2, x=0.4), 0.25), (plane(0.4, 0.2, x=-0.6), 0.75),
        (plane(0.4, 0.4, z=0.4), 0.5), (plane(0.4, 0.4, z=-0.3), 0.25), (plane(0.4, 0.4, z=0.3), 0.25),
        (plane(0.2, 0.2, 0.5, 0.4), 0.75), (plane(2.0, 1.6), 0.75), (plane(0.2, 0.2, x=2), 1.0),
        (plane(0.2, 0.2, z=-3), 1.0), (plane(0.2, 0.2, 2, 3), 1.0),
        (plane(0.2, 0.2, -2, -3), 1.0), (plane(0.2, 0), 0.0), (plane(0.2, 0, z=2), 1.0),
    ],
)  # fmt: skip
def test_truncation_is_the_share_of_the_box_outside_the_picture(sheet: AssetInfo, share: float) -> None:
    drawn = scene(item(), camera=STRAIGHT)
    nothing = np.zeros((80, 100), np.uint16)
    (label,) = object_labels(drawn, nothing, lambda _: sheet, MODELS.__getitem__)
    assert label.truncation == pytest.approx(share, abs=1e-9)


def crossing(front: float, back: float) -> tuple[AssetInfo, Model]:
    """A strip 0.2 m wide on the plane z = -0.1 that reaches from y = back to y = front, and its facts."""
    corners = np.array([(x, y, -0.1) for y in (back, front) for x in (-0.1, 0.1)], np.float32)
    strip = Part("strip", corners, np.array([[0, 1, 2], [1, 2, 3]], np.int32), np.zeros((2, 3, 3), np.float32))
    facts = AssetInfo("strip", "strip", np.zeros((2, 3)), corners.astype(float), (), None, 2, ("strip",), {})
    return facts, Model((strip,))


@pytest.mark.parametrize(
    ("front", "back", "box"),
    [
        # At depth 2, 0.1 m are 5 pixels; at the near plane, at a depth of 0.001 m, they are 10000.
        (2.0, 1.0, (40, 45, 60, 50)), (2.0, -3.0, (-9950, 45, 10050, 10040)), (2.0, 0.0, (-9950, 45, 10050, 10040)),
        (0.0009, -3.0, None), (-1.0, -3.0, None),
    ],
)  # fmt: skip
def test_an_object_is_cut_at_the_near_plane_before_its_box_is_taken(
    front: float, back: float, box: tuple[float, ...] | None
) -> None:
    facts, strip = crossing(front, back)
    (label,) = object_labels(
        scene(item(), camera=STRAIGHT), np.zeros((80, 100), np.uint16), lambda _: facts, lambda _: strip
    )
    assert label.amodal_box == (None if box is None else pytest.approx(box, abs=0.01))
    # 100 x 35 pixels of the box lie in the picture.
    cut = 1.0 if box is None else 0.0 if back == 1 else 1 - 100 * 35 / (20000 * 9995)
    assert label.truncation == pytest.approx(cut, abs=1e-9)


def test_what_crosses_the_camera_plane_counts_whole_for_visibility() -> None:
    """A floor that starts behind the camera fills the rows below y = 45. A wall at depth 1 hides 20 of its columns."""
    floor, wall = crossing(2.0, -3.0), plane(0.2, 1.6)
    corners = wall.hull.astype(np.float32)
    models = {
        "floor": Model((replace(floor[1].parts[0], vertices=floor[1].parts[0].vertices * [100, 1, 1]),)),
        "wall": Model((Part("wall", corners, floor[1].parts[0].faces, np.zeros((2, 3, 3), np.float32)),)),
    }
    instance = np.zeros((80, 100), np.uint16)
    instance[45:] = 1
    instance[:, 40:60] = 2
    items = (replace(item(), asset="floor"), replace(item(), asset="wall"))
    facts = {"floor": floor[0], "wall": wall}
    behind, _ = object_labels(scene(*items, camera=STRAIGHT), instance, facts.__getitem__, models.__getitem__)
    assert behind.visibility == pytest.approx(0.8)


# Visibility --------------------------------------------------------------------------------------------------------


def test_labels_come_in_the_order_of_the_items_with_what_the_items_say() -> None:
    drawn = SCENES["a ball before a chair"]
    first, second = labels(drawn)
    assert (first.instance, first.asset, first.category, first.purpose) == (1, "chair", "chair", "main")
    assert (second.instance, second.asset) == (2, "ball")
    assert first.parts == tuple(f"part{k}" for k in range(6)) and second.parts == ("body",)
    assert 0.1 < first.visibility < 0.95 and second.visibility == 1


def test_what_is_wholly_hidden_or_outside_is_not_visible() -> None:
    camera = Camera((0, -6, 0), (0, 0, 0), 0, 50, 120, 90)
    hidden = scene(item("ball", scale=0.2), item("ball", (0, -2, 0), 2.0), camera=camera)
    small, large = labels(hidden)
    assert (small.pixels, small.visibility, small.box) == (0, 0.0, None) and large.visibility == 1
    (outside,) = labels(scene(item("ball", (50, 0, 0)), camera=camera))
    assert (outside.pixels, outside.visibility, outside.truncation) == (0, 0.0, 1.0)


def test_an_object_with_none_before_it_and_no_keypoints_is_not_rasterized() -> None:
    """Its own pixels are all there are, so its triangles are left alone."""

    def bare(asset: str) -> AssetInfo:
        return replace(info(asset), keypoints={})

    apart = scene(
        item("ball", (-0.8, 0, 0)), item("ball", (0.8, 0, 0)), item("ball", (0, 0, 0.9), 0.5),
        camera=Camera((0, -6, 0), (0, 0, 0), 0, 50, 160, 120),
    )  # fmt: skip

    def no_model(asset: str) -> Model:
        raise AssertionError(f"{asset} was rasterized")

    assert [label.visibility for label in object_labels(apart, cast(apart)[0], bare, no_model)] == [1, 1, 1]


@pytest.mark.parametrize(("x", "z"), [(0.35, 0), (-0.35, 0), (0, 0.35), (0, -0.35), (0.3, 0.3), (-0.3, -0.3)])
def test_what_is_hidden_from_any_side_is_found(x: float, z: float) -> None:
    camera = Camera((0, -6, 0), (0, 0, 0), 0, 90, 160, 120)
    drawn = scene(item("ball"), item("ball", (x, -1, z)), camera=camera)
    behind, before = labels(drawn)
    alone = int((cast(replace(drawn, items=drawn.items[:1]))[0] == 1).sum())
    assert behind.visibility == pytest.approx(behind.pixels / alone, abs=0.01)
    assert behind.visibility < 0.85 and before.visibility == 1


# Against rays, in scenes of several sizes ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("share", [0.25, 1.0], ids=["small", "whole"])
def test_keypoints_are_seen_where_rays_reach_them(name: str, share: float) -> None:
    """All of them, at any size of the picture, but for rays that end within rounding of the limit."""
    camera = SCENES[name].camera
    size = (round(camera.width * share), round(camera.height * share))
    drawn = replace(SCENES[name], camera=replace(camera, width=size[0], height=size[1]))
    meshes, eye = [mesh_of(one) for one in drawn.items], np.array(drawn.camera.location, dtype=float)
    counts = {"seen": 0, "hidden by itself": 0, "hidden by another": 0}
    for label, one in zip(labels(drawn), drawn.items, strict=True):
        matrix = one.matrix()
        for key, point in MODELS[one.asset].keypoints.items():
            found = label.keypoints[key]
            behind_another, under = free_path(meshes, eye, label.instance, matrix[:3, :3] @ point + matrix[:3, 3])
            under /= one.scale
            if not (0 <= found.x < size[0] and 0 <= found.y < size[1]):
                assert not found.visible
            elif behind_another or under > 0.03 + 1e-5:
                counts["hidden by another" if behind_another else "hidden by itself"] += 1
                assert not found.visible, f"{key} lies {under:.3f} behind a surface"
            elif under < 0.03 - 1e-5:
                counts["seen"] += 1
                assert found.visible, f"{key} lies {under:.3f} under its surface"
    assert counts["seen"] >= 5 and counts["hidden by itself"] >= 5, counts
    assert counts["hidden by another"] >= (3 if len(drawn.items) > 1 else 0), counts


@pytest.mark.parametrize("name", SCENES)
def test_visibility_is_of_the_pixels_without_the_others(name: str) -> None:
    drawn = SCENES[name]
    instance, _ = cast(drawn)
    for label, one in zip(labels(drawn), drawn.items, strict=True):
        alone = int((cast(replace(drawn, items=(one,)))[0] == 1).sum())
        assert label.pixels == int((instance == label.instance).sum())
        assert label.visibility == pytest.approx(label.pixels / alone, abs=0.01)
        assert label.box == mask_box(instance == label.instance)

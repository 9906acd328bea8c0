"""Cracked surfaces: their mesh, their scenes, and their labels against rays cast at the same mesh."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from render.catalogue import studio_folder
from render.dataset.checks import CHECKS
from render.frame import PICTURES, Frame
from render.image.color import from_srgb
from render.image.decal_width import stretch
from render.settings import DrawSettings
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import validate
from scenes.cracks.contour import OPEN, Contour, Stroke
from scenes.cracks.raster import distance
from scenes.cracks.relief import Band, Profile, Relief, relief
from scenes.cracks.strips import Pixels
from scenes.errors import InputError
from scenes.materials.albedo import mean_color
from scenes.materials.grain import graininess
from scenes.materials.masonry import COURSES, bond_of
from scenes.record.camera import Camera
from scenes.record.scene import Scene
from scenes.record.surface import Surface
from scenes.sampling.scene import Sampler
from scenes.sampling.surface import visible_depth
from scenes.sampling.surface_geometry import contour_of, decal_contour, filled_of, on_surface, relief_of

SIZE = 128


def sampler(catalogue: Catalogue, **surface: Any) -> Sampler:
    config = {"surface": surface, "camera": {"resolution": [SIZE, SIZE]}, "lighting": {"world": {"hdri": ""}}}
    return Sampler(validate(config, "test"), catalogue)


def straight(width: float = 4.0, size: float = 60.0) -> Contour:
    points = np.column_stack([np.linspace(-5, size + 5, 40), np.linspace(20, 41, 40)])
    return Contour((Stroke(points, np.full(40, width)),), (), (size, size))


def solid(made: Relief) -> trimesh.Trimesh:
    """The mesh with y upwards."""
    return trimesh.Trimesh(made.vertices * (1, -1, 1), made.faces, process=False)


# Relief --------------------------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32),
    width=st.floats(0.05, 20),
    depth=st.floats(0, 20),
    fill=st.floats(0, 1),
    raised=st.floats(-3, 3),
    cell=st.floats(0.3, 3),
)
def test_relief_is_closed_and_sound(
    seed: int, width: float, depth: float, fill: float, raised: float, cell: float
) -> None:
    profile = Profile(depth=depth, fill=fill, grains=0.2, reach=width, raised=raised, crumble=0.3)
    made = relief(straight(width), profile, cell, np.random.default_rng(seed))
    assert np.isfinite(made.vertices).all() and np.isfinite(made.distance).all()
    mesh = solid(made)
    edges, uses = np.unique(
        np.sort(mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0, return_counts=True
    )
    assert uses.max() == 2 and mesh.is_winding_consistent
    border = made.vertices[edges[uses == 1].ravel(), :2]
    assert (((border == 0) | (border == made.vertices[:, :2].max(axis=0))).any(axis=1)).all()
    # Seen from outside the whole patch is there once: the crack overhangs nowhere.
    shadow = mesh.area_faces * mesh.face_normals[:, 2]
    assert shadow.sum() == pytest.approx(np.prod(made.vertices[:, :2].max(axis=0)), rel=1e-3)
    assert shadow.min() > -1e-4


def test_the_lips_are_cut_where_the_contour_says() -> None:
    made = relief(straight(4.0), Profile(), 0.5, np.random.default_rng(0))
    mesh = solid(made)
    flat = (mesh.area_faces * mesh.face_normals[:, 2])[made.inside].sum()
    high = made.vertices[:, :2].max(axis=0)
    assert flat == pytest.approx(4.0 * high[0] * np.hypot(1, 21 / 70), rel=0.02)
    assert made.vertices[:, 2].min() < -2
    inner = made.distance[made.faces[made.inside]]
    assert inner.max() <= 1e-3 and made.distance[made.faces[~made.inside]].min() >= -1e-6


def test_no_crack_is_level_and_coarse() -> None:
    made = relief(Contour((), (), (100.0, 80.0)), Profile(), 0.5, np.random.default_rng(0))
    assert not made.inside.any() and not made.vertices[:, 2].any() and len(made.faces) < 1200


def test_bad_cells_are_refused() -> None:
    with pytest.raises(InputError, match="cells of 0 mm"):
        relief(straight(), Profile(), 0.0, np.random.default_rng(0))


# Scenes --------------------------------------------------------------------------------------------------------


def test_a_scene_with_a_surface_survives_json(small_catalogue: Catalogue) -> None:
    drawn = sampler(small_catalogue)
    assert drawn.classes == ("crack",)
    for index in range(12):
        scene = drawn.sample(3, index)
        assert Scene.from_json(scene.to_json()) == scene == drawn.sample(3, index)
    assert drawn.sample(3, 0) != drawn.sample(4, 0)


def test_the_patch_fills_the_picture(small_catalogue: Catalogue) -> None:
    drawn = sampler(small_catalogue, obliqueness={"uniform": [0, 75]})
    for index in range(40):
        scene = drawn.sample(0, index)
        assert scene.surface is not None
        corners = np.array([[0, 0], [SIZE, 0], [0, SIZE], [SIZE, SIZE]], float)
        at = on_surface(scene.camera, scene.surface, corners) - scene.surface.corner
        assert (at > 0).all() and (at < scene.surface.size).all()
        assert max(scene.surface.size) < 12 * SIZE * scene.surface.pixel


def test_a_crack_wider_than_the_patch_is_refused(small_catalogue: Catalogue) -> None:
    scene = sampler(small_catalogue, crack={"present": True, "width": 900}).sample(0, 0)
    with pytest.raises(InputError, match=r"width .* mm does not fit a patch"):
        contour_of(scene)


# Pictures ------------------------------------------------------------------------------------------------------


def draw(scenes: list[Scene], catalogue: Catalogue, samples: int = 4) -> list[Frame]:
    from render.blender.stage import Stage

    stage = Stage(DrawSettings(samples=samples, denoise=False, bounces=1, threads=1), catalogue, ("crack",))
    return [stage.draw(scene) for scene in scenes]


def cast(scene: Scene) -> np.ndarray:
    """(H, W) bool: whether the ray through a pixel's centre first meets the surface between the lips."""
    pytest.importorskip("embreex", reason="needs embree to cast rays with")
    assert scene.surface is not None
    made = relief_of(scene, contour_of(scene))
    mesh = solid(made)
    mesh.vertices += (*np.multiply(scene.surface.corner, (1, -1)), 0)
    camera, k = scene.camera, scene.camera.intrinsics()
    x, y = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5)
    local = np.stack([(x - k[0, 2]) / k[0, 0], (y - k[1, 2]) / k[1, 1], np.ones_like(x)], axis=-1).reshape(-1, 3)
    frame = scene.surface.frame()[:3, :3]
    ways = local @ camera.world_to_camera()[:3, :3] @ frame
    eye = 1000 * np.array(camera.location) @ frame
    face = mesh.ray.intersects_first(np.broadcast_to(eye, ways.shape), ways)
    # Embree's fast mode lets a ray through the edge of two triangles now and then.
    assert (face >= 0).mean() > 0.999
    return (made.inside[face] & (face >= 0)).reshape(SIZE, SIZE)


def test_masks_are_those_of_rays(small_catalogue: Catalogue) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    crack = {"present": True, "width": {"uniform": [3, 9]}}
    drawn = sampler(small_catalogue, crack=crack, obliqueness={"uniform": [0, 60]}, family="plaster")
    scenes = [drawn.sample(5, index) for index in range(6)]
    ours = theirs = both = 0
    for scene, frame in zip(scenes, draw(scenes, small_catalogue), strict=True):
        truth, mask = cast(scene), frame.category == 1
        # Cracks of less than 0.4 pixels are not labeled.
        narrow = (frame.width > 0) & (frame.width < 0.4 * 1000 * frame.depth / frame.intrinsics[0, 0])
        assert not mask[narrow].any()
        truth &= ~narrow
        both, ours, theirs = both + (truth & mask).sum(), ours + mask.sum(), theirs + truth.sum()
        assert np.isfinite(frame.depth).all() and frame.normals.any(axis=-1).all()
        assert (frame.width > 0)[mask].all() and not (frame.width > 0)[frame.alpha == 0].any()
        assert frame.skeleton.sum() > SIZE / 4 and (frame.alpha[frame.skeleton == 1] > 0).all()
        assert abs((frame.alpha / 255).mean() - truth.mean()) < 0.1 * truth.mean() + 2e-3
    assert ours > 1500
    assert both / (ours + theirs - both) >= 0.99


def test_what_lies_on_a_crack_hides_it(small_catalogue: Catalogue) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    crack = {"present": True, "width": 8, "kind": "midpoint"}
    bare = sampler(small_catalogue, crack=crack, family="plaster", obliqueness=0)
    strewn = sampler(
        small_catalogue, crack=crack, family="plaster", obliqueness=0,
        debris={"count": 12, "kind": {"choice": ["leaf", "twig", "cable", "pebble"]}, "size": 50},
        joints={"count": 1}, marks={"count": 3}, shadow_casters={"count": 1},
    )  # fmt: skip
    clean, covered = draw([bare.sample(2, 1), strewn.sample(2, 1)], small_catalogue, samples=1)
    assert Scene.from_json(covered.scene.to_json()) == covered.scene
    hidden = (clean.category == 1) & (covered.category == 0)
    shown = (clean.category == 0) & (covered.category == 1)
    nearer = covered.depth < clean.depth - 1e-5
    assert hidden.sum() > 30 and shown.sum() <= 2
    assert nearer[hidden].mean() > 0.95
    assert not [fault for check in CHECKS.values() for fault in check(covered, ("crack",))]


def test_a_crack_through_an_object(small_catalogue: Catalogue) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    config = {
        "objects": {"category": "mug", "crack": {"present": True, "width": 5, "kind": "midpoint"}},
        "camera": {"resolution": [SIZE, SIZE], "framing": 1.1},
        "background": {"kind": "color"},
    }
    drawn = Sampler(validate(config, "test"), small_catalogue)
    assert drawn.classes == ("crack",)
    scenes = [drawn.sample(0, index) for index in range(4)]
    found, leaning, both, either, ratios = 0, 0, 0, 0, list[float]()
    for scene, frame in zip(scenes, draw(scenes, small_catalogue), strict=True):
        assert Scene.from_json(scene.to_json()) == scene
        assert scene.decal is not None and scene.main is not None
        contour, decal, item = decal_contour(scene, scene.decal), scene.decal, scene.main
        rows, columns = np.nonzero(frame.instance == 1)
        # Back from depth to the model, and from there to the patch that was projected on it.
        k, depth = frame.intrinsics, frame.depth[rows, columns]
        local = np.column_stack(
            [(columns + 0.5 - k[0, 2]) / k[0, 0], (rows + 0.5 - k[1, 2]) / k[1, 1], np.ones(len(rows))]
        )
        camera = np.column_stack([local * depth[:, None], np.ones(len(rows))])
        model = (camera @ np.linalg.inv(frame.world_to_camera).T @ np.linalg.inv(item.matrix()).T)[:, :3]
        at = np.column_stack([model @ decal.right, model @ decal.down]) * item.scale * 1000 + decal.size / 2
        texel = decal.size / 2048
        image = distance(contour, Pixels((2048, 2048), texel))
        column, row = np.clip((at / texel).astype(int), 0, 2047).T
        truth = image[row, column] < 0
        ours = frame.category[rows, columns] == 1
        found += ours.sum()
        both, either = both + (truth & ours).sum(), either + (truth | ours).sum()
        assert not frame.category[frame.instance != 1].any()
        assert (frame.width > 0)[frame.category == 1].all()
        assert not [fault for check in CHECKS.values() for fault in check(frame, ("crack",))]
        # The triangle below a pixel takes two steps on the patch, along and across the crack, to two steps in space.
        parts = small_catalogue.model(item.asset).parts
        mesh = trimesh.util.concatenate([trimesh.Trimesh(p.vertices, p.faces, process=False) for p in parts])
        eye = np.linalg.inv(item.matrix()) @ [*scene.camera.location, 1]
        rays = np.flatnonzero(ours)
        _, hit, face = mesh.ray.intersects_location(
            np.broadcast_to(eye[:3], (len(rays), 3)), model[rays] - eye[:3], multiple_hits=False
        )
        strokes = [stroke for stroke in contour.strokes if stroke.kind in OPEN]
        points = np.concatenate([stroke.points for stroke in strokes])
        ways = np.concatenate([np.gradient(stroke.points, axis=0) for stroke in strokes])
        near = np.linalg.norm(points - at[rays[hit], None], axis=2).argmin(axis=1)
        flat = np.concatenate([stroke.widths for stroke in strokes])[near]
        normal, out = mesh.face_normals[face], np.cross(decal.right, decal.down)
        along = ways[near] / np.linalg.norm(ways[near], axis=1, keepdims=True)

        steps = [way @ np.stack([decal.right, decal.down]) for way in (along, along[:, ::-1] * [-1, 1])]
        # Each step is moved along the direction of projection until it lies in the triangle.
        ahead = [(step * normal).sum(axis=1) / (normal @ out) for step in steps]
        one, other = (step - out * far[:, None] for step, far in zip(steps, ahead, strict=True))
        wide = flat * np.linalg.norm(np.cross(one, other), axis=1) / np.linalg.norm(one, axis=1)
        label = frame.width[rows, columns][rays[hit]].astype(float)
        plain = flat > 0
        ratios += (label[plain] / np.minimum(wide, 20 * flat)[plain]).tolist()
        leaning += (wide[plain] > 1.3 * flat[plain]).sum()
    assert both >= 0.93 * either
    assert found > 200
    # Rounded edges have smooth normals, and a few pixels are between two strokes.
    assert np.quantile(ratios, [0.1, 0.5, 0.9]) == pytest.approx([1, 1, 1], abs=0.15)
    assert leaning > 30


def test_a_surface_that_leans_across_a_crack_makes_it_wider() -> None:
    """At 60 degrees, the width doubles. Leaning along the crack changes nothing; at 45 degrees between both, half of
    the lean counts."""
    points = np.array([[0.0, 5.0], [5.0, 5.0], [10.0, 5.0]])
    contour = Contour((Stroke(points, np.ones(3)),), (), (10.0, 10.0))
    sine, cosine = math.sin(math.radians(60)), 0.5
    normals = np.array([[0, 0, 1], [0, sine, -cosine], [0, -sine, -cosine], [sine, 0, cosine],
                        [sine / 2**0.5, sine / 2**0.5, cosine], [0, 1, 0]])  # fmt: skip
    at = np.tile([5.0, 5.2], (len(normals), 1))
    expected = [1, 2, 2, 1, 1 / math.sqrt(1 - 3 / 8), 20]
    assert stretch(contour, at, normals) == pytest.approx(expected)
    turned = Contour((Stroke(points[:, ::-1], np.ones(3)),), (), (10.0, 10.0))
    assert stretch(turned, at[:, ::-1], normals[:, [1, 0, 2]]) == pytest.approx(expected)


def test_no_crack_runs_through_a_drink(tmp_path: Path) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    catalogue = Catalogue(shapes={"mug": 4}, studio=studio_folder(), cache=tmp_path)
    config = {
        "objects": {"crack": {"present": True, "width": 8, "kind": "alligator"}},
        "camera": {"resolution": [SIZE, SIZE], "framing": 1.1, "elevation": 70},
    }
    drawn = Sampler(validate(config, "test"), catalogue)
    scenes = [scene for scene in map(drawn.sample, [0] * 8, range(8)) if scene.items[0].asset == "shape:mug:3"]
    drink = catalogue.info("shape:mug:3").parts.index("drink") + 1
    frames = draw(scenes, catalogue, samples=1)
    assert any((frame.part == drink).sum() > 200 for frame in frames)
    for frame in frames:
        assert frame.category.any() and not frame.category[frame.part == drink].any()


def test_an_object_without_a_crack_has_the_same_labels_and_all_are_empty(small_catalogue: Catalogue) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    config = {"objects": {"category": "mug", "crack": {}}, "camera": {"resolution": [SIZE, SIZE]}}
    scenes = [
        Sampler(
            validate(config | {"objects": config["objects"] | {"crack": {"present": there}}}, "test"), small_catalogue
        )
        for there in (True, False)
    ]
    cracked, bare = draw([sampler.sample(0, 0) for sampler in scenes], small_catalogue, samples=1)
    assert [name for name in PICTURES if getattr(cracked, name) is None] == [
        name for name in PICTURES if getattr(bare, name) is None
    ]
    assert cracked.category.any() and cracked.alpha.any() and bare.instance.any()
    for name in ("category", "alpha", "width", "skeleton"):
        assert not getattr(bare, name).any(), name
    assert bare.label == -1
    assert not [fault for check in CHECKS.values() for fault in check(bare, ("crack",))]


def test_without_a_crack_there_is_nothing_to_label(small_catalogue: Catalogue) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    scene = sampler(small_catalogue, crack={"present": False}).sample(0, 0)
    (frame,) = draw([scene], small_catalogue, samples=1)
    assert frame.label == -1 and frame.objects == ()
    for name in ("category", "instance", "part", "alpha", "width", "skeleton"):
        assert not getattr(frame, name).any(), name


def test_pictures_do_not_depend_on_what_was_drawn_before(small_catalogue: Catalogue) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    drawn = sampler(small_catalogue, family={"choice": ["stucco", "road", "cast"]})
    scenes = [drawn.sample(1, index) for index in range(4)]
    forward, backward = draw(scenes, small_catalogue), draw(scenes[::-1], small_catalogue)[::-1]
    for a, b in zip(forward, backward, strict=True):
        for name in ("rgb", "depth", "category", "alpha", "normals", "width", "skeleton"):
            assert np.array_equal(getattr(a, name), getattr(b, name)), name
    assert len({frame.rgb.tobytes() for frame in forward}) == 4


# What is no crack -----------------------------------------------------------------------------------------------


def test_bands_are_raised_sunk_and_told() -> None:
    empty = Contour((), (), (60.0, 60.0))
    seal = relief(empty, Profile(), 0.5, np.random.default_rng(0), (Band(straight(12.0), 1.5, 2.0, filled=True),))
    assert not seal.inside.any() and seal.vertices[:, 2].max() == pytest.approx(1.5) and seal.vertices[:, 2].min() == 0
    high = seal.vertices[seal.filled < -2.5, 2]
    assert len(high) > 100 and seal.vertices[(seal.filled > 2.5), 2].max() == 0
    assert (high[1:] > 1.4).mean() > 0.9
    joint = relief(empty, Profile(), 0.5, np.random.default_rng(0), (Band(straight(12.0), -1.5, 2.0),))
    assert joint.vertices[:, 2].min() == pytest.approx(-1.5) and joint.filled.min() == 1000


def test_seals_are_seen_and_not_labelled(small_catalogue: Catalogue) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    common = {"crack": {"present": False}, "family": "plaster", "obliqueness": 0}
    common |= {name: {"count": 0} for name in ("marks", "debris", "shadow_casters", "joints")}
    seals = {"count": 1, "width": 30, "kind": "midpoint", "value": 0.1, "amount": 1, "saturation": 0}
    sealed = sampler(small_catalogue, **common, seals=seals).sample(4, 0)
    assert Scene.from_json(sealed.to_json()) == sealed and sealed.surface is not None
    (covered,) = draw([sealed], small_catalogue)
    (band,) = filled_of(sealed, contour_of(sealed))
    corner = on_surface(sealed.camera, sealed.surface, np.array([[0.0, 0.0], [SIZE, 0.0]])) - sealed.surface.corner
    scale = float(np.hypot(*(corner[1] - corner[0]))) / SIZE
    turned = np.degrees(np.arctan2(*(corner[1] - corner[0])[::-1]))
    assert abs(turned) < 25
    away = distance(band.contour.moved(*-corner[0]).rotated(-turned, (0.0, 0.0)), Pixels((SIZE, SIZE), scale))
    gray = covered.rgb.mean(axis=2)
    assert (away < -3 * scale).sum() > 300
    assert np.percentile(gray[away < -3 * scale], 95) < np.percentile(gray[away > 4 * scale], 5) - 40
    assert not covered.category.any() and not covered.alpha.any()


def test_covers_lie_on_floors_and_hide_cracks(small_catalogue: Catalogue) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    common = {"crack": {"present": True, "width": 8}, "debris": {"count": 0}, "family": "road", "obliqueness": 0}
    covers = {"count": 1, "size": 110, "kind": {"choice": ["manhole", "grate"]}}
    wall = sampler(small_catalogue, **common, covers=covers, placement="wall").sample(3, 0).surface
    assert wall is not None and wall.debris == ()
    floor = sampler(small_catalogue, **common, covers=covers, placement="floor")
    without = sampler(small_catalogue, **common, covers={"count": 0}, placement="floor")
    hidden = 0
    for seed in range(4):
        clean, covered = draw([without.sample(seed, 0), floor.sample(seed, 0)], small_catalogue, samples=1)
        hidden += ((clean.category == 1) & (covered.category == 0)).sum()
        assert ((clean.category == 0) & (covered.category == 1)).sum() <= 2
        assert (covered.depth < clean.depth - 1e-4).mean() > 0.02
    assert hidden > 100


@pytest.mark.parametrize("family", sorted(COURSES))
def test_bonds_are_where_the_material_lays_its_joints(small_catalogue: Catalogue, family: str) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    light = {"mortar": 0.9} if family != "tiles" else {"grout": 0.92, "contrast": 0.0, "saturation": 0.0}
    parameters = {**light, "value": 0.3}
    config = {
        "surface": {
            "family": family, "placement": "wall", "obliqueness": 0, "side": 0, "scale": 4.0,
            "marks": {"count": 0}, "debris": {"count": 0}, "joints": {"count": 0}, "shadow_casters": {"count": 0},
            "seals": {"count": 0}, "crack": {"present": False}, "parameters": {family: parameters},
        },
        "camera": {"resolution": [SIZE, SIZE], "roll": 0}, "lighting": {"world": {"hdri": ""}},
    }  # fmt: skip
    drawn = Sampler(validate(config, "test"), small_catalogue)
    scenes = [drawn.sample(seed, 0) for seed in range(3)]
    for scene, frame in zip(scenes, draw(scenes, small_catalogue), strict=True):
        surface = scene.surface
        assert surface is not None
        bond = bond_of(surface.material, surface.corner)
        assert bond is not None
        y, x = np.mgrid[:SIZE, :SIZE] + 0.5
        at = on_surface(scene.camera, surface, np.column_stack([x.ravel(), y.ravel()])) - surface.corner
        boxes = bond.bricks(surface.size)
        rim = 0.25 * bond.joint
        wide, narrow = boxes + np.multiply(rim, (-1, -1, 1, 1)), boxes + np.multiply(0.1 * bond.height, (1, 1, -1, -1))
        gray = frame.rgb.mean(axis=2).ravel()
        mortar, brick = gray[~_in_any(at, wide)], gray[_in_any(at, narrow)]
        assert len(mortar) > 100 and len(brick) > 3000
        assert np.median(mortar) > np.percentile(brick, 80) + 10


def _in_any(at: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(n,) whether points (n, 2) lie in one of boxes (k, 4)."""
    x, y = at[:, :1], at[:, 1:]
    return np.any((x > boxes[:, 0]) & (x < boxes[:, 2]) & (y > boxes[:, 1]) & (y < boxes[:, 3]), axis=1)


@pytest.mark.parametrize(
    ("depth", "fill", "inside", "surface", "least", "expected"),
    [
        # At sqrt(3) / 2 widths, half of the sky is seen. Walls of albedo 0.5 make 2/3 of its light of that.
        (0.2, 0.0, 0.5, 0.5, 1 / 3, 3**0.5 / 2), (0.9, 0.0, 0.5, 0.5, 1 / 3, 0.9), (0.2, 0.0, 0.5, 0.5, 0.0, 0.2),
        # Half of the depth is filled, or dark dirt is enough, or light dirt takes the darkness away.
        (0.2, 0.5, 0.5, 0.5, 1 / 3, 3**0.5), (0.2, 0.0, 0.2, 0.5, 0.4, 0.2), (0.5, 0.0, 0.5, 0.4, 1 / 6, 3**0.5 / 2),
        # Much lighter than the surface is visible, too, and a crack that is filled to the brim has no open depth.
        (0.2, 0.0, 0.6, 0.2, 0.3, 0.2), (0.2, 1.0, 0.5, 0.5, 0.3, 0.2),
    ],
)  # fmt: skip
def test_a_faint_crack_is_made_deeper(
    depth: float, fill: float, inside: float, surface: float, least: float, expected: float
) -> None:
    assert visible_depth(depth, fill, inside, surface, least) == pytest.approx(expected)


def test_the_least_darkness_changes_the_depth_alone(small_catalogue: Catalogue) -> None:
    faint = {"present": True, "depth": 0.2, "fill": 0, "dirt": 0}
    plain, seen = (sampler(small_catalogue, crack={**faint, "visible": least}).sample(3, 0) for least in (0.0, 0.4))
    assert plain.surface is not None and plain.surface.crack is not None and plain.surface.crack.depth == 0.2
    assert seen.surface is not None and seen.surface.crack is not None and seen.surface.crack.depth > 0.5
    depth = seen.surface.crack.depth
    assert seen == replace(plain, surface=replace(plain.surface, crack=replace(plain.surface.crack, depth=depth)))


def darkness(surface: Surface, albedo: float) -> float:
    """The share of light that a groove without dirt lacks, in a surface with this albedo."""
    assert surface.crack is not None
    sky = 1 / math.sqrt(1 + 4 * surface.crack.depth**2)
    return 1 - sky / (1 - albedo * (1 - sky))


FLAT = {"present": True, "width": 10, "depth": 0.01, "fill": 0, "dirt": 0, "visible": 0.25}


def test_a_crack_among_grains_is_made_deeper(small_catalogue: Catalogue) -> None:
    """Stones of 5 mm with a contrast of 0.6 have one of 0.3 among patches as wide, so the crack must differ more."""
    look = {"wear": 1, "value": 0.5, "scale": 200, "stains": 0}
    road = (
        sampler(small_catalogue, family="road", scale=0.5, parameters={"road": look}, crack=FLAT).sample(3, 0).surface
    )
    wall = sampler(small_catalogue, family="plaster", scale=0.5, crack=FLAT).sample(3, 0).surface
    assert road is not None and wall is not None
    # A worn road reflects 0.83 times the light of its color.
    assert darkness(road, 0.83 * 0.5**2.2) == pytest.approx(0.25 * (1 + 4 * 0.3), abs=1e-6)
    assert darkness(wall, mean_color(wall.material)[2] ** 2.2) == pytest.approx(0.25, abs=1e-6)


def test_a_crack_along_joints_differs_from_the_mortar(small_catalogue: Catalogue) -> None:
    """Dark dirt is seen on light bricks, but not in joints as dark as it."""
    look = {"value": 0.9, "mortar": 0.3, "stains": 0}
    dirty = {**FLAT, "dirt": 1, "value": 0.3}
    along, across = (
        sampler(
            small_catalogue, family="brickwork", parameters={"brickwork": look}, crack={**dirty, "stepped": stepped}
        )
        for stepped in (True, False)
    )
    stepped, free = along.sample(3, 0).surface, across.sample(3, 0).surface
    assert stepped is not None and free is not None and free.crack is not None
    assert darkness(stepped, 0.3**2.2) == pytest.approx(0.25, abs=1e-6)
    assert free.crack.depth == 0.01


# What is drawn here is measured as in the table: among pixels, whose grains are a few pixels wide.
@pytest.mark.parametrize(("family", "name"), [("road", "wear"), ("stucco", "relief"), ("aggregate", "contrast")])
def test_graininess_is_that_of_pictures(small_catalogue: Catalogue, family: str, name: str) -> None:
    bare = {thing: {"count": 0} for thing in ("joints", "marks", "debris", "covers", "shadow_casters", "seals")}
    look = {name: 0.6, "scale": 200, "stains": 0, "value": 0.5}
    looks = {**look, "kind": "sanded"} if family == "stucco" else look
    clean = {"noise": 0, "shot": 0, "blur": 0.4, "jpeg": 0, "vignette": 0, "tone": "standard"}
    sun = {"count": 1, "elevation": 40, "energy": 3, "size": 20}
    config = {
        "surface": {"family": family, "scale": 0.8, "obliqueness": 0, "crack": {"present": False}, **bare,
                    "parameters": {family: looks}},
        "camera": {"resolution": [SIZE, SIZE]}, "sensor": clean,
        "lighting": {"world": {"hdri": "", "strength": 1}, "sun": sun},
    }  # fmt: skip
    scene = Sampler(validate(config, "test"), small_catalogue).sample(5, 0)
    assert scene.surface is not None
    (frame,) = draw([scene], small_catalogue)
    light = cv2.GaussianBlur(from_srgb(frame.rgb.mean(axis=2) / 255), (0, 0), 1.5)
    low, middle, high = np.quantile(light / cv2.GaussianBlur(light, (0, 0), 14), (0.16, 0.5, 0.84))
    # A Gaussian of sigma 1.5 averages over as much as a patch 5.3 pixels across.
    assert (high - low) / 2 / middle == pytest.approx(graininess(scene.surface.material, 0.8 * 5.3), rel=0.5)


def test_what_is_narrower_than_a_share_of_a_pixel_is_no_crack() -> None:
    """At a focal length of 100 px and a depth of 0.2 m, a pixel covers 2 mm; 0.4 of it are 0.8 mm."""
    pytest.importorskip("bpy", reason="needs Blender's module")
    from render.blender.surface import hairlines

    camera = Camera((0, -1, 0), (0, 0, 0), 0, 36, 100, 80)
    width = np.array([[0.0, 0.79, 0.81, 5.0]], np.float16)
    assert hairlines(width, np.full(width.shape, 0.2, np.float32), camera).tolist() == [[False, True, False, False]]

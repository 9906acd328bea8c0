"""Labels against an independent renderer: embree casts rays through the pixel centers at the same meshes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from render.frame import Frame
from render.settings import DrawSettings
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import validate
from scenes.record.scene import Item, Scene
from scenes.sampling.placement import project
from scenes.sampling.scene import Sampler

pytest.importorskip("bpy", reason="needs Blender's module")
pytest.importorskip("embreex", reason="needs embree to cast rays with")

SIZE = 160
SCENES = 10
# Cycles takes the first sample of a pixel this far to the right of its center and above it, in pixels. It looks up the
# place in the middle of a table of 1024 entries, which is between two of them. The table is symmetric about the entry
# before the middle, where the place is the center. The next entry is 1/511 of half the filter away, whose area is
# 0.26906 pixels: a Blackman-Harris window 1.5 pixels wide and 1 high. Half of that step is how far the sample is off.
FIRST_SAMPLE = 0.26906 / 511 / 2


@dataclass(frozen=True)
class Truth:
    """What rays through the pixel centres hit: item number (0 none), part, planar depth, unit camera normal."""

    instance: NDArray[np.int64]
    part: NDArray[np.int64]
    depth: NDArray[np.float64]
    normal: NDArray[np.float64]
    edge: NDArray[np.bool_]


@pytest.fixture(scope="module")
def drawn(small_catalogue: Catalogue) -> list[tuple[Frame, Truth]]:
    from render.blender.stage import Stage

    config = validate(
        {
            "objects": {
                "count": {"choice": [1, 2, 4]},
                "scale": {"uniform": [0.8, 1.6]},
                "rotation": {"choice": ["upright", "stable"]},
                "support": {"choice": ["ground", "floating"]},
            },
            "camera": {"framing": {"uniform": [0.6, 1.1]}, "resolution": [SIZE, SIZE], "roll": {"uniform": [-20, 20]}},
            "background": {"kind": {"choice": ["hdri", "ground", "room", "color"]}},
        },
        "truth",
    )
    sampler = Sampler(config, small_catalogue)
    stage = Stage(DrawSettings(samples=2, denoise=True, bounces=2, threads=1), small_catalogue, sampler.classes)
    scenes = [sampler.sample(11, index) for index in range(SCENES)]
    return [(stage.draw(scene), cast(scene, small_catalogue)) for scene in scenes]


def cast(scene: Scene, catalogue: Catalogue, off: float = 0.0) -> Truth:
    """The truth of a scene's objects; the ground and walls are left out.

    off: how far the rays pass to the right of the pixel centers and above them, in pixels.
    """
    vertices, faces, normals, owner, part = [], [], [], [], []
    offset = 0
    for number, item in enumerate(scene.items, start=1):
        model = catalogue.model(item.asset).moved(item.matrix())
        for slot, piece in enumerate(model.parts, start=1):
            vertices.append(piece.vertices)
            faces.append(piece.faces + offset)
            normals.append(piece.normals)
            owner += [number] * len(piece.faces)
            part += [slot] * len(piece.faces)
            offset += len(piece.vertices)
    mesh = trimesh.Trimesh(np.concatenate(vertices), np.concatenate(faces), process=False)
    camera = scene.camera
    x, y = np.meshgrid(np.arange(SIZE) + 0.5 + off, np.arange(SIZE) + 0.5 - off)
    k, matrix = camera.intrinsics(), camera.world_to_camera()
    local = np.stack([(x - k[0, 2]) / k[0, 0], (y - k[1, 2]) / k[1, 1], np.ones_like(x)], axis=-1).reshape(-1, 3)
    ways = local @ matrix[:3, :3]
    origins = np.broadcast_to(np.array(camera.location), ways.shape)
    points, rays, hits = mesh.ray.intersects_location(origins, ways, multiple_hits=False)
    truth = Truth(
        np.zeros(SIZE * SIZE, np.int64), np.zeros(SIZE * SIZE, np.int64), np.full(SIZE * SIZE, np.inf),
        np.zeros((SIZE * SIZE, 3)), np.zeros((SIZE, SIZE), bool),
    )  # fmt: skip
    truth.instance[rays], truth.part[rays] = np.array(owner)[hits], np.array(part)[hits]
    truth.depth[rays] = ((points - camera.location) @ matrix[:3, :3].T)[:, 2]
    weights = trimesh.triangles.points_to_barycentric(mesh.triangles[hits], points)
    smooth = np.einsum("ij,ijk->ik", weights, np.concatenate(normals)[hits])
    # Both sides of a surface are seen; the normal is the one towards the camera.
    facing = np.where(np.einsum("ij,ij->i", mesh.face_normals[hits], ways[rays]) > 0, -1.0, 1.0)
    turned = (smooth * facing[:, None]) @ matrix[:3, :3].T
    truth.normal[rays] = turned / np.linalg.norm(turned, axis=1, keepdims=True)
    shaped = Truth(
        truth.instance.reshape(SIZE, SIZE), truth.part.reshape(SIZE, SIZE), truth.depth.reshape(SIZE, SIZE),
        truth.normal.reshape(SIZE, SIZE, 3), truth.edge,
    )  # fmt: skip
    shaped.edge[:] = edges(shaped)
    return shaped


def edges(truth: Truth) -> NDArray[np.bool_]:
    """Pixels with a neighbour of another object or part, or across a step in depth or a crease, within two pixels."""
    near = np.zeros((SIZE, SIZE), bool)
    depth = np.where(np.isfinite(truth.depth), truth.depth, 1e6)
    for dy in range(-2, 3):
        for dx in range(-2, 3):

            def shifted(values: NDArray, dy: int = dy, dx: int = dx) -> NDArray:
                return np.roll(values, (dy, dx), axis=(0, 1))

            near |= shifted(truth.instance) != truth.instance
            near |= shifted(truth.part) != truth.part
            near |= np.abs(shifted(depth) - depth) > 0.03 * depth
            near |= (shifted(truth.normal) * truth.normal).sum(axis=-1) < np.cos(np.radians(25))
    near[[0, 1, -2, -1]] = near[:, [0, 1, -2, -1]] = True
    return near


def test_instance_masks(drawn: list) -> None:
    ious = []
    for frame, truth in drawn:
        # Where the ground hides an object from below there is nothing to compare: all rest on it or float.
        for number in range(1, len(frame.scene.items) + 1):
            ours, theirs = frame.instance == number, truth.instance == number
            if theirs.sum() < 50:
                continue
            iou = (ours & theirs).sum() / (ours | theirs).sum()
            ious.append(iou)
            inner = ours != theirs
            assert not (inner & ~truth.edge).any()
    assert len(ious) >= SCENES
    assert min(ious) >= 0.995


def test_part_and_category_masks(drawn: list) -> None:
    for frame, truth in drawn:
        same = (frame.instance == truth.instance) & (truth.instance > 0)
        assert (frame.part[same] == truth.part[same]).mean() > 0.995
        assert ((frame.part > 0) == (frame.instance > 0)).all()
        for number, item in enumerate(frame.scene.items, start=1):
            wanted = ("chair", "laptop", "mug").index(item.category) + 1
            assert (frame.category[frame.instance == number] == wanted).all()


def test_depth(drawn: list) -> None:
    errors = []
    for frame, truth in drawn:
        inside = ~truth.edge & (truth.instance > 0)
        errors.append(np.abs(frame.depth[inside] / truth.depth[inside] - 1))
        if frame.scene.background.kind in ("hdri", "color"):
            assert np.isinf(frame.depth[(truth.instance == 0) & ~truth.edge]).all()
    assert len(np.concatenate(errors)) > 5000
    assert np.concatenate(errors).max() < 1e-4


@pytest.mark.parametrize("kind", ["ground", "room"])
def test_depth_of_the_surroundings(kind: str, small_catalogue: Catalogue) -> None:
    """Ray by ray to each plane, for low cameras, which see the ground at small angles."""
    from render.blender.stage import Stage

    config = {
        "camera": {"elevation": {"uniform": [0, 4]}, "resolution": [64, 48], "roll": {"uniform": [-20, 20]}},
        "background": {"kind": kind},
    }
    sampler = Sampler(validate(config, "low"), small_catalogue)
    stage = Stage(DrawSettings(samples=1, denoise=False, bounces=0, threads=1), small_catalogue, sampler.classes)
    seen = farthest = 0.0
    for index in range(3):
        scene = sampler.sample(4, index)
        stage.build(scene)
        raw = stage.render()["depth"]
        frame = stage.picture(scene)
        (x, y, z), (wide, deep, high), middle = scene.camera.location, scene.background.size, scene.background.center
        for row, column in np.argwhere((frame.instance == 0) & np.isfinite(frame.depth)):
            pixel = np.linalg.inv(frame.intrinsics) @ [column + 0.5, row + 0.5, 1]
            dx, dy, dz = frame.world_to_camera[:3, :3].T @ pixel
            planes = [-z / dz]
            if kind == "room":
                planes.append((high - z) / dz)
                planes += [(middle[0] + side * wide / 2 - x) / dx for side in (-1, 1)]
                planes += [(middle[1] + side * deep / 2 - y) / dy for side in (-1, 1)]
            truth = min(t for t in planes if t > 0)
            assert frame.depth[row, column] == pytest.approx(truth, rel=1e-6)
            # Blender's own agrees as far as its precision goes: the plane is the one that it drew.
            assert raw[row, column] == pytest.approx(truth, rel=0.02)
            seen, farthest = seen + 1, max(farthest, truth)
    assert seen > 2000 and (kind == "room" or farthest > 20)


@pytest.mark.parametrize(("off", "share"), [(0.0, 0.998), (FIRST_SAMPLE, 0.9995)])
def test_normals(drawn: list, small_catalogue: Catalogue, off: float, share: float) -> None:
    """Bevels narrower than a pixel show how far the first sample is off the center."""
    worst = []
    for frame, _ in drawn:
        truth = cast(frame.scene, small_catalogue, off)
        ours = frame.normals.astype(np.float64)
        length = np.linalg.norm(ours, axis=-1)
        assert ((np.abs(length - 1) < 2e-3) | (length == 0)).all()
        assert (length[truth.instance > 0] > 0).mean() > 0.999
        # Edges and creases count, too: normals are those of the pixel's center, like depth and ids.
        inside = (frame.instance == truth.instance) & (truth.instance > 0)
        aside = np.linalg.norm(np.cross(ours, truth.normal), axis=-1)[inside]
        worst.append(np.degrees(np.arctan2(aside, (ours * truth.normal).sum(axis=-1)[inside])))
    angles = np.concatenate(worst)
    assert len(angles) > 5000
    assert (angles < 1).mean() >= share


def test_keypoints(drawn: list, small_catalogue: Catalogue) -> None:
    seen = hidden = 0
    for frame, _ in drawn:
        meshes = [mesh_of(item, small_catalogue) for item in frame.scene.items]
        for label, item in zip(frame.objects, frame.scene.items, strict=True):
            matrix = item.matrix()
            for name, point in small_catalogue.info(item.asset).keypoints.items():
                world = matrix[:3, :3] @ point + matrix[:3, 3]
                homogeneous = frame.intrinsics @ (frame.world_to_camera @ [*world, 1])[:3]
                found = label.keypoints[name]
                assert np.hypot(*(homogeneous[:2] / homogeneous[2] - (found.x, found.y))) < 0.5
                if not (0 <= found.x < SIZE and 0 <= found.y < SIZE):
                    assert not found.visible
                    continue
                way = world - frame.scene.camera.location
                away = np.linalg.norm(way)
                firsts = [first_hit(mesh, frame.scene.camera.location, way) for mesh in meshes]
                own = firsts[label.instance - 1]
                free = own > away - 0.03 * item.scale and min(firsts) >= min(own, away)
                assert found.visible == free or abs(own - away + 0.03 * item.scale) < 1e-4
                seen, hidden = seen + free, hidden + (not free)
    assert seen > 50 and hidden > 50


def mesh_of(item: Item, catalogue: Catalogue) -> trimesh.Trimesh:
    parts = catalogue.model(item.asset).moved(item.matrix()).parts
    return trimesh.util.concatenate([trimesh.Trimesh(p.vertices, p.faces, process=False) for p in parts])


def first_hit(mesh: trimesh.Trimesh, eye: tuple[float, float, float], way: NDArray[np.float64]) -> float:
    """Distance from the eye to the first surface on the way, inf if there is none."""
    hits, *_ = mesh.ray.intersects_location([eye], [way / np.linalg.norm(way)], multiple_hits=False)
    return min((float(np.linalg.norm(hit - eye)) for hit in hits), default=np.inf)


def test_boxes_and_visibility(drawn: list, small_catalogue: Catalogue) -> None:
    partly = 0
    for frame, _ in drawn:
        for label, item in zip(frame.objects, frame.scene.items, strict=True):
            rows, columns = np.nonzero(frame.instance == label.instance)
            assert label.pixels == len(rows)
            if len(rows):
                assert label.box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            model = small_catalogue.model(item.asset).moved(item.matrix())
            points = np.concatenate([project(frame.scene.camera, p.vertices.astype(float))[0] for p in model.parts])
            assert np.allclose(label.amodal_box, [*points.min(axis=0), *points.max(axis=0)], atol=0.3)
            alone = cast(Scene(**{**vars(frame.scene), "items": (item,)}), small_catalogue)
            whole = (alone.instance > 0).sum()
            if whole > 50:
                assert label.visibility == pytest.approx(label.pixels / whole, abs=0.02)
                partly += label.visibility < 0.9
    assert partly >= 2


def test_alpha_is_the_coverage_of_many_samples(small_catalogue: Catalogue) -> None:
    from render.blender.stage import Stage

    config = validate(
        {
            "camera": {"resolution": [96, 96], "framing": 0.8},
            "objects": {"category": "chair"},
            "background": {"kind": "none"},
        },
        "alpha",
    )
    sampler = Sampler(config, small_catalogue)
    scenes = [sampler.sample(1, index) for index in range(3)]
    few = Stage(DrawSettings(16, True, 1, threads=1), small_catalogue, sampler.classes)
    coarse = [few.draw(scene).alpha for scene in scenes]
    many = Stage(DrawSettings(256, False, 0), small_catalogue, sampler.classes)
    for alpha, scene in zip(coarse, scenes, strict=True):
        fine = many.draw(scene).alpha
        assert ((fine > 0) & (fine < 255)).sum() > 100
        assert np.abs(alpha / 255 - fine / 255).mean() < 0.01

"""Piles: objects come to rest where bodies of their shape would, and none of them floats."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import trimesh
from scipy.spatial import ConvexHull, cKDTree

from scenes.assets.catalogue import Catalogue
from scenes.assets.convex import PIECES, convex_pieces
from scenes.config.objects import Config
from scenes.errors import InputError
from scenes.mesh import Geometry
from scenes.record.scene import Item, Scene
from scenes.sampling import pile
from scenes.sampling.pile import Body, piled
from scenes.sampling.scene import Sampler

pytest.importorskip("mujoco", reason="mujoco-core is not installed")


def geometry(*boxes: tuple[tuple[float, ...], tuple[float, ...]]) -> Geometry:
    """Boxes, each given by two corners."""
    mesh = trimesh.util.concatenate([trimesh.creation.box(bounds=bounds) for bounds in boxes])
    return Geometry(np.asarray(mesh.vertices), np.asarray(mesh.faces))


def test_a_convex_model_stays_whole() -> None:
    (piece,) = convex_pieces(geometry(((-0.3, -0.2, -0.1), (0.3, 0.2, 0.1))))
    assert ConvexHull(piece).volume == pytest.approx(0.6 * 0.4 * 0.2)


def test_a_table_is_cut_so_that_the_room_below_it_is_free() -> None:
    legs = [((x, y, -0.4), (x + 0.05, y + 0.05, 0.2)) for x in (-0.3, 0.25) for y in (-0.3, 0.25)]
    table = geometry(((-0.3, -0.3, 0.2), (0.3, 0.3, 0.25)), *legs)
    pieces = convex_pieces(table)
    hulls = [ConvexHull(piece) for piece in pieces if np.ptp(piece, axis=0).min() > 1e-6]

    def inside(points: np.ndarray) -> np.ndarray:
        within = [(points @ hull.equations[:, :3].T + hull.equations[:, 3] < 1e-6).all(axis=1) for hull in hulls]
        return np.asarray(np.any(within, axis=0))

    assert 5 <= len(pieces) <= PIECES
    assert inside(table.vertices).all()
    free = np.random.default_rng(0).uniform((-0.2, -0.2, -0.4), (0.2, 0.2, 0.1), (500, 3))
    assert not inside(free).any()


def cube(location: tuple[float, float, float] = (0, 0, 0), scale: float = 1.0) -> Body:
    half = 0.5 / np.sqrt(3)
    corners = np.array([[x, y, z] for x in (-half, half) for y in (-half, half) for z in (-half, half)])
    return Body(Item("cube", "cube", "member", location, (1.0, 0.0, 0.0, 0.0), scale, {}), (corners,))


def generators(count: int) -> list[np.random.Generator]:
    return [np.random.default_rng(k) for k in range(count)]


@pytest.mark.parametrize("scale", [1.0, 0.01, 50.0])
def test_cubes_that_fall_on_one_point_stack(scale: float) -> None:
    edge = scale / np.sqrt(3)
    (items,) = piled([cube(scale=scale)] * 3, 0.0, generators(3))
    assert [item.location for item in items] == [
        pytest.approx((0, 0, (k + 0.5) * edge), abs=0.003 * scale) for k in range(3)
    ]
    assert [abs(item.rotation[0]) for item in items] == pytest.approx([1] * 3, abs=1e-3)


def test_the_film_of_a_fall_begins_at_most_so_many_seconds_before_rest() -> None:
    """A cube begins as high as its sphere is large. A second of a cube of a hundredth of the size is a tenth."""
    for scale in (1.0, 0.01):
        whole, last = (
            [items[0].location[2] / scale for items in piled([cube(scale=scale)], 0.0, generators(1), film, 41)]
            for film in (60.0, 0.2 * scale**0.5)
        )
        assert whole[0] == pytest.approx(0.5) and whole[-1] == last[-1] == pytest.approx(0.5 / 3**0.5, abs=0.003)
        assert np.all(np.diff(whole) < 0.003) and whole[0] > last[0] and len(whole) == len(last) == 41


def test_far_from_each_other_bodies_come_to_rest_on_the_ground_and_sizes_stay() -> None:
    (items,) = piled([cube(scale=1.0), cube(scale=2.0)], 10.0, generators(2))
    edges = np.array([1.0, 2.0]) / np.sqrt(3)
    assert [item.scale for item in items] == [1.0, 2.0]
    assert [item.location[2] for item in items] == pytest.approx(edges / 2, abs=0.005)


def test_flat_and_thin_bodies_fall_too() -> None:
    sheet = np.array([[-0.4, -0.3, 0], [0.4, -0.3, 0], [0.4, 0.3, 0], [-0.4, 0.3, 0]])
    rod = np.array([[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0], [0.1, 0.0, 0.0]])
    bodies = [Body(cube().item, convex_pieces(Geometry(points, np.array([[0, 1, 2]])))) for points in (sheet, rod)]
    (items,) = piled(bodies, 0.0, generators(2))
    assert [item.location[2] for item in items] == pytest.approx([0, 0], abs=0.02)


def placed(points: np.ndarray, item: Item) -> np.ndarray:
    """(n, 3) in the world, of points of the unit model."""
    return np.asarray(points @ item.matrix()[:3, :3].T + item.location)


@pytest.fixture
def sampler(small_catalogue: Catalogue) -> Sampler:
    objects = {"count": 6, "rotation": "free", "pile": {"present": True, "spread": 0.3}, "clutter": {"count": 2}}
    return Sampler(Config(objects=objects), small_catalogue)


def test_no_object_of_a_scene_floats_or_lies_in_the_ground(sampler: Sampler) -> None:
    catalogue = sampler.catalogue
    for index in range(2):
        items = sampler.sample(3, index).items
        clouds = []
        for item in items:
            mesh = catalogue.coarse(item.asset)
            points, _ = trimesh.remesh.subdivide_to_size(mesh.vertices.astype(float), mesh.faces, 0.05, max_iter=16)
            clouds.append(placed(points[::3], item))
        for k, cloud in enumerate(clouds):
            lowest = cloud[:, 2].min()
            others = np.concatenate([other for n, other in enumerate(clouds) if n != k])
            near = cKDTree(others).query(cloud)[0].min()
            assert lowest > -0.01
            assert min(lowest, near) < 0.05, f"{items[k].asset} touches nothing"


def test_a_pile_is_drawn_again_the_same(sampler: Sampler, small_catalogue: Catalogue) -> None:
    again = Sampler(sampler.config, small_catalogue)
    assert again.sample(3, 1) == sampler.sample(3, 1)


def test_one_object_falls_alone(small_catalogue: Catalogue) -> None:
    objects = {"count": 1, "rotation": "free", "pile": {"present": True}}
    item = Sampler(Config(objects=objects), small_catalogue).sample(0, 0).main
    heights = placed(small_catalogue.info(item.asset).hull, item)[:, 2]
    assert np.sort(heights)[:3] == pytest.approx([0, 0, 0], abs=0.01 * item.scale), "it stands on a corner or an edge"


def test_pebbles_and_a_boulder() -> None:
    sizes = (1.0, 0.02, 0.02, 0.02, 30.0)
    (items,) = piled([cube(scale=size) for size in sizes], 0.1, generators(5))
    corners = [placed(cube().pieces[0], item) for item in items]
    assert [each[:, 2].min() > -0.01 * size for each, size in zip(corners, sizes, strict=True)] == [True] * 5
    assert max(each[:, 2].min() for each in corners) < 20, "one is still in the air"


def test_a_fall_that_the_engine_loses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pile, "_fallen", lambda *_: None)
    with pytest.raises(InputError, match=r"no fall of objects of 0\.01 to 50 m could be computed; give objects\.scale"):
        piled([cube(scale=0.01), cube(scale=50.0)], 0.0, generators(2))


def test_views_show_the_fall_before_one_background_and_end_at_rest(small_catalogue: Catalogue) -> None:
    pile = {"present": True, "spread": 0.3}
    config = {
        "objects": {"count": 3, "rotation": "free", "pile": {**pile, "film": 5}},
        "camera": {"views": 3, "path": {"turn": 0}},
        "background": {"kind": "room"},
        "render": {"flow": True},
    }
    film = [Sampler(Config(**config), small_catalogue).sample(4, index) for index in range(3)]
    config["objects"]["pile"] = pile
    still = Sampler(Config(**config), small_catalogue).sample(4, 2)
    assert film[2].items == still.items and film[2].camera == still.camera
    heights = [sum(item.location[2] for item in scene.items) for scene in film]
    assert heights[0] > 1.2 * heights[1] > 1.2 * heights[2]
    for scene, after in pairwise(film):
        assert scene.next_poses == tuple((item.location, item.rotation) for item in after.items)
        assert (scene.camera, scene.lights, scene.background) == (after.camera, after.lights, after.background)
        assert scene.sensor == after.sensor == replace(still.sensor, metering="whole")
    room = film[0].background.size
    assert room is not None and room[2] > max(item.location[2] for item in film[0].items)
    assert film[2].next_poses == still.next_poses == ()
    assert Scene.from_json(film[0].to_json()) == film[0]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"camera": {"views": 1}}, "set camera.views to 2 at least"),
        ({"objects": {"min_share": 0.1, "pile": {"present": True, "film": 1}}}, "objects move"),
    ],
)
def test_what_a_film_needs_is_told(changed: dict, told: str) -> None:
    whole = {"objects": {"pile": {"present": True, "film": 1}}, "camera": {"views": 2}}
    with pytest.raises(ValueError, match=told):
        Config(**{**whole, **changed})


@pytest.mark.parametrize("field", [{"side": 0}, {"max_clutter": 1.0}])
def test_what_a_fall_would_undo_is_refused(field: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must be null where objects\.pile.present"):
        Config(objects={"pile": {"present": True}, **field})


def test_without_the_package_the_error_says_what_to_install(
    small_catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mujoco", None)
    sometimes = Config(objects={"pile": {"present": {"choice": [False, True]}}})
    with pytest.raises(InputError, match=r"objects\.pile: needs the package mujoco-core: pip install"):
        Sampler(sometimes, small_catalogue)

"""Properties of the built-in classes, and volumes and face directions of the basic solids."""

from __future__ import annotations

import importlib
import json
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scenes.materials.roles import ROLES
from scenes.mesh import Model, Part, corner_normals, face_crosses, unit
from scenes.shapes import primitives
from scenes.shapes.primitives import Geometry
from scenes.shapes.registry import GENERATORS

CLASSES = list(GENERATORS)
SEEDS = range(6)

# Metres: the longest side of the bounds and their height, from the smallest to the largest that is sold.
SIZES = {
    "airplane": ((6, 75), (1.8, 25)),
    "camera": ((0.08, 0.3), (0.05, 0.25)),
    "car": ((3, 6.2), (1.1, 2.7)),
    "chair": ((0.7, 1.4), (0.7, 1.4)),
    "guitar": ((0.85, 1.15), (0.85, 1.15)),
    "lamp": ((0.3, 2.0), (0.3, 2.0)),
    "laptop": ((0.2, 0.5), (0.12, 0.4)),
    "motorcycle": ((1.7, 2.8), (0.9, 1.8)),
    "mug": ((0.07, 0.25), (0.04, 0.25)),
    "piano": ((0.4, 3.1), (0.4, 2.3)),
    "plant": ((0.25, 1.3), (0.2, 1.3)),
    "telephone": ((0.09, 0.35), (0.06, 0.26)),
    "watercraft": ((3, 120), (1, 60)),
}


@cache
def variants(name: str) -> tuple[Model, ...]:
    return tuple(GENERATORS[name](np.random.default_rng(seed)) for seed in SEEDS)


def content(model: Model) -> list[bytes | str]:
    """Everything there is in a model but its parameters, to the last bit."""
    parts = [
        value if isinstance(value, str) else value.tobytes()
        for p in model.parts
        for value in (p.name, p.role, p.vertices, p.faces, p.normals, np.asarray(p.uvs))
    ]
    return parts + [item for name, p in model.keypoints.items() for item in (name, np.asarray(p).tobytes())]


# The classes ---------------------------------------------------------------------------------------------------


def test_there_are_thirteen_classes() -> None:
    assert len(GENERATORS) == 13
    assert set(SIZES) == set(GENERATORS)


@pytest.mark.parametrize("name", CLASSES)
def test_parameters_make_the_model_again(name: str) -> None:
    """The explicit function draws nothing, and its parameters survive a file."""
    explicit = getattr(importlib.import_module(f"scenes.shapes.{name}.{name}"), name)
    for model in variants(name):
        parameters = json.loads(json.dumps(dict(model.parameters)))
        again = explicit(**parameters)
        assert content(again) == content(model)
        assert dict(again.parameters) == dict(model.parameters)
        assert len(parameters) >= 8


@pytest.mark.parametrize("name", CLASSES)
def test_the_seed_decides_and_nothing_else(name: str) -> None:
    first, second = variants(name)[:2]
    assert content(GENERATORS[name](np.random.default_rng(0))) == content(first)
    assert first.parameters != second.parameters
    assert content(first) != content(second)


@pytest.mark.parametrize("name", CLASSES)
def test_styles_differ_and_share_their_keypoints(name: str) -> None:
    models = variants(name)
    assert len({model.parameters["style"] for model in models}) >= 2
    assert len(set.intersection(*(set(model.keypoints) for model in models))) >= 6
    for model in models:
        margin = 0.02 * np.ptp(model.bounds, axis=0)
        points = np.array(list(model.keypoints.values()))
        assert points.shape == (len(model.keypoints), 3)
        assert points.dtype == np.float64
        assert len(np.unique(points.round(6), axis=0)) >= 6
        inside = (points >= model.bounds[0] - margin) & (points <= model.bounds[1] + margin)
        assert inside.all(), [key for key, ok in zip(model.keypoints, inside.all(axis=1), strict=True) if not ok]


@pytest.mark.parametrize("name", CLASSES)
def test_models_stand_on_the_ground_at_the_size_of_real_ones(name: str) -> None:
    longest, height = SIZES[name]
    for model in variants(name):
        low, high = model.bounds
        assert abs(low[2]) <= 0.002
        assert np.abs((low + high)[:2] / 2).max() <= 0.05 * np.linalg.norm(high - low)
        assert longest[0] <= (high - low).max() <= longest[1]
        assert height[0] <= (high - low)[2] <= height[1]


@pytest.mark.parametrize("name", CLASSES)
def test_meshes_are_sound(name: str) -> None:
    for model in variants(name):
        assert 5_000 <= model.triangles <= 60_000
        assert len({p.name for p in model.parts}) == len(model.parts)
        for p in model.parts:
            where = f"{name}, {model.parameters['style']}, {p.name}"
            assert p.role.partition(":")[0] in ROLES, where
            assert p.uvs is not None, where
            assert (p.vertices.dtype, p.faces.dtype, p.normals.dtype) == (np.float32, np.int32, np.float32), where
            assert p.normals.shape == (len(p.faces), 3, 3), where
            assert p.uvs.shape == (len(p.faces), 3, 2), where
            assert p.faces.min() >= 0, where
            assert p.faces.max() < len(p.vertices), where
            assert all(np.isfinite(values).all() for values in (p.vertices, p.normals, p.uvs)), where
            assert np.allclose(np.linalg.norm(p.normals, axis=-1), 1, atol=1e-5), where


@pytest.mark.parametrize("name", CLASSES)
def test_corner_normals_are_on_the_outside_of_their_faces(name: str) -> None:
    looked_at, total = 0, 0
    for model in variants(name):
        for p in model.parts:
            clear = _clear(p)
            facing = np.einsum("ik,ijk->ij", unit(face_crosses(p.vertices, p.faces[clear])), p.normals[clear])
            assert (facing > 0).all(), f"{name}, {model.parameters['style']}, {p.name}"
            looked_at, total = looked_at + int(clear.sum()), total + len(clear)
    assert looked_at > 0.9 * total


def _clear(p: Part) -> NDArray[np.bool_]:
    """(m,) bool: faces off the ground, where boats are cut, and no slivers whose direction float32 cannot hold."""
    corners = p.vertices.astype(np.float64)[p.faces]
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=-1).max(axis=1)
    altitude = np.linalg.norm(face_crosses(p.vertices, p.faces), axis=1) / np.maximum(edges, 1e-12)
    size = np.abs(p.vertices).max()
    return (corners[..., 2].min(axis=1) > 1e-6 * size) & (altitude > 1e-5 * size)


# The kit -------------------------------------------------------------------------------------------------------

L_SHAPE = np.array([(0, 0), (0.4, 0), (0.4, 0.1), (0.1, 0.1), (0.1, 0.3), (0, 0.3)])
BEND = np.array([(0, 0, 0), (0, 0, 1), (0.5, 0, 1.8), (1.5, 0.3, 2)])


def volume(geometry: Geometry) -> float:
    """Enclosed volume, positive where faces are counter-clockwise from outside."""
    a, b, c = (geometry.vertices[geometry.faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def polygon(sides: int) -> float:
    """Area of a regular polygon in the unit circle."""
    return sides / 2 * np.sin(2 * np.pi / sides)


def prismatoid(lower: float, upper: float) -> float:
    """Of a frustum of height one between similar faces."""
    return (lower + np.sqrt(lower * upper) + upper) / 3


SOLIDS = {
    "box": (primitives.box(1, 2, 3), 6.0, 1e-9),
    "box_round": (primitives.box(1, 2, 3, 0.05), 6.0 - 0.9 * 0.05**2 * 24 * (1 - np.pi / 4), 2e-3),
    "cylinder": (primitives.cylinder(0.5, 2, 40), polygon(40) * 0.25 * 2, 1e-9),
    "cone": (primitives.cylinder(0.5, 1, 24, top=0.2), polygon(24) * prismatoid(0.25, 0.04), 1e-9),
    "ellipsoid": (primitives.ellipsoid(1, 2, 3, 96, 48), np.pi, 3e-3),
    "torus": (primitives.torus(1, 0.2, 96, 48), 2 * np.pi**2 * 0.04, 5e-3),
    "prism": (primitives.prism(L_SHAPE, 0.5), 0.06 * 0.5, 1e-9),
    "prism_hole": (
        primitives.prism(
            primitives.circle(1, 30),
            0.3,
            holes=[0.4 * primitives.circle(1, 12), 0.1 * primitives.circle(1, 7) + (0.7, 0)],
        ),
        0.3 * (polygon(30) - 0.16 * polygon(12) - 0.01 * polygon(7)),
        1e-9,
    ),
    "beam": (primitives.beam((0, 0, 0), (1, 2, 2), 0.1, 0.2), 3 * 0.02, 1e-4),
    "bar": (primitives.bar((0, 0, 0), (1, 2, 2), 0.2, 16, 0.1), 3 * polygon(16) * prismatoid(0.04, 0.01), 1e-9),
    "sweep": (primitives.sweep([(1, 0, 0), (1, 0, 5)], L_SHAPE - 0.1), 5 * 0.06, 1e-9),
    "sweep_up": (
        primitives.sweep([(0, 0, 0), (3, 0, 0)], primitives.circle(0.1, 8), up=(0, 0, 1)),
        3 * 0.01 * polygon(8),
        1e-9,
    ),
    "tube_bent": (
        primitives.tube(primitives.spline(BEND, 200), 0.02, 24),
        float(np.linalg.norm(np.diff(primitives.spline(BEND, 200), axis=0), axis=1).sum()) * polygon(24) * 0.02**2,
        5e-3,
    ),
    "lathe": (primitives.lathe([(0.5, 0), (1, 0), (1, 2), (0.5, 2), (0.5, 0)], 36), polygon(36) * 0.75 * 2, 1e-9),
    "loft": (
        primitives.loft([[(x * s, y * s, z) for x, y in primitives.circle(1, 20)] for z, s in ((0, 1), (1, 0.5))]),
        polygon(20) * prismatoid(1, 0.25),
        1e-9,
    ),
}


@pytest.mark.parametrize("name", SOLIDS)
def test_volumes_of_solids(name: str) -> None:
    geometry, expected, tolerance = SOLIDS[name]
    assert volume(geometry) == pytest.approx(expected, rel=tolerance)
    crosses = face_crosses(geometry.vertices, geometry.faces)
    assert np.abs(crosses.sum(axis=0)).max() < 1e-9 * np.abs(crosses).sum(), "not closed"
    assert geometry.uvs.shape == (len(geometry.faces), 3, 2)


@pytest.mark.parametrize("name", ["box", "box_round", "cylinder", "cone", "ellipsoid", "loft"])
def test_normals_of_convex_solids_point_away_from_the_middle(name: str) -> None:
    made = primitives.part(name, SOLIDS[name][0], "plastic")
    middle = np.ptp(made.vertices, axis=0) / 2 + made.vertices.min(axis=0)
    away = made.vertices[made.faces].mean(axis=1) - middle
    assert (np.einsum("ijk,ik->ij", made.normals, away) > 0).all()


@given(
    st.sampled_from(sorted(SOLIDS)),
    st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda axis: np.linalg.norm(axis) > 0.1),
    st.floats(-360, 360),
    st.tuples(*[st.floats(-2, 2)] * 3),
    st.tuples(*[st.sampled_from([-1.5, -1.0, 0.5, 1.0, 2.0])] * 3),
)
def test_moves_keep_solids_solid(
    name: str, axis: tuple[float, ...], degrees: float, shift: tuple[float, ...], factors: tuple[float, ...]
) -> None:
    solid = SOLIDS[name][0]
    before = volume(solid)
    assert volume(solid.rotated(axis, degrees, shift)) == pytest.approx(before)
    assert volume(solid.moved(*shift)) == pytest.approx(before)
    assert volume(solid.flipped()) == pytest.approx(-before)
    assert volume(solid.scaled(*factors)) == pytest.approx(before * abs(np.prod(factors)))


def test_copies_add_up() -> None:
    solid = primitives.box(0.1, 0.2, 0.3).moved(1, 0.5)
    assert volume(primitives.both_sides(solid)) == pytest.approx(2 * 0.006)
    assert volume(primitives.both_sides(solid, "y")) == pytest.approx(2 * 0.006)
    ring = primitives.around(solid, 5)
    assert volume(ring) == pytest.approx(5 * 0.006)
    assert np.allclose([ring.vertices.mean(axis=0)], 0, atol=1e-12)
    assert volume(primitives.merge([solid, solid.flipped()])) == pytest.approx(0)


def test_rotations_are_right_handed() -> None:
    for axis, start, end in (("x", "y", "z"), ("y", "z", "x"), ("z", "x", "y")):
        e = dict(zip("xyz", np.eye(3), strict=True))
        assert np.allclose(primitives.rotation(axis, 90) @ e[start], e[end])


def test_sheets_face_out_of_rings_that_rise() -> None:
    rings = [np.column_stack([primitives.circle(1, 32), np.full(32, z)]) for z in (0.0, 1.0, 2.0)]
    wall = primitives.sheet(rings, close_columns=True)
    middles = wall.vertices[wall.faces].mean(axis=1) * (1, 1, 0)
    assert (np.einsum("ij,ij->i", face_crosses(wall.vertices, wall.faces), middles) > 0).all()
    assert wall.uvs[..., 0].max() == pytest.approx(2 * np.pi, rel=2e-3)
    assert wall.uvs[..., 1].max() == pytest.approx(2)


@pytest.mark.parametrize("closed", [False, True])
def test_frames_are_orthonormal_and_right_handed(closed: bool) -> None:
    t = np.linspace(0, 2 * np.pi, 60, endpoint=not closed)
    path = np.column_stack([np.cos(t), np.sin(t), 0.3 * np.sin(2 * t)])
    axes = np.stack(primitives.frames(path, closed), axis=1)
    assert np.allclose(axes @ axes.transpose(0, 2, 1), np.eye(3), atol=1e-9)
    assert np.allclose(np.linalg.det(axes), 1)
    assert (np.einsum("ij,ij->i", axes[1:, 1], axes[:-1, 1]) > 0.98).all(), "the frame twists"


def test_standing_moves_a_model_onto_the_origin() -> None:
    model = Model(
        (primitives.part("cube", primitives.box(1, 1, 2).moved(3, 4, 5), "wood"),), {"top": np.array([3.0, 4.0, 6.0])}
    )
    stood = primitives.standing(model)
    assert np.allclose(stood.bounds, [[-0.5, -0.5, 0], [0.5, 0.5, 2]])
    assert np.allclose(stood.keypoints["top"], [0, 0, 2])


# Meshes --------------------------------------------------------------------------------------------------------


def soup(geometry: Geometry) -> tuple[NDArray, NDArray]:
    """The same triangles with no vertex shared."""
    return geometry.vertices[geometry.faces].reshape(-1, 3), np.arange(3 * len(geometry.faces)).reshape(-1, 3)


def test_a_cube_is_flat_below_its_angle_and_smooth_above() -> None:
    cube = primitives.box(1, 1, 1)
    faces = np.repeat(unit(face_crosses(cube.vertices, cube.faces))[:, None], 3, axis=1)
    assert np.allclose(corner_normals(cube.vertices, cube.faces, 35), faces, atol=1e-6)
    smooth = corner_normals(cube.vertices, cube.faces, 91)
    for octant in np.array(np.meshgrid(*[(-0.5, 0.5)] * 3)).reshape(3, -1).T:
        here = np.isclose(cube.vertices[cube.faces], octant).all(axis=-1)
        assert here.sum() >= 3
        normals = np.unique(smooth[here].round(5), axis=0)
        assert len(normals) == 1, "one normal a corner of the cube"
        assert (normals[0] * octant > 0).all()


def test_a_sphere_is_smooth() -> None:
    ball = primitives.part("ball", primitives.ellipsoid(2, 2, 2, 64, 32), "plastic")
    radial = np.einsum("ijk,ijk->ij", ball.normals, ball.vertices[ball.faces])
    assert radial.min() > np.cos(np.radians(3))


def test_shared_or_not_vertices_make_the_same_normals() -> None:
    solid = primitives.box(1, 2, 3, 0.2)
    shared = corner_normals(solid.vertices, solid.faces, 35)
    assert np.allclose(corner_normals(*soup(solid), 35), shared, atol=1e-6)


@pytest.mark.parametrize("factors", [(-1, 1, 1), (1, -2, 1), (-1, -1, -1), (0.5, 3, 1), (-1, -1, 2)])
def test_moved_parts_keep_their_outside_and_their_uvs(factors: tuple[float, ...]) -> None:
    before = primitives.part("box", primitives.box(1, 2, 3).rotated((1, 2, 0), 35), "plastic")
    matrix = np.eye(4)
    matrix[:3, :3] = primitives.rotation((1, 2, 3), 40) @ np.diag(factors)
    matrix[:3, 3] = 1, 2, 3
    after = before.moved(matrix)
    assert before.uvs is not None
    assert after.uvs is not None
    moved = Geometry(after.vertices.astype(float), after.faces.astype(int), after.uvs.astype(float))
    assert volume(moved) == pytest.approx(6 * abs(np.prod(factors)), rel=1e-5)
    facing = np.einsum("ik,ijk->ij", unit(face_crosses(after.vertices, after.faces)), after.normals)
    assert np.allclose(facing, 1, atol=1e-5)
    for face, uvs, was, had in zip(after.faces, after.uvs, before.faces, before.uvs, strict=True):
        at = [was.tolist().index(vertex) for vertex in face]
        assert np.array_equal(uvs, had[at])

"""Pieces of potted plants: pots, trunks, twigs, and leaves placed by the thousand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scenes.mesh import unit
from scenes.shapes.primitives import Array, Geometry, box, loft, merge, sheet, spline, superellipse, sweep, tube


@dataclass
class Tree:
    """A growing tree: trunk (k, 3) and its radii, branches, twigs, clumps of leaves (n, 4: center and radius)."""

    trunk: Array
    radii: Array
    branches: list[Geometry] = field(default_factory=list)
    twig_starts: list[Array] = field(default_factory=list)
    twig_ends: list[Array] = field(default_factory=list)
    twig_radii: list[Array] = field(default_factory=list)
    clumps: list[Array] = field(default_factory=list)


# Pots ----------------------------------------------------------------------------------------------------------


def pot(width: float, depth: float, height: float, power: float, flare: float, feet: float) -> Geometry:
    """A pot with a lip, its hollow half filled later; on four feet when `feet` is not zero."""
    lip = 0.05 * width
    walls = [
        (flare * 0.97, 0.0), (flare, 0.02), (0.5 * (flare + 0.96), 0.5), (0.94, 0.8), (0.95, 0.86), (1.0, 0.87),
        (1.005, 0.93), (1.0, 0.985), (0.985, 1.0), (1 - lip / width * 1.6, 1.0), (1 - lip / width * 2, 0.97),
        (0.86, 0.6), (0.8, 0.55),
    ]  # fmt: skip
    shell = loft([_ring(width * s, depth * s, power, feet + height * z) for s, z in walls])
    if not feet:
        return shell
    foot = box(0.14 * width, 0.14 * depth, feet + 0.04 * height, 0.2 * feet).moved(z=(feet + 0.04 * height) / 2)
    spot = flare * (0.40 if power > 4 else 0.29)
    return merge([shell, *(foot.moved(i * spot * width, j * spot * depth) for i in (-1, 1) for j in (-1, 1))])


def soil(width: float, depth: float, height: float, power: float) -> Geometry:
    """A gently mounded bed that reaches into the pot's wall, its rim at z = 0."""
    rise = 0.16 * height + 0.02 * width
    levels = [
        (0.85, -0.2 * height),
        (0.92, 0.0),
        (0.8, 0.25 * rise),
        (0.55, 0.62 * rise),
        (0.3, 0.9 * rise),
        (0.1, rise),
    ]
    return loft([_ring(width * s, depth * s, power if s > 0.5 else 2.2, z) for s, z in levels])


def _ring(width: float, depth: float, power: float, z: float, count: int = 64) -> Array:
    return np.column_stack([superellipse(width, depth, power, count), np.full(count, z)])


def stand(width: float, depth: float, height: float) -> Geometry:
    """A low table of the kind bonsai are shown on."""
    board = 0.35 * height
    top = box(width, depth, board, 0.15 * board).moved(z=height - board / 2)
    leg = box(0.07 * width, 0.07 * width, height - 0.5 * board, 0.2 * board).moved(z=(height - 0.5 * board) / 2)
    legs = [leg.moved(i * 0.44 * width, j * (depth / 2 - 0.05 * width)) for i in (-1, 1) for j in (-1, 1)]
    apron = box(0.8 * width, 0.05 * depth, 0.3 * height).moved(z=0.6 * height)
    return merge([top, *legs, *(apron.moved(y=j * 0.42 * depth) for j in (-1, 1))])


# Wood ----------------------------------------------------------------------------------------------------------


def trunk_skin(rng: np.random.Generator, path: Array, radii: Array, room: float) -> list[Geometry]:
    """A ridged trunk and the surface roots it stands on, which stay within `room` of its axis."""
    a = np.arange(18) / 18 * 2 * np.pi
    ridges = 1 + 0.1 * np.sin(3 * a + rng.uniform(0, 6)) + 0.08 * np.sin(5 * a + rng.uniform(0, 6))
    section = np.column_stack([np.cos(a), np.sin(a)]) * ridges[:, None]
    below = path[:1] - (0, 0, 0.8 * radii[0])
    knots = 1 + 0.07 * np.sin(np.linspace(0, rng.uniform(20, 35), len(path)))
    skin = sweep(np.concatenate([below, path]), section, np.concatenate([radii[:1], radii * knots]))
    return [
        skin,
        *(_root(rng, path[0], radii[0], room, angle) for angle in np.arange(7) * 0.9 + rng.uniform(-0.25, 0.25, 7)),
    ]


def _root(rng: np.random.Generator, base: Array, radius: float, room: float, angle: float) -> Geometry:
    out = np.array([np.cos(angle), np.sin(angle), 0.0])
    side = np.array([-out[1], out[0], 0.0]) * rng.uniform(-0.4, 0.4)
    reach = min(radius * rng.uniform(1.5, 2.2), 0.9 * room)
    points = [base + out * radius * 0.5 + (0, 0, 0.75 * radius), base + out * reach * 0.6 + (0, 0, 0.12 * radius)]
    end = base + (out + side) * reach - (0, 0, 0.35 * radius)
    return tube(spline([*points, end], 8), np.linspace(0.34, 0.12, 8) * radius, 7)


def twigs(starts: Array, ends: Array, radii: Array, sides: int = 5) -> Geometry:
    """Many thin closed tubes at once, (n, 3) to (n, 3), bowed a little upwards."""
    t = np.array([0.0, 0.02, 0.5, 1.0])
    thick = np.array([0.0, 1.0, 0.75, 0.0])
    gap = ends - starts
    path = starts[:, None] + t[:, None] * gap[:, None]
    path[..., 2] += 0.4 * t * (1 - t) * np.linalg.norm(gap, axis=1)[:, None]
    tangent = unit(gap)
    normal = unit(np.cross(tangent, np.where(np.abs(tangent[:, 2:]) > 0.9, [1.0, 0, 0], [0, 0, 1.0])))
    binormal = np.cross(tangent, normal)
    a = np.arange(sides) / sides * 2 * np.pi
    around = np.cos(a)[:, None] * normal[:, None] + np.sin(a)[:, None] * binormal[:, None]
    rings = path[:, :, None] + (radii[:, None] * thick)[..., None, None] * around[:, None]
    one = sheet(rings[0], close_columns=True)
    columns = np.concatenate([rings, rings[:, :, :1]], axis=2).reshape(len(starts), -1, 3)
    return _copies(columns, one.faces, one.uvs)


# Leaves --------------------------------------------------------------------------------------------------------


def _leaf(points: list[tuple[float, float, float]], faces: list[tuple[int, int, int]]) -> Geometry:
    """A leaf of length one along y, facing +z."""
    v, f = np.array(points, dtype=float), np.array(faces)
    return Geometry(v, f, v[f][..., :2])


def _oval() -> Geometry:
    rim = [
        (0.0, 0.0, 0.0),
        (0.24, 0.3, 0.05),
        (0.22, 0.68, 0.03),
        (0.0, 1.0, -0.1),
        (-0.22, 0.68, 0.03),
        (-0.24, 0.3, 0.05),
    ]
    return _leaf([*rim, (0.0, 0.5, -0.04)], [(6, k, (k + 1) % 6) for k in range(6)])


def _lobed(tips: int, start: float, sweep_angle: float, notch: float, width: float) -> Geometry:
    """Lobes round a stalk: a maple leaf, or with a full turn a flower."""
    a = np.radians(np.linspace(start, start + sweep_angle, tips))
    points, faces = [(0.0, 0.0, 0.0)], []
    for k, angle in enumerate(a):
        length = 1.0 - 0.35 * abs(2 * k / (tips - 1) - 1) if sweep_angle < 270 else 0.6
        for turn, reach, z in ((-width, notch * length, 0.03), (0.0, length, -0.06), (width, notch * length, 0.03)):
            points.append((np.cos(angle + turn) * reach, np.sin(angle + turn) * reach, z))
        i = 1 + 3 * k
        faces += [(0, i, i + 1), (0, i + 1, i + 2)]
    return _leaf(points, faces)


def _tuft(needles: int = 6) -> Geometry:
    """Needles from one point, spread in a cone about y, each one long triangle."""
    points, faces = [], []
    for k in range(needles):
        angle = 2 * np.pi * k / needles
        out = np.array([np.cos(angle), 0.0, np.sin(angle)])
        side = np.array([-out[2], 0.0, out[0]]) * 0.05
        points += [tuple(-side), tuple(side), (0.55 * out[0], 0.85, 0.55 * out[2])]
        faces.append((3 * k, 3 * k + 1, 3 * k + 2))
    return _leaf(points, faces)


LEAVES: dict[str, Geometry] = {
    "oval": _oval(),
    "maple": _lobed(5, 0.0, 180.0, 0.5, 0.25),
    "flower": _lobed(6, 0.0, 300.0, 0.75, 0.4),
    "needle": _tuft(),
}


def instances(leaf: Geometry, places: Array, along: Array, facing: Array, sizes: Array) -> Geometry:
    """Copies of a leaf with its y along `along` and its z towards `facing`, all (n, 3); sizes (n,)."""
    across = unit(np.cross(along, facing))
    basis = np.stack([across, along, np.cross(across, along)], axis=1) * sizes[:, None, None]
    return _copies(places[:, None] + leaf.vertices @ basis, leaf.faces, leaf.uvs)


def _copies(vertices: Array, faces: NDArray[np.int64], uvs: Array) -> Geometry:
    """Vertices (n, k, 3) of n copies that share one set of faces."""
    n, k = vertices.shape[:2]
    offsets = (np.arange(n) * k)[:, None, None]
    return Geometry(vertices.reshape(-1, 3), (faces + offsets).reshape(-1, 3), np.tile(uvs, (n, 1, 1)))


def blade(
    start: Array, azimuth: float, rise: float, length: float, width: float, droop: float, stalk: float = 0.0
) -> Geometry:
    """One big arching leaf: leaves `start` at `rise` degrees, sinks by `droop`, keeled along the middle."""
    t = np.linspace(0, 1, 22)
    pitch = np.radians(rise) - droop * 2.2 * t
    step = np.column_stack([np.cos(pitch), np.sin(pitch)]) * length / 21
    run = np.concatenate([[[0.0, 0.0]], np.cumsum(step[:-1], axis=0)])
    body = np.clip((t - stalk) / (1 - stalk), 0, 1)
    half = 0.5 * width * np.maximum(np.sin(np.pi * body**0.75) ** 0.7 * (1 - 0.3 * body), 0.03)
    c, s = np.cos(np.radians(azimuth)), np.sin(np.radians(azimuth))
    spine = start + np.column_stack([run[:, 0] * c, run[:, 0] * s, run[:, 1]])
    side = np.array([-s, c, 0.0])
    lift = np.column_stack([-np.sin(pitch) * c, -np.sin(pitch) * s, np.cos(pitch)])
    across = np.linspace(-1, 1, 7)[None, :, None]
    grid = spine[:, None] + half[:, None, None] * (across * side + 0.3 * np.abs(across) * lift[:, None])
    return sheet(grid).flipped()

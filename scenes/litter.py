"""What lies on surfaces and what throws shadows on them, as small models: twigs, cables, leaves, pebbles; branches,
poles, fences, a roof's edge."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import trimesh

from scenes.mesh import Model, Part, corner_normals
from scenes.shapes.kit import merge, part, tube

Array = np.ndarray


def litter(kind: str, rng: np.random.Generator) -> Model:
    """A thing 1 long that lies on the plane z = 0 around the origin. kind: twig, cable, leaf or pebble."""
    return _THINGS[kind](rng)


def _course(rng: np.random.Generator, count: int, turn: float) -> Array:
    """(count, 3) points of a line 1 long that wanders, its middle at the origin."""
    heading = np.cumsum(rng.normal(0, turn, count))
    points = np.cumsum(np.stack([np.cos(heading), np.sin(heading), np.zeros(count)], axis=1), axis=0) / count
    return points - points.mean(axis=0)


def _twig(rng: np.random.Generator) -> Model:
    pieces = []
    main = _course(rng, 14, 0.12)
    thick = rng.uniform(0.008, 0.02)
    for k in (None, *rng.choice(np.arange(3, 11), rng.integers(0, 4), replace=False)):
        path = main if k is None else main[k] + _side_shoot(rng, main, int(k))
        radius = np.linspace(1.0, 0.4, len(path)) * thick * (1.0 if k is None else 0.55)
        path = (
            path
            + (0, 0, thick)
            + np.stack([np.zeros(len(path))] * 2 + [rng.uniform(0, 0.4 * thick, len(path))], axis=1)
        )
        pieces.append(tube(path, radius, sides=7))
    return Model((part("twig", merge(pieces), "bark"),))


def _side_shoot(rng: np.random.Generator, main: Array, k: int) -> Array:
    way = main[k + 1] - main[k]
    angle = np.arctan2(way[1], way[0]) + rng.choice((-1, 1)) * rng.uniform(0.4, 1.0)
    heading = angle + np.cumsum(rng.normal(0, 0.15, 7))
    steps = np.stack([np.cos(heading), np.sin(heading), np.zeros(7)], axis=1) * rng.uniform(0.015, 0.05)
    return np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])


def _cable(rng: np.random.Generator) -> Model:
    path = _course(rng, 40, 0.09) * 4 + (0, 0, 0.01)
    return Model((part("cable", tube(path, rng.uniform(0.008, 0.016), sides=9), "rubber"),))


def _leaf(rng: np.random.Generator) -> Model:
    along = np.linspace(0, 1, 15)
    half = rng.uniform(0.18, 0.34) * np.sin(np.pi * along ** rng.uniform(0.7, 1.1)) * (1 + 0.12 * (np.arange(15) % 2))
    rows = np.linspace(-1, 1, 7)
    x = np.broadcast_to(along[:, None] - 0.5, (15, 7))
    y = half[:, None] * rows
    curl = rng.uniform(0.0, 0.35)
    z = 0.01 + curl * np.abs(y) + rng.uniform(0, 0.12) * (along[:, None] - 0.5) ** 2 + 0.01 * rng.random((15, 7))
    vertices = np.stack([x, y, z], axis=-1).reshape(-1, 3).astype(np.float32)
    index = np.arange(15 * 7).reshape(15, 7)
    a, b, c, d = (v.ravel() for v in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]))
    faces = np.concatenate([np.stack([a, c, d], axis=1), np.stack([a, d, b], axis=1)]).astype(np.int32)
    stalk = tube([(0.49, 0, 0.012), (0.6, rng.uniform(-0.05, 0.05), 0.012)], 0.008, sides=5)
    blade = Part("blade", vertices, faces, corner_normals(vertices, faces, 60.0))
    return Model((blade, part("stalk", stalk, "foliage")))


def _pebble(rng: np.random.Generator) -> Model:
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 13)[:-1], np.linspace(0, np.pi, 8)[1:-1])
    round_ = np.stack([np.cos(u) * np.sin(v), np.sin(u) * np.sin(v), np.cos(v)], axis=-1).reshape(-1, 3)
    cloud = round_ * (0.5, rng.uniform(0.3, 0.45), rng.uniform(0.15, 0.35)) * rng.uniform(0.75, 1.15, (len(round_), 1))

    hull = trimesh.Trimesh(cloud).convex_hull
    vertices = (hull.vertices - (0, 0, hull.vertices[:, 2].min())).astype(np.float32) * 0.2
    faces = hull.faces.astype(np.int32)
    return Model((Part("pebble", vertices, faces, corner_normals(vertices, faces, 25.0)),))


_THINGS: dict[str, Callable[[np.random.Generator], Model]] = {
    "twig": _twig,
    "cable": _cable,
    "leaf": _leaf,
    "pebble": _pebble,
}


def shade(kind: str, size: float, reach: float, rng: np.random.Generator) -> Model:
    """A flat thing in the plane z = 0 that lets light pass beside it, long along x, everywhere within `reach`.

    kind: edge (all of y > 0), pole (`size` wide), fence (bars of that width), branch (twigs of it, with leaves).
    """
    far = 2 * reach
    if kind == "edge":
        return _sheets([[(-far, 0), (far, 0), (far, far), (-far, far)]])
    if kind == "pole":
        return _sheets([[(-far, -size / 2), (far, -size / 2), (far, size / 2), (-far, size / 2)]])
    if kind == "fence":
        pitch = size * rng.uniform(2, 5)
        rows = np.arange(-reach, reach, pitch)
        return _sheets([[(-far, y), (far, y), (far, y + size), (-far, y + size)] for y in rows])
    return _sheets(_branch(size, reach, rng))


def _branch(size: float, reach: float, rng: np.random.Generator) -> list:
    sheets = []
    for _ in range(int(rng.integers(2, 6))):
        at, heading = np.array([-1.2 * reach, rng.uniform(-reach, reach)]), rng.normal(0, 0.3)
        for _ in range(14):
            heading += rng.normal(0, 0.18)
            way = np.array([np.cos(heading), np.sin(heading)])
            across = np.array([-way[1], way[0]])
            end = at + way * reach * 0.2
            sheets.append(
                [
                    at - across * size * 0.08,
                    end - across * size * 0.06,
                    end + across * size * 0.06,
                    at + across * size * 0.08,
                ]
            )
            for _ in range(int(rng.integers(1, 6))):
                angle, length = rng.uniform(0, 2 * np.pi), size * rng.uniform(0.5, 1.4)
                tip = np.array([np.cos(angle), np.sin(angle)]) * length
                side = np.array([-tip[1], tip[0]]) * rng.uniform(0.2, 0.4)
                root = at + (end - at) * rng.random()
                sheets.append([root, root + 0.5 * tip - side, root + tip, root + 0.5 * tip + side])
            at = end
    return sheets


def _sheets(quads: list) -> Model:
    corners = np.array(quads, dtype=np.float32).reshape(-1, 2)
    vertices = np.column_stack([corners, np.zeros(len(corners))]).astype(np.float32)
    first = np.arange(0, len(vertices), 4)[:, None]
    faces = np.concatenate([first + (0, 1, 2), first + (0, 2, 3)]).astype(np.int32)
    return Model((Part("shade", vertices, faces, corner_normals(vertices, faces, 30.0)),))

"""Small models of objects that lie on surfaces or cast shadows on them.

On surfaces: twigs, cables, leaves, pebbles, manhole covers, grates. For shadows: branches, poles, fences, the edge of a
roof.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scenes.mesh import Model, Part, corner_normals
from scenes.shapes.primitives import Geometry, around, box, cylinder, lathe, merge, part, tube

Array = np.ndarray


def debris(kind: str, rng: np.random.Generator) -> Model:
    """An object of length 1 that lies on the plane z = 0 around the origin.

    kind: twig, cable, leaf, pebble, manhole or grate. Where the object is open below, parts of the role "hollow" let no
    light out.
    """
    return _THINGS[kind](rng)


def _course(rng: np.random.Generator, count: int, turn: float) -> Array:
    """(count, 3) points of an irregular line of length 1, with its middle at the origin."""
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
    import trimesh  # loading it takes half a second, and only pebbles need it

    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 13)[:-1], np.linspace(0, np.pi, 8)[1:-1])
    round_ = np.stack([np.cos(u) * np.sin(v), np.sin(u) * np.sin(v), np.cos(v)], axis=-1).reshape(-1, 3)
    cloud = round_ * (0.5, rng.uniform(0.3, 0.45), rng.uniform(0.15, 0.35)) * rng.uniform(0.75, 1.15, (len(round_), 1))

    hull = trimesh.Trimesh(cloud).convex_hull
    vertices = (hull.vertices - (0, 0, hull.vertices[:, 2].min())).astype(np.float32) * 0.2
    faces = hull.faces.astype(np.int32)
    return Model((Part("pebble", vertices, faces, corner_normals(vertices, faces, 25.0)),))


# Height of covers above the ground, and of the black ground under their gaps.
_HIGH, _LOW = 0.014, 0.002


def _manhole(rng: np.random.Generator) -> Model:
    """A round cover in its frame: rings, ribs or studs on the lid, a gap around it, and two holes for lifting it."""
    rim, gap = rng.uniform(0.4, 0.46), rng.uniform(0.004, 0.01)
    low = _HIGH - 0.008
    frame = [(0.5, 0.0), (0.498, 0.7 * _HIGH), (0.492, _HIGH), (rim + gap, _HIGH), (rim + gap, _LOW)]
    lid = [(rim, _LOW), (rim, _HIGH - 0.001), (rim - 0.003, _HIGH), (rim - 0.03, _HIGH), (rim - 0.034, low), (0.0, low)]
    raised = {"ribs": _ribs, "studs": _studs, "rings": _rings}[str(rng.choice(("ribs", "studs", "rings")))]
    pieces = [lathe(frame, 128), lathe(lid, 128), *raised(rng, rim - 0.05, low)]
    holes = [cylinder(0.016, 0.003).moved(x, 0, low + 0.0036) for x in (-0.75 * rim, 0.75 * rim)]
    ground = cylinder(rim + 2 * gap, _LOW)
    return Model((part("cover", merge(pieces), "iron"), part("gap", merge([ground, *holes]), "hollow")))


def _ribs(rng: np.random.Generator, reach: float, low: float) -> list[Geometry]:
    """Spokes between rings, as on lids that are filled with concrete."""
    spokes, inner = int(rng.integers(5, 11)), rng.uniform(0.3, 0.55) * reach
    spoke = box(reach - inner, rng.uniform(0.008, 0.02), 2 * (_HIGH - low) - 0.002).moved((reach + inner) / 2, 0, low)
    return [around(spoke, spokes), *(_ring(radius, 0.012, low) for radius in (inner, reach))]


def _studs(rng: np.random.Generator, reach: float, low: float) -> list[Geometry]:
    """Blocks in rows with alternating directions, as on a tread plate."""
    pitch = rng.uniform(0.05, 0.1)
    grid = np.mgrid[-10:11, -10:11].reshape(2, -1).T
    long, wide = pitch * rng.uniform(0.55, 0.75), pitch * rng.uniform(0.18, 0.5)
    block = box(long, wide, 2 * (_HIGH - low) - 0.002)
    inside = grid[np.hypot(*grid.T) * pitch < reach - pitch / 2]
    return [
        block.moved(z=low).rotated("z", 90.0 * ((i + j) % 2)).moved(x=i * pitch, y=j * pitch)
        for i, j in inside.tolist()
    ]


def _rings(rng: np.random.Generator, reach: float, low: float) -> list[Geometry]:
    count = int(rng.integers(3, 8))
    width = reach / count * rng.uniform(0.25, 0.6)
    return [_ring(reach * (k + 1) / count, width, low) for k in range(count)]


def _ring(radius: float, width: float, low: float) -> Geometry:
    """A raised ring with the given outer radius."""
    inner = radius - width
    return lathe([(radius, low), (radius - 0.002, _HIGH), (inner + 0.002, _HIGH), (inner, low)], 96)


def _grate(rng: np.random.Generator) -> Model:
    """The frame of a drain with bars across it, and darkness between the bars."""
    wide = rng.choice((1.0, rng.uniform(0.5, 0.8)))
    rim, count = rng.uniform(0.03, 0.06), int(rng.integers(7, 15))
    pieces = [box(1.0, rim, _HIGH).moved(y=s * (wide - rim) / 2, z=_HIGH / 2) for s in (-1, 1)]
    pieces += [box(rim, wide - 2 * rim, _HIGH).moved(x=s * (1.0 - rim) / 2, z=_HIGH / 2) for s in (-1, 1)]
    pitch = (1.0 - 2 * rim) / count
    bar = box(pitch * rng.uniform(0.4, 0.6), wide - rim, _HIGH - 0.004)
    pieces += [bar.moved(x=(k - count / 2) * pitch, z=_HIGH / 2) for k in range(1, count)]
    if rng.random() < 0.6:
        pieces.append(box(1.0 - rim, rim, _HIGH - 0.003).moved(z=_HIGH / 2))
    ground = box(1.0 - rim, wide - rim, _LOW).moved(z=_LOW / 2)
    return Model((part("grate", merge(pieces), "iron"), part("gap", ground, "hollow")))


_THINGS: dict[str, Callable[[np.random.Generator], Model]] = {
    "twig": _twig,
    "cable": _cable,
    "leaf": _leaf,
    "pebble": _pebble,
    "manhole": _manhole,
    "grate": _grate,
}


def shadow_caster(kind: str, size: float, reach: float, rng: np.random.Generator) -> Model:
    """A flat object in the plane z = 0, long along x and inside `reach`, that casts a shadow but also lets light pass.

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

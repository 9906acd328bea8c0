"""The parts of the parametric shapes: sheets of quads, and the solids and sweeps made from them.

Every function returns a `Geometry`: triangles with UVs in meters where that makes sense, counter-clockwise from
outside, without normals; `part` adds those. Lengths are meters, angles degrees, z is up and -y is the front.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import mapbox_earcut
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline, PchipInterpolator

from scenes.mesh import Model, Part, corner_normals, face_crosses, unit

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Geometry:
    """Triangles: vertices (n, 3) float64, faces (m, 3) int64, uvs (m, 3, 2) float64 per corner."""

    vertices: Array
    faces: NDArray[np.int64]
    uvs: Array

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Geometry:
        return Geometry(self.vertices + (x, y, z), self.faces, self.uvs)

    def scaled(self, x: float, y: float | None = None, z: float | None = None) -> Geometry:
        """The geometry scaled about the origin. One number scales all axes. Mirroring keeps faces outward."""
        factors = np.array([x, x if y is None else y, x if z is None else z], dtype=float)
        return Geometry(self.vertices * factors, self.faces, self.uvs)._turned(bool(np.prod(factors) < 0))

    def rotated(self, axis: str | Sequence[float], degrees: float, center: ArrayLike = (0.0, 0.0, 0.0)) -> Geometry:
        """The geometry rotated right-handed about an axis ("x", "y", "z" or a vector) through `centre`."""
        pivot = np.asarray(center, dtype=float)
        return Geometry((self.vertices - pivot) @ rotation(axis, degrees).T + pivot, self.faces, self.uvs)

    def mirrored(self, axis: str = "x") -> Geometry:
        return self.scaled(*(-1.0 if a == axis else 1.0 for a in "xyz"))

    def bent(self, function: Callable[[Array], ArrayLike]) -> Geometry:
        """The geometry with its vertices mapped by `function`, (n, 3) to (n, 3), which must keep the orientation."""
        return Geometry(np.asarray(function(self.vertices), dtype=float), self.faces, self.uvs)

    def flipped(self) -> Geometry:
        """The geometry with its faces turned inside out."""
        return self._turned(True)

    def _turned(self, turn: bool) -> Geometry:
        return Geometry(self.vertices, self.faces[:, ::-1], self.uvs[:, ::-1]) if turn else self


def part(name: str, geometry: Geometry | Iterable[Geometry], role: str, crease: float = 35.0) -> Part:
    """A named part: one welded geometry. Normals are smooth where faces meet at up to `crease` degrees."""
    whole = geometry if isinstance(geometry, Geometry) else merge(geometry)
    area = np.linalg.norm(face_crosses(whole.vertices, whole.faces), axis=1)
    keep = area > 1e-14
    faces, uvs = whole.faces[keep], whole.uvs[keep]
    return Part(
        name,
        whole.vertices.astype(np.float32),
        faces.astype(np.int32),
        corner_normals(whole.vertices, faces, crease),
        uvs.astype(np.float32),
        role,
    )


def standing(model: Model) -> Model:
    """The model moved so that it stands on z = 0, with the center of its bounds over the origin."""
    low, high = model.bounds
    matrix = np.eye(4)
    matrix[:3, 3] = -(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]
    return model.moved(matrix)


def merge(pieces: Iterable[Geometry]) -> Geometry:
    """All pieces as one geometry, without welding."""
    items = list(pieces)
    offsets = np.cumsum([0] + [len(item.vertices) for item in items[:-1]])
    return Geometry(
        np.concatenate([item.vertices for item in items]),
        np.concatenate([item.faces + offset for item, offset in zip(items, offsets, strict=True)]),
        np.concatenate([item.uvs for item in items]),
    )


def both_sides(geometry: Geometry, axis: str = "x") -> Geometry:
    """The geometry and its mirror image."""
    return merge([geometry, geometry.mirrored(axis)])


def around(geometry: Geometry, count: int, axis: str = "z", center: ArrayLike = (0.0, 0.0, 0.0)) -> Geometry:
    """`count` copies at equal angles about an axis."""
    return merge(geometry.rotated(axis, 360.0 * k / count, center) for k in range(count))


def rotation(axis: str | Sequence[float], degrees: float) -> Array:
    """(3, 3) right-handed rotation about an axis (Rodrigues)."""
    named = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
    direction = unit(np.asarray(named[axis] if isinstance(axis, str) else axis, dtype=float))
    x, y, z = direction
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.asarray(np.eye(3) + np.sin(angle) * skew + (1 - np.cos(angle)) * skew @ skew)


# Curves and outlines -------------------------------------------------------------------------------------------


def spline(points: ArrayLike, count: int, closed: bool = False) -> Array:
    """`count` points on a cubic spline through points (k, d), evenly in chord length; closed: last != first."""
    p = np.asarray(points, dtype=float)
    if closed:
        p = np.concatenate([p, p[:1]])
    chord = np.concatenate([[0.0], np.cumsum(np.maximum(np.linalg.norm(np.diff(p, axis=0), axis=1), 1e-9))])
    at = np.linspace(0, chord[-1], count + 1)[:-1] if closed else np.linspace(0, chord[-1], count)
    return np.asarray(CubicSpline(chord, p, bc_type="periodic" if closed else "natural")(at))


def profile(points: ArrayLike, count: int) -> Array:
    """`count` points on a monotone curve through (k, d) points. It never overshoots, so walls stay straight."""
    p = np.asarray(points, dtype=float)
    chord = np.concatenate([[0.0], np.cumsum(np.maximum(np.linalg.norm(np.diff(p, axis=0), axis=1), 1e-9))])
    return np.asarray(PchipInterpolator(chord, p)(np.linspace(0, chord[-1], count)))


def circle(radius: float, count: int) -> Array:
    """(count, 2) counter-clockwise circle."""
    return superellipse(2 * radius, 2 * radius, 2.0, count)


def superellipse(width: float, height: float, power: float, count: int) -> Array:
    """(count, 2) counter-clockwise |2x/w|^p + |2y/h|^p = 1; power 2 is an ellipse, 4 a rounded rectangle."""
    t = np.arange(count) / count * 2 * np.pi
    c, s = np.cos(t), np.sin(t)
    return np.column_stack(
        [width / 2 * np.sign(c) * np.abs(c) ** (2 / power), height / 2 * np.sign(s) * np.abs(s) ** (2 / power)]
    )


def rounded_rectangle(width: float, height: float, radius: float, corner: int = 5) -> Array:
    """(4 * corner, 2) counter-clockwise rectangle about the origin with round corners."""
    r = min(radius, 0.499 * width, 0.499 * height)
    t = np.linspace(0, np.pi / 2, corner)
    arc = np.column_stack([np.cos(t), np.sin(t)]) * r
    centers = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    turned = [arc, arc[:, ::-1] * (-1, 1), -arc, arc[:, ::-1] * (1, -1)]
    return np.concatenate(
        [a + (sx * (width / 2 - r), sy * (height / 2 - r)) for a, (sx, sy) in zip(turned, centers, strict=True)]
    )


# Sheets --------------------------------------------------------------------------------------------------------


def sheet(grid: ArrayLike, close_rows: bool = False, close_columns: bool = False) -> Geometry:
    """Quads over a grid of points (r, c, 3), each divided into two triangles.

    Seen from outside, points run right along a row and rows follow upwards: rows that are rings, counter-clockwise
    from above, one over the other, face away from their axis. `close_rows` joins the last row to the first,
    `close_columns` the last point of each row to its first; the seam's vertices are doubled, so UVs run through.
    UVs are arc lengths in meters: u along the row, averaged over the rows, and v across, averaged over the columns.
    """
    g = np.asarray(grid, dtype=float)
    if close_rows:
        g = np.concatenate([g, g[:1]])
    if close_columns:
        g = np.concatenate([g, g[:, :1]], axis=1)
    rows, columns = g.shape[:2]
    v = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(g, axis=0), axis=2).mean(axis=1))])
    u = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(g, axis=1), axis=2).mean(axis=0))])
    uv = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    quads = np.stack([a, b, c, d], axis=-1).reshape(-1, 4)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return Geometry(g.reshape(-1, 3), faces, uv[faces])


def fan(loop: ArrayLike) -> Geometry:
    """A convex loop (k, 3) closed by triangles to its center, facing where it is counter-clockwise."""
    p = np.asarray(loop, dtype=float)
    k = len(p)
    ring = np.arange(k)
    faces = np.column_stack([np.full(k, k), ring, (ring + 1) % k])
    vertices = np.concatenate([p, p.mean(axis=0, keepdims=True)])
    flat = vertices - vertices[-1]
    axis_u = unit(flat[0])
    axis_v = unit(np.cross(np.cross(flat[0], flat[k // 4 or 1]), axis_u))
    uv = np.column_stack([flat @ axis_u, flat @ axis_v])
    return Geometry(vertices, faces, uv[faces])


def loft(sections: ArrayLike, caps: bool = True) -> Geometry:
    """A skin over closed sections (s, k, 3). Each is counter-clockwise when seen from the side of the next one."""
    g = np.asarray(sections, dtype=float)
    pieces = [sheet(g, close_columns=True)]
    if caps:
        pieces += [fan(g[0][::-1]), fan(g[-1])]
    return merge(pieces)


def lathe(outline: ArrayLike, segments: int = 48, arc: float = 360.0) -> Geometry:
    """An outline (k, 2) of (radius, z) turned about z.

    Walk the outline with the solid to its left when r points right: up along an outer wall, down along an inner one.
    """
    p = np.asarray(outline, dtype=float)
    full = arc >= 360.0
    angles = np.radians(np.linspace(0, arc, segments, endpoint=not full))
    grid = np.stack(
        [p[:, :1] * np.cos(angles), p[:, :1] * np.sin(angles), np.repeat(p[:, 1:], segments, axis=1)], axis=-1
    )
    return sheet(grid, close_columns=full)


def frames(path: ArrayLike, closed: bool = False) -> tuple[Array, Array, Array]:
    """Unit tangent, normal and binormal, (k, 3) each, carried along a path without twisting (double reflection)."""
    p = np.asarray(path, dtype=float)
    ahead = np.roll(p, -1, axis=0) - np.roll(p, 1, axis=0)
    if not closed:
        ahead[0], ahead[-1] = p[1] - p[0], p[-1] - p[-2]
    tangent = unit(ahead)
    seed = np.eye(3)[np.argmin(np.abs(tangent[0]))]
    normal = np.empty_like(tangent)
    normal[0] = unit(np.cross(np.cross(tangent[0], seed), tangent[0]))
    for i in range(len(p) - 1):
        step = p[i + 1] - p[i]
        c = max(step @ step, 1e-18)
        r = normal[i] - 2 / c * (step @ normal[i]) * step
        t = tangent[i] - 2 / c * (step @ tangent[i]) * step
        w = tangent[i + 1] - t
        normal[i + 1] = r - 2 / max(w @ w, 1e-18) * (w @ r) * w
    return tangent, normal, np.cross(tangent, normal)


def sweep(
    path: ArrayLike,
    section: ArrayLike,
    scale: ArrayLike = 1.0,
    caps: bool = True,
    closed: bool = False,
    up: ArrayLike | None = None,
) -> Geometry:
    """A counter-clockwise section (s, 2) moved along a path (k, 3) and scaled by one number or by (k,) numbers.

    Section x lies along the path's normal, y along its binormal. `up` fixes the binormal to that direction as far
    as the path allows; without it the frame is carried without twist.
    """
    p = np.asarray(path, dtype=float)
    tangent, normal, binormal = frames(p, closed)
    if up is not None:
        normal = unit(np.cross(np.asarray(up, dtype=float), tangent))
        binormal = np.cross(tangent, normal)
    size = np.broadcast_to(np.asarray(scale, dtype=float), (len(p),))[:, None, None]
    s = np.asarray(section, dtype=float)
    rings = p[:, None] + size * (s[None, :, :1] * normal[:, None] + s[None, :, 1:] * binormal[:, None])
    skin = sheet(rings, close_rows=closed, close_columns=True)
    return skin if closed or not caps else merge([skin, fan(rings[0][::-1]), fan(rings[-1])])


def tube(path: ArrayLike, radius: ArrayLike, sides: int = 12, caps: bool = True, closed: bool = False) -> Geometry:
    """A round pipe along a path (k, 3); the radius is one number or (k,)."""
    return sweep(path, circle(1.0, sides), radius, caps, closed)


# Solids --------------------------------------------------------------------------------------------------------


def box(x: float, y: float, z: float, bevel: float = 0.0, corner: int = 4) -> Geometry:
    """A box of the given size about the origin with rounded edges of radius `bevel`."""
    size = np.array([x, y, z], dtype=float)
    r = min(bevel, 0.499 * size.min())
    if r <= 0:
        return prism(rounded_rectangle(x, y, 0.0, 1), z)
    t = np.linspace(0, np.pi / 2, corner)
    heights = np.concatenate([-z / 2 + r - r * np.cos(t), z / 2 - r + r * np.sin(t)])
    inset = np.concatenate([r - r * np.sin(t), r - r * np.cos(t)])
    outline = rounded_rectangle(x, y, r, corner)
    core = np.clip(outline, [-x / 2 + r, -y / 2 + r], [x / 2 - r, y / 2 - r])
    rim = unit_or_zero(outline - core)
    rings = np.stack(
        [np.column_stack([core + rim * (r - i), np.full(len(core), h)]) for h, i in zip(heights, inset, strict=True)]
    )
    return loft(rings)


def unit_or_zero(vectors: Array) -> Array:
    """Rows scaled to length 1. Zero rows stay zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(length > 1e-15, length, 1.0))


def cylinder(
    radius: float, height: float, segments: int = 32, bevel: float = 0.0, top: float | None = None
) -> Geometry:
    """A cylinder about z from z = 0 to `height`, with round rims; `top` is the upper radius of a cone."""
    upper = radius if top is None else top
    r = min(bevel, 0.499 * height, 0.999 * max(min(radius, upper), 1e-9))
    t = np.linspace(0, np.pi / 2, 4) if r > 0 else np.zeros(1)
    low = np.column_stack([radius - r + r * np.sin(t), r - r * np.cos(t)])
    high = np.column_stack([upper - r + r * np.cos(t), height - r + r * np.sin(t)])
    return lathe(np.concatenate([[[0.0, 0.0]], low, high, [[0.0, height]]]), segments)


def ellipsoid(x: float, y: float, z: float, segments: int = 32, rings: int = 16) -> Geometry:
    """An ellipsoid with the given full sizes about the origin."""
    t = np.linspace(-np.pi / 2, np.pi / 2, rings + 1)
    outline = np.column_stack([np.cos(t) / 2, np.sin(t) / 2])
    outline[[0, -1], 0] = 0.0
    return lathe(outline, segments).scaled(x, y, z)


def torus(radius: float, thickness: float, segments: int = 48, sides: int = 16) -> Geometry:
    """A ring about z; `thickness` is the radius of its section."""
    ring = np.column_stack([circle(radius, segments), np.zeros(segments)])
    return tube(ring, thickness, sides, closed=True)


def prism(outline: ArrayLike, height: float, bevel: float = 0.0, holes: Sequence[ArrayLike] = ()) -> Geometry:
    """A flat outline (k, 2), counter-clockwise and simple, extruded from -height/2 to height/2 along z.

    It may be concave and have holes (counter-clockwise too). `bevel` chamfers the outer rim in three steps and is
    meant small against the outline's features.
    """
    outer = np.asarray(outline, dtype=float)
    inner = [np.asarray(hole, dtype=float) for hole in holes]
    r = min(bevel, 0.499 * height)
    t = np.linspace(0, np.pi / 2, 4) if r > 0 else np.zeros(1)
    low = [(r - r * np.sin(a), -height / 2 + r - r * np.cos(a)) for a in t]
    levels = low + [(inset, -z) for inset, z in reversed(low)]
    grid = np.stack([np.column_stack([inset_outline(outer, i), np.full(len(outer), z)]) for i, z in levels])
    pieces = [sheet(grid, close_columns=True)]
    for hole in inner:
        walls = np.stack([np.column_stack([hole, np.full(len(hole), z)]) for z in (-height / 2, height / 2)])
        pieces.append(sheet(walls, close_columns=True).flipped())
    cap = flat(grid[-1][:, :2], inner)
    pieces += [cap.moved(z=height / 2), cap.flipped().moved(z=-height / 2)]
    return merge(pieces)


def flat(outline: ArrayLike, holes: Sequence[ArrayLike] = ()) -> Geometry:
    """A simple outline (k, 2), with holes, filled in the plane z = 0 and facing +z."""
    rings = [np.asarray(ring, dtype=float) for ring in (outline, *holes)]
    points = np.concatenate(rings)
    faces = mapbox_earcut.triangulate_float64(points, np.cumsum([len(ring) for ring in rings]).astype(np.uint32))
    faces = faces.reshape(-1, 3).astype(np.int64)
    vertices = np.column_stack([points, np.zeros(len(points))])
    down = face_crosses(vertices, faces)[:, 2] < 0
    faces[down] = faces[down][:, ::-1]
    return Geometry(vertices, faces, points[faces])


def inset_outline(outline: Array, distance: float) -> Array:
    """The outline (k, 2) moved inwards by `distance` along its vertices' mitered normals."""
    if distance == 0:
        return outline
    ahead = unit_or_zero(np.roll(outline, -1, axis=0) - outline)
    inward = np.column_stack([-ahead[:, 1], ahead[:, 0]])
    both = unit_or_zero(inward + np.roll(inward, 1, axis=0))
    cosine = np.maximum(np.einsum("ij,ij->i", both, inward), 0.4)
    return np.asarray(outline + both * (distance / cosine)[:, None])


def bar(start: ArrayLike, end: ArrayLike, radius: float, sides: int = 12, top: float | None = None) -> Geometry:
    """A straight round rod between two points, from `radius` to `top`."""
    path = np.array([start, end], dtype=float)
    return tube(path, [radius, radius if top is None else top], sides)


def beam(
    start: ArrayLike, end: ArrayLike, width: float, height: float, bevel: float = 0.0, up: ArrayLike = (0, 0, 1)
) -> Geometry:
    """A straight bar of rectangular section between two points; `height` runs along `up` as far as possible."""
    section = rounded_rectangle(width, height, max(bevel, 1e-4 * min(width, height)), 3)
    return sweep(np.array([start, end], dtype=float), section, up=up)

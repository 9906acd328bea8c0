"""A whole model as one set of triangles, for repairs that must see across its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy
from numpy.typing import NDArray

from scenes.mesh import corner_normals, face_crosses, unit

CREASE = 35.0
# Smooth normals compare all faces around a vertex with each other; a fan of thousands would fill the memory.
MAX_PAIRS = 60_000_000


@dataclass(frozen=True)
class Soup:
    """vertices: (n, 3) float64. faces: (m, 3) int64. part: (m,) int64, the part that each face belongs to.

    uvs, colors: (m, 3, 2 k) and (m, 3, 4) float64, NaN where a part has none. given: (m, 3, 3) float64, the normals in
    the file, zeros where there are none.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    uvs: NDArray[np.float64]
    colors: NDArray[np.float64]
    part: NDArray[np.int64]
    given: NDArray[np.float64] | None = None

    def only(self, keep: NDArray[np.bool_]) -> Soup:
        given = None if self.given is None else self.given[keep]
        return Soup(self.vertices, self.faces[keep], self.uvs[keep], self.colors[keep], self.part[keep], given)

    def flipped(self, which: NDArray[np.bool_]) -> Soup:
        """Some faces turned over."""
        faces, uvs, colors = self.faces.copy(), self.uvs.copy(), self.colors.copy()
        for corners in (faces, uvs, colors):
            corners[which] = corners[which][:, ::-1]
        given = None if self.given is None else self.given.copy()
        if given is not None:
            given[which] = -given[which][:, ::-1]
        return replace(self, faces=faces, uvs=uvs, colors=colors, given=given)

    def unit(self) -> tuple[Soup, float]:
        """Scaled to a bounding-box diagonal of 1 about the box's center, and the diagonal it had."""
        used = self.vertices[np.unique(self.faces)]
        low, high = used.min(axis=0), used.max(axis=0)
        diagonal = float(np.linalg.norm(high - low))
        return replace(self, vertices=(self.vertices - (low + high) / 2) / diagonal), diagonal

    def welded(self) -> NDArray[np.int64]:
        """(m, 3) faces with vertices at one place, to a millionth of the size, counted as one."""
        scale = max(float(np.ptp(self.vertices, axis=0).max()), 1e-300)
        low = self.vertices.min(axis=0)
        cells = np.round((self.vertices - low) / scale * 1e6).astype(np.int64)
        _, index = np.unique(cells, axis=0, return_inverse=True)
        return np.asarray(index.reshape(-1)[self.faces])


def without_dirt(soup: Soup) -> Soup:
    """Without faces of no area, and with one face where a part has several on the same corners."""
    corners = soup.welded()
    sides = (corners != np.roll(corners, 1, axis=1)).all(axis=1)
    scale = max(float(np.ptp(soup.vertices, axis=0).max()), 1e-300)
    area = np.linalg.norm(face_crosses(soup.vertices / scale, soup.faces), axis=1)
    keep = sides & (area > 1e-14)
    rows = np.column_stack([np.sort(corners, axis=1), soup.part])
    rows[~keep, 3] = -1
    _, first = np.unique(rows, axis=0, return_index=True)
    once = np.zeros(len(rows), dtype=bool)
    once[first] = True
    return soup.only(keep & once)


def outward(soup: Soup) -> Soup:
    """Closed bodies made to face outward; open surfaces, which have no outside, are left as they are."""
    corners = soup.welded()
    body, closed, consistent = _bodies(corners)
    crooked = (closed & ~consistent)[body]
    if crooked.any():
        soup = soup.flipped(_crooked_faces(corners, crooked))
        corners = soup.welded()
        body, closed, consistent = _bodies(corners)
    points = soup.vertices[soup.faces] - soup.vertices.mean(axis=0)
    volume = np.bincount(body, np.einsum("ij,ij->i", points[:, 0], np.cross(points[:, 1], points[:, 2])))
    return soup.flipped((closed & consistent & (volume < 0))[body])


def _bodies(corners: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """(m,) the body of each face, joined over edges; for each body whether it is closed, and evenly wound."""
    directed = corners[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    forward = directed[:, 0] < directed[:, 1]
    _, edge, count = np.unique(np.sort(directed, axis=1), axis=0, return_inverse=True, return_counts=True)
    edge = edge.reshape(-1)
    face = np.repeat(np.arange(len(corners)), 3)
    total = len(corners) + len(count)
    graph = scipy.sparse.coo_matrix((np.ones(len(edge), dtype=bool), (face, len(corners) + edge)), shape=(total, total))
    body = scipy.sparse.csgraph.connected_components(graph, directed=False)[1][: len(corners)].astype(np.int64)
    balance = np.bincount(edge, np.where(forward, 1.0, -1.0))
    closed = np.ones(body.max() + 1, dtype=bool)
    closed[body[face[count[edge] != 2]]] = False
    consistent = np.ones(body.max() + 1, dtype=bool)
    consistent[body[face[balance[edge] != 0]]] = False
    return body, closed, consistent


def _crooked_faces(corners: NDArray[np.int64], within: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(m,) which of the faces must be turned over for bodies to be evenly wound."""
    # Imported here, as below: it takes a fifth of a second, and a warm start repairs nothing.
    from trimesh import Trimesh
    from trimesh.repair import fix_winding

    faces = corners[within]
    mesh = Trimesh(np.zeros((corners.max() + 1, 3)), faces, process=False, validate=False)
    fix_winding(mesh)
    # Even permutations are the same face; a turned one steps from its first corner the other way.
    then, now = faces, np.asarray(mesh.faces)
    at = (now == then[:, :1]).argmax(axis=1)
    turned = now[np.arange(len(now)), (at + 1) % 3] != then[:, 1]
    result = np.zeros(len(corners), dtype=bool)
    result[within] = turned
    return result


def normals(soup: Soup) -> NDArray[np.float32]:
    """(m, 3, 3) float32 corner normals: those of the file on faces where all three make sense, else our own.

    Ours are smooth up to the crease angle, across parts; flat where fans are too wide.
    """
    crosses = face_crosses(soup.vertices, soup.faces)
    around = np.bincount(soup.welded().reshape(-1)).astype(np.float64)
    if (around**2).sum() > MAX_PAIRS:
        own = np.repeat(unit(crosses)[:, None], 3, axis=1).astype(np.float32)
    else:
        own = corner_normals(soup.vertices, soup.faces, CREASE)
    if soup.given is None:
        return own
    # Normals of exporters may be missing, not a number, or of the other side of the face.
    lengths = np.linalg.norm(soup.given, axis=-1)
    with np.errstate(invalid="ignore"):
        sane = (np.isfinite(lengths) & (lengths > 1e-6)).all(axis=1)
        sane &= (np.einsum("mkj,mj->mk", soup.given, crosses) > 0).all(axis=1)
    own[sane] = unit(soup.given[sane]).astype(np.float32)
    return own

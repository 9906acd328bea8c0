"""Models as plain arrays: parts with corner normals and UVs, named keypoints, bounds.

Axes everywhere in blendmill: meters, z up, the front of an object looks along -y, its left is +x.
Triangles are counter-clockwise seen from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]


@dataclass(frozen=True)
class Picture:
    """An image that drives one input of the shader.

    channel: "RGB", "R", "G", "B" or "A" multiplies the value of the input. "1-A" is one minus the value times A.
    "NORMAL" is a normal map in tangent space, y up; the value is its strength.
    layer: which of the part's layers of UVs it lies on. wrap: "REPEAT", "MIRROR" or "CLAMP", along u and along v.
    nearest: whether it is drawn without interpolation. tangents: for a normal map, the layer whose directions its axes
    follow.
    """

    path: Path
    channel: str
    layer: int = 0
    wrap: tuple[str, str] = ("REPEAT", "REPEAT")
    nearest: bool = False
    tangents: int = 0


@dataclass(frozen=True)
class Appearance:
    """The material in a model file, reduced to the inputs of a principled shader.

    color: linear RGB in [0, 1]; texture: path of an image that multiplies it, sampled with the part's UVs. The alpha
    channel of `texture` means nothing.
    alpha: the opacity; opacity: path of a gray image that multiplies it, sampled with the part's UVs.
    mode: what the opacity does, as in glTF. "OPAQUE" ignores it. "MASK" shows the surface where the opacity is at least
    `cutoff`, and nothing elsewhere. "BLEND" mixes the surface with what is behind it.
    wrap, nearest: how `texture` and `opacity` are drawn, see `Picture`. They lie on the first layer of UVs.
    unlit: whether it shines in its color instead of reflecting light, so that it looks the same in any light.
    inputs: further inputs of Blender's principled shader by name, in lower case with underscores: a number or linear
    RGB. pictures: images of inputs other than color and opacity, by the name of the input.
    """

    color: tuple[float, float, float] = (0.8, 0.8, 0.8)
    metallic: float = 0.0
    roughness: float = 0.5
    alpha: float = 1.0
    texture: Path | None = None
    mode: str = "OPAQUE"
    cutoff: float = 0.5
    opacity: Path | None = None
    wrap: tuple[str, str] = ("REPEAT", "REPEAT")
    nearest: bool = False
    unlit: bool = False
    inputs: Mapping[str, float | tuple[float, ...]] = field(default_factory=dict)
    pictures: Mapping[str, Picture] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, ...]:
        """The image files."""
        own = [path for path in (self.texture, self.opacity) if path is not None]
        return (*own, *(picture.path for picture in self.pictures.values()))

    def with_files(self, other: Callable[[Path], Path]) -> Appearance:
        """The same with another file for each image file."""
        return replace(
            self,
            texture=None if self.texture is None else other(self.texture),
            opacity=None if self.opacity is None else other(self.opacity),
            pictures={name: replace(one, path=other(one.path)) for name, one in self.pictures.items()},
        )


@dataclass(frozen=True)
class Part:
    """One named piece of a model, drawn with one material.

    Parameters
    ----------
    name : str
        Name of the part.
    vertices : ndarray, (n, 3) float32
        Positions in meters.
    faces : ndarray, (m, 3) int32
        Indices into `vertices`, counter-clockwise seen from outside.
    normals : ndarray, (m, 3, 3) float32
        A unit normal for each corner of each face.
    uvs : ndarray, (m, 3, 2 k) float32, optional
        Texture coordinates for each corner of each face, in k layers side by side. Most parts have one layer.
    colors : ndarray, (m, 3, 4) float32, optional
        A linear RGB color and an opacity for each corner of each face. They multiply those of the appearance.
    role : str
        What the part is made of: a key of `scenes.materials.roles.ROLES`, optionally with a suffix after a colon.
        Parts of one object with the same role share one random draw of the material.
    appearance : Appearance, optional
        The material in the model file.

    Examples
    --------
    >>> import numpy as np
    >>> from blendmill import Part
    >>> up = np.tile(np.float32([0, 0, 1]), (1, 3, 1))
    >>> Part("sail", np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 0]]), np.array([[0, 1, 2]]), up).role
    'plastic'
    """

    name: str
    vertices: Floats
    faces: Ints
    normals: Floats
    uvs: Floats | None = None
    role: str = "plastic"
    appearance: Appearance | None = None
    colors: Floats | None = None

    def moved(self, matrix: Floats) -> Part:
        """The part transformed by an affine (4, 4) matrix. Normals are transformed by the inverse transpose."""
        linear = np.asarray(matrix)[:3, :3]
        normals = self.normals @ np.linalg.inv(linear)
        faces = self.faces
        uvs, colors = self.uvs, self.colors
        if np.linalg.det(linear) < 0:
            faces, normals = faces[:, ::-1], normals[:, ::-1]
            uvs = None if uvs is None else uvs[:, ::-1]
            colors = None if colors is None else colors[:, ::-1]
        return replace(
            self,
            vertices=(self.vertices @ linear.T + matrix[:3, 3]).astype(np.float32),
            faces=np.ascontiguousarray(faces),
            normals=unit(normals).astype(np.float32),
            uvs=None if uvs is None else np.ascontiguousarray(uvs),
            colors=None if colors is None else np.ascontiguousarray(colors),
        )


@dataclass(frozen=True)
class Geometry:
    """Where a model's triangles are, and nothing else: vertices (n, 3) float, and faces (m, 3) indices into them."""

    vertices: Floats
    faces: Ints


@dataclass(frozen=True)
class Model:
    """An object as triangles.

    Parameters
    ----------
    parts : tuple of Part
        The pieces of the object.
    keypoints : mapping of str to ndarray, (3,) float64
        Named points in meters.
    parameters : mapping of str to float, int, str or bool
        The values that a shape generator used.

    Examples
    --------
    >>> import numpy as np
    >>> from blendmill import Model, Part
    >>> up = np.tile(np.float32([0, 0, 1]), (1, 3, 1))
    >>> part = Part("sail", np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 0]]), np.array([[0, 1, 2]]), up)
    >>> Model((part,)).bounds.tolist()
    [[0.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    """

    parts: tuple[Part, ...]
    keypoints: Mapping[str, Floats] = field(default_factory=dict)
    parameters: Mapping[str, float | int | str | bool] = field(default_factory=dict)

    @property
    def triangles(self) -> int:
        """Number of triangles."""
        return sum(len(part.faces) for part in self.parts)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays of the parts."""
        fields = [(part.vertices, part.faces, part.normals, part.uvs, part.colors) for part in self.parts]
        return sum(array.nbytes for arrays in fields for array in arrays if array is not None)

    @property
    def geometry(self) -> Geometry:
        """The triangles of all parts, one after another."""
        starts = np.cumsum([0] + [len(part.vertices) for part in self.parts[:-1]])
        faces = np.concatenate([part.faces + start for part, start in zip(self.parts, starts, strict=True)])
        return Geometry(np.concatenate([part.vertices for part in self.parts]), faces.astype(np.int32))

    @property
    def bounds(self) -> NDArray[np.float64]:
        """(2, 3) smallest and largest corner of the axis-aligned box."""
        lows = [part.vertices.min(axis=0) for part in self.parts]
        highs = [part.vertices.max(axis=0) for part in self.parts]
        return np.array([np.min(lows, axis=0), np.max(highs, axis=0)], dtype=np.float64)

    def moved(self, matrix: Floats) -> Model:
        """The model transformed by an affine (4, 4) matrix."""
        points = {name: np.asarray(matrix)[:3, :3] @ p + matrix[:3, 3] for name, p in self.keypoints.items()}
        return replace(self, parts=tuple(part.moved(matrix) for part in self.parts), keypoints=points)


def unit(vectors: Floats) -> Floats:
    """Vectors (..., 3) scaled to length one; a zero vector becomes +z."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    safe = np.where(length > 1e-20, vectors / np.maximum(length, 1e-20), np.array([0.0, 0.0, 1.0]))
    return np.asarray(safe)


def face_crosses(vertices: Floats, faces: Ints) -> NDArray[np.float64]:
    """(m, 3) cross products of the faces' edges: face normals times twice the areas."""
    a, b, c = (np.asarray(vertices, dtype=np.float64)[faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


def corner_normals(vertices: Floats, faces: Ints, crease: float) -> NDArray[np.float32]:
    """Smooth normals that break at creases.

    Each corner takes the area-weighted mean of the faces around its position whose own normal is within `crease`
    degrees of its face's. Vertices at one position count as one, so seams in the vertex list do not show.

    Returns (m, 3, 3) float32 unit vectors.
    """
    crosses = face_crosses(vertices, faces)
    normals = unit(crosses)
    corner = _welded(vertices)[faces].reshape(-1)
    order = np.argsort(corner, kind="stable")
    counts = np.bincount(corner)
    counts = counts[counts > 0]
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    of_corner = np.repeat(counts, counts)
    first = np.repeat(order, of_corner)
    within = np.arange(len(first)) - np.repeat(np.cumsum(of_corner) - of_corner, of_corner)
    second = order[np.repeat(np.repeat(starts, counts), of_corner) + within]
    smooth = np.einsum("ij,ij->i", normals[first // 3], normals[second // 3]) >= np.cos(np.radians(crease)) - 1e-9
    total = np.empty((len(corner), 3))
    for axis in range(3):
        total[:, axis] = np.bincount(first[smooth], weights=crosses[second[smooth] // 3, axis], minlength=len(corner))
    flat = np.linalg.norm(total, axis=1) < 1e-20
    total[flat] = np.repeat(normals, 3, axis=0)[flat]
    return unit(total).reshape(-1, 3, 3).astype(np.float32)


def _welded(vertices: Floats) -> Ints:
    """(n,) a number for each vertex, the same for vertices at one position to a millionth of the model's size."""
    low = vertices.min(axis=0)
    grid = np.round(
        (np.asarray(vertices, dtype=np.float64) - low) / max(float(np.ptp(vertices, axis=0).max()), 1e-12) * 1e6
    )
    # One whole number a position: sorting numbers is much faster than sorting rows.
    x, y, z = grid.astype(np.int64).T
    return np.unique((x << 42) | (y << 21) | z, return_inverse=True)[1].reshape(-1)

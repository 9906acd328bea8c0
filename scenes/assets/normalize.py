"""Makes the unit model of any model: bounding-box diagonal 1, origin at the center of the box."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.assets.decimation import decimated
from scenes.assets.hull import hull_points, stable_poses
from scenes.assets.info import AssetInfo
from scenes.assets.soup import Soup, normals, outward, without_dirt
from scenes.errors import LoadError
from scenes.mesh import Model, Part

# Part of every cache key: raise it when what this package makes of a file changes.
VERSION = 8
# More triangles are not visible at a few hundred pixels, and scenes with many such models do not fit in memory.
MAX_TRIANGLES = 200_000
MIN_SIZE, MAX_SIZE = 1e-12, 1e12


def from_file(model: Model, up: str, front: str) -> tuple[Model, float, tuple[str, ...]]:
    """The unit model of what a file holds, turned to z up and front -y, and cleaned.

    Faces without area and doubled faces go; closed bodies are made to face outward; what has more than MAX_TRIANGLES is
    collapsed to about that many. The file's normals are kept where they make sense.
    Returns the model, the diagonal it had, and what was mended.
    Raises LoadError if no area is left, or if fewer triangles change the shape.
    """
    soup, scale = _soup(model, _turned(up, front))
    before = len(soup.faces)
    soup = without_dirt(soup)
    if not len(soup.faces):
        raise LoadError("has no area")
    notes = [f"{before - len(soup.faces)} faces doubled or without area removed"] if len(soup.faces) < before else []
    soup = outward(soup)
    if len(soup.faces) > MAX_TRIANGLES:
        before = len(soup.faces)
        # Collapses may fold a face to nothing.
        soup = without_dirt(decimated(soup, MAX_TRIANGLES))
        notes.append(f"decimated from {before} to {len(soup.faces)} triangles")
    soup, diagonal = soup.unit()
    return Model(_parts(soup, model.parts)), diagonal * scale, tuple(notes)


def unit_model(model: Model) -> tuple[Model, float]:
    """The model scaled to a bounding-box diagonal of 1 about its box's center, and the diagonal it had.

    Raises LoadError if it has no extent.
    """
    low, high = model.bounds
    diagonal = float(np.linalg.norm(high - low))
    if not np.isfinite(diagonal) or diagonal < 1e-12:
        raise LoadError("has no extent")
    matrix = np.eye(4)
    matrix[:3, :3] /= diagonal
    matrix[:3, 3] = -(low + high) / 2 / diagonal
    return model.moved(matrix), diagonal


def describe(model: Model, **known: object) -> AssetInfo:
    """The AssetInfo of a unit model; `known`: the fields that do not follow from its triangles."""
    points = np.concatenate([_used(part) for part in model.parts])
    hull = hull_points(points)
    fields: dict[str, object] = {
        "bounds": np.array([points.min(axis=0), points.max(axis=0)]),
        "hull": hull,
        "stable": stable_poses(hull),
        "triangles": model.triangles,
        "parts": tuple(part.name for part in model.parts),
        "roles": {part.name: part.role for part in model.parts},
        "keypoints": {name: np.asarray(p, dtype=np.float64) for name, p in model.keypoints.items()},
    }
    return AssetInfo(**{"id": "", "category": "", "meters": None, **fields, **known})  # type: ignore[arg-type]


def _turned(up: str, front: str) -> NDArray[np.float64]:
    """(3, 3) rotation that takes the axes `up` to z and `front` to -y."""
    axes = {name: row for name, row in zip("xyz", np.eye(3), strict=True)}
    axes |= {f"-{name}": -row for name, row in axes.items()}
    return np.array([np.cross(axes[up], axes[front]), -axes[front], axes[up]])


def _soup(model: Model, rotation: NDArray[np.float64]) -> tuple[Soup, float]:
    """The model's triangles, turned, with the longest side 1, and that side's length in the file."""
    vertices = np.concatenate([np.asarray(p.vertices, dtype=np.float64) for p in model.parts])
    with np.errstate(over="ignore"):
        scale = float(np.ptp(vertices, axis=0).max())
    if not MIN_SIZE < scale < MAX_SIZE:
        raise LoadError(f"has no usable size, its longest side is {scale:g}")
    starts = np.cumsum([0] + [len(part.vertices) for part in model.parts])
    width = max(2 if p.uvs is None else p.uvs.shape[2] for p in model.parts)
    uvs = [np.full((len(p.faces), 3, width), np.nan) for p in model.parts]
    for part, wide in zip(model.parts, uvs, strict=True):
        if part.uvs is not None:
            wide[..., : part.uvs.shape[2]] = part.uvs
    colors = [np.full((len(p.faces), 3, 4), np.nan) if p.colors is None else p.colors for p in model.parts]
    soup = Soup(
        ((vertices - vertices.min(axis=0)) / scale) @ rotation.T,
        np.concatenate([p.faces.astype(np.int64) + s for p, s in zip(model.parts, starts, strict=False)]),
        np.concatenate(uvs).astype(np.float64),
        np.concatenate(colors).astype(np.float64),
        np.repeat(np.arange(len(model.parts)), [len(p.faces) for p in model.parts]),
        np.concatenate([p.normals for p in model.parts]).astype(np.float64) @ rotation.T,
    )
    return soup, scale


def _parts(soup: Soup, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts that have triangles left."""
    corner = normals(soup)
    made = []
    order = np.argsort(soup.part, kind="stable")
    numbers, starts = np.unique(soup.part[order], return_index=True)
    for number, mine in zip(numbers, np.split(order, starts[1:]), strict=True):
        used, faces = np.unique(soup.faces[mine], return_inverse=True)
        uvs, colors = soup.uvs[mine], soup.colors[mine]
        width = 0 if parts[number].uvs is None else parts[number].uvs.shape[2]
        made.append(
            replace(
                parts[number],
                vertices=soup.vertices[used].astype(np.float32),
                faces=faces.reshape(-1, 3).astype(np.int32),
                normals=corner[mine],
                uvs=uvs[..., :width].astype(np.float32) if width and np.isfinite(uvs[..., :width]).all() else None,
                colors=colors.astype(np.float32) if np.isfinite(colors).all() else None,
            )
        )
    return tuple(made)


def _used(part: Part) -> NDArray[np.float64]:
    return np.asarray(part.vertices, dtype=np.float64)[np.unique(part.faces)]

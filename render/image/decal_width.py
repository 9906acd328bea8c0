"""The width of a crack on an object: it is drawn on a flat patch, and projected on a surface that is not flat."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from render.image.surroundings import pixel_rays
from scenes.cracks.contour import OPEN, Contour
from scenes.record.scene import Item, Scene, rotation_matrix
from scenes.record.surface import Decal

# Where the surface is seen edge-on from the patch, the width grows without limit. This is the largest factor.
_LARGEST = 20.0


def on_surface(
    width: NDArray[np.float32], scene: Scene, contour: Contour, depth: NDArray[np.float32], normals: NDArray[np.float16]
) -> NDArray[np.float32]:
    """(H, W) width on the surface in mm, from the width on the patch (H, W), which is 0 off the crack.

    depth, normals: those of the picture, in camera axes.
    """
    row, column = np.nonzero(width)
    if not len(row):
        return width
    assert scene.main is not None and scene.decal is not None
    at, ways = _on_patch(scene, scene.main, scene.decal, depth, normals, row, column)
    wide = width.copy()
    wide[row, column] *= stretch(contour, at, ways)
    return wide


def _on_patch(
    scene: Scene, item: Item, decal: Decal, depth: NDArray, normals: NDArray, row: NDArray, column: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where pixels lie on the patch, (n, 2) mm, and their normals (n, 3) in the patch's axes: right, down, ahead."""
    turn, camera = rotation_matrix(item.rotation), scene.camera
    axes = np.stack([decal.right, decal.down, np.cross(decal.right, decal.down)])
    points = pixel_rays(camera)[row, column] * depth[row, column, None] + camera.location
    flat = 1000 * (points - item.location) @ turn @ axes[:2].T
    ways = normals[row, column].astype(np.float64) @ camera.world_to_camera()[:3, :3] @ turn @ axes.T
    return flat + decal.size / 2, ways


def stretch(contour: Contour, at: NDArray[np.float64], normals: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) by which factor a surface with these normals (n, 3), in the patch's axes, widens the crack at (n, 2) mm.

    What counts is how far the surface leans in the direction across the crack. Leaning along it only makes it longer.
    """
    strokes = [stroke for stroke in contour.strokes if stroke.kind in OPEN]
    points = np.concatenate([stroke.points for stroke in strokes])
    along = np.concatenate([np.gradient(stroke.points, axis=0) for stroke in strokes])
    half = np.concatenate([stroke.widths for stroke in strokes]) / 2
    away, near = scipy.spatial.cKDTree(points).query(at, k=min(4, len(points)))
    # A wide stroke covers more than a narrow one beside it.
    best = (away - half[near]).argmin(axis=1)
    way = along[near[np.arange(len(at)), best]]
    across = np.stack([-way[:, 1], way[:, 0]], axis=1) / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)
    lean = (normals[:, :2] * across).sum(axis=1)
    return 1 / np.sqrt(np.maximum(1 - lean**2, 1 / _LARGEST**2))

"""The scale at which a finished picture is shown: a part of it is cropped and enlarged, or a larger one is shrunk."""

from __future__ import annotations

import math

import cv2
import numpy as np

from render.composite.noise import Image, Shape
from scenes.cracks.contour import OPEN, Contour
from scenes.cracks.strips import Pixels
from scenes.record.composite import Composition


def frames(composition: Composition, contour: Contour, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    """The pixels in which the picture is drawn, and those in which it is shown; the same ones at a zoom of 1.

    Both begin at the same place of the contour's patch. An enlarged part shows a place of the crack, drawn by rng.
    """
    shape, zoom, scale = (composition.height, composition.width), composition.zoom, composition.mm_per_pixel
    if zoom == 1:
        same = Pixels(shape, scale)
        return same, same
    rows, columns = (math.ceil(side / zoom) for side in shape)
    origin = _origin(composition, contour, rng) if zoom > 1 else (0.0, 0.0)
    return Pixels((rows, columns), scale, origin), Pixels(shape, scale / zoom, origin)


def _origin(composition: Composition, contour: Contour, rng: np.random.Generator) -> tuple[float, float]:
    """The upper left corner in mm of the part that is enlarged; the part lies in the patch."""
    size = np.array(composition.size)
    part, share = size / composition.zoom, rng.random()
    lines = [stroke.points for stroke in contour.strokes if stroke.kind in OPEN]
    points = np.concatenate([np.zeros((0, 2)), *lines])
    points = points[((points >= 0) & (points < size)).all(axis=1)]
    place = points[int(share * len(points))] if len(points) else size / 2
    values = composition.steps["zoom"]
    left, top = np.clip(place - part * (values["x"], values["y"]), 0, size - part)
    return float(left), float(top)


def shown(picture: Image, shape: Shape, factor: float) -> Image:
    """Scale an (h, w) or (h, w, 3) picture by `factor`, and cut it to `shape` (H, W) from its upper left corner.

    The corner stays where it is. So pixel (i + 0.5, j + 0.5) shows what was at (i + 0.5, j + 0.5) / factor.
    """
    if factor < 1:
        # Pixels that are skipped are averaged into their neighbors first.
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.5 * math.sqrt(1 / factor**2 - 0.75)))
    step = 1 / factor
    matrix = np.array([[step, 0, step / 2 - 0.5], [0, step, step / 2 - 0.5]])
    flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_CUBIC if factor > 1 else cv2.INTER_LINEAR)
    moved = cv2.warpAffine(picture, matrix, shape[::-1], flags=flags, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved)

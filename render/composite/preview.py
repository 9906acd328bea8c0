"""Composed pictures to look at before a data set is made of them: the first of a config, or one factor swept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from render.composite.renderer import Painter
from render.frame import Frame
from render.image.sheets import contact_sheet
from scenes.errors import InputError, choices
from scenes.record.composite import Composition
from scenes.sampling.composite import Composer

Captioned = Sequence[tuple[str, Composition]]

_OUTLINE = (255, 40, 40)
_COLUMNS = 4


def first(composer: Composer, seed: int, start: int, count: int) -> Captioned:
    """Consecutive pictures, captioned by index."""
    return [(f"{index}", composer.sample(seed, index)) for index in range(start, start + count)]


def swept(composer: Composer, seed: int, index: int, factor: str, count: int) -> Captioned:
    """One picture with a factor's quantile from end to end, all else fixed. Raises InputError for an unknown factor."""
    known = composer.factors(seed, index)
    if factor not in known:
        raise InputError(f"--vary {factor}: no such factor in picture {index}, {choices(factor, known)}")
    quantiles = [(k + 0.5) / count for k in range(count)]
    return [(f"{factor} {q:.2f}", composer.sample(seed, index, {factor: q})) for q in quantiles]


def sheet(painter: Painter, pictures: Captioned, cell: int, advance: Callable[[int], object]) -> Image.Image:
    """A contact sheet: each picture, `cell` pixels wide, and beside it the same with its mask outlined."""
    pairs = []
    for _, composition in pictures:
        pairs.append(_pair(painter.draw(composition), cell))
        advance(1)
    return contact_sheet(pairs, _COLUMNS, [caption for caption, _ in pictures])


def outlined(frame: Frame) -> NDArray[np.uint8]:
    """(H, W, 3) the picture with a line around its cracks, a pixel away from them."""
    mask = (frame.category > 0).astype(np.uint8)
    near, beyond = (cv2.dilate(mask, np.ones((side, side), np.uint8)) for side in (3, 5))
    return np.where((beyond > near)[..., None], np.array(_OUTLINE, np.uint8), frame.rgb)


def _pair(frame: Frame, width: int) -> NDArray[np.uint8]:
    height = max(round(frame.rgb.shape[0] * width / frame.rgb.shape[1]), 1)
    shrunk = width < frame.rgb.shape[1]
    both = (frame.rgb, outlined(frame))
    flag = cv2.INTER_AREA if shrunk else cv2.INTER_NEAREST
    return np.hstack([cv2.resize(picture, (width, height), interpolation=flag) for picture in both])

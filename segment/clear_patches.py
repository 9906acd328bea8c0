"""Cut surfaces without cracks out of photographs, as backgrounds for `crack compose`. Networks find the cracks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from render.dataset.export.parts import png
from scenes.errors import InputError
from scenes.files import write_atomically
from segment.load import Loaded, load
from segment.models import probabilities
from segment.sets import open_set
from segment.statistics.lines import Mask
from training.devices import device_of

# Least length of a crack, pixels: anything shorter is a speck. Distance of a surface from cracks, pixels.
_SPECK, _AWAY = 12.0, 8
# Side in pixels of the grid cells in which the largest piece is searched.
_CELL = 4


@dataclass(frozen=True)
class Cut:
    """Result of cutting surfaces.

    pieces: number of surfaces. without: number of photographs without a piece that is large enough. left_out: one line
    for each file that could not be used, with the reason.
    """

    pieces: int
    without: int
    left_out: tuple[str, ...]


def cut_surfaces(
    photos: Path,
    weights: Sequence[Path],
    out: Path,
    *,
    threshold: float,
    smallest: int,
    advance: Callable[[int, int], None],
) -> Cut:
    """Write the largest piece without cracks of each photograph to `out`/<name>.png. Existing files are kept.

    weights: runs or checkpoints of `blendmill segment train`. threshold: a pixel counts as crack if any of the networks
    gives it this probability or more. smallest: least length of the shorter side of a piece, pixels. advance: called
    after each photograph with 1 and the number of photographs. Raises InputError if a folder or weights cannot be used.
    """
    networks = [_of_cracks(path) for path in weights]
    pictures = open_set(photos, masks=False)
    pieces, without, left_out = 0, 0, list(pictures.left_out)
    for k, name in enumerate(pictures.names):
        to = out / f"{name}.png"
        try:
            found = to.is_file() or _cut(pictures.read(k).rgb, networks, threshold, smallest, to)
            pieces, without = pieces + found, without + (not found)
        except InputError as error:
            left_out.append(str(error))
        advance(1, pictures.size)
    return Cut(pieces, without, tuple(left_out))


def _of_cracks(path: Path) -> Loaded:
    found = load(path, device_of("auto"))
    if len(found.classes) > 1:
        raise InputError(
            f"{path}: tells {len(found.classes)} classes apart and finds no cracks; give a run that finds them"
        )
    return found


def _cut(rgb: NDArray[np.uint8], networks: Sequence[Loaded], threshold: float, smallest: int, to: Path) -> bool:
    """Write the clear piece of a photograph. Returns False if it has none."""
    chance = np.max([probabilities(found.method, rgb, found.config.inference) for found in networks], axis=0)
    box = clear_piece(chance >= threshold, smallest)
    if box is None:
        return False
    write_atomically(to, png(np.ascontiguousarray(rgb[box])))
    return True


def clear_piece(crack: Mask, smallest: int) -> tuple[slice, slice] | None:
    """Rows and columns of the largest rectangle at least 8 px away from the cracks of a mask (H, W).

    Specks shorter than 12 px are ignored. The rectangle is exact to 4 px. None if no rectangle has `smallest` pixels on
    each side.
    """
    _, numbers, boxes, _ = cv2.connectedComponentsWithStats(crack.astype(np.uint8), connectivity=8)
    kept = np.hypot(boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT]) >= _SPECK
    kept[0] = False
    near = cv2.dilate(kept[numbers].astype(np.uint8), np.ones((2 * _AWAY + 1,) * 2, np.uint8))
    rows, columns = (side // _CELL * _CELL for side in crack.shape)
    cells = near[:rows, :columns].reshape(rows // _CELL, _CELL, columns // _CELL, _CELL).max(axis=(1, 3))
    found = _largest(cells == 0, -(-smallest // _CELL))
    if found is None:
        return None
    top, left, bottom, right = (_CELL * value for value in found)
    return np.s_[top:bottom, left:right]


def _largest(free: NDArray[np.bool_], smallest: int) -> tuple[int, int, int, int] | None:
    """Top, left, bottom and right of the largest rectangle of True with at least `smallest` cells on each side.

    For each row, a stack finds the largest rectangle under the histogram of the column heights.
    """
    heights = np.zeros(free.shape[1], int)
    best, area = None, 0
    for row in range(len(free)):
        heights = np.where(free[row], heights + 1, 0)
        rising: list[tuple[int, int]] = []
        for column, height in enumerate([*heights.tolist(), 0]):
            start = column
            while rising and rising[-1][1] >= height:
                start, tall = rising.pop()
                wide = column - start
                if min(wide, tall) >= smallest and wide * tall > area:
                    best, area = (row + 1 - tall, start, row + 1, column), wide * tall
            rising.append((start, height))
    return best

"""Surfaces without cracks cut out of photographs with cracks, where networks see none: grounds for `crack compose`."""

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
from segment.load import load_method
from segment.models import probabilities
from segment.sets import open_set
from segment.statistics.lines import Mask
from training.devices import device_of
from training.method import TrainingMethod

# Pixels from end to end of what is no crack but a speck, and that a surface keeps away from cracks: lips are chipped.
_SPECK, _AWAY = 12.0, 8
# Pixels a square in which the largest piece is looked for.
_CELL = 4


@dataclass(frozen=True)
class Cut:
    """pieces: number of surfaces written. without: photographs that have no clear piece. left_out: files that could not
    be used and why, a line each."""

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
    """Write the largest clear piece of each photograph as `out`/<name>.png; what is there already is not made again.

    weights: runs of `blendmill segment train` or checkpoints of them; a pixel may be crack where the network of any
    gives it `threshold` or more.
    smallest: pixels that the shorter side of a piece has at least. advance: called with 1 and the number of photographs
    after each. Raises InputError for folders and weights that cannot be used.
    """
    networks = [load_method(path, device_of("auto")) for path in weights]
    pictures = open_set(photos)
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


def _cut(rgb: NDArray[np.uint8], networks: Sequence[TrainingMethod], threshold: float, smallest: int, to: Path) -> bool:
    """Write a photograph's clear piece, if it has one."""
    chance = np.max([probabilities(network, rgb) for network in networks], axis=0)
    box = clear_piece(chance >= threshold, smallest)
    if box is None:
        return False
    write_atomically(to, png(np.ascontiguousarray(rgb[box])))
    return True


def clear_piece(crack: Mask, smallest: int) -> tuple[slice, slice] | None:
    """Rows and columns of the largest rectangle that keeps 8 px away from all that is set in a mask (H, W), specks of
    less than 12 px from end to end aside; None where none has `smallest` pixels a side. To 4 px."""
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
    """Top, left, bottom and right of the largest rectangle of True with `smallest` or more a side.

    Row by row, the rectangles that end there: those under a histogram of the columns' heights, found by a stack.
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

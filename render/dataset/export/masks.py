"""The layout of crack sets: `img/000000.png` and `mask/000000.png` of 0 and 255.

The mask is the class "crack" where the data set has it, else every object.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from render.dataset.export.parts import stem, write_png
from render.frame import Frame
from scenes.record.record import CRACK


def write_masks(frames: Iterable[Frame], classes: tuple[str, ...], out: Path, piece: int) -> list[str]:
    """Write both folders into `out`."""
    for frame in frames:
        write_png(out / "img" / f"{stem(frame)}.png", frame.rgb)
        write_png(out / "mask" / f"{stem(frame)}.png", np.where(foreground(frame, classes), 255, 0).astype(np.uint8))
    return []


def foreground(frame: Frame, classes: tuple[str, ...]) -> NDArray[np.bool_]:
    """(H, W) the pixels of the mask."""
    return frame.category == 1 + classes.index(CRACK) if CRACK in classes else frame.instance > 0

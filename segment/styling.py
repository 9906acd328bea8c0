"""Give a set of crack pictures the style of photographs with AdaIN. The masks stay the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from render.dataset.export.parts import png
from scenes.errors import InputError
from scenes.files import write_atomically
from scenes.streams import Streams
from segment.adain import Encoder, stylized
from segment.sets import Picture, open_set


def style_set(
    data: Path,
    styles: Path,
    vgg: Path,
    out: Path,
    *,
    images: int | None,
    strength: float,
    steps: int,
    seed: int,
    mask_value: int | None = None,
    advance: Callable[[int, int], None],
) -> int:
    """Write `out`/img and `out`/mask and return the number of pictures. Existing files are kept.

    images: number of pictures, evenly over the set; None for all. mask_value: as for `open_set`. strength, steps: as
    for `adain.stylized`. advance: called after each picture with 1 and the number of pictures. Raises InputError if a
    set or weights cannot be used.
    """
    pictures, references = open_set(data, mask_value), open_set(styles, masks=False)
    if not pictures.labeled:
        raise InputError(f"{data}: its pictures have no masks")
    encoder = Encoder.load(vgg)
    chosen = pictures.spread(images)
    for k in chosen:
        reference = int(Streams(seed, k).quantile("style.reference") * references.size)
        _one(pictures.read(k), references.read(reference), encoder, out, strength, steps)
        advance(1, len(chosen))
    return len(chosen)


def _one(picture: Picture, style: Picture, encoder: Encoder, out: Path, strength: float, steps: int) -> None:
    to, mask_to = (out / kind / f"{picture.name}.png" for kind in ("img", "mask"))
    if to.is_file() and mask_to.is_file():
        return
    assert picture.mask is not None
    height, width = picture.rgb.shape[:2]
    made = stylized(_tensor(picture.rgb), _tensor(_fitted(style.rgb, max(height, width))), encoder, strength, steps)
    rgb = (made[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    for path, array in ((mask_to, np.where(picture.mask, 255, 0).astype(np.uint8)), (to, rgb)):
        write_atomically(path, png(array))


def _fitted(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Reduce a picture to at most `side` pixels a side, so that its grain has the scale of the content picture."""
    factor = min(1.0, side / max(rgb.shape[:2]))
    size = (max(32, round(rgb.shape[1] * factor)), max(32, round(rgb.shape[0] * factor)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _tensor(rgb: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(rgb.astype(np.float32) / 255).permute(2, 0, 1)[None].contiguous()

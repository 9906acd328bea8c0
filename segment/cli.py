"""The commands of crack segmentation."""

from __future__ import annotations

from pathlib import Path

import click
import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from render.cli_options import SEED, progress
from render.cracks.sets import Picture, open_set
from render.export.parts import png
from render.shards import replacing
from scenes.errors import InputError
from scenes.streams import Streams
from segment.adain import Encoder, stylized

_FOLDER = click.Path(path_type=Path)


@click.command()
@click.argument("data", type=_FOLDER)
@click.option("--styles", type=_FOLDER, required=True, help="Folder of pictures whose look is taken over.")
@click.option("--vgg", type=_FOLDER, required=True, help="VGG-19's weights as torchvision names them, .safetensors.")
@click.option("--out", type=_FOLDER, required=True, help="Folder that gets img/ and mask/.")
@click.option("--images", type=click.IntRange(1), help="Number of pictures, evenly over the set; by default all.")
@click.option("--strength", type=click.FloatRange(0, 1), default=0.7, show_default=True)
@click.option("--steps", type=click.IntRange(1), default=30, show_default=True, help="Steps of the optimizer.")
@SEED
def stylize(
    data: Path, styles: Path, vgg: Path, out: Path, images: int | None, strength: float, steps: int, seed: int
) -> None:
    """Give the crack pictures of DATA the look of photographs by AdaIN; their masks stay as they are.

    What is there already is not made again.

    Example: blendmill stylize cracks --styles photos --vgg vgg19.safetensors --out styled
    """
    pictures, references = open_set(data), open_set(styles)
    if not pictures.labelled:
        raise InputError(f"{data}: its pictures have no masks")
    encoder = Encoder.load(vgg)
    chosen = pictures.spread(images)
    with progress("styling", len(chosen)) as advance:
        for k in chosen:
            _one(pictures.read(k), references.read(_reference(seed, k, references.size)), encoder, out, strength, steps)
            advance(1)
    click.echo(f"{len(chosen)} pictures in {out}")


def _reference(seed: int, index: int, count: int) -> int:
    return int(Streams(seed, index).quantile("style.reference") * count)


def _one(picture: Picture, style: Picture, encoder: Encoder, out: Path, strength: float, steps: int) -> None:
    to, mask_to = (out / kind / f"{picture.name}.png" for kind in ("img", "mask"))
    if to.is_file() and mask_to.is_file():
        return
    assert picture.mask is not None
    height, width = picture.rgb.shape[:2]
    made = stylized(_tensor(picture.rgb), _tensor(_fitted(style.rgb, max(height, width))), encoder, strength, steps)
    rgb = (made[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    for path, array in ((mask_to, np.where(picture.mask, 255, 0).astype(np.uint8)), (to, rgb)):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            part.write_bytes(png(array))


def _fitted(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A picture of at most `side` pixels a side: grain is taken over at the scale at which it is seen."""
    factor = min(1.0, side / max(rgb.shape[:2]))
    size = (max(32, round(rgb.shape[1] * factor)), max(32, round(rgb.shape[0] * factor)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _tensor(rgb: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(rgb.astype(np.float32) / 255).permute(2, 0, 1)[None].contiguous()

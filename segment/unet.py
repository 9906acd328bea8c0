"""A small U-Net that is trained from scratch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from segment.network import Segmenter


class UNet(Segmenter):
    """U-Net that outputs logits for each pixel.

    As in Ronneberger et al. 2015 (arXiv 1505.04597), but with padded convolutions, batch normalization and nearest
    upsampling.

    Parameters
    ----------
    width : int
        Channels at full resolution. They double each time the resolution is halved.
    depth : int
        How many times the resolution is halved.
    classes : int
        Number of classes; 1 for cracks against all else.

    Examples
    --------
    >>> import torch
    >>> from blendmill import UNet
    >>> UNet(width=4, depth=2)(torch.zeros(1, 3, 30, 50)).shape
    torch.Size([1, 30, 50])
    """

    def __init__(self, width: int = 16, depth: int = 4, classes: int = 1):
        super().__init__()
        widths = [width << level for level in range(depth + 1)]
        self.down = nn.ModuleList(_block(i, o) for i, o in zip([3, *widths], widths, strict=False))
        self.up = nn.ModuleList(_block(i + o, o) for i, o in zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.head = nn.Conv2d(width, classes, 1)
        self.stride = 1 << depth

    def encode(self, images: Tensor) -> list[Tensor]:
        values, kept = images, []
        for level, block in enumerate(self.down):
            values = block(max_pool2d(values, 2) if level else values)
            kept.append(values)
        return kept

    def decode(self, encoded: list[Tensor]) -> Tensor:
        values = encoded[-1]
        for block, skip in zip(self.up, encoded[-2::-1], strict=True):
            values = block(torch.cat([skip, interpolate(values, scale_factor=2)], 1))
        return values


def _block(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(True)]
    return nn.Sequential(*layers)

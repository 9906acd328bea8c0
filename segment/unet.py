"""U-Nets: one that is trained from scratch, and one whose encoder may know photographs already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from scenes.errors import InputError, shortened
from segment.levels import SPREAD
from segment.network import UNET_LITE0, Segmenter
from training import checkpoint
from training.efficientnet import STAGES, Pyramid
from training.run_folder import find_checkpoint

CLASSIFIERS = "classify"
"""The name of the task in checkpoints of classifiers."""
LITE0 = "efficientnet-lite0"
"""The classifier whose weights the encoder can start from, by its name in configs of `classify`."""


class _UShaped(Segmenter):
    """What goes up again in a U-Net: each map is enlarged twice and joined with the encoder's of its size."""

    up: nn.ModuleList

    def _grow(self, encoded: Sequence[int], decoded: Sequence[int], classes: int) -> None:
        """Make decoder and head. encoded, decoded: channels of the maps from full resolution down; decoded has one
        fewer, because the encoder's last map is the decoder's first."""
        below = [*decoded[1:], encoded[-1]]
        levels = list(zip(below, encoded[:-1], decoded, strict=True))
        self.up = nn.ModuleList(_block(lower + skip, outer) for lower, skip, outer in reversed(levels))
        self.head = nn.Conv2d(decoded[0], classes, 1)
        self.stride = 1 << len(decoded)

    def decode(self, encoded: list[Tensor]) -> Tensor:
        values = encoded[-1]
        for block, skip in zip(self.up, encoded[-2::-1], strict=True):
            values = block(torch.cat([skip, interpolate(values, scale_factor=2)], 1))
        return values


class UNet(_UShaped):
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
        self._grow(widths, widths[:-1], classes)

    def encode(self, images: Tensor) -> list[Tensor]:
        values, kept = images, []
        for level, block in enumerate(self.down):
            values = block(max_pool2d(values, 2) if level else values)
            kept.append(values)
        return kept


class UNetLite0(_UShaped):
    """A U-Net on EfficientNet-Lite0. Its first map, at full resolution, is one block of its own.

    width, depth, classes: as for `UNet`; depth is 1 to 5. weights: a run or a checkpoint of a classifier on
    EfficientNet-Lite0, from which the encoder starts; None for random weights. Raises InputError.
    """

    def __init__(self, width: int = 16, depth: int = 4, classes: int = 1, weights: str | None = None):
        super().__init__()
        if depth > len(STAGES):
            raise InputError(f"field depth: {depth}, but {UNET_LITE0} halves at most {len(STAGES)} times")
        self.full = _block(3, width)
        self.encoder = Pyramid(depth)
        channels = [channels for _, channels in STAGES[:depth]]
        self._grow([width, *channels], [width << level for level in range(depth)], classes)
        if weights is not None:
            self._start(Path(weights))

    def encode(self, images: Tensor) -> list[Tensor]:
        # The public weights expect levels from -1 to 1.
        return [self.full(images), *self.encoder(images * (2 * SPREAD))]

    def backbone(self) -> Iterable[nn.Parameter]:
        return self.encoder.parameters()

    def _start(self, path: Path) -> None:
        saved = find_checkpoint(path, CLASSIFIERS)
        model = saved.facts["config"].get("model")
        if model != LITE0:
            raise InputError(f"field weights: {path}: of {shortened(model)}; {UNET_LITE0} needs those of {LITE0}")
        own = self.encoder.state_dict()
        taken = {name: tensor for name, tensor in saved.backbone().items() if name in own}
        checkpoint.load(self.encoder, taken, f"field weights: {path}")


def _block(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(True)]
    return nn.Sequential(*layers)

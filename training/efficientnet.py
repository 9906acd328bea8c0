"""EfficientNet-Lite0: EfficientNet without squeeze and excitation, with ReLU6 (Tan and Le, ICML 2019; github.com/
tensorflow/tpu, models/official/efficientnet/lite)."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn.functional import pad

_BLOCKS = (
    (1, 1, 16, 1, 3),
    (2, 6, 24, 2, 3),
    (2, 6, 40, 2, 5),
    (3, 6, 80, 2, 3),
    (3, 6, 112, 1, 5),
    (4, 6, 192, 2, 5),
    (1, 6, 320, 1, 3),
)
"""Repeats, expansion, channels, stride of the first repeat, side of the kernel."""
_STEM, _WIDTH = 32, 1280


class _Same(nn.Conv2d):
    """A convolution that pads like TensorFlow's SAME, because the public weights were trained so.

    It puts the odd pixel on the right and at the bottom.
    """

    def forward(self, images: Tensor) -> Tensor:
        sides: list[int] = []
        for length, kernel, stride in zip(images.shape[:1:-1], self.kernel_size, self.stride, strict=True):
            total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
            sides += [total // 2, total - total // 2]
        return super().forward(pad(images, sides))


def _layer(inner: int, outer: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    convolution = _Same(inner, outer, kernel, stride, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(outer, eps=1e-3, momentum=0.01)]


class _Block(nn.Module):
    """An inverted residual: expand, convolve each channel, project. Where the shape stays, the input is added."""

    def __init__(self, inner: int, outer: int, expansion: int, stride: int, kernel: int):
        super().__init__()
        wide = inner * expansion
        expand = [*_layer(inner, wide), nn.ReLU6()] if expansion > 1 else []
        middle = [*_layer(wide, wide, kernel, stride, groups=wide), nn.ReLU6()]
        self.layers = nn.Sequential(*expand, *middle, *_layer(wide, outer))
        self.skip = stride == 1 and inner == outer

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.layers(images)
        return found + images if self.skip else found


class EfficientNetLite0(nn.Module):
    """Images (n, 3, h, w) to features (n, 1280), the mean over all positions. Stochastic depth is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.width = _WIDTH
        layers, inner = [*_layer(3, _STEM, 3, 2), nn.ReLU6()], _STEM
        for repeats, expansion, outer, stride, kernel in _BLOCKS:
            for repeat in range(repeats):
                layers.append(_Block(inner, outer, expansion, 1 if repeat else stride, kernel))
                inner = outer
        self.layers = nn.Sequential(*layers, *_layer(inner, _WIDTH), nn.ReLU6())

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.layers(images)
        return found.mean((2, 3))


def _stages() -> Iterator[tuple[int, int]]:
    layers = 3  # of the stem
    for i, (repeats, _, channels, _, _) in enumerate(_BLOCKS):
        layers += repeats
        if i + 1 == len(_BLOCKS) or _BLOCKS[i + 1][3] == 2:
            yield layers, channels


STAGES = tuple(_stages())
"""For each resolution, from 1/2 to 1/32: the number of layers up to its last map, and the channels of this map."""


class Pyramid(nn.Module):
    """EfficientNet-Lite0 down to a resolution of 1 / 2^depth: images (n, 3, h, w) to the last map of each resolution.

    depth: 1 to 5. The tensors have the names that they have in `EfficientNetLite0`.
    """

    def __init__(self, depth: int):
        super().__init__()
        self._ends = [layers for layers, _ in STAGES[:depth]]
        self.layers = nn.Sequential(*list(EfficientNetLite0().layers)[: self._ends[-1]])

    def forward(self, images: Tensor) -> list[Tensor]:
        values, found = images, []
        for number, layer in enumerate(self.layers, 1):
            values = layer(values)
            if number in self._ends:
                found.append(values)
        return found

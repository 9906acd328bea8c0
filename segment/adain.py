"""Style transfer by adaptive instance normalization (Huang & Belongie 2017, arXiv 1703.06868).

The paper trains a decoder. Here a picture is optimized until its features are the normalized ones, starting with the
content picture. So only the weights of VGG-19 are needed.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from scenes.errors import InputError
from segment.weights import read_weights

_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# VGG-19 up to relu4_1: channels of the convolutions in each block.
_BLOCKS = ((64, 64), (128, 128), (256, 256, 256, 256), (512,))
_EPSILON = 1e-5


class Encoder(nn.Module):
    """The layers of VGG-19 up to relu4_1, with the names of torchvision: `features.0.weight`, …"""

    mean: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        self._taps = []
        for block in _BLOCKS:
            for place, channels in enumerate(block):
                layers += [nn.Conv2d(inputs, channels, 3, padding=1, padding_mode="reflect"), nn.ReLU()]
                inputs = channels
                if place == 0:
                    self._taps.append(len(layers) - 1)
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers[:-1])
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("spread", torch.tensor(_SPREAD)[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """The outputs relu1_1, relu2_1, relu3_1 and relu4_1 for images (n, 3, h, w) in [0, 1]."""
        values, kept = (images - self.mean) / self.spread, []
        for place, layer in enumerate(self.features):
            values = layer(values)
            if place in self._taps:
                kept.append(values)
        return kept

    @staticmethod
    def load(path: Path) -> Encoder:
        """Load the weights from a .safetensors file of torchvision's VGG-19. Other tensors in it are ignored.

        Raises InputError if the file cannot be read or a weight is missing.
        """
        encoder = Encoder().eval().requires_grad_(False)
        weights = read_weights(path)
        wanted = encoder.state_dict()
        for name, tensor in wanted.items():
            if name not in weights or weights[name].shape != tensor.shape:
                there = tuple(weights[name].shape) if name in weights else "missing"
                raise InputError(f"{path}: weight {name} is {there}, VGG-19 has {tuple(tensor.shape)}")
        encoder.load_state_dict({name: weights[name] for name in wanted})
        return encoder


def adain(content: Tensor, style: Tensor) -> Tensor:
    """Equation 8: give content features (n, c, h, w) the mean and standard deviation of the style, by channel."""
    mean, deviation = _moments(content)
    to_mean, to_deviation = _moments(style)
    return to_deviation * (content - mean) / deviation + to_mean


def stylized(content: Tensor, style: Tensor, encoder: Encoder, strength: float = 1.0, steps: int = 30) -> Tensor:
    """Pictures (n, 3, h, w) in [0, 1] with the content of `content` and the look of `style` (n, 3, h', w').

    Minimizes the loss of the paper (equations 11 to 13, style weight 10) with L-BFGS. strength: 0 keeps the features of
    the content, 1 takes those of the style (equation 14). steps: of L-BFGS.
    """
    with torch.no_grad():
        deep = encoder(content)[-1]
        target = strength * adain(deep, encoder(style)[-1]) + (1 - strength) * deep
        own, theirs = encoder(content), encoder(style)
        wanted = [
            [strength * there + (1 - strength) * here for here, there in zip(_moments(o), _moments(t), strict=True)]
            for o, t in zip(own, theirs, strict=True)
        ]
    picture = content.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([picture], max_iter=steps, history_size=10, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        features = encoder(picture)
        loss = mse_loss(features[-1], target)
        for values, (mean, deviation) in zip(features, wanted, strict=True):
            here = _moments(values)
            loss = loss + 10 * (mse_loss(here[0], mean) + mse_loss(here[1], deviation))
        loss.backward()
        return loss

    optimizer.step(closure)
    return picture.detach().clamp(0, 1)


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over the pixels of each channel, (n, c, 1, 1) each."""
    variance, mean = torch.var_mean(features, dim=(2, 3), correction=0, keepdim=True)
    return mean, (variance + _EPSILON).sqrt()

"""Augmentations of whole batches on any device, with the arithmetic of Pillow and the sampling of torchvision.

torchvision and kornia are not used, for two reasons. Random numbers must come from a given generator, never from a
global state. And pixel values must be those of Pillow, as in the published training of the methods.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad

from scenes.errors import InputError

Kind = Literal["none", "weak", "strong"]

# Mean and standard deviation of ImageNet in [0, 1]. They normalize the pictures of every model.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

_AREA, _RATIO, _TRIES = (0.08, 1.0), (3 / 4, 4 / 3), 10
_BRIGHTNESS, _CONTRAST, _SATURATION, _HUE = 0.4, 0.4, 0.2, 0.1
_JITTER_SHARE, _GRAY_SHARE, _BLUR_SHARE = 0.8, 0.2, 0.5
_RADIUS = (0.1, 2.0)
# Number of pictures that fit together into the cache of a core.
_CHUNK = 4


class Draws(NamedTuple):
    """Uniform random numbers in [0, 1) for n pictures: (n, …) float64, one row for each picture."""

    place: Tensor
    flip: Tensor
    crops: Tensor
    jitter: Tensor
    order: Tensor
    factors: Tensor
    gray: Tensor
    blur: Tensor
    radius: Tensor


def _draw(n: int, generator: torch.Generator) -> Draws:
    widths = [2, 1, 2 * _TRIES, 1, 4, 4, 1, 1, 1]
    numbers = torch.rand(n, sum(widths), generator=generator, dtype=torch.float64)
    return Draws(*torch.split(numbers, widths, dim=1))


class Augment:
    """Augments uint8 pictures to normalized floats of `size` pixels a side.

    none: Resize, CenterCrop. weak: Resize, RandomCrop, flip. strong: RandomResizedCrop (area 0.08 to 1, ratio 3/4 to
    4/3), flip, ColorJitter (brightness 0.4, contrast 0.4, saturation 0.2, hue 0.1, in random order) for 80 % of the
    pictures, grayscale for 20 %, Gaussian blur of radius 0.1 to 2 for 50 %. Resize scales the
    shorter side to `resized` pixels, by default size * 256 / 224. strong crops the pictures without this resize. The
    blur radii are for 224 pixels and scale with the size.

    Pixel values agree with Pillow: exactly for crops, flips, brightness, contrast, saturation and grayscale, and within
    one level for scaling. Hue differs in 0.3 % of the pixels, by up to six levels. Blur is within one level for 97 % of
    the values. At the border it differs by up to eight levels, because Pillow repeats the border after each box filter.
    """

    def __init__(self, kind: Kind, size: int, resized: int | None = None):
        if kind not in ("none", "weak", "strong"):
            raise ValueError(f"no augmentation is called '{kind}'")
        self.kind, self.size = kind, size
        self.resized = resized or round(size * 256 / 224)
        if self.resized < size:
            raise InputError(f"resized: {self.resized} is less than the size, {size}, of the crop")

    def __call__(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """Augment pictures (n, 3, h, w) uint8 to (n, 3, size, size) float32, normalized, on their device.

        generator: lies on the CPU, so that all devices draw the same numbers. Each picture takes the same number of
        random values. So the result for picture i depends only on the generator's state and on i.
        """
        # A strong target view is computed at first use, while a method computes its losses under autocast.
        with torch.autocast(pictures.device.type, enabled=False):
            return normalize(self._levels(pictures, _draw(len(pictures), generator)))

    def _levels(self, pictures: Tensor, draws: Draws) -> Tensor:
        """Augmented pictures (n, 3, size, size) float32, 0 to 255."""
        if self.kind == "strong":
            images = cut(pictures, resized_crops(draws, *pictures.shape[2:]), self.size, draws.flip < 0.5)
            _color(images, draws)
            _blur(images, draws, self.size / 224)
            return images
        pictures = resize(pictures, self.resized)
        room = torch.tensor(pictures.shape[2:]) - self.size
        random = self.kind == "weak"
        corners = (draws.place * (room + 1)).floor() if random else (room / 2).round().expand(len(pictures), 2)
        boxes = torch.cat([corners, torch.full_like(corners, self.size)], 1).long()
        return cut(pictures, boxes, self.size, (draws.flip < 0.5) & random)


def normalize(levels: Tensor) -> Tensor:
    """Normalize levels 0 to 255, (n, 3, h, w) float, with the mean and deviation of ImageNet, in place."""
    mean, std = (torch.tensor(c, device=levels.device).view(3, 1, 1) * 255 for c in (MEAN, STD))
    return levels.sub_(mean).mul_(1 / std)


def resize(pictures: Tensor, short: int) -> Tensor:
    """Scale pictures (n, 3, h, w) uint8 to a shorter side of `short` pixels. The longer side is rounded down."""
    h, w = pictures.shape[2:]
    if min(h, w) == short:
        return pictures
    sides = (short, int(short * w / h)) if h <= w else (int(short * h / w), short)
    return _scale(pictures, sides)


def _scale(pictures: Tensor, sides: tuple[int, int]) -> Tensor:
    """Scale uint8 pictures with antialiased bilinear interpolation, as Pillow does."""
    if pictures.device.type == "cpu":
        return interpolate(pictures, sides, mode="bilinear", antialias=True)
    return interpolate(pictures.float(), sides, mode="bilinear", antialias=True).round_().to(torch.uint8)


def resized_crops(draws: Draws, height: int, width: int) -> Tensor:
    """Boxes (n, 4) int64 of RandomResizedCrop: top, left, height, width. All pictures have the same size."""
    u, v = draws.crops.chunk(2, dim=1)
    area = height * width * (_AREA[0] + u * (_AREA[1] - _AREA[0]))
    low, high = (math.log(r) for r in _RATIO)
    ratio = torch.exp(low + v * (high - low))
    ws, hs = (area * ratio).sqrt().round(), (area / ratio).sqrt().round()
    fits = (ws > 0) & (ws <= width) & (hs > 0) & (hs <= height)
    first = fits.int().argmax(1, keepdim=True)
    box = torch.cat([hs.gather(1, first), ws.gather(1, first)], 1)
    # If no try fits: the largest centered box with an allowed ratio.
    largest = torch.tensor([min(height, round(width / _RATIO[0])), min(width, round(height * _RATIO[1]))]).double()
    found = fits.any(1, keepdim=True)
    box = torch.where(found, box, largest)
    room = torch.tensor([height, width]) - box
    corner = torch.where(found, (draws.place * (room + 1)).floor(), (room / 2).floor())
    return torch.cat([corner, box], 1).long()


def cut(pictures: Tensor, boxes: Tensor, size: int, flips: Tensor) -> Tensor:
    """Cut box i (top, left, height, width) out of picture i: (n, 3, size, size) float32, levels 0 to 255."""
    images = torch.empty(len(pictures), 3, size, size, device=pictures.device)
    for image, picture, box, flip in zip(images, pictures, boxes.tolist(), flips.flatten().tolist(), strict=True):
        top, left, height, width = box
        part = picture[None, :, top : top + height, left : left + width]
        if (height, width) != (size, size):
            part = _scale(part, (size, size))
        image.copy_(part[0].flip(-1) if flip else part[0])
    return images


def _blend(images: Tensor, others: Tensor | float, factors: Tensor) -> Tensor:
    """PIL.Image.blend in place: factor 0 gives `others`, 1 gives `images`. Levels are rounded down."""
    return images.sub_(others).mul_(factors).add_(others).clamp_(0, 255).floor_()


def grayscale(images: Tensor) -> Tensor:
    """Gray levels (n, 1, h, w) float of images (n, 3, h, w): mode L of Pillow with its integer arithmetic."""
    red, green, blue = images.unbind(1)
    # All sums are below 2^24, so floats are exact.
    return (red * 19595).add_(green, alpha=38470).add_(blue, alpha=7471).add_(32768).div_(65536).floor_()[:, None]


def brightness(images: Tensor, factors: Tensor) -> Tensor:
    """PIL.ImageEnhance.Brightness of float levels (n, 3, h, w) by factors (n, 1, 1, 1), in place."""
    return _blend(images, 0.0, factors)


def contrast(images: Tensor, factors: Tensor) -> Tensor:
    """PIL.ImageEnhance.Contrast, with arguments as for `brightness`."""
    return _blend(images, grayscale(images).mean((1, 2, 3), keepdim=True).add_(0.5).floor_(), factors)


def saturation(images: Tensor, factors: Tensor) -> Tensor:
    """PIL.ImageEnhance.Color, with arguments as for `brightness`."""
    return _blend(images, grayscale(images), factors)


def hue(images: Tensor, shifts: Tensor) -> Tensor:
    """Shift the hue by `shifts` (n, 1, 1, 1) of a full circle in Pillow's 8-bit HSV, as torchvision does."""
    red, green, blue = images.unbind(1)
    value, low = images.amax(1), images.amin(1)
    spread = value - low
    span = spread.clamp(min=1)
    turn = torch.where(
        red == value,
        (green - blue).div_(span),
        torch.where(green == value, (blue - red).div_(span).add_(2), (red - green).div_(span).add_(4)),
    )
    # Negative hues of red are counted from the end of the circle, which is at 255, not 256.
    ends = (turn < 0).float().mul_(255)
    steps = turn.mul_(255 / 6).floor_().add_(ends).add_((shifts[:, 0] * 255).trunc_())
    sixths = _wrap(steps, 256).mul_(6 / 255)
    chroma = spread.mul_(255).div_(value.clamp(min=1)).floor_().div_(255).mul_(value)
    # Distance of each channel below the value, in chromas: 0 in two sixths of the circle, 1 in the opposite two.
    for channel, center, side in ((0, 3, -1), (1, 2, 1), (2, 4, 1)):
        below = (sixths - center).abs_().mul_(side).add_(-1 if side > 0 else 2).clamp_(0, 1)
        # Pillow rounds halves away from zero.
        torch.floor((value - below.mul_(chroma)).add_(0.5), out=images[:, channel])
    return images


def _wrap(numbers: Tensor, period: float) -> Tensor:
    """Remainders in [0, period), in place. torch.remainder is many times slower."""
    return numbers.sub_((numbers / period).floor_().mul_(period))


def blur(images: Tensor, radii: Tensor) -> Tensor:
    """PIL.ImageFilter.GaussianBlur of float levels (n, 3, h, w) by radii (n,): three box filters along each axis."""
    n, channels, height, width = images.shape
    kernels = blur_kernels(radii).to(images).repeat_interleave(channels, 0)[:, None, None]
    reach = kernels.shape[-1] // 2
    planes = images.reshape(1, n * channels, height, width)
    planes = conv2d(pad(planes, (reach, reach, 0, 0), mode="replicate"), kernels, groups=n * channels)
    planes = conv2d(pad(planes, (0, 0, reach, reach), mode="replicate"), kernels.mT, groups=n * channels)
    return planes.add_(0.5).floor_().view_as(images)


def blur_kernels(radii: Tensor) -> Tensor:
    """Kernels (n, 2k + 1) float64 for radii (n,): the product of Pillow's three box filters of fractional width."""
    passes = 3
    variance = radii.double() ** 2 / passes
    whole = ((torch.sqrt(12 * variance + 1) - 1) / 2).floor()
    rest = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance) / (6 * (variance - (whole + 1) ** 2))
    distance = torch.arange(-int(whole.max()) - 1, int(whole.max()) + 2).abs()
    box = torch.where(distance <= whole[:, None], 1.0, torch.where(distance == whole[:, None] + 1, rest[:, None], 0.0))
    box = (box / (2 * (whole + rest) + 1)[:, None])[:, None]
    n, _, taps = box.shape
    kernels = box.view(1, n, taps)
    for _ in range(passes - 1):
        kernels = torch.nn.functional.conv1d(kernels, box, padding=taps - 1, groups=n)
    return kernels[0]


_ADJUST: tuple[tuple[Callable[[Tensor, Tensor], Tensor], float, float], ...] = (
    (brightness, 1.0, _BRIGHTNESS),
    (contrast, 1.0, _CONTRAST),
    (saturation, 1.0, _SATURATION),
    (hue, 0.0, _HUE),
)


def _color(images: Tensor, draws: Draws) -> None:
    """ColorJitter and grayscale of float levels, in place. Each picture has its own order of the adjustments."""
    order = draws.order.argsort(1)
    jittered = draws.jitter < _JITTER_SHARE
    for turn in range(len(_ADJUST)):
        for kind, (adjust, middle, reach) in enumerate(_ADJUST):
            factors = (middle + reach * (2 * draws.factors[:, kind] - 1)).float().view(-1, 1, 1, 1)
            for chosen in _chunks(jittered[:, 0] & (order[:, turn] == kind)):
                where = chosen.to(images.device)
                images[where] = adjust(images[where], factors[chosen].to(images.device))
    for chosen in _chunks(draws.gray[:, 0] < _GRAY_SHARE):
        where = chosen.to(images.device)
        images[where] = grayscale(images[where]).expand(-1, 3, -1, -1)


def _blur(images: Tensor, draws: Draws, scale: float) -> None:
    radii = scale * (_RADIUS[0] + draws.radius[:, 0] * (_RADIUS[1] - _RADIUS[0]))
    for chosen in _chunks(draws.blur[:, 0] < _BLUR_SHARE):
        where = chosen.to(images.device)
        images[where] = blur(images[where], radii[chosen])


def _chunks(chosen: Tensor) -> tuple[Tensor, ...]:
    """The indices of True in a mask (n,) on the CPU, in groups of a few."""
    places = chosen.nonzero()[:, 0]
    return torch.split(places, _CHUNK) if len(places) else ()

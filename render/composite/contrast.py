"""How much a crack stands out from the grain of the surface around it. Grain is measured at the crack's own width."""

from __future__ import annotations

import cv2
import numpy as np

from render.composite.noise import Image

# Sizes in pixels at which grain is measured. Broader cracks are compared with the last one.
_SIZES = (1, 2, 4)
# A band of grain reaches to this many times its size; what is broader does not hide a crack of this width.
_BAND = 2.5
# Sigmas in pixels: of the surroundings in which grain is averaged, and of the stretch in which a crack is looked at.
_AROUND, _STRETCH = 12.0, 7.0
# Grain and contrast change slowly, so they are averaged at this reduced size.
_SHRINK = 4
# Least difference in display values that anybody sees on a plain surface, below the noise of a camera.
_PLAIN = 4.0


def grain(picture: Image, coverage: Image, width: Image) -> Image:
    """(H, W) standard deviation of the brightness of an (H, W, 3) surface, at the width of the crack nearby.

    coverage: of pixels by the crack. width: (H, W) in pixels where the coverage is not 0. Texture finer than the crack
    is averaged away, as it is in the crack, and slow changes of light are left out.
    """
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    squares = []
    for size in _SIZES:
        cells = _smaller(gray, size)
        band = cells - cv2.GaussianBlur(cells, (0, 0), _BAND, borderType=cv2.BORDER_REFLECT_101)
        squares.append(_averaged(_smaller(band * band, _SHRINK // size), _AROUND))
    covered = _smaller(coverage, _SHRINK)
    wide = _averaged(_smaller(coverage * width, _SHRINK), _AROUND) / np.maximum(_averaged(covered, _AROUND), 1e-6)
    level = np.log2(np.clip(wide, _SIZES[0], _SIZES[-1]))
    square = sum(part * np.maximum(1 - np.abs(level - k), 0) for k, part in enumerate(squares))
    return _larger(np.sqrt(square), gray)


def standing_out(before: Image, after: Image, coverage: Image, grain: Image) -> Image:
    """(H, W) contrast of each stretch of a crack, in standard deviations of the grain around it.

    before, after: (H, W, 3) the surface without the crack and with it. grain: of the surface, see the function `grain`.
    Nobody sees a difference below 4 display values, so grain counts as no less than that.
    """
    missing = cv2.cvtColor(before, cv2.COLOR_RGB2GRAY) - cv2.cvtColor(after, cv2.COLOR_RGB2GRAY)
    touched = (coverage > 0.05).astype(np.float32)
    mean = _averaged(_smaller(missing * touched, _SHRINK), _STRETCH)
    mean /= np.maximum(_averaged(_smaller(touched, _SHRINK), _STRETCH), 1e-6)
    return _larger(mean, coverage) / np.maximum(grain, np.float32(_PLAIN))


def _smaller(image: Image, by: int) -> Image:
    if by == 1:
        return image
    size = tuple(max(side // by, 1) for side in image.shape[1::-1])
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _averaged(small: Image, sigma: float) -> Image:
    return np.asarray(cv2.GaussianBlur(small, (0, 0), sigma / _SHRINK, borderType=cv2.BORDER_REFLECT_101))


def _larger(small: Image, like: Image) -> Image:
    return np.asarray(cv2.resize(small, like.shape[1::-1], interpolation=cv2.INTER_LINEAR))

"""The effects of the camera on a composite, in display values."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from render.composite.noise import Image, normals
from render.image.color import white_gain

# Sigma in pixels of the blur that sharpening subtracts, and the size of its kernel.
_SHARPENED, _NEAR = 1.0, (5, 5)


def photographed(
    picture: Image,
    rng: np.random.Generator,
    *,
    exposure: float,
    white_balance: float,
    vignette: float,
    blur: float,
    noise: float,
    sharpening: float,
    jpeg: int,
) -> NDArray[np.uint8]:
    """Turn (H, W, 3) float32, 0 to 255, into an (H, W, 3) uint8 photograph.

    The parameters are those of `scenes.config.composite.SensorStepConfig`. Most of the noise changes the brightness.
    Color noise is half as strong and twice as coarse, as with a sensor under a mosaic of color filters.
    """
    height, width = picture.shape[:2]
    # In display values, a factor on light becomes about its power 1 / 2.2.
    gain = (white_gain(white_balance) * 2.0**exposure) ** (1 / 2.2)
    down, across = (vignette / 2 * np.linspace(-1, 1, side) ** 2 for side in (height, width))
    light = (1 - down).astype(np.float32)[:, None] - across.astype(np.float32)
    if blur > 0.05:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), blur, borderType=cv2.BORDER_REFLECT_101))
    image = np.asarray(cv2.multiply(picture, cv2.merge([light * np.float32(factor) for factor in gain])))
    if noise > 0:
        gray = normals(rng, height, width, rms=255 * noise)
        coarse = normals(rng, height // 2 + 1, width // 2 + 1, 3, rms=255 * noise / 2)
        grain = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
        grain = cv2.add(grain, cv2.merge([gray, gray, gray]), dst=grain)
        pixels = np.asarray(cv2.add(image, grain, dtype=cv2.CV_8U))
    else:
        pixels = eight_bit(image)
    if sharpening > 0:
        soft = cv2.GaussianBlur(pixels, _NEAR, _SHARPENED, borderType=cv2.BORDER_REFLECT_101)
        pixels = np.asarray(cv2.addWeighted(pixels, 1 + sharpening, soft, -sharpening, 0))
    return _jpeg(pixels, jpeg) if jpeg else pixels


def eight_bit(image: Image) -> NDArray[np.uint8]:
    """Round display values to (H, W, 3) uint8."""
    return np.asarray(cv2.add(image, (0.0, 0.0, 0.0, 0.0), dtype=cv2.CV_8U))


def _jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    done, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("the JPEG encoder failed")
    return np.asarray(cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))

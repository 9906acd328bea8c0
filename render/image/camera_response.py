"""Camera model: turns scene light into a picture by metering, white balance, lens and sensor faults, tone and JPEG.

The result depends only on the light, the `Sensor` of the scene and the random stream of the picture.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from render.image.color import filmic, luminance, to_srgb, white_gain
from scenes.record.scene import Sensor

Light = NDArray[np.float32]

MID_GRAY = 0.18
# The least mean brightness of a subject that is much darker than what is around it, or than a mirror or lamp in it.
_SILHOUETTE = MID_GRAY / 6

# Limits of the automatic white balance: log of blue over red, and log of green over the mean of both.
_DAYLIGHT = (-0.25, 0.9)
_TINT = 0.1
# A white ground is lit this much more than white needs. More would also burn away thin parts of objects and the shadows
# beside them; less would show the noise of these shadows everywhere.
_OVERLIT = 1.1
# Sigma in pixels of the blur that sharpening subtracts.
_SHARPENED = 1.0


def metered_gain(
    linear: Light, weight: NDArray[np.float32], sensor: Sensor, subject: NDArray[np.bool_] | None = None
) -> float:
    """The factor that scales scene light so that 1 is full scale.

    The meter sets the log-average luminance to middle gray, over the pixels where (H, W) `weight` is positive. It uses
    a smaller factor if more than a tenth of them would be clipped, or a tenth of the (H, W) subject, if there is one.
    It uses a larger factor if the subject would be nearly black, as before a bright background or beside a lamp of its
    own. Then what is bright may be clipped. A meter of the whole picture does not know the subject. The sensor's
    exposure is applied on top.
    """
    gain = 1.0
    seen = luminance(linear)
    metered = seen[weight > 0]
    if sensor.metering != "none" and metered.size:
        gain = min(MID_GRAY / _mean(metered), _unclipped(metered))
        if sensor.metering == "average" and subject is not None and subject.any():
            gain = max(min(gain, _unclipped(seen[subject])), _SILHOUETTE / _mean(seen[subject]))
    return float(np.clip(gain, 1 / 256, 256) * 2.0**sensor.exposure)


def _mean(metered: NDArray[np.floating]) -> float:
    """The mean of the logarithms of luminances, as a luminance."""
    return float(np.exp(np.log(np.maximum(metered, 0) + 1e-4).mean()))


def _unclipped(metered: NDArray[np.floating]) -> float:
    """The largest gain that clips no more than a tenth of the luminances."""
    return 0.9 / max(float(np.quantile(metered, 0.9)), 1e-6)


def apply_camera_response(
    linear: Light,
    sensor: Sensor,
    gain: float,
    rng: np.random.Generator,
    white: NDArray[np.float32] | None = None,
) -> NDArray[np.uint8]:
    """Turn (H, W, 3) float32 scene-linear light into an (H, W, 3) uint8 sRGB picture. gain: see `metered_gain`.

    white: for a picture before a white ground, the (H, W) share of each pixel, 0 to 1, in which the ground is seen;
    `linear` is black there. The ground is white whatever the exposure, white balance and vignette are, as in a catalog
    of goods. The automatic white balance trusts it and changes nothing.
    """
    height, width = linear.shape[:2]
    balance = white_gain(sensor.white_balance)
    if sensor.balance > 0 and white is None:
        balance = balance * neutralizing(linear) ** sensor.balance
    image = np.asarray(np.maximum(linear, 0) * (gain * balance).astype(np.float32), np.float32)
    if sensor.blur > 0:
        image = _blurred(image, sensor.blur)
    if sensor.vignette > 0:
        image = image * (1 - sensor.vignette * _radius_squared(height, width))[..., None]
    if sensor.noise > 0 or sensor.shot > 0:
        spread = np.sqrt(sensor.noise**2 + sensor.shot**2 * np.minimum(image, 1.0))
        image = image + spread * rng.standard_normal(image.shape, dtype=np.float32)
    toned = filmic(image) if sensor.tone == "filmic" else image
    if white is not None:
        ground = _blurred(white, sensor.blur) if sensor.blur > 0 else white
        toned = np.clip(toned, 0.0, 1.0) + np.float32(_OVERLIT) * ground[..., None]
    display = to_srgb(toned)
    if sensor.sharpening > 0:
        display = sharpened(display, sensor.sharpening)
    pixels = np.round(display * 255).astype(np.uint8)
    return _jpeg(pixels, sensor.jpeg) if sensor.jpeg else pixels


def neutralizing(linear: Light) -> NDArray[np.float64]:
    """(3,) factors, with luminance 1, that make the mean of (H, W, 3) light gray.

    The correction is limited to colors that daylight can have (`_DAYLIGHT`, `_TINT`). Stronger colors are taken as
    colors of the objects.
    """
    red, green, blue = np.log(np.maximum(linear.reshape(-1, 3).mean(axis=0, dtype=np.float64), 1e-9))
    cold = float(np.clip(blue - red, *_DAYLIGHT))
    tint = float(np.clip(green - (red + blue) / 2, -_TINT, _TINT))
    factors = np.exp([cold / 2 + tint / 3, -tint * 2 / 3, tint / 3 - cold / 2])
    return np.asarray(factors / luminance(factors))


def sharpened(display: NDArray[np.floating], amount: float) -> NDArray[np.floating]:
    """Sharpen (H, W, 3) display values in [0, 1] by an unsharp mask of strength `amount`, in brightness only."""
    gray = (display @ np.array([0.299, 0.587, 0.114])).astype(np.float32)
    detail = gray - _blurred(gray, _SHARPENED)
    return np.clip(display + amount * detail[..., None], 0.0, 1.0)


def _blurred(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101))


def _radius_squared(height: int, width: int) -> NDArray[np.float32]:
    """(H, W) squared distance from the center, 1 in the corners."""
    y = (np.arange(height, dtype=np.float32) + 0.5) / height * 2 - 1
    x = (np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1
    return np.asarray((y[:, None] ** 2 + x[None] ** 2) / 2)


def _jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    done, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("the JPEG encoder failed")
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])

"""Functions that show labels as pictures; the field `show` of `render.label.Label` holds one of them."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.label import Shown

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]

# From blue through green and yellow to dark red. The middle is the lightest, so that both ends stand out.
_RAMP = np.array([
    (58, 70, 190), (70, 127, 240), (40, 187, 236), (49, 242, 153), (162, 252, 60), (237, 208, 58), (251, 128, 34),
    (210, 49, 5), (122, 4, 3),
])  # fmt: skip


# Saturation and value of ids by turns. So the first eight ids are told apart with any color blindness.
_SATURATION, _VALUE = (0.85, 1.0, 0.45, 0.45), (0.6, 0.85, 0.5, 1.0)


def as_it_is(array: NDArray[Any], objects: Mask, classes: Sequence[str]) -> Shown:
    """Show bytes unchanged."""
    return array, ""


def ids(array: NDArray[Any], objects: Mask, classes: Sequence[str]) -> Shown:
    """Show a color for each id. The note is the number of ids."""
    return id_colors(array), str(len(np.unique(array[array > 0])))


def class_ids(array: NDArray[Any], objects: Mask, classes: Sequence[str]) -> Shown:
    """Show a color for each class. The note lists the classes in the picture."""
    return id_colors(array), ", ".join(classes[number - 1] for number in np.unique(array) if number > 0)


def mask(array: NDArray[Any], objects: Mask, classes: Sequence[str]) -> Shown:
    """Show white where the label is not 0."""
    return np.where(array > 0, 255, 0).astype(np.uint8), ""


def depth(array: NDArray[Any], objects: Mask, classes: Sequence[str]) -> Shown:
    """Show colors from near to far. The note gives the range in meters."""
    colors, near, far = depth_colors(array, objects)
    return colors, f"{near:.2f} to {far:.2f} m"


def normals(array: NDArray[Any], objects: Mask, classes: Sequence[str]) -> Shown:
    """Show normals as colors."""
    return normal_colors(array), ""


def crack_width(array: NDArray[Any], objects: Mask, classes: Sequence[str]) -> Shown:
    """Show colors from narrow to wide. The note gives the upper end in mm."""
    colors, widest = width_colors(array)
    return colors, f"to {widest:.2g} mm"


def flow(array: NDArray[Any], objects: Mask, classes: Sequence[str]) -> Shown:
    """Show directions as hues and lengths as saturation. The note gives the longest, in pixels."""
    colors, longest = flow_colors(array)
    return colors, f"to {longest:.3g} px"


def disparity(array: NDArray[Any], objects: Mask, classes: Sequence[str]) -> Shown:
    """Show colors from far to near. The note gives the upper end in pixels."""
    colors, most = width_colors(np.nan_to_num(array))
    return colors, f"to {most:.3g} px"


def id_colors(ids: NDArray[np.integer]) -> Picture:
    """Color (H, W) ids as (H, W, 3). Neighboring ids differ clearly; 0 is black."""
    hues = [((number * 0.61803398875 + 0.75) % 1, _SATURATION[number % 4], _VALUE[number % 4]) for number in range(256)]
    table = np.array([colorsys.hsv_to_rgb(*hue) for hue in hues]) * 255
    table[0] = 0
    return table.astype(np.uint8)[np.where(ids > 0, (ids.astype(np.int64) - 1) % 255 + 1, 0)]


def depth_colors(depth: NDArray[np.floating], objects: Mask) -> tuple[Picture, float, float]:
    """Color (H, W) depths: blue is near, red is far, inf is black. Returns also the range in meters.

    The range is that of the pixels of `objects`, extended by a half: a floor that reaches the horizon would use up all
    colors.
    """
    finite = np.isfinite(depth)
    if not finite.any():
        return np.zeros((*depth.shape, 3), np.uint8), 0.0, 0.0
    spanned = depth[finite & objects] if (finite & objects).any() else depth[finite]
    low, high = np.percentile(spanned, (1, 99))
    near, far = max(low - (high - low) / 4, 0.0), high + (high - low) / 4
    share = np.clip((np.where(finite, depth, far) - near) / max(far - near, 1e-6), 0, 1)
    return np.where(finite[..., None], _ramp(share), 0).astype(np.uint8), float(near), float(far)


def width_colors(width: NDArray[np.floating]) -> tuple[Picture, float]:
    """Color (H, W) widths: blue is narrow, red is wide, 0 is black. Returns also the width at the upper end."""
    there = width > 0
    widest = float(np.percentile(width[there], 99)) if there.any() else 0.0
    share = np.clip(width.astype(np.float32) / max(widest, 1e-6), 0, 1)
    return np.where(there[..., None], _ramp(share), 0).astype(np.uint8), widest


def normal_colors(normals: NDArray[np.floating]) -> Picture:
    """Color (H, W, 3) normals in OpenCV axes: red is right, green up, blue toward the viewer. No normal is black."""
    colors = (normals.astype(np.float32) * (1, -1, -1) + 1) * 127.5
    return np.where(normals.any(axis=-1, keepdims=True), colors, 0).astype(np.uint8)


def flow_colors(flow: NDArray[np.floating]) -> tuple[Picture, float]:
    """Color (H, W, 2) flow: red to the right, then yellow, green, blue and violet, clockwise. NaN is black, 0 is white.

    Returns also the length in pixels at full color.
    """
    known = np.isfinite(flow).all(axis=-1)
    x, y = np.moveaxis(np.where(known[..., None], flow, 0).astype(np.float64), -1, 0)
    length = np.hypot(x, y)
    longest = float(np.percentile(length[known], 99)) if known.any() else 0.0
    hue = (np.degrees(np.arctan2(y, x)) % 360)[..., None]
    # Full colors by hue: each channel is a trapezoid around its own.
    pure = np.clip(2 - np.abs((hue - np.array([0.0, 120.0, 240.0]) + 180) % 360 - 180) / 60, 0, 1)
    share = np.clip(length / max(longest, 1e-6), 0, 1)[..., None]
    return np.where(known[..., None], 255 * (1 - share * (1 - pure)), 0).astype(np.uint8), longest


def _ramp(share: NDArray[np.floating]) -> NDArray[np.float64]:
    """Look up (H, W) positions on the ramp, 0 to 1, as (H, W, 3) colors, 0 to 255."""
    at = np.linspace(0, 1, len(_RAMP))
    return np.stack([np.interp(share, at, _RAMP[:, channel]) for channel in range(3)], axis=-1)

"""The color inside a crack, and the light at its lips."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
from numpy.typing import NDArray

from render.composite.noise import Image, Shape, blurred, dimmed, noise, normals

# Nothing is drawn below this opacity.
_NOTHING = 1 / 512
# From this width in pixels on, little light falls into a crack.
_DEEP = 3.0
# How fast light decreases with depth. It does not depend on the darkness, so that no wide crack is a pale band.
_SWALLOWED = np.float32(0.25)
# Length in pixels along the crack over which its depth is averaged.
_REACH = 10.0
# Side in pixels of the patches in which the contrast of the texture is measured.
_PATCH = 24
# Limits of the adjustment that makes a crack visible: the highest darkness and the lowest opacity.
_DARKEST, _FAINTEST = 0.7, 0.25
# Sobel kernel for the slope from left to right.
_SOBEL = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])


def ink(picture: Image, opacity: Image, level: float = 20.0) -> Image:
    """Draw the crack in one dark gray on an (H, W, 3) picture, for recipes without the color step."""
    return picture + opacity[..., None] * (np.float32(level) - picture)


def colored(
    picture: Image,
    opacity: Image,
    width: Image,
    rng: np.random.Generator,
    *,
    darkness: float,
    adaptive: float,
    reach: float,
    texture: float,
    hue: float,
    tint: float,
    noise: float,
    noise_scale: float,
    grain: float,
    deepening: float,
    visible: float,
) -> Image:
    """Draw the crack on an (H, W, 3) picture, darker than the surface around it.

    See `scenes.config.composite_crack.ColorConfig`.

    width: (H, W) width of the crack in pixels. Inside the crack, the mean light nearby and the texture of the surface
    are multiplied by factors. In logarithms, this equals Poisson blending of the crack into the surface. The crack is
    nowhere lighter than the surface. Pixels without opacity do not change.
    """
    there = np.flatnonzero(opacity > _NOTHING)
    if not there.size:  # in a small picture, other steps may leave nothing of a crack
        return picture.copy()
    covered = opacity.ravel()[there]
    surface = picture.reshape(-1, 3).take(there, axis=0)
    light = _light(picture, reach, adaptive).reshape(-1, 3).take(there, axis=0)
    varied = _varied(rng, (opacity.shape[0], opacity.shape[1]), noise, noise_scale, there)
    fine = normals(rng, len(there)) * np.float32(grain)
    depth = blurred(opacity * (0.5 + _sunk(width, opacity)), 1.5).ravel()[there]
    least = visible * _rough(picture, there) / _thickest(opacity, there)
    shade = np.maximum(darkness, np.minimum(least, _DARKEST)) * (1 + varied + fine)
    color = 1 - tint * (1 - np.array(colorsys.hsv_to_rgb(hue, 1.0, 1.0), np.float32))
    color /= color @ np.array([0.299, 0.587, 0.114], np.float32)
    remains = (np.clip(1 - shade, 0.03, 1.0) * np.exp(-_SWALLOWED * deepening * depth))[:, None]
    # Darker places show more of the crack's own color.
    # A crack is deeper than the pits of a rough surface, so it is not lighter than they are.
    pits = np.std(surface - light) * np.minimum(depth, 1)[:, None]
    inside = np.maximum(light - pits, 0.3 * light) * remains * (color * (1 - remains) + remains)
    inside = np.minimum(inside + texture * remains * (surface - light), surface)
    out = picture.copy()
    out.reshape(-1, 3)[there] = np.clip(surface + covered[:, None] * (inside - surface), 0, 255)
    return out


def healed(picture: Image, coverage: Image, *, darkness: float) -> Image:
    """Darken an (H, W, 3) picture along closed cracks, which have no depth."""
    traced = cv2.GaussianBlur(coverage, (0, 0), 0.8)
    return dimmed(picture, 1 - np.float32(darkness) * traced)


def lit_lips(
    picture: Image,
    coverage: Image,
    chips: NDArray[np.float32] | None,
    rng: np.random.Generator,
    *,
    strength: float,
    size: float,
    light: float,
    chipped: float,
    fresh: float,
) -> Image:
    """Make the (H, W, 3) surface brighter along one lip of the crack and darker along the other.

    chips: (H, W) depth of chips, relative to the deepest. They get the same edges, and are brighter by `fresh`.
    """
    hollow = coverage if chips is None else np.maximum(coverage, 0.5 * chips)
    blurred = cv2.GaussianBlur(hollow, (0, 0), size, borderType=cv2.BORDER_REPLICATE)
    # The light falls on the wall that faces it, which is the lip on the far side of the hollow.
    toward = strength * size / 4 * (np.cos(np.radians(light)) * _SOBEL + np.sin(np.radians(light)) * _SOBEL.T)
    relief = cv2.filter2D(blurred, -1, toward)
    whole = noise(rng, (coverage.shape[0], coverage.shape[1]), max(4.0, 3 * size)) + np.float32(1.5 - 2.5 * chipped)
    factor = 1 + relief * np.clip(whole, 0, 1, out=whole)
    if chips is not None:
        factor *= 1 + np.float32(fresh) * chips
    return dimmed(picture, factor)


def _sunk(width: Image, opacity: Image) -> Image:
    """(H, W) depth of the crack, from its width averaged along it, so that single notches in the lips do not matter."""
    size = (max(width.shape[1] // 4, 1), max(width.shape[0] // 4, 1))
    both = cv2.resize(cv2.merge([width * opacity, opacity]), size, interpolation=cv2.INTER_AREA)
    both = cv2.GaussianBlur(both, (0, 0), _REACH / 4, borderType=cv2.BORDER_REPLICATE)
    mean = both[..., 0] / np.maximum(both[..., 1], 1e-6)
    sunk = np.minimum(mean * np.float32(1 / _DEEP), 4) ** 2
    return np.asarray(cv2.resize(sunk, width.shape[::-1], interpolation=cv2.INTER_LINEAR))


def _rough(picture: Image, there: NDArray[np.intp]) -> NDArray[np.float32]:
    """(n,) rms contrast of the texture nearby, relative to its light. there: flat indices of the pixels."""
    height, width = picture.shape[:2]
    # Only texture as broad as a stroke can hide it, so the finest grain is averaged away.
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    gray = cv2.resize(gray, (max(width // 2, 1), max(height // 2, 1)), interpolation=cv2.INTER_AREA)
    size = (max(width // _PATCH, 1), max(height // _PATCH, 1))
    both = cv2.resize(cv2.merge([gray, gray * gray]), size, interpolation=cv2.INTER_AREA)
    mean, square = np.moveaxis(both.reshape(*size[::-1], 2), 2, 0)
    share = np.sqrt(np.maximum(square - mean * mean, 0)) / np.maximum(mean, 1)
    return np.asarray(cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)).ravel()[there]


def _thickest(opacity: Image, there: NDArray[np.intp]) -> NDArray[np.float32]:
    """(n,) highest opacity of the crack nearby, which is low for a blurred hairline. there: flat indices."""
    most = cv2.blur(cv2.dilate(opacity, np.ones((5, 5), np.uint8)), (5, 5))
    return np.maximum(most.ravel()[there], np.float32(_FAINTEST))


def _light(picture: Image, reach: float, adaptive: float) -> Image:
    """(H, W, 3) light of the surface without texture: the mean within `reach` pixels, or of the whole picture."""
    height, width = picture.shape[:2]
    shrink = 4
    small = cv2.resize(picture, (max(width // shrink, 1), max(height // shrink, 1)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(reach / shrink, 0.3), borderType=cv2.BORDER_REPLICATE)
    if adaptive < 1:
        small = small * np.float32(adaptive) + small.mean(axis=(0, 1)) * np.float32(1 - adaptive)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def _varied(
    rng: np.random.Generator, shape: Shape, amount: float, scale: float, there: NDArray[np.intp]
) -> NDArray[np.float32]:
    """(n,) noise of rms `amount` at `scale` pixels and at a third of it. there: flat indices of the pixels."""
    broad, fine = (noise(rng, shape, size).ravel()[there] for size in (scale, max(scale / 3, 1.0)))
    return np.asarray((0.95 * broad + 0.3 * fine) * amount, np.float32)

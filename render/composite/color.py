"""What is seen inside a crack, and at its lips."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
from numpy.typing import NDArray

from render.composite.noise import Image, Shape, blurred, dimmed, noise, normals

# Opacity below which nothing is drawn.
_NOTHING = 1 / 512
# Pixels of width from which on a crack is one into which little light falls.
_DEEP = 3.0
# How fast depth takes light, whatever the darkness at the edge: no wide crack is a pale band.
_SWALLOWED = np.float32(0.25)
# Pixels along the crack over which its depth is even.
_REACH = 10.0
# Pixels a side within which a texture's contrast is taken.
_PATCH = 24
# What makes a crack stand out from its texture ends at this darkness, and at this opacity.
_DARKEST, _FAINTEST = 0.7, 0.25
# The slope from left to right.
_SOBEL = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])


def ink(picture: Image, opacity: Image, level: float = 20.0) -> Image:
    """(H, W, 3) the picture with the crack in one dark grey: what the recipe has before it is coloured."""
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
    """(H, W, 3) the picture with the crack in it, as dark as the light around allows.

    See `scenes.config.composite_crack.ColorConfig`.

    width: (H, W) pixels from lip to lip. Inside is a factor on the light from near by, and the surface's texture goes
    on with a factor: in logarithms, what Poisson blending of the crack into the surface gives. It is nowhere lighter
    than the surface. Pixels without opacity stay as they are.
    """
    there = np.flatnonzero(opacity > _NOTHING)
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
    # The darker it is, the more it has a colour of its own.
    # A crack is deeper than the pits of a rough surface, and no lighter than they are.
    pits = np.std(surface - light) * np.minimum(depth, 1)[:, None]
    inside = np.maximum(light - pits, 0.3 * light) * remains * (color * (1 - remains) + remains)
    inside = np.minimum(inside + texture * remains * (surface - light), surface)
    out = picture.copy()
    out.reshape(-1, 3)[there] = np.clip(surface + covered[:, None] * (inside - surface), 0, 255)
    return out


def healed(picture: Image, coverage: Image, *, darkness: float) -> Image:
    """(H, W, 3) the picture with closed cracks: a factor on the surface, no depth."""
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
    """(H, W, 3) the surface before the crack is drawn, brighter along one lip and darker along the other.

    chips: (H, W) depth as a share of the deepest; they have an edge as the crack has, and a colour fresher by `fresh`.
    """
    hollow = coverage if chips is None else np.maximum(coverage, 0.5 * chips)
    blurred = cv2.GaussianBlur(hollow, (0, 0), size, borderType=cv2.BORDER_REPLICATE)
    # The light falls on the wall that faces it: the lip on the far side of the hollow.
    toward = strength * size / 4 * (np.cos(np.radians(light)) * _SOBEL + np.sin(np.radians(light)) * _SOBEL.T)
    relief = cv2.filter2D(blurred, -1, toward)
    whole = noise(rng, (coverage.shape[0], coverage.shape[1]), max(4.0, 3 * size)) + np.float32(1.5 - 2.5 * chipped)
    factor = 1 + relief * np.clip(whole, 0, 1, out=whole)
    if chips is not None:
        factor *= 1 + np.float32(fresh) * chips
    return dimmed(picture, factor)


def _sunk(width: Image, opacity: Image) -> Image:
    """(H, W) how deep the crack is, by its width averaged along it: it does not follow every notch of its lips."""
    size = (max(width.shape[1] // 4, 1), max(width.shape[0] // 4, 1))
    both = cv2.resize(cv2.merge([width * opacity, opacity]), size, interpolation=cv2.INTER_AREA)
    both = cv2.GaussianBlur(both, (0, 0), _REACH / 4, borderType=cv2.BORDER_REPLICATE)
    mean = both[..., 0] / np.maximum(both[..., 1], 1e-6)
    sunk = np.minimum(mean * np.float32(1 / _DEEP), 4) ** 2
    return np.asarray(cv2.resize(sunk, width.shape[::-1], interpolation=cv2.INTER_LINEAR))


def _rough(picture: Image, there: NDArray[np.intp]) -> NDArray[np.float32]:
    """(n,) rms contrast of the surface's texture near by, as a share of its light, for pixels counted row by row."""
    height, width = picture.shape[:2]
    # Strokes are seen against what is as broad as they are: the finest grain hides nothing.
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    gray = cv2.resize(gray, (max(width // 2, 1), max(height // 2, 1)), interpolation=cv2.INTER_AREA)
    size = (max(width // _PATCH, 1), max(height // _PATCH, 1))
    both = cv2.resize(cv2.merge([gray, gray * gray]), size, interpolation=cv2.INTER_AREA)
    mean, square = np.moveaxis(both.reshape(*size[::-1], 2), 2, 0)
    share = np.sqrt(np.maximum(square - mean * mean, 0)) / np.maximum(mean, 1)
    return np.asarray(cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)).ravel()[there]


def _thickest(opacity: Image, there: NDArray[np.intp]) -> NDArray[np.float32]:
    """(n,) the opacity in the middle of the crack near by: a blurred hairline has nowhere much of it."""
    most = cv2.blur(cv2.dilate(opacity, np.ones((5, 5), np.uint8)), (5, 5))
    return np.maximum(most.ravel()[there], np.float32(_FAINTEST))


def _light(picture: Image, reach: float, adaptive: float) -> Image:
    """(H, W, 3) the surface without its texture: the mean within `reach` pixels, or of the whole picture."""
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
    """Noise of rms `amount` at `scale`, and some at a third of it, for (n,) pixels counted row by row."""
    broad, fine = (noise(rng, shape, size).ravel()[there] for size in (scale, max(scale / 3, 1.0)))
    return np.asarray((0.95 * broad + 0.3 * fine) * amount, np.float32)

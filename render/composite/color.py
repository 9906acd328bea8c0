"""The color inside a crack, and the light at its lips."""

from __future__ import annotations

import colorsys
from statistics import NormalDist

import cv2
import numpy as np
from numpy.typing import NDArray

from render.composite.noise import Image, Shape, dimmed, noise, normals

# Nothing is drawn below this opacity.
_NOTHING = 1 / 512
# Share of its own depth to which a crumb lies in a crack.
_CRUMB = 0.4
# Rec. 601 luma.
_GRAY = np.array([0.299, 0.587, 0.114], np.float32)
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
    grain_around: Image,
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
    crumbs: float,
    crumb_size: float,
    visible: float,
) -> Image:
    """Draw the crack on an (H, W, 3) picture, darker than the surface around it.

    See `scenes.config.composite_crack.ColorConfig`.

    grain_around: (H, W) standard deviation of the surface's brightness, at the width of the crack.

    Inside the crack, the mean light nearby and the texture of the surface are multiplied by factors. In logarithms,
    this equals Poisson blending of the crack into the surface. The crack is nowhere lighter than the surface. Pixels
    without opacity do not change.
    """
    there = np.flatnonzero(opacity > _NOTHING)
    if not there.size:  # in a small picture, other steps may leave nothing of a crack
        return picture.copy()
    covered = opacity.ravel()[there]
    surface = picture.reshape(-1, 3).take(there, axis=0)
    light = _light(picture, reach, adaptive).reshape(-1, 3).take(there, axis=0)
    varied = _varied(rng, (opacity.shape[0], opacity.shape[1]), noise, noise_scale, there)
    fine = normals(rng, len(there)) * np.float32(grain)
    depth = _sunk(opacity, rng, there, crumbs, crumb_size)
    rough = grain_around.ravel()[there] / np.maximum(light @ _GRAY, 1)
    least = visible * rough / _thickest(opacity, there)
    shade = np.maximum(darkness, np.minimum(least, _DARKEST)) * (1 + varied + fine)
    color = 1 - tint * (1 - np.array(colorsys.hsv_to_rgb(hue, 1.0, 1.0), np.float32))
    color /= color @ _GRAY
    # Little light comes back from the depth of a crack: its core is nearly black where it is wide.
    remains = (np.clip(1 - shade, 0.03, 1.0) * np.exp(-np.float32(deepening) * depth))[:, None]
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


def _sunk(
    opacity: Image, rng: np.random.Generator, there: NDArray[np.intp], crumbs: float, crumb_size: float
) -> NDArray[np.float32]:
    """(n,) depth of the crack in pixels, as far as from the nearest lip. Hollows and crumbs make it uneven.

    there: flat indices of the pixels.
    """
    lips = cv2.distanceTransform((opacity > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    depth = cv2.GaussianBlur(np.maximum(lips - 0.5, 0.5 * opacity), (0, 0), 0.7).ravel()[there]
    shape = (opacity.shape[0], opacity.shape[1])
    hollows = noise(rng, shape, 5 * crumb_size).ravel()[there]
    # Crumbs lie together, where the crack is shallow.
    lying = 0.8 * noise(rng, shape, crumb_size).ravel()[there] - 0.6 * hollows
    level = np.float32(NormalDist().inv_cdf(1 - crumbs)) if crumbs > 0 else np.float32(np.inf)
    depth *= np.clip(1 + np.float32(0.4) * hollows, 0.3, 2)
    return depth * np.where(lying > level, np.float32(_CRUMB), np.float32(1))


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

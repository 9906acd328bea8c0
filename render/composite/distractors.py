"""Distractors on a surface: stains, scratches, joints, ledges and the edge of a shadow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np

from render.composite.noise import Image, dimmed, noise, normals, ramp

# Margins in pixels: around the path of a scratch, and beyond the lips of a joint.
_RIM, _EDGE = 8, 6.0


def distracted(
    picture: Image,
    generator: Callable[[str], np.random.Generator],
    *,
    stains: Mapping[str, Any],
    scratches: Mapping[str, Any],
    joints: Mapping[str, Any],
    shadow: Mapping[str, Any],
) -> Image:
    """Draw distractors on an (H, W, 3) picture. No label contains them.

    generator: the random generator of a thing by its name, so that one thing more leaves the others as they are.
    See `scenes.config.composite.DistractorsConfig`.
    """
    height, width = picture.shape[:2]
    # Soft shapes need few pixels.
    half = (-(-height // 2), -(-width // 2))
    soft = np.ones(half, np.float32)
    for k in range(stains["count"]):
        rng = generator(f"stains.{k}")
        soft *= 1 - np.float32(stains["darkness"] * rng.uniform(0.4, 1)) * _stain(rng, half)
    if shadow["darkness"] > 0:
        soft *= 1 - np.float32(shadow["darkness"]) * _shadow(generator("shadow"), half)
    factor = np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR))
    for k in range(scratches["count"]):
        rng = generator(f"scratches.{k}")
        depth = np.float32(scratches["darkness"] * rng.uniform(0.5, 1))
        box, strokes = _scratch(rng, (height, width))
        factor[box] *= 1 - depth * strokes
    for k in range(joints["count"]):
        rng = generator(f"joints.{k}")
        darkness = joints["darkness"] * float(rng.uniform(0.5, 1))
        factor *= _joint(rng, (height, width), darkness, joints["ledge"])
    return dimmed(picture, factor)


def _stain(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """(H, W) stain with a ragged rim, which is often darker, as with dried water."""
    height, width = shape
    radius = min(shape) * float(rng.uniform(0.06, 0.35))
    cx, cy = rng.uniform(0, width), rng.uniform(0, height)
    x = (np.arange(width, dtype=np.float32) + 0.5 - cx) / radius
    y = (np.arange(height, dtype=np.float32) + 0.5 - cy) / (radius * float(rng.uniform(0.5, 1.5)))
    away = np.sqrt(x[None] ** 2 + y[:, None] ** 2) + 0.25 * noise(rng, shape, radius / 2)
    away += 0.08 * noise(rng, shape, max(radius / 10, 2))
    inside = 1 - ramp(away, 0.8, 0.8 + float(rng.uniform(0.05, 0.6)))
    rim = np.exp(-(((away - 0.8) / 0.08) ** 2)) * float(rng.uniform(0, 0.5))
    return inside * float(rng.uniform(0.5, 1)) + rim


def _scratch(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[tuple[slice, slice], Image]:
    """A scratch: a long smooth curve that fades in and out. Returns its box in the picture, and its strength there."""
    height, width = shape
    ends = rng.uniform((0, 0), (width, height), (2, 2))
    middle = ends.mean(axis=0) + rng.normal(0, 0.05 * min(shape), 2)
    t = np.linspace(0, 1, 24)[:, None]
    bow = (1 - t) ** 2 * ends[0] + 2 * t * (1 - t) * middle + t**2 * ends[1]
    low = np.maximum(np.floor(bow.min(axis=0)).astype(int) - _RIM, 0)
    high = np.maximum(np.minimum(np.ceil(bow.max(axis=0)).astype(int) + _RIM, (width, height)), low + 1)
    box = slice(low[1], high[1]), slice(low[0], high[0])
    line = np.zeros((high - low)[::-1], np.uint8)
    cv2.polylines(line, [np.round((bow - low) * 16).astype(np.int32)], False, 255, 1, cv2.LINE_AA, shift=4)
    strokes = cv2.GaussianBlur(line.astype(np.float32), (0, 0), float(rng.uniform(0.4, 1.2)))
    strokes *= np.float32(1 / 255)
    return box, strokes * np.clip(noise(rng, strokes.shape, 0.1 * min(shape)) + np.float32(0.6), 0, 1)


def _joint(rng: np.random.Generator, shape: tuple[int, int], darkness: float, ledge: float) -> Image:
    """(H, W) factors on the light for a joint: a dark line through the whole picture, mostly horizontal or vertical.

    One edge is often lit. The surface on one side may be darker or brighter, by up to `ledge`. Sawn joints have an even
    path, width and tone. Other joints are uneven, chipped and dirty.
    """
    height, width = shape
    angle = rng.choice((0.0, 0.5)) * np.pi + rng.normal(0, 0.04) if rng.random() < 0.8 else rng.uniform(0, np.pi)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    cx, cy = rng.uniform(0.05, 0.95, 2) * (width, height)
    x = np.arange(width, dtype=np.float32) - np.float32(cx)
    y = np.arange(height, dtype=np.float32) - np.float32(cy)
    across = (x * cos)[None] + (y * sin)[:, None]
    half, soft = float(np.exp(rng.uniform(np.log(0.7), np.log(6)))), float(rng.uniform(0.5, 1.5))
    lighter, other = float(rng.uniform(0, 0.25) * rng.integers(2)), float(rng.uniform(-ledge, ledge))
    factor = np.where(across > 0, np.float32(1 + other), np.float32(1))
    near = np.flatnonzero(np.abs(across) < half + _EDGE)
    row, column = np.divmod(near, width)
    along = (y[row] * cos - x[column] * sin).astype(np.intp)
    along -= along.min()
    rough = float(rng.uniform(0, 1))

    def varied(scale: float, rms: float) -> Image:
        """Noise along the joint, clipped to 2 pixels."""
        return np.clip(noise(rng, (1, int(along.max()) + 1), scale)[0] * np.float32(rms * rough), -2, 2)[along]

    away = across.ravel()[near] + varied(70, 0.9)
    low, high = half + varied(5, min(0.2 * half, 0.6)), half + varied(5, min(0.2 * half, 0.6))
    line = ramp((away + low) / soft, -1, 1) * (1 - ramp((away - high) / soft, -1, 1))
    dirt = np.clip(1 + varied(30, 0.35) + normals(rng, len(near), rms=0.12 * rough), 0, 1.5)
    lit = np.exp(-(((away - high - 1.5) / 1.2) ** 2)) * lighter
    factor.ravel()[near] = (
        (1 - np.minimum(darkness * line * dirt, 0.97)) * (1 + lit) * (1 + ramp((away - high) / soft, -1, 1) * other)
    )
    return factor


def _shadow(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """(H, W) mask of a shadow: one side of a slightly wavy line, with a soft edge."""
    height, width = shape
    angle = rng.uniform(0, 2 * np.pi)
    cx, cy = rng.uniform(0.15, 0.85, 2) * (width, height)
    x = (np.arange(width, dtype=np.float32) - cx) * np.float32(np.cos(angle))
    y = (np.arange(height, dtype=np.float32) - cy) * np.float32(np.sin(angle))
    away = x[None] + y[:, None] + noise(rng, shape, min(shape) / 6) * float(rng.uniform(0, 6))
    soft = float(np.exp(rng.uniform(np.log(0.8), np.log(15))))
    return ramp(away, -soft, soft)

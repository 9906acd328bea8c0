"""Clean plates that need no rendering: sky, photograph or plain color."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from render.image.color import from_srgb
from render.image.surroundings import pixel_rays
from scenes.assets.image_files import read_light, read_picture
from scenes.assets.recent import Recent
from scenes.errors import InputError, LoadError
from scenes.record.camera import Camera
from scenes.record.scene import Scene

Light = NDArray[np.float32]
T = TypeVar("T", bound=np.generic)

BACKDROPS = ("color", "white")
"""The backgrounds that the light meter does not look at: their color is chosen freely."""


def plate(scene: Scene, path: Callable[[str], Path], lit: float = 1.0) -> Light:
    """(H, W, 3) float32 scene-linear light of the background alone. path: function from asset id to file.

    lit: the light that comes from white paper beside the objects, for a background that is a plain color. A white
    background is black here: `apply_camera_response` lays the picture on white.
    """
    camera, background = scene.camera, scene.background
    shape = (camera.height, camera.width, 3)
    if background.kind in ("none", "white"):
        return np.zeros(shape, np.float32)
    if background.kind == "color":
        return np.broadcast_to(lit * from_srgb(np.array(background.color, np.float32)), shape).astype(np.float32)
    if background.kind == "image":
        return _photograph(path(background.image), camera.width, camera.height)
    if not scene.world.hdri:
        return np.full(shape, scene.world.strength, np.float32) * np.array(scene.world.color, np.float32)
    sky = _sky(read_hdri(path(scene.world.hdri)), camera, scene.world.rotation) * np.float32(scene.world.strength)
    return _defocused(sky, camera)


# Maps in use are decoded once: a map of 1024 x 512 pixels takes 40 ms and has 6 MB.
_hdris = Recent[Light](256 << 20)


def read_hdri(path: Path) -> Light:
    """Read a .hdr or .exr environment as (H, W, 3) float32 linear light. Raises InputError."""
    light = _hdris.get(path)
    if light is None:
        light = _restored(path, read_light)
        _hdris.put(path, light)
    return light


def _restored(path: Path, read: Callable[[Path], NDArray[T]]) -> NDArray[T]:
    try:
        return read(path)
    except LoadError as error:
        raise InputError(f"{path}: can no longer be read, it {error}; restore the file") from error


def _sky(hdri: Light, camera: Camera, rotation: float) -> Light:
    """The environment seen by the camera: Blender's equirectangular mapping, bilinear."""
    world = pixel_rays(camera).astype(np.float32)
    height, width = hdri.shape[:2]
    azimuth = np.arctan2(world[..., 1], world[..., 0]) - np.float32(np.radians(rotation))
    u = (0.5 - azimuth / (2 * np.pi)) % 1.0 * width - 0.5
    elevation = np.arctan2(world[..., 2], np.hypot(world[..., 0], world[..., 1]))
    v = (0.5 - elevation / np.pi) * height - 0.5
    # One extra column on each side closes the seam.
    wide = cv2.copyMakeBorder(hdri, 0, 0, 1, 1, cv2.BORDER_WRAP)
    return np.asarray(
        cv2.remap(
            wide, (u + 1).astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    )


def _defocused(sky: Light, camera: Camera) -> Light:
    """The sky blurred by the thin lens's circle of confusion at infinity."""
    if camera.fstop <= 0:
        return sky
    focus = 1e3 * float(np.linalg.norm(np.subtract(camera.target, camera.location)))
    circle = camera.focal_length**2 / (camera.fstop * max(focus - camera.focal_length, 1.0))
    pixels = circle / 36.0 * max(camera.width, camera.height)
    if pixels < 1:
        return sky
    size = 2 * int(np.ceil(pixels / 2)) + 1
    offsets = np.arange(size) - size // 2
    disc = np.clip(pixels / 2 + 0.5 - np.hypot(*np.meshgrid(offsets, offsets)), 0, 1).astype(np.float32)
    return np.asarray(cv2.filter2D(sky, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101))


def _photograph(path: Path, width: int, height: int) -> Light:
    """Read a photograph as linear light, cropped around its center to the picture's shape and scaled to its size."""
    loaded = _restored(path, read_picture)
    scale = max(width / loaded.shape[1], height / loaded.shape[0])
    cut_w, cut_h = max(1, round(width / scale)), max(1, round(height / scale))
    x, y = (loaded.shape[1] - cut_w) // 2, (loaded.shape[0] - cut_h) // 2
    cut = loaded[y : y + cut_h, x : x + cut_w]
    shrinking = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return from_srgb(cv2.resize(cut, (width, height), interpolation=shrinking).astype(np.float32) / 255).astype(
        np.float32
    )

"""Draws a Composition as a Frame: applies the steps of the recipe in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from render.composite import background, color, style
from render.composite.camera import eight_bit, photographed
from render.composite.contrast import grain, standing_out
from render.composite.distractors import distracted
from render.composite.edges import dissolved, smoothed
from render.composite.geometry import Geometry, Lips, dilated, rasterized, uneven, warped
from render.composite.noise import Image
from render.composite.photographs import Photographs
from render.composite.zoom import frames, shown
from render.frame import Frame
from render.object_label import ObjectLabel
from scenes.config.composite import ComposeConfig
from scenes.cracks.contour import Contour
from scenes.cracks.registry import sample
from scenes.record.composite import Composition
from scenes.record.record import CRACK

# Margin in pixels around a crack within which drawing the crack can change or read the picture.
_MARGIN = 32
_OUTLINE = (255, 40, 40)
_CUT = ("x", "y", "zoom", "angle", "mirrored")
# Size of the synthesized texture if a photograph is too small: in sides of the picture, and at most so many pixels.
_CANVAS, _LARGEST = 1.5, 2048


@dataclass(frozen=True)
class Painter:
    """Draws compositions on photographs, in the style of references."""

    textures: Photographs
    references: Photographs = field(default_factory=lambda: Photographs("assets.styles", {}, {}))

    def draw(self, composition: Composition) -> Frame:
        """Draw a picture with its labels. The crack is class 0 and instance 1. Depth and normals are unknown."""
        crack = contour(composition)
        drawn, finished = frames(composition, crack, _generator(composition, "zoom"))
        edges = lips(composition, crack)
        geometry = rasterized(crack, drawn, composition.margin, edges)
        picture, contrast = self._surface(composition, drawn.shape), np.zeros(drawn.shape, np.float32)
        if "crack" in composition.steps:
            picture, contrast = _cracked(composition, picture, geometry)
        picture = self._styled(composition, picture, _GLOBAL)
        if finished is not drawn:
            picture, contrast = (shown(image, finished.shape, composition.zoom) for image in (picture, contrast))
            geometry = rasterized(crack, finished, composition.margin, edges)
        if composition.least > 0:
            geometry = geometry.seen(contrast >= composition.least)
        return _frame(composition, _developed(composition, picture), geometry)

    def _surface(self, composition: Composition, shape: tuple[int, int]) -> Image:
        values = composition.steps["background"]
        photograph = self.textures.picture(composition.texture)
        if not background.fits(photograph, shape, zoom=values["zoom"], angle=values["angle"]):
            side = int(_CANVAS * max(composition.width, composition.height))
            photograph = self.textures.continued(composition.texture, min(side, _LARGEST))
        piece = background.cut(photograph, shape, **{name: values[name] for name in _CUT})
        surface = background.relit(piece, **{name: value for name, value in values.items() if name not in _CUT})
        # This method synthesizes texture, which could cover a crack, so the crack is drawn afterwards.
        surface = self._styled(composition, surface, ("transport",))
        things = composition.steps.get("distractors")
        if things is None:
            return surface
        return distracted(surface, lambda name: _generator(composition, "distractors", f".{name}"), **things)

    def _styled(self, composition: Composition, picture: Image, methods: tuple[str, ...]) -> Image:
        values = composition.steps.get("style")
        if values is None or values["method"] not in methods:
            return picture
        reference = style.reference(self.references.picture(str(values["reference"])))
        match values["method"]:
            case "fourier":
                styled = style.fourier(picture, reference, float(values["beta"]))
            case "histogram":
                styled = style.histogram(picture, reference)
            case "covariance":
                styled = style.covariance(picture, reference)
            case "reinhard":
                styled = style.reinhard(picture, reference)
            case _:
                styled = style.transport(picture, reference, _generator(composition, "style"))
        strength = np.float32(values["strength"])
        return np.clip(picture + strength * (styled - picture), 0, 255)


_GLOBAL = ("fourier", "histogram", "covariance", "reinhard")


def outlined(frame: Frame) -> NDArray[np.uint8]:
    """(H, W, 3) picture with a line around its cracks, one pixel away from them."""
    mask = (frame.category > 0).astype(np.uint8)
    near, beyond = (cv2.dilate(mask, np.ones((side, side), np.uint8)) for side in (3, 5))
    return np.where((beyond > near)[..., None], np.array(_OUTLINE, np.uint8), frame.rgb)


def _generator(composition: Composition, step: str, part: str = "") -> np.random.Generator:
    return composition.streams().generator(f"{ComposeConfig.STREAMS.get(step, step)}.noise{part}")


def _done(composition: Composition, step: str, function: Any, *arguments: Any) -> Any:
    """Apply a step with its values and its own random stream. If the step is off, return the first argument."""
    values = composition.steps.get(step)
    if values is None:
        return arguments[0]
    return function(*arguments, _generator(composition, step), **values)


def contour(composition: Composition) -> Contour:
    """The distorted contour of the crack; empty if there is none.

    Its patch is larger than the picture where the picture is shrunk. Then its cracks are as much finer.
    """
    smaller = min(composition.zoom, 1.0)
    size = (composition.size[0] / smaller, composition.size[1] / smaller)
    values = composition.steps.get("crack")
    if values is None:
        return Contour((), (), size)
    width = values.get("width")
    in_mm = None if width is None else width / smaller * composition.mm_per_pixel
    drawn = dilated(sample(_generator(composition, "crack"), size, values["kind"], in_mm), smaller)
    warp = composition.steps.get("warp")
    if warp is None:
        return drawn
    return warped(drawn, _generator(composition, "warp"), composition.mm_per_pixel, **warp)


def lips(composition: Composition, crack: Contour) -> Lips | None:
    """How uneven the lips of the crack are; None if they are even."""
    ragged = composition.steps.get("crack", {}).get("ragged", 0.0)
    if not ragged:
        return None
    return uneven(crack.size, _generator(composition, "crack", ".ragged"), composition.mm_per_pixel, ragged)


def _cracked(composition: Composition, surface: Image, geometry: Geometry) -> tuple[Image, Image]:
    """Draw the crack on the surface, in place. Returns the picture and the crack's (H, W) contrast over the grain.

    Only the box around the crack is processed. The contrast is 0 outside.
    """
    box, contrast = geometry.box(_MARGIN), np.zeros(geometry.coverage.shape, np.float32)
    surface[box], contrast[box] = _crack(composition, np.ascontiguousarray(surface[box]), geometry.within(box))
    return surface, contrast


def _crack(composition: Composition, surface: Image, geometry: Geometry) -> tuple[Image, Image]:
    steps, opacity = composition.steps, geometry.coverage
    around = grain(surface, opacity, geometry.width / np.float32(composition.mm_per_pixel))
    if "smoothing" in steps:
        opacity = smoothed(opacity, **steps["smoothing"])
    opacity = _done(composition, "dissolve", dissolved, opacity)
    surface = _done(composition, "lips", color.lit_lips, surface, geometry.coverage, geometry.chips)
    if geometry.healed is not None and "healed" in steps:
        surface = color.healed(surface, geometry.healed, **steps["healed"])
    drawn = _done(composition, "color", color.colored, surface, opacity, around)
    if "color" not in steps:
        drawn = color.ink(surface, opacity)
    return drawn, standing_out(surface, drawn, geometry.coverage, around)


def _developed(composition: Composition, picture: Image) -> NDArray[np.uint8]:
    developed = _done(composition, "sensor", photographed, picture)
    return developed if developed.dtype == np.uint8 else eight_bit(developed)


def _frame(composition: Composition, rgb: NDArray[np.uint8], geometry: Geometry) -> Frame:
    shape = (composition.height, composition.width)
    depth, directions = _unknown(shape)
    mask = geometry.reach >= composition.threshold
    width, there = np.zeros(shape, np.float16), np.flatnonzero(geometry.width > 0)
    # Only nonzero pixels are converted, because numpy is slow with half floats.
    width.ravel()[there] = geometry.width.ravel()[there]
    objects, crack = _labels(mask), mask.astype(np.uint16)
    return Frame(
        rgb=rgb,
        depth=depth,
        instance=crack,
        category=crack,
        part=crack,
        normals=directions,
        alpha=np.asarray(cv2.convertScaleAbs(geometry.reach, alpha=255)),
        background=None,
        intrinsics=composition.camera.intrinsics(),
        world_to_camera=composition.camera.world_to_camera(),
        index=composition.index,
        label=0 if objects else -1,
        objects=objects,
        scene=composition,
        width=width,
        skeleton=(geometry.skeleton & (width.view(np.uint16) > 0)).view(np.uint8),
    )


@lru_cache(maxsize=4)
def _unknown(shape: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
    """Read-only arrays for unknown depth (inf) and normals (0), shared by all pictures of a size."""
    depth, normals = np.full(shape, np.inf, np.float32), np.zeros((*shape, 3), np.float16)
    for array in (depth, normals):
        array.flags.writeable = False
    return depth, normals


def _labels(mask: NDArray[np.bool_]) -> tuple[ObjectLabel, ...]:
    """The crack as one object, or empty if the mask is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return ()
    box = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    label = ObjectLabel(
        instance=1, asset=CRACK, category=CRACK, purpose="main", box=box, amodal_box=box, pixels=int(mask.sum()),
        share=float(mask.mean()), visibility=1.0, truncation=0.0, keypoints={}, parts=(CRACK,),
    )  # fmt: skip
    return (label,)

"""Cracks drawn on photographs of surfaces, the config: every step of the recipe, and how each of its factors varies.

Each section is a step and holds that step's parameters under the names of its function in `render/compose/`. `use` says
whether the step is done: always, never, or on a share of the pictures. Lengths are in pixels of the picture unless they
say mm, angles in degrees from x to the right towards y down.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from scenes.cracks.registry import GENERATORS, SHARES
from scenes.distributions import flags, names, numbers
from scenes.section import Section

STYLES = ("fourier", "histogram", "covariance", "reinhard", "transport")


# Those that keep to joints need to know where a surface has them, and a photograph does not say.
_FREE = {kind: share for kind, share in SHARES.items() if kind not in ("masonry", "joint")}
_KINDS = {kind: share / sum(_FREE.values()) for kind, share in _FREE.items()}


def _share(share: float) -> dict[str, Any]:
    return {"mixture": [{"weight": share, "of": True}, {"weight": 1 - share, "of": False}]}


def _sometimes(share: float, values: dict[str, Any]) -> dict[str, Any]:
    return {"mixture": [{"weight": share, "of": values}, {"weight": 1 - share, "of": 0}]}


class Step(Section):
    """A step of the recipe. WHOLE: its parameters that are whole numbers."""

    WHOLE: ClassVar[tuple[str, ...]] = ()

    use: Annotated[Any, flags()] = True


class Photographs(Section):
    """Folders of pictures: surfaces without cracks, and pictures whose style is taken over."""

    textures: tuple[Path, ...] = ()
    styles: tuple[Path, ...] = ()


class Backdrop(Section):
    """The piece of surface behind the crack.

    texture: asset id, null draws evenly over all. x, y: where the piece lies in the photograph, 0 to 1. zoom: picture
    pixels per photograph pixel; a photograph too small for the picture is continued first, at its own scale. angle,
    mirrored: how it is turned. brightness: factor on the light that the camera meters; contrast: factor about its mean;
    evening: share of the broad changes of its light that is taken away; chroma: how far from grey its colours are at
    most, on average in CIE Lab; slope: share by which the light falls off across the picture, in the direction
    `slope_angle`.
    """

    texture: Annotated[Any, names()] | None = None
    x: Annotated[Any, numbers(0, 1)] = {"uniform": [0, 1]}
    y: Annotated[Any, numbers(0, 1)] = {"uniform": [0, 1]}
    zoom: Annotated[Any, numbers(0.05, 20)] = {"log_uniform": [0.8, 1.7]}
    angle: Annotated[Any, numbers(-3600, 3600)] = {
        "mixture": [{"weight": 0.25, "of": {"uniform": [turn - 10, turn + 10]}} for turn in (0, 90, 180, 270)]
    }
    mirrored: Annotated[Any, flags()] = {"choice": [False, True]}
    brightness: Annotated[Any, numbers(0.05, 10)] = {"log_uniform": [0.9, 1.4]}
    contrast: Annotated[Any, numbers(0, 5)] = {"uniform": [0.4, 1.0]}
    evening: Annotated[Any, numbers(0, 1)] = {"uniform": [0, 0.9]}
    chroma: Annotated[Any, numbers(0, 200)] = {
        "mixture": [{"weight": 0.8, "of": {"log_uniform": [0.4, 5]}}, {"weight": 0.2, "of": {"log_uniform": [5, 28]}}]
    }
    slope: Annotated[Any, numbers(0, 1)] = {"uniform": [0, 0.25]}
    slope_angle: Annotated[Any, numbers(-3600, 3600)] = {"uniform": [0, 360]}


class Crack(Step):
    """The contour. `use` is the share of pictures with a crack. kind: which generator draws it.

    width: mm, of the main crack; null takes it in proportion to the picture.
    """

    use: Annotated[Any, flags()] = _share(0.97)
    kind: Annotated[Any, names(*GENERATORS)] = {"choice": _KINDS}
    width: Annotated[Any, numbers(0.001, 1e6)] | None = None


class Warp(Step):
    """What befalls the contour, and all labels with it.

    dilation: factor on the width. elastic: how far points move, rms, as a share of `elastic_scale`, about which the
    wavelengths of the smooth field are. affine: how far the nodes of a grid move, as a share of its cell
    `affine_cell`; the plane between them is stretched.
    """

    dilation: Annotated[Any, numbers(0.1, 10)] = {"log_uniform": [0.5, 1.45]}
    elastic: Annotated[Any, numbers(0, 1)] = {"uniform": [0, 0.1]}
    elastic_scale: Annotated[Any, numbers(2, 1000)] = {"log_uniform": [6, 40]}
    affine: Annotated[Any, numbers(0, 1)] = {"uniform": [0, 0.08]}
    affine_cell: Annotated[Any, numbers(4, 1000)] = {"log_uniform": [40, 140]}


class Smoothing(Step):
    """Soft edges, in the picture alone. gaussian: sigma; motion: length of a streak in the direction `motion_angle`."""

    gaussian: Annotated[Any, numbers(0, 20)] = {"uniform": [0.3, 0.8]}
    motion: Annotated[Any, numbers(0, 50)] = _sometimes(0.3, {"uniform": [1, 4]})
    motion_angle: Annotated[Any, numbers(-3600, 3600)] = {"uniform": [0, 180]}


class Dissolve(Step):
    """Blurred noise eats into the contour, in the picture alone.

    amount: share of the crack that is paler, 0 to 1; depth: how pale, 1 is gone; scale: size of the holes.
    """

    use: Annotated[Any, flags()] = _share(0.7)
    amount: Annotated[Any, numbers(0, 1)] = {"uniform": [0.1, 0.6]}
    depth: Annotated[Any, numbers(0, 1)] = {"uniform": [0.2, 0.7]}
    scale: Annotated[Any, numbers(1, 200)] = {"log_uniform": [1.5, 12]}


class Colour(Step):
    """What is seen in the crack: a share of the light around it.

    darkness: share of the surroundings' light that is missing inside, at the edge of a hairline. adaptive: 1 takes the
    surroundings from near by, 0 from the whole picture, so that the crack is as dark everywhere. reach: how near.
    texture: share of the surface's texture that goes on inside. hue, tint: colour, and how much of it. noise: rms
    share by which the darkness changes along the crack, in patches of `noise_scale`; grain: the same at one pixel.
    deepening: how much darker wide cracks are, and the middle of a crack than its edge. visible:
    least darkness, as a multiple of the texture's own contrast near by, lest a mask is of what nobody can see.
    """

    darkness: Annotated[Any, numbers(0, 1)] = {"normal": {"mean": 0.15, "std": 0.1, "low": 0.06, "high": 0.4}}
    adaptive: Annotated[Any, numbers(0, 1)] = 1
    reach: Annotated[Any, numbers(1, 200)] = {"log_uniform": [4, 20]}
    texture: Annotated[Any, numbers(0, 1)] = {"uniform": [0.1, 0.7]}
    hue: Annotated[Any, numbers(0, 1)] = {"normal": {"mean": 0.08, "std": 0.05, "low": 0, "high": 0.2}}
    tint: Annotated[Any, numbers(0, 1)] = {"uniform": [0, 0.2]}
    noise: Annotated[Any, numbers(0, 1)] = {"uniform": [0.05, 0.25]}
    noise_scale: Annotated[Any, numbers(1, 500)] = {"log_uniform": [10, 80]}
    grain: Annotated[Any, numbers(0, 1)] = {"uniform": [0.02, 0.15]}
    deepening: Annotated[Any, numbers(0, 3)] = {"log_uniform": [0.12, 0.3]}
    visible: Annotated[Any, numbers(0, 10)] = {"uniform": [1.4, 2.8]}


class Lips(Step):
    """The crack's edges: one catches the light, the other is in shadow, and both are chipped.

    strength: share of the light gained or lost at the edge; size: how far it reaches; light: where it comes from.
    chipped: share of the edge that shows nothing of it. fresh: share of light gained (lost below 0) on chips.
    """

    use: Annotated[Any, flags()] = _share(0.75)
    strength: Annotated[Any, numbers(0, 2)] = {"uniform": [0.05, 0.4]}
    size: Annotated[Any, numbers(0.3, 50)] = {"log_uniform": [0.7, 2.5]}
    light: Annotated[Any, numbers(-3600, 3600)] = {"uniform": [0, 360]}
    chipped: Annotated[Any, numbers(0, 1)] = {"uniform": [0.2, 0.8]}
    fresh: Annotated[Any, numbers(-1, 1)] = {"uniform": [-0.2, 0.2]}


class Healed(Step):
    """Cracks that were filled or grew over: seen, not labelled. darkness: as a crack's; below 0 they are paler."""

    darkness: Annotated[Any, numbers(-1, 1)] = {"uniform": [-0.2, 0.04]}


class Distractors(Step):
    """What is no crack. Stains: blots; scratches: thin smooth lines, mostly pale; joints: straight dark lines, beyond
    which the light may change by up to the share `ledge`; shadow: darkness beyond a line."""

    WHOLE = ("stains", "scratches", "joints")

    use: Annotated[Any, flags()] = _share(0.45)
    stains: Annotated[Any, numbers(0, 20, whole=True)] = {"uniform": [0, 2]}
    stain: Annotated[Any, numbers(-1, 1)] = {"uniform": [-0.1, 0.22]}
    scratches: Annotated[Any, numbers(0, 20, whole=True)] = {"uniform": [0, 2]}
    scratch: Annotated[Any, numbers(-1, 1)] = {"uniform": [-0.2, 0.08]}
    joints: Annotated[Any, numbers(0, 20, whole=True)] = _sometimes(0.55, {"uniform": [1, 3]})
    joint: Annotated[Any, numbers(-1, 1)] = {"uniform": [0.05, 0.7]}
    ledge: Annotated[Any, numbers(0, 1)] = _sometimes(0.6, {"uniform": [0, 0.6]})
    shadow: Annotated[Any, numbers(0, 1)] = _sometimes(0.3, {"uniform": [0.1, 0.7]})


class Style(Step):
    """The look of a reference picture, where there are any; `use` is the share of pictures that take one over.

    method: how; reference: asset id, null draws evenly over all. strength: 0 leaves the picture, 1 takes all over.
    beta: for "fourier", half the side of the square of low frequencies as a share of the picture.
    """

    use: Annotated[Any, flags()] = _share(0.4)
    method: Annotated[Any, names(*STYLES)] = {
        "choice": {"fourier": 0.25, "histogram": 0.1, "covariance": 0.2, "reinhard": 0.2, "transport": 0.25}
    }
    reference: Annotated[Any, names()] | None = None
    strength: Annotated[Any, numbers(0, 1)] = {"uniform": [0.4, 1.0]}
    beta: Annotated[Any, numbers(0, 0.5)] = {"log_uniform": [0.002, 0.005]}


class Camera(Step):
    """What the camera does, last. exposure: stops. warmth: share of red gained and blue lost. vignette: share of light
    lost in the corners. blur: sigma. noise: rms of 255. sharpening: share of the finest contrast gained. jpeg: quality,
    0 is lossless."""

    WHOLE = ("jpeg",)

    exposure: Annotated[Any, numbers(-5, 5)] = {"normal": {"mean": 0, "std": 0.2, "low": -0.6, "high": 0.6}}
    warmth: Annotated[Any, numbers(-1, 1)] = {"normal": {"mean": 0, "std": 0.04, "low": -0.1, "high": 0.1}}
    vignette: Annotated[Any, numbers(0, 1)] = {"uniform": [0, 0.2]}
    blur: Annotated[Any, numbers(0, 20)] = {"uniform": [0, 0.5]}
    noise: Annotated[Any, numbers(0, 100)] = {"log_uniform": [0.5, 4]}
    sharpening: Annotated[Any, numbers(0, 10)] = {"uniform": [0.1, 1.8]}
    jpeg: Annotated[Any, numbers(0, 100, whole=True)] = _sometimes(0.7, {"uniform": [60, 98]})


class ComposeConfig(Section):
    """A data set of composed pictures.

    resolution: width and height. mm_per_pixel: the picture's scale. margin: pixels that labels reach beyond the crack's
    edges, as people draw masks around all they see of one; 0 keeps to the crack. threshold: coverage from which on a
    pixel is in the mask. The other fields are the steps, in their order.
    """

    renderer: Literal["composite"] = "composite"
    assets: Photographs = Photographs()
    resolution: tuple[int, int] = (512, 512)
    mm_per_pixel: Annotated[Any, numbers(1e-4, 1e4)] = {"log_uniform": [0.15, 1.5]}
    margin: float = Field(default=0.8, ge=0, le=20)
    threshold: float = Field(default=0.5, gt=0, le=1)
    backdrop: Backdrop = Backdrop()
    distractors: Distractors = Distractors()
    crack: Crack = Crack()
    warp: Warp = Warp()
    smoothing: Smoothing = Smoothing()
    dissolve: Dissolve = Dissolve()
    lips: Lips = Lips()
    healed: Healed = Healed()
    colour: Colour = Colour()
    style: Style = Style()
    camera: Camera = Camera()

    @field_validator("resolution")
    @classmethod
    def _drawable(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not all(32 <= side <= 8192 for side in value):
            raise ValueError(f"resolution {list(value)} is outside 32 to 8192 pixels a side")
        return value

    def plain(self) -> dict[str, Any]:
        """The config as JSON data, complete with defaults."""
        return self.model_dump(mode="json")

    def digest(self) -> str:
        """sha256 over the config's canonical JSON."""
        return hashlib.sha256(json.dumps(self.plain(), sort_keys=True).encode()).hexdigest()

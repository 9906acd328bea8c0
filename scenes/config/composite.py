"""Cracks drawn on photographs of surfaces, the config: every step of the recipe, and how each of its factors varies.

Each section is a step and holds that step's parameters under the names of its function in `render/composite/`. `use`
says whether the step is done: always, never, or on a share of the pictures.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from scenes.annotations import flags, names, numbers
from scenes.config.assets import Place
from scenes.config.composite_crack import (
    ColorConfig,
    CrackStepConfig,
    DissolveConfig,
    HealedConfig,
    LipsConfig,
    SmoothingConfig,
    StepConfig,
    WarpConfig,
    on_share,
    sometimes,
)
from scenes.section import Section

OF_CRACK = ("warp", "smoothing", "dissolve", "lips", "healed", "color")
"""The steps that do nothing without a crack."""
STYLES = ("fourier", "histogram", "covariance", "reinhard", "transport")


def _kind(folders: Any) -> str:
    return "shares" if isinstance(folders, Mapping) else "folders"


Folders = Annotated[
    Annotated[tuple[Place, ...], Tag("folders")] | Annotated[dict[Place, Annotated[float, Field(gt=0)]], Tag("shares")],
    Discriminator(_kind),
]
"""A list of folders, or how often each is taken, relative to the others."""


class PhotographsConfig(Section):
    """Folders of pictures."""

    textures: Folders = ()
    """Photographs of surfaces without cracks: folders, or URLs such as s3://bucket/walls. A list draws evenly over all
    pictures. A mapping, {walls: 0.4, grounds: 0.6}, gives each folder its share of the pictures."""
    styles: tuple[Place, ...] = ()
    """Pictures whose style is taken over: folders, or URLs."""


class PhotographConfig(Section):
    """The piece of a photograph behind the crack."""

    texture: Annotated[Any, names()] | None = None
    """Asset id of the photograph; null draws evenly over all."""
    x: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0, 1]}
    """Where the piece lies in the photograph, from left to right."""
    y: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0, 1]}
    """Where the piece lies in the photograph, from top to bottom."""
    zoom: Annotated[Any, numbers(0.05, 20, unit="px/px of the photograph")] = {"log_uniform": [0.8, 1.7]}
    """Scale of the piece. A photograph that is too small for the picture is first continued at its own scale."""
    angle: Annotated[Any, numbers(-3600, 3600, unit="degrees")] = {
        "mixture": [{"weight": 0.25, "of": {"uniform": [turn - 10, turn + 10]}} for turn in (0, 90, 180, 270)]
    }
    """Turn of the piece."""
    mirrored: Annotated[Any, flags()] = {"choice": [False, True]}
    """Whether the piece is mirrored."""
    brightness: Annotated[Any, numbers(0.05, 10, unit="factor")] = {"log_uniform": [0.9, 1.4]}
    """Factor on the brightness that a camera's meter sets."""
    contrast: Annotated[Any, numbers(0, 5, unit="factor")] = {"uniform": [0.4, 1.0]}
    """Factor on the differences from the mean brightness."""
    evening: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0, 0.9]}
    """Share of the broad changes of the light that is taken away."""
    chroma: Annotated[Any, numbers(0, 200, unit="CIE Lab")] = {
        "mixture": [{"weight": 0.8, "of": {"log_uniform": [0.4, 5]}}, {"weight": 0.2, "of": {"log_uniform": [5, 28]}}]
    }
    """Largest mean distance of the colors from gray."""
    slope: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0, 0.25]}
    """Share of the light that is lost from one side of the picture to the other."""
    slope_angle: Annotated[Any, numbers(-3600, 3600, unit="degrees")] = {"uniform": [0, 360]}
    """Direction in which the light grows, from x to the right towards y down."""


class StainsConfig(Section):
    """Blots on the surface."""

    count: Annotated[Any, numbers(0, 20, whole=True, unit="count")] = {"uniform": [0, 2]}
    """Number of stains."""
    darkness: Annotated[Any, numbers(-1, 1, unit="share")] = {"uniform": [-0.1, 0.22]}
    """Share of the light that is missing there; below 0 they are paler than the surface."""


class ScratchesConfig(Section):
    """Thin smooth lines."""

    count: Annotated[Any, numbers(0, 20, whole=True, unit="count")] = {"uniform": [0, 2]}
    """Number of scratches."""
    darkness: Annotated[Any, numbers(-1, 1, unit="share")] = {"uniform": [-0.2, 0.08]}
    """Share of the light that is missing there; below 0 they are paler than the surface."""


class PaintedJointsConfig(Section):
    """Straight dark lines."""

    count: Annotated[Any, numbers(0, 20, whole=True, unit="count")] = sometimes(0.55, {"uniform": [1, 3]})
    """Number of joints."""
    darkness: Annotated[Any, numbers(-1, 1, unit="share")] = {"uniform": [0.05, 0.7]}
    """Share of the light that is missing there."""
    ledge: Annotated[Any, numbers(0, 1, unit="share")] = sometimes(0.6, {"uniform": [0, 0.6]})
    """Largest share by which the light changes beyond a joint."""


class ShadowConfig(Section):
    """A shadow over one side of the picture."""

    darkness: Annotated[Any, numbers(0, 1, unit="share")] = sometimes(0.3, {"uniform": [0.1, 0.7]})
    """Share of the light that is missing there; 0 draws no shadow."""


class DistractorsConfig(StepConfig):
    """What is on the surface and is no crack."""

    # Counts and darknesses were one list of numbers before each kind had a section of its own.
    STREAMS = {
        "stains.count": "stains",
        "stains.darkness": "stain",
        "scratches.count": "scratches",
        "scratches.darkness": "scratch",
        "joints.count": "joints",
        "joints.darkness": "joint",
        "joints.ledge": "ledge",
        "shadow.darkness": "shadow",
    }

    use: Annotated[Any, flags()] = on_share(0.45)
    """Whether the step is done."""
    stains: StainsConfig = StainsConfig()
    """Blots."""
    scratches: ScratchesConfig = ScratchesConfig()
    """Thin smooth lines, mostly pale."""
    joints: PaintedJointsConfig = PaintedJointsConfig()
    """Straight dark lines, as buildings have them."""
    shadow: ShadowConfig = ShadowConfig()
    """The shadow of something outside the picture."""


class StyleConfig(StepConfig):
    """The look of a reference picture, where there are any."""

    use: Annotated[Any, flags()] = on_share(0.4)
    """Whether the step is done."""
    method: Annotated[Any, names(*STYLES)] = {
        "choice": {"fourier": 0.25, "histogram": 0.1, "covariance": 0.2, "reinhard": 0.2, "transport": 0.25}
    }
    """How the look is taken over; see `render/composite/style.py`."""
    reference: Annotated[Any, names()] | None = None
    """Asset id of the reference picture; null draws evenly over all."""
    strength: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0.4, 1.0]}
    """0 leaves the picture as it is, 1 takes the look over whole."""
    beta: Annotated[Any, numbers(0, 0.5, unit="share of the picture")] = {"log_uniform": [0.002, 0.005]}
    """For "fourier": half the side of the square of low frequencies that is taken over."""


class ZoomConfig(StepConfig):
    """The scale at which the finished picture is shown, before the sensor's noise, sharpening and JPEG.

    Labels are drawn anew at this scale, so they reach as far beyond the crack as in other pictures.
    """

    # Off, because networks did not learn more with it (benchmarks/cracks.md).
    use: Annotated[Any, flags()] = False
    """Whether the step is done."""
    factor: Annotated[Any, numbers(0.2, 5, unit="px/px")] = {
        "mixture": [
            {"weight": 0.4, "of": 1},
            {"weight": 0.4, "of": {"log_uniform": [1.3, 2.6]}},
            {"weight": 0.2, "of": {"log_uniform": [0.5, 0.85]}},
        ]
    }
    """Above 1, a part of the picture around a place of the crack is cropped and enlarged. Below 1, a larger picture is
    drawn and shrunk."""
    x: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0.2, 0.8]}
    """Where that place lies in the part, from left to right."""
    y: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0.2, 0.8]}
    """Where that place lies in the part, from top to bottom."""


class SensorStepConfig(StepConfig):
    """What the camera does to the picture, last. Fields mean what they mean in `scenes.config.camera.SensorConfig`."""

    # White balance was a share of red and blue before it was a color temperature.
    STREAMS = {"white_balance": "warmth"}

    exposure: Annotated[Any, numbers(-10, 10, unit="stops")] = {
        "normal": {"mean": 0, "std": 0.2, "low": -0.6, "high": 0.6}
    }
    """Brightness on top of that of the background."""
    white_balance: Annotated[Any, numbers(2000, 15000, unit="kelvin")] = {
        "normal": {"mean": 6500, "std": 800, "low": 5000, "high": 9400}
    }
    """Color temperature of light that looks white; 6500 changes nothing, and a higher one makes pictures warmer."""
    vignette: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0, 0.2]}
    """Share of the light that is lost in the corners."""
    blur: Annotated[Any, numbers(0, 20, unit="px")] = {"uniform": [0, 0.5]}
    """Sigma of the Gaussian that blurs the picture."""
    noise: Annotated[Any, numbers(0, 0.5, unit="share of full scale")] = {"log_uniform": [0.002, 0.0157]}
    """Standard deviation of the noise, in display values."""
    sharpening: Annotated[Any, numbers(0, 10, unit="factor")] = {"uniform": [0.1, 1.8]}
    """How much of the detail finer than about a pixel is added again."""
    jpeg: Annotated[Any, numbers(0, 100, whole=True, unit="quality")] = sometimes(0.7, {"uniform": [60, 98]})
    """Quality of the JPEG compression; 0 leaves it out."""


class ComposeConfig(Section):
    """The config of a data set of cracks that are drawn on photographs.

    A field that varies takes a value or the YAML form of a distribution (see `parse`). The sections from `distractors`
    to `sensor` are the steps that draw a picture.

    Parameters
    ----------
    renderer : "composite"
        What draws the pictures.
    assets : PhotographsConfig
        Folders of photographs.
    resolution : tuple of int
        Width and height of the pictures in pixels.
    mm_per_pixel : distribution
        Length that a pixel covers, in mm, before `zoom`.
    margin : float
        Pixels by which labels reach beyond the crack's edges.
    threshold : float
        Share of a pixel that the crack must cover for the pixel to be in the mask.
    least : float
        Contrast below which a stretch of a crack is not labeled, in standard deviations of the grain around it.
    background : PhotographConfig
        The piece of a photograph behind the crack.
    distractors, crack, warp, smoothing, dissolve, lips, healed, color, style, zoom, sensor : StepConfig
        The steps, each with its own parameters.

    Examples
    --------
    >>> from blendmill import ComposeConfig
    >>> ComposeConfig(mm_per_pixel={"uniform": [0.5, 1.5]}).mm_per_pixel.at(0.5)
    1.0
    """

    # The camera step, the backdrop and the British spelling of color gave their names to the streams.
    STREAMS = {"background": "backdrop", "color": "colour", "sensor": "camera"}

    renderer: Literal["composite"] = "composite"
    """What draws the pictures."""
    assets: PhotographsConfig = PhotographsConfig()
    """Folders of photographs."""
    resolution: tuple[int, int] = (512, 512)
    """Width and height of the pictures in pixels."""
    mm_per_pixel: Annotated[Any, numbers(1e-4, 1e4, unit="mm/px")] = {"log_uniform": [0.15, 1.5]}
    """Length that a pixel covers, before `zoom`."""
    margin: float = Field(default=0.8, ge=0, le=20)
    """Pixels by which labels reach beyond the crack's edges, as people draw masks around all they see; 0 adds none."""
    threshold: float = Field(default=0.5, gt=0, le=1)
    """Share of a pixel that the crack must cover for the pixel to be in the mask."""
    least: float = Field(default=0.0, ge=0, le=10)
    """Contrast below which a stretch of a crack is not labeled, because nobody sees it: in standard deviations of the
    grain around it, at the crack's width. 0 labels all."""
    background: PhotographConfig = PhotographConfig()
    """The piece of a photograph behind the crack."""
    distractors: DistractorsConfig = DistractorsConfig()
    """What is on the surface and is no crack."""
    crack: CrackStepConfig = CrackStepConfig()
    """The crack's course."""
    warp: WarpConfig = WarpConfig()
    """What distorts the crack."""
    smoothing: SmoothingConfig = SmoothingConfig()
    """Soft edges."""
    dissolve: DissolveConfig = DissolveConfig()
    """Holes in the crack."""
    lips: LipsConfig = LipsConfig()
    """Light and shadow at the crack's edges."""
    healed: HealedConfig = HealedConfig()
    """Cracks that were filled."""
    color: ColorConfig = ColorConfig()
    """What is seen in the crack."""
    style: StyleConfig = StyleConfig()
    """The look of a reference picture."""
    zoom: ZoomConfig = ZoomConfig()
    """The scale at which the finished picture is shown."""
    sensor: SensorStepConfig = SensorStepConfig()
    """What the camera does."""

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

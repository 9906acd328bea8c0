"""The config of a segmenter's training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from scenes.section import Section
from segment.ignored import IGNORED
from segment.inference import Inference, Scales
from segment.losses import LOSSES
from segment.methods.catalogue import METHODS
from segment.network import NAMES
from training.config import OptimizerConfig, TrainConfig, known
from training.method import TrainingMethod

Level = Annotated[int, Field(ge=0, le=255)]
CRACK: Literal["crack"] = "crack"
"""What is learned by default."""


class ColorConfig(Section):
    """How colors vary. All draws are uniform (gamma: uniform in the logarithm).

    brightness, contrast: the factor lies in 1 ± this. gray: largest share of gray that is mixed into the colors.
    gamma: the exponent lies in exp(± this). blur: largest sigma of a Gaussian blur, pixels; 0 for none.
    """

    brightness: float = Field(default=0.25, ge=0, le=1)
    contrast: float = Field(default=0.3, ge=0, le=1)
    gray: float = Field(default=0.8, ge=0, le=1)
    gamma: float = Field(default=0.3, ge=0)
    blur: float = Field(default=0.0, ge=0, le=10)


class AugmentConfig(ColorConfig):
    """How training crops vary, in the colors of `ColorConfig` and in what they show.

    zoom: largest factor by which a crop is enlarged or reduced, uniform in the logarithm. crack: share of the labeled
    crops that are placed around a random crack pixel, where the picture has one (rare-class sampling). With many
    classes it is a pixel of a class that is drawn among those of the picture, all alike. DAFormer's softmax((1 - f) /
    T) at its T of 0.01 would be 1 for cracks: no crop without one would ever be seen.
    upright: whether crops are only mirrored, left to right; otherwise they have all eight turns of a square. By default
    classes are upright, because scenes have a ground and a sky, and cracks are not. Pictures from above need false.
    """

    zoom: float = Field(default=1.4, ge=1)
    crack: float = Field(default=0.0, ge=0, le=1)
    upright: bool | None = None


class SegmentConfig(TrainConfig):
    """Config of the training of a segmenter: of cracks, or of many classes that exclude each other.

    It also has all fields of `TrainConfig`: optimizer, iterations, batch, seed, and so on.

    Parameters
    ----------
    data : DataConfig
        The sets to learn from, to adapt to, to validate on and to test on. Each is opened by `open_set`.
    classes : {"crack", "all"} or list of str
        What is learned: cracks against all else, all classes of the first source, or these, in this order. The other
        sets are matched by the names. Pixels of classes that are not listed count nowhere. For masks of numbers that no
        file names, the list has the name of class 0 first.
    ignore : int
        The value of pixels that count nowhere, in such masks.
    colors : mapping of str to list of int
        The color of each class, [red, green, blue] from 0 to 255, for masks in colors: {road: [128, 64, 128]}. It comes
        before files that lie beside the masks. The name void is for colors that count nowhere.
    model : str
        Name of the network, one of `segment.network.NAMES`: `unet`, `unet-lite0`, `segformer-b0`, and so on.
    width : int
        Channels of a U-Net at full resolution.
    depth : int
        How many times a U-Net halves the resolution.
    weights : str, optional
        Where the network starts: a run or a checkpoint of `segment`; for `unet-lite0`, also one of a classifier with
        the model `efficientnet-lite0`, for the encoder; for networks of transformers, also a folder or a name on the
        Hugging Face Hub (only safetensors). By default the weights are random.
    size : int
        Side of the training crops, pixels.
    window : int
        Larger pictures are predicted in overlapping windows of this side, pixels, and their logits averaged.
    scales : tuple of float
        Sizes at which a picture is seen in prediction, 1 for its own. The logits are averaged. Objects are told apart
        at their own size.
    augment : AugmentConfig
        How crops vary.
    strong : ColorConfig
        How the colors of the second view of the target vary, for methods that use one.
    loss : dict
        Losses by name, each with its weight: `entropy`, `balanced`, `ohem`, `focal`, `dice`, `lovasz`, `boundary`.
        Networks that tell objects apart have a loss of their own.
    method : str
        Name of the training method: `supervised`, or one that adapts to `data.target`.
    select_by : {"last", "source", "expected", "stable", "oracle"}
        How the checkpoint is chosen: the last one, by the IoU (of many classes, its mean) on held-out labeled pictures,
        by what the network expects or how stable it is on unlabeled pictures of the target (`segment.unlabeled`), or by
        the IoU on the test pictures.
    threshold : {"source", "target"} or float
        Of cracks only: from which probability on a pixel counts as crack: the best one on held-out labeled pictures,
        the one that the network expects to be best on unlabeled pictures of the target, or this one. Without such
        pictures it is 0.5.

    Raises
    ------
    pydantic.ValidationError
        If a field is unknown or has a value that is not allowed.

    Examples
    --------
    >>> from blendmill import SegmentConfig
    >>> config = SegmentConfig(data={"source": [{"where": "cracks"}]}, iterations=500)
    >>> config.model, config.size, config.optimizer.name
    ('unet', 192, 'adamw')
    """

    classes: Literal["crack", "all"] | tuple[str, ...] = CRACK
    ignore: int = Field(default=IGNORED, ge=0, le=65535)
    colors: dict[str, tuple[Level, Level, Level]] = {}
    model: str = "unet"
    width: int = Field(default=16, ge=1)
    depth: int = Field(default=4, ge=1, le=6)
    weights: str | None = None
    size: int = Field(default=192, ge=16)
    window: int = Field(default=1024, ge=64)
    scales: Scales = (1.0,)
    batch: int = Field(default=8, ge=1)
    iterations: int = Field(default=2000, ge=1)
    optimizer: OptimizerConfig = OptimizerConfig(name="adamw", lr=2e-3, warmup=50, clip=0)
    augment: AugmentConfig = AugmentConfig()
    strong: ColorConfig = ColorConfig(brightness=0.4, contrast=0.5, gray=1.0, gamma=0.5, blur=1.0)
    loss: dict[str, float] = {"entropy": 1.0, "dice": 1.0}
    method: str = "supervised"
    select_by: Literal["last", "source", "expected", "stable", "oracle"] = "last"
    threshold: Literal["source", "target"] | float = "source"

    @model_validator(mode="after")
    def _selectable(self) -> SegmentConfig:
        if self.select_by in ("expected", "stable") and self.data.target is None:
            raise ValueError(f"select_by: '{self.select_by}' needs data.target; give one, or write select_by: last")
        if isinstance(self.threshold, float) and not 0 < self.threshold < 1:
            raise ValueError(f"threshold: {self.threshold:g} is not between 0 and 1")
        if self.classes != CRACK and isinstance(self.threshold, float):
            raise ValueError("threshold: only cracks have one; leave it out")
        if isinstance(self.classes, tuple) and not (2 <= len(self.classes) <= IGNORED):
            raise ValueError(f"classes: lists {len(self.classes)}; give 2 to {IGNORED}, or write crack or all")
        if isinstance(self.classes, tuple) and len(set(self.classes)) < len(self.classes):
            raise ValueError("classes: lists a name twice")
        return self

    @property
    def inference(self) -> Inference:
        """How whole pictures are predicted."""
        return Inference(self.window, self.scales)

    @field_validator("loss")
    @classmethod
    def _loss(cls, weights: dict[str, float]) -> dict[str, float]:
        for name, weight in weights.items():
            if known(name, LOSSES, "loss") and not (math.isfinite(weight) and weight > 0):
                raise ValueError(f"{name}: the weight is {weight:g}; give one above 0")
        if not weights:
            raise ValueError("names no loss; write for instance {entropy: 1, dice: 1}")
        return weights

    @field_validator("model")
    @classmethod
    def _model(cls, name: str) -> str:
        return known(name, NAMES, "network")

    @classmethod
    def all_methods(cls) -> Mapping[str, type[TrainingMethod]]:
        """The methods of `segment.methods.catalogue` by name."""
        return METHODS

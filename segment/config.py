"""The config of a crack segmenter's training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from scenes.section import Section
from segment.methods.catalogue import METHODS
from training.config import OptimizerConfig, TrainConfig
from training.method import TrainingMethod


class AugmentConfig(Section):
    """How training crops vary. All draws are uniform (zoom and gamma: uniform in the logarithm).

    zoom: largest factor by which a crop is enlarged or reduced. brightness, contrast: the factor lies in 1 ± this.
    gray: largest share of gray that is mixed into the colors. gamma: the exponent lies in exp(± this).
    """

    zoom: float = Field(default=1.4, ge=1)
    brightness: float = Field(default=0.25, ge=0, le=1)
    contrast: float = Field(default=0.3, ge=0, le=1)
    gray: float = Field(default=0.8, ge=0, le=1)
    gamma: float = Field(default=0.3, ge=0)


class SegmentConfig(TrainConfig):
    """Config of a crack segmenter's training.

    It also has all fields of `TrainConfig`: optimizer, iterations, batch, seed, and so on.

    Parameters
    ----------
    data : DataConfig
        The sets to learn from, to adapt to, to validate on and to test on. Each is opened by `open_set`.
    model : {"unet"}
        Name of the network.
    width : int
        Channels of the network at full resolution.
    depth : int
        How many times the network halves the resolution.
    size : int
        Side of the training crops, pixels.
    augment : AugmentConfig
        How crops vary.
    method : str
        Name of the training method.
    select_by : {"last", "source", "oracle"}
        How the checkpoint is chosen: the last one, by the IoU on held-out labeled pictures, or by the IoU on the test
        pictures.

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

    model: Literal["unet"] = "unet"
    width: int = Field(default=16, ge=1)
    depth: int = Field(default=4, ge=1, le=6)
    size: int = Field(default=192, ge=16)
    batch: int = Field(default=8, ge=1)
    iterations: int = Field(default=2000, ge=1)
    optimizer: OptimizerConfig = OptimizerConfig(name="adamw", lr=2e-3, warmup=50, clip=0)
    augment: AugmentConfig = AugmentConfig()
    method: str = "supervised"
    select_by: Literal["last", "source", "oracle"] = "last"

    @classmethod
    def all_methods(cls) -> Mapping[str, type[TrainingMethod]]:
        """The methods of `segment.methods.catalogue` by name."""
        return METHODS

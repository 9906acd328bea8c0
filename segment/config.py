"""The config of a crack segmenter's training."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from scenes.section import Section
from segment.methods.catalogue import METHODS
from training.config import OptimizerConfig, TrainConfig, checked_settings, known


class AugmentConfig(Section):
    """zoom: a crop is enlarged by up to this factor, or shrunk as much. The rest are the widths of uniform draws:
    brightness and contrast factors of up to 1 ± that, color mixed with gray, and gamma of up to e to the ± that."""

    zoom: float = Field(default=1.4, ge=1)
    brightness: float = Field(default=0.25, ge=0, le=1)
    contrast: float = Field(default=0.3, ge=0, le=1)
    gray: float = Field(default=0.8, ge=0, le=1)
    gamma: float = Field(default=0.3, ge=0)


class SegmentConfig(TrainConfig):
    """data: sets as `segment.sets.open_set` finds them. model, width, depth: as for `segment.models.build`.

    size: pixels a side of the crops that are trained on. augment: what varies from crop to crop. select_by: `source`
    for the IoU on labeled pictures that are held out.
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

    @field_validator("method")
    @classmethod
    def _method(cls, name: str) -> str:
        return known(name, METHODS, "method")

    @field_validator("settings")
    @classmethod
    def _settings(cls, settings: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return checked_settings(settings, METHODS)

    def chosen(self) -> Section:
        """The method's hyper-parameters, complete."""
        return METHODS[self.method].Settings.model_validate(self.settings.get(self.method, {}))

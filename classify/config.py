"""The config of a classifier's training: what to learn from, with which network, by which method."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from classify.methods.catalogue import methods
from scenes.section import Section
from training.config import ORACLE, DataConfig, PartConfig, TrainConfig, checked_settings, known, load_config

# How a checkpoint may be chosen; those named between the first and the last look at no label of the target.
Selector = Literal["last", "source", "im", "bnm", "snd", "dev", "entropy", "oracle"]


class ImagesConfig(PartConfig):
    """Pictures to read, as `training.data.sources.open_pictures` finds them.

    where: a data set of ours, a tree of class folders, a folder of photos, a list file, S2RDA's layout, or the preset
    or file of a render config where the source is a stream. rename: class names there, and what they are here. margin:
    of what is cut out around a rendered picture's main object; empty for the whole picture.
    """

    rename: dict[str, str] = {}
    margin: float | None = None


class ClassifyDataConfig(DataConfig):
    """regime: `fixed` for data sets, gone through again and again; `stream` where the source is a render config, drawn
    while it is trained on, each picture once. balanced: deal the source's classes in turn. workers: threads that decode
    (stream: processes that draw) the pictures of each part.
    """

    source: tuple[ImagesConfig, ...] = Field(min_length=1)
    target: ImagesConfig | None = None
    validation: ImagesConfig | None = None
    test: ImagesConfig | None = None
    regime: Literal["fixed", "stream"] = "fixed"
    balanced: bool = False


class ClassifyConfig(TrainConfig):
    """classes: names in the order of the outputs; empty for those of the first source.

    model, weights, bottleneck: as for `classify.models.build`; weights may also name a run or a checkpoint to start
    from, whose head is taken where its classes are the same. augment: of the labeled pictures and the first view of
    the target's; the second view is always strong. report: write report.html at the end.
    """

    data: ClassifyDataConfig
    classes: tuple[str, ...] = ()
    model: str = "resnet50"
    weights: str | None = None
    bottleneck: int = Field(default=0, ge=0)
    augment: Literal["none", "weak", "strong"] = "weak"
    method: str = "source"
    select_by: Selector = "last"

    @field_validator("method")
    @classmethod
    def _method(cls, name: str) -> str:
        return known(name, methods(), "method")

    @field_validator("settings")
    @classmethod
    def _settings(cls, settings: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return checked_settings(settings, methods())

    @model_validator(mode="after")
    def _selectable(self) -> ClassifyConfig:
        if self.select_by not in ("last", "source", ORACLE) and self.data.target is None:
            raise ValueError(f"select_by: '{self.select_by}' needs data.target; give one, or write select_by: last")
        return self

    def chosen(self) -> Section:
        """The method's hyper-parameters, complete."""
        return methods()[self.method].Settings.model_validate(self.settings.get(self.method, {}))


def load_training(path: Path, overrides: Iterable[str] = ()) -> ClassifyConfig:
    """A classifier's config from a YAML file with `key.key=value` overrides. Raises InputError: one line."""
    return load_config(ClassifyConfig, path, overrides)

"""The config of one training run: what to learn from, with which network, by which method, for how long."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from classify.methods.base import Method
from classify.methods.catalogue import METHODS
from classify.methods.simclr import Contrastive
from scenes.config.loading import load
from scenes.errors import InputError, choices
from scenes.section import Section

# How a checkpoint may be chosen; those named between the first and the last look at no label of the target.
Selector = Literal["last", "source", "im", "bnm", "snd", "dev", "entropy", "oracle"]
ORACLE = "oracle"


def methods() -> dict[str, type[Method]]:
    """All ways of training by name: those that adapt, and `simclr`, which pre-trains without labels."""
    return {**METHODS, "simclr": Contrastive}


class Part(Section):
    """Pictures to read, as `training.data.sources.open_pictures` finds them.

    where: a data set of ours, a tree of class folders, a folder of photos, a list file, S2RDA's layout, or the preset
    or file of a render config where the source is a stream; paths are from the folder the command runs in. split: a
    part of it, like `all`, `adapt`, `test/25%`; split_seed: of those parts. share: its part of each batch, relative
    to the other sources. rename: class names there, and what they are here. margin: of what is cut out around a
    rendered picture's main object; empty for the whole picture.
    """

    where: str
    split: str = "all"
    split_seed: int = Field(default=0, ge=0)
    share: float = Field(default=1.0, gt=0)
    rename: dict[str, str] = {}
    margin: float | None = None


class Data(Section):
    """source: labelled pictures to learn from. target: pictures to adapt to, whose labels are never read.

    validation: labelled pictures like the source, for the validators; empty to hold out `holdout` of the source.
    test: labelled target pictures, for the final figures and the oracle alone; empty to leave them out.
    regime: `fixed` for data sets, gone through again and again; `stream` where the source is a render config, drawn
    while it is trained on, each picture once. balanced: deal the source's classes in turn. workers: that decode
    (stream: draw) the pictures of each part.
    """

    source: tuple[Part, ...] = Field(min_length=1)
    target: Part | None = None
    validation: Part | None = None
    test: Part | None = None
    holdout: float = Field(default=0.1, ge=0, lt=1)
    regime: Literal["fixed", "stream"] = "fixed"
    balanced: bool = False
    workers: int = Field(default=2, ge=0)


class Optimize(Section):
    """name, lr, momentum, nesterov, weight_decay: the optimizer's. backbone: the backbone's rate relative to `lr`.

    schedule: of the rate, per step: `constant`, `cosine` to 0, `inverse` lr (1 + gamma i)^-power, or `s2rda`
    lr (1 + 10 progress)^-0.75. warmup: steps of linear rise before it. clip: largest norm of the gradient; 0 for none.
    """

    name: Literal["sgd", "adamw"] = "sgd"
    lr: float = Field(default=0.01, gt=0)
    backbone: float = Field(default=1.0, gt=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    nesterov: bool = False
    weight_decay: float = Field(default=1e-4, ge=0)
    schedule: Literal["constant", "cosine", "inverse", "s2rda"] = "cosine"
    gamma: float = Field(default=3e-4, ge=0)
    power: float = Field(default=0.75, ge=0)
    warmup: int = Field(default=0, ge=0)
    clip: float = Field(default=1.0, ge=0)


class TrainConfig(Section):
    """classes: names in the order of the outputs; empty for those of the first source.

    model, weights, bottleneck: as for `classify.models.build`; weights may also name a run or a checkpoint to start
    from, whose head is taken where its classes are the same. size: side of the pictures as trained on, pixels. augment:
    of the labelled pictures and the first view of the target's; the second view is always strong. method: how to train.
    settings: hyper-parameters by method, those not given are the method's own defaults. batch: pictures per
    step and domain, over all processes. ema: decay of the average of the weights that is evaluated; 0 to evaluate the
    weights themselves. select_by: the validator that chooses the checkpoint, `last` for the last one, `oracle` for
    the labels of the target. checkpoint_every, evaluate_every, log_every: in steps; 0 evaluates at the end alone.
    deterministic: only algorithms that give the same bits again, on a GPU also. report: write report.html at the end.
    """

    data: Data
    classes: tuple[str, ...] = ()
    model: str = "resnet50"
    weights: str | None = None
    bottleneck: int = Field(default=0, ge=0)
    size: int = Field(default=224, ge=8)
    augment: Literal["none", "weak", "strong"] = "weak"
    batch: int = Field(default=64, ge=1)
    iterations: int = Field(default=200_000, ge=1)
    optimizer: Optimize = Optimize()
    method: str = "source"
    settings: dict[str, dict[str, Any]] = {}
    ema: float = Field(default=0.0, ge=0, lt=1)
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    compile: bool = False
    deterministic: bool = False
    device: str = "auto"
    seed: int = Field(default=0, ge=0, lt=2**63)
    select_by: Selector = "last"
    evaluate_every: int = Field(default=0, ge=0)
    checkpoint_every: int = Field(default=1000, ge=1)
    log_every: int = Field(default=20, ge=1)
    report: bool = True

    @field_validator("method")
    @classmethod
    def _method(cls, name: str) -> str:
        return _known(name, methods(), "method")

    @field_validator("settings")
    @classmethod
    def _settings(cls, settings: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for method, values in settings.items():
            kind = methods()[_known(method, methods(), "method")].Settings
            try:
                kind.model_validate(values)
            except ValidationError as error:
                first = error.errors()[0]
                name = ".".join(map(str, first["loc"]))
                told = choices(name, kind.model_fields) if first["type"] == "extra_forbidden" else first["msg"]
                raise ValueError(f"{method}.{name}: {told}") from None
        return settings

    @model_validator(mode="after")
    def _selectable(self) -> TrainConfig:
        if self.select_by == ORACLE and self.data.test is None:
            raise ValueError("select_by: the oracle needs data.test")
        if self.select_by not in ("last", "source", ORACLE) and self.data.target is None:
            raise ValueError(f"select_by: '{self.select_by}' needs data.target; give one, or write select_by: last")
        return self

    def chosen(self) -> Section:
        """The method's hyper-parameters, complete."""
        return methods()[self.method].Settings.model_validate(self.settings.get(self.method, {}))


def _known(name: str, names: Collection[str], what: str) -> str:
    if name not in names:
        raise ValueError(f"no {what} is called '{name}', {choices(name, names)}")
    return name


def load_training(path: Path, overrides: Iterable[str] = ()) -> TrainConfig:
    """A training config from a YAML file with `key.key=value` overrides. Raises InputError: one line."""
    if path.suffix not in (".yaml", ".yml"):
        raise InputError(f"{path}: a training config is a .yaml file")
    return load(TrainConfig, path, overrides)

"""The config that all tasks share: data, optimizer, length of training, checkpoints and their selection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator

from scenes.config.loading import load
from scenes.errors import InputError, choices
from scenes.section import Section
from training.method import TrainingMethod

ORACLE, LAST = "oracle", "last"
"""Two ways to choose a checkpoint: by the labels of the test pictures, or simply the last one."""

C = TypeVar("C", bound="TrainConfig")


class PartConfig(Section):
    """A set of pictures, or a part of one.

    where: the set; relative paths start at the working directory. split: a part of the set, such as `all`, `adapt` or
    `test/25%`. split_seed: decides which pictures are in a part. share: share of this source in each batch, relative
    to the other sources. mask_value: for masks of cracks, see `segment.sets.open_set`; null finds it out.
    """

    where: str
    split: str = "all"
    split_seed: int = Field(default=0, ge=0)
    share: float = Field(default=1.0, gt=0)
    mask_value: int | None = Field(default=None, ge=0)


class DataConfig(Section):
    """The sets of pictures of a run.

    source: labeled pictures to learn from. target: pictures to adapt to; their labels are never read. validation:
    labeled pictures like the source, for the validators. If it is empty, the share `holdout` of the source is held
    out. test: labeled target pictures, used only for the final figures and the oracle; may be empty. workers: number
    of threads that decode the pictures of each part.
    """

    source: tuple[PartConfig, ...] = Field(min_length=1)
    target: PartConfig | None = None
    validation: PartConfig | None = None
    test: PartConfig | None = None
    holdout: float = Field(default=0.1, ge=0, lt=1)
    workers: int = Field(default=2, ge=0)


class OptimizerConfig(Section):
    """The optimizer and its learning rate.

    name, lr, momentum, nesterov, weight_decay: as in PyTorch. backbone: learning rate of the backbone relative to `lr`.
    schedule: how the rate changes with step i: `constant`, `cosine` (down to 0), `inverse` lr (1 + gamma i)^-power, or
    `s2rda` lr (1 + 10 progress)^-0.75, `poly` lr (1 - progress)^power, or `step` lr / 10 from the progress `milestone`
    on. warmup: steps in which the rate first rises linearly. clip: largest norm of the
    gradient; 0 for no limit.
    """

    name: Literal["sgd", "adam", "adamw"] = "sgd"
    lr: float = Field(default=0.01, gt=0)
    backbone: float = Field(default=1.0, gt=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    nesterov: bool = False
    weight_decay: float = Field(default=1e-4, ge=0)
    schedule: Literal["constant", "cosine", "inverse", "s2rda", "poly", "step"] = "cosine"
    gamma: float = Field(default=3e-4, ge=0)
    power: float = Field(default=0.75, ge=0)
    milestone: float = Field(default=0.8, gt=0, lt=1)
    warmup: int = Field(default=0, ge=0)
    clip: float = Field(default=1.0, ge=0)


class TrainConfig(Section):
    """The config fields of all tasks. Each task extends them.

    size: side of the training pictures, pixels. batch: pictures in each step and domain, over all processes.
    iterations: number of steps. method: name of the training method. settings: hyper-parameters by method; missing
    ones have the method's defaults. ema: decay of the average of the weights, which is then evaluated; 0 evaluates the
    weights themselves. sync_norm: on several GPUs, batch norm uses the whole batch, not each process's own part.
    deterministic: use only algorithms that give the same bits in every run, also on a GPU.
    select_by: the validator that chooses the checkpoint, `last` for the last one, or `oracle`, which reads the labels
    of the test pictures. evaluate_every, checkpoint_every, log_every: in steps; evaluate_every 0 evaluates only at the
    end. report: write report.html at the end.
    """

    data: DataConfig
    size: int = Field(default=224, ge=8)
    batch: int = Field(default=64, ge=1)
    iterations: int = Field(default=200_000, ge=1)
    optimizer: OptimizerConfig = OptimizerConfig()
    method: str
    settings: dict[str, dict[str, Any]] = {}
    ema: float = Field(default=0.0, ge=0, lt=1)
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    sync_norm: bool = False
    compile: bool = False
    deterministic: bool = False
    device: str = "auto"
    seed: int = Field(default=0, ge=0, lt=2**63)
    select_by: str = LAST
    evaluate_every: int = Field(default=0, ge=0)
    checkpoint_every: int = Field(default=1000, ge=1)
    log_every: int = Field(default=20, ge=1)
    report: bool = True

    @classmethod
    def all_methods(cls) -> Mapping[str, type[TrainingMethod]]:
        """The task's training methods by name."""
        raise NotImplementedError

    @field_validator("method")
    @classmethod
    def _method(cls, name: str) -> str:
        return known(name, cls.all_methods(), "method")

    @field_validator("settings")
    @classmethod
    def _settings(cls, settings: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return checked_settings(settings, cls.all_methods())

    def chosen(self) -> Section:
        """All hyper-parameters of the method: those given in `settings`, and the defaults of the others."""
        return self.all_methods()[self.method].Settings.model_validate(self.settings.get(self.method, {}))

    @model_validator(mode="after")
    def _oracle(self) -> TrainConfig:
        if self.select_by == ORACLE and self.data.test is None:
            raise ValueError("select_by: the oracle needs data.test")
        return self


def known(name: str, names: Collection[str], what: str) -> str:
    """Return the name. Raises ValueError, with the most similar name, if it is not one of `names`."""
    if name not in names:
        raise ValueError(f"no {what} is called '{name}', {choices(name, names)}")
    return name


def checked_settings(
    settings: dict[str, dict[str, Any]], methods: Mapping[str, type[TrainingMethod]]
) -> dict[str, dict[str, Any]]:
    """Return the settings by method. Raises ValueError if a method or a hyper-parameter is unknown or wrong."""
    for method, values in settings.items():
        kind = methods[known(method, methods, "method")].Settings
        try:
            kind.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            reason = choices(name, kind.model_fields) if first["type"] == "extra_forbidden" else first["msg"]
            raise ValueError(f"{method}.{name}: {reason}") from None
    return settings


def load_config(kind: type[C], path: Path, overrides: Iterable[str] = ()) -> C:
    """Load a task's config from a YAML file, with `key.key=value` overrides. Raises InputError."""
    if path.suffix not in (".yaml", ".yml"):
        raise InputError(f"{path}: a training config is a .yaml file")
    return load(kind, path, overrides)


def statement(by: str) -> str:
    """A sentence for users: how a checkpoint was chosen."""
    if by == LAST:
        return "the last checkpoint, without selection"
    if by == ORACLE:
        return "selected by LABELS OF THE TARGET (oracle): the figures on the test pictures are optimistic"
    return f"selected by the validator '{by}', without labels of the target"

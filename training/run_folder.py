"""The folder of a run: config.yaml, log.jsonl, checkpoints/, results.json, report.html."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from scenes.errors import InputError
from scenes.files import UNFINISHED, read_regular, replacing
from scenes.plain_yaml import yaml_text
from training import checkpoint
from training.checkpoint import Checkpoint
from training.config import TrainConfig, load_config

_LARGEST = 1 << 28
"""Bytes of results.json."""

CONFIG, RESULTS, REPORT = "config.yaml", "results.json", "report.html"


@dataclass(frozen=True)
class Folder:
    """The folder `path` of a run."""

    path: Path

    @property
    def last(self) -> Path:
        """The checkpoint from which the run is resumed."""
        return self.path / "checkpoints" / "last.safetensors"

    @property
    def selected(self) -> Path:
        """The checkpoint that was selected; results and report describe it."""
        return self.path / "checkpoints" / "selected.safetensors"

    @property
    def report(self) -> Path:
        return self.path / REPORT

    def claim(self, config: TrainConfig) -> None:
        """Create the folder for this config, or check that it belongs to it. Raises InputError if it does not.

        It also belongs to a config that differs only by more iterations.
        """
        if (self.path / CONFIG).exists():
            require_same(load_config(type(config), self.path / CONFIG), config, self.path)
            return
        try:
            if self.path.exists() and any(UNFINISHED not in path.name for path in self.path.iterdir()):
                raise InputError(f"{self.path}: not empty, and not the folder of a run: choose another --out")
            self.path.mkdir(parents=True, exist_ok=True)
            self._write(config)
        except OSError as error:
            raise InputError(f"{self.path}: cannot be written: {error.strerror or error}") from None

    def _write(self, config: TrainConfig) -> None:
        text = yaml_text(config.model_dump(mode="json"))
        with replacing(self.path / CONFIG) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def lengthen(self, config: TrainConfig) -> None:
        """Write the config of a run that goes on to more iterations. Results and report of the shorter run go."""
        if load_config(type(config), self.path / CONFIG).iterations != config.iterations:
            for name in (RESULTS, REPORT):
                (self.path / name).unlink(missing_ok=True)
            self._write(config)

    def tidy(self) -> None:
        """Remove incomplete files of processes that died."""
        for left in self.path.rglob(f"*{UNFINISHED}*"):
            left.unlink(missing_ok=True)

    def results(self) -> dict[str, Any] | None:
        """The content of results.json; None while the run is not finished. Raises InputError if it is damaged."""
        path = self.path / RESULTS
        if not path.exists():
            return None
        try:
            results = json.loads(read_regular(path, _LARGEST))
            if not isinstance(results["history"][-1]["step"], int):
                raise TypeError
        except (ValueError, TypeError, LookupError, RecursionError):
            raise InputError(f"{path}: is damaged; delete it and give the same command again") from None
        return dict(results)

    def save_results(self, results: dict[str, Any]) -> None:
        with replacing(self.path / RESULTS) as temporary:
            temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


class _Facts(BaseModel):
    """What a checkpoint of a run tells. tensors: their number in each part, in the checkpoint to resume from."""

    model_config = ConfigDict(strict=True)

    task: str
    config: dict[str, Any]
    classes: list[str] = Field(min_length=1)
    data: dict[str, str]
    history: list[dict[str, float]]
    lengthened: list[dict[str, int]] = []
    seconds: float = Field(ge=0, allow_inf_nan=False)
    step: int = Field(ge=0)
    scaler: dict[str, Any] = {}
    tensors: dict[str, int] = {}

    @field_validator("history")
    @classmethod
    def _steps(cls, history: list[dict[str, float]]) -> list[dict[str, float]]:
        if not all("step" in entry for entry in history):
            raise ValueError("an evaluation has no step")
        return history


def read_run(path: Path, task: str) -> Checkpoint:
    """Read a checkpoint of a task's run, with all facts that runs write. Raises InputError."""
    saved = checkpoint.read(path)
    if saved.facts.get("task") != task:
        raise InputError(f"{path}: a checkpoint of the task '{saved.facts.get('task')}', give one of '{task}'")
    checked(_Facts, saved.facts, str(path))
    return saved


B = TypeVar("B", bound=BaseModel)


def checked(kind: type[B], data: Any, where: str) -> B:
    """The data of a checkpoint as a model. Raises InputError, which names `where` and the field."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{where}: field {field}: {first['msg']}: this checkpoint is damaged or of another version"
        ) from None


def find_checkpoint(where: Path, task: str) -> Checkpoint:
    """A task's checkpoint: a file, or the selected one of a run's folder. Raises InputError if there is none."""
    return read_run(_checkpoint_of(where), task)


def find_task(where: Path) -> str:
    """The task of a checkpoint: of a file, or of the selected one of a run. Raises InputError if there is none."""
    return str(checkpoint.read_facts(_checkpoint_of(where)).get("task"))


def _checkpoint_of(where: Path) -> Path:
    if not where.is_dir():
        return where
    selected = Folder(where).selected
    if not selected.exists():
        raise InputError(f"{where}: not a run, or nothing was evaluated yet: there is no {selected.name}")
    return selected


def require_same(theirs: TrainConfig, config: TrainConfig, where: Path) -> None:
    """Raise InputError, which names `where`, unless a run with the config `theirs` can go on with `config`."""
    if (field := _difference(_essence(theirs), _essence(config))) is not None:
        raise InputError(f"{where}: holds a run with another config, {field}: choose another --out")
    if config.iterations < theirs.iterations:
        raise InputError(
            f"{where}: holds a run of {theirs.iterations} iterations, asked are {config.iterations}: a run can be "
            "lengthened but not shortened: choose another --out"
        )


def _essence(config: TrainConfig) -> dict[str, Any]:
    """A config without the fields that may change when a run is resumed: no weight depends on them.

    Only the number of iterations matters to weights. It has rules of its own.
    """
    data = config.model_dump(mode="json", exclude={"iterations", "checkpoint_every", "log_every", "device", "report"})
    del data["data"]["workers"]
    return data


def _difference(theirs: Any, ours: Any, field: str = "") -> str | None:
    """The first field in which two configs differ, with both values; None if they are equal."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in [*theirs, *(name for name in ours if name not in theirs)]:
            found = _difference(theirs.get(name), ours.get(name), f"{field}.{name}" if field else name)
            if found:
                return found
        return None
    return None if theirs == ours else f"field {field}: {theirs!r} there, {ours!r} now"

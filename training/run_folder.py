"""The folder of a run: config.yaml, log.jsonl, checkpoints/, results.json, report.html."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scenes.errors import InputError
from scenes.files import UNFINISHED, replacing
from training import checkpoint
from training.checkpoint import Checkpoint
from training.config import TrainConfig, load_config

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
            theirs = load_config(type(config), self.path / CONFIG)
            if (field := _difference(_essence(theirs), _essence(config))) is not None:
                raise InputError(f"{self.path}: holds a run with another config, {field}: choose another --out")
            if config.iterations < theirs.iterations:
                raise InputError(
                    f"{self.path}: holds a run of {theirs.iterations} iterations, asked are {config.iterations}: a run "
                    "can be lengthened but not shortened: choose another --out"
                )
            return
        try:
            if self.path.exists() and any(UNFINISHED not in path.name for path in self.path.iterdir()):
                raise InputError(f"{self.path}: not empty, and not the folder of a run: choose another --out")
            self.path.mkdir(parents=True, exist_ok=True)
            self._write(config)
        except OSError as error:
            raise InputError(f"{self.path}: cannot be written: {error.strerror or error}") from None

    def _write(self, config: TrainConfig) -> None:
        text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
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
        """The content of results.json; None while the run is not finished."""
        path = self.path / RESULTS
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def save_results(self, results: dict[str, Any]) -> None:
        with replacing(self.path / RESULTS) as temporary:
            temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def find_checkpoint(where: Path, task: str) -> Checkpoint:
    """A task's checkpoint: a file, or the selected one of a run's folder. Raises InputError if there is none."""
    if not where.is_dir():
        return _of_task(checkpoint.read(where), where, task)
    selected = Folder(where).selected
    if not selected.exists():
        raise InputError(f"{where}: not a run, or nothing was evaluated yet: there is no {selected.name}")
    return _of_task(checkpoint.read(selected), where, task)


def _of_task(saved: Checkpoint, where: Path, task: str) -> Checkpoint:
    if saved.facts.get("task") != task:
        raise InputError(f"{where}: a checkpoint of the task '{saved.facts.get('task')}', give one of '{task}'")
    return saved


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

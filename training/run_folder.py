"""A run's folder: config.yaml, log.jsonl, checkpoints/, results.json, report.html."""

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
    """The run in `path`. last: the checkpoint it is taken up from. selected: the one its figures are of."""

    path: Path

    @property
    def last(self) -> Path:
        return self.path / "checkpoints" / "last.safetensors"

    @property
    def selected(self) -> Path:
        return self.path / "checkpoints" / "selected.safetensors"

    @property
    def report(self) -> Path:
        return self.path / REPORT

    def claim(self, config: TrainConfig) -> None:
        """Make the folder the run of this config, or find that it is. Raises InputError where it is another's."""
        text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        path = self.path / CONFIG
        if path.exists():
            theirs = load_config(type(config), path)
            if (field := _difference(_essence(theirs), _essence(config))) is not None:
                raise InputError(f"{self.path}: holds a run of another config, {field}: choose another --out")
            return
        try:
            if self.path.exists() and any(self.path.iterdir()):
                raise InputError(f"{self.path}: not empty, and no run: choose another --out")
            self.path.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"{self.path}: cannot be written: {error.strerror or error}") from None

    def tidy(self) -> None:
        """Remove what processes that died left half written."""
        for left in self.last.parent.glob(f"*{UNFINISHED}*"):
            left.unlink(missing_ok=True)

    def results(self) -> dict[str, Any] | None:
        """What `save_results` wrote; None while the run is not done."""
        path = self.path / RESULTS
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def save_results(self, results: dict[str, Any]) -> None:
        with replacing(self.path / RESULTS) as temporary:
            temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def find_checkpoint(where: Path, task: str) -> Checkpoint:
    """A task's checkpoint in a file, or the selected one of a run's folder. Raises InputError where there is none."""
    if not where.is_dir():
        return _of_task(checkpoint.read(where), where, task)
    selected = Folder(where).selected
    if not selected.exists():
        raise InputError(f"{where}: no run, or nothing of it is evaluated yet: no {selected.name}")
    return _of_task(checkpoint.read(selected), where, task)


def _of_task(saved: Checkpoint, where: Path, task: str) -> Checkpoint:
    if saved.facts.get("task") != task:
        raise InputError(f"{where}: a checkpoint of the task '{saved.facts.get('task')}', give one of '{task}'")
    return saved


def _essence(config: TrainConfig) -> dict[str, Any]:
    """A config without what may change from one sitting to the next: nothing that is learned depends on it."""
    data = config.model_dump(mode="json", exclude={"checkpoint_every", "log_every", "device", "report"})
    del data["data"]["workers"]
    return data


def _difference(theirs: Any, ours: Any, field: str = "") -> str | None:
    """The first field in which two configs differ, and how; None where they are equal."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in [*theirs, *(name for name in ours if name not in theirs)]:
            found = _difference(theirs.get(name), ours.get(name), f"{field}.{name}" if field else name)
            if found:
                return found
        return None
    return None if theirs == ours else f"field {field}: {theirs!r} there, {ours!r} now"

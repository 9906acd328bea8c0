"""The protocol of a task: its config, data, methods, evaluation and report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch

from training.batches import DomainBatches, Pipeline
from training.config import TrainConfig
from training.data.pictures import SampleSet
from training.datasets import Datasets
from training.method import TrainingMethod
from training.run_folder import Folder

C_in = TypeVar("C_in", bound=TrainConfig, contravariant=True)
D = TypeVar("D", bound=SampleSet)
M = TypeVar("M", bound=TrainingMethod)
M_in = TypeVar("M_in", bound=TrainingMethod, contravariant=True)


@dataclass(frozen=True)
class Assessment:
    """Evaluation of a method on the pictures of a run.

    figures: by name, higher is better: those of the validators, of the oracle (`training.config.ORACLE`) if there is a
    test set, and figures that begin with `test_`, which are shown but never select a checkpoint. The figure
    `training.selection.COLLAPSED` bars a checkpoint from selection. test: all figures on the test pictures, as JSON
    data, or None. details: further values for the task's report.
    """

    figures: dict[str, float]
    test: dict[str, Any] | None
    details: Any = None


class Evaluator(Protocol[M_in]):
    """Evaluates the checkpoints of a run and writes its report."""

    def assess(self, method: M_in) -> Assessment:
        """Evaluate a method that is in evaluation mode."""
        ...

    def report(self, folder: Folder, method: M_in, found: Assessment) -> None:
        """Write `folder.report`, about the selected checkpoint of a finished run."""
        ...


class Task(Protocol[C_in, D, M]):
    """A task that `training.run.execute` trains. name: is stored in its checkpoints."""

    @property
    def name(self) -> str: ...

    def datasets(self, config: C_in) -> Datasets[D]:
        """Open all sets that the config names. Raises InputError."""
        ...

    def pipeline(self, config: C_in) -> Pipeline[D]:
        """How batches are made from pictures and targets."""
        ...

    def make(self, config: C_in, classes: tuple[str, ...]) -> M:
        """Create the method of the config with its network. Random weights come from PyTorch's global generator."""
        ...

    def load(self, where: Path, device: torch.device) -> M:
        """Load the method of a run or a checkpoint, in evaluation mode. Raises InputError."""
        ...

    def evaluator(self, config: C_in, supply: DomainBatches[D]) -> Evaluator[M]:
        """The evaluator of the run's checkpoints."""
        ...

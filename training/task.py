"""What a task brings to be trained: its config, data, methods, figures and report. No more is asked of it."""

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
    """What a method is worth on a run's pictures.

    figures: by name, higher is better: the validators', the oracle's (`training.config.ORACLE`) where there is a test
    set, and any that begin with `test_`, which are told and choose nothing. test: all figures on the test pictures, as
    JSON data; None where there are none. details: what the task's report wants beside.
    """

    figures: dict[str, float]
    test: dict[str, Any] | None
    details: Any = None


class Evaluator(Protocol[M_in]):
    """What a run's checkpoints are worth, and the page that tells it."""

    def assess(self, method: M_in) -> Assessment:
        """The figures of a method in evaluation."""
        ...

    def report(self, folder: Folder, method: M_in, found: Assessment) -> None:
        """Write `folder.report` of a run that is done, about its selected checkpoint."""
        ...


class Task(Protocol[C_in, D, M]):
    """A task that `training.run.execute` trains. name: by which its checkpoints are known."""

    @property
    def name(self) -> str: ...

    def datasets(self, config: C_in) -> Datasets[D]:
        """All sets that the config names. Raises InputError: one line."""
        ...

    def pipeline(self, config: C_in) -> Pipeline[D]:
        """How its batches are made, picture and target alike."""
        ...

    def make(self, config: C_in, classes: tuple[str, ...]) -> M:
        """The config's method around a network, from the weights that the config names or PyTorch's generator."""
        ...

    def load(self, where: Path, device: torch.device) -> M:
        """The method of a run or a checkpoint, in evaluation. Raises InputError: one line."""
        ...

    def evaluator(self, config: C_in, supply: DomainBatches[D]) -> Evaluator[M]:
        """What tells the figures of the run's checkpoints."""
        ...

"""Classification, as the trainer wants it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from classify.augment import Augment
from classify.config import ClassifyConfig
from classify.datasets import open_datasets
from classify.evaluation import ClassifyEvaluator
from classify.load import TASK, load_method, make_method, make_network
from classify.methods.base import Method
from training.batches import DomainBatches, Pipeline
from training.data.loader import RawBatch
from training.data.pictures import ImageDataset
from training.data.windows import Windows
from training.datasets import Datasets


class Views:
    """`classify.augment.Augment` of a batch, whose classes are what they were."""

    def __init__(self, augment: Augment):
        self._augment = augment

    def __call__(self, raw: RawBatch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        return self._augment(raw.images, generator), raw.targets


def pipeline(config: ClassifyConfig) -> Pipeline[ImageDataset]:
    """The config's windows and augmentations."""
    train, strong, plain = (Views(Augment(kind, config.size)) for kind in (config.augment, "strong", "none"))
    return Pipeline(Windows(config.size), train, strong, plain)


class Classification:
    """A `training.task.Task`."""

    name = TASK

    def datasets(self, config: ClassifyConfig) -> Datasets[ImageDataset]:
        return open_datasets(config)

    def pipeline(self, config: ClassifyConfig) -> Pipeline[ImageDataset]:
        return pipeline(config)

    def make(self, config: ClassifyConfig, classes: tuple[str, ...]) -> Method:
        return make_method(config, len(classes), make_network(config, classes))

    def load(self, where: Path, device: torch.device) -> Method:
        return load_method(where, device)[0]

    def evaluator(self, config: ClassifyConfig, supply: DomainBatches[ImageDataset]) -> ClassifyEvaluator:
        return ClassifyEvaluator(supply)

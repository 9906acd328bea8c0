"""Image classification as a task of the trainer."""

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
    """Augments the images of a batch and leaves its labels unchanged."""

    def __init__(self, augment: Augment):
        self._augment = augment

    def __call__(self, raw: RawBatch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        return self._augment(raw.images, generator), raw.targets


def pipeline(config: ClassifyConfig) -> Pipeline[ImageDataset]:
    """The config's windows and augmentations."""
    train, strong, plain = (Views(Augment(kind, config.size)) for kind in (config.augment, "strong", "none"))
    return Pipeline(Windows(config.size, fit=config.fit), train, strong, plain)


class Classification:
    """The task of image classification, for `execute`.

    Examples
    --------
    >>> from blendmill import Classification, ClassifyConfig
    >>> config = ClassifyConfig(data={"source": [{"where": "renders"}]}, model="resnet18", size=32)
    >>> method = Classification().make(config, classes=("cat", "dog"))
    >>> method.network.head.out_features
    2
    """

    name = TASK

    def datasets(self, config: ClassifyConfig) -> Datasets[ImageDataset]:
        """Open all sets of pictures that the config names. Raises InputError."""
        return open_datasets(config)

    def pipeline(self, config: ClassifyConfig) -> Pipeline[ImageDataset]:
        """How pictures become augmented batches (n, 3, size, size)."""
        return pipeline(config)

    def make(self, config: ClassifyConfig, classes: tuple[str, ...]) -> Method:
        """Create the training method of the config with a new network."""
        return make_method(config, len(classes), make_network(config, classes))

    def load(self, where: Path, device: torch.device) -> Method:
        """Load the method of a run's folder or of a checkpoint file, in evaluation mode. Raises InputError."""
        return load_method(where, device)[0]

    def evaluator(self, config: ClassifyConfig, supply: DomainBatches[ImageDataset]) -> ClassifyEvaluator:
        """The evaluator of a run's checkpoints."""
        return ClassifyEvaluator(supply)

"""Segmentation, of cracks or of many classes, as a task of the trainer."""

from __future__ import annotations

from pathlib import Path

import torch

from segment.classes.crops import ClassCrops
from segment.classes.evaluation import ClassEvaluator
from segment.config import CRACK, SegmentConfig
from segment.crops import Colors, Crops, Plain
from segment.datasets import LabeledPictures, open_datasets
from segment.evaluation import SegmentEvaluator
from segment.load import TASK, load_method, make_method, make_network
from segment.methods.supervised import Supervised
from segment.network import MATCHING
from training.batches import DomainBatches, Pipeline
from training.datasets import Datasets
from training.task import Evaluator


class Segmentation:
    """The task of segmentation, for `execute`.

    Examples
    --------
    >>> import torch
    >>> from blendmill import SegmentConfig, Segmentation
    >>> config = SegmentConfig(data={"source": [{"where": "cracks"}]}, width=2, depth=1)
    >>> method = Segmentation().make(config, classes=("crack",))
    >>> method.predict(torch.zeros(1, 3, 16, 24)).shape
    torch.Size([1, 16, 24])
    """

    name = TASK

    def datasets(self, config: SegmentConfig) -> Datasets[LabeledPictures]:
        """Open all sets of pictures that the config names. Raises InputError."""
        return open_datasets(config)

    def pipeline(self, config: SegmentConfig) -> Pipeline[LabeledPictures]:
        """How pictures become augmented batches (n, 3, size, size)."""
        cracks = config.classes == CRACK
        upright = not cracks if config.augment.upright is None else config.augment.upright
        shape = (config.size, config.augment.zoom, config.augment.crack, upright)
        crops = Crops(*shape) if cracks else ClassCrops(*shape, config.model in MATCHING)
        return Pipeline(crops, Colors(config.augment), Colors(config.strong), Plain())

    def make(self, config: SegmentConfig, classes: tuple[str, ...]) -> Supervised:
        """Create the training method of the config with a new network, from the weights that it names."""
        return make_method(config, make_network(config, len(classes)))

    def load(self, where: Path, device: torch.device) -> Supervised:
        """Load the method of a run's folder or of a checkpoint file, in evaluation mode. Raises InputError."""
        return load_method(where, device)

    def evaluator(self, config: SegmentConfig, supply: DomainBatches[LabeledPictures]) -> Evaluator[Supervised]:
        """The evaluator of a run's checkpoints."""
        return (SegmentEvaluator if config.classes == CRACK else ClassEvaluator)(config, supply)

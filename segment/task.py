"""Crack segmentation, as the trainer wants it."""

from __future__ import annotations

from pathlib import Path

import torch

from segment.config import SegmentConfig
from segment.crops import Colors, Crops, Plain
from segment.datasets import CrackPictures, open_datasets
from segment.evaluation import SegmentEvaluator
from segment.load import TASK, load_method, make_method
from segment.methods.supervised import Supervised
from training.batches import DomainBatches, Pipeline
from training.datasets import Datasets


class Segmentation:
    """A `training.task.Task`."""

    name = TASK

    def datasets(self, config: SegmentConfig) -> Datasets[CrackPictures]:
        return open_datasets(config)

    def pipeline(self, config: SegmentConfig) -> Pipeline[CrackPictures]:
        colors = Colors(config.augment)
        return Pipeline(Crops(config.size, config.augment.zoom), colors, colors, Plain())

    def make(self, config: SegmentConfig, classes: tuple[str, ...]) -> Supervised:
        return make_method(config)

    def load(self, where: Path, device: torch.device) -> Supervised:
        return load_method(where, device)

    def evaluator(self, config: SegmentConfig, supply: DomainBatches[CrackPictures]) -> SegmentEvaluator:
        return SegmentEvaluator(supply)

"""Classification in factor studies."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from classify.ablation.statistics import Answers
from classify.config import ClassifyConfig, ImagesConfig
from classify.datasets import open_part
from classify.models import build
from classify.screening import screen
from training.studies import Screen


class _Classification:
    """A `training.studies.Studied`. A picture is right or wrong."""

    config = ClassifyConfig
    figures = ("mean_recall", "accuracy")
    train = ("train",)
    evaluate = ("evaluate",)

    def check(self, config: ClassifyConfig, where: str, split: str) -> None:
        open_part(ImagesConfig(where=where, split=split), config.classes or None)

    def network(self, config: ClassifyConfig) -> nn.Module:
        return build(config.model, 10, size=config.size)

    def screened(self, config: ClassifyConfig) -> Screen | None:
        return partial(screen, config) if config.method == "linear" else None

    def pictures(self, figures: Mapping[str, Any]) -> NDArray[np.int64]:
        return np.array(figures["labels"], np.int64)

    def tested(self, found: Mapping[Any, Mapping[int, Mapping[str, Any]]]) -> Answers:
        runs = [run for seeds in found.values() for run in seeds.values()]
        labels = self.pictures(runs[0])
        right = {
            arm: {seed: labels == np.array(run["predicted"], np.int64) for seed, run in seeds.items()}
            for arm, seeds in found.items()
        }
        return Answers(labels, right)


STUDIED = _Classification()

"""Segmentation in factor studies."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from segment.config import CRACK, SegmentConfig
from segment.datasets import classes_of, open_part
from segment.models import build
from training.config import PartConfig

_CHUNK = 100


@dataclass(frozen=True)
class Overlaps:
    """A `training.studies.Tested`: the pixels of each picture.

    counts: by arm and seed (n, k, 3) float64: of each picture and class, the pixels of both truth and prediction, of
    the prediction, and of the truth.
    """

    counts: Mapping[Hashable, Mapping[int, NDArray[np.float64]]]

    def seeds(self, arm: Hashable) -> list[int]:
        return list(self.counts.get(arm, {}))

    def figure(self, arm: Hashable, figure: str) -> dict[int, float]:
        return {seed: float(_mean_iou(counts.sum(0))) for seed, counts in self.counts.get(arm, {}).items()}

    def resampled(
        self, names: Sequence[tuple[Hashable, int]], figure: str, draws: int, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        counts = np.array([self.counts[arm][seed] for arm, seed in names])
        number = counts.shape[1]
        found = []
        for begin in range(0, draws, _CHUNK):
            times = rng.multinomial(number, np.full(number, 1 / number), min(_CHUNK, draws - begin))
            found.append(_mean_iou(np.einsum("dn,rnkc->rdkc", times.astype(np.float64), counts, optimize=True)))
        return np.concatenate(found, axis=1)


def _mean_iou(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(…) mean IoU of counts (…, k, 3), over the classes that are there or predicted; 0 without any."""
    both, predicted, real = np.moveaxis(counts, -1, 0)
    union = predicted + real - both
    each = np.divide(both, union, out=np.zeros_like(both), where=union > 0)
    return np.asarray(each.sum(-1) / np.maximum(1, (union > 0).sum(-1)))


class _Segmentation:
    """A `training.studies.Studied`. Of cracks, the mean IoU is the IoU of cracks at the threshold of the run."""

    config = SegmentConfig
    figures = ("mean_iou",)
    train = ("segment", "train")
    evaluate = ("segment", "evaluate")

    def check(self, config: SegmentConfig, where: str, split: str) -> None:
        # What `all` means, only a source says that may not be rendered yet.
        known = None if config.classes == "all" else classes_of(config)
        if config.classes == CRACK or known is not None:
            open_part(PartConfig(where=where, split=split), classes=known)

    def network(self, config: SegmentConfig) -> nn.Module:
        return build(config.model, config.width, config.depth, classes=1 if config.classes == CRACK else 10)

    def screened(self, config: SegmentConfig) -> None:
        return None

    def pictures(self, figures: Mapping[str, Any]) -> NDArray[np.int64]:
        return np.array(figures["counts"], np.int64)[:, :, 2]

    def tested(self, found: Mapping[Any, Mapping[int, Mapping[str, Any]]]) -> Overlaps:
        return Overlaps({
            arm: {seed: np.array(run["counts"], np.float64) for seed, run in seeds.items()}
            for arm, seeds in found.items()
        })  # fmt: skip


STUDIED = _Segmentation()

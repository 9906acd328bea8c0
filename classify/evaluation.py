"""What is made of a method in evaluation: the validators' figures, and those of the test."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from classify.config import ORACLE
from classify.methods.base import Labelled, Method
from classify.metrics import Evaluation
from classify.validators import VALIDATORS
from training.batches import DomainBatches
from training.data.loader import Loader


class Outputs(NamedTuple):
    """features: (n, d) float. logits: (n, k) float. labels: (n,) int64, -1 where none is known. On the CPU."""

    features: Tensor
    logits: Tensor
    labels: Tensor


def statement(by: str) -> str:
    """How a checkpoint was chosen, for people."""
    if by == "last":
        return "the last checkpoint, without selection"
    if by == ORACLE:
        return "selected by LABELS OF THE TARGET (oracle): the figures on the test pictures are optimistic"
    return f"selected by the validator '{by}', without labels of the target"


@torch.no_grad()
def outputs(method: Method, batches: Iterable[Labelled]) -> Outputs:
    """What a method in evaluation makes of all pictures in the batches.

    Features are what the network's head sees as the method predicts, or, where it does not look, the network's own.
    """
    parts = []
    seen: list[Tensor] = []
    hook = method.network.head.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    try:
        for batch in batches:
            seen.clear()
            logits = method.predict(batch.images)
            features = seen[-1] if seen else method.network.features(batch.images)
            parts.append([part.cpu() for part in (features.float(), logits.float(), batch.labels)])
    finally:
        hook.remove()
    features, logits, labels = (torch.cat(part) for part in zip(*parts, strict=True))
    return Outputs(features, logits, labels)


def evaluation(found: Outputs, classes: tuple[str, ...]) -> dict[str, Any]:
    """All figures on labelled pictures, as JSON data: accuracy, mean_recall, …"""
    return Evaluation.from_logits(found.logits, found.labels, classes).as_json()


def validate(source: Outputs | None, target: Outputs | None) -> dict[str, float]:
    """The validators' figures: all, or those for which what is there suffices."""
    needs_source = {"source", "dev"}
    needs_target = set(VALIDATORS) - {"source"}
    return {
        name: float(validator(source, target))
        for name, validator in VALIDATORS.items()
        if not (source is None and name in needs_source) and not (target is None and name in needs_target)
    }


class Assessment(NamedTuple):
    """figures: the validators' and, marked as such, the oracle's. test: all figures on the test pictures.

    source, target: outputs on the source held out, and on the target. None where there are no such pictures.
    """

    figures: dict[str, float]
    test: dict[str, Any] | None
    source: Outputs | None
    target: Outputs | None


class Evaluator:
    """What a run's checkpoints are worth on the run's pictures."""

    def __init__(self, supply: DomainBatches, classes: tuple[str, ...]):
        self._supply, self._classes = supply, classes

    def assess(self, method: Method) -> Assessment:
        """Each validator's figure that can be had of what there is, and of the test set, marked as such, the oracle.

        The validators see no label of the target: its pictures here have none.
        """
        supply = self._supply
        source, target, seen = (self._outputs(method, x) for x in (supply.validation, supply.target, supply.test))
        figures, test = validate(source, target), None
        if seen is not None:
            test = evaluation(seen, self._classes)
            figures |= {ORACLE: test["mean_recall"], "test_accuracy": test["accuracy"]}
        return Assessment(figures, test, source, target)

    def _outputs(self, method: Method, loader: Loader | None) -> Outputs | None:
        return None if loader is None else outputs(method, self._supply.plain(loader))

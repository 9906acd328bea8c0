"""Evaluation of classifiers: figures of the validators and of the test pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from classify.attention import Look, look
from classify.methods.base import Method
from classify.metrics import Evaluation
from classify.validators import VALIDATORS, collapse
from training.batches import DomainBatches
from training.config import ORACLE
from training.data.loader import Loader
from training.data.pictures import ImageDataset, chosen
from training.method import Batch
from training.run_folder import Folder
from training.selection import COLLAPSED
from training.task import Assessment

# Number of pictures in the attention section of a report.
_SHOWN = 12
_LOG = logging.getLogger("blendmill")


class Outputs(NamedTuple):
    """Network outputs on the CPU. features: (n, d) float. logits: (n, k) float. labels: (n,) int64, -1 for unknown."""

    features: Tensor
    logits: Tensor
    labels: Tensor


@torch.no_grad()
def outputs(method: Method, batches: Iterable[Batch]) -> Outputs:
    """The outputs of a method, in evaluation mode, for all pictures of the batches.

    Features are the inputs of the network's head during prediction. If the method does not use this head, they are the
    features of the network.
    """
    parts = []
    seen: list[Tensor] = []
    hook = method.network.head.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    try:
        for batch in batches:
            seen.clear()
            logits = method.predict(batch.images)
            features = seen[-1] if seen else method.network.features(batch.images)
            parts.append([part.cpu() for part in (features.float(), logits.float(), batch.targets)])
    finally:
        hook.remove()
    features, logits, labels = (torch.cat(part) for part in zip(*parts, strict=True))
    return Outputs(features, logits, labels)


def evaluation(found: Outputs, classes: tuple[str, ...]) -> dict[str, Any]:
    """All figures on labeled pictures as JSON data: accuracy, mean_recall and so on."""
    return Evaluation.from_logits(found.logits, found.labels, classes).as_json()


def answers(found: Outputs, classes: tuple[str, ...]) -> dict[str, Any]:
    """The same figures, with the label and the prediction of each picture."""
    each = {"labels": found.labels.tolist(), "predicted": found.logits.argmax(1).tolist()}
    return evaluation(found, classes) | each


def validate(source: Outputs | None, target: Outputs | None) -> dict[str, float]:
    """The figures of all validators for which source and target are available."""
    needs_source = {"source", "dev"}
    needs_target = set(VALIDATORS) - {"source"}
    return {
        name: float(validator(source, target))
        for name, validator in VALIDATORS.items()
        if not (source is None and name in needs_source) and not (target is None and name in needs_target)
    }


class Seen(NamedTuple):
    """Values for the report: outputs on the held-out source and on the target, None without such pictures."""

    source: Outputs | None
    target: Outputs | None


class ClassifyEvaluator:
    """A `training.task.Evaluator`: figures of the validators and of the test pictures."""

    def __init__(self, supply: DomainBatches[ImageDataset]):
        self._supply, data = supply, supply.data
        self._validation, self._test = (
            supply.loader(pictures, supply.config.batch) if pictures is not None else None
            for pictures in (data.validation, data.test)
        )

    def assess(self, method: Method) -> Assessment:
        """The figures of the available validators and, if there is a test set, of the oracle.

        Whether the network has collapsed is judged on the target or, without one, on the held-out source. The
        validators cannot see labels of the target, because its pictures carry none here.
        """
        parts = (self._validation, self._supply.target, self._test)
        source, target, seen = (self._outputs(method, loader) for loader in parts)
        figures, test = validate(source, target), None
        judged = source if target is None else target
        if judged is not None:
            reason = collapse(judged.logits, self._supply.data.classes)
            figures[COLLAPSED] = float(bool(reason))
            if reason:
                _LOG.warning("the network has collapsed: %s; no validator chooses such a checkpoint", reason)
        if seen is not None:
            test = evaluation(seen, self._supply.data.classes)
            figures |= {ORACLE: test["mean_recall"], "test_accuracy": test["accuracy"]}
        return Assessment(figures, test, Seen(source, target))

    def _outputs(self, method: Method, loader: Loader[ImageDataset] | None) -> Outputs | None:
        return None if loader is None else outputs(method, self._supply.plain(loader))

    def report(self, folder: Folder, method: Method, found: Assessment) -> None:
        from classify import report

        seen: Seen = found.details
        page = report.of_run(folder.path, source=seen.source, target=seen.target, look=self._look(method))
        report.write(page, folder.report)

    def _look(self, method: Method) -> Look | None:
        """Where the method looks in some test pictures; without a test set, in some target pictures."""
        tried = self._test or self._supply.target
        if tried is None:
            return None
        readable = np.setdiff1d(np.arange(len(tried.pictures)), list(tried.quarantined))
        places = readable[np.linspace(0, len(readable) - 1, min(_SHOWN, len(readable))).round().astype(np.int64)]
        loader = Loader(chosen(tried.pictures, places, "shown"), len(places), self._supply.pipeline.collate, workers=0)
        (batch,) = self._supply.plain(loader)
        return look(method, batch)

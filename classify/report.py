"""The report of a classifier's run. Each function here gives the values of one section of `templates/report.html`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classify import figures
from classify.attention import Look
from classify.domain_distance import distances
from classify.evaluation import Outputs
from classify.metrics import NAMES, ece
from training import report as page
from training.config import ORACLE
from training.logger import LOG, entries
from training.report import finished, save
from training.selection import COLLAPSED

VALIDATORS = {
    "source": "accuracy on held-out source pictures",
    "im": "information maximization (IM)",
    "bnm": "nuclear norm (BNM)",
    "snd": "soft neighborhood density (SND)",
    "dev": "deep embedded validation (DEV)",
    "entropy": "minus the mean entropy",
}
"""Full names of the validators. The oracle is not a validator."""


@dataclass(frozen=True)
class Report:
    """The content of a report. Sections without a value are left out.

    config: the config of the run, JSON data. results: the content of its results.json. log: the records of its
    log.jsonl. source, target: outputs of the selected checkpoint on the held-out source, with labels, and on the
    target, without labels. look: where that checkpoint looks in some pictures.
    """

    name: str
    config: Mapping[str, Any]
    results: Mapping[str, Any]
    log: Sequence[Mapping[str, Any]] = ()
    source: Outputs | None = None
    target: Outputs | None = None
    look: Look | None = None


def of_run(
    run: Path, *, source: Outputs | None = None, target: Outputs | None = None, look: Look | None = None
) -> Report:
    """The report of a run's folder. Raises InputError if the run is not finished."""
    config, results = finished(run)
    return Report(run.resolve().name, config, results, tuple(entries(run / LOG)), source, target, look)


def write(report: Report, out: Path) -> None:
    """Write the report to the file `out`: completely or not at all."""
    save(html(report), out)


def html(report: Report) -> str:
    """The report as one HTML document. All text is escaped."""
    results = report.results
    return page.html(
        "classify",
        report.name,
        report.config,
        results,
        outcome=_outcome(results["test"]) if results.get("test") else None,
        selection=_selection(results),
        training=_training(report.log),
        domains=_domains(report),
        classes=_classes(results["test"]) if results.get("test") else None,
        look=_look(report.look, results["classes"]) if report.look else None,
    )


def _outcome(test: Mapping[str, Any]) -> dict[str, Any]:
    """The test figures with their intervals."""
    rows = [
        {
            "name": name.upper() if name == "ece" else name.replace("_", " "),
            "value": test[name],
            "interval": test["intervals"].get(name),
            "meaning": meaning,
        }
        for name, meaning in NAMES.items()
    ]
    return {
        "rows": rows,
        "pictures": sum(row["support"] for row in test["table"]),
        "level": test["intervals"]["level"],
    }


def _selection(results: Mapping[str, Any]) -> dict[str, Any] | None:
    """For each validator the checkpoint that it would choose, and the test result of that checkpoint."""
    selected, history = results["selected"], results["history"]
    names = VALIDATORS | {ORACLE: "ORACLE: labels of the target, not a validator"}
    found = {key: results["validators"][key] for key in names if key in results["validators"]}
    if not found:
        return None
    rows = [
        {
            "kind": ORACLE if key == ORACLE else "chosen" if key == selected["by"] else "",
            "name": names[key],
            "value": best[key],
            "collapsed": bool(best.get(COLLAPSED)),
            "step": best["step"],
            "recall": best.get(ORACLE),
            "accuracy": best.get("test_accuracy"),
        }
        for key, best in found.items()
    ]
    short = {key: key.upper() if key in ("im", "bnm", "snd", "dev", ORACLE) else key for key in found}
    # A single evaluation makes no curve.
    curves = figures.png(figures.validators(history, short, selected["step"])) if len(history) > 1 else None
    return {"rows": rows, "curves": curves, "step": history[0]["step"]}


def _training(log: Sequence[Mapping[str, Any]]) -> bytes | None:
    """A PNG of the training curves; None without records."""
    steps = [entry for entry in log if entry["kind"] == "train"]
    return figures.png(figures.curves(steps)) if steps else None


def _domains(report: Report) -> dict[str, Any] | None:
    """Distances between the features of source and target; None if a domain has fewer than two pictures."""
    source, target = report.source, report.target
    if source is None or target is None or min(len(source.features), len(target.features)) < 2:
        return None
    ours, theirs = source.features.numpy(), target.features.numpy()
    plot = figures.features(
        ours, theirs, source.labels.numpy(), target.logits.argmax(1).numpy(), report.results["classes"]
    )
    return {"found": distances(ours, theirs), "plot": figures.png(plot)}


def _classes(test: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of each class, the confusion of the classes and the calibration."""
    bins, names = test["reliability"], [row["class"] for row in test["table"]]
    return {
        "rows": test["table"],
        "confusion": figures.png(figures.confusion(np.array(test["confusion"]), names)),
        "reliability": figures.png(figures.reliability(bins, ece(bins))),
    }


def _look(look: Look, classes: Sequence[str]) -> dict[str, Any]:
    return {"kind": look.kind, "plot": figures.png(figures.attention(look, classes))}

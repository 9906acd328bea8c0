"""The report of a run: one HTML file that opens from disk, with all pictures in it and no script.

The page is `templates/report.html`. Each function here gives the values of one of its sections.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from classify import figures
from classify.attention import Look
from classify.domain_distance import distances
from classify.evaluation import Outputs
from classify.metrics import NAMES, ece
from scenes.errors import InputError
from scenes.files import replacing
from training.config import ORACLE
from training.logger import LOG, entries
from training.run_folder import CONFIG, Folder

VALIDATORS = {
    "source": "accuracy on held-out source pictures",
    "im": "information maximization (IM)",
    "bnm": "nuclear norm (BNM)",
    "snd": "soft neighborhood density (SND)",
    "dev": "deep embedded validation (DEV)",
    "entropy": "minus the mean entropy",
}
"""The validators by their full names. The oracle is no validator."""

# The settings that the first line names.
_SETTINGS = ("method", "model", "weights", "size", "augment", "batch", "iterations", "precision", "seed")
# What the last section shows of the results.
_FACTS = ("seconds", "processes", "data", "versions")


@dataclass(frozen=True)
class Report:
    """All that a report tells; what is None is left out.

    config: of the run, JSON data. results: what its results.json holds. log: the records of its log.jsonl.
    source, target: what the selected checkpoint makes of the source held out, with labels, and of the target, of which
    no label is read. look: where that checkpoint looks in some pictures.
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
    """The report of a run's folder, with what cannot be read from there given. Raises InputError for a run that is not
    done."""
    results = Folder(run).results()
    if results is None:
        raise InputError(f"{run}: no run that is done: there is no results.json")
    config = yaml.safe_load((run / CONFIG).read_text(encoding="utf-8"))
    return Report(run.resolve().name, config, results, tuple(entries(run / LOG)), source, target, look)


def write(report: Report, out: Path) -> None:
    """Write the report to the file `out`, at once."""
    with replacing(out) as temporary:
        temporary.write_text(html(report), encoding="utf-8")


def html(report: Report) -> str:
    """The report as one HTML document. All text is escaped."""
    config, results = report.config, report.results
    environment = Environment(
        loader=PackageLoader("classify"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "data_uri": _data_uri}
    return environment.get_template("report.html").render(
        name=report.name,
        settings=", ".join(f"{name} {config[name]}" for name in _SETTINGS if config.get(name) is not None),
        pictures=", ".join(f"{count} {name}" for name, count in results.get("pictures", {}).items()),
        selected=results["selected"],
        outcome=_outcome(results["test"]) if results.get("test") else None,
        selection=_selection(results),
        training=_training(report.log),
        domains=_domains(report),
        classes=_classes(results["test"]) if results.get("test") else None,
        look=_look(report.look, results["classes"]) if report.look else None,
        config=yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True),
        facts=json.dumps({name: results[name] for name in _FACTS if name in results}, indent=1, ensure_ascii=False),
    )


def _outcome(test: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of the test with their intervals."""
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
    """The validators side by side: the checkpoint that each would have chosen, and the result of that one."""
    selected, history = results["selected"], results["history"]
    names = VALIDATORS | {ORACLE: "ORACLE: labels of the target, no validator"}
    found = {key: results["validators"][key] for key in names if key in results["validators"]}
    if not found:
        return None
    rows = [
        {
            "kind": ORACLE if key == ORACLE else "chosen" if key == selected["by"] else "",
            "name": names[key],
            "value": best[key],
            "step": best["step"],
            "recall": best.get(ORACLE),
            "accuracy": best.get("test_accuracy"),
        }
        for key, best in found.items()
    ]
    short = {key: key.upper() if key in ("im", "bnm", "snd", "dev", ORACLE) else key for key in found}
    # One evaluation alone makes no curve.
    curves = figures.validators(history, short, selected["step"]) if len(history) > 1 else None
    return {"rows": rows, "curves": curves, "step": history[0]["step"]}


def _training(log: Sequence[Mapping[str, Any]]) -> Figure | None:
    steps = [entry for entry in log if entry["kind"] == "train"]
    return figures.curves(steps) if steps else None


def _domains(report: Report) -> dict[str, Any] | None:
    """How far the features of source and target lie apart; none where a domain has fewer than two pictures."""
    source, target = report.source, report.target
    if source is None or target is None or min(len(source.features), len(target.features)) < 2:
        return None
    ours, theirs = source.features.numpy(), target.features.numpy()
    plot = figures.features(
        ours, theirs, source.labels.numpy(), target.logits.argmax(1).numpy(), report.results["classes"]
    )
    return {"found": distances(ours, theirs), "plot": plot}


def _classes(test: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of each class, the confusion of the classes and the calibration."""
    bins, names = test["reliability"], [row["class"] for row in test["table"]]
    return {
        "rows": test["table"],
        "confusion": figures.confusion(np.array(test["confusion"]), names),
        "reliability": figures.reliability(bins, ece(bins)),
    }


def _look(look: Look, classes: Sequence[str]) -> dict[str, Any]:
    return {"kind": look.kind, "plot": figures.attention(look, classes)}


def _data_uri(figure: Figure) -> str:
    return f"data:image/png;base64,{base64.b64encode(figures.png(figure)).decode('ascii')}"


def _percent(value: float | None, digits: int = 1) -> str:
    return "—" if value is None else f"{100 * value:.{digits}f} %"

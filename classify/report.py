"""The report of a run: one HTML file that opens from disk, with all pictures in it and no script."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import yaml
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

# The validators, for people; the oracle is none.
VALIDATORS = {
    "source": "accuracy on held-out source pictures",
    "im": "information maximization (IM)",
    "bnm": "nuclear norm (BNM)",
    "snd": "soft neighbourhood density (SND)",
    "dev": "deep embedded validation (DEV)",
    "entropy": "minus the mean entropy",
}
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1100px; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.6em } h2 { font-size: 1.2em; margin-top: 2em; border-bottom: 1px solid #ccc }
table { border-collapse: collapse; margin: 1em 0 } td, th { padding: .25em .8em; border-bottom: 1px solid #ddd }
th { text-align: left } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
tr.chosen { background: #e6f4e6 } tr.oracle { background: #fbe9e7 } img { max-width: 100% }
.statement { background: #e6f4e6; padding: .7em 1em } .leak { background: #b02020; color: white }
pre { background: #f5f5f5; padding: 1em; overflow-x: auto; font-size: 12px } .note { color: #555; font-size: 13px }
"""
_SAFE = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


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
    """The report as one HTML document."""
    parts = (_head, _outcome, _selection, _training, _domains, _classes, _looks, _settings)
    body = "\n".join(text for part in parts if (text := part(report)))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_SAFE}"><title>{escape(report.name)}</title>'
        f"<style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _head(report: Report) -> str:
    chosen = report.results["selected"]
    kind = "statement leak" if chosen["uses_target_labels"] else "statement"
    names = ("method", "model", "weights", "size", "augment", "batch", "iterations", "precision", "seed")
    told = ", ".join(f"{name} {report.config[name]}" for name in names if report.config.get(name) is not None)
    counts = ", ".join(f"{count} {name}" for name, count in report.results.get("pictures", {}).items())
    return (
        f"<h1>{escape(report.name)}</h1><p>{escape(told)}</p>{f'<p>Pictures: {counts}</p>' if counts else ''}"
        f'<p class="{kind}">Checkpoint of step {chosen["step"]}: {escape(chosen["statement"])}.</p>'
    )


def _outcome(report: Report) -> str:
    test = report.results.get("test")
    if test is None:
        return '<h2>Test</h2><p class="note">No labelled target pictures were given: nothing is tested.</p>'
    intervals = test["intervals"]
    rows = []
    for name, meaning in NAMES.items():
        low, high = intervals.get(name, (None, None))
        spread = "" if low is None else f"{_percent(low)} to {_percent(high)}"
        shown = name.upper() if name == "ece" else name.replace("_", " ")
        rows.append([shown, _percent(test[name]), spread, meaning])
    count = sum(row["support"] for row in test["table"])
    note = (
        f"{count} pictures. Intervals: {_percent(intervals['level'], 0)}, bootstrap of the pictures within each class; "
        "they say nothing of the spread over seeds."
    )
    return f'<h2>Test</h2>{_table(["figure", "", "interval", "what it is"], rows, {1})}<p class="note">{note}</p>'


def _selection(report: Report) -> str:
    """The validators side by side: which checkpoint each would have chosen, and what that one is worth."""
    found, selected = report.results["validators"], report.results["selected"]
    names = VALIDATORS | {ORACLE: "ORACLE: labels of the target, no validator"}
    rows, kinds = [], []
    for key, name in names.items():
        if key not in found:
            continue
        best = found[key]
        recall, right = best.get(ORACLE), best.get("test_accuracy")
        rows.append([name, f"{best[key]:.4f}", str(best["step"]), _percent(recall), _percent(right)])
        kinds.append(ORACLE if key == ORACLE else "chosen" if key == selected["by"] else "")
    if not rows:
        return ""
    head = ["chosen by", "its figure", "step", "test mean recall", "test accuracy"]
    history = report.results["history"]
    if len(history) == 1:
        note = f"Step {history[0]['step']} alone was evaluated, so each chooses it; see evaluate_every."
        return f'<h2>Selection</h2>{_table(head, rows, {1, 2, 3, 4}, kinds)}<p class="note">{note}</p>'
    short = {key: key.upper() if key in ("im", "bnm", "snd", "dev", ORACLE) else key for key in names if key in found}
    curves = _image(figures.validators(history, short, selected["step"]), "The validators over the steps")
    note = (
        "Each line: the checkpoint that is best by that figure, and how it does on the test. SND and entropy also "
        "reward a network that says one class of everything; IM and BNM do not. In the figure, rings mark what each "
        "would choose, the band the step that was selected."
    )
    return f'<h2>Selection</h2>{_table(head, rows, {1, 2, 3, 4}, kinds)}<p class="note">{note}</p>{curves}'


def _training(report: Report) -> str:
    log = [entry for entry in report.log if entry["kind"] == "train"]
    return f"<h2>Training</h2>{_image(figures.curves(log), 'Training curves')}" if log else ""


def _domains(report: Report) -> str:
    source, target = report.source, report.target
    if source is None or target is None or min(len(source.features), len(target.features)) < 2:
        return ""
    ours, theirs = source.features.numpy(), target.features.numpy()
    found = distances(ours, theirs)
    rows = [
        [
            "proxy A-distance",
            f"{found['a_distance']:.3f}",
            "2 (1 - 2 error) of a linear classifier of the domains: 0 to 2",
        ],
        ["MMD", f"{found['mmd']:.4f}", "squared, several Gaussian kernels, unbiased"],
        ["Fréchet distance", f"{found['frechet']:.3f}", "squared; compare among equal features and counts only"],
    ]
    plot = figures.features(
        ours, theirs, source.labels.numpy(), target.logits.argmax(1).numpy(), report.results["classes"]
    )
    return (
        f"<h2>Domains in feature space</h2>{_table(['distance', '', 'what it is'], rows, {1})}"
        f'<p class="note">Held-out source against target, {found["pictures"]:g} pictures of each. '
        f"No label of the target is read.</p>{_image(plot, 't-SNE of both domains')}"
    )


def _classes(report: Report) -> str:
    test = report.results.get("test")
    if test is None:
        return ""
    rows = [
        [row["class"], _percent(row["precision"]), _percent(row["recall"]), str(row["support"])]
        for row in test["table"]
    ]
    names = [row["class"] for row in test["table"]]
    bins = test["reliability"]
    return (
        f"<h2>Classes</h2>{_table(['class', 'precision', 'recall', 'pictures'], rows, {1, 2, 3})}"
        f"{_image(figures.confusion(np.array(test['confusion']), names), 'Confusion matrix')}"
        f"<h2>Calibration</h2>{_image(figures.reliability(bins, ece(bins)), 'Reliability')}"
    )


def _looks(report: Report) -> str:
    look = report.look
    if look is None:
        return ""
    plot = figures.attention(look, report.results["classes"])
    told = f"{escape(look.kind)}: red where most, grey where least."
    return f'<h2>Where it looks</h2><p class="note">{told}</p>{_image(plot, look.kind)}'


def _settings(report: Report) -> str:
    results = report.results
    kept = ("seconds", "processes", "data", "versions")
    config = yaml.safe_dump(dict(report.config), sort_keys=False, allow_unicode=True)
    facts = json.dumps({name: results[name] for name in kept if name in results}, indent=1, ensure_ascii=False)
    return f"<h2>Config</h2><pre>{escape(config)}</pre><h2>Data and versions</h2><pre>{escape(facts)}</pre>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: set[int], kinds: Sequence[str] = ()) -> str:
    """numbers: columns to be set as such. kinds: the class of each row."""

    def line(cells: Sequence[str], tag: str) -> str:
        kind = [' class="n"' if place in numbers else "" for place in range(len(cells))]
        return "".join(f"<{tag}{k}>{escape(cell)}</{tag}>" for k, cell in zip(kind, cells, strict=True))

    body = "".join(
        f'<tr class="{kind}">{line(row, "td")}</tr>' for row, kind in zip(rows, kinds or [""] * len(rows), strict=True)
    )
    return f"<table><tr>{line(head, 'th')}</tr>{body}</table>"


def _image(figure: Figure, name: str) -> str:
    data = base64.b64encode(figures.png(figure)).decode("ascii")
    return f'<p><img alt="{escape(name)}" src="data:image/png;base64,{data}"></p>'


def _percent(value: float | None, digits: int = 1) -> str:
    return "—" if value is None else f"{100 * value:.{digits}f} %"

"""Many runs side by side in one table and one figure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from scenes.outputs import written


@dataclass(frozen=True)
class Columns:
    """The test figures (shares of 1) that a table shows. drawn: the one that the plot shows. axis: its label."""

    names: tuple[str, ...]
    drawn: str
    axis: str


@dataclass(frozen=True)
class Row:
    """One row of a table: labels by column, and the results of its runs, one for each seed."""

    labels: dict[str, str]
    results: tuple[dict[str, Any], ...]

    def figures(self, name: str) -> list[float]:
        """One test figure for each seed."""
        return [float(result["test"][name]) for result in self.results]


def write(rows: Sequence[Row], out: Path, across: str | None, columns: Columns) -> str:
    """Write table.md, table.json and figure.png. across: the label on the x axis. Returns the text of table.md."""
    text = table(rows, columns)
    data = [{**row.labels, **{name: row.figures(name) for name in columns.names}, **_choice(row)} for row in rows]
    for name, content in (("table.md", text), ("table.json", json.dumps(data, indent=1) + "\n")):
        with written(out / name) as temporary:
            temporary.write_text(content, encoding="utf-8")
    with written(out / "figure.png") as temporary:
        _draw(rows, across, columns, temporary)
    return text


def _choice(row: Row) -> dict[str, Any]:
    """How the checkpoints were chosen, and their validation figures, by seed."""
    chosen = [result["selected"] for result in row.results]
    at = [at_selected(result) for result in row.results]
    return {"selected_by": chosen[0]["by"], "steps": [c["step"] for c in chosen], "at_selected": at}


def at_selected(results: Mapping[str, Any]) -> dict[str, Any]:
    """Step and validation figures of the checkpoint that a run selected. results: of the run."""
    step = results["selected"]["step"]
    return next(figures for figures in results["history"] if figures["step"] == step)


def table(rows: Sequence[Row], columns: Columns) -> str:
    """A Markdown table with test figures in percent: mean and standard deviation over the seeds."""
    names = list(rows[0].labels)
    lines = [[*names, *(name.replace("_", " ") for name in columns.names), "chosen by", "seeds"]]
    for row in rows:
        chosen = row.results[0]["selected"]
        by = chosen["by"] + (" (target labels)" if chosen["uses_target_labels"] else "")
        cells = [_percent(row.figures(name)) for name in columns.names]
        lines.append([*row.labels.values(), *cells, by, str(len(row.results))])
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _percent(values: Sequence[float]) -> str:
    spread = f" ± {100 * stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * mean(values):.1f}{spread}"


def ticks_of(labels: Iterable[str]) -> tuple[list[str], bool]:
    """Distinct labels for an axis, and whether they are numbers. Numbers are sorted; other labels keep their order."""
    ticks = list(dict.fromkeys(labels))
    try:
        return sorted(ticks, key=float), True
    except ValueError:
        return ticks, False


def _draw(rows: Sequence[Row], across: str | None, columns: Columns, path: Path) -> None:
    """Plot the figure `columns.drawn` over the label `across`: one line for each combination of other labels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    ticks, numbers = ticks_of(row.labels[across] if across else "" for row in rows)
    # Names are not connected, because a line between two names has no meaning.
    line = "-" if numbers else ""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        other = ", ".join(value for name, value in row.labels.items() if name != across)
        groups.setdefault(other, []).append(row)
    for name, group in groups.items():
        places = [ticks.index(row.labels[across] if across else "") for row in group]
        values = [[100 * v for v in row.figures(columns.drawn)] for row in group]
        spreads = [stdev(v) if len(v) > 1 else 0.0 for v in values]
        means = [mean(v) for v in values]
        axes.errorbar(places, means, spreads, ls=line, marker="o", capsize=3, label=name or None)
    axes.set_xticks(range(len(ticks)), ticks, rotation=0 if max(map(len, ticks)) < 8 else 30)
    axes.set_xlabel(across or "")
    axes.set_ylabel(f"{columns.axis}, %")
    axes.grid(alpha=0.3)
    if len(groups) > 1:
        axes.legend()
    figure.savefig(path, dpi=120, format="png")

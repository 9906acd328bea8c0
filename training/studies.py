"""Many runs of one config, side by side in one table and one figure: ablations, and the mixing of real pictures."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from classify.config import Part, TrainConfig, load_training
from scenes.errors import InputError, choices
from scenes.files import replacing
from training.data.sources import open_pictures
from training.progress import RunCount
from training.run import execute

REGIMES = ("real", "mixed", "adapted", "finetuned")
_FIGURES = ("accuracy", "mean_recall")


@dataclass(frozen=True)
class Row:
    """One line of a table: its labels, by column, and the results of its runs, one for each seed."""

    labels: dict[str, str]
    results: tuple[dict[str, Any], ...]

    def figures(self, name: str) -> list[float]:
        """A figure of the test, by seed."""
        return [float(result["test"][name]) for result in self.results]


def ablation(path: Path, overrides: Sequence[str], vary: Sequence[str], seeds: int, out: Path) -> str:
    """Run a config for each combination of values ("key=a,b,c" each) and seed; returns the table, as Markdown."""
    axes = [_axis(text) for text in vary]
    points = list(itertools.product(*(values for _, values in axes)))
    count = RunCount(len(points) * seeds)
    rows = []
    for values in points:
        settings = {key: value for (key, _), value in zip(axes, values, strict=True)}
        config = load_training(path, [*overrides, *(f"{key}={value}" for key, value in settings.items())])
        name = "_".join(_plain(value) for value in values) or "run"
        rows.append(Row(settings, tuple(_seeded(config, seeds, out / name, count))))
    return write(rows, out, across=axes[-1][0] if axes else None)


def mixing(
    path: Path,
    overrides: Sequence[str],
    real: tuple[str, str],
    fractions: str,
    regimes: str,
    share: float,
    seeds: int,
    out: Path,
) -> str:
    """Use each percentage of the real pictures in each regime; returns the table, as Markdown.

    real: data and split. share: real part of each batch where both are mixed. Runs that are the same are made once: at
    0 % all but `adapted` are synthetic alone. Nothing is held out of the source unless checkpoints are chosen by it:
    of a class's one real picture nothing would be left to learn from.
    """
    base, kinds, percents = load_training(path, overrides), _names(regimes), _percents(fractions)
    if base.data.test is None:
        raise InputError(f"{path}: field data.test: a study needs labelled pictures to test on")
    if "adapted" in kinds and base.data.target is None:
        raise InputError(f"{path}: field data.target: the regime 'adapted' needs one; or leave it out of --regimes")
    _refuse_tested(real, base.data.test)
    if base.select_by not in ("source", "dev"):
        base = base.model_copy(update={"data": base.data.model_copy(update={"holdout": 0.0})})
    points = [(regime, percent) for regime in kinds for percent in percents if (regime, percent) != ("real", 0)]
    # A finetuned run takes up the one on synthetic pictures, which counts as a run of its own.
    count = RunCount(seeds * sum(2 if regime == "finetuned" and percent else 1 for regime, percent in points))
    rows = []
    for regime, percent in points:
        results = []
        for seed in range(base.seed, base.seed + seeds):
            config = base.model_copy(update={"seed": seed})
            results.append(_mixed(config, regime, real, percent, share, out, count))
        rows.append(Row({"regime": regime, "real %": f"{percent:g}"}, tuple(results)))
    return write(rows, out, across="real %")


def _refuse_tested(real: tuple[str, str], test: Part) -> None:
    """Raise InputError where pictures to learn from are also tested on."""
    ours, theirs = (open_pictures(where, split=split) for where, split in (real, (test.where, test.split)))
    tested = {Path(theirs.where(i)).resolve() for i in range(len(theirs))}
    common = [place for i in range(len(ours)) if Path(place := ours.where(i)).resolve() in tested]
    if common:
        raise InputError(
            f"--real {real[0]}: {len(common)} of its pictures are in data.test as well, {common[0]} first: "
            "give a part of it, like photos@adapt where photos@test is tested on"
        )


def _mixed(
    config: TrainConfig, regime: str, real: tuple[str, str], percent: float, share: float, out: Path, count: RunCount
) -> dict[str, Any]:
    """One run of the study of mixing."""
    seed = config.seed
    if percent == 0 and regime != "adapted":
        return _told(config, out / f"synthetic-{seed}", count)
    photos = Part(where=real[0], split=real[1] if percent == 100 else f"{real[1]}/{percent:g}%", share=share)
    synthetic = tuple(part.model_copy(update={"share": part.share * (1 - share)}) for part in config.data.source)
    both = (*synthetic, photos) if percent else config.data.source
    sources = {"real": (photos,), "finetuned": (photos,)}.get(regime, both)
    changed: dict[str, Any] = {"data": config.data.model_copy(update={"source": sources})}
    if regime == "finetuned":
        _told(config, out / f"synthetic-{seed}", count)
        changed["weights"] = str(out / f"synthetic-{seed}")
    if regime == "adapted":
        changed["method"] = "adabn"
    # Validated again, as from a file: what was changed must fit together.
    final = TrainConfig.model_validate(config.model_copy(update=changed).model_dump())
    return _told(final, out / f"{regime}-{percent:g}-{seed}", count)


def _seeded(config: TrainConfig, seeds: int, out: Path, count: RunCount) -> Iterable[dict[str, Any]]:
    for seed in range(config.seed, config.seed + seeds):
        yield _told(config.model_copy(update={"seed": seed}), out.with_name(f"{out.name}-{seed}"), count)


def _told(config: TrainConfig, out: Path, count: RunCount) -> dict[str, Any]:
    if config.data.test is None:
        raise InputError("field data.test: runs are compared on labelled pictures: name some")
    count.begin(out.name)
    return execute(config, out)


def write(rows: Sequence[Row], out: Path, across: str | None) -> str:
    """Write table.md, table.json and figure.png, with `across` the label along the figure's axis; returns table.md."""
    out.mkdir(parents=True, exist_ok=True)
    text = table(rows)
    data = [{**row.labels, **{name: row.figures(name) for name in _FIGURES}, **_choice(row)} for row in rows]
    for name, content in (("table.md", text), ("table.json", json.dumps(data, indent=1) + "\n")):
        with replacing(out / name) as temporary:
            temporary.write_text(content, encoding="utf-8")
    with replacing(out / "figure.png") as temporary:
        _draw(rows, across, temporary)
    return text


def _choice(row: Row) -> dict[str, Any]:
    """How the checkpoints were chosen, and what the validators made of them, by seed."""
    chosen = [result["selected"] for result in row.results]
    at = [at_selected(result) for result in row.results]
    return {"selected_by": chosen[0]["by"], "steps": [c["step"] for c in chosen], "at_selected": at}


def at_selected(results: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of the checkpoint that a run, by its results, chose: the validators' and its step."""
    step = results["selected"]["step"]
    return next(figures for figures in results["history"] if figures["step"] == step)


def table(rows: Sequence[Row]) -> str:
    """Markdown: a line for each row, test figures in percent, mean and deviation over seeds."""
    names = list(rows[0].labels)
    lines = [[*names, *(name.replace("_", " ") for name in _FIGURES), "chosen by", "seeds"]]
    for row in rows:
        chosen = row.results[0]["selected"]
        by = chosen["by"] + (" (target labels)" if chosen["uses_target_labels"] else "")
        cells = [_percent(row.figures(name)) for name in _FIGURES]
        lines.append([*row.labels.values(), *cells, by, str(len(row.results))])
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _percent(values: Sequence[float]) -> str:
    spread = f" ± {100 * stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * mean(values):.1f}{spread}"


def ticks_of(labels: Iterable[str]) -> tuple[list[str], bool]:
    """Labels along an axis, each once: numbers ascending, anything else as it comes. And whether they are numbers."""
    ticks = list(dict.fromkeys(labels))
    try:
        return sorted(ticks, key=float), True
    except ValueError:
        return ticks, False


def _draw(rows: Sequence[Row], across: str | None, path: Path) -> None:
    """Mean recall over the label `across`, a line for each combination of the other labels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    ticks, numbers = ticks_of(row.labels[across] if across else "" for row in rows)
    # A line from one name to the next would mean nothing.
    line = "-" if numbers else ""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        other = ", ".join(value for name, value in row.labels.items() if name != across)
        groups.setdefault(other, []).append(row)
    for name, group in groups.items():
        places = [ticks.index(row.labels[across] if across else "") for row in group]
        values = [[100 * v for v in row.figures("mean_recall")] for row in group]
        spreads = [stdev(v) if len(v) > 1 else 0.0 for v in values]
        means = [mean(v) for v in values]
        axes.errorbar(places, means, spreads, ls=line, marker="o", capsize=3, label=name or None)
    axes.set_xticks(range(len(ticks)), ticks, rotation=0 if max(map(len, ticks)) < 8 else 30)
    axes.set_xlabel(across or "")
    axes.set_ylabel("mean per-class recall on the test pictures, %")
    axes.grid(alpha=0.3)
    if len(groups) > 1:
        axes.legend()
    figure.savefig(path, dpi=120, format="png")


def _axis(text: str) -> tuple[str, list[str]]:
    key, equals, values = text.partition("=")
    if not equals or not key or not all(values.split(",")):
        raise InputError(f"--vary {text}: write key=a,b,c, for instance method=source,dann")
    return key, values.split(",")


def _plain(value: str) -> str:
    return "".join(c if c.isalnum() or c in "+-." else "-" for c in value)[:60]


def _names(regimes: str) -> list[str]:
    names = [name.strip() for name in regimes.split(",")]
    for name in names:
        if name not in REGIMES:
            raise InputError(f"--regimes {regimes}: no regime '{name}', {choices(name, REGIMES)}")
    return names


def _percents(fractions: str) -> list[float]:
    try:
        percents = [float(text) for text in fractions.split(",")]
    except ValueError:
        percents = [-1.0]
    if not all(0 <= percent <= 100 for percent in percents):
        raise InputError(f"--fractions {fractions}: write percentages, for instance 0,5,10,25,50,100")
    return sorted(set(percents))

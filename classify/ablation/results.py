"""The results of a study: one table, one CSV and one figure."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from classify.ablation.designs import Arm, importance, named, published_difference
from classify.ablation.plan import Plan
from classify.ablation.statistics import LEVEL, Effect, effects
from scenes.errors import InputError
from scenes.files import read_regular
from scenes.outputs import written
from scenes.plain_json import parse_json
from training.studies import Studied, Tested, studied

Difference = tuple[str, str, str]
"""Test set, factor and variant."""

SIGNIFICANT = 0.05
_LARGEST = 1 << 30


@dataclass(frozen=True)
class Results:
    """What the tests of a study gave.

    tested, effects: by the name of the test set. others: the differences of another study, shares of 1, by test set,
    factor and variant.
    """

    plan: Plan
    tested: Mapping[str, Tested]
    effects: Mapping[str, Sequence[Effect]]
    others: Mapping[Difference, float] = field(default_factory=dict)

    @property
    def figure(self) -> str:
        """The figure that is compared, in words."""
        return self.plan.study.compared.replace("_", " ")

    def value(self, arm: Arm, test: str) -> dict[int, float]:
        """The figure of a combination on a test set by seed, a share of 1."""
        return self.tested[test].figure(arm, self.plan.study.compared) if test in self.tested else {}

    def published(self, arm: Arm, test: str) -> float | None:
        """The figure of others, in percent."""
        return self.plan.study.published.get(named(arm), {}).get(test)

    def order(self, test: str) -> dict[str, float]:
        """Factors by the mean size of their effects on a test set, the largest first; shares of 1."""
        by_factor: dict[str, list[float]] = {}
        for effect in self.effects.get(test, ()):
            by_factor.setdefault(effect.comparison.factor, []).append(effect.mean)
        return importance(by_factor)

    def agreement(self, test: str) -> tuple[float, int] | None:
        """Spearman's rank correlation of our differences with the published ones, and their number; at least three."""
        theirs = self.plan.study.published
        figures = {name: values[test] for name, values in theirs.items() if test in values}
        pairs = [
            (effect.mean, other)
            for effect in self.effects.get(test, ())
            if (other := published_difference(effect.comparison, figures)) is not None
        ]
        return _rank_correlation(pairs)

    def predicted(self, test: str) -> tuple[float, int] | None:
        """The rank correlation of our differences with those of the other study, and their number; at least three."""
        found = [
            (effect.mean, self.others.get((test, effect.comparison.factor, effect.comparison.variant)))
            for effect in self.effects.get(test, ())
        ]
        return _rank_correlation([(ours, theirs) for ours, theirs in found if theirs is not None])


def _rank_correlation(pairs: Sequence[tuple[float, float]]) -> tuple[float, int] | None:
    """None for fewer than three pairs. The correlation is NaN where one side is the same in all pairs."""
    if len(pairs) < 3:
        return None
    ours, theirs = zip(*pairs, strict=True)
    varied = len(set(ours)) > 1 and len(set(theirs)) > 1
    return float(spearmanr(ours, theirs).statistic) if varied else math.nan, len(pairs)


def differences_of(study: Path) -> dict[Difference, float]:
    """The differences in results.csv of a study's folder. Raises InputError if there is none, or it is damaged."""
    path = study / "results.csv"
    lines = read_regular(path, _LARGEST).decode(errors="replace").splitlines()
    try:
        rows = [row for row in csv.DictReader(lines) if row["kind"] == "difference"]
        return {(row["test"], row["factor"], row["variant"]): float(row["value"]) for row in rows}
    except (KeyError, ValueError, csv.Error):
        raise InputError(f"{path}: is damaged; give the command of that study again") from None


def collect(plan: Plan, against: Path | None = None) -> Results:
    """Read what has been tested so far. against: the folder of another study to compare with.

    Raises InputError for a file that is damaged.
    """
    found: dict[str, dict[Arm, dict[int, Any]]] = {name: {} for name in plan.tests}
    task, pictures = studied(plan.study.task), dict[str, Any]()
    for run in plan.runs:
        path = plan.tested(run)
        if not path.exists():
            continue
        for name, figures in zip(plan.tests, _figures(path, len(plan.tests), task), strict=True):
            ours = task.pictures(figures)
            if not np.array_equal(pictures.setdefault(name, ours), ours):
                raise InputError(
                    f"{path}: test {name}: has other pictures than the other runs, because they changed meanwhile; "
                    "delete the folder tests, and give the same command again"
                )
            found[name].setdefault(run.arm, {})[run.seed] = figures
    tested = {name: task.tested(arms) for name, arms in found.items() if arms}
    made = {name: effects(one, plan.design.comparisons, plan.study.compared) for name, one in tested.items()}
    return Results(plan, tested, made, {} if against is None else differences_of(against))


def _figures(path: Path, count: int, task: Studied) -> list[dict[str, Any]]:
    """The figures of each test set in a file that the task's `evaluate` wrote."""
    content = parse_json(read_regular(path, _LARGEST), str(path))
    found = content if isinstance(content, list) else [content]
    try:
        for one in found:  # each alone: test sets differ in their numbers of pictures
            task.pictures(one)
            task.tested({(): {0: one}})
        whole = len(found) == count
    except (KeyError, TypeError, ValueError, IndexError):
        whole = False
    if not whole:
        raise InputError(f"{path}: is damaged; delete it and give the same command again")
    return found


def table(results: Results) -> str:
    """Markdown: the figures of all combinations, then all comparisons. Percent and points."""
    tests = list(results.plan.tests)
    lines = [f"{results.figure}, percent: mean over the seeds (lowest to highest)", ""]
    lines += _rows(["combination", *tests, "seeds"], arm_rows(results, tests))
    level = f"{LEVEL:.0%} bootstrap interval; * p < {SIGNIFICANT:g} after Holm's correction for all rows of a column"
    lines += ["", f"differences in {results.figure}, points: mean over paired seeds [{level}]", ""]
    lines += _rows(["comparison", *tests], _comparison_rows(results, tests))
    return "\n".join(lines) + "\n"


def _rows(header: Sequence[str], rows: Iterator[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *rows)]


def arm_rows(results: Results, tests: Sequence[str]) -> Iterator[list[str]]:
    for arm in results.plan.design.arms:
        cells, seeds = [], 0
        for test in tests:
            values = list(results.value(arm, test).values())
            seeds = max(seeds, len(values))
            theirs = results.published(arm, test)
            cells.append(_value(values) + ("" if theirs is None else f"; published {theirs:.1f}"))
        yield [named(arm), *cells, f"{seeds} of {results.plan.study.seeds}"]


def _comparison_rows(results: Results, tests: Sequence[str]) -> Iterator[list[str]]:
    by_test = {test: {e.comparison.name: e for e in results.effects.get(test, ())} for test in tests}
    for comparison in results.plan.design.comparisons:
        yield [comparison.name, *(difference(by_test[test].get(comparison.name)) for test in tests)]


def _value(values: Sequence[float]) -> str:
    if not values:
        return "missing"
    spread = f" ({100 * min(values):.1f} to {100 * max(values):.1f})" if len(values) > 1 else ""
    return f"{100 * mean(values):.1f}{spread}"


def difference(effect: Effect | None) -> str:
    if effect is None:
        return "missing"
    star = " *" if effect.holm < SIGNIFICANT else ""
    return f"{100 * effect.mean:+.1f} [{100 * effect.low:+.1f}, {100 * effect.high:+.1f}]{star}"


COLUMNS = (
    "kind", "test", "name", "factor", "variant", "seeds", "value", "low", "high", "p", "holm", "published", "by_seed",
)  # fmt: skip


def save_csv(results: Results, path: Path) -> None:
    """Write all figures and differences, shares of 1, a line each. kind: "figure" or "difference"."""
    with written(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, COLUMNS)
        out.writeheader()
        for test in results.plan.tests:
            out.writerows(_csv_rows(results, test))


def _csv_rows(results: Results, test: str) -> Iterator[dict[str, Any]]:
    for arm in results.plan.design.arms:
        values, theirs = results.value(arm, test), results.published(arm, test)
        yield {
            "kind": "figure", "test": test, "name": named(arm), "seeds": len(values),
            "value": mean(values.values()) if values else "", "published": "" if theirs is None else theirs / 100,
            "by_seed": _by_seed(values),
        }  # fmt: skip
    for effect in results.effects.get(test, ()):
        yield {
            "kind": "difference", "test": test, "name": effect.comparison.name, "factor": effect.comparison.factor,
            "variant": effect.comparison.variant, "seeds": len(effect.seeds), "value": effect.mean,
            "low": effect.low, "high": effect.high, "p": effect.p, "holm": effect.holm,
            "by_seed": _by_seed(effect.seeds),
        }  # fmt: skip


def _by_seed(values: Mapping[int, float]) -> str:
    return " ".join(f"{seed}:{value:.6f}" for seed, value in sorted(values.items()))


def draw(results: Results) -> Figure:
    """Each comparison with its interval, a column for each test set. Filled: significant after the correction."""
    tests = [test for test in results.plan.tests if test in results.tested]
    names = [comparison.name for comparison in results.plan.design.comparisons]
    size = (2.4 + 3.0 * max(1, len(tests)), 1.4 + 0.3 * len(names))
    figure = Figure(figsize=size, layout="constrained")
    columns = figure.subplots(1, max(1, len(tests)), sharey=True, squeeze=False)[0]
    for axis, test in zip(columns, tests, strict=False):
        axis.axvline(0, color="#888888", lw=1)
        for effect in results.effects[test]:
            place = names.index(effect.comparison.name)
            color = "#888888" if effect.holm >= SIGNIFICANT else "#b02020" if effect.mean < 0 else "#2c7a2c"
            axis.plot([100 * effect.low, 100 * effect.high], [place, place], color=color, lw=2)
            fill = color if effect.holm < SIGNIFICANT else "white"
            axis.plot(100 * effect.mean, place, marker="o", color=color, mfc=fill)
        axis.set_title(test, fontsize=10)
        axis.set_xlabel("points", fontsize=9)
        axis.grid(axis="x", alpha=0.3)
        axis.tick_params(labelsize=8)
    columns[0].set_yticks(range(len(names)), names)
    columns[0].set_ylim(len(names) - 0.5, -0.5)
    figure.suptitle(f"difference in {results.figure}", fontsize=11)
    return figure
